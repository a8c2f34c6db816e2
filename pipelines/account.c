#include "pipelines/account.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

hlrp_status hlrp_warn_of_losses(hlrp_result *result, const char *slide, double share,
                                const hlrp_log *log, hlrp_error *err) {
    hlrp_layers l = {0};
    int64_t worst = -1;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_result_read_layers(result, &l, err));
    for (int64_t i = 0; i < l.count; i++)
        if (fabs(hlrp_layers_loss(&l, i)) > share &&
            (worst < 0 || fabs(hlrp_layers_loss(&l, i)) > fabs(hlrp_layers_loss(&l, worst))))
            worst = i;
    if (worst < 0)
        goto out;
    const double scale = 100 / l.values[HLRP_LAYERS_OUT_ABS][worst];
    hlrp_logf(log, HLRP_LOG_WARN,
              "%s: layer %s (%s) %s %.0f %% of the relevance that reaches it (biases took %.0f %%, "
              "the stabilizer %.0f %%): read its map with care, or try another rule there",
              slide, l.nodes.items[worst], l.rules.items[worst],
              hlrp_layers_loss(&l, worst) > 0 ? "loses" : "creates",
              100 * fabs(hlrp_layers_loss(&l, worst)),
              round(scale * l.values[HLRP_LAYERS_BIAS][worst]) + 0.0, /* no "-0" */
              round(scale * l.values[HLRP_LAYERS_STABILIZER][worst]) + 0.0);
out:
    hlrp_layers_free(&l);
    return status;
}

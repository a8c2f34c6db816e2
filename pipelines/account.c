#include "pipelines/account.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OUT, OUT_ABS, IN, BIAS, STABILIZER, FIELDS };

typedef struct layers {
    int64_t count;
    double *values[FIELDS]; /* [count] each */
    hlrp_strings nodes, rules;
} layers;

static hlrp_status read_layers(hlrp_result *result, layers *l, hlrp_error *err) {
    static const char *const names[FIELDS] = {"relevance_out", "relevance_out_abs", "relevance_in",
                                              "bias", "stabilizer"};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_result_table_rows(result, "/layers", &l->count, err));
    HLRP_TRY(hlrp_result_table_text(result, "/layers", "node", &l->nodes, err));
    HLRP_TRY(hlrp_result_table_text(result, "/layers", "rule", &l->rules, err));
    for (int f = 0; f < FIELDS; f++) {
        HLRP_TRY(hlrp_calloc(&l->values[f], l->count, sizeof(double), "layers", err));
        HLRP_TRY(hlrp_result_table_f64(result, "/layers", names[f], l->count, l->values[f], err));
    }
out:
    return status;
}

static void free_layers(layers *l) {
    for (int f = 0; f < FIELDS; f++)
        free(l->values[f]);
    hlrp_strings_free(&l->nodes);
    hlrp_strings_free(&l->rules);
}

/* Share of the relevance that reaches layer i and is lost (positive) or created (negative) there.
 */
static double loss(const layers *l, int64_t i) {
    if (l->values[OUT_ABS][i] <= 0 || strcmp(l->rules.items[i], "gradient") == 0)
        return 0;
    return (l->values[OUT][i] - l->values[IN][i]) / l->values[OUT_ABS][i];
}

hlrp_status hlrp_warn_of_losses(hlrp_result *result, const char *slide, double share,
                                const hlrp_log *log, hlrp_error *err) {
    layers l = {0};
    int64_t worst = -1;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(read_layers(result, &l, err));
    for (int64_t i = 0; i < l.count; i++)
        if (fabs(loss(&l, i)) > share && (worst < 0 || fabs(loss(&l, i)) > fabs(loss(&l, worst))))
            worst = i;
    if (worst < 0)
        goto out;
    const double scale = 100 / l.values[OUT_ABS][worst];
    hlrp_logf(log, HLRP_LOG_WARN,
              "%s: layer %s (%s) %s %.0f %% of the relevance that reaches it (biases took %.0f %%, "
              "the stabilizer %.0f %%): read its map with care, or try another rule there",
              slide, l.nodes.items[worst], l.rules.items[worst],
              loss(&l, worst) > 0 ? "loses" : "creates", 100 * fabs(loss(&l, worst)),
              scale * l.values[BIAS][worst], scale * l.values[STABILIZER][worst]);
out:
    free_layers(&l);
    return status;
}

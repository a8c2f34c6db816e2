/* /layers of a result: the account of each node, and what it comes to. */
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

hlrp_status hlrp_result_read_layers(hlrp_result *result, hlrp_layers *l, hlrp_error *err) {
    static const char *const names[HLRP_LAYERS_FIELDS] = {"relevance_out", "relevance_out_abs",
                                                          "relevance_in", "bias", "stabilizer"};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_result_table_rows(result, "/layers", &l->count, err));
    HLRP_TRY(hlrp_result_table_text(result, "/layers", "node", &l->nodes, err));
    HLRP_TRY(hlrp_result_table_text(result, "/layers", "rule", &l->rules, err));
    for (int f = 0; f < HLRP_LAYERS_FIELDS; f++) {
        HLRP_TRY(hlrp_calloc(&l->values[f], l->count, sizeof(double), "layers", err));
        HLRP_TRY(hlrp_result_table_f64(result, "/layers", names[f], l->count, l->values[f], err));
    }
out:
    return status;
}

void hlrp_layers_free(hlrp_layers *l) {
    for (int f = 0; f < HLRP_LAYERS_FIELDS; f++)
        free(l->values[f]);
    hlrp_strings_free(&l->nodes);
    hlrp_strings_free(&l->rules);
}

double hlrp_layers_loss(const hlrp_layers *l, int64_t i) {
    if (!(l->values[HLRP_LAYERS_OUT_ABS][i] > 0) || strcmp(l->rules.items[i], "gradient") == 0)
        return 0;
    return (l->values[HLRP_LAYERS_OUT][i] - l->values[HLRP_LAYERS_IN][i]) /
           l->values[HLRP_LAYERS_OUT_ABS][i];
}

/* /layers of a result: the account of each node, and what it comes to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

const char *const hlrp_layers_names[HLRP_LAYERS_FIELDS] = {
    [HLRP_LAYERS_OUT] = "relevance_out", [HLRP_LAYERS_OUT_ABS] = "relevance_out_abs",
    [HLRP_LAYERS_IN] = "relevance_in",   [HLRP_LAYERS_IN_ABS] = "relevance_in_abs",
    [HLRP_LAYERS_BIAS] = "bias",         [HLRP_LAYERS_STABILIZER] = "stabilizer",
    [HLRP_LAYERS_CONSTANT] = "constant", [HLRP_LAYERS_NORMALIZATION] = "normalization"};

static bool is_new(int field) {
    return field == HLRP_LAYERS_IN_ABS || field == HLRP_LAYERS_CONSTANT ||
           field == HLRP_LAYERS_NORMALIZATION;
}

/* A column that results of earlier versions lack. */
static hlrp_status read_new_column(hlrp_result *result, int field, hlrp_layers *l) {
    hlrp_error ignored = {0};
    const hlrp_status status = hlrp_result_table_f64(result, "/layers", hlrp_layers_names[field],
                                                     l->count, l->values[field], &ignored);
    for (int64_t i = 0; status != HLRP_OK && i < l->count; i++)
        l->values[field][i] = NAN;
    return status == HLRP_E_MEMORY ? status : HLRP_OK;
}

hlrp_status hlrp_result_read_layers(hlrp_result *result, hlrp_layers *l, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_result_table_rows(result, "/layers", &l->count, err));
    HLRP_TRY(hlrp_result_table_text(result, "/layers", "node", &l->nodes, err));
    HLRP_TRY(hlrp_result_table_text(result, "/layers", "rule", &l->rules, err));
    for (int f = 0; f < HLRP_LAYERS_FIELDS; f++) {
        HLRP_TRY(hlrp_calloc(&l->values[f], l->count, sizeof(double), "layers", err));
        HLRP_TRY(is_new(f) ? read_new_column(result, f, l)
                           : hlrp_result_table_f64(result, "/layers", hlrp_layers_names[f],
                                                   l->count, l->values[f], err));
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

double hlrp_layers_growth(const hlrp_layers *l, int64_t i) {
    const double arrived = l->values[HLRP_LAYERS_OUT_ABS][i];
    const double left = l->values[HLRP_LAYERS_IN_ABS][i];
    return arrived > 0 && !isnan(left) ? left / arrived : 0;
}

/* ", constants 12 %": of a taker that only some networks have. */
static void add_taker(const hlrp_layers *l, int64_t i, int field, const char *name, hlrp_str *out) {
    const double share = 100 * l->values[field][i] / l->values[HLRP_LAYERS_OUT_ABS][i];
    if (!isnan(share) && round(share) != 0)
        hlrp_str_addf(out, ", %s %.0f %%", name, share);
}

void hlrp_layers_sentence(const hlrp_layers *l, double share, hlrp_str *out) {
    int64_t worst = -1;
    for (int64_t i = 0; i < l->count; i++)
        if (fabs(hlrp_layers_loss(l, i)) > share &&
            (worst < 0 || fabs(hlrp_layers_loss(l, i)) > fabs(hlrp_layers_loss(l, worst))))
            worst = i;
    if (worst < 0)
        return;
    const double scale = 100 / l->values[HLRP_LAYERS_OUT_ABS][worst];
    hlrp_str_addf(out,
                  "layer %s (%s) %s %.0f %% of the relevance that reaches it (biases took %.0f %%, "
                  "the stabilizer %.0f %%",
                  l->nodes.items[worst], l->rules.items[worst],
                  hlrp_layers_loss(l, worst) > 0 ? "loses" : "creates",
                  100 * fabs(hlrp_layers_loss(l, worst)),
                  round(scale * l->values[HLRP_LAYERS_BIAS][worst]) + 0.0, /* no "-0" */
                  round(scale * l->values[HLRP_LAYERS_STABILIZER][worst]) + 0.0);
    add_taker(l, worst, HLRP_LAYERS_CONSTANT, "constants", out);
    add_taker(l, worst, HLRP_LAYERS_NORMALIZATION, "normalization", out);
    hlrp_str_add(out, ")");
}

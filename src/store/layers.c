/* /layers of a result: the account of each node, and what it comes to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

/* A column that results of earlier versions lack. */
static hlrp_status read_later_column(hlrp_result *result, int field, hlrp_layers *l) {
    hlrp_error ignored = {0};
    const hlrp_status status = hlrp_result_table_f64(
        result, "/layers", hlrp_account_fields[field].column, l->count, l->values[field], &ignored);
    for (int64_t i = 0; status != HLRP_OK && i < l->count; i++)
        l->values[field][i] = NAN;
    return status == HLRP_E_MEMORY ? status : HLRP_OK;
}

hlrp_status hlrp_result_read_layers(hlrp_result *result, hlrp_layers *l, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_result_table_rows(result, "/layers", &l->count, err));
    HLRP_TRY(hlrp_result_table_text(result, "/layers", "node", &l->nodes, err));
    HLRP_TRY(hlrp_result_table_text(result, "/layers", "rule", &l->rules, err));
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++) {
        HLRP_TRY(hlrp_calloc(&l->values[f], l->count, sizeof(double), "layers", err));
        HLRP_TRY(hlrp_account_fields[f].later
                     ? read_later_column(result, f, l)
                     : hlrp_result_table_f64(result, "/layers", hlrp_account_fields[f].column,
                                             l->count, l->values[f], err));
    }
out:
    return status;
}

void hlrp_layers_free(hlrp_layers *l) {
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
        free(l->values[f]);
    hlrp_strings_free(&l->nodes);
    hlrp_strings_free(&l->rules);
}

double hlrp_layers_loss(const hlrp_layers *l, int64_t i) {
    if (!(l->values[HLRP_ACCOUNT_OUT_ABS][i] > 0) || strcmp(l->rules.items[i], "gradient") == 0)
        return 0;
    return (l->values[HLRP_ACCOUNT_OUT][i] - l->values[HLRP_ACCOUNT_IN][i]) /
           l->values[HLRP_ACCOUNT_OUT_ABS][i];
}

double hlrp_layers_growth(const hlrp_layers *l, int64_t i) {
    const double arrived = l->values[HLRP_ACCOUNT_OUT_ABS][i];
    const double left = l->values[HLRP_ACCOUNT_IN_ABS][i];
    return arrived > 0 && !isnan(left) ? left / arrived : 0;
}

/* "biases took 12 %, the stabilizer 0 %, constants 3 %": rare ones where that is any. */
static void add_takers(const hlrp_layers *l, int64_t i, hlrp_str *out) {
    bool first = true;
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++) {
        const hlrp_account_field *field = &hlrp_account_fields[f];
        const double share = 100 * l->values[f][i] / l->values[HLRP_ACCOUNT_OUT_ABS][i];
        if (!field->taker || (field->rare && (isnan(share) || round(share) == 0)))
            continue;
        hlrp_str_addf(out, "%s%s %s%.0f %%", first ? "" : ", ", field->taker, first ? "took " : "",
                      round(share) + 0.0); /* no "-0" */
        first = false;
    }
}

void hlrp_layers_sentence(const hlrp_layers *l, double share, hlrp_str *out) {
    int64_t worst = -1;
    for (int64_t i = 0; i < l->count; i++)
        if (fabs(hlrp_layers_loss(l, i)) > share &&
            (worst < 0 || fabs(hlrp_layers_loss(l, i)) > fabs(hlrp_layers_loss(l, worst))))
            worst = i;
    if (worst < 0)
        return;
    hlrp_str_addf(out, "layer %s (%s) %s %.0f %% of the relevance that reaches it (",
                  l->nodes.items[worst], l->rules.items[worst],
                  hlrp_layers_loss(l, worst) > 0 ? "loses" : "creates",
                  100 * fabs(hlrp_layers_loss(l, worst)));
    add_takers(l, worst, out);
    hlrp_str_add(out, ")");
}

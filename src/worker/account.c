#include "worker/account.h"

#include <stdlib.h>
#include <string.h>

int64_t hlrp_account_count(const hlrp_network *net) {
    return (int64_t)net->graph->node_count * HLRP_ACCOUNT_FIELDS;
}

void hlrp_account_add(const hlrp_worker *w, int64_t i, double *layers) {
    for (int node = 0; node < w->net->graph->node_count; node++) {
        double values[HLRP_ACCOUNT_FIELDS];
        hlrp_account_numbers(&w->account[node * w->net->batch + i], values);
        for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
            layers[node * HLRP_ACCOUNT_FIELDS + f] += values[f];
    }
}

hlrp_status hlrp_account_write(const hlrp_network *net, const double *layers,
                               hlrp_result_writer *writer, hlrp_error *err) {
    enum { TEXTS = 3, RULE_TEXT = 64 };
    const hlrp_graph *g = net->graph;
    const int64_t n = g->node_count;
    hlrp_column table[TEXTS + HLRP_ACCOUNT_FIELDS];
    const char **texts = NULL;
    char *rules = NULL;
    double *values = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&texts, TEXTS * n, sizeof *texts, "layers", err));
    HLRP_TRY(hlrp_calloc(&rules, RULE_TEXT * n, 1, "layers", err));
    HLRP_TRY(hlrp_calloc(&values, hlrp_account_count(net), sizeof *values, "layers", err));
    for (int64_t i = 0; i < n; i++) {
        const int node = (int)(n - 1 - i);
        texts[i] = g->nodes[node].name;
        texts[n + i] = g->nodes[node].op->name;
        texts[2 * n + i] =
            hlrp_rule_text(hlrp_lrp_rule(net->lrp, node), rules + i * RULE_TEXT, RULE_TEXT);
        for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
            values[f * n + i] = layers[node * HLRP_ACCOUNT_FIELDS + f];
    }
    table[0] = (hlrp_column){"node", HLRP_COLUMN_TEXT, texts};
    table[1] = (hlrp_column){"operator", HLRP_COLUMN_TEXT, texts + n};
    table[2] = (hlrp_column){"rule", HLRP_COLUMN_TEXT, texts + 2 * n};
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
        table[TEXTS + f] =
            (hlrp_column){hlrp_account_fields[f].column, HLRP_COLUMN_F64, values + f * n};
    status = hlrp_result_write_table(writer, "/layers", table, HLRP_COUNT(table), n, err);
out:
    free(texts);
    free(rules);
    free(values);
    return status;
}

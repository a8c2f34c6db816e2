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

/* The columns of /layers while they are filled, row by row. */
enum { NAME_TEXT = 200, RULE_TEXT = 64 };
typedef struct layer_rows {
    int64_t capacity, count;
    const char **names, **operators, **rules;
    char *texts; /* [capacity][NAME_TEXT + RULE_TEXT] */
    double *values;
} layer_rows;

static hlrp_status make_rows(layer_rows *r, int64_t n, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    r->capacity = n;
    HLRP_TRY(hlrp_calloc(&r->names, n, sizeof *r->names, "layers", err));
    HLRP_TRY(hlrp_calloc(&r->operators, n, sizeof *r->operators, "layers", err));
    HLRP_TRY(hlrp_calloc(&r->rules, n, sizeof *r->rules, "layers", err));
    HLRP_TRY(hlrp_calloc(&r->texts, n, NAME_TEXT + RULE_TEXT, "layers", err));
    HLRP_TRY(hlrp_calloc(&r->values, n * HLRP_ACCOUNT_FIELDS, sizeof *r->values, "layers", err));
out:
    return status;
}

static void add_part(layer_rows *r, const hlrp_account_part *part) {
    const hlrp_graph *g = part->net->graph;
    for (int node = g->node_count - 1; node >= 0; node--) {
        const int64_t row = r->count++;
        char *name = r->texts + row * (NAME_TEXT + RULE_TEXT), *rule = name + NAME_TEXT;
        r->names[row] = g->nodes[node].name;
        if (part->prefix[0]) {
            snprintf(name, NAME_TEXT, "%s%s", part->prefix, g->nodes[node].name);
            r->names[row] = name;
        }
        r->operators[row] = g->nodes[node].op->name;
        r->rules[row] = hlrp_rule_text(hlrp_lrp_rule(part->net->lrp, node), rule, RULE_TEXT);
        for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
            r->values[f * r->capacity + row] = part->layers[node * HLRP_ACCOUNT_FIELDS + f];
    }
}

hlrp_status hlrp_account_write(const hlrp_account_part *parts, int count,
                               hlrp_result_writer *writer, hlrp_error *err) {
    enum { TEXTS = 3 };
    hlrp_column table[TEXTS + HLRP_ACCOUNT_FIELDS];
    layer_rows r = {0};
    int64_t n = 0;
    hlrp_status status = HLRP_OK;
    for (int i = 0; i < count; i++)
        n += parts[i].net->graph->node_count;
    HLRP_TRY(make_rows(&r, n, err));
    for (int i = 0; i < count; i++)
        add_part(&r, &parts[i]);
    table[0] = (hlrp_column){"node", HLRP_COLUMN_TEXT, r.names};
    table[1] = (hlrp_column){"operator", HLRP_COLUMN_TEXT, r.operators};
    table[2] = (hlrp_column){"rule", HLRP_COLUMN_TEXT, r.rules};
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
        table[TEXTS + f] =
            (hlrp_column){hlrp_account_fields[f].column, HLRP_COLUMN_F64, r.values + f * n};
    status = hlrp_result_write_table(writer, "/layers", table, HLRP_COUNT(table), n, err);
out:
    free(r.names);
    free(r.operators);
    free(r.rules);
    free(r.texts);
    free(r.values);
    return status;
}

/* What of a network cannot be read, gathered over all its nodes: a person who learns of one kind of
 * operator at a time exports a network ten times in vain. */
#include <stdlib.h>
#include <string.h>

#include "onnx/internal.h"

enum { MOST_KINDS = 64 };

/* A node that fails because of what an unknown operator would have given says nothing new. */
static bool follows_unknown(const onnx_reader *r) {
    for (int k = 0; k < r->in_count; k++)
        if (onnx_names_find(&r->refusals->unknown, r->node->input[k]) >= 0)
            return true;
    return false;
}

static hlrp_status count_kind(onnx_refusals *all, const onnx_reader *r, const hlrp_error *why,
                              hlrp_error *err) {
    for (int64_t k = 0; k < all->count; k++)
        if (strcmp(all->kinds[k].type, r->node->op_type) == 0) {
            all->kinds[k].nodes++;
            return HLRP_OK;
        }
    const hlrp_status status =
        hlrp_grow(&all->kinds, &all->capacity, all->count + 1, sizeof *all->kinds, err);
    if (status != HLRP_OK)
        return status;
    all->kinds[all->count++] = (onnx_refusal){.type = r->node->op_type, .nodes = 1};
    if (all->count > 1)
        return HLRP_OK;
    all->first = *why;
    if (all->unknown_operator)
        snprintf(all->words, sizeof all->words, "unsupported operator %.60s at node %.120s",
                 r->node->op_type, r->node_name);
    else
        snprintf(all->words, sizeof all->words, "node %.120s: %.100s", r->node_name, why->what);
    return HLRP_OK;
}

/* The node's outputs as values without a node, so that those who read them can be looked at. */
static hlrp_status stand_in(onnx_reader *r, hlrp_error *err) {
    onnx_refusals *all = r->refusals;
    hlrp_status status = HLRP_OK;
    for (size_t k = 0; status == HLRP_OK && k < r->node->n_output; k++) {
        const char *name = r->node->output[k];
        if (name[0] == '\0' || onnx_names_find(&r->names, name) >= 0)
            continue;
        const int id = hlrp_graph_add_value(r->g, name, NULL, err);
        status = id < 0 ? err->status : onnx_names_add(&r->names, name, id, err);
        if (status == HLRP_OK && all->pending == ONNX_GIVES_UNKNOWN)
            status = onnx_names_add(&all->unknown, name, id, err);
    }
    return status;
}

hlrp_status onnx_refusals_take(onnx_reader *r, hlrp_error *err) {
    onnx_refusals *all = r->refusals;
    const hlrp_error why = *err;
    if (all->pending == ONNX_GIVES_NOTHING || all->count >= MOST_KINDS)
        return why.status;
    const bool counts = all->unknown_operator || !follows_unknown(r);
    hlrp_status status = counts ? count_kind(all, r, &why, err) : HLRP_OK;
    if (status == HLRP_OK)
        status = stand_in(r, err);
    all->pending = ONNX_GIVES_NOTHING;
    all->unknown_operator = false;
    return status;
}

/* Numbers for shapes that an unknown operator has a part in are unknown as well. */
hlrp_status onnx_refusals_follow(onnx_reader *r, hlrp_error *err) {
    if (r->refusals->unknown.count == 0 || !follows_unknown(r))
        return HLRP_OK;
    const char *name = r->node->output[0];
    const int id = onnx_names_find(&r->names, name);
    return id >= 0 && r->g->values[id].dtype == HLRP_I64
               ? onnx_names_add(&r->refusals->unknown, name, id, err)
               : HLRP_OK;
}

hlrp_status onnx_refusals_verdict(const onnx_refusals *all, hlrp_error *err) {
    char list[300] = "";
    int64_t nodes = 0, left = 0;
    for (int64_t k = 0; k < all->count; k++) {
        const size_t used = strlen(list);
        nodes += all->kinds[k].nodes;
        if (used > sizeof list - 90)
            left++;
        else
            snprintf(list + used, sizeof list - used, "%s%.60s × %lld", k > 0 ? ", " : "",
                     all->kinds[k].type, (long long)all->kinds[k].nodes);
    }
    if (nodes == 0)
        return HLRP_OK;
    if (nodes == 1) {
        *err = all->first;
        return err->status;
    }
    if (left > 0)
        snprintf(list + strlen(list), sizeof list - strlen(list), " and %lld more",
                 (long long)left);
    return hlrp_fail(
        err, HLRP_E_MODEL, NULL,
        "use a network without them: exporting again helps only against what training left behind",
        "%s; in all %lld nodes are not supported: %s", all->words, (long long)nodes, list);
}

void onnx_refusals_free(onnx_refusals *all) {
    onnx_names_free(&all->unknown);
    free(all->kinds);
}

#include <stdlib.h>
#include <string.h>

#include "engine/arena.h"
#include "lrp/analysis.h"
#include "lrp/turn.h"

/* ---- where relevance lies ---- */

/* The last linear layer, where the start comes with slopes and the rule goes by them: LRP-0, or the
 * gradient, which is then that of the log-odds. */
static int find_head(const hlrp_graph *g, const hlrp_lrp_options *options, const hlrp_rule *rules) {
    const int last = g->values[g->output].producer;
    if (!options->rules.head_lrp0 || last < 0 || g->nodes[last].op->layer != HLRP_FULLY_CONNECTED)
        return -1;
    const bool lrp0 = rules[last].kind == HLRP_RULE_LRP0 && options->bias != HLRP_BIAS_DROP;
    return lrp0 || rules[last].kind == HLRP_RULE_GRADIENT ? last : -1;
}

static bool keeps(const hlrp_graph *g, const hlrp_node *n) {
    return n->op->keeps || (n->op->keeps_on && n->op->keeps_on(g, n));
}

/* Gradients are no relevance: they do not add up to the start, whatever biases do; and constants such as
 * class tokens keep what lies on them. */
static bool conserves(const hlrp_lrp *lrp) {
    for (int i = 0; i < lrp->graph->node_count; i++)
        if (lrp->rules[i].kind == HLRP_RULE_GRADIENT || keeps(lrp->graph, &lrp->graph->nodes[i]))
            return false;
    return hlrp_bias_conserves(lrp->bias);
}

/* Where nothing may be kept, a node that may hand all to its only input does. */
static void hand_all_to_one(hlrp_lrp *lrp) {
    for (int i = 0; hlrp_bias_conserves(lrp->bias) && i < lrp->graph->node_count; i++)
        if (lrp->graph->nodes[i].op->all_to_one && lrp->rules[i].kind != HLRP_RULE_GRADIENT)
            lrp->rules[i].kind = HLRP_RULE_PASS;
}

static bool passes_on(const hlrp_graph *g, int node, const hlrp_rule *rules, const int *readers) {
    const hlrp_node *n = &g->nodes[node];
    return hlrp_cell_of(n, &rules[node])->in_place && readers[n->in[0]] == 1;
}

static void extend(hlrp_interval *life, int step) {
    life->first = HLRP_MIN(life->first, step);
    life->last = HLRP_MAX(life->last, step);
}

/* owner[v]: the value whose buffer holds v's relevance, v itself or the one behind a chain of plain
 * passes. */
static void find_owners(const hlrp_lrp *lrp, int *owner) {
    for (int v = 0; v < lrp->graph->value_count; v++)
        owner[v] = v;
    for (int i = lrp->graph->node_count - 1; i >= 0; i--)
        if (lrp->shared[i])
            owner[lrp->graph->nodes[i].in[0]] = owner[lrp->graph->nodes[i].out[0]];
}

/* A value's relevance lives from its last reader's step (or the start) back to its producer's. */
static hlrp_status place_relevance(hlrp_lrp *lrp, hlrp_error *err) {
    const hlrp_graph *g = lrp->graph;
    hlrp_interval *lives = NULL;
    int *behind = NULL; /* per value: a node that reads it, or -1 */
    int *owner = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&lives, g->value_count, sizeof *lives, "arena", err));
    HLRP_TRY(hlrp_calloc(&behind, g->value_count, sizeof *behind, "arena", err));
    HLRP_TRY(hlrp_calloc(&owner, g->value_count, sizeof *owner, "arena", err));
    find_owners(lrp, owner);
    for (int v = 0; v < g->value_count; v++) {
        behind[v] = -1;
        lives[v] = (hlrp_interval){.first = g->node_count, .last = -1};
    }
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].in_count; k++)
            if (g->nodes[i].in[k] >= 0)
                behind[g->nodes[i].in[k]] = i;
    for (int v = 0; v < g->value_count; v++) {
        if (g->values[v].constant)
            continue;
        const int o = owner[v];
        extend(&lives[o], g->values[v].producer);
        extend(&lives[o], v == g->output ? g->node_count : behind[v]);
        if (hlrp_plan_uses(lrp->plan, v))
            lives[o].floats = hlrp_layout_count(hlrp_plan_layout(lrp->plan, o));
    }
    HLRP_TRY(hlrp_arena_pack(lives, g->value_count, &lrp->arena_floats, err));
    for (int v = 0; v < g->value_count; v++)
        lrp->offsets[v] = g->values[v].constant ? -1 : lives[owner[v]].offset;
out:
    free(lives);
    free(owner);
    free(behind);
    return status;
}

/* ---- layers ---- */

/* What a zbox layer's input channels can hold, wherever in the picture they come from. */
static hlrp_status find_bounds(hlrp_lrp *lrp, const hlrp_lrp_options *options, int node,
                               hlrp_error *err) {
    const hlrp_graph *g = lrp->graph;
    const int value = g->nodes[node].in[0];
    const int64_t channels = g->values[value].dims.d[1];
    float **bounds = &lrp->bounds[node];
    hlrp_status status = hlrp_calloc(bounds, 2 * channels, sizeof **bounds, "bounds", err);
    for (int64_t c = 0; status == HLRP_OK && c < channels; c++) {
        const int64_t from = hlrp_pixel_channel(g, value, c);
        (*bounds)[c] = options->low ? options->low[from] : 0;
        (*bounds)[channels + c] = options->high ? options->high[from] : 1;
    }
    return status;
}

static hlrp_status make_layers(hlrp_lrp *lrp, const hlrp_lrp_options *options, hlrp_error *err) {
    const hlrp_graph *g = lrp->graph;
    bool *nonnegative = NULL, *vanishes = NULL, *dead_below = NULL;
    hlrp_lrp_options own = *options;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&nonnegative, g->value_count, sizeof(bool), "analysis", err));
    HLRP_TRY(hlrp_calloc(&vanishes, g->value_count, sizeof(bool), "analysis", err));
    hlrp_find_nonnegative(g, nonnegative);
    hlrp_find_vanishing(g, lrp->rules, vanishes);
    HLRP_TRY(hlrp_calloc(&dead_below, g->value_count, sizeof(bool), "analysis", err));
    hlrp_find_dead_below(g, lrp->rules, vanishes, dead_below);
    const hlrp_segment segment = hlrp_plan_segment(lrp->plan);
    for (int i = segment.from; i < segment.to; i++) {
        if (g->nodes[i].op->layer == HLRP_NO_LAYER)
            continue;
        const hlrp_linear_spec spec = hlrp_plan_linear_spec(lrp->plan, i);
        if (lrp->rules[i].kind == HLRP_RULE_ZBOX)
            HLRP_TRY(find_bounds(lrp, options, i, err));
        own.low = lrp->bounds[i];
        own.high = own.low ? own.low + spec.src.c : NULL;
        const hlrp_layer_facts facts = {.nonnegative = nonnegative[g->nodes[i].in[0]],
                                        .dead_below = !hlrp_bias_conserves(lrp->bias) &&
                                                      dead_below[g->nodes[i].out[0]],
                                        .head = i == lrp->head};
        HLRP_TRY(hlrp_layer_new(lrp->backend, &spec, &lrp->rules[i],
                                hlrp_cell_of(&g->nodes[i], &lrp->rules[i])->layer, &own, &facts,
                                &lrp->layers[i], err));
        lrp->stream_bytes = HLRP_MAX(lrp->stream_bytes, hlrp_layer_scratch_bytes(lrp->layers[i]));
    }
out:
    free(nonnegative);
    free(vanishes);
    free(dead_below);
    return status;
}

static hlrp_status allocate(hlrp_lrp *lrp, const hlrp_lrp_options *options, hlrp_error *err) {
    const hlrp_graph *g = lrp->graph;
    const int64_t channels = g->values[g->input].dims.d[1];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&lrp->rules, g->node_count, sizeof *lrp->rules, "rules", err));
    HLRP_TRY(hlrp_calloc(&lrp->to, g->node_count, sizeof *lrp->to, "rules", err));
    HLRP_TRY(hlrp_calloc(&lrp->layers, g->node_count, sizeof *lrp->layers, "layers", err));
    HLRP_TRY(hlrp_calloc(&lrp->shared, g->node_count, sizeof *lrp->shared, "arena", err));
    HLRP_TRY(hlrp_calloc(&lrp->offsets, g->value_count, sizeof *lrp->offsets, "arena", err));
    HLRP_TRY(hlrp_calloc(&lrp->bounds, g->node_count, sizeof *lrp->bounds, "layers", err));
    HLRP_TRY(hlrp_calloc(&lrp->reference, channels, sizeof(float), "channel values", err));
    if (options->reference)
        memcpy(lrp->reference, options->reference, (size_t)channels * sizeof(float));
out:
    return status;
}

/* What only the way back needs. */
static hlrp_status make_way_back(hlrp_lrp *lrp, const hlrp_lrp_options *options, hlrp_error *err) {
    const hlrp_graph *g = lrp->graph;
    int *readers = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(make_layers(lrp, options, err));
    HLRP_TRY(hlrp_calloc(&readers, g->value_count, sizeof *readers, "relevance plan", err));
    hlrp_graph_count_readers(g, readers);
    for (int i = 0; i < g->node_count; i++)
        lrp->shared[i] = passes_on(g, i, lrp->rules, readers);
    HLRP_TRY(place_relevance(lrp, err));
    status = hlrp_lrp_measure(lrp, &lrp->scratch_floats, err);
out:
    free(readers);
    return status;
}

hlrp_status hlrp_lrp_new(hlrp_backend *backend, const hlrp_graph *graph,
                         const hlrp_lrp_options *options, hlrp_lrp **out, hlrp_error *err) {
    hlrp_lrp *lrp = NULL;
    const hlrp_segment all = {0, graph->node_count};
    const hlrp_segment segment = options->segment ? *options->segment : all;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&lrp, 1, sizeof *lrp, "relevance plan", err));
    lrp->graph = graph;
    lrp->backend = backend;
    lrp->forward_only = options->forward_only;
    lrp->bias = options->bias;
    lrp->times_input = hlrp_composite_is_gradient(options->rules.composite);
    HLRP_TRY(allocate(lrp, options, err));
    HLRP_TRY(hlrp_structure_find(graph, &lrp->structure, err));
    HLRP_TRY(hlrp_assign_rules(graph, &options->rules, lrp->rules, err));
    for (int i = 0; i < graph->node_count; i++)
        lrp->to[i] =
            hlrp_structure_to(&lrp->structure, graph, i, lrp->rules[i].kind == HLRP_RULE_CONSTANT);
    lrp->head = find_head(graph, options, lrp->rules);
    hand_all_to_one(lrp);
    lrp->conserves = conserves(lrp);
    HLRP_TRY(hlrp_plan_new(backend, graph, segment, &lrp->plan, err));
    lrp->stream_bytes = hlrp_plan_scratch(lrp->plan);
    if (!lrp->forward_only)
        HLRP_TRY(make_way_back(lrp, options, err));
    *out = lrp;
    return HLRP_OK;
out:
    hlrp_lrp_free(lrp);
    return status;
}

void hlrp_lrp_free(hlrp_lrp *lrp) {
    if (!lrp)
        return;
    for (int i = 0; lrp->layers && i < lrp->graph->node_count; i++)
        hlrp_layer_free(lrp->layers[i]);
    for (int i = 0; lrp->bounds && i < lrp->graph->node_count; i++)
        free(lrp->bounds[i]);
    hlrp_plan_free(lrp->plan);
    free(lrp->layers);
    free(lrp->rules);
    free(lrp->to);
    hlrp_structure_free(&lrp->structure);
    free(lrp->offsets);
    free(lrp->shared);
    free(lrp->bounds);
    free(lrp->reference);
    free(lrp);
}

const hlrp_plan *hlrp_lrp_plan(const hlrp_lrp *lrp) {
    return lrp->plan;
}

const hlrp_structure *hlrp_lrp_structure(const hlrp_lrp *lrp) {
    return &lrp->structure;
}

const hlrp_rule *hlrp_lrp_rule(const hlrp_lrp *lrp, int node) {
    return &lrp->rules[node];
}

hlrp_bias hlrp_lrp_bias(const hlrp_lrp *lrp) {
    return lrp->bias;
}

bool hlrp_lrp_times_input(const hlrp_lrp *lrp) {
    return lrp->times_input;
}

int64_t hlrp_lrp_macs(const hlrp_lrp *lrp, int node) {
    return lrp->layers[node]
               ? lrp->layers[node]->ops->passes(lrp->layers[node]) * hlrp_plan_macs(lrp->plan, node)
               : 0;
}

int64_t hlrp_lrp_forward_bytes(const hlrp_lrp *lrp) {
    return hlrp_plan_forward_bytes(lrp->plan) + hlrp_plan_scratch(lrp->plan);
}

int64_t hlrp_lrp_worker_bytes(const hlrp_lrp *lrp) {
    if (lrp->forward_only)
        return hlrp_lrp_forward_bytes(lrp);
    return hlrp_plan_activation_bytes(lrp->plan) + lrp->stream_bytes +
           (lrp->arena_floats + lrp->scratch_floats) * (int64_t)sizeof(float);
}

/* ---- workers ---- */

static hlrp_status make_room_for_relevance(const hlrp_lrp *lrp, hlrp_lrp_worker *w,
                                           hlrp_error *err) {
    int64_t rows = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc_aligned(&w->arena, lrp->arena_floats, sizeof(float), "relevance", err));
    HLRP_TRY(
        hlrp_calloc_aligned(&w->scratch.base, lrp->scratch_floats, sizeof(float), "scratch", err));
    w->scratch.room = lrp->scratch_floats;
    w->scratch.samples = hlrp_plan_layout(lrp->plan, lrp->graph->input)->n;
    HLRP_TRY(hlrp_calloc(&w->begun, lrp->graph->value_count, sizeof(bool), "worker", err));
    if (!hlrp_mul_size(lrp->graph->value_count, w->scratch.samples, &rows))
        rows = INT64_MAX; /* which calloc refuses */
    status = hlrp_calloc(&w->sums, rows, sizeof *w->sums, "worker", err);
out:
    return status;
}

static hlrp_status make_worker(const hlrp_lrp *lrp, bool forward_only, hlrp_lrp_worker **out,
                               hlrp_error *err) {
    const int64_t stream_bytes = forward_only ? hlrp_plan_scratch(lrp->plan) : lrp->stream_bytes;
    hlrp_lrp_worker *w = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, "worker", err));
    w->lrp = lrp;
    w->forward_only = forward_only;
    HLRP_TRY(hlrp_stream_new(lrp->backend, stream_bytes, &w->stream, err));
    if (forward_only) {
        HLRP_TRY(hlrp_activations_new_forward(lrp->plan, &w->acts, err));
    } else {
        HLRP_TRY(hlrp_activations_new(lrp->plan, &w->acts, err));
        HLRP_TRY(make_room_for_relevance(lrp, w, err));
    }
    *out = w;
    return HLRP_OK;
out:
    hlrp_lrp_worker_free(w);
    return status;
}

hlrp_status hlrp_lrp_worker_new(const hlrp_lrp *lrp, hlrp_lrp_worker **out, hlrp_error *err) {
    return make_worker(lrp, lrp->forward_only, out, err);
}

hlrp_status hlrp_lrp_worker_new_forward(const hlrp_lrp *lrp, hlrp_lrp_worker **out,
                                        hlrp_error *err) {
    return make_worker(lrp, true, out, err);
}

void hlrp_lrp_worker_free(hlrp_lrp_worker *worker) {
    if (!worker)
        return;
    hlrp_stream_free(worker->stream);
    hlrp_activations_free(worker->acts);
    free(worker->arena);
    free(worker->scratch.base);
    free(worker->begun);
    free(worker->sums);
    free(worker);
}

const float *hlrp_lrp_logits(const hlrp_lrp_worker *worker) {
    return hlrp_activations_value(worker->acts, worker->lrp->graph->output);
}

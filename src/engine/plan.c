#include "engine/plan.h"

#include <stdlib.h>
#include <string.h>

#include "engine/arena.h"

struct hlrp_plan {
    const hlrp_graph *graph;
    hlrp_segment segment;
    bool *used;             /* per value: a node of the segment reads or makes it */
    hlrp_backend *backend;  /* borrowed, while the plan is made */
    hlrp_layout *layouts;   /* per value; n = 0 for constants */
    hlrp_dims *dims;        /* per value, constants too */
    int64_t *offsets;       /* per value, all kept: floats from the start; -1 for constants */
    int64_t *reused;        /* the same where values take each other's place */
    hlrp_linear **linear;   /* per node; NULL but for linear layers */
    int64_t *index_offsets; /* per node: int32 from the start; -1 where forward notes none */
    int64_t *macs;          /* per node */
    int64_t floats, indices, scratch;
    int64_t reused_floats, most_indices; /* of one node */
};

struct hlrp_activations {
    const hlrp_plan *plan;
    bool forward_only;
    float *values;
    int32_t *indices;
};

/* ---- making a plan ---- */

/* What kernels count with 32 bits: pixels of a picture, elements of a row. And a terabyte, beyond which
 * no kernel needs to be made to say that memory is short. */
#define MOST_ALONG INT32_MAX
#define MOST_FLOATS (INT64_C(1) << 38)
/* Kernels take some 0.1 ms and 30 kB each to be made. */
enum { MOST_LAYERS = 10000 };
/* Kernels and rules keep weights for every layer, also for those that share theirs: all of them may come to
 * some times what the network holds, and to this. */
#define SHARED_WEIGHTS (INT64_C(1) << 26)
enum { TIMES_SHARED = 4 };
/* Weeks of one core; sums over all layers stay far from overflow. */
#define MOST_MACS (INT64_C(1) << 46)

static hlrp_layout picture_of(const hlrp_dims *dims, int lanes) {
    return (hlrp_layout){dims->d[0], dims->d[1], dims->d[2], dims->d[3], lanes, false};
}

/* Rows of `samples` samples. A value whose first axis is not that of the samples, such as queries, keys
 * and values of a batch in one, is parted as if it were: only an account by sample sees the difference.
 * n = 0 where that cannot be. */
static hlrp_layout rows_of(const hlrp_dims *dims, int64_t samples, int64_t count) {
    hlrp_layout l = {.c = dims->rank > 0 ? dims->d[dims->rank - 1] : 1, .w = 1};
    l.n = count % samples == 0 && count / samples % l.c == 0 ? samples : 0;
    l.h = l.n > 0 ? count / samples / l.c : 0;
    l.rows = l.h > 1;
    l.lanes = l.rows ? (int)l.c : 1;
    return l;
}

/* Whether the input, as it is or after operators that keep its layout, meets another value in a sum or
 * a concatenation, where all must have one layout. follows [value_count] is room for what comes of it. */
static bool input_meets_others(const hlrp_graph *g, bool *follows) {
    follows[g->input] = true;
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *node = &g->nodes[i];
        const hlrp_lays_out lays = hlrp_node_lays_out(g, node);
        bool reads = false;
        for (int k = 0; k < node->in_count; k++)
            reads = reads || (node->in[k] >= 0 && follows[node->in[k]]);
        if (reads && node->op->joins)
            return true;
        if (reads && (lays == HLRP_LAYS_AS_INPUT || lays == HLRP_LAYS_PICTURES))
            follows[node->out[0]] = true;
    }
    return false;
}

/* The graph's input stays plain where it can, and what only moves or pools it with it: three
 * colors in blocks of sixteen would be four fifths padding. */
static int lanes_of(const hlrp_plan *plan, const hlrp_node *node, int lanes) {
    const hlrp_lays_out lays = hlrp_node_lays_out(plan->graph, node);
    if (lays == HLRP_LAYS_BLOCKED || lays == HLRP_LAYS_FREELY)
        return lanes;
    return plan->layouts[node->in[0]].lanes;
}

static hlrp_status lay_out_value(hlrp_plan *plan, int value, bool picture, int lanes,
                                 hlrp_error *err) {
    const hlrp_value *v = &plan->graph->values[value];
    int64_t count = 0;
    hlrp_status status = hlrp_dims_count(&v->dims, &count, err);
    if (status != HLRP_OK)
        return status;
    if (count == 0)
        return hlrp_fail(err, HLRP_E_MODEL, v->name, "use larger tiles", "a value is empty");
    /* A network of a bag of instances has one output for all rows of its input. */
    const int64_t samples = plan->graph->values[plan->graph->output].dims.d[0];
    plan->layouts[value] =
        picture ? picture_of(&v->dims, lanes) : rows_of(&v->dims, samples, count);
    if (plan->layouts[value].n != samples)
        return hlrp_fail(err, HLRP_E_MODEL, v->name, "run one picture at a time",
                         "a value mixes the pictures of a batch");
    if (picture ? v->dims.d[2] > MOST_ALONG / v->dims.d[3] : plan->layouts[value].c > MOST_ALONG)
        return hlrp_fail(err, HLRP_E_MODEL, v->name, "use smaller tiles", "a value is too large");
    plan->offsets[value] = plan->floats;
    if (!plan->used[value])
        return HLRP_OK;
    plan->floats += (hlrp_layout_count(&plan->layouts[value]) + 15) / 16 * 16;
    if (plan->floats > MOST_FLOATS)
        return hlrp_fail(err, HLRP_E_MODEL, v->name, "use smaller tiles",
                         "the network's values come to over %lld numbers", (long long)MOST_FLOATS);
    return HLRP_OK;
}

static hlrp_status lay_out(hlrp_plan *plan, int lanes, hlrp_error *err) {
    const hlrp_graph *g = plan->graph;
    bool *follows = NULL, *picture = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&follows, g->value_count, sizeof *follows, "a plan", err));
    HLRP_TRY(hlrp_calloc(&picture, g->value_count, sizeof *picture, "a plan", err));
    HLRP_TRY(hlrp_find_pictures(g, picture, err));
    HLRP_TRY(lay_out_value(plan, g->input, picture[g->input],
                           input_meets_others(g, follows) ? lanes : 1, err));
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *node = &g->nodes[i];
        const int v = node->out[0];
        HLRP_TRY(lay_out_value(plan, v, picture[v], lanes_of(plan, node, lanes), err));
        plan->index_offsets[i] = -1;
    }
    for (int v = 0; v < g->value_count; v++)
        plan->dims[v] = g->values[v].constant ? g->values[v].constant->dims : g->values[v].dims;
out:
    free(follows);
    free(picture);
    return status;
}

/* Where values lie that nothing looks back at. */
static hlrp_status reuse_places(hlrp_plan *plan, hlrp_error *err) {
    const hlrp_graph *g = plan->graph;
    hlrp_interval *lives = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&lives, g->value_count, sizeof *lives, "a plan", err));
    hlrp_forward_lives(g, lives);
    for (int v = 0; v < g->value_count; v++)
        lives[v].floats =
            plan->offsets[v] < 0 || !plan->used[v] ? 0 : hlrp_layout_count(&plan->layouts[v]);
    HLRP_TRY(hlrp_arena_pack(lives, g->value_count, &plan->reused_floats, err));
    for (int v = 0; v < g->value_count; v++)
        plan->reused[v] = plan->offsets[v] < 0 ? -1 : lives[v].offset;
out:
    free(lives);
    return status;
}

static const float *parameter(const hlrp_graph *g, const hlrp_node *node, int k) {
    return node->in_count > k && node->in[k] >= 0 ? g->values[node->in[k]].constant->f : NULL;
}

hlrp_linear_spec hlrp_plan_linear_spec(const hlrp_plan *plan, int id) {
    const hlrp_node *node = &plan->graph->nodes[id];
    return (hlrp_linear_spec){.gemm = node->op->layer == HLRP_FULLY_CONNECTED,
                              .src = plan->layouts[node->in[0]],
                              .dst = plan->layouts[node->out[0]],
                              .window = node->window,
                              .group = HLRP_MAX(node->group, 1),
                              .weights = parameter(plan->graph, node, 1),
                              .bias = parameter(plan->graph, node, 2)};
}

hlrp_status hlrp_plan_add_linear(hlrp_plan *plan, int id, hlrp_error *err) {
    const hlrp_node *node = &plan->graph->nodes[id];
    hlrp_linear_spec spec = hlrp_plan_linear_spec(plan, id);
    spec.forward = true;
    hlrp_status status = hlrp_linear_new(plan->backend, &spec, &plan->linear[id], err);
    if (status != HLRP_OK)
        return err->where[0] ? status : hlrp_fail(err, status, node->name, NULL, "%s", err->what);
    plan->scratch = HLRP_MAX(plan->scratch, hlrp_linear_scratch(plan->linear[id]));
    const int64_t taps = spec.gemm ? 1 : spec.window.kernel[0] * spec.window.kernel[1];
    const int64_t each = taps * (spec.src.c / spec.group);
    if (!hlrp_mul_size(spec.dst.c * spec.dst.h * spec.dst.w, each, &plan->macs[id]) ||
        plan->macs[id] > MOST_MACS)
        return hlrp_fail(err, HLRP_E_MODEL, node->name, "use smaller tiles",
                         "a layer of over %lld multiply-adds", (long long)MOST_MACS);
    return HLRP_OK;
}

void hlrp_plan_notes_indices(hlrp_plan *plan, int id) {
    const int64_t count = hlrp_layout_count(&plan->layouts[plan->graph->nodes[id].out[0]]);
    plan->index_offsets[id] = plan->indices;
    plan->indices += count;
    plan->most_indices = HLRP_MAX(plan->most_indices, count);
}

static hlrp_status check_operator(const hlrp_node *node, hlrp_error *err) {
    if (node->op->forward)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_MODEL, node->name, "export the network without it",
                     "no kernel for the operator %s here", node->type);
}

static hlrp_status check_layers(const hlrp_graph *g, hlrp_error *err) {
    int64_t held = 0, used = 0;
    int layers = 0;
    for (int v = 0; v < g->value_count; v++)
        held += g->values[v].constant ? hlrp_tensor_count(g->values[v].constant) : 0;
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *n = &g->nodes[i];
        const hlrp_status status = check_operator(n, err);
        if (status != HLRP_OK)
            return status;
        if (n->op->layer == HLRP_NO_LAYER)
            continue;
        layers++;
        used += hlrp_tensor_count(g->values[n->in[1]].constant);
    }
    if (layers > MOST_LAYERS)
        return hlrp_fail(err, HLRP_E_MODEL, NULL, "simplify it before exporting it",
                         "the network has %d linear layers, over %d", layers, MOST_LAYERS);
    if (used > SHARED_WEIGHTS + TIMES_SHARED * held)
        return hlrp_fail(err, HLRP_E_MODEL, NULL, "simplify it before exporting it",
                         "the network's layers share %lld weights so often that they come to %lld",
                         (long long)held, (long long)used);
    return HLRP_OK;
}

static hlrp_status allocate_tables(hlrp_plan *plan, hlrp_error *err) {
    const int values = plan->graph->value_count, nodes = plan->graph->node_count;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&plan->used, values, sizeof *plan->used, "plan", err));
    HLRP_TRY(hlrp_calloc(&plan->layouts, values, sizeof *plan->layouts, "plan", err));
    HLRP_TRY(hlrp_calloc(&plan->dims, values, sizeof *plan->dims, "plan", err));
    HLRP_TRY(hlrp_calloc(&plan->offsets, values, sizeof *plan->offsets, "plan", err));
    HLRP_TRY(hlrp_calloc(&plan->reused, values, sizeof *plan->reused, "plan", err));
    HLRP_TRY(hlrp_calloc(&plan->linear, nodes, sizeof *plan->linear, "plan", err));
    HLRP_TRY(hlrp_calloc(&plan->macs, nodes, sizeof *plan->macs, "plan", err));
    HLRP_TRY(hlrp_calloc(&plan->index_offsets, nodes, sizeof *plan->index_offsets, "plan", err));
    for (int v = 0; v < values; v++)
        plan->offsets[v] = -1;
out:
    return status;
}

static void find_used(hlrp_plan *plan) {
    for (int i = plan->segment.from; i < plan->segment.to; i++) {
        const hlrp_node *node = &plan->graph->nodes[i];
        plan->used[node->out[0]] = true;
        for (int k = 0; k < node->in_count; k++)
            if (node->in[k] >= 0)
                plan->used[node->in[k]] = true;
    }
}

hlrp_status hlrp_plan_new(hlrp_backend *backend, const hlrp_graph *graph, hlrp_segment segment,
                          hlrp_plan **out, hlrp_error *err) {
    hlrp_plan *plan = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&plan, 1, sizeof *plan, "plan", err));
    plan->graph = graph;
    plan->backend = backend;
    plan->segment = segment;
    HLRP_TRY(allocate_tables(plan, err));
    find_used(plan);
    HLRP_TRY(check_layers(graph, err));
    HLRP_TRY(lay_out(plan, hlrp_backend_lanes(backend), err));
    HLRP_TRY(reuse_places(plan, err));
    for (int i = segment.from; i < segment.to; i++)
        if (graph->nodes[i].op->prepare)
            HLRP_TRY(graph->nodes[i].op->prepare(plan, i, err));
    *out = plan;
    return HLRP_OK;
out:
    hlrp_plan_free(plan);
    return status;
}

void hlrp_plan_free(hlrp_plan *plan) {
    if (!plan)
        return;
    for (int i = 0; plan->linear && i < plan->graph->node_count; i++)
        hlrp_linear_free(plan->linear[i]);
    free(plan->linear);
    free(plan->used);
    free(plan->layouts);
    free(plan->dims);
    free(plan->offsets);
    free(plan->reused);
    free(plan->index_offsets);
    free(plan->macs);
    free(plan);
}

hlrp_status hlrp_plan_of_no_samples(const hlrp_plan *plan, hlrp_plan **out, hlrp_error *err) {
    const hlrp_graph *g = plan->graph;
    hlrp_plan *p = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&p, 1, sizeof *p, "plan", err));
    p->graph = g;
    p->segment = plan->segment;
    HLRP_TRY(hlrp_calloc(&p->used, g->value_count, sizeof *p->used, "plan", err));
    memcpy(p->used, plan->used, (size_t)g->value_count * sizeof *p->used);
    HLRP_TRY(hlrp_calloc(&p->layouts, g->value_count, sizeof *p->layouts, "plan", err));
    HLRP_TRY(hlrp_calloc(&p->offsets, g->value_count, sizeof *p->offsets, "plan", err));
    HLRP_TRY(hlrp_calloc(&p->index_offsets, g->node_count, sizeof *p->index_offsets, "plan", err));
    HLRP_TRY(hlrp_calloc(&p->dims, g->value_count, sizeof *p->dims, "plan", err));
    for (int v = 0; v < g->value_count; v++) {
        p->dims[v] = plan->dims[v];
        p->layouts[v] = plan->layouts[v];
        p->layouts[v].n = 0;
    }
    *out = p;
    return HLRP_OK;
out:
    hlrp_plan_free(p);
    return status;
}

hlrp_segment hlrp_plan_segment(const hlrp_plan *plan) {
    return plan->segment;
}

bool hlrp_plan_uses(const hlrp_plan *plan, int value) {
    return plan->used[value];
}

const hlrp_graph *hlrp_plan_graph(const hlrp_plan *plan) {
    return plan->graph;
}

const hlrp_layout *hlrp_plan_layout(const hlrp_plan *plan, int value) {
    return &plan->layouts[value];
}

const hlrp_dims *hlrp_plan_dims(const hlrp_plan *plan, int value) {
    return &plan->dims[value];
}

const char *hlrp_plan_kernel(const hlrp_plan *plan, int node) {
    return plan->linear[node] ? hlrp_linear_kernel(plan->linear[node]) : "";
}

int64_t hlrp_plan_scratch(const hlrp_plan *plan) {
    return plan->scratch;
}

int64_t hlrp_plan_macs(const hlrp_plan *plan, int node) {
    return plan->macs[node];
}

int64_t hlrp_plan_activation_bytes(const hlrp_plan *plan) {
    return plan->floats * (int64_t)sizeof(float) + plan->indices * (int64_t)sizeof(int32_t);
}

int64_t hlrp_plan_forward_bytes(const hlrp_plan *plan) {
    return plan->reused_floats * (int64_t)sizeof(float) +
           plan->most_indices * (int64_t)sizeof(int32_t);
}

/* ---- running it ---- */

static hlrp_status make_activations(const hlrp_plan *plan, bool forward_only,
                                    hlrp_activations **out, hlrp_error *err) {
    const int64_t floats = forward_only ? plan->reused_floats : plan->floats;
    const int64_t indices = forward_only ? plan->most_indices : plan->indices;
    hlrp_activations *a = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&a, 1, sizeof *a, "activations", err));
    a->plan = plan;
    a->forward_only = forward_only;
    HLRP_TRY(hlrp_calloc_aligned(&a->values, floats, sizeof *a->values, "activations", err));
    HLRP_TRY(hlrp_calloc_aligned(&a->indices, indices, sizeof *a->indices, "activations", err));
    *out = a;
    return HLRP_OK;
out:
    hlrp_activations_free(a);
    return status;
}

hlrp_status hlrp_activations_new(const hlrp_plan *plan, hlrp_activations **out, hlrp_error *err) {
    return make_activations(plan, false, out, err);
}

hlrp_status hlrp_activations_new_forward(const hlrp_plan *plan, hlrp_activations **out,
                                         hlrp_error *err) {
    return make_activations(plan, true, out, err);
}

void hlrp_activations_free(hlrp_activations *acts) {
    if (!acts)
        return;
    free(acts->values);
    free(acts->indices);
    free(acts);
}

static float *place_of(const hlrp_activations *acts, int value) {
    const hlrp_plan *plan = acts->plan;
    return acts->values + (acts->forward_only ? plan->reused[value] : plan->offsets[value]);
}

const float *hlrp_activations_value(const hlrp_activations *acts, int value) {
    return place_of(acts, value);
}

static int32_t *indices_of(const hlrp_activations *acts, int node) {
    return acts->indices + (acts->forward_only ? 0 : acts->plan->index_offsets[node]);
}

const int32_t *hlrp_activations_indices(const hlrp_activations *acts, int node) {
    return indices_of(acts, node);
}

int32_t *hlrp_computation_indices(const hlrp_computation *c) {
    return indices_of(c->acts, c->id);
}

const float *hlrp_computation_parameter(const hlrp_computation *c, int k) {
    return parameter(c->plan->graph, c->node, k);
}

const float *hlrp_computation_input(const hlrp_computation *c, int k) {
    const hlrp_tensor *constant = c->plan->graph->values[c->node->in[k]].constant;
    return constant ? constant->f : hlrp_activations_value(c->acts, c->node->in[k]);
}

const hlrp_dims *hlrp_computation_dims(const hlrp_computation *c, int k) {
    return &c->plan->dims[c->node->in[k]];
}

hlrp_status hlrp_computation_linear(const hlrp_computation *c, hlrp_error *err) {
    return hlrp_linear_forward(c->plan->linear[c->id], c->stream, c->x, c->y, err);
}

static hlrp_status run_node(const hlrp_plan *plan, hlrp_activations *acts, hlrp_stream *stream,
                            int id, hlrp_error *err) {
    const hlrp_node *node = &plan->graph->nodes[id];
    const hlrp_computation c = {.plan = plan,
                                .acts = acts,
                                .stream = stream,
                                .id = id,
                                .node = node,
                                .in = &plan->layouts[node->in[0]],
                                .out = &plan->layouts[node->out[0]],
                                .x = hlrp_activations_value(acts, node->in[0]),
                                .y = place_of(acts, node->out[0])};
    return node->op->forward(&c, err);
}

float *hlrp_activations_place(hlrp_activations *acts, int value) {
    return place_of(acts, value);
}

void hlrp_activations_set(hlrp_activations *acts, int value, const float *x) {
    const hlrp_layout *layout = &acts->plan->layouts[value];
    const hlrp_layout plain = hlrp_layout_plain(layout);
    hlrp_repack(&plain, x, layout, place_of(acts, value));
}

hlrp_status hlrp_forward(const hlrp_plan *plan, hlrp_activations *acts, hlrp_stream *stream,
                         hlrp_segment segment, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int i = segment.from; status == HLRP_OK && i < segment.to; i++)
        status = run_node(plan, acts, stream, i, err);
    return status;
}

#include "lrp/structure.h"

#include <stdlib.h>

#include "graph/operator.h"

static bool computed(const hlrp_graph *g, int value) {
    return value >= 0 && !g->values[value].constant;
}

static const hlrp_node *producer(const hlrp_graph *g, int value) {
    const int id = value >= 0 ? g->values[value].producer : -1;
    return id >= 0 ? &g->nodes[id] : NULL;
}

/* Inputs that carry data: what an expansion is to meet gives its shape only. */
static int data_inputs(const hlrp_node *n) {
    return n->op->moves && !n->op->variadic ? 1 : n->in_count;
}

/* ---- weights ---- */

static bool makes_weight(const hlrp_graph *g, const hlrp_node *n, const bool *weight) {
    if (n->op->squashes)
        return true;
    if (!n->op->moves && !n->op->elementwise && !n->op->of_weights)
        return false;
    int inputs = 0;
    for (int k = 0; k < data_inputs(n); k++) {
        if (computed(g, n->in[k]) && !weight[n->in[k]])
            return false;
        inputs += computed(g, n->in[k]);
    }
    return inputs > 0;
}

/* ---- activation functions written out ---- */

enum { MOST_INPUTS = 64 }; /* of what one is written with: GELU by tanh takes ten nodes of two */

/* Whether `value` is a function, element by element, of `of` alone. `left` counts inputs down: it bounds
 * the depth, too. */
static bool is_function_of(const hlrp_graph *g, int value, int of, int *left) {
    if (--*left < 0)
        return false;
    if (value == of || !computed(g, value))
        return true;
    const hlrp_node *n = producer(g, value);
    if (!n || !n->op->elementwise)
        return false;
    for (int k = 0; k < n->in_count; k++)
        if (n->in[k] >= 0 && !is_function_of(g, n->in[k], of, left))
            return false;
    return true;
}

static bool depends_on_it_alone(const hlrp_graph *g, int value, int of) {
    int left = MOST_INPUTS;
    return value != of && is_function_of(g, value, of, &left);
}

static int signal_of(const hlrp_graph *g, const hlrp_node *n) {
    if (n->op->product != HLRP_PRODUCT_OF_ELEMENTS)
        return -1;
    return depends_on_it_alone(g, n->in[1], n->in[0])   ? 0
           : depends_on_it_alone(g, n->in[0], n->in[1]) ? 1
                                                        : -1;
}

/* The one computed input of a node that moves data or multiplies it by a constant; -1: several. */
static int moved_from(const hlrp_graph *g, const hlrp_node *n) {
    int from = -1;
    for (int k = 0; k < data_inputs(n); k++) {
        if (!computed(g, n->in[k]))
            continue;
        if (from >= 0)
            return -1;
        from = n->in[k];
    }
    return from;
}

static bool is_activated(const hlrp_graph *g, int node, const hlrp_structure *s) {
    const hlrp_node *n = &g->nodes[node];
    if (n->op->activates || s->signal[node] >= 0)
        return true;
    const bool goes_through = n->op->moves || (n->op->affine && !n->op->keeps);
    const int from = goes_through ? moved_from(g, n) : -1;
    return from >= 0 && s->activated[from];
}

/* ---- self-attention ---- */

static bool is_linear(const hlrp_node *n) {
    return n->op->layer == HLRP_FULLY_CONNECTED;
}

static bool is_product(const hlrp_graph *g, const hlrp_node *n) {
    return n->op->product == HLRP_PRODUCT_OF_MATRICES && computed(g, n->in[0]) &&
           computed(g, n->in[1]);
}

/* Data movement and arithmetic with constants, and normalization if it is asked for. */
static bool is_passed(const hlrp_node *n, bool norms) {
    return n->op->moves || n->op->affine || (norms && n->op->normalizes);
}

typedef bool (*wanted_fn)(const hlrp_graph *g, const hlrp_node *n);

static bool wants_linear(const hlrp_graph *g, const hlrp_node *n) {
    (void)g;
    return is_linear(n);
}

static bool wants_softmax(const hlrp_graph *g, const hlrp_node *n) {
    (void)g;
    return n->op->sums_to_one;
}

/* The wanted node that a value comes from through nodes that pass it on; -1. A sum with a mask that is
 * computed from the shape alone is constant by now. */
static int behind(const hlrp_graph *g, int value, wanted_fn wanted, bool norms) {
    enum { FARTHEST = 200 }; /* nodes; exporters take ten */
    for (int left = FARTHEST; left > 0; left--) {
        const hlrp_node *n = producer(g, value);
        if (!n)
            return -1;
        if (wanted(g, n))
            return g->values[value].producer;
        value = is_passed(n, norms) ? moved_from(g, n) : -1;
        if (value < 0)
            return -1;
    }
    return -1;
}

static void mark(hlrp_structure *s, int node) {
    if (node >= 0)
        s->attention[node] = true;
    s->has_attention = true;
}

/* reached[value]: what comes of an attention's output through data movement and sums; the first linear
 * layers that read it mix its heads. */
static void mark_mixers(const hlrp_graph *g, hlrp_structure *s, const bool *out, bool *reached) {
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *n = &g->nodes[i];
        bool reads = false;
        for (int k = 0; k < data_inputs(n); k++)
            reads = reads || (computed(g, n->in[k]) && reached[n->in[k]]);
        const bool sums = n->op->adds;
        if (reads && is_linear(n))
            mark(s, i);
        reached[n->out[0]] = out[n->out[0]] || (reads && (n->op->moves || sums));
    }
}

/* Whether node n multiplies values by a softmax of scores; its score product in *score. */
static bool is_attention(const hlrp_graph *g, const hlrp_structure *s, const hlrp_node *n,
                         int *score) {
    if (!is_product(g, n) || s->weight[n->in[0]] == s->weight[n->in[1]])
        return false;
    const int weight = s->weight[n->in[0]] ? n->in[0] : n->in[1];
    const int soft = behind(g, weight, wants_softmax, false);
    *score = soft >= 0 ? behind(g, g->nodes[soft].in[0], is_product, false) : -1;
    return *score >= 0;
}

static hlrp_status find_attention(const hlrp_graph *g, hlrp_structure *s, hlrp_error *err) {
    bool *out = NULL, *reached = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&out, g->value_count, sizeof *out, "attention", err));
    HLRP_TRY(hlrp_calloc(&reached, g->value_count, sizeof *reached, "attention", err));
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *n = &g->nodes[i];
        int score = -1;
        if (!is_attention(g, s, n, &score))
            continue;
        mark(s, behind(g, g->nodes[score].in[0], wants_linear, true));
        mark(s, behind(g, g->nodes[score].in[1], wants_linear, true));
        mark(s, behind(g, s->weight[n->in[0]] ? n->in[1] : n->in[0], wants_linear, true));
        out[n->out[0]] = true;
    }
    mark_mixers(g, s, out, reached);
out:
    free(out);
    free(reached);
    return status;
}

static bool is_gate(const hlrp_graph *g, int node, const hlrp_structure *s) {
    const hlrp_node *n = &g->nodes[node];
    return n->op->product == HLRP_PRODUCT_OF_ELEMENTS && s->signal[node] < 0 &&
           s->weight[n->in[0]] != s->weight[n->in[1]];
}

/* ---- the whole ---- */

hlrp_status hlrp_structure_find(const hlrp_graph *graph, hlrp_structure *out, hlrp_error *err) {
    hlrp_structure s = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&s.weight, graph->value_count, sizeof *s.weight, "structure", err));
    HLRP_TRY(hlrp_calloc(&s.activated, graph->value_count, sizeof *s.activated, "structure", err));
    HLRP_TRY(hlrp_calloc(&s.signal, graph->node_count, sizeof *s.signal, "structure", err));
    HLRP_TRY(hlrp_calloc(&s.attention, graph->node_count, sizeof *s.attention, "structure", err));
    for (int i = 0; i < graph->node_count; i++) {
        const int y = graph->nodes[i].out[0];
        s.weight[y] = makes_weight(graph, &graph->nodes[i], s.weight);
        s.signal[i] = signal_of(graph, &graph->nodes[i]);
        s.activated[y] = is_activated(graph, i, &s);
    }
    HLRP_TRY(find_attention(graph, &s, err));
    for (int i = 0; i < graph->node_count; i++)
        s.has_gates = s.has_gates || is_gate(graph, i, &s);
    *out = s;
    return HLRP_OK;
out:
    hlrp_structure_free(&s);
    return status;
}

void hlrp_structure_free(hlrp_structure *s) {
    free(s->weight);
    free(s->activated);
    free(s->signal);
    free(s->attention);
    *s = (hlrp_structure){0};
}

int hlrp_structure_to(const hlrp_structure *s, const hlrp_graph *graph, int node, bool constant) {
    const hlrp_node *n = &graph->nodes[node];
    if (n->op->product == HLRP_NO_PRODUCT)
        return -1;
    for (int k = 0; k < 2; k++)
        if (!computed(graph, n->in[k]))
            return 1 - k;
    if (s->signal[node] >= 0)
        return s->signal[node];
    if (!constant)
        return -1;
    bool held[2] = {s->weight[n->in[0]], s->weight[n->in[1]]};
    if (held[0] == held[1] && n->op->product == HLRP_PRODUCT_OF_ELEMENTS)
        for (int k = 0; k < 2; k++)
            held[k] = !held[k] && s->activated[n->in[k]];
    return held[0] == held[1] ? -1 : held[0] ? 1 : 0;
}

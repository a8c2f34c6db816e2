#include "canonize/canonize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canonize/internal.h"

/* In this order, after the input and the output have been settled. */
static const struct {
    const char *name;
    canon_pass run;
} passes[] = {
    {"shape arithmetic", canon_fold_shapes},
    {"identities", canon_drop_identities},
    {"constant operands", canon_constant_operands},
    {"norms written as products", canon_quotients},
    {"layer normalization written out", canon_layernorm},
    {"activation functions written out", canon_activations},
    {"channel shuffles", canon_shuffle},
    {"reshapes", canon_reshape},
    {"matrix products", canon_linear},
    {"channels-last flattening", canon_channels_last_flatten},
    {"biases", canon_bias},
    {"arithmetic with constants", canon_affine},
    {"batch normalizations in a row", canon_join_batchnorms},
    {"batch normalizations into layers", canon_merge_batchnorms},
    {"flat output", canon_flat_output},
};

/* ---- what passes share ---- */

void canon_bypass(canon *c, int id) {
    const hlrp_node *n = &c->g->nodes[id];
    c->stands[n->out[0]] = n->in[0];
    c->remove[id] = true;
    c->changes++;
}

void canon_absorb(canon *c, int first, int second) {
    c->g->nodes[first].out[0] = c->g->nodes[second].out[0];
    c->g->values[c->g->nodes[first].out[0]].producer = first;
    c->remove[second] = true;
    c->changes++;
}

hlrp_dims *canon_in_dims(const canon *c, const hlrp_node *n, int input) {
    return &c->g->values[n->in[input]].dims;
}

hlrp_dims *canon_out_dims(const canon *c, const hlrp_node *n) {
    return &c->g->values[n->out[0]].dims;
}

const hlrp_tensor *canon_constant(const canon *c, const hlrp_node *n, int input) {
    return input < n->in_count && n->in[input] >= 0 ? c->g->values[n->in[input]].constant : NULL;
}

int canon_sole_producer(const canon *c, const hlrp_node *n) {
    int value = n->in[0];
    return c->readers[value] == 1 ? c->g->values[value].producer : -1;
}

hlrp_status canon_set_constant(canon *c, int id, int input, hlrp_tensor *t, hlrp_error *err) {
    char *name = NULL;
    hlrp_status status = hlrp_graph_spend(c->g, hlrp_tensor_count(t), err);
    if (status == HLRP_OK)
        status = hlrp_format(&name, err, "%.300s/input%d", c->g->nodes[id].name, input);
    if (status != HLRP_OK) {
        hlrp_tensor_free(t);
        return status;
    }
    int value = hlrp_graph_add_value(c->g, name, t, err);
    free(name);
    if (value < 0)
        return err->status;
    c->g->nodes[id].in[input] = value;
    return HLRP_OK;
}

/* ---- running passes ---- */

static hlrp_status begin(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    hlrp_status status = HLRP_OK;
    /* a pass adds constants only, and nobody reads those before it has settled */
    HLRP_TRY(hlrp_calloc(&c->remove, (int64_t)g->node_count + 1, sizeof *c->remove, "a pass", err));
    HLRP_TRY(hlrp_calloc(&c->stands, g->value_count, sizeof *c->stands, "a pass", err));
    HLRP_TRY(hlrp_calloc(&c->readers, g->value_count, sizeof *c->readers, "a pass", err));
    HLRP_TRY(hlrp_calloc(&c->reader, g->value_count, sizeof *c->reader, "a pass", err));
    for (int k = 0; k < g->value_count; k++) {
        c->stands[k] = k;
        c->reader[k] = -1;
    }
    c->readers[g->output]++;
    for (int k = 0; k < g->node_count; k++)
        for (int i = 0; i < g->nodes[k].in_count; i++)
            if (g->nodes[k].in[i] >= 0) {
                c->readers[g->nodes[k].in[i]]++;
                c->reader[g->nodes[k].in[i]] = k;
            }
    c->changes = 0;

out:
    return status;
}

static void end(canon *c) {
    free(c->remove);
    free(c->stands);
    free(c->readers);
    free(c->reader);
    c->remove = NULL;
    c->stands = NULL;
    c->readers = NULL;
    c->reader = NULL;
}

/* `known` values existed when the pass began. What was found is noted: chains may be long. */
static int standing(const canon *c, int value, int known) {
    int last = value;
    while (last >= 0 && last < known && c->stands[last] != last)
        last = c->stands[last];
    while (value >= 0 && value < known && c->stands[value] != value) {
        const int next = c->stands[value];
        c->stands[value] = last;
        value = next;
    }
    return last;
}

/* Nodes nothing reads any more. */
static hlrp_status mark_unused(canon *c, hlrp_error *err) {
    bool *needed = NULL;
    hlrp_graph *g = c->g;
    hlrp_status status = hlrp_calloc(&needed, g->value_count, sizeof *needed, "a pass", err);
    if (status != HLRP_OK)
        return status;
    needed[g->output] = true;
    for (int k = g->node_count - 1; k >= 0; k--) {
        const hlrp_node *n = &g->nodes[k];
        c->remove[k] = c->remove[k] || !needed[n->out[0]];
        for (int i = 0; !c->remove[k] && i < n->in_count; i++)
            if (n->in[i] >= 0)
                needed[n->in[i]] = true;
    }
    free(needed);
    return HLRP_OK;
}

static hlrp_status settle(canon *c, int known, hlrp_error *err) {
    hlrp_graph *g = c->g;
    for (int k = 0; k < g->node_count; k++)
        for (int i = 0; i < g->nodes[k].in_count; i++)
            g->nodes[k].in[i] = standing(c, g->nodes[k].in[i], known);
    g->output = standing(c, g->output, known);
    hlrp_status status = mark_unused(c, err);
    return status == HLRP_OK ? hlrp_graph_compact(g, c->remove, err) : status;
}

/* input NULL: dims are not known yet. */
static hlrp_status run_pass(canon *c, const char *name, canon_pass pass, const hlrp_dims *input,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int known = c->g->value_count;

    HLRP_TRY(begin(c, err));
    HLRP_TRY(pass(c, err));
    HLRP_TRY(settle(c, known, err));
    if (input)
        HLRP_TRY(hlrp_graph_infer(c->g, input, err));
    if (c->changes > 0)
        hlrp_logf(c->options->log, HLRP_LOG_DEBUG, "canonize: %s: %d", name, c->changes);

out:
    end(c);
    return status;
}

/* ---- the result ---- */

/* Each gets a name, and can be asked for. */
enum { MOST_OUTPUTS = 1 << 20 };

static hlrp_status check(const canon *c, const hlrp_dims *input, hlrp_error *err) {
    char text[96];
    hlrp_graph *g = c->g;
    const hlrp_status status = canon_check_nodes(c, err);
    if (status != HLRP_OK)
        return status;
    const hlrp_dims *out = &g->values[g->output].dims;
    if (out->rank == 2 && out->d[1] > MOST_OUTPUTS)
        return hlrp_fail(err, HLRP_E_MODEL, g->values[g->output].name,
                         "export a classifier whose output is its logits",
                         "the network has %lld outputs, over %d", (long long)out->d[1],
                         MOST_OUTPUTS);
    const bool bag = input->rank < 4 && out->rank == 2 && out->d[0] == 1;
    if (g->node_count == 0 || out->rank != 2 || (out->d[0] != input->d[0] && !bag) || out->d[1] < 1)
        return hlrp_fail(err, HLRP_E_MODEL, g->values[g->output].name,
                         "export a classifier whose output is its logits",
                         "the network's output has the shape %s instead of [N,classes]",
                         hlrp_dims_text(out, text, sizeof text));
    return HLRP_OK;
}

/* Repeatable noise in −2…2, as normalized pixels are. */
static void fill(hlrp_tensor *t) {
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
    int64_t count = hlrp_tensor_count(t);
    for (int64_t k = 0; k < count; k++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        t->f[k] = (float)(state >> 40) / (float)(1 << 22) - 2.0F;
    }
}

static hlrp_status compare(const hlrp_tensor *a, const hlrp_tensor *b, double tolerance,
                           hlrp_error *err) {
    double largest = 0, apart = 0;
    int64_t count = hlrp_tensor_count(b);
    if (hlrp_tensor_count(a) != count)
        return hlrp_fail(err, HLRP_E_INTERNAL, NULL, "report this network",
                         "canonizing the network changed the number of its logits");
    for (int64_t k = 0; k < count; k++) {
        double d = fabs((double)a->f[k] - b->f[k]);
        largest = fmax(largest, fabs((double)a->f[k]));
        apart = !(d <= apart) ? d : apart; /* a NaN stays */
    }
    if (apart <= tolerance * largest)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_MODEL, NULL, "report this network",
                     "canonizing the network changed its logits by %g of %g", apart, largest);
}

static hlrp_status verify(const canon *c, const hlrp_graph *before, const hlrp_dims *input,
                          hlrp_error *err) {
    const hlrp_canonize_options *o = c->options;
    hlrp_tensor *x = NULL, *was = NULL, *is = NULL;
    hlrp_status status = HLRP_OK;

    HLRP_TRY(hlrp_tensor_new(input, HLRP_F32, &x, err));
    fill(x);
    HLRP_TRY(o->verify(o->verify_ctx, before, x, &was, err));
    HLRP_TRY(o->verify(o->verify_ctx, c->g, x, &is, err));
    HLRP_TRY(compare(was, is, o->verify_tolerance > 0 ? o->verify_tolerance : 1e-4, err));

out:
    hlrp_tensor_free(x);
    hlrp_tensor_free(was);
    hlrp_tensor_free(is);
    return status;
}

/* The score of a bag is a row, also where the file has it as a list. */
static hlrp_status canon_row_output(canon *c, hlrp_error *err) {
    hlrp_graph *g = c->g;
    const int from = g->output;
    hlrp_status status = HLRP_OK;
    char *name = NULL;
    if (g->values[from].dims.rank != 1)
        return HLRP_OK;
    HLRP_TRY(hlrp_format(&name, err, "%.300s/row", g->values[from].name));
    const int to = hlrp_graph_add_value(g, name, NULL, err);
    const int id = to < 0 ? -1
                          : hlrp_graph_add_node(g, &hlrp_op_unsqueeze, name, "Unsqueeze", &from, 1,
                                                &to, 1, err);
    HLRP_TRY(id < 0 ? err->status : HLRP_OK);
    g->nodes[id].ints = (hlrp_dims){1, {0}};
    g->output = to;
out:
    free(name);
    return status;
}

hlrp_status hlrp_canonize(hlrp_graph *g, const hlrp_canonize_options *options,
                          const hlrp_dims *input, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_graph *before = NULL;
    canon c = {.g = g, .options = options};

    if (input->rank < 2 || input->rank > 4)
        return hlrp_fail(err, HLRP_E_MODEL, NULL, "give batch, channels, height and width",
                         "the input of a network must have the shape [N,C,H,W], or [N,D] for "
                         "features");
    HLRP_TRY(run_pass(&c, "channels-last input", canon_nhwc_input, NULL, err));
    HLRP_TRY(hlrp_graph_infer(g, input, err));
    HLRP_TRY(run_pass(&c, "output activation", canon_cut_output, input, err));
    if (input->rank < 4)
        HLRP_TRY(run_pass(&c, "a row of scores", canon_row_output, input, err));
    if (options->verify)
        HLRP_TRY(hlrp_graph_copy(g, &before, err));
    for (size_t k = 0; k < HLRP_COUNT(passes); k++)
        HLRP_TRY(run_pass(&c, passes[k].name, passes[k].run, input, err));
    HLRP_TRY(canon_meet_shapes(&c, err));
    HLRP_TRY(hlrp_graph_infer(g, input, err));
    HLRP_TRY(canon_change_layouts(&c, err));
    HLRP_TRY(hlrp_graph_infer(g, input, err));
    HLRP_TRY(check(&c, input, err));
    if (options->verify)
        HLRP_TRY(verify(&c, before, input, err));

out:
    hlrp_graph_free(before);
    return status;
}

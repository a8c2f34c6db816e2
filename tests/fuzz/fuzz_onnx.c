/* Any bytes as an ONNX file: read, inferred and canonized, and, where that is little work, run and
 * explained; or refused with a place and a remedy. */
#include <stdint.h>
#include <stdlib.h>

#include "canonize/canonize.h"
#include "lrp/lrp.h"
#include "onnx/onnx.h"
#include "op/op.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A graph that claims success must hold what it promises. */
static void check(const hlrp_graph *g) {
    for (int k = 0; k < g->node_count; k++) {
        const hlrp_node *n = &g->nodes[k];
        for (int i = 0; i < n->in_count; i++)
            if (n->in[i] >= g->value_count)
                abort();
        if (n->out_count < 1 || n->out[0] < 0 || n->out[0] >= g->value_count ||
            g->values[n->out[0]].producer != k)
            abort();
    }
    if (g->values[g->output].dims.rank != 2)
        abort();
}

/* ---- how much work a network is ---- */

static int64_t elements(const hlrp_graph *g, int value) {
    hlrp_error ignored = {0};
    int64_t count = 0;
    const hlrp_tensor *t = value >= 0 ? g->values[value].constant : NULL;
    const hlrp_dims *dims = t ? &t->dims : &g->values[value < 0 ? 0 : value].dims;
    return value >= 0 && hlrp_dims_count(dims, &count, &ignored) == HLRP_OK ? count : 0;
}

/* Products per element of the output, at most. */
static double factor(const hlrp_graph *g, const hlrp_node *n) {
    const hlrp_dims *x = &g->values[n->in[0]].dims;
    if (n->op->layer != HLRP_NO_LAYER || n->op->product == HLRP_PRODUCT_OF_MATRICES)
        return (double)(elements(g, n->in[1]) + elements(g, n->in[0]));
    if (n->op == &hlrp_op_maxpool || n->op == &hlrp_op_avgpool)
        return (double)elements(g, n->in[0]);
    return n->op == &hlrp_op_local_response ? (double)(x->d[1] * x->d[1]) : 1;
}

static bool is_small(const hlrp_graph *g) {
    double work = 0;
    for (int k = 0; k < g->node_count; k++) {
        const hlrp_node *n = &g->nodes[k];
        for (int i = 0; i < n->in_count; i++)
            work += (double)elements(g, n->in[i]);
        work += (double)elements(g, n->out[0]) * factor(g, n);
    }
    return g->node_count < 300 && work < 4e6;
}

/* ---- the way there and back ---- */

static hlrp_status run(const hlrp_lrp *lrp, const hlrp_graph *g, hlrp_error *err) {
    const int64_t in = elements(g, g->input), out = elements(g, g->output);
    const int64_t samples = g->values[g->output].dims.d[0];
    hlrp_lrp_worker *worker = NULL;
    hlrp_account *account = NULL;
    float *x = NULL, *start = NULL, *r = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_lrp_worker_new(lrp, &worker, err));
    HLRP_TRY(hlrp_calloc(&x, in, sizeof *x, "input", err));
    HLRP_TRY(hlrp_calloc(&r, in, sizeof *r, "relevance", err));
    HLRP_TRY(hlrp_calloc(&start, out, sizeof *start, "start", err));
    HLRP_TRY(hlrp_calloc(&account, g->node_count * samples, sizeof *account, "account", err));
    for (int64_t k = 0; k < in; k++)
        x[k] = (float)(k % 13) / 4 - 1;
    for (int64_t k = 0; k < out; k++)
        start[k] = 1;
    HLRP_TRY(hlrp_lrp_forward(worker, x, err));
    const hlrp_lrp_watch watch = {.account = account};
    status = hlrp_lrp_relevance(worker, start, NULL, &watch, r, err);
out:
    free(x);
    free(r);
    free(start);
    free(account);
    hlrp_lrp_worker_free(worker);
    return status;
}

/* By a composite and a treatment of biases that the file's size chooses. The plain kernels are the ones
 * that the sanitizers see into. */
static hlrp_status explain(const hlrp_graph *g, size_t choice, hlrp_error *err) {
    static const char *const composites[] = {"attnlrp", "attnlrp-gamma",    "lrp0-epsilon-gamma",
                                             "cp",      "gradient-x-input", "epsilon-alpha2-beta1"};
    static const hlrp_bias biases[] = {HLRP_BIAS_KEEP, HLRP_BIAS_SHARE, HLRP_BIAS_SPREAD,
                                       HLRP_BIAS_DROP};
    hlrp_backend *backend = NULL;
    hlrp_lrp *lrp = NULL;
    hlrp_lrp_options options = {.rules = hlrp_rule_options_default()};
    hlrp_status status = HLRP_OK;
    options.rules.composite = composites[choice % HLRP_COUNT(composites)];
    options.bias = biases[choice / HLRP_COUNT(composites) % HLRP_COUNT(biases)];
    HLRP_TRY(hlrp_backend_new(&backend, err));
    HLRP_TRY(hlrp_backend_force(backend, "plain", err));
    HLRP_TRY(hlrp_lrp_new(backend, g, &options, &lrp, err));
    status = run(lrp, g, err);
out:
    hlrp_lrp_free(lrp);
    hlrp_backend_free(backend);
    return status;
}

/* As declared by the file; where that is open, a small picture. */
static void input_of(const hlrp_graph *g, hlrp_dims *in) {
    hlrp_error ignored = {0};
    if (hlrp_canonize_input(g, in, &ignored) == HLRP_OK)
        return;
    const int rank = g->values[g->input].dims.rank;
    *in = rank == 2 || rank == 3 ? g->values[g->input].dims : (hlrp_dims){4, {1, 3, 8, 8}};
    for (int k = 0; k < in->rank; k++)
        in->d[k] = in->d[k] < 1 ? 1 : in->d[k];
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const hlrp_canonize_options options = {.batchnorm = size % 2 == 0 ? HLRP_BATCHNORM_AUTO
                                                                      : HLRP_BATCHNORM_PASS};
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    hlrp_dims in = {0};

    hlrp_status status = hlrp_onnx_parse(bytes, size, NULL, NULL, 0, &g, &err);
    if ((status == HLRP_OK) != (g != NULL))
        abort();
    if (status == HLRP_OK) {
        input_of(g, &in);
        status = hlrp_canonize(g, &options, &in, &err);
    }
    if (status == HLRP_OK) {
        check(g);
        if (is_small(g))
            status = explain(g, size / 2, &err);
    }
    if (status != HLRP_OK && (err.status != status || err.what[0] == '\0'))
        abort();
    hlrp_graph_free(g);
    return 0;
}

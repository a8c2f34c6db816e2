/* Small graphs made by hand, their canonical form and its numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "canonize/canonize.h"
#include "op/op.h"

#define IMAGE(n, c, h, w) ((hlrp_dims){.rank = 4, .d = {n, c, h, w}})
#define MATRIX(r, c) ((hlrp_dims){.rank = 2, .d = {r, c}})
#define VECTOR(n) ((hlrp_dims){.rank = 1, .d = {n}})

/* ---- building ---- */

static hlrp_graph *graph(void) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    assert_int_equal(hlrp_graph_new(&g, &err), HLRP_OK);
    g->input = hlrp_graph_add_value(g, "x", NULL, &err);
    g->output = g->input;
    return g;
}

/* A constant start, start + step, … */
static int ramp(hlrp_graph *g, hlrp_dims dims, float start, float step) {
    hlrp_error err = {0};
    hlrp_tensor *t = NULL;
    assert_int_equal(hlrp_tensor_new(&dims, HLRP_F32, &t, &err), HLRP_OK);
    for (int64_t k = 0; k < hlrp_tensor_count(t); k++)
        t->f[k] = start + step * (float)k;
    return hlrp_graph_add_value(g, "ramp", t, &err);
}

static hlrp_node *append(hlrp_graph *g, const hlrp_operator *op, const char *name, const int *in,
                         int n) {
    hlrp_error err = {0};
    int out = hlrp_graph_add_value(g, name, NULL, &err);
    int id = hlrp_graph_add_node(g, op, name, op->name, in, n, &out, 1, &err);
    assert_true(id >= 0);
    g->output = out;
    return &g->nodes[id];
}

/* On the output so far, with up to two constants. */
static hlrp_node *chain(hlrp_graph *g, const hlrp_operator *op, const char *name, int a, int b) {
    int in[3] = {g->output, a, b};
    bool layer = op == &hlrp_op_conv || op == &hlrp_op_gemm || op == &hlrp_op_batchnorm;
    return append(g, op, name, in, layer ? 3 : a >= 0 ? 2 : 1);
}

static void conv(hlrp_graph *g, const char *name, int64_t out, int64_t in) {
    chain(g, &hlrp_op_conv, name, ramp(g, IMAGE(out, in, 1, 1), 1, 1), -1);
}

/* Global pooling and a linear layer: the smallest classifier's end. */
static void head(hlrp_graph *g, int64_t channels) {
    chain(g, &hlrp_op_global_avgpool, "pool", -1, -1);
    chain(g, &hlrp_op_gemm, "fc", ramp(g, MATRIX(2, channels), 1, 1), -1);
}

/* ---- asking ---- */

static const hlrp_node *node(const hlrp_graph *g, const char *name) {
    for (int k = 0; k < g->node_count; k++)
        if (strcmp(g->nodes[k].name, name) == 0)
            return &g->nodes[k];
    return NULL;
}

static const float *floats(const hlrp_graph *g, const hlrp_node *n, int input) {
    return g->values[n->in[input]].constant->f;
}

static hlrp_status run(hlrp_graph *g, hlrp_canonize_batchnorm mode, hlrp_dims in, hlrp_error *err) {
    hlrp_canonize_options options = {.batchnorm = mode};
    return hlrp_canonize(g, &options, &in, err);
}

static void succeed(hlrp_graph *g, hlrp_canonize_batchnorm mode, hlrp_dims in) {
    hlrp_error err = {0};
    if (run(g, mode, in, &err) != HLRP_OK)
        fail_msg("%s (%s)", err.what, err.where);
}

static void refuse(hlrp_graph *g, hlrp_dims in, const char *what) {
    hlrp_error err = {0};
    assert_int_equal(run(g, HLRP_BATCHNORM_AUTO, in, &err), HLRP_E_MODEL);
    if (strstr(err.what, what) == NULL)
        fail_msg("\"%s\" instead of \"%s\"", err.what, what);
    hlrp_graph_free(g);
}

/* ---- batch normalization ---- */

static hlrp_graph *conv_batchnorm(void) {
    hlrp_graph *g = graph();
    conv(g, "conv", 2, 3); /* weights 1 … 6 */
    chain(g, &hlrp_op_batchnorm, "bn", ramp(g, VECTOR(2), 2, 1), ramp(g, VECTOR(2), 10, 10));
    return g;
}

static void batchnorm_merges_into_the_layer_before(void **state) {
    (void)state;
    hlrp_graph *g = conv_batchnorm();
    head(g, 2);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 4, 4));
    const hlrp_node *n = node(g, "conv");
    assert_null(node(g, "bn"));
    static const float w[6] = {2, 4, 6, 12, 15, 18};
    assert_memory_equal(floats(g, n, 1), w, sizeof w);
    assert_true(floats(g, n, 2)[0] == 10 && floats(g, n, 2)[1] == 20);
    hlrp_graph_free(g);
}

/* Rounding scale to float32 before the merge would round the weights twice. */
static void merged_weights_are_rounded_once(void **state) {
    (void)state;
    hlrp_graph *g = conv_batchnorm();
    hlrp_node *n = &g->nodes[1];
    n->exact = malloc(4 * sizeof *n->exact);
    assert_non_null(n->exact);
    const double third = 1.0 / 3.0;
    for (int k = 0; k < 4; k++)
        n->exact[k] = third;
    for (int k = 0; k < 2; k++)
        g->values[n->in[1]].constant->f[k] = g->values[n->in[2]].constant->f[k] = (float)third;
    for (int k = 0; k < 6; k++)
        g->values[g->nodes[0].in[1]].constant->f[k] = 1.1F * (float)(k + 1);
    head(g, 2);
    succeed(g, HLRP_BATCHNORM_MERGE, IMAGE(1, 3, 4, 4));
    int differ = 0;
    for (int k = 0; k < 6; k++) {
        float w = 1.1F * (float)(k + 1);
        assert_true(floats(g, node(g, "conv"), 1)[k] == (float)(third * w));
        differ += (float)(third * w) != (float)((double)(float)third * w);
    }
    assert_true(differ > 0); /* else this test could not fail */
    hlrp_graph_free(g);
}

static void batchnorm_stays_where_asked_or_where_others_read(void **state) {
    (void)state;
    hlrp_graph *g = conv_batchnorm();
    head(g, 2);
    succeed(g, HLRP_BATCHNORM_PASS, IMAGE(1, 3, 4, 4));
    assert_non_null(node(g, "bn"));
    assert_true(floats(g, node(g, "conv"), 1)[5] == 6);
    hlrp_graph_free(g);

    g = conv_batchnorm();
    int in[2] = {g->output, g->nodes[0].out[0]}; /* the convolution's output, read twice */
    append(g, &hlrp_op_add, "sum", in, 2);
    head(g, 2);
    succeed(g, HLRP_BATCHNORM_MERGE, IMAGE(1, 3, 4, 4));
    assert_non_null(node(g, "bn"));
    assert_true(floats(g, node(g, "conv"), 1)[5] == 6);
    hlrp_graph_free(g);
}

/* Two layers with one weight tensor: a merge in place would scale both. */
static void shared_weights_stay_apart(void **state) {
    (void)state;
    hlrp_graph *g = graph();
    int w = ramp(g, IMAGE(3, 3, 1, 1), 1, 0);
    chain(g, &hlrp_op_conv, "first", w, -1);
    chain(g, &hlrp_op_batchnorm, "bn", ramp(g, VECTOR(3), 5, 0), ramp(g, VECTOR(3), 0, 0));
    chain(g, &hlrp_op_conv, "second", w, -1);
    head(g, 3);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 4, 4));
    assert_true(floats(g, node(g, "first"), 1)[0] == 5);
    assert_true(floats(g, node(g, "second"), 1)[0] == 1);
    hlrp_graph_free(g);
}

/* ((x·2 − 3)/4 + 1) in the middle of a network is one layer: scale 0.5, shift 0.25. */
static void arithmetic_with_constants_becomes_one_batchnorm(void **state) {
    (void)state;
    hlrp_graph *g = graph();
    conv(g, "conv", 2, 3);
    chain(g, &hlrp_op_relu, "relu", -1, -1);
    chain(g, &hlrp_op_mul, "mul", ramp(g, (hlrp_dims){0}, 2, 0), -1);
    chain(g, &hlrp_op_sub, "sub", ramp(g, IMAGE(1, 2, 1, 1), 3, 0), -1);
    chain(g, &hlrp_op_div, "div", ramp(g, (hlrp_dims){.rank = 3, .d = {2, 1, 1}}, 4, 0), -1);
    chain(g, &hlrp_op_add_const, "add", ramp(g, VECTOR(1), 1, 0), -1);
    head(g, 2);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 4, 4));
    assert_int_equal(g->node_count, 5); /* conv relu mul pool fc */
    const hlrp_node *n = node(g, "mul");
    assert_int_equal(n->op, &hlrp_op_batchnorm);
    assert_true(floats(g, n, 1)[1] == 0.5F && floats(g, n, 2)[1] == 0.25F);
    hlrp_graph_free(g);
}

/* It is no batchnorm: it takes rows, and the picture is laid out for it and back. */
static void a_constant_map_stays_a_summand(void **state) {
    (void)state;
    hlrp_graph *g = graph();
    chain(g, &hlrp_op_add_const, "positions", ramp(g, IMAGE(1, 3, 4, 4), 0, 1), -1);
    head(g, 3);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 4, 4));
    assert_int_equal(g->node_count, 5); /* to rows, positions, to a picture, pool, fc */
    assert_int_equal(node(g, "positions")->op, &hlrp_op_add_const);
    assert_int_equal(g->nodes[0].op, &hlrp_op_identity);
    assert_int_equal(g->nodes[1].op, &hlrp_op_add_const);
    assert_int_equal(g->nodes[2].op, &hlrp_op_identity);
    hlrp_graph_free(g);
}

/* ---- linear layers ---- */

static void matmul_and_add_become_gemm(void **state) {
    (void)state;
    hlrp_graph *g = graph();
    chain(g, &hlrp_op_global_avgpool, "pool", -1, -1);
    chain(g, &hlrp_op_matmul, "matmul", ramp(g, MATRIX(3, 2), 1, 1), -1);
    chain(g, &hlrp_op_add_const, "bias", ramp(g, MATRIX(1, 2), 7, 1), -1);
    succeed(g, HLRP_BATCHNORM_PASS, IMAGE(1, 3, 4, 4));
    const hlrp_node *n = node(g, "matmul");
    static const float w[6] = {1, 3, 5, 2, 4, 6};
    assert_int_equal(n->op, &hlrp_op_gemm);
    assert_memory_equal(floats(g, n, 1), w, sizeof w);
    assert_true(floats(g, n, 2)[0] == 7 && floats(g, n, 2)[1] == 8);
    assert_int_equal(g->node_count, 2);
    hlrp_graph_free(g);
}

/* A thousand layers turned the matrix that they share round a thousand times. */
static void what_products_share_stays_shared(void **state) {
    (void)state;
    static const float w[9] = {1, 4, 7, 2, 5, 8, 3, 6, 9};
    hlrp_graph *g = graph();
    const int square = ramp(g, MATRIX(3, 3), 1, 1), other = ramp(g, MATRIX(3, 2), 1, 1);
    chain(g, &hlrp_op_global_avgpool, "pool", -1, -1);
    chain(g, &hlrp_op_matmul, "one", square, -1);
    chain(g, &hlrp_op_matmul, "two", square, -1);
    chain(g, &hlrp_op_matmul, "last", other, -1);
    succeed(g, HLRP_BATCHNORM_PASS, IMAGE(1, 3, 4, 4));
    assert_int_equal(node(g, "one")->op, &hlrp_op_gemm);
    assert_int_equal(node(g, "two")->op, &hlrp_op_gemm);
    assert_memory_equal(floats(g, node(g, "two"), 1), w, sizeof w);
    assert_int_equal(node(g, "one")->in[1], node(g, "two")->in[1]);
    assert_int_not_equal(node(g, "last")->in[1], node(g, "two")->in[1]);
    hlrp_graph_free(g);
}

static int number(hlrp_graph *g, float value) {
    return ramp(g, VECTOR(1), value, 0);
}

/* x·½·(1 + erf(x/root)), ½ before or behind the product; its parts have these names. */
static hlrp_graph *gelu(float root, bool half_first, float half) {
    hlrp_graph *g = graph();
    conv(g, "conv", 2, 3);
    const int x = g->output;
    chain(g, &hlrp_op_div, "over", number(g, root), -1);
    chain(g, &hlrp_op_erf, "erf", -1, -1);
    chain(g, &hlrp_op_add_const, "plus", number(g, 1), -1);
    const int gate = g->output;
    const int times[2] = {x, number(g, half)};
    int both[2] = {gate, x};
    if (half_first) {
        append(g, &hlrp_op_mul, "half", times, 2);
        both[1] = g->output;
    }
    append(g, &hlrp_op_gate, "gelu", both, 2);
    if (!half_first)
        chain(g, &hlrp_op_mul, "half", number(g, half), -1);
    head(g, 2);
    return g;
}

static void gelu_written_out_is_one_operator(void **state) {
    (void)state;
    for (int half_first = 0; half_first < 2; half_first++) {
        hlrp_graph *g = gelu(1.4142135F, half_first, 0.5F);
        succeed(g, HLRP_BATCHNORM_PASS, IMAGE(1, 3, 4, 4));
        assert_int_equal(g->node_count, 4);
        assert_int_equal(node(g, "gelu")->op, &hlrp_op_gelu);
        assert_int_equal(node(g, "gelu")->in[0], node(g, "conv")->out[0]);
        hlrp_graph_free(g);
    }
    const float others[][2] = {{1.41F, 0.5F}, {1.4142135F, 0.51F}};
    for (size_t k = 0; k < HLRP_COUNT(others); k++) {
        hlrp_graph *g = gelu(others[k][0], k == 0, others[k][1]);
        succeed(g, HLRP_BATCHNORM_PASS, IMAGE(1, 3, 4, 4));
        assert_int_equal(node(g, "gelu")->op, &hlrp_op_gate);
        assert_non_null(node(g, "erf"));
        hlrp_graph_free(g);
    }
}

static void silu_written_out_is_one_operator(void **state) {
    (void)state;
    for (int own = 0; own < 2; own++) { /* or the sigmoid of something else */
        hlrp_graph *g = graph();
        conv(g, "conv", 3, 3);
        const int x = g->output;
        if (!own)
            chain(g, &hlrp_op_mul, "twice", number(g, 2), -1);
        chain(g, &hlrp_op_sigmoid, "sigmoid", -1, -1);
        append(g, &hlrp_op_gate, "silu", (int[]){g->output, x}, 2);
        head(g, 3);
        succeed(g, HLRP_BATCHNORM_PASS, IMAGE(1, 3, 4, 4));
        assert_int_equal(node(g, "silu")->op, own ? &hlrp_op_swish : &hlrp_op_gate);
        assert_int_equal(node(g, "sigmoid") == NULL, own);
        assert_true(!own || node(g, "silu")->alpha == 1);
        hlrp_graph_free(g);
    }
}

/* Reshape to groups, swap, reshape back; `swap`: the transpose's axes. */
static hlrp_graph *shuffle(const int64_t *groups, int rank, hlrp_dims swap) {
    hlrp_error err = {0};
    hlrp_graph *g = graph();
    hlrp_tensor *apart = NULL, *together = NULL;
    assert_int_equal(hlrp_tensor_new(&VECTOR(rank), HLRP_I64, &apart, &err), HLRP_OK);
    assert_int_equal(hlrp_tensor_new(&VECTOR(4), HLRP_I64, &together, &err), HLRP_OK);
    memcpy(apart->i, groups, (size_t)rank * sizeof *groups);
    memcpy(together->i, (int64_t[]){1, -1, 4, 4}, 4 * sizeof *groups);
    chain(g, &hlrp_op_reshape, "apart", hlrp_graph_add_value(g, "a", apart, &err), -1);
    chain(g, &hlrp_op_transpose, "swap", -1, -1)->ints = swap;
    chain(g, &hlrp_op_reshape, "together", hlrp_graph_add_value(g, "t", together, &err), -1);
    head(g, 6);
    return g;
}

static void channel_shuffles_are_one_operator(void **state) {
    (void)state;
    static const int64_t five[] = {1, 3, 2, 4, 4}, four[] = {1, 3, -1, 16};
    const hlrp_dims swap5 = {.rank = 5, .d = {0, 2, 1, 3, 4}}, swap4 = IMAGE(0, 2, 1, 3);
    for (int k = 0; k < 2; k++) {
        hlrp_graph *g = k == 0 ? shuffle(five, 5, swap5) : shuffle(four, 4, swap4);
        succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 6, 4, 4));
        assert_int_equal(g->node_count, 3);
        assert_int_equal(node(g, "together")->op, &hlrp_op_shuffle);
        assert_int_equal(node(g, "together")->group, 3);
        hlrp_graph_free(g);
    }
    /* any other turn mixes channels with pixels: it stays what it is */
    const hlrp_dims pixels = {.rank = 5, .d = {0, 2, 1, 4, 3}},
                    rows = {.rank = 5, .d = {0, 1, 3, 2, 4}};
    for (int k = 0; k < 2; k++) {
        hlrp_graph *g = shuffle(five, 5, k == 0 ? pixels : rows);
        succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 6, 4, 4));
        assert_int_equal(node(g, "together")->op, &hlrp_op_reshape);
        assert_int_equal(g->node_count, 5);
        hlrp_graph_free(g);
    }
}

static int integer(hlrp_graph *g, int64_t i) {
    hlrp_error err = {0};
    hlrp_tensor *t = NULL;
    assert_int_equal(hlrp_tensor_new(&VECTOR(1), HLRP_I64, &t, &err), HLRP_OK);
    t->i[0] = i;
    return hlrp_graph_add_value(g, "integer", t, &err);
}

/* Half the rows, by arithmetic: a network made canonical at one size and run at another took the
 * half of the first one. */
static void computed_indices_hold_for_one_size(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *g = graph();
    const int zero = integer(g, 0), two = integer(g, 2), x = g->input;
    append(g, &hlrp_op_shape, "shape", &x, 1)->ints = (hlrp_dims){.rank = 1, .d = {0}};
    append(g, &hlrp_op_gather, "rows", (int[]){g->output, two}, 2);
    append(g, &hlrp_op_div, "half", (int[]){g->output, two}, 2);
    for (int k = 0; k < 3; k++)
        g->values[g->nodes[k].out[0]].dtype = HLRP_I64;
    append(g, &hlrp_op_slice, "upper", (int[]){x, zero, g->output, two, -1}, 5);
    head(g, 3);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 8, 8));
    assert_int_equal(g->node_count, 3);
    assert_int_equal(hlrp_graph_infer(g, &IMAGE(4, 3, 8, 6), &err), HLRP_OK);
    assert_int_equal(g->values[node(g, "upper")->out[0]].dims.d[2], 4);
    assert_int_equal(hlrp_graph_infer(g, &IMAGE(1, 3, 16, 8), &err), HLRP_E_MODEL);
    assert_non_null(strstr(err.what, "those of an extent of 8, not of 16"));
    hlrp_graph_free(g);
}

/* A part of the batch mixes tiles. */
static void slices_stay_but_for_those_of_the_batch(void **state) {
    (void)state;
    for (int axis = 0; axis < 3; axis++) {
        hlrp_graph *g = graph();
        hlrp_node *n = chain(g, &hlrp_op_slice, "part", -1, -1);
        n->axis = axis;
        n->group = 2;
        head(g, axis == 1 ? 2 : 4);
        if (axis == 0)
            refuse(g, IMAGE(2, 4, 4, 4), "the shape 1x2 instead of [N,classes]");
        else {
            succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(2, 4, 4, 4));
            assert_int_equal(node(g, "part")->op, &hlrp_op_slice);
            hlrp_graph_free(g);
        }
    }
}

/* Channels-last flattening before a linear layer: column (p,c) goes to (c,p). */
static void channels_last_flattening_goes_into_the_weights(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *g = graph();
    hlrp_tensor *shape = NULL;
    chain(g, &hlrp_op_transpose, "turn", -1, -1)->ints = IMAGE(0, 2, 3, 1);
    assert_int_equal(hlrp_tensor_new(&VECTOR(2), HLRP_I64, &shape, &err), HLRP_OK);
    shape->i[0] = -1;
    shape->i[1] = 6;
    chain(g, &hlrp_op_reshape, "flat", hlrp_graph_add_value(g, "s", shape, &err), -1);
    chain(g, &hlrp_op_gemm, "fc", ramp(g, MATRIX(1, 6), 0, 1), -1);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 1, 2));
    static const float w[6] = {0, 3, 1, 4, 2, 5}; /* 2 pixels of 3 channels */
    assert_memory_equal(floats(g, node(g, "fc"), 1), w, sizeof w);
    assert_int_equal(node(g, "flat")->op, &hlrp_op_flatten);
    assert_null(node(g, "turn"));
    hlrp_graph_free(g);
}

/* ---- ends of the network ---- */

static void softmax_at_the_output_is_cut(void **state) {
    (void)state;
    hlrp_graph *g = graph();
    head(g, 3);
    chain(g, &hlrp_op_softmax, "probabilities", -1, -1)->axis = -1;
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 4, 4));
    assert_int_equal(g->activation, HLRP_ACTIVATION_SOFTMAX);
    assert_string_equal(g->values[g->output].name, "fc");
    hlrp_graph_free(g);

    g = graph(); /* inside it stays */
    chain(g, &hlrp_op_sigmoid, "gate", -1, -1);
    head(g, 3);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 4, 4));
    assert_int_equal(g->activation, HLRP_ACTIVATION_NONE);
    assert_int_equal(node(g, "gate")->op, &hlrp_op_sigmoid);
    hlrp_graph_free(g);
}

static void squeezed_and_convolutional_heads(void **state) {
    (void)state;
    hlrp_graph *g = graph();
    chain(g, &hlrp_op_global_avgpool, "pool", -1, -1)->keepdims = true;
    chain(g, &hlrp_op_squeeze, "s1", -1, -1)->ints = (hlrp_dims){.rank = 1, .d = {3}};
    chain(g, &hlrp_op_squeeze, "s2", -1, -1)->ints = (hlrp_dims){.rank = 1, .d = {2}};
    chain(g, &hlrp_op_gemm, "fc", ramp(g, MATRIX(2, 3), 1, 1), -1);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 4, 4));
    assert_int_equal(g->node_count, 3);
    assert_int_equal(node(g, "s2")->op, &hlrp_op_flatten);
    hlrp_graph_free(g);

    g = graph();
    conv(g, "classes", 5, 3);
    chain(g, &hlrp_op_global_avgpool, "pool", -1, -1)->keepdims = true;
    chain(g, &hlrp_op_softmax, "p", -1, -1)->axis = 1;
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(2, 3, 9, 4));
    assert_int_equal(g->values[g->output].dims.rank, 2);
    assert_int_equal(g->values[g->output].dims.d[1], 5);
    hlrp_graph_free(g);

    g = graph();
    conv(g, "segments", 5, 3);
    refuse(g, IMAGE(1, 3, 4, 4), "1x5x4x4");
}

static void channels_last_input(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_dims in = {0};
    hlrp_graph *g = graph();
    g->values[g->input].dims = IMAGE(-1, 20, 30, 3);
    chain(g, &hlrp_op_transpose, "turn", -1, -1)->ints = IMAGE(0, 3, 1, 2);
    head(g, 3);
    assert_int_equal(hlrp_canonize_input(g, &in, &err), HLRP_OK);
    assert_true(hlrp_dims_equal(&in, &IMAGE(1, 3, 20, 30)));
    succeed(g, HLRP_BATCHNORM_AUTO, in);
    assert_true(g->nhwc);
    assert_null(node(g, "turn"));
    assert_int_equal(hlrp_canonize_input(g, &in, &err), HLRP_OK);
    assert_true(hlrp_dims_equal(&in, &IMAGE(1, 3, 20, 30)));
    hlrp_graph_free(g);
}

/* A transpose that happens to keep the shape moves data all the same. */
/* Keras networks rescale [N,H,W,C] by channel before they turn it: scales along axis 3 of a picture whose
 * axis 3 had become W were refused, or met pixels. */
static void channels_last_rescaling(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *g = graph();
    chain(g, &hlrp_op_mul, "scale", ramp(g, VECTOR(3), 2, 1), -1);
    chain(g, &hlrp_op_sub, "mean", ramp(g, (hlrp_dims){0}, 1, 0), -1);
    chain(g, &hlrp_op_transpose, "turn", -1, -1)->ints = IMAGE(0, 3, 1, 2);
    head(g, 3);
    g->values[g->input].dims = IMAGE(1, 5, 4, 3);
    hlrp_dims input = {0};
    assert_int_equal(hlrp_canonize_input(g, &input, &err), HLRP_OK);
    assert_true(input.d[1] == 3 && input.d[2] == 5 && input.d[3] == 4);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 5, 4));
    assert_true(g->nhwc);
    const hlrp_node *n = node(g, "scale");
    assert_int_equal(n->op, &hlrp_op_batchnorm);
    assert_true(floats(g, n, 1)[2] == 4 && floats(g, n, 2)[2] == -1);
    assert_int_equal(g->node_count, 3);
    hlrp_graph_free(g);
}

static void square_transposes_are_not_identities(void **state) {
    (void)state;
    hlrp_graph *g = graph();
    chain(g, &hlrp_op_transpose, "mirror", -1, -1)->ints = IMAGE(0, 1, 3, 2);
    head(g, 3);
    succeed(g, HLRP_BATCHNORM_AUTO, IMAGE(1, 3, 4, 4));
    assert_int_equal(node(g, "mirror")->op, &hlrp_op_transpose);
    hlrp_graph_free(g);
}

/* Guards: a network exported again for every node that its author learns of. */
static void all_that_has_no_rule_is_named(void **state) {
    (void)state;
    hlrp_graph *g = graph();
    chain(g, &hlrp_op_not, "first", -1, -1);
    chain(g, &hlrp_op_relu, "relu", -1, -1);
    chain(g, &hlrp_op_cast, "second", -1, -1);
    chain(g, &hlrp_op_cast, "third", -1, -1);
    head(g, 3);
    refuse(g, IMAGE(1, 3, 4, 4), "in all 3 nodes have none");
}

/* ---- verification ---- */

/* The first bias or weight as the only logit: canonizing changes it, so that the two runs differ.
 */
static hlrp_status first_weight(void *ctx, const hlrp_graph *g, const hlrp_tensor *input,
                                hlrp_tensor **logits, hlrp_error *err) {
    int *calls = ctx;
    assert_int_equal(input->dims.d[1], 3);
    hlrp_status status = hlrp_tensor_new(&MATRIX(1, 1), HLRP_F32, logits, err);
    if (status == HLRP_OK)
        (*logits)->f[0] = *calls >= 0 ? floats(g, &g->nodes[0], 1)[0] : 1;
    *calls += *calls >= 0;
    return status;
}

static void verification_sees_a_change(void **state) {
    (void)state;
    hlrp_error err = {0};
    int calls = 0, equal = -1;
    hlrp_canonize_options options = {.verify = first_weight, .verify_ctx = &calls};
    hlrp_graph *g = conv_batchnorm();
    head(g, 2);
    assert_int_equal(hlrp_canonize(g, &options, &IMAGE(1, 3, 4, 4), &err), HLRP_E_MODEL);
    assert_non_null(strstr(err.what, "changed its logits by 1 of 1"));
    assert_int_equal(calls, 2);
    hlrp_graph_free(g);

    options.verify_ctx = &equal;
    g = conv_batchnorm();
    head(g, 2);
    assert_int_equal(hlrp_canonize(g, &options, &IMAGE(1, 3, 4, 4), &err), HLRP_OK);
    hlrp_graph_free(g);
}

/* What works on constants alone has no place in the engine's memory: it read outside of it. */
static void operators_of_constants_are_refused(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *g = graph();
    const int k = ramp(g, (hlrp_dims){.rank = 4, .d = {1, 3, 4, 4}}, -1, 0.1F);
    const int to = hlrp_graph_add_value(g, "curve", NULL, &err);
    assert_true(hlrp_graph_add_node(g, &hlrp_op_relu, "curve", "Relu", &k, 1, &to, 1, &err) >= 0);
    append(g, &hlrp_op_add, "sum", (int[]){g->input, to}, 2);
    head(g, 3);
    refuse(g, (hlrp_dims){.rank = 4, .d = {1, 3, 4, 4}}, "node curve works on constants");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batchnorm_merges_into_the_layer_before),
        cmocka_unit_test(merged_weights_are_rounded_once),
        cmocka_unit_test(batchnorm_stays_where_asked_or_where_others_read),
        cmocka_unit_test(shared_weights_stay_apart),
        cmocka_unit_test(arithmetic_with_constants_becomes_one_batchnorm),
        cmocka_unit_test(a_constant_map_stays_a_summand),
        cmocka_unit_test(matmul_and_add_become_gemm),
        cmocka_unit_test(what_products_share_stays_shared),
        cmocka_unit_test(channels_last_flattening_goes_into_the_weights),
        cmocka_unit_test(gelu_written_out_is_one_operator),
        cmocka_unit_test(silu_written_out_is_one_operator),
        cmocka_unit_test(channel_shuffles_are_one_operator),
        cmocka_unit_test(computed_indices_hold_for_one_size),
        cmocka_unit_test(slices_stay_but_for_those_of_the_batch),
        cmocka_unit_test(softmax_at_the_output_is_cut),
        cmocka_unit_test(squeezed_and_convolutional_heads),
        cmocka_unit_test(channels_last_input),
        cmocka_unit_test(channels_last_rescaling),
        cmocka_unit_test(square_transposes_are_not_identities),
        cmocka_unit_test(operators_of_constants_are_refused),
        cmocka_unit_test(all_that_has_no_rule_is_named),
        cmocka_unit_test(verification_sees_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

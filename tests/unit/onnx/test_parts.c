/* Slice and Split in the forms of all operator sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onnx/onnx.h"
#include "op/op.h"

#include "unit/onnx/build.h"

static const hlrp_dims picture = {.rank = 4, .d = {1, 6, 8, 10}};

static hlrp_status parse(const build *b, hlrp_graph **g, hlrp_error *err) {
    uint8_t *bytes = NULL;
    const size_t size = build_pack(b, &bytes);
    hlrp_status status = hlrp_onnx_parse(bytes, size, NULL, NULL, 0, g, err);
    free(bytes);
    if (status == HLRP_OK)
        status = hlrp_graph_infer(*g, &picture, err);
    return status;
}

static hlrp_graph *accept(const build *b) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    if (parse(b, &g, &err) != HLRP_OK)
        fail_msg("%s (%s)", err.what, err.where);
    return g;
}

static void refuse(const build *b, const char *text) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    assert_int_equal(parse(b, &g, &err), HLRP_E_MODEL);
    if (strstr(err.what, text) == NULL)
        fail_msg("\"%s (%s)\" instead of \"%s\"", err.what, err.where, text);
    hlrp_graph_free(g);
}

static void vector(build *b, const char *name, int64_t *values, size_t count) {
    build_tensor(b, name, 7, (int64_t[]){(int64_t)count}, 1, values, count * sizeof *values);
}

static const hlrp_node *node(const hlrp_graph *g, const char *name) {
    for (int k = 0; k < g->node_count; k++)
        if (strcmp(g->nodes[k].name, name) == 0)
            return &g->nodes[k];
    fail_msg("no node %s", name);
    return NULL;
}

/* Node `name` takes `extent` indices from `first` on along `axis`, and everything along others. */
static void takes(const hlrp_graph *g, const char *name, int axis, int64_t first, int64_t extent) {
    const hlrp_node *n = node(g, name);
    const hlrp_dims *out = &g->values[n->out[0]].dims;
    assert_int_equal(n->op, &hlrp_op_slice);
    assert_int_equal(n->in[0], g->input);
    assert_int_equal(out->rank, 4);
    for (int k = 0; k < 4; k++) {
        assert_int_equal(n->ints.d[k], k == axis ? first : 0);
        assert_int_equal(out->d[k], k == axis ? extent : picture.d[k]);
    }
}

/* ---- Slice ---- */

/* Starts, ends and axes as attributes below 10, as inputs from then on. */
static void slice(build *b, int opset, int64_t *start, int64_t *end, int64_t *axis,
                  const char *in) {
    build_begin(b, opset, 6, 8, 10);
    if (opset < 10) {
        pb_node *n = build_node(b, "Slice", "cut", "x", "y");
        build_ints(b, n, "starts", start, 1);
        build_ints(b, n, "ends", end, 1);
        if (axis != NULL)
            build_ints(b, n, "axes", axis, 1);
        return;
    }
    vector(b, "start", start, 1);
    vector(b, "end", end, 1);
    if (axis != NULL)
        vector(b, "axis", axis, 1);
    build_node(b, "Slice", "cut", in, "y");
}

static void slices_of_every_operator_set(void **state) {
    (void)state;
    static const int opsets[] = {6, 9, 10, 11, 13, 22};
    static struct {
        int64_t start, end, axis, resolved, first, extent;
    } rows[] = {
        {1, 4, 1, 1, 1, 3},          {0, -2, 1, 1, 0, 4},
        {-2, INT64_MAX, 2, 2, 6, 2}, {-100, INT32_MAX, 3, 3, 0, 10},
        {3, 5, -1, 3, 3, 2},         {2, 1000, -3, 1, 2, 4},
    };
    for (size_t o = 0; o < HLRP_COUNT(opsets); o++)
        for (size_t k = 0; k < HLRP_COUNT(rows); k++) {
            build b;
            slice(&b, opsets[o], &rows[k].start, &rows[k].end, &rows[k].axis, "x start end axis");
            hlrp_graph *g = accept(&b);
            takes(g, "cut", (int)rows[k].resolved, rows[k].first, rows[k].extent);
            hlrp_graph_free(g);
        }
}

/* Without axes the vectors speak of the first ones. */
static void slices_without_axes(void **state) {
    (void)state;
    static int64_t starts[] = {0, 2, 1}, ends[] = {1, 5, 9}, one = 1, two = 2;
    for (int opset = 9; opset <= 13; opset += 4) {
        build b;
        build_begin(&b, opset, 6, 8, 10);
        pb_node *n = build_node(&b, "Slice", "cut", opset < 10 ? "x" : "x s e", "y");
        if (opset < 10) {
            build_ints(&b, n, "starts", starts, 3);
            build_ints(&b, n, "ends", ends, 3);
        } else {
            vector(&b, "s", starts, 3);
            vector(&b, "e", ends, 3);
        }
        hlrp_graph *g = accept(&b);
        assert_int_equal(g->nodes[0].ints.d[1], 2);
        assert_int_equal(g->values[g->output].dims.d[1], 3);
        assert_int_equal(g->nodes[0].ints.d[2], 1);
        assert_int_equal(g->values[g->output].dims.d[2], 7);
        hlrp_graph_free(g);
    }
    build b;
    slice(&b, 13, &one, &two, &one, "x start end axis step"); /* the step is 1, and said */
    vector(&b, "step", &one, 1);
    hlrp_graph *g = accept(&b);
    takes(g, "cut", 1, 1, 1);
    hlrp_graph_free(g);
}

static void slices_that_are_refused(void **state) {
    (void)state;
    static int64_t zero = 0, one = 1, two = 2, four = 4, pair[] = {1, 2};
    build b;
    slice(&b, 13, &zero, &four, &one, "x start end axis step");
    vector(&b, "step", &zero, 1);
    refuse(&b, "step along axis 1 is none");
    slice(&b, 13, &zero, &four, &four, "x start end axis");
    refuse(&b, "axis 4");
    slice(&b, 13, &two, &two, &one, "x start end axis");
    refuse(&b, "1x0x8x10");
    slice(&b, 13, &zero, &four, NULL, "x start");
    refuse(&b, "missing starts or ends");
    slice(&b, 13, &zero, &four, NULL, "x start end both");
    vector(&b, "both", pair, 2);
    refuse(&b, "differ in length");
    slice(&b, 13, &zero, &four, NULL, "x start x");
    refuse(&b, "not integers");
    slice(&b, 13, &zero, &four, NULL, "x start end twice");
    vector(&b, "twice", (int64_t[]){1}, 1);
    b.tensor[0].dims[0] = 3; /* 8 bytes for 3 starts */
    refuse(&b, "8 bytes");
}

/* ---- Split ---- */

/* Three outputs, of which y joins the first and the last again. */
static void split(build *b, int opset, int64_t *sizes, int64_t axis, const char *in) {
    static char *outputs[3] = {"a", "b", "c"};
    build_begin(b, opset, 6, 8, 10);
    pb_node *n = build_node(b, "Split", "cut", in, "a");
    n->output = outputs;
    n->n_output = 3;
    build_int(b, n, "axis", axis);
    if (sizes != NULL && opset < 13)
        build_ints(b, n, "split", sizes, 3);
    if (sizes != NULL && opset >= 13)
        vector(b, "sizes", sizes, 3);
    if (sizes == NULL && opset >= 18)
        build_int(b, n, "num_outputs", 3);
    build_int(b, build_node(b, "Concat", "join", "a c b", "y"), "axis", axis);
}

static const int split_opsets[] = {6, 11, 13, 18};

static void splits_into_given_sizes(void **state) {
    (void)state;
    static int64_t sizes[] = {3, 1, 2};
    for (size_t o = 0; o < HLRP_COUNT(split_opsets); o++) {
        const int opset = split_opsets[o];
        build b;
        split(&b, opset, sizes, -3, opset < 13 ? "x" : "x sizes");
        hlrp_graph *g = accept(&b);
        takes(g, "cut", 1, 0, 3);
        takes(g, "b", 1, 3, 1);
        takes(g, "c", 1, 4, 2);
        assert_int_equal(g->node_count, 4);
        assert_string_equal(node(g, "b")->type, "Split");
        hlrp_graph_free(g);
    }
}

/* Of 10 columns, three parts of 4 from operator set 18 on, and no equal ones before. */
static void splits_into_equal_parts(void **state) {
    (void)state;
    for (size_t o = 0; o < HLRP_COUNT(split_opsets); o++) {
        build b;
        split(&b, split_opsets[o], NULL, 1, "x");
        hlrp_graph *g = accept(&b);
        takes(g, "cut", 1, 0, 2);
        takes(g, "b", 1, 2, 2);
        takes(g, "c", 1, 4, 2);
        hlrp_graph_free(g);
        split(&b, split_opsets[o], NULL, 3, "x");
        if (split_opsets[o] < 18) {
            refuse(&b, "an extent of 10 has no 3 equal parts");
            continue;
        }
        g = accept(&b);
        takes(g, "cut", 3, 0, 4);
        takes(g, "b", 3, 4, 4);
        takes(g, "c", 3, 8, 2);
        hlrp_graph_free(g);
    }
}

static void splits_that_are_refused(void **state) {
    (void)state;
    static int64_t less[] = {1, 1, 1}, negative[] = {4, -1, 3}, two[] = {3, 3};
    build b;
    split(&b, 11, less, 1, "x");
    refuse(&b, "those of an extent of 3, not of 6");
    split(&b, 11, negative, 1, "x");
    refuse(&b, "a part of -1");
    split(&b, 11, NULL, 9, "x");
    refuse(&b, "axis 9");
    split(&b, 13, NULL, 1, "x x");
    refuse(&b, "not constant integers");
    split(&b, 13, NULL, 1, "x pair");
    vector(&b, "pair", two, 2);
    refuse(&b, "2 sizes for 3 parts");
    split(&b, 18, NULL, 1, "x");
    b.attribute[1].i = 2;
    refuse(&b, "num_outputs");
}

/* Shape arithmetic is split, too: y is x reshaped to its own shape, told apart and joined. */
static void splits_of_shapes(void **state) {
    (void)state;
    static char *outputs[2] = {"batch", "rest"};
    static int64_t sizes[] = {1, 3};
    build b;
    build_begin(&b, 13, 6, 8, 10);
    build_node(&b, "Shape", "shape", "x", "s");
    vector(&b, "sizes", sizes, 2);
    pb_node *n = build_node(&b, "Split", "cut", "s sizes", "batch");
    n->output = outputs;
    n->n_output = 2;
    build_int(&b, build_node(&b, "Concat", "join", "batch rest", "whole"), "axis", 0);
    build_node(&b, "Reshape", "same", "x whole", "y");
    hlrp_graph *g = accept(&b);
    assert_true(hlrp_dims_equal(&g->values[g->output].dims, &picture));
    hlrp_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_of_every_operator_set),
        cmocka_unit_test(slices_without_axes),
        cmocka_unit_test(slices_that_are_refused),
        cmocka_unit_test(splits_into_given_sizes),
        cmocka_unit_test(splits_into_equal_parts),
        cmocka_unit_test(splits_that_are_refused),
        cmocka_unit_test(splits_of_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

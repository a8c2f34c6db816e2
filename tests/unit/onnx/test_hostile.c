/* Files that no exporter writes: each is refused in one line, and nothing is read outside of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onnx/onnx.h"

#include "unit/onnx/build.h"

static void refuse(const build *b, const char *text) {
    const hlrp_dims picture = {.rank = 4, .d = {1, 3, 4, 4}};
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    uint8_t *bytes = NULL;
    const size_t size = build_pack(b, &bytes);
    hlrp_status status = hlrp_onnx_parse(bytes, size, NULL, NULL, 0, &g, &err);
    free(bytes);
    if (status == HLRP_OK)
        status = hlrp_graph_infer(g, &picture, &err);
    hlrp_graph_free(g);
    assert_int_equal(status, HLRP_E_MODEL);
    if (strstr(err.what, text) == NULL)
        fail_msg("\"%s (%s)\" instead of \"%s\"", err.what, err.where, text);
}

/* Inputs of the node before were looked for in this one's, which has none. */
static void a_node_of_nothing_behind_one_with_inputs(void **state) {
    (void)state;
    build b;
    build_begin(&b, 17, 3, 4, 4);
    build_node(&b, "Sum", "s", "x x x", "v");
    pb_node *n = build_node(&b, "Relu", "r", "v", "y");
    n->op_type = NULL;
    n->n_input = 0;
    n->input = NULL;
    refuse(&b, "a node has no operator or no output");
}

/* A bias of integers was a bias of nothing, until something was merged into it. */
static void parameters_that_are_integers(void **state) {
    (void)state;
    static const float w[6] = {0};
    static const int64_t i[4] = {1, 2, 3, 4};
    build b;
    build_begin(&b, 17, 3, 4, 4);
    build_tensor(&b, "w", 1, (int64_t[]){2, 3, 1, 1}, 4, w, sizeof w);
    build_tensor(&b, "b", 7, (int64_t[]){2}, 1, i, 2 * sizeof *i);
    build_node(&b, "Conv", "c", "x w b", "y");
    refuse(&b, "or integers");
    build_begin(&b, 17, 3, 4, 4);
    build_tensor(&b, "g", 7, (int64_t[]){4}, 1, i, sizeof i);
    build_node(&b, "LayerNormalization", "n", "x g", "y");
    refuse(&b, "of integers");
}

/* 0 outputs fit any number of groups, and that number times the inputs does not fit 64 bits. */
static void groups_of_nothing(void **state) {
    (void)state;
    build b;
    build_begin(&b, 17, 3, 4, 4);
    build_tensor(&b, "w", 1, (int64_t[]){0, 2, 1, 1}, 4, "", 0);
    pb_node *n = build_node(&b, "Conv", "c", "x w", "y");
    build_int(&b, n, "group", INT64_C(3) << 61);
    refuse(&b, "in 6917529027641081856 groups");
}

static void factors_without_end(void **state) {
    (void)state;
    float k[4] = {1, 1, 1e38F, 2};
    build b;
    build_begin(&b, 17, 3, 4, 4);
    k[2] *= 10;
    build_tensor(&b, "k", 1, (int64_t[]){4}, 1, k, sizeof k);
    build_node(&b, "Resize", "r", "x - k", "y");
    refuse(&b, "too large");
}

/* Each Identity is a copy: twelve of 16 million elements, out of a hundred bytes. */
static void copies_of_constants_end(void **state) {
    (void)state;
    static const int64_t shape[4] = {1, 3, 1 << 12, 1 << 12};
    static char names[BUILD_MOST][8];
    build b;
    build_begin(&b, 17, 3, 4, 4);
    build_tensor(&b, "s", 7, (int64_t[]){4}, 1, shape, sizeof shape);
    build_node(&b, "ConstantOfShape", "v0", "s", "v0");
    for (int k = 0; k < 12; k++) {
        snprintf(names[k], sizeof names[k], "v%d", k);
        snprintf(names[k + 1], sizeof names[k + 1], "v%d", k + 1);
        build_node(&b, "Identity", names[k + 1], names[k], names[k + 1]);
    }
    build_node(&b, "Relu", "r", "x", "y");
    refuse(&b, "constants of the network grow");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_of_nothing_behind_one_with_inputs),
        cmocka_unit_test(parameters_that_are_integers),
        cmocka_unit_test(groups_of_nothing),
        cmocka_unit_test(factors_without_end),
        cmocka_unit_test(copies_of_constants_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

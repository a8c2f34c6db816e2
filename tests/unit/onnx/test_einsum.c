/* Einsum as attention is written with it, and what is no product of matrices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onnx/onnx.h"
#include "op/op.h"

#include "unit/onnx/build.h"

static hlrp_status parse(const char *equation, const char *in, hlrp_graph **g, hlrp_error *err) {
    uint8_t *bytes = NULL;
    build b;
    build_begin(&b, 13, 2, 3, 4);
    build_text(&b, build_node(&b, "Einsum", "e", in, "y"), "equation", equation);
    const size_t size = build_pack(&b, &bytes);
    hlrp_status status = hlrp_onnx_parse(bytes, size, NULL, NULL, 0, g, err);
    free(bytes);
    return status;
}

/* x [5,2,3,4] with itself: a permutation that is off shows in the shape. */
static void assert_shape(const char *equation, const char *in, const hlrp_dims *want) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    char text[96], expected[96];
    const hlrp_dims input = {4, {5, 2, 3, 4}};
    assert_int_equal(parse(equation, in, &g, &err), HLRP_OK);
    assert_int_equal(hlrp_graph_infer(g, &input, &err), HLRP_OK);
    assert_string_equal(hlrp_dims_text(&g->values[g->output].dims, text, sizeof text),
                        hlrp_dims_text(want, expected, sizeof expected));
    hlrp_graph_free(g);
}

static void products_and_permutations(void **state) {
    (void)state;
    assert_shape("bhid,bhjd->bhij", "x x", &(hlrp_dims){4, {5, 2, 3, 3}});
    assert_shape("bihd, bjhd -> bhij", "x x", &(hlrp_dims){4, {5, 3, 2, 2}});
    assert_shape("bhdi,bhdj->jbhi", "x x", &(hlrp_dims){4, {4, 5, 2, 4}});
    assert_shape("abcd->dcba", "x", &(hlrp_dims){4, {4, 3, 2, 5}});
}

/* Taken for products of matrices these would give other numbers. */
static void other_equations_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"bhid,bhjd->bhi",
                                      "bhid,bhid->bhi",
                                      "bhid,bhjd->bhijd",
                                      "bhii,bhjd->bhij",
                                      "bhid,bhjd",
                                      "->",
                                      "b...d,bhjd->bhj",
                                      "bhid,bhjd,k->bhij",
                                      "bhid-bhjd->bhij",
                                      "",
                                      "abcdefghijk,bhjd->bhij"};
    for (size_t k = 0; k < HLRP_COUNT(bad); k++) {
        hlrp_error err = {0};
        hlrp_graph *g = NULL;
        assert_int_equal(parse(bad[k], "x x", &g, &err), HLRP_E_MODEL);
        assert_non_null(strstr(err.what, "equation"));
        assert_null(g);
    }
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    assert_int_equal(parse("abcd->dcb", "x", &g, &err), HLRP_E_MODEL);
    assert_int_equal(parse("abcd->dcbe", "x", &g, &err), HLRP_E_MODEL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_and_permutations),
        cmocka_unit_test(other_equations_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

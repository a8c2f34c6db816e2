#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tensor/tensor.h"

/* Guards the product: 2^21 · 2^21 · … wraps to a small number in plain arithmetic. */
static void refuses_sizes_that_do_not_fit(void **state) {
    (void)state;
    static const hlrp_dims bad[] = {
        {.rank = 3, .d = {1 << 21, 1 << 21, 1 << 22}},
        {.rank = 2, .d = {INT64_MAX, 2}},
        {.rank = 2, .d = {1 << 21, 1 << 20}}, /* fits int64, but not memory */
        {.rank = 2, .d = {3, -1}},
        {.rank = 9},
        {.rank = -1},
        {.rank = 1, .d = {(INT64_C(1) << 40) + 1}},
    };
    for (size_t k = 0; k < HLRP_COUNT(bad); k++) {
        hlrp_error err = {0};
        int64_t count = 7;
        assert_int_equal(hlrp_dims_count(&bad[k], &count, &err), HLRP_E_MEMORY);
        assert_int_equal(err.status, HLRP_E_MEMORY);
        assert_int_equal(count, 0);
        hlrp_tensor *t = (hlrp_tensor *)&err;
        assert_int_equal(hlrp_tensor_new(&bad[k], HLRP_F32, &t, &err), HLRP_E_MEMORY);
        assert_null(t);
    }
}

static void counts(void **state) {
    (void)state;
    hlrp_error err = {0};
    int64_t count = 0;
    assert_int_equal(hlrp_dims_count(&(hlrp_dims){0}, &count, &err), HLRP_OK);
    assert_int_equal(count, 1);
    hlrp_dims empty = {.rank = 4, .d = {1 << 20, 1 << 20, 0, 1}};
    assert_int_equal(hlrp_dims_count(&empty, &count, &err), HLRP_OK);
    assert_int_equal(count, 0);
    /* without elements, and yet strides over the other axes would overflow */
    hlrp_dims vast = {.rank = 4, .d = {1 << 30, 1 << 30, 0, 1 << 30}};
    assert_int_equal(hlrp_dims_count(&vast, &count, &err), HLRP_E_MEMORY);
    hlrp_dims plain = {.rank = 4, .d = {2, 3, 4, 5}};
    assert_int_equal(hlrp_dims_count(&plain, &count, &err), HLRP_OK);
    assert_int_equal(count, 120);
}

static void tensors_are_zero_aligned_and_copied_deeply(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_dims dims = {.rank = 2, .d = {3, 5}};
    hlrp_tensor *a = NULL, *b = NULL;
    assert_int_equal(hlrp_tensor_new(&dims, HLRP_F32, &a, &err), HLRP_OK);
    assert_int_equal((uintptr_t)a->f % 64, 0);
    assert_null(a->i);
    for (int k = 0; k < 15; k++)
        assert_true(a->f[k] == 0);
    a->f[14] = 2.5F;
    assert_int_equal(hlrp_tensor_copy(a, &b, &err), HLRP_OK);
    a->f[14] = 0;
    assert_true(b->f[14] == 2.5F);
    assert_true(hlrp_dims_equal(&a->dims, &b->dims));
    assert_int_equal(hlrp_tensor_count(b), 15);
    hlrp_tensor_free(a);
    hlrp_tensor_free(b);
    hlrp_tensor_free(NULL);
}

static void texts_fit_their_buffer(void **state) {
    (void)state;
    char text[32];
    hlrp_dims dims = {.rank = 4, .d = {1, 3, 224, -1}};
    assert_string_equal(hlrp_dims_text(&dims, text, sizeof text), "1x3x224x-1");
    assert_string_equal(hlrp_dims_text(&dims, text, 5), "1x3x");
    assert_string_equal(hlrp_dims_text(&(hlrp_dims){0}, text, sizeof text), "scalar");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_sizes_that_do_not_fit),
        cmocka_unit_test(counts),
        cmocka_unit_test(tensors_are_zero_aligned_and_copied_deeply),
        cmocka_unit_test(texts_fit_their_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The display limit against a sorted copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "stitch/limit.h"

static int by_size(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double sorted_percentile(const float *values, int64_t n, double percentile) {
    float *sizes = calloc((size_t)n + 1, sizeof *sizes);
    int64_t finite = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(values[i]))
            sizes[finite++] = fabsf(values[i]);
    qsort(sizes, (size_t)finite, sizeof *sizes, by_size);
    const double at = percentile / 100 * (double)(finite - 1);
    const int64_t lo = (int64_t)at, hi = lo + 1 < finite ? lo + 1 : lo;
    const double value = sizes[lo] + (at - (double)lo) * ((double)sizes[hi] - sizes[lo]);
    free(sizes);
    return value;
}

static double limit_of(const float *values, int64_t n, double percentile, int64_t piece) {
    hlrp_error err = {0};
    hlrp_limit *limit = NULL;
    assert_int_equal(hlrp_limit_new(percentile, &limit, &err), HLRP_OK);
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < n; i += piece)
            hlrp_limit_add(limit, values + i, n - i < piece ? n - i : piece);
        if (pass == 0)
            hlrp_limit_second_pass(limit);
    }
    const double value = hlrp_limit_value(limit);
    hlrp_limit_free(limit);
    return value;
}

/* Guards ranks that fall into different bins, ties, and magnitudes over the whole range of floats.
 */
static void it_is_the_exact_percentile(void **state) {
    (void)state;
    static const double percentiles[] = {0, 1, 50, 90, 99.5, 99.99, 100};
    static const int64_t counts[] = {1, 2, 3, 100, 10007};
    uint32_t seed = 3;
    for (size_t c = 0; c < HLRP_COUNT(counts); c++) {
        float *values = calloc((size_t)counts[c], sizeof *values);
        for (int64_t i = 0; i < counts[c]; i++) {
            seed = seed * 1664525u + 1013904223u;
            const double unit = (double)(seed >> 8) / (1 << 23) - 1;
            values[i] = (float)(i % 3 == 0 ? unit : i % 3 == 1 ? 0.25 : unit * exp(60 * unit));
        }
        for (size_t p = 0; p < HLRP_COUNT(percentiles); p++) {
            const double want = sorted_percentile(values, counts[c], percentiles[p]);
            assert_true(limit_of(values, counts[c], percentiles[p], 77) == want);
        }
        free(values);
    }
}

/* Guards against NaN (not explained) counted as values, and against a limit of a map without any.
 */
static void only_finite_values_count(void **state) {
    (void)state;
    const float some[] = {NAN, -3, INFINITY, 1, -INFINITY, NAN, 2};
    const float none[] = {NAN, NAN};
    assert_true(limit_of(some, 7, 100, 3) == 3);
    assert_true(limit_of(some, 7, 50, 3) == 2);
    assert_true(limit_of(none, 2, 99.5, 1) == 0);
    assert_true(limit_of(none, 0, 99.5, 1) == 0);
}

static void a_bad_percentile_is_refused(void **state) {
    (void)state;
    static const double bad[] = {-1, 100.5, NAN};
    for (size_t i = 0; i < HLRP_COUNT(bad); i++) {
        hlrp_error err = {0};
        hlrp_limit *limit = NULL;
        assert_int_equal(hlrp_limit_new(bad[i], &limit, &err), HLRP_E_CONFIG);
        assert_null(limit);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_exact_percentile),
        cmocka_unit_test(only_finite_values_count),
        cmocka_unit_test(a_bad_percentile_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* exp, erf, tanh and sigmoid of our own beside those of the C library in float64. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/elementary.h"
#include "util/vector.h"

/* Of the float32 results, which are rounded once: half of one is that rounding. */
static const double most_units = 0.6;

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

/* How far y is from the truth, in units in the last place of float32. */
static double units(float y, double truth) {
    const float near = fabsf((float)truth);
    if (isinf(near))
        return isinf(y) && (y > 0) == (truth > 0) ? 0 : INFINITY;
    const double unit = (double)(nextafterf(near, INFINITY) - near);
    return fabs((double)y - truth) / (isinf(unit) ? (double)near * 0x1p-24 : unit);
}

static void compare(const char *name, double (*own)(double), double (*other)(double)) {
    double worst = 0;
    float where = 0;
    for (uint32_t bits = 0; bits < UINT32_C(0x7f800000); bits += 4099) /* all magnitudes */
        for (int sign = -1; sign <= 1; sign += 2) {
            float x = 0;
            memcpy(&x, &bits, sizeof x);
            x *= (float)sign;
            const double apart = units((float)own((double)x), other((double)x));
            if (apart > worst) {
                worst = apart;
                where = x;
            }
        }
    if (worst > most_units)
        print_error("%s(%.9g) is off by %g units\n", name, (double)where, worst);
    assert_true(worst <= most_units);
}

static double own_exp(double x) {
    return hlrp_wide_exp(x);
}

static double own_erf(double x) {
    return hlrp_wide_erf(x);
}

static double own_tanh(double x) {
    return hlrp_wide_tanh(x);
}

static double own_sigmoid(double x) {
    return hlrp_wide_sigmoid(x);
}

static void like_the_library(void **ctx) {
    (void)ctx;
    compare("exp", own_exp, exp);
    compare("erf", own_erf, erf);
    compare("tanh", own_tanh, tanh);
    compare("sigmoid", own_sigmoid, sigmoid);
}

static void at_the_ends(void **ctx) {
    (void)ctx;
    assert_true((float)hlrp_wide_exp(0) == 1);
    assert_true((float)hlrp_wide_exp(-INFINITY) == 0);
    assert_true(isinf((float)hlrp_wide_exp(INFINITY)));
    assert_true((float)hlrp_wide_erf(INFINITY) == 1 && (float)hlrp_wide_erf(-INFINITY) == -1);
    assert_true((float)hlrp_wide_tanh(INFINITY) == 1 && (float)hlrp_wide_tanh(-INFINITY) == -1);
    assert_true(isnan(hlrp_wide_exp(NAN)) && isnan(hlrp_wide_erf(NAN)));
    assert_true(isnan(hlrp_wide_tanh(NAN)) && isnan(hlrp_wide_sigmoid(NAN)));
}

enum { COUNT = 1003 };

HLRP_VECTOR
static void in_a_loop(const float *x, float y[4][COUNT]) {
#pragma omp simd
    for (int64_t i = 0; i < COUNT; i++) {
        y[0][i] = (float)hlrp_wide_exp((double)x[i]);
        y[1][i] = (float)hlrp_wide_erf((double)x[i]);
        y[2][i] = (float)hlrp_wide_tanh((double)x[i]);
        y[3][i] = (float)hlrp_wide_sigmoid((double)x[i]);
    }
}

/* A loop's last numbers are computed one by one, and the others together: they must be the same. */
static void same_bits_in_loops(void **ctx) {
    static float x[COUNT], y[4][COUNT];
    double (*const own[])(double) = {own_exp, own_erf, own_tanh, own_sigmoid};
    (void)ctx;
    for (int i = 0; i < COUNT; i++)
        x[i] = (float)(i - COUNT / 2) / 37.0F;
    in_a_loop(x, y);
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < COUNT; i++) {
            const float alone = (float)own[k]((double)x[i]);
            assert_memory_equal(&alone, &y[k][i], sizeof alone);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_library),
        cmocka_unit_test(at_the_ends),
        cmocka_unit_test(same_bits_in_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

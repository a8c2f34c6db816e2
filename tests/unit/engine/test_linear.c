/* Linear maps: what holds for any kernel, without a reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/linear.h"

static uint32_t state;

static float draw(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}

static float *room(int64_t count) {
    hlrp_error err = {0};
    float *p = NULL;
    assert_int_equal(hlrp_calloc_aligned(&p, count, sizeof *p, "test", &err), HLRP_OK);
    return p;
}

/* Random numbers with zeros in the padding. */
static float *values(const hlrp_layout *l) {
    float *p = room(hlrp_layout_count(l));
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t c = 0; c < l->c; c++)
            for (int64_t i = 0; i < l->h * l->w; i++)
                p[hlrp_layout_offset(l, n, c) + i * l->lanes] = draw();
    return p;
}

static double dot(int64_t count, const float *a, const float *b) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

typedef struct setting {
    hlrp_backend *backend;
    hlrp_linear *map;
    hlrp_stream *stream;
} setting;

static void open_map(setting *s, const hlrp_linear_spec *spec) {
    hlrp_error err = {0};
    assert_int_equal(hlrp_backend_new(&s->backend, &err), HLRP_OK);
    assert_int_equal(hlrp_linear_new(s->backend, spec, &s->map, &err), HLRP_OK);
    assert_int_equal(hlrp_stream_new(s->backend, hlrp_linear_scratch(s->map), &s->stream, &err),
                     HLRP_OK);
}

static void close_map(setting *s) {
    hlrp_stream_free(s->stream);
    hlrp_linear_free(s->map);
    hlrp_backend_free(s->backend);
}

static hlrp_linear_spec conv_spec(int64_t c, int64_t o, int64_t size, int64_t kernel, int64_t pad,
                                  int64_t group) {
    hlrp_linear_spec s = {.group = group, .forward = true, .adjoint = true};
    const int64_t out = size + 2 * pad - kernel + 1;
    s.src = (hlrp_layout){2, c, size, size, c < 8 ? 1 : 16, false};
    s.dst = (hlrp_layout){2, o, out, out, 16, false};
    for (int a = 0; a < 2; a++) {
        s.window.kernel[a] = kernel;
        s.window.stride[a] = s.window.dilation[a] = 1;
        s.window.pad_lo[a] = s.window.pad_hi[a] = pad;
    }
    return s;
}

/* <Wx, s> = <x, Wᵀs>. Guards an adjoint of other weights, pads or groups than the forward's. */
static void adjointness(const hlrp_linear_spec *shape) {
    hlrp_error err = {0};
    hlrp_linear_spec spec = *shape;
    setting set;
    const int64_t taps = spec.gemm ? 1 : spec.window.kernel[0] * spec.window.kernel[1];
    const hlrp_layout weights = {1, spec.dst.c * spec.src.c / spec.group * taps, 1, 1, 1, false};
    float *w = values(&weights), *x = values(&spec.src), *s = values(&spec.dst);
    float *z = room(hlrp_layout_count(&spec.dst)), *c = room(hlrp_layout_count(&spec.src));
    spec.weights = w;
    open_map(&set, &spec);
    assert_int_equal(hlrp_linear_forward(set.map, set.stream, x, z, &err), HLRP_OK);
    assert_int_equal(hlrp_linear_adjoint(set.map, set.stream, s, c, &err), HLRP_OK);
    const double a = dot(hlrp_layout_count(&spec.dst), z, s);
    const double b = dot(hlrp_layout_count(&spec.src), x, c);
    const double unit =
        sqrt(dot(hlrp_layout_count(&spec.dst), z, z) * dot(hlrp_layout_count(&spec.dst), s, s));
    assert_true(unit > 0 && fabs(a - b) <= 1e-6 * unit);
    close_map(&set);
    free(w);
    free(x);
    free(s);
    free(z);
    free(c);
}

static void the_adjoint_is_the_transpose(void **unused) {
    (void)unused;
    const hlrp_linear_spec specs[] = {
        conv_spec(3, 20, 11, 3, 1, 1),  conv_spec(32, 48, 24, 3, 1, 1), /* Winograd's shape */
        conv_spec(16, 16, 9, 1, 0, 1),  conv_spec(20, 20, 10, 3, 1, 20),
        conv_spec(24, 12, 10, 5, 2, 2), conv_spec(9, 33, 8, 4, 1, 1)};
    for (size_t i = 0; i < HLRP_COUNT(specs); i++)
        adjointness(&specs[i]);
    const hlrp_linear_spec gemm = {.gemm = true,
                                   .src = {5, 77, 1, 1, 1},
                                   .dst = {5, 13, 1, 1, 1},
                                   .group = 1,
                                   .forward = true,
                                   .adjoint = true};
    adjointness(&gemm);
}

/* z of x = 0 is the bias in every pixel, and 0 in the channels that pad the last block. */
static void the_bias_is_added_and_padding_stays_zero(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_linear_spec spec = conv_spec(5, 19, 8, 3, 1, 1);
    setting set;
    const hlrp_layout weights = {1, 19 * 5 * 9, 1, 1, 1, false}, vector = {1, 19, 1, 1, 1, false};
    float *w = values(&weights), *b = values(&vector), kept[19];
    memcpy(kept, b, sizeof kept);
    float *x = room(hlrp_layout_count(&spec.src)), *z = room(hlrp_layout_count(&spec.dst));
    spec.weights = w;
    spec.bias = b;
    open_map(&set, &spec);
    memset(w, 0, sizeof *w * 19 * 45); /* a convolution's are packed and may go */
    memset(b, 0, sizeof *b * 19);
    for (int64_t i = 0; i < hlrp_layout_count(&spec.dst); i++)
        z[i] = 5;
    assert_int_equal(hlrp_linear_forward(set.map, set.stream, x, z, &err), HLRP_OK);
    for (int64_t c = 0; c < 32; c++)
        for (int64_t p = 0; p < 64; p++)
            assert_true(z[(c / 16 * 64 + p) * 16 + c % 16] == (c < 19 ? kept[c] : 0));
    close_map(&set);
    free(w);
    free(b);
    free(x);
    free(z);
}

/* A row of a matrix product has the same bits wherever it stands among the others. */
static void rows_do_not_know_their_place(void **unused) {
    (void)unused;
    static const int64_t shapes[][3] = {{4, 5, 3},       {8, 512, 2},  {8, 300, 17},
                                        {3, 1024, 1000}, {16, 64, 64}, {5, 2048, 1}};
    for (size_t k = 0; k < HLRP_COUNT(shapes); k++) {
        hlrp_error err = {0};
        const int64_t n = shapes[k][0], in = shapes[k][1], out = shapes[k][2];
        hlrp_linear_spec spec = {.gemm = true,
                                 .src = {n, in, 1, 1, 1},
                                 .dst = {n, out, 1, 1, 1},
                                 .group = 1,
                                 .forward = true,
                                 .adjoint = true};
        const hlrp_layout weights = {1, in * out, 1, 1, 1, false};
        float *w = values(&weights), *x = values(&spec.src), *z = room(n * out);
        float *s = values(&spec.dst), *c = room(n * in);
        setting set;
        for (int64_t r = 1; r < n; r++) { /* all rows alike */
            memcpy(x + r * in, x, (size_t)in * sizeof *x);
            memcpy(s + r * out, s, (size_t)out * sizeof *s);
        }
        spec.weights = w;
        open_map(&set, &spec);
        assert_int_equal(hlrp_linear_forward(set.map, set.stream, x, z, &err), HLRP_OK);
        assert_int_equal(hlrp_linear_adjoint(set.map, set.stream, s, c, &err), HLRP_OK);
        for (int64_t r = 1; r < n; r++) {
            assert_memory_equal(z + r * out, z, (size_t)out * sizeof *z);
            assert_memory_equal(c + r * in, c, (size_t)in * sizeof *c);
        }
        close_map(&set);
        free(w);
        free(x);
        free(z);
        free(s);
        free(c);
    }
}

static void too_little_scratch_is_refused(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_linear_spec spec = conv_spec(32, 48, 24, 3, 1, 1);
    const hlrp_layout weights = {1, 32 * 48 * 9, 1, 1, 1, false};
    float *w = values(&weights), *x = values(&spec.src), *z = room(hlrp_layout_count(&spec.dst));
    setting set;
    spec.weights = w;
    open_map(&set, &spec);
    hlrp_stream *none = NULL;
    if (hlrp_linear_scratch(set.map) > 0) {
        assert_int_equal(hlrp_stream_new(set.backend, 0, &none, &err), HLRP_OK);
        assert_int_equal(hlrp_linear_forward(set.map, none, x, z, &err), HLRP_E_INTERNAL);
    }
    assert_true(hlrp_linear_kernel(set.map)[0] != '\0');
    hlrp_stream_free(none);
    close_map(&set);
    free(w);
    free(x);
    free(z);
}

/* Rows and columns of zeros are skipped, and what is computed is what it would be: alone in the batch or
 * beside others, and as a product by hand. */
static void zeros_are_skipped_without_a_trace(void **unused) {
    (void)unused;
    enum { SAMPLES = 2, ROWS = 70, INPUTS = 40, OUTPUTS = 1000, GIVES = 500, FROM = 7, TO = 9 };
    hlrp_error err = {0};
    hlrp_linear_spec spec = {.gemm = true,
                             .src = {SAMPLES, INPUTS, ROWS, 1, INPUTS, true},
                             .dst = {SAMPLES, OUTPUTS, ROWS, 1, OUTPUTS, true},
                             .group = 1,
                             .forward = true,
                             .adjoint = true};
    const hlrp_layout weights = {1, OUTPUTS * INPUTS, 1, 1, 1, false};
    const hlrp_layout vector = {1, OUTPUTS, 1, 1, 1, false};
    float *w = values(&weights), *b = values(&vector);
    float *s = values(&spec.dst), *x = values(&spec.src);
    float *z = room(hlrp_layout_count(&spec.dst)), *c = room(hlrp_layout_count(&spec.src));
    setting set;
    /* The second sample has relevance in rows FROM…TO−1 and in outputs from GIVES on. */
    for (int64_t k = 0; k < ROWS; k++) {
        const bool some = k >= FROM && k < TO;
        for (int64_t o = 0; o < OUTPUTS; o++)
            s[(ROWS + k) * OUTPUTS + o] *= some && o >= GIVES;
        for (int64_t i = 0; i < INPUTS; i++)
            x[(ROWS + k) * INPUTS + i] *= some;
    }
    spec.weights = w;
    spec.bias = b;
    open_map(&set, &spec);
    memset(c, 0x55, (size_t)hlrp_layout_count(&spec.src) * sizeof *c);
    memset(z, 0x55, (size_t)hlrp_layout_count(&spec.dst) * sizeof *z);
    assert_int_equal(hlrp_linear_adjoint(set.map, set.stream, s, c, &err), HLRP_OK);
    assert_int_equal(hlrp_linear_forward(set.map, set.stream, x, z, &err), HLRP_OK);
    for (int64_t k = 0; k < SAMPLES * ROWS; k++) {
        for (int64_t i = 0; i < INPUTS; i++) {
            double sum = 0;
            for (int64_t o = 0; o < OUTPUTS; o++)
                sum += (double)s[k * OUTPUTS + o] * (double)w[o * INPUTS + i];
            assert_true(fabs(sum - (double)c[k * INPUTS + i]) <= 1e-4);
        }
        for (int64_t o = 0; o < OUTPUTS; o++) {
            const double sum = (double)b[o] + dot(INPUTS, x + k * INPUTS, w + o * INPUTS);
            assert_true(fabs(sum - (double)z[k * OUTPUTS + o]) <= 1e-5);
        }
    }
    /* Whatever stands beside it in the batch, the second one's bits stay. */
    float *before = room(ROWS * INPUTS);
    memcpy(before, c + ROWS * INPUTS, ROWS * INPUTS * sizeof *c);
    memset(s, 0, ROWS * OUTPUTS * sizeof *s);
    assert_int_equal(hlrp_linear_adjoint(set.map, set.stream, s, c, &err), HLRP_OK);
    assert_memory_equal(before, c + ROWS * INPUTS, ROWS * INPUTS * sizeof *c);
    for (int64_t i = 0; i < ROWS * INPUTS; i++)
        assert_true(c[i] == 0);
    close_map(&set);
    free(before);
    free(w);
    free(b);
    free(s);
    free(x);
    free(z);
    free(c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_adjoint_is_the_transpose),
        cmocka_unit_test(the_bias_is_added_and_padding_stays_zero),
        cmocka_unit_test(rows_do_not_know_their_place),
        cmocka_unit_test(zeros_are_skipped_without_a_trace),
        cmocka_unit_test(too_little_scratch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

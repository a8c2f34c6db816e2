/* Every kernel of the engine's table, forced (as libdeflate's tests force every instruction set): z and c of
 * all shapes against the float64 definition. Without it a kernel that this processor never prefers, or
 * that only an odd shape reaches, would be tried first on a user's machine. */
#include <math.h>

#include "engine/linear.h"
#include "versus.h"

typedef struct shape {
    const char *what;
    bool gemm;
    int64_t c, o, h, w, group;
    hlrp_window window;
    int lanes_in, lanes_out;
} shape;

#define WINDOW(k, s, d, lo, hi)                                                                    \
    {                                                                                              \
        .kernel = {k, k}, .stride = {s, s}, .dilation = {d, d}, .pad_lo = {lo, lo}, .pad_hi = {    \
            hi,                                                                                    \
            hi                                                                                     \
        }                                                                                          \
    }

static const shape shapes[] = {
    {"3x3", false, 16, 32, 12, 11, 1, WINDOW(3, 1, 1, 1, 1), 16, 16},
    {"3x3 that Winograd takes", false, 32, 16, 24, 23, 1, WINDOW(3, 1, 1, 1, 1), 16, 16},
    {"colors", false, 3, 20, 13, 9, 1, WINDOW(7, 2, 1, 3, 3), 1, 16},
    {"colors in blocks", false, 3, 20, 13, 9, 1, WINDOW(3, 1, 1, 1, 1), 16, 16},
    {"1x1", false, 24, 40, 6, 7, 1, WINDOW(1, 1, 1, 0, 0), 16, 16},
    {"1x1 by 2", false, 24, 40, 6, 7, 1, WINDOW(1, 2, 1, 0, 0), 16, 16},
    {"dilated", false, 16, 16, 15, 14, 1, WINDOW(3, 1, 2, 2, 2), 16, 16},
    {"uneven pads", false, 16, 16, 10, 10, 1, WINDOW(3, 2, 1, 0, 1), 16, 16},
    {"wide pads", false, 17, 9, 8, 8, 1, WINDOW(4, 1, 1, 2, 1), 16, 16},
    {"depthwise", false, 32, 32, 9, 10, 32, WINDOW(3, 1, 1, 1, 1), 16, 16},
    {"depthwise by 2, odd", false, 20, 20, 9, 10, 20, WINDOW(3, 2, 1, 1, 1), 16, 16},
    {"groups", false, 24, 12, 9, 9, 2, WINDOW(3, 1, 1, 1, 1), 16, 16},
    {"groups of blocks", false, 64, 32, 9, 9, 2, WINDOW(3, 1, 1, 1, 1), 16, 16},
    {"blocks of 8", false, 12, 16, 9, 9, 1, WINDOW(3, 1, 1, 1, 1), 8, 8},
    {"plain", false, 5, 7, 9, 9, 1, WINDOW(3, 1, 1, 1, 1), 1, 1},
    {"more channels multiplied", false, 8, 24, 9, 9, 8, WINDOW(3, 1, 1, 1, 1), 16, 16},
    {"matrix", true, 77, 13, 1, 1, 1, WINDOW(1, 1, 1, 0, 0), 1, 1},
};

enum { SAMPLES = 3 };

/* One shape with its numbers, in float64 and plain. */
typedef struct trial {
    net n; /* for its generator */
    hlrp_linear_spec spec;
    hlrp_ref_conv ref;
    int64_t weights, inputs, outputs;
    double *w, *b, *x, *s, *z, *c;
    float *weights_f, *bias_f, *in, *out;
} trial;

static int64_t extent(const shape *s, int axis) {
    return hlrp_window_extent(&s->window, axis, axis == 0 ? s->h : s->w);
}

static double *drawn(trial *t, int64_t count) {
    double *to = room(count, sizeof *to);
    for (int64_t i = 0; i < count; i++)
        to[i] = (double)(float)net_uniform(&t->n, -1, 1);
    return to;
}

static float *as_floats(const double *from, int64_t count) {
    float *to = room(count, sizeof *to);
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)from[i];
    return to;
}

static void set_up(trial *t, const shape *s) {
    const int64_t oh = extent(s, 0), ow = extent(s, 1);
    const int64_t taps = s->window.kernel[0] * s->window.kernel[1];
    *t = (trial){.n = {.state = 7}};
    t->spec = (hlrp_linear_spec){.gemm = s->gemm,
                                 .src = {SAMPLES, s->c, s->h, s->w, s->lanes_in},
                                 .dst = {SAMPLES, s->o, oh, ow, s->lanes_out},
                                 .window = s->window,
                                 .group = s->group,
                                 .forward = true,
                                 .adjoint = true};
    t->ref =
        (hlrp_ref_conv){{SAMPLES, s->c, s->h, s->w}, {SAMPLES, s->o, oh, ow}, &s->window, s->group};
    t->weights = s->o * (s->c / s->group) * taps;
    t->inputs = hlrp_ref_count(t->ref.x);
    t->outputs = hlrp_ref_count(t->ref.y);
    t->w = drawn(t, t->weights);
    t->b = drawn(t, s->o);
    t->x = drawn(t, t->inputs);
    t->s = drawn(t, t->outputs);
    t->z = room(t->outputs, sizeof *t->z);
    t->c = room(t->inputs, sizeof *t->c);
    hlrp_ref_conv_forward(&t->ref, t->x, t->w, t->b, t->z);
    hlrp_ref_conv_adjoint(&t->ref, t->s, t->w, t->c);
    t->weights_f = as_floats(t->w, t->weights);
    t->bias_f = as_floats(t->b, s->o);
    t->spec.weights = t->weights_f;
    t->spec.bias = t->bias_f;
}

static void tear_down(trial *t) {
    free(t->w);
    free(t->b);
    free(t->x);
    free(t->s);
    free(t->z);
    free(t->c);
    free(t->weights_f);
    free(t->bias_f);
}

/* Largest error over the largest number; padding that is not 0 is an error without bound. */
static double error_of(const hlrp_layout *l, const float *got, const double *expected) {
    hlrp_layout flat = *l;
    flat.lanes = 1;
    float *plain = room(hlrp_layout_count(&flat), sizeof *plain);
    double worst = 0, most = 0, sum = 0, all = 0;
    hlrp_repack(l, got, &flat, plain);
    for (int64_t i = 0; i < hlrp_layout_count(&flat); i++) {
        worst = fmax(worst, fabs((double)plain[i] - expected[i]));
        most = fmax(most, fabs(expected[i]));
        sum += fabs((double)plain[i]);
    }
    for (int64_t i = 0; i < hlrp_layout_count(l); i++)
        all += fabs((double)got[i]);
    free(plain);
    return fabs(all - sum) <= 1e-9 * sum ? worst / most : INFINITY;
}

static float *packed(const hlrp_layout *l, const double *from) {
    hlrp_layout flat = *l;
    flat.lanes = 1;
    float *plain = as_floats(from, hlrp_layout_count(&flat));
    float *to = NULL;
    hlrp_error err = {0};
    check(hlrp_calloc_aligned(&to, hlrp_layout_count(l), sizeof *to, "test", &err), &err);
    hlrp_repack(&flat, plain, l, to);
    free(plain);
    return to;
}

static float *dirty(const hlrp_layout *l) {
    float *to = NULL;
    hlrp_error err = {0};
    check(hlrp_calloc_aligned(&to, hlrp_layout_count(l), sizeof *to, "test", &err), &err);
    for (int64_t i = 0; i < hlrp_layout_count(l); i++)
        to[i] = 3;
    return to;
}

/* Both directions of one shape; whether `name` computes it. */
static bool agrees(hlrp_backend *backend, const shape *s, double tolerance, const char *name) {
    trial t;
    hlrp_error err = {0};
    hlrp_linear *map = NULL;
    hlrp_stream *stream = NULL;
    set_up(&t, s);
    check(hlrp_linear_new(backend, &t.spec, &map, &err), &err);
    check(hlrp_stream_new(backend, hlrp_linear_scratch(map), &stream, &err), &err);
    float *x = packed(&t.spec.src, t.x), *s_in = packed(&t.spec.dst, t.s);
    float *z = dirty(&t.spec.dst), *c = dirty(&t.spec.src);
    check(hlrp_linear_forward(map, stream, x, z, &err), &err);
    check(hlrp_linear_adjoint(map, stream, s_in, c, &err), &err);
    const double forward = error_of(&t.spec.dst, z, t.z), back = error_of(&t.spec.src, c, t.c);
    if (forward > tolerance || back > tolerance)
        print_error("%s: %s: %g forward, %g back\n", name, s->what, forward, back);
    assert_true(forward <= tolerance && back <= tolerance);
    const bool taken = strcmp(hlrp_linear_taken(map), name) == 0;
    hlrp_stream_free(stream);
    hlrp_linear_free(map);
    free(x);
    free(s_in);
    free(z);
    free(c);
    tear_down(&t);
    return taken;
}

static void every_kernel_gives_what_the_definition_gives(void **state) {
    (void)state;
    for (int k = 0; hlrp_kernel_at(k); k++) {
        const char *name = hlrp_kernel_at(k);
        const bool coarse = strcmp(name, "winograd") == 0;
        hlrp_error err = {0};
        hlrp_backend *backend = NULL;
        int taken = 0;
        check(hlrp_backend_new(&backend, &err), &err);
        check(hlrp_backend_force(backend, name, &err), &err);
        if (coarse)
            hlrp_backend_allow_coarse(backend);
        for (size_t i = 0; i < HLRP_COUNT(shapes); i++)
            taken += agrees(backend, &shapes[i], coarse ? 2e-5 : 2e-6, name);
        assert_true(taken > 0);
        if (strcmp(name, "plain") == 0)
            assert_int_equal(taken, HLRP_COUNT(shapes));
        hlrp_backend_free(backend);
    }
}

static void an_unknown_kernel_is_refused(void **state) {
    hlrp_error err = {0};
    hlrp_backend *backend = NULL;
    (void)state;
    check(hlrp_backend_new(&backend, &err), &err);
    assert_int_equal(hlrp_backend_force(backend, "fastest", &err), HLRP_E_USAGE);
    assert_non_null(strstr(err.what, "fastest"));
    hlrp_backend_free(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_gives_what_the_definition_gives),
        cmocka_unit_test(an_unknown_kernel_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The engine's kernels, one by one and in every layout, against the float64 reference. */
#include "net.h"
#include "reference/reference.h"

#include "engine/kernels.h"
#include "engine/linear.h"
#include "sched/sched.h"

static const int lanes_list[] = {1, 8, 16};
static const int64_t channel_list[] = {1, 3, 8, 15, 16, 17, 33};

/* A value in a layout of some lanes and in plain float64. */
typedef struct both {
    hlrp_layout layout;
    hlrp_ref_shape shape;
    float *f;
    double *d;
} both;

static hlrp_layout plain(const hlrp_layout *l) {
    hlrp_layout p = *l;
    p.lanes = 1;
    return p;
}

static float *aligned_room(int64_t floats) {
    hlrp_error err = {0};
    float *p = NULL;
    check(hlrp_calloc_aligned(&p, floats, sizeof *p, "test", &err), &err);
    return p;
}

static both make(int64_t n, int64_t c, int64_t h, int64_t w, int lanes) {
    both b = {.layout = {n, c, h, w, lanes}, .shape = {n, c, h, w}};
    b.f = aligned_room(hlrp_layout_count(&b.layout));
    b.d = room(hlrp_ref_count(b.shape), sizeof *b.d);
    return b;
}

static void fill(net *rng, both *b, double lo, double hi) {
    const int64_t count = hlrp_ref_count(b->shape);
    const hlrp_layout p = plain(&b->layout);
    float *narrow = aligned_room(count);
    for (int64_t i = 0; i < count; i++) {
        narrow[i] = (float)net_uniform(rng, lo, hi);
        b->d[i] = (double)narrow[i];
    }
    hlrp_repack(&p, narrow, &b->layout, b->f);
    free(narrow);
}

/* Outputs must be written, padding included: what stood there before must not shine through. */
static void spoil(both *b) {
    for (int64_t i = 0; i < hlrp_layout_count(&b->layout); i++)
        b->f[i] = 77;
}

static void same(const both *b, double tolerance, const char *what) {
    const int64_t count = hlrp_ref_count(b->shape), room_for = hlrp_layout_count(&b->layout);
    const hlrp_layout p = plain(&b->layout);
    float *narrow = aligned_room(count), *again = aligned_room(room_for);
    double largest = 1e-30, worst = 0;
    hlrp_repack(&b->layout, b->f, &p, narrow);
    hlrp_repack(&p, narrow, &b->layout, again); /* the same with zeros for padding */
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(b->d[i]));
        worst = fmax(worst, fabs((double)narrow[i] - b->d[i]));
    }
    if (!(worst <= tolerance * largest))
        fail_msg("%s, %d lanes, %d channels: off by %g of %g", what, b->layout.lanes,
                 (int)b->layout.c, worst, largest);
    for (int64_t i = 0; i < room_for; i++)
        if (b->f[i] != again[i])
            fail_msg("%s, %d lanes, %d channels: padding is not 0", what, b->layout.lanes,
                     (int)b->layout.c);
    free(narrow);
    free(again);
}

static void discard(both *b) {
    free(b->f);
    free(b->d);
}

/* Calls run for every lanes and number of channels. */
static void everywhere(void (*run)(net *rng, int lanes, int64_t channels)) {
    net rng = {.state = 17};
    for (size_t l = 0; l < HLRP_COUNT(lanes_list); l++)
        for (size_t c = 0; c < HLRP_COUNT(channel_list); c++)
            run(&rng, lanes_list[l], channel_list[c]);
}

static void run_pointwise(net *rng, int lanes, int64_t c) {
    both x = make(2, c, 5, 7, lanes), y = make(2, c, 5, 7, lanes);
    const int64_t count = hlrp_layout_count(&x.layout), logical = hlrp_ref_count(x.shape);
    float scale[40], shift[40];
    double wide_scale[40], wide_shift[40];
    for (int i = 0; i < 40; i++) {
        wide_scale[i] = (double)(scale[i] = (float)net_uniform(rng, -2, 2));
        wide_shift[i] = (double)(shift[i] = (float)net_uniform(rng, -2, 2));
    }
    fill(rng, &x, -2, 2);
    spoil(&y);
    hlrp_relu(count, x.f, y.f);
    hlrp_ref_relu(logical, x.d, y.d);
    same(&y, 0, "relu");
    spoil(&y);
    hlrp_leaky_relu(count, x.f, 0.25f, y.f);
    hlrp_ref_leaky_relu(logical, x.d, 0.25, y.d);
    same(&y, 1e-7, "leaky relu");
    spoil(&y);
    hlrp_clip(&x.layout, x.f, 0.5f, 1.25f, y.f); /* 0 is outside: padding must stay 0 */
    hlrp_ref_clip(logical, x.d, 0.5, 1.25, y.d);
    same(&y, 0, "clip");
    spoil(&y);
    hlrp_affine(&x.layout, x.f, scale, shift, y.f);
    hlrp_ref_affine(x.shape, x.d, wide_scale, wide_shift, y.d);
    same(&y, 1e-6, "affine");
    spoil(&y);
    memcpy(y.f, x.f, (size_t)count * sizeof *y.f);
    hlrp_add(count, x.f, y.f);
    hlrp_add(count, x.f, y.f);
    for (int64_t i = 0; i < logical; i++)
        y.d[i] = 3 * x.d[i];
    same(&y, 1e-6, "sum");
    discard(&x);
    discard(&y);
}

static void pointwise(void **unused) {
    (void)unused;
    everywhere(run_pointwise);
}

static hlrp_window any_window(net *rng) {
    hlrp_window w = net_window(2, 1, 0);
    for (int a = 0; a < 2; a++) {
        w.kernel[a] = net_int(rng, 1, 3);
        w.stride[a] = net_int(rng, 1, 3);
        w.dilation[a] = net_int(rng, 1, 2);
        w.pad_lo[a] = net_int(rng, 0, (int)w.kernel[a] - 1);
        w.pad_hi[a] = net_int(rng, 0, (int)w.kernel[a] - 1);
    }
    w.ceil = net_chance(rng, 0.5);
    w.count_pad = net_chance(rng, 0.5);
    return w;
}

static void run_pools(net *rng, int lanes, int64_t c) {
    for (int times = 0; times < 12; times++) {
        const hlrp_window w = any_window(rng);
        const int64_t h = net_int(rng, 5, 9), v = net_int(rng, 5, 9);
        both x = make(2, c, h, v, lanes), back = make(2, c, h, v, lanes);
        both y = make(2, c, hlrp_window_extent(&w, 0, h), hlrp_window_extent(&w, 1, v), lanes);
        int32_t *arg = room(hlrp_layout_count(&y.layout), sizeof *arg);
        int64_t *wide_arg = room(hlrp_ref_count(y.shape), sizeof *wide_arg);
        fill(rng, &x, -1, 1);
        if (times % 2) /* many ties */
            for (int64_t i = 0; i < hlrp_ref_count(x.shape); i++)
                x.d[i] = floor(x.d[i] * 2);
        for (int64_t i = 0; times % 2 && i < hlrp_layout_count(&x.layout); i++)
            x.f[i] = floorf(x.f[i] * 2);
        spoil(&y);
        spoil(&back);
        hlrp_maxpool(&x.layout, &y.layout, &w, x.f, y.f, arg);
        hlrp_ref_maxpool(x.shape, y.shape, &w, x.d, y.d, wide_arg);
        same(&y, 0, "maxpool");
        fill(rng, &y, -1, 1);
        hlrp_maxpool_adjoint(&x.layout, &y.layout, arg, y.f, back.f);
        hlrp_ref_maxpool_adjoint(x.shape, y.shape, wide_arg, y.d, back.d);
        same(&back, 1e-6, "maxpool's adjoint");
        spoil(&y);
        spoil(&back);
        hlrp_avgpool(&x.layout, &y.layout, &w, x.f, y.f);
        hlrp_ref_avgpool(x.shape, y.shape, &w, x.d, y.d);
        same(&y, 1e-6, "avgpool");
        fill(rng, &y, -1, 1);
        hlrp_avgpool_adjoint(&x.layout, &y.layout, &w, y.f, back.f);
        hlrp_ref_avgpool_adjoint(x.shape, y.shape, &w, y.d, back.d);
        same(&back, 1e-6, "avgpool's adjoint");
        discard(&x);
        discard(&y);
        discard(&back);
        free(arg);
        free(wide_arg);
    }
}

static void pools(void **unused) {
    (void)unused;
    everywhere(run_pools);
}

/* The mean of equal values is that value, whatever the count: a reciprocal of 3 gave ties away. */
static void means_of_equal_values_tie(void **unused) {
    (void)unused;
    const hlrp_window w = {
        .kernel = {3, 3}, .stride = {1, 1}, .dilation = {1, 1}, .pad_lo = {1, 1}, .pad_hi = {1, 1}};
    both x = make(1, 1, 7, 7, 1), y = make(1, 1, 7, 7, 1);
    for (int i = 0; i < 49; i++)
        x.f[i] = 3;
    hlrp_avgpool(&x.layout, &y.layout, &w, x.f, y.f);
    for (int i = 0; i < 49; i++)
        assert_true(y.f[i] == 3);
    discard(&x);
    discard(&y);
}

/* Dilated taps can jump over a picture of one pixel; the maximum's place lay outside it. */
static void windows_of_padding_only_are_told(void **unused) {
    (void)unused;
    hlrp_window w = {
        .kernel = {2, 1}, .stride = {1, 1}, .dilation = {4, 1}, .pad_lo = {3, 0}, .pad_hi = {1, 0}};
    const hlrp_layout x = {1, 1, 1, 5, 1, false}, y = {1, 1, 1, 5, 1, false};
    assert_int_equal(hlrp_window_extent(&w, 0, 1), 1);
    assert_false(hlrp_windows_see(&w, &x, &y));
    w.pad_lo[0] = 4;
    w.pad_hi[0] = 0;
    assert_true(hlrp_windows_see(&w, &x, &y));
}

static void run_global(net *rng, int lanes, int64_t c) {
    for (int to = 0; to < 2; to++) { /* [N,C,1,1] in blocks, [N,C] plain */
        both x = make(3, c, 6, 5, lanes), back = make(3, c, 6, 5, lanes);
        both y = make(3, c, 1, 1, to ? lanes : 1);
        fill(rng, &x, -1, 1);
        spoil(&y);
        spoil(&back);
        hlrp_global_avgpool(&x.layout, &y.layout, x.f, y.f);
        hlrp_ref_global_avgpool(x.shape, x.d, y.d);
        same(&y, 1e-6, "global average pool");
        fill(rng, &y, -1, 1);
        hlrp_global_avgpool_adjoint(&x.layout, &y.layout, y.f, back.f);
        hlrp_ref_global_avgpool_adjoint(x.shape, y.d, back.d);
        same(&back, 1e-6, "global average pool's adjoint");
        discard(&x);
        discard(&y);
        discard(&back);
    }
}

static void global_pools(void **unused) {
    (void)unused;
    everywhere(run_global);
}

static void run_movement(net *rng, int lanes, int64_t c) {
    const int64_t lo[2] = {net_int(rng, -2, 2), net_int(rng, -2, 2)}, size[2] = {7, 6};
    both x = make(2, c, 6, 6, lanes), back = make(2, c, 6, 6, lanes);
    both y = make(2, c, size[0], size[1], lanes);
    fill(rng, &x, -1, 1);
    spoil(&y);
    spoil(&back);
    hlrp_pad(&x.layout, &y.layout, lo, x.f, y.f);
    hlrp_ref_pad(x.shape, y.shape, lo, x.d, y.d);
    same(&y, 0, "pad");
    hlrp_pad_adjoint(&x.layout, &y.layout, lo, y.f, back.f);
    hlrp_ref_pad_adjoint(x.shape, y.shape, lo, y.d, back.d);
    same(&back, 0, "pad's adjoint");
    for (int64_t at = 0; at < 20; at += 4) { /* parts on and off block borders, of any lanes */
        both whole = make(2, c + 20, 6, 6, lanes), part = make(2, c, 6, 6, at % 8 ? lanes : 1);
        fill(rng, &part, -1, 1);
        fill(rng, &whole, -1, 1);
        hlrp_concat_part(&whole.layout, whole.f, &part.layout, part.f, at);
        hlrp_ref_concat_part(whole.shape, whole.d, part.shape, part.d, at);
        same(&whole, 0, "concat");
        spoil(&part);
        hlrp_split_part(&whole.layout, whole.f, &part.layout, part.f, at);
        hlrp_ref_split_part(whole.shape, whole.d, part.shape, part.d, at);
        same(&part, 0, "split");
        discard(&whole);
        discard(&part);
    }
    discard(&x);
    discard(&y);
    discard(&back);
}

/* Parts that begin and end anywhere: channels of two blocks met in one, and padding lanes held
 * what stood there before. */
static void run_parts(net *rng, int lanes, int64_t c) {
    for (int times = 0; times < 4; times++) {
        const int64_t at = times == 0 ? 0 : net_int(rng, 0, (int)c - 1);
        const int64_t some = times == 0 ? c : net_int(rng, 1, (int)(c - at));
        const hlrp_dims from = {.rank = 4, .d = {0, at, net_int(rng, 0, 3), net_int(rng, 0, 2)}};
        const hlrp_dims xs = {.rank = 4, .d = {2, c, 6, 5}}, ys = {.rank = 4, .d = {2, some, 3, 3}};
        both x = make(2, c, 6, 5, lanes), y = make(2, some, 3, 3, lanes);
        both back = make(2, c, 6, 5, lanes);
        fill(rng, &x, -1, 1);
        spoil(&y);
        spoil(&back);
        hlrp_slice(&x.layout, &y.layout, &from.d[1], x.f, y.f);
        hlrp_ref_slice(&xs, &ys, &from, x.d, y.d);
        same(&y, 0, "slice");
        hlrp_slice_adjoint(&x.layout, &y.layout, &from.d[1], y.f, back.f);
        hlrp_ref_slice_adjoint(&xs, &ys, &from, y.d, back.d);
        same(&back, 0, "slice's adjoint");
        discard(&x);
        discard(&y);
        discard(&back);
    }
}

static void run_shuffle(net *rng, int lanes, int64_t c) {
    for (int64_t group = 1; group <= c; group++) {
        if (c % group != 0)
            continue;
        both x = make(2, c, 3, 2, lanes), y = make(2, c, 3, 2, lanes);
        fill(rng, &x, -1, 1);
        spoil(&y);
        hlrp_shuffle(&x.layout, group, x.f, y.f);
        hlrp_ref_shuffle(x.shape, group, x.d, y.d);
        same(&y, 0, "shuffle");
        hlrp_shuffle(&x.layout, c / group, x.f, y.f);
        hlrp_ref_shuffle_adjoint(x.shape, group, x.d, y.d);
        same(&y, 0, "shuffle's adjoint");
        discard(&x);
        discard(&y);
    }
}

static void movement(void **unused) {
    (void)unused;
    everywhere(run_movement);
    everywhere(run_parts);
    everywhere(run_shuffle);
}

/* ---- linear maps ---- */

/* Of the map's peak, and whether coarse kernels are allowed: what a test asks of its maps. */
static double rounding = 1e-5;
static bool coarse;

typedef struct linear_case {
    hlrp_linear_spec spec;
    both x, y, back;
    net *rng;
} linear_case;

static hlrp_status run_linear(void *ctx, hlrp_error *err) {
    linear_case *k = ctx;
    hlrp_backend *backend = NULL;
    hlrp_linear *map = NULL;
    hlrp_stream *stream = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_backend_new(&backend, err));
    if (coarse)
        hlrp_backend_allow_coarse(backend);
    HLRP_TRY(hlrp_linear_new(backend, &k->spec, &map, err));
    HLRP_TRY(hlrp_stream_new(backend, hlrp_linear_scratch(map), &stream, err));
    assert_true(coarse || !strstr(hlrp_linear_kernel(map), "wino"));
    HLRP_TRY(hlrp_linear_forward(map, stream, k->x.f, k->y.f, err));
    same(&k->y, rounding, k->spec.gemm ? "gemm" : hlrp_linear_kernel(map));
    fill(k->rng, &k->y, -1, 1);
    HLRP_TRY(hlrp_linear_adjoint(map, stream, k->y.f, k->back.f, err));
out:
    hlrp_stream_free(stream);
    hlrp_linear_free(map);
    hlrp_backend_free(backend);
    return status;
}

static float *parameters(net *rng, int64_t count, double **wide) {
    float *p = aligned_room(count);
    *wide = room(count, sizeof **wide);
    for (int64_t i = 0; i < count; i++) {
        p[i] = (float)net_uniform(rng, -1, 1);
        (*wide)[i] = (double)p[i];
    }
    return p;
}

/* src and dst have their lanes; n, c, h, w of dst follow. */
static void one_conv(net *rng, const net_conv_spec *s, int64_t n, int64_t c, int64_t h, int64_t w,
                     int src_lanes, int dst_lanes) {
    hlrp_error err = {0};
    linear_case k = {.rng = rng};
    k.spec.group = s->group;
    for (int a = 0; a < 2; a++) {
        k.spec.window.kernel[a] = s->kernel[a];
        k.spec.window.stride[a] = s->stride[a];
        k.spec.window.dilation[a] = s->dilation[a];
        k.spec.window.pad_lo[a] = s->pad_lo[a];
        k.spec.window.pad_hi[a] = s->pad_hi[a];
    }
    k.x = make(n, c, h, w, src_lanes);
    k.back = make(n, c, h, w, src_lanes);
    k.y = make(n, s->out, hlrp_window_extent(&k.spec.window, 0, h),
               hlrp_window_extent(&k.spec.window, 1, w), dst_lanes);
    double *weights = NULL, *bias = NULL;
    float *f = parameters(rng, s->out * (c / s->group) * s->kernel[0] * s->kernel[1], &weights);
    float *b = parameters(rng, s->out, &bias);
    fill(rng, &k.x, -1, 1);
    spoil(&k.y);
    spoil(&k.back);
    k.spec.src = k.x.layout;
    k.spec.dst = k.y.layout;
    k.spec.weights = f;
    k.spec.bias = s->bias ? b : NULL;
    k.spec.forward = k.spec.adjoint = true;
    const hlrp_ref_conv conv = {k.x.shape, k.y.shape, &k.spec.window, s->group};
    hlrp_ref_conv_forward(&conv, k.x.d, weights, s->bias ? bias : NULL, k.y.d);
    check(hlrp_sched_single(run_linear, &k, &err), &err);
    hlrp_ref_conv_adjoint(&conv, k.y.d, weights, k.back.d);
    same(&k.back, rounding, "a convolution's adjoint");
    discard(&k.x);
    discard(&k.y);
    discard(&k.back);
    free(weights);
    free(bias);
    free(f);
    free(b);
}

static void convolutions(void **unused) {
    (void)unused;
    net rng = {.state = 23};
    for (int times = 0; times < 60; times++) {
        net_conv_spec s = {.group = 1, .bias = net_chance(&rng, 0.5)};
        int64_t c = channel_list[net_int(&rng, 0, 6)];
        s.out = channel_list[net_int(&rng, 0, 6)];
        if (times % 4 == 1) { /* depthwise */
            s.group = c;
            s.out = c * net_int(&rng, 1, 2);
        } else if (times % 4 == 2) {
            s.group = 2;
            c *= 2;
            s.out *= 2;
        }
        for (int a = 0; a < 2; a++) {
            s.kernel[a] = net_int(&rng, 1, 4);
            s.stride[a] = net_int(&rng, 1, 3);
            s.dilation[a] = net_int(&rng, 1, 2);
            s.pad_lo[a] = net_int(&rng, 0, 2);
            s.pad_hi[a] = net_int(&rng, 0, 2);
        }
        one_conv(&rng, &s, 2, c, net_int(&rng, 8, 12), net_int(&rng, 8, 12), times % 3 ? 16 : 1,
                 16);
        one_conv(&rng, &s, 1, c, 9, 8, times % 2 ? 8 : 1, 8);
    }
}

/* Shapes that Winograd's transforms serve: pictures that are no multiple of their tiles, and all
 * pads. Guards the library's adjoint, which is wrong where the pads of an axis differ. */
static void winograd(void **unused) {
    (void)unused;
    static const int64_t sizes[][2] = {{24, 24}, {25, 23}, {11, 13}, {37, 22}};
    net rng = {.state = 29};
    coarse = true;
    for (int pads = 0; pads < 16; pads++) {
        net_conv_spec s = net_square(pads % 2 ? 32 : 48, 3);
        for (int a = 0; a < 2; a++) {
            s.pad_lo[a] = pads >> a & 1;
            s.pad_hi[a] = pads >> (2 + a) & 1;
        }
        for (size_t i = 0; i < HLRP_COUNT(sizes); i++)
            one_conv(&rng, &s, 2, i % 2 ? 64 : 19, sizes[i][0], sizes[i][1], 16, 16);
    }
    coarse = false;
}

/* Unless coarse kernels are allowed, the shapes that Winograd serves are direct sums, both by the library's
 * name for them and in their error, which without AVX-512 is up to 1.3e-6. Guards logits and max pooling's
 * winners, which Winograd turned in large networks. */
static void direct_sums(void **unused) {
    (void)unused;
    net rng = {.state = 37};
    net_conv_spec s = net_square(64, 3);
    rounding = 1.5e-6;
    one_conv(&rng, &s, 2, 128, 24, 24, 16, 16);
    rounding = 1e-5;
}

static void fully_connected(void **unused) {
    (void)unused;
    net rng = {.state = 31};
    for (int times = 0; times < 20; times++) {
        hlrp_error err = {0};
        const int64_t n = net_int(&rng, 1, 9), in = net_int(&rng, 1, 200);
        const int64_t out = net_int(&rng, 1, 40);
        double *weights = NULL, *bias = NULL;
        linear_case k = {.rng = &rng, .spec = {.gemm = true, .group = 1}};
        float *f = parameters(&rng, in * out, &weights), *b = parameters(&rng, out, &bias);
        k.x = make(n, in, 1, 1, 1);
        k.back = make(n, in, 1, 1, 1);
        k.y = make(n, out, 1, 1, 1);
        fill(&rng, &k.x, -1, 1);
        spoil(&k.y);
        spoil(&k.back);
        k.spec.src = k.x.layout;
        k.spec.dst = k.y.layout;
        k.spec.weights = f;
        k.spec.bias = times % 2 ? b : NULL;
        k.spec.forward = k.spec.adjoint = true;
        hlrp_ref_gemm_forward(n, in, out, k.x.d, weights, times % 2 ? bias : NULL, k.y.d);
        check(hlrp_sched_single(run_linear, &k, &err), &err);
        hlrp_ref_gemm_adjoint(n, in, out, k.y.d, weights, k.back.d);
        same(&k.back, 1e-5, "a gemm's adjoint");
        discard(&k.x);
        discard(&k.y);
        discard(&k.back);
        free(weights);
        free(bias);
        free(f);
        free(b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pointwise),
        cmocka_unit_test(pools),
        cmocka_unit_test(means_of_equal_values_tie),
        cmocka_unit_test(windows_of_padding_only_are_told),
        cmocka_unit_test(global_pools),
        cmocka_unit_test(movement),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(winograd),
        cmocka_unit_test(direct_sums),
        cmocka_unit_test(fully_connected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

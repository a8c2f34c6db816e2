#include "net_attention.h"

#include "canonize/canonize.h"
#include "reference/reference.h"

static int64_t extent(const net *n, int x, int axis) {
    const hlrp_dims *d = net_dims(n, x);
    return d->d[axis < 0 ? axis + d->rank : axis];
}

/* ---- activation functions, as nodes and as exporters write them out ---- */

/* x/2·(1 + erf(x/√2)), which becomes one node, or not quite it, which does not; or by tanh */
static int gelu_written_out(net *n, int x) {
    int f = 0;
    if (net_chance(n, 0.5)) {
        f = net_of(n, &hlrp_op_erf,
                   net_scale(n, &hlrp_op_div, x, net_chance(n, 0.5) ? sqrt(2) : 1.5));
    } else {
        f = net_scale(n, &hlrp_op_mul,
                      net_of_two(n, &hlrp_op_gate, x, net_function(n, &hlrp_op_power, x)),
                      0.044715);
        f = net_scale(n, &hlrp_op_mul, net_of_two(n, &hlrp_op_add, x, f), 0.7978845608);
        f = net_of(n, &hlrp_op_tanh, f);
    }
    f = net_scale(n, &hlrp_op_add_const, f, 1);
    if (net_chance(n, 0.5))
        return net_scale(n, &hlrp_op_mul, net_of_two(n, &hlrp_op_gate, x, f), 0.5);
    return net_of_two(n, &hlrp_op_gate, net_scale(n, &hlrp_op_mul, x, 0.5), f);
}

static int silu(net *n, int x) {
    return net_chance(n, 0.5) ? net_function(n, &hlrp_op_swish, x)
                              : net_of_two(n, &hlrp_op_gate, x, net_of(n, &hlrp_op_sigmoid, x));
}

/* max(x, x/10), or min(x, x/10) */
static int bent(net *n, int x) {
    return net_of_two(n, net_chance(n, 0.5) ? &hlrp_op_maximum : &hlrp_op_minimum, x,
                      net_scale(n, &hlrp_op_mul, x, 0.1));
}

/* x/(1 + |x|), x/(1 + exp(−x)), x·(2/(1 + exp(−x))), x·erf(x), which is no GELU, x·tanh(log(1 + exp x)), or
 * an extremum */
static int another_written_out(net *n, int x) {
    if (net_chance(n, 0.2))
        return bent(n, x);
    switch (net_int(n, 0, 3)) {
    case 0:
        return net_of_two(n, &hlrp_op_quotient, x,
                          net_scale(n, &hlrp_op_add_const, net_of(n, &hlrp_op_abs, x), 1));
    case 1: {
        const int e = net_of(n, &hlrp_op_exp, net_of(n, &hlrp_op_neg, x));
        const int d = net_scale(n, &hlrp_op_add_const, e, 1);
        if (net_chance(n, 0.5))
            return net_of_two(n, &hlrp_op_quotient, x, d);
        return net_of_two(n, &hlrp_op_gate, x,
                          net_scale(n, &hlrp_op_mul, net_of(n, &hlrp_op_reciprocal, d), 2));
    }
    case 2:
        return net_of_two(n, &hlrp_op_gate, x, net_of(n, &hlrp_op_erf, x));
    default: {
        const int e = net_scale(n, &hlrp_op_add_const, net_of(n, &hlrp_op_exp, x), 1);
        return net_of_two(n, &hlrp_op_gate, x,
                          net_of(n, &hlrp_op_tanh, net_of(n, &hlrp_op_log, e)));
    }
    }
}

static int activate(net *n, int x) {
    static const hlrp_operator *const some[] = {
        &hlrp_op_gelu, &hlrp_op_gelu_tanh,  &hlrp_op_relu,       &hlrp_op_mish,     &hlrp_op_selu,
        &hlrp_op_celu, &hlrp_op_softsign,   &hlrp_op_hard_swish, &hlrp_op_softplus, &hlrp_op_elu,
        &hlrp_op_clip, &hlrp_op_leaky_relu, &hlrp_op_threshold};
    switch (net_int(n, 0, 5)) {
    case 0:
        return gelu_written_out(n, x);
    case 1:
        return silu(n, x);
    case 2:
    case 3: /* of which there are many kinds, and operators that are in no other place */
        return another_written_out(n, x);
    default:
        return net_function(n, some[net_int(n, 0, (int)HLRP_COUNT(some) - 1)], x);
    }
}

/* ---- blocks of tokens [1,T,C] ---- */

static int normalize(net *n, int x) {
    return net_chance(n, 0.8)
               ? net_norm(n, &hlrp_op_layernorm, x, 2, net_chance(n, 0.9), net_chance(n, 0.8))
               : net_norm(n, &hlrp_op_rmsnorm, x, 2, true, false);
}

/* Queries, keys and values of all heads, [1,H,T,D] each. */
typedef struct heads {
    int q, k, v;
    int64_t count, size;
} heads;

static int one_head_after_the_other(net *n, int x, const heads *h) {
    const int64_t tokens = extent(n, x, 1);
    return net_transpose(n, net_reshape(n, x, DIMS(1, tokens, h->count, h->size)),
                         DIMS(0, 2, 1, 3));
}

static void three_layers(net *n, int x, heads *h) {
    const bool bias = net_chance(n, 0.7);
    h->q = one_head_after_the_other(n, net_linear(n, x, h->count * h->size, bias), h);
    h->k = one_head_after_the_other(n, net_linear(n, x, h->count * h->size, bias), h);
    h->v = one_head_after_the_other(n, net_linear(n, x, h->count * h->size, bias), h);
}

/* [1,T,3,H,D] → [3,1,H,T,D], and each part picked; or cut along the last axis. */
static void one_layer(net *n, int x, heads *h) {
    const int64_t tokens = extent(n, x, 1), all = h->count * h->size;
    const int qkv = net_linear(n, x, 3 * all, net_chance(n, 0.7));
    int *to[3] = {&h->q, &h->k, &h->v};
    if (net_chance(n, 0.5)) {
        const int parted = net_transpose(
            n, net_reshape(n, qkv, DIMS(1, tokens, 3, h->count, h->size)), DIMS(2, 0, 3, 1, 4));
        for (int64_t k = 0; k < 3; k++)
            *to[k] = net_gather(n, parted, 0, (hlrp_dims){0}, &k);
        return;
    }
    const bool split = net_chance(n, 0.5);
    for (int64_t k = 0; k < 3; k++) {
        const int part = split
                             ? net_part(n, qkv, 2, k, 3)
                             : net_cut(n, qkv, -1, k * all, k == 2 ? INT64_MAX : (k + 1) * all, 1);
        *to[k] = one_head_after_the_other(n, part, h);
    }
}

static int score(net *n, const heads *h) {
    const double scale = 1 / sqrt((double)h->size);
    const int k = net_transpose(n, h->k, DIMS(0, 1, 3, 2));
    if (net_chance(n, 0.5)) /* as torch exports it: the root of the scale on both */
        return net_of_two(n, &hlrp_op_matmul, net_scale(n, &hlrp_op_mul, h->q, sqrt(scale)),
                          net_scale(n, &hlrp_op_mul, k, sqrt(scale)));
    const int s = net_of_two(n, &hlrp_op_matmul, h->q, k);
    return net_chance(n, 0.5) ? net_scale(n, &hlrp_op_mul, s, scale)
                              : net_scale(n, &hlrp_op_div, s, 1 / scale);
}

/* Nobody looks at the last token but itself. */
static int mask(net *n, int scores) {
    const int64_t tokens = extent(n, scores, -1);
    const int y = net_with(n, &hlrp_op_add_const, scores, DIMS(1, 1, tokens, tokens), -0.3, 0.3);
    float *m = net_constant(n, n->g->values[y].producer, 1);
    for (int64_t row = 0; row + 1 < tokens; row++)
        m[row * tokens + tokens - 1] = -INFINITY;
    return y;
}

static int attend(net *n, int x) {
    const int64_t tokens = extent(n, x, 1), width = extent(n, x, 2);
    heads h = {.count = net_int(n, 1, 3), .size = net_int(n, 2, 4)};
    if (net_chance(n, 0.5))
        one_layer(n, x, &h);
    else
        three_layers(n, x, &h);
    int s = score(n, &h);
    if (net_chance(n, 0.3))
        s = mask(n, s);
    if (net_chance(n, 0.9))
        s = net_softmax(n, &hlrp_op_softmax, s, net_chance(n, 0.5) ? -1 : 3);
    else
        s = net_of(n, &hlrp_op_exp, net_softmax(n, &hlrp_op_log_softmax, s, -1));
    s = net_transpose(n, net_of_two(n, &hlrp_op_matmul, s, h.v), DIMS(0, 2, 1, 3));
    s = net_reshape(n, s, DIMS(1, tokens, h.count * h.size));
    return net_linear(n, s, width, net_chance(n, 0.8));
}

static int gated_mlp(net *n, int x) {
    const int64_t width = extent(n, x, 2), inner = net_int(n, 4, 9);
    int a = 0, b = 0;
    if (net_chance(n, 0.5)) {
        const int both = net_linear(n, x, 2 * inner, true);
        a = net_part(n, both, -1, 0, 2);
        b = net_part(n, both, -1, 1, 2);
    } else {
        a = net_linear(n, x, inner, true);
        b = net_linear(n, x, inner, net_chance(n, 0.5));
    }
    return net_linear(n, net_of_two(n, &hlrp_op_gate, silu(n, a), b), width, true);
}

static int mlp(net *n, int x) {
    const int64_t width = extent(n, x, 2);
    return net_linear(n, activate(n, net_linear(n, x, net_int(n, 5, 12), true)), width, true);
}

static int layer_scale(net *n, int x) {
    return net_chance(n, 0.5) ? x : net_with(n, &hlrp_op_mul, x, DIMS(extent(n, x, -1)), 0.3, 1.2);
}

/* The mean of all tokens beside each. */
static int mean_beside(net *n, int x) {
    const hlrp_dims all = *net_dims(n, x);
    int m = net_reduce(n, &hlrp_op_reduce_mean, x, DIMS(1), false);
    m = net_unsqueeze(n, net_with(n, &hlrp_op_sub, m, DIMS(1, all.d[2]), -0.3, 0.3), 1);
    return net_of_two(n, &hlrp_op_add, x, net_expand(n, m, all));
}

static int token_block(net *n, int x) {
    int y = layer_scale(n, attend(n, normalize(n, x)));
    x = net_of_two(n, &hlrp_op_add, x, y);
    y = normalize(n, x);
    y = layer_scale(n, net_chance(n, 0.4) ? gated_mlp(n, y) : mlp(n, y));
    return net_of_two(n, &hlrp_op_add, x, y);
}

/* [1,C,h,w] → [1,h·w,C] */
static int tokens_of(net *n, int x) {
    const int64_t c = extent(n, x, 1), pixels = extent(n, x, 2) * extent(n, x, 3);
    return net_transpose(n, net_reshape(n, x, DIMS(1, c, pixels)), DIMS(0, 2, 1));
}

static int patches(net *n, int x) {
    net_conv_spec s = {.out = net_int(n, 6, 12), .group = 1, .dilation = {1, 1}, .bias = true};
    for (int a = 0; a < 2; a++)
        s.kernel[a] = s.stride[a] = 3;
    return tokens_of(n, net_conv(n, x, &s));
}

static void transformer(net *n) {
    int x = patches(n, n->g->input);
    const int64_t width = extent(n, x, 2);
    const bool class_token = net_chance(n, 0.6);
    if (class_token)
        x = net_join(n, (int[]){net_parameter(n, DIMS(1, 1, width), -1, 1), x}, 2, 1);
    if (net_chance(n, 0.8))
        x = net_with(n, net_chance(n, 0.8) ? &hlrp_op_add_const : &hlrp_op_sub, x,
                     DIMS(1, extent(n, x, 1), width), -0.5, 0.5);
    for (int k = net_int(n, 1, 2); k > 0; k--)
        x = token_block(n, x);
    if (net_chance(n, 0.2))
        x = mean_beside(n, x);
    x = normalize(n, x);
    if (class_token && net_chance(n, 0.7))
        x = net_gather(n, x, 1, (hlrp_dims){0}, (int64_t[]){0});
    else
        x = net_reduce(n, net_chance(n, 0.8) ? &hlrp_op_reduce_mean : &hlrp_op_reduce_max, x,
                       DIMS(1), false);
    net_linear(n, x, net_int(n, 2, 4), true);
}

/* ---- blocks of pictures ---- */

static int squeeze_and_excite(net *n, int x) {
    const net_conv_spec down = net_square(3, 1), up = net_square(extent(n, x, 1), 1);
    int g = net_chance(n, 0.5) ? net_global(n, x, true)
                               : net_reduce(n, &hlrp_op_reduce_mean, x, DIMS(2, 3), true);
    g = net_conv(n, activate(n, net_conv(n, g, &down)), &up);
    g = net_function(n, net_chance(n, 0.5) ? &hlrp_op_sigmoid : &hlrp_op_hard_sigmoid, g);
    return net_chance(n, 0.5) ? net_of_two(n, &hlrp_op_gate, x, g)
                              : net_of_two(n, &hlrp_op_gate, g, x);
}

/* Depthwise convolution, then a layer norm and two layers over the channels of each pixel. */
static int convnext_block(net *n, int x) {
    const int64_t c = extent(n, x, 1);
    net_conv_spec s = net_square(c, 3);
    s.group = c;
    int y = net_transpose(n, net_conv(n, x, &s), DIMS(0, 2, 3, 1));
    y = net_norm(n, &hlrp_op_layernorm, y, 3, true, true);
    y = net_linear(n, activate(n, net_linear(n, y, 2 * c, true)), c, true);
    y = net_transpose(n, layer_scale(n, y), DIMS(0, 3, 1, 2));
    return net_of_two(n, &hlrp_op_add, x, y);
}

/* The mean of what was normalized over the same numbers is no longer anything but rounding: a layer
 * stands between. */
static int normalized_pictures(net *n, int x) {
    const net_conv_spec s = net_square(extent(n, x, 1), 1);
    const int64_t c = extent(n, x, 1);
    switch (net_int(n, 0, 2)) {
    case 0:
        x = net_norm(n, &hlrp_op_groupnorm, x, c % 2 == 0 ? 2 : 1, true, true);
        break;
    case 1:
        x = net_norm(n, &hlrp_op_instancenorm, x, 0, true, true);
        break;
    default:
        x = net_local_response(n, x, net_int(n, 2, 5));
    }
    return net_chance(n, 0.5) ? net_conv(n, activate(n, x), &s) : activate(n, net_conv(n, x, &s));
}

static int resized(net *n, int x) {
    const int kinds[3] = {net_int(n, 0, 1), net_int(n, 0, 3), net_int(n, 0, 3)};
    const double h = net_uniform(n, 0.6, 2), w = net_uniform(n, 0.6, 2);
    return net_resize(n, x, kinds, h, w);
}

/* Two by two pixels become channels, as patches are merged. */
static int merged(net *n, int x) {
    x = net_cut(n, net_cut(n, x, 2, 0, extent(n, x, 2) / 2 * 2, 1), 3, 0, extent(n, x, 3) / 2 * 2,
                1);
    const int a = net_cut(n, x, 2, 0, INT64_MAX, 2), b = net_cut(n, x, 2, 1, INT64_MAX, 2);
    return net_join(
        n, (int[]){net_cut(n, a, 3, 0, INT64_MAX, 2), net_cut(n, b, 3, 1, INT64_MAX, 2)}, 2, 1);
}

/* Mirrored and shifted, with zeros at one side. */
static int moved(net *n, int x) {
    switch (net_int(n, 0, 2)) {
    case 0:
        return net_cut(n, x, 3, -1, INT64_MIN + 1, -1);
    case 1:
        return net_tile(n, x, DIMS(1, 1, 1, 2));
    default:
        return net_border(n, net_cut(n, x, 2, 1, INT64_MAX, 1), DIMS(0, 0, 1, 0), DIMS(0, 0, 0, 1));
    }
}

/* Of unit length along the channels: by an operator, or by a root and its inverse. */
static int unit_length(net *n, int x) {
    if (net_chance(n, 0.5)) {
        int s = net_function(n, &hlrp_op_power, x);
        s = net_reduce(n, &hlrp_op_reduce_sum, s, DIMS(1), true);
        s = net_of(n, &hlrp_op_sqrt, net_scale(n, &hlrp_op_add_const, s, 0.1));
        return net_of_two(n, &hlrp_op_gate, x, net_of(n, &hlrp_op_reciprocal, s));
    }
    const int length = net_reduce(n, &hlrp_op_reduce_l2, x, DIMS(1), true);
    return net_of_two(n, &hlrp_op_quotient, x, net_scale(n, &hlrp_op_add_const, length, 0.1));
}

static int picture_block(net *n, int x) {
    const bool small = extent(n, x, 2) < 4 || extent(n, x, 3) < 4;
    const net_conv_spec s = net_square(net_int(n, 4, 9), 3);
    const hlrp_window w = net_window(2, 1, 1);
    switch (net_int(n, 0, 10)) {
    case 0:
        return squeeze_and_excite(n, x);
    case 1:
        return convnext_block(n, x);
    case 2:
        return normalized_pictures(n, x);
    case 3:
        return small ? x : resized(n, x);
    case 4:
        return small ? x : merged(n, x);
    case 5:
        return moved(n, x);
    case 6:
        return unit_length(n, x);
    case 7:
        return net_prelu(n, x, net_chance(n, 0.5) ? 1 : extent(n, x, 1));
    case 8:
        return net_pool(n, net_chance(n, 0.5) ? &hlrp_op_maxpool : &hlrp_op_avgpool, x, &w);
    case 9:
        return net_pad(n, net_shuffle(n, x, extent(n, x, 1) % 2 == 0 ? 2 : 1), (int64_t[]){0, 1},
                       (int64_t[]){-1, 0});
    default:
        return activate(n, net_conv(n, x, &s));
    }
}

static void pictures(net *n) {
    const net_conv_spec s = net_square(net_int(n, 4, 9), 3);
    int x = activate(n, net_conv(n, n->g->input, &s));
    for (int k = net_int(n, 3, 6); k > 0; k--)
        x = picture_block(n, x);
    static const hlrp_operator *const pools[] = {&hlrp_op_reduce_mean, &hlrp_op_reduce_sum,
                                                 &hlrp_op_reduce_max, &hlrp_op_reduce_l2};
    x = net_chance(n, 0.5) ? net_flatten(n, net_global(n, x, true))
                           : net_reduce(n, pools[net_int(n, 0, 3)], x, DIMS(3, 2), false);
    net_linear(n, x, net_int(n, 2, 4), true);
}

/* ---- gated attention over a bag: softmax(w(tanh(Vx) ⊙ sigmoid(Ux))) weighs the features ---- */

static void pooling(net *n) {
    int x = patches(n, n->g->input);
    const int64_t tokens = extent(n, x, 1), width = extent(n, x, 2);
    x = net_function(n, &hlrp_op_relu, x);
    x = net_chance(n, 0.5) ? net_reshape(n, x, DIMS(tokens, width))
                           : net_of(n, &hlrp_op_squeeze, x);
    const int a = net_of(n, &hlrp_op_tanh, net_linear(n, x, 5, true));
    const int b = net_of(n, &hlrp_op_sigmoid, net_linear(n, x, 5, true));
    const int rows = net_int(n, 1, 2);
    int s = net_linear(n, net_of_two(n, &hlrp_op_gate, a, b), rows, true);
    s = net_softmax(n, &hlrp_op_softmax, net_transpose(n, s, DIMS(1, 0)), -1);
    x = net_of_two(n, &hlrp_op_matmul, s, x); /* [rows,C] */
    net_linear(n, net_reshape(n, x, DIMS(1, rows * width)), net_int(n, 2, 4), true);
}

void net_attention(net *n, net_family family, uint64_t seed) {
    hlrp_error err = {0};
    net draw = {.state = seed};
    const int64_t h = 3 * net_int(&draw, 2, 4), w = 3 * net_int(&draw, 2, 4);
    net_begin(n, seed * 104729 + (uint64_t)family, 1, net_int(&draw, 1, 3), h, w);
    if (family == NET_TRANSFORMER)
        transformer(n);
    else if (family == NET_PICTURES)
        pictures(n);
    else
        pooling(n);
    const hlrp_dims input = *net_dims(n, n->g->input);
    const hlrp_canonize_options o = {.verify = hlrp_ref_logits, .verify_tolerance = 1e-5};
    check(hlrp_canonize(n->g, &o, &input, &err), &err);
    check(hlrp_graph_infer(n->g, &input, &err), &err);
}

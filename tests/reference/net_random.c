/* Networks of every kind of node, by seed. */
#include "net.h"

enum { LEAST_EXTENT = 5 }; /* of a picture that may still be made smaller */

static int64_t channels(net *n) {
    static const int64_t some[] = {1, 3, 5, 8, 15, 16, 17, 24, 32, 33};
    return some[net_int(n, 0, (int)HLRP_COUNT(some) - 1)];
}

static bool small(const net *n, int x) {
    return net_dims(n, x)->d[2] < LEAST_EXTENT || net_dims(n, x)->d[3] < LEAST_EXTENT;
}

static int activate(net *n, int x) {
    switch (net_int(n, 0, 5)) {
    case 0:
        return n->serial % 2 ? net_elu(n, x, 0.7) : net_leaky(n, x, 0.1);
    case 1:
        return net_clip(n, x, 0, 1.5);
    case 2:
        return net_chance(n, 0.5) ? x : net_clip(n, x, -1, 1);
    default:
        return net_relu(n, x);
    }
}

/* Grouped, depthwise, dilated, strided, with uneven kernels and pads. */
static int any_conv(net *n, int x) {
    net_conv_spec s = {.out = channels(n), .group = 1, .bias = net_chance(n, 0.7)};
    const int64_t c = net_dims(n, x)->d[1];
    const bool tight = small(n, x);
    for (int a = 0; a < 2; a++) {
        s.kernel[a] = tight ? 1 + 2 * net_int(n, 0, 1) : net_int(n, 1, 4);
        s.stride[a] = tight ? 1 : net_int(n, 1, 2);
        s.dilation[a] = tight || s.kernel[a] > 3 ? 1 : net_int(n, 1, 2);
        s.pad_lo[a] = tight ? s.kernel[a] / 2 : net_int(n, 0, (int)s.kernel[a] - 1);
        s.pad_hi[a] = tight ? s.kernel[a] / 2 : net_int(n, 0, (int)s.kernel[a] - 1);
    }
    if (net_chance(n, 0.25)) { /* depthwise, with one or two outputs per channel */
        s.group = c;
        s.out = c * net_int(n, 1, 2);
    } else if (net_chance(n, 0.3) && c % 2 == 0) {
        s.group = 2;
        s.out += s.out % 2;
    }
    return net_conv(n, x, &s);
}

/* Keeps height and width: 3×3 of stride 1 (Winograd where channels allow) or 1×1. */
static int same_conv(net *n, int x, int64_t out) {
    const net_conv_spec s = net_square(out, net_chance(n, 0.6) ? 3 : 1);
    return net_conv(n, x, &s);
}

static int conv_block(net *n, int x) {
    x = any_conv(n, x);
    if (net_chance(n, 0.3))
        x = net_batchnorm(n, x);
    return activate(n, x);
}

/* Whether x holds means that no convolution has mixed since: windows over the same pixels in
 * another order tie but for rounding, and which of them a maximum takes is then nobody's to say. */
static bool holds_means(const net *n, int x) {
    const int producer = n->g->values[x].producer;
    if (producer < 0 || n->g->nodes[producer].op == &hlrp_op_conv)
        return false;
    const hlrp_node *node = &n->g->nodes[producer];
    if (node->op == &hlrp_op_avgpool)
        return true;
    for (int k = 0; k < node->in_count; k++)
        if (node->in[k] >= 0 && holds_means(n, node->in[k]))
            return true;
    return false;
}

static int pool_block(net *n, int x) {
    hlrp_window w = net_window(2, 1, 0);
    if (small(n, x))
        return net_relu(n, x);
    for (int a = 0; a < 2; a++) {
        w.kernel[a] = net_int(n, 2, 3);
        w.stride[a] = net_int(n, 1, 2);
        w.pad_lo[a] = net_int(n, 0, (int)w.kernel[a] - 1);
        w.pad_hi[a] = net_int(n, 0, (int)w.kernel[a] - 1);
    }
    w.ceil = net_chance(n, 0.5);
    w.count_pad = net_chance(n, 0.5);
    const bool maximum = net_chance(n, 0.5) && !holds_means(n, x);
    return net_pool(n, maximum ? &hlrp_op_maxpool : &hlrp_op_avgpool, x, &w);
}

static int residual_block(net *n, int x) {
    int branch[4];
    const int count = net_int(n, 2, 4);
    for (int k = 0; k < count; k++) {
        branch[k] = k == 0 ? x : same_conv(n, x, net_dims(n, x)->d[1]);
        if (k > 0 && net_chance(n, 0.5))
            branch[k] = same_conv(n, activate(n, branch[k]), net_dims(n, x)->d[1]);
    }
    if (net_chance(n, 0.2))
        branch[0] = branch[1]; /* one value twice */
    x = net_add(n, branch, count);
    return net_chance(n, 0.7) ? net_relu(n, x) : x;
}

static int concat_block(net *n, int x) {
    int part[3] = {x, 0, 0};
    const int count = net_int(n, 2, 3);
    for (int k = 1; k < count; k++)
        part[k] = net_relu(n, same_conv(n, x, channels(n)));
    return net_concat(n, part, count);
}

static int pad_block(net *n, int x) {
    int64_t lo[2], hi[2];
    for (int a = 0; a < 2; a++) {
        lo[a] = net_int(n, small(n, x) ? 0 : -1, 2);
        hi[a] = net_int(n, small(n, x) ? 0 : -1, 2);
    }
    return net_pad(n, x, lo, hi);
}

/* A random part along axis 1, 2 or 3, which may be all of it. */
static int slice_block(net *n, int x) {
    const int axis = net_int(n, 1, 3);
    const int64_t extent = net_dims(n, x)->d[axis];
    const int64_t least = axis == 1 ? 1 : HLRP_MIN(extent, LEAST_EXTENT);
    const int64_t from = net_int(n, 0, (int)(extent - least));
    const int64_t to = net_int(n, (int)(from + least), (int)extent);
    return net_slice(n, x, axis, net_chance(n, 0.5) ? from : from - extent,
                     to == extent ? INT64_MAX : to);
}

/* Split, one part through a convolution, joined and shuffled; parts may overlap, and pixels may be
 * in none. */
static int shuffle_block(net *n, int x) {
    const int64_t c = net_dims(n, x)->d[1];
    const int64_t cut = net_int(n, 0, (int)c - 1);
    const int a = net_slice(n, x, 1, 0, net_int(n, 1, (int)c));
    const int b = net_slice(n, x, 1, cut, INT64_MAX);
    const int parts[2] = {a, net_relu(n, same_conv(n, b, channels(n)))};
    x = net_concat(n, parts, 2);
    const int64_t all = net_dims(n, x)->d[1];
    int64_t group = net_int(n, 1, 4);
    while (all % group != 0)
        group--;
    return net_shuffle(n, x, group);
}

static int block(net *n, int x) {
    switch (net_int(n, 0, 9)) {
    case 8:
        return slice_block(n, x);
    case 9:
        return shuffle_block(n, x);
    case 0:
        return residual_block(n, x);
    case 1:
        return concat_block(n, x);
    case 2:
        return pad_block(n, x);
    case 3:
        return net_add(n, (int[]){x, x}, 2);
    case 4:
    case 5:
        return pool_block(n, x);
    default:
        return conv_block(n, x);
    }
}

static int head(net *n, int x) {
    if (net_chance(n, 0.6))
        x = net_global(n, x, net_chance(n, 0.5));
    if (net_dims(n, x)->rank == 4)
        x = net_flatten(n, x);
    if (net_chance(n, 0.2) && net_dims(n, x)->d[1] > 2)
        x = net_slice(n, x, 1, net_int(n, 0, 1), -1);
    for (int k = net_int(n, 0, 2); k > 0; k--)
        x = net_relu(n, net_gemm(n, x, net_int(n, 3, 20), net_chance(n, 0.7)));
    return net_gemm(n, x, net_int(n, 1, 5), net_chance(n, 0.7));
}

void net_random(net *n, uint64_t seed, int64_t batch) {
    net draw = {.state = seed};
    const int64_t c = net_int(&draw, 1, 4), h = net_int(&draw, 8, 17), w = net_int(&draw, 8, 17);
    net_begin(n, seed * 7919 + 1, batch, c, h, w);
    int x = n->g->input;
    if (net_chance(n, 0.3))
        x = pad_block(n, x);
    if (net_chance(n, 0.2))
        x = slice_block(n, x);
    x = conv_block(n, x);
    for (int k = net_int(n, 1, 8); k > 0; k--)
        x = block(n, x);
    head(n, x);
}

#include "net.h"

/* splitmix64 */
static uint64_t next(net *n) {
    uint64_t z = n->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

double net_uniform(net *n, double lo, double hi) {
    return lo + (hi - lo) * (double)(next(n) >> 11) / 9007199254740992.0;
}

int net_int(net *n, int lo, int hi) {
    return lo + (int)(next(n) % (uint64_t)(hi - lo + 1));
}

bool net_chance(net *n, double probability) {
    return net_uniform(n, 0, 1) < probability;
}

const hlrp_dims *net_dims(const net *n, int value) {
    return &n->g->values[value].dims;
}

int64_t net_count(const net *n, int value) {
    int64_t count = 0;
    hlrp_error err = {0};
    check(hlrp_dims_count(net_dims(n, value), &count, &err), &err);
    return count;
}

void net_begin_with(net *n, uint64_t seed, hlrp_dims input) {
    hlrp_error err = {0};
    *n = (net){.state = seed};
    check(hlrp_graph_new(&n->g, &err), &err);
    n->g->input = hlrp_graph_add_value(n->g, "input", NULL, &err);
    assert_true(n->g->input >= 0);
    n->g->values[n->g->input].dims = input;
    n->g->output = n->g->input;
}

void net_begin(net *n, uint64_t seed, int64_t batch, int64_t c, int64_t h, int64_t w) {
    net_begin_with(n, seed, (hlrp_dims){.rank = 4, .d = {batch, c, h, w}});
}

void net_end(net *n) {
    hlrp_graph_free(n->g);
    n->g = NULL;
}

static int constant(net *n, hlrp_dims dims, double lo, double hi) {
    hlrp_error err = {0};
    hlrp_tensor *t = NULL;
    char name[40];
    check(hlrp_tensor_new(&dims, HLRP_F32, &t, &err), &err);
    for (int64_t i = 0; i < hlrp_tensor_count(t); i++)
        t->f[i] = (float)net_uniform(n, lo, hi);
    snprintf(name, sizeof name, "parameter%d", n->g->value_count);
    const int id = hlrp_graph_add_value(n->g, name, t, &err);
    assert_true(id >= 0);
    return id;
}

/* A node and its output, which becomes the graph's for now. */
static int add(net *n, const hlrp_operator *op, const int *in, int count, hlrp_node **node) {
    hlrp_error err = {0};
    char name[40], value[48];
    snprintf(name, sizeof name, "%s%d", op->name, n->serial++);
    snprintf(value, sizeof value, "%s_out", name);
    const int out = hlrp_graph_add_value(n->g, value, NULL, &err);
    const int id = hlrp_graph_add_node(n->g, op, name, op->name, in, count, &out, 1, &err);
    assert_true(out >= 0 && id >= 0);
    *node = &n->g->nodes[id];
    n->g->output = out;
    return out;
}

static int infer(net *n, int value) {
    hlrp_error err = {0};
    const hlrp_dims input = *net_dims(n, n->g->input);
    check(hlrp_graph_infer(n->g, &input, &err), &err);
    return value;
}

int net_parameter(net *n, hlrp_dims dims, double lo, double hi) {
    return constant(n, dims, lo, hi);
}

hlrp_node *net_add_node(net *n, const hlrp_operator *op, const int *in, int count) {
    hlrp_node *node = NULL;
    add(n, op, in, count, &node);
    return node;
}

int net_infer(net *n, int value) {
    return infer(n, value);
}

int net_conv(net *n, int x, const net_conv_spec *s) {
    hlrp_node *node = NULL;
    const int64_t per_group = net_dims(n, x)->d[1] / s->group;
    const double scale = sqrt(6.0 / (double)(per_group * s->kernel[0] * s->kernel[1]));
    const hlrp_dims w = {.rank = 4, .d = {s->out, per_group, s->kernel[0], s->kernel[1]}};
    const hlrp_dims b = {.rank = 1, .d = {s->out}};
    const int weights = constant(n, w, -scale, scale);
    const int bias = s->bias && !n->bias_free ? constant(n, b, -0.2, 0.2) : -1;
    const int y = add(n, &hlrp_op_conv, (int[]){x, weights, bias}, 3, &node);
    node->group = s->group;
    for (int a = 0; a < 2; a++) {
        node->window.kernel[a] = s->kernel[a];
        node->window.stride[a] = s->stride[a];
        node->window.dilation[a] = s->dilation[a];
        node->window.pad_lo[a] = s->pad_lo[a];
        node->window.pad_hi[a] = s->pad_hi[a];
    }
    return infer(n, y);
}

net_conv_spec net_square(int64_t out, int64_t kernel) {
    const int64_t pad = kernel / 2;
    return (net_conv_spec){out, 1, {kernel, kernel}, {1, 1}, {1, 1}, {pad, pad}, {pad, pad}, true};
}

int net_gemm(net *n, int x, int64_t out, bool bias) {
    hlrp_node *node = NULL;
    const int64_t in = net_dims(n, x)->d[1];
    const double scale = sqrt(6.0 / (double)in);
    const int w = constant(n, (hlrp_dims){.rank = 2, .d = {out, in}}, -scale, scale);
    const hlrp_dims vector = {.rank = 1, .d = {out}};
    const int b = bias && !n->bias_free ? constant(n, vector, -0.2, 0.2) : -1;
    return infer(n, add(n, &hlrp_op_gemm, (int[]){x, w, b}, 3, &node));
}

int net_batchnorm(net *n, int x) {
    hlrp_node *node = NULL;
    const hlrp_dims vector = {.rank = 1, .d = {net_dims(n, x)->d[1]}};
    const int scale = constant(n, vector, 0.5, 1.5), shift = constant(n, vector, -0.3, 0.3);
    return infer(n, add(n, &hlrp_op_batchnorm, (int[]){x, scale, shift}, 3, &node));
}

int net_relu(net *n, int x) {
    hlrp_node *node = NULL;
    return infer(n, add(n, &hlrp_op_relu, &x, 1, &node));
}

int net_leaky(net *n, int x, double alpha) {
    hlrp_node *node = NULL;
    const int y = add(n, &hlrp_op_leaky_relu, &x, 1, &node);
    node->alpha = (float)alpha;
    return infer(n, y);
}

int net_elu(net *n, int x, double alpha) {
    hlrp_node *node = NULL;
    const int y = add(n, &hlrp_op_elu, &x, 1, &node);
    node->alpha = (float)alpha;
    return infer(n, y);
}

int net_clip(net *n, int x, double lo, double hi) {
    hlrp_node *node = NULL;
    const int y = add(n, &hlrp_op_clip, &x, 1, &node);
    node->lo = (float)lo;
    node->hi = (float)hi;
    return infer(n, y);
}

int net_pool(net *n, const hlrp_operator *op, int x, const hlrp_window *window) {
    hlrp_node *node = NULL;
    const int y = add(n, op, &x, 1, &node);
    node->window = *window;
    return infer(n, y);
}

int net_global(net *n, int x, bool keepdims) {
    hlrp_node *node = NULL;
    const int y = add(n, &hlrp_op_global_avgpool, &x, 1, &node);
    node->keepdims = keepdims;
    return infer(n, y);
}

int net_add(net *n, const int *x, int count) {
    hlrp_node *node = NULL;
    return infer(n, add(n, &hlrp_op_add, x, count, &node));
}

int net_concat(net *n, const int *x, int count) {
    hlrp_node *node = NULL;
    const int y = add(n, &hlrp_op_concat, x, count, &node);
    node->axis = 1;
    return infer(n, y);
}

int net_pad(net *n, int x, const int64_t lo[2], const int64_t hi[2]) {
    hlrp_node *node = NULL;
    const int y = add(n, &hlrp_op_pad, &x, 1, &node);
    for (int a = 0; a < 2; a++) {
        node->window.pad_lo[a] = lo[a];
        node->window.pad_hi[a] = hi[a];
    }
    return infer(n, y);
}

static int integer(net *n, int64_t i) {
    hlrp_error err = {0};
    hlrp_tensor *t = NULL;
    const hlrp_dims one = {.rank = 1, .d = {1}};
    check(hlrp_tensor_new(&one, HLRP_I64, &t, &err), &err);
    t->i[0] = i;
    const int id = hlrp_graph_add_value(n->g, "index", t, &err);
    assert_true(id >= 0);
    return id;
}

int net_slice(net *n, int x, int axis, int64_t start, int64_t end) {
    hlrp_node *node = NULL;
    const int in[5] = {x, integer(n, start), integer(n, end), integer(n, axis), -1};
    return infer(n, add(n, &hlrp_op_slice, in, 5, &node));
}

int net_shuffle(net *n, int x, int64_t group) {
    hlrp_node *node = NULL;
    const int y = add(n, &hlrp_op_shuffle, &x, 1, &node);
    node->group = group;
    return infer(n, y);
}

int net_flatten(net *n, int x) {
    hlrp_node *node = NULL;
    const int y = add(n, &hlrp_op_flatten, &x, 1, &node);
    node->axis = 1;
    return infer(n, y);
}

hlrp_window net_window(int64_t kernel, int64_t stride, int64_t pad) {
    return (hlrp_window){.kernel = {kernel, kernel},
                         .stride = {stride, stride},
                         .dilation = {1, 1},
                         .pad_lo = {pad, pad},
                         .pad_hi = {pad, pad}};
}

int net_node(const net *n, const char *name) {
    for (int i = 0; i < n->g->node_count; i++)
        if (strcmp(n->g->nodes[i].name, name) == 0)
            return i;
    fail_msg("no node %s", name);
    return -1;
}

float *net_constant(const net *n, int node, int k) {
    return n->g->values[n->g->nodes[node].in[k]].constant->f;
}

void net_input(net *n, float *input) {
    for (int64_t i = 0; i < net_count(n, n->g->input); i++)
        input[i] = (float)net_uniform(n, -2, 2);
}

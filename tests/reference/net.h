/* Small networks made in a test: canonical graphs with seeded random parameters. Every call fails
 * the running test where the library refuses. */
#ifndef NET_H
#define NET_H

#include "op/op.h"
#include "testing.h"

typedef struct net {
    hlrp_graph *g;
    uint64_t state; /* of the generator */
    int serial;     /* for names */
    bool bias_free; /* convolutions and gemms get none */
} net;

typedef struct net_conv_spec {
    int64_t out, group;
    int64_t kernel[2], stride[2], dilation[2], pad_lo[2], pad_hi[2];
    bool bias;
} net_conv_spec;

double net_uniform(net *n, double lo, double hi);
int net_int(net *n, int lo, int hi); /* both included */
bool net_chance(net *n, double probability);

void net_begin(net *n, uint64_t seed, int64_t batch, int64_t c, int64_t h, int64_t w);
void net_end(net *n);
/* A graph whose input has these dims, of any rank. */
void net_begin_with(net *n, uint64_t seed, hlrp_dims input);
const hlrp_dims *net_dims(const net *n, int value);
int64_t net_count(const net *n, int value);

/* Each returns the id of the new value. Nodes are named "conv0", "relu1", … in order. */
int net_conv(net *n, int x, const net_conv_spec *spec);
net_conv_spec net_square(int64_t out, int64_t kernel); /* stride 1, "same" pads, with a bias */
int net_gemm(net *n, int x, int64_t out, bool bias);
int net_batchnorm(net *n, int x);
int net_relu(net *n, int x);
int net_leaky(net *n, int x, double alpha);
int net_elu(net *n, int x, double alpha);
int net_clip(net *n, int x, double lo, double hi);
int net_pool(net *n, const hlrp_operator *op, int x, const hlrp_window *window);
int net_global(net *n, int x, bool keepdims);
int net_add(net *n, const int *x, int count);
int net_concat(net *n, const int *x, int count);
int net_pad(net *n, int x, const int64_t lo[2], const int64_t hi[2]);
int net_slice(net *n, int x, int axis, int64_t start, int64_t end);
int net_shuffle(net *n, int x, int64_t group);
int net_flatten(net *n, int x);
hlrp_window net_window(int64_t kernel, int64_t stride, int64_t pad);

/* What the above are made of: a parameter in [lo, hi], a node whose output is the graph's for now, and
 * the shapes of all; net_infer returns value. */
int net_parameter(net *n, hlrp_dims dims, double lo, double hi);
hlrp_node *net_add_node(net *n, const hlrp_operator *op, const int *in, int count);
int net_infer(net *n, int value);

int net_node(const net *n, const char *name);       /* id; fails the test where there is none */
float *net_constant(const net *n, int node, int k); /* elements of a node's constant input */

/* A network of every kind of node, chosen by the seed: 2 to 9 blocks and a head. */
void net_random(net *n, uint64_t seed, int64_t batch);

/* Pixels as a normalized picture has them, [-2, 2]; exact in float32. */
void net_input(net *n, float *input);

#endif

/* Nodes of any rank for small networks: attention, normalization, movement and what else files of
 * transformers hold. Each returns the id of the new value. */
#ifndef NET_ROWS_H
#define NET_ROWS_H

#include "net.h"

#define DIMS(...)                                                                                  \
    ((hlrp_dims){.rank = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                \
                 .d = {__VA_ARGS__}})

int net_of(net *n, const hlrp_operator *op, int x);
int net_of_two(net *n, const hlrp_operator *op, int a, int b);
/* With a constant of these dims in [lo, hi] as the second input. */
int net_with(net *n, const hlrp_operator *op, int x, hlrp_dims dims, double lo, double hi);
int net_scale(net *n, const hlrp_operator *op, int x, double by);
/* A function of one number, with parameters that it usually has. */
int net_function(net *n, const hlrp_operator *op, int x);

int net_linear(net *n, int x, int64_t out, bool bias); /* gemm along the last axis */
int net_prelu(net *n, int x, int64_t slopes);
/* from: the axis, or how many groups. scale, bias: whether it has them. */
int net_norm(net *n, const hlrp_operator *op, int x, int64_t from, bool scale, bool bias);
int net_local_response(net *n, int x, int64_t size);
int net_softmax(net *n, const hlrp_operator *op, int x, int axis);
int net_reduce(net *n, const hlrp_operator *op, int x, hlrp_dims axes, bool keepdims);
/* kinds: how it reads, its frame and its nearest; factors of H and W. */
int net_resize(net *n, int x, const int kinds[3], double h, double w);

int net_transpose(net *n, int x, hlrp_dims perm);
int net_reshape(net *n, int x, hlrp_dims dims);
int net_unsqueeze(net *n, int x, int axis);
int net_cut(net *n, int x, int axis, int64_t start, int64_t end, int64_t step);
int net_part(net *n, int x, int axis, int64_t part, int64_t of); /* one of several equal ones */
int net_gather(net *n, int x, int axis, hlrp_dims dims, const int64_t *index);
int net_join(net *n, const int *x, int count, int axis);
int net_expand(net *n, int x, hlrp_dims dims);
int net_tile(net *n, int x, hlrp_dims times);
int net_border(net *n, int x, hlrp_dims before, hlrp_dims behind);

#endif

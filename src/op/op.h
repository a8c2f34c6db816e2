/* The operators: a file per family, a line of the list for each.
 *
 * Their inputs are those of inference after reading ONNX; parameters are constant values. A canonical
 * graph (canonize) holds only those marked C. To add one: CONTRIBUTING.md, "Adding an operator". */
#ifndef HLRP_OP_H
#define HLRP_OP_H

#include "graph/operator.h"

#define HLRP_OPERATORS(X)                                                                              \
    /* linear.c */                                                                                     \
    X(conv) /* C  in: x [N,C,H,W], W [O,C/g,kh,kw], b [O] or absent; group, window (2-D only) */       \
    X(gemm) /* C  in: x [N,I], W [O,I], b [O] or absent: y = x Wᵀ + b (after reading: transB=1,  \
                    alpha and beta folded into the constants) */   \
    X(matmul) /*    in: x, W [I,O] constant; canonize makes it gemm */                                 \
    /* batchnorm.c */                                                                                  \
    X(batchnorm) /* C  in: x, scale, shift [C]: y = scale·x + shift, folded from gamma, beta, mean, \
                       var and epsilon at reading */ \
    /* activation.c */                                                                                 \
    X(relu)        /* C */                                                                             \
    X(leaky_relu)  /* C  alpha */                                                                      \
    X(elu)         /* C  alpha: alpha·(exp x − 1) where x < 0 */                                    \
    X(clip)        /* C  lo, hi (ReLU6) */                                                             \
    X(sigmoid)     /*    cut at the output */                                                          \
    X(softmax)     /*    cut at the output; axis */                                                    \
    X(log_softmax) /*    likewise */                                                                   \
    /* pool.c */                                                                                       \
    X(maxpool)        /* C  window */                                                                  \
    X(avgpool)        /* C  window, count_include_pad */                                               \
    X(global_avgpool) /* C  keepdims: [N,C,1,1] or [N,C] (also ReduceMean over H and W) */             \
    /* sum.c */                                                                                        \
    X(add) /* C  n ≥ 2 computed inputs of one shape (Add, Sum), no broadcast */                      \
    /* arithmetic.c: with a constant, a scalar or per channel; canonize makes them batchnorm, or the \
     * bias of the layer before */ \
    X(mul)                                                                                             \
    X(sub)                                                                                             \
    X(div)                                                                                             \
    X(add_const)                                                                                       \
    /* concat.c, pad.c, slice.c, shuffle.c */                                                          \
    X(concat) /* C  axis 1 */                                                                          \
    X(pad)    /* C  constant 0: window.pad_lo/pad_hi over H and W; negative crops */                   \
    X(slice) /* C  in: x, starts, ends, axes, steps as ONNX has them, the last two -1 where absent, \
                     or x alone: part `part` of `group` equal ones along `axis` (Split). Of data   \
                     with steps of 1 only; ints: the first index along each axis, set by           \
                     hlrp_graph_infer. Of integers: shape arithmetic, folded by canonize */  \
    X(shuffle) /* C  channels [group, C/group] → [C/group, group] (channel shuffle) */               \
    /* reshape.c */                                                                                    \
    X(flatten)   /* C  [N,C,H,W] → [N,C·H·W]; axis 1 */                                            \
    X(reshape)   /*    in: x, shape (constant); canonize makes it flatten or drops it */               \
    X(transpose) /*    perm in ints */                                                                 \
    X(squeeze)   /*    axes in ints */                                                                 \
    X(unsqueeze) /*    axes in ints */                                                                 \
    X(identity)  /*    Identity, Dropout, Cast to float: dropped by canonize */                        \
    /* shape.c: shape arithmetic, folded by canonize once the input size is known */                   \
    X(shape)                                                                                           \
    X(gather)

#define HLRP_DECLARE(name) extern const hlrp_operator hlrp_op_##name;
HLRP_OPERATORS(HLRP_DECLARE)
#undef HLRP_DECLARE

/* By index from 0, in the order of the list; NULL past the last. */
const hlrp_operator *hlrp_operator_at(int index);

#endif

/* The operators: a file per family, a line of the list for each.
 *
 * Their inputs are those of inference after reading ONNX; parameters are constant values. A canonical
 * graph (canonize) holds only those marked C. To add one: CONTRIBUTING.md, "Adding an operator". */
#ifndef HLRP_OP_H
#define HLRP_OP_H

#include "graph/operator.h"

#define HLRP_OPERATORS(X)                                                                                 \
    /* linear.c */                                                                                        \
    X(conv) /* C  in: x [N,C,H,W], W [O,C/g,kh,kw], b [O] or absent; group, window (2-D only) */          \
    X(gemm) /* C  in: x [...,I], W [O,I], b [O] or absent: y = x Wᵀ + b (after reading: transB=1,  \
                    alpha and beta folded into the constants) */    \
    /* product.c */                                                                                       \
    X(matmul) /* C  in: two tensors, one of them constant at most; of x with W [I,O] constant canonize \
                    makes gemm */  \
    /* gate.c */                                                                                          \
    X(gate)     /* C  in: two computed tensors, multiplied element by element */                          \
    X(quotient) /* C  in: two computed tensors, divided element by element */                             \
    /* batchnorm.c */                                                                                     \
    X(batchnorm) /* C  in: x, scale, shift [C]: y = scale·x + shift, folded from gamma, beta, mean, \
                       var and epsilon at reading */    \
    /* activation.c */                                                                                    \
    X(relu)       /* C */                                                                                 \
    X(leaky_relu) /* C  alpha */                                                                          \
    X(elu)        /* C  alpha: alpha·(exp x − 1) where x < 0 */                                        \
    X(clip)       /* C  lo, hi (ReLU6) */                                                                 \
    X(prelu)      /* C  in: x, slopes [C] or [1] below 0 */                                               \
    /* function.c */                                                                                      \
    X(sigmoid)      /* C, and cut at the output */                                                        \
    X(tanh)         /* C */                                                                               \
    X(erf)          /* C */                                                                               \
    X(hard_sigmoid) /* C  alpha·x + lo between 0 and 1 */                                                \
    X(hard_swish)   /* C */                                                                               \
    X(gelu)         /* C */                                                                               \
    X(gelu_tanh)    /* C */                                                                               \
    X(swish)        /* C  x·sigmoid(alpha·x) */                                                         \
    X(softplus)     /* C */                                                                               \
    X(softsign)     /* C */                                                                               \
    X(mish)         /* C */                                                                               \
    X(selu)         /* C  alpha, lo (gamma) */                                                            \
    X(celu)         /* C  alpha */                                                                        \
    X(threshold)    /* C  alpha: x where x > alpha, else 0 */                                             \
    X(exp)          /* C */                                                                               \
    X(log)          /* C */                                                                               \
    X(sqrt)         /* C */                                                                               \
    X(reciprocal)   /* C */                                                                               \
    X(neg)          /* C */                                                                               \
    X(abs)          /* C */                                                                               \
    X(power)        /* C  to the alpha */                                                                 \
    /* softmax.c */                                                                                       \
    X(softmax)     /* C  axis; cut at the output */                                                       \
    X(log_softmax) /* C  likewise */                                                                      \
    /* pool.c */                                                                                          \
    X(maxpool)        /* C  window */                                                                     \
    X(avgpool)        /* C  window, count_include_pad */                                                  \
    X(global_avgpool) /* C  keepdims: [N,C,1,1] or [N,C] (also ReduceMean over H and W) */                \
    /* sum.c */                                                                                           \
    X(add) /* C  n ≥ 2 computed inputs of one shape (Add, Sum), no broadcast */                         \
    /* extremum.c */                                                                                      \
    X(maximum) /* C  any number of tensors */                                                             \
    X(minimum) /* C */                                                                                    \
    /* arithmetic.c: C  with a constant; those by channels canonize makes batchnorm, or the bias of the \
     * layer before */ \
    X(mul)                                                                                                \
    X(sub)                                                                                                \
    X(div)                                                                                                \
    X(add_const)                                                                                          \
    /* concat.c, pad.c, slice.c, shuffle.c */                                                             \
    X(concat) /* C  axis 1 */                                                                             \
    X(pad)    /* C  constant 0: window.pad_lo/pad_hi over H and W; negative crops */                      \
    X(border) /* C  zeros along any axis: ints before, more behind */                                     \
    X(slice) /* C  in: x, starts, ends, axes, steps as ONNX has them, the last two -1 where absent, \
                     or x alone: part `part` of `group` equal ones along `axis` (Split). ints, more: the \
                     first index and the step along each axis, set by hlrp_graph_infer. */     \
    X(shuffle) /* C  channels [group, C/group] → [C/group, group] (channel shuffle) */                  \
    /* normalize.c */                                                                                     \
    X(layernorm)      /* C  in: x, scale or absent, bias or absent; from axis on; lo: epsilon */          \
    X(groupnorm)      /* C  in: x [N,C,...], scale, bias [C]; group, lo */                                \
    X(instancenorm)   /* C  likewise, of each channel */                                                  \
    X(rmsnorm)        /* C  in: x, scale or absent; from axis on; lo: epsilon */                          \
    X(local_response) /* C  x / (hi + alpha/group·Σ x²)^lo over group channels */                      \
    /* resize.c */                                                                                        \
    X(resize) /* C  in: x [N,C,H,W], sizes or absent; op/resize.h */                                      \
    /* reduce.c */                                                                                        \
    X(reduce_sum)  /* C  axes in ints, none: all; keepdims */                                             \
    X(reduce_mean) /* C */                                                                                \
    X(reduce_max)  /* C */                                                                                \
    X(reduce_l2)   /* C */                                                                                \
    /* reshape.c: C  the same elements in the same order */                                               \
    X(flatten)   /* [N,C,H,W] → [N,C·H·W]; axis */                                                    \
    X(reshape)   /* in: x, shape (constant) */                                                            \
    X(squeeze)   /* axes in ints */                                                                       \
    X(unsqueeze) /* axes in ints */                                                                       \
    X(identity) /* Identity, Dropout, Cast to float; canonize drops those, and puts one where a layout \
                    has to change */  \
    /* move.c */                                                                                          \
    X(transpose) /* C  perm in ints */                                                                    \
    X(expand)    /* C  in: x, shape (constant) */                                                         \
    X(expand_to) /* C  in: x, a tensor whose shape is met; keepdims: but for its last two axes */         \
    X(tile)      /* C  in: x, repeats (constant) */                                                       \
    X(gather)    /* C  in: x, indices (constant); axis */                                                 \
    /* shape.c: shape arithmetic, folded by canonize once the input size is known */                      \
    X(shape)                                                                                              \
    /* logic.c: likewise, and masks */                                                                    \
    X(equal)                                                                                              \
    X(less)                                                                                               \
    X(less_or_equal)                                                                                      \
    X(greater)                                                                                            \
    X(greater_or_equal)                                                                                   \
    X(both)      /* And */                                                                                \
    X(either)    /* Or */                                                                                 \
    X(remainder) /* Mod */                                                                                \
    X(least)     /* Min of integers */                                                                    \
    X(most)      /* Max of integers */                                                                    \
    X(not )                                                                                               \
    X(ceil)                                                                                               \
    X(floor)                                                                                              \
    X(where)                                                                                              \
    X(scatter) /* ScatterND */                                                                            \
    X(pick)    /* GatherND */                                                                             \
    X(range)                                                                                              \
    X(filled) /* ConstantOfShape: alpha, or part where group is 2 */                                      \
    X(cast)   /* between numbers and integers: to these where group is 2 */

#define HLRP_DECLARE(name) extern const hlrp_operator hlrp_op_##name;
HLRP_OPERATORS(HLRP_DECLARE)
#undef HLRP_DECLARE

/* By index from 0, in the order of the list; NULL past the last. */
const hlrp_operator *hlrp_operator_at(int index);

#endif

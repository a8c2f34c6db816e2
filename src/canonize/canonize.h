/* From the graph of a file to the canonical graph that engine and rules work on: only operators
 * marked C in graph.h, parameters in their places, the output being the logits [N,classes]. */
#ifndef HLRP_CANONIZE_H
#define HLRP_CANONIZE_H

#include "graph/graph.h"

/* BatchNormalization: merged into the Conv or Gemm before it iff that output is read by nothing
 * else (AUTO and MERGE differ in the rule of those that stay, not here), or never (PASS). The
 * merged node keeps the Conv's name. */
typedef enum hlrp_canonize_batchnorm {
    HLRP_BATCHNORM_AUTO,
    HLRP_BATCHNORM_MERGE,
    HLRP_BATCHNORM_PASS
} hlrp_canonize_batchnorm;

/* Runs a graph that is inferred for input's dims: logits [N,classes] in *logits, the caller's. The
 * graph may still hold operators that are not canonical. */
typedef hlrp_status (*hlrp_forward_fn)(void *ctx, const hlrp_graph *g, const hlrp_tensor *input,
                                       hlrp_tensor **logits, hlrp_error *err);

typedef struct hlrp_canonize_options {
    hlrp_canonize_batchnorm batchnorm;
    hlrp_forward_fn verify; /* NULL: logits before and after are not compared */
    void *verify_ctx;
    double verify_tolerance; /* of the largest |logit|; 0: 1e-4 */
    const hlrp_log *log;     /* one line per pass that changed something (debug); may be NULL */
} hlrp_canonize_options;

/* Changes g in place; `input` is one input size that the network takes, always [N,C,H,W], also for
 * files whose input is [N,H,W,C] (g->nhwc says so; the transpose is gone afterwards). Afterwards g
 * is inferred for `input`, and hlrp_graph_infer takes it to any other size its linear layers allow.
 * HLRP_E_MODEL: a node that has no relevance rule, by name, or an output that is not [N,classes],
 * or logits that differ by more than the tolerance. g is then in an unspecified state, but may be
 * freed. */
hlrp_status hlrp_canonize(hlrp_graph *g, const hlrp_canonize_options *options,
                          const hlrp_dims *input, hlrp_error *err);

/* The input size that the file declares as [N,C,H,W] (N = 1 where it is open): HLRP_E_MODEL where
 * channels, height or width are open. Call it before or after canonize. */
hlrp_status hlrp_canonize_input(const hlrp_graph *g, hlrp_dims *out, hlrp_error *err);

#endif

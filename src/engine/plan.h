/* A plan: a canonical graph made ready for one input size. Immutable and shared by all threads;
 * what a pass writes lives in an hlrp_activations, one per thread. Plans for several sizes may
 * stand side by side over one graph. */
#ifndef HLRP_PLAN_H
#define HLRP_PLAN_H

#include "engine/layout.h"
#include "engine/linear.h"
#include "graph/graph.h"

typedef struct hlrp_plan hlrp_plan;

/* `graph` is canonical and inferred for the input [N,C,H,W] that the plan shall run; it is borrowed
 * for the plan's life, but its value dims are not looked at again. Call with OpenMP limited to one
 * thread (linear.h). HLRP_E_MODEL names a node that cannot be computed. */
hlrp_status hlrp_plan_new(hlrp_backend *backend, const hlrp_graph *graph, hlrp_plan **out,
                          hlrp_error *err);
void hlrp_plan_free(hlrp_plan *plan);

const hlrp_graph *hlrp_plan_graph(const hlrp_plan *plan);
const hlrp_layout *hlrp_plan_layout(const hlrp_plan *plan, int value);
/* The geometry and the (borrowed) parameters of a CONV or GEMM node, from which rules make maps of
 * their own; forward and adjoint are false in it. */
hlrp_linear_spec hlrp_plan_linear_spec(const hlrp_plan *plan, int node);
/* The kernel that computes a node's forward pass; "" for operators without one. */
const char *hlrp_plan_kernel(const hlrp_plan *plan, int node);
int64_t hlrp_plan_scratch(const hlrp_plan *plan);          /* bytes, for hlrp_stream_new */
int64_t hlrp_plan_activation_bytes(const hlrp_plan *plan); /* of one hlrp_activations */
/* Multiply-adds of one sample's forward pass through a node; 0 for all but CONV and GEMM. */
int64_t hlrp_plan_macs(const hlrp_plan *plan, int node);

/* Every value of one micro-batch, all kept: relevance looks back at them. */
typedef struct hlrp_activations hlrp_activations;

hlrp_status hlrp_activations_new(const hlrp_plan *plan, hlrp_activations **out, hlrp_error *err);
void hlrp_activations_free(hlrp_activations *acts);
/* The value in its layout; borrowed, valid until the next forward pass. Constants have none. */
const float *hlrp_activations_value(const hlrp_activations *acts, int value);
/* Positions of maxima of a MAXPOOL node's last forward pass (kernels.h). */
const int32_t *hlrp_activations_argmax(const hlrp_activations *acts, int node);

/* input: plain [N,C,H,W]. Logits stand in the graph's output afterwards, plain [N,K]. */
hlrp_status hlrp_forward(const hlrp_plan *plan, hlrp_activations *acts, hlrp_stream *stream,
                         const float *input, hlrp_error *err);

#endif

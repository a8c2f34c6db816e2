/* A plan: a canonical graph made ready for one input size. Immutable and shared by all threads;
 * what a pass writes lives in an hlrp_activations, one per thread. Plans for several sizes may
 * stand side by side over one graph. */
#ifndef HLRP_PLAN_H
#define HLRP_PLAN_H

#include "engine/layout.h"
#include "engine/linear.h"
#include "graph/operator.h"

typedef struct hlrp_plan hlrp_plan;

/* `graph` is canonical and inferred for the input [N,C,H,W] that the plan shall run; it is borrowed
 * for the plan's life, but its value dims are not looked at again. Of its nodes only those of the segment
 * are run, and only values that they read or make take memory. Call with OpenMP limited to one
 * thread (linear.h). HLRP_E_MODEL names a node that cannot be computed. */
hlrp_status hlrp_plan_new(hlrp_backend *backend, const hlrp_graph *graph, hlrp_segment segment,
                          hlrp_plan **out, hlrp_error *err);
void hlrp_plan_free(hlrp_plan *plan);
/* The same layouts with n = 0, for a pass that computes nothing; forward cannot be run on it. */
hlrp_status hlrp_plan_of_no_samples(const hlrp_plan *plan, hlrp_plan **out, hlrp_error *err);

hlrp_segment hlrp_plan_segment(const hlrp_plan *plan);
/* Whether a node of the segment reads or makes the value. */
bool hlrp_plan_uses(const hlrp_plan *plan, int value);
const hlrp_graph *hlrp_plan_graph(const hlrp_plan *plan);
const hlrp_layout *hlrp_plan_layout(const hlrp_plan *plan, int value);
/* Of constants as well. In a plan of no samples they are those of the plan it was made of. */
const hlrp_dims *hlrp_plan_dims(const hlrp_plan *plan, int value);
/* The geometry and the (borrowed) parameters of a linear layer, from which rules make maps of
 * their own; forward and adjoint are false in it. */
hlrp_linear_spec hlrp_plan_linear_spec(const hlrp_plan *plan, int node);
/* The kernel that computes a node's forward pass; "" for operators without one. */
const char *hlrp_plan_kernel(const hlrp_plan *plan, int node);
int64_t hlrp_plan_scratch(const hlrp_plan *plan);          /* bytes, for hlrp_stream_new */
int64_t hlrp_plan_activation_bytes(const hlrp_plan *plan); /* of one hlrp_activations */
int64_t hlrp_plan_forward_bytes(const hlrp_plan *plan);    /* of one that only goes forward */
/* Multiply-adds of one sample's forward pass through a node; 0 for all but linear layers. */
int64_t hlrp_plan_macs(const hlrp_plan *plan, int node);

/* The values of one micro-batch. */
typedef struct hlrp_activations hlrp_activations;

/* All are kept: relevance looks back at them. */
hlrp_status hlrp_activations_new(const hlrp_plan *plan, hlrp_activations **out, hlrp_error *err);
/* Only to go forward: values take each other's place once their last reader has run. After a segment those
 * stand that later nodes read, after the last one the graph's output; indices are not kept. */
hlrp_status hlrp_activations_new_forward(const hlrp_plan *plan, hlrp_activations **out,
                                         hlrp_error *err);
void hlrp_activations_free(hlrp_activations *acts);
/* The value in its layout; borrowed, valid until the next forward pass. Constants have none. */
const float *hlrp_activations_value(const hlrp_activations *acts, int value);
/* The indices that a node's last forward pass noted (hlrp_plan_notes_indices). */
const int32_t *hlrp_activations_indices(const hlrp_activations *acts, int node);

/* Where a value lies whose layout is plain, to be filled in place of hlrp_activations_set. */
float *hlrp_activations_place(hlrp_activations *acts, int value);
/* A value's numbers, plain: the graph's input, or what a segment that is not run would have given. */
void hlrp_activations_set(hlrp_activations *acts, int value, const float *x);

/* Runs the nodes of a segment, whose inputs stand in acts. After the last node the logits stand in the
 * graph's output, plain [N,K]. */
hlrp_status hlrp_forward(const hlrp_plan *plan, hlrp_activations *acts, hlrp_stream *stream,
                         hlrp_segment segment, hlrp_error *err);

/* ---- for the rows of src/op ---- */

/* prepare: the node's map, which hlrp_computation_linear runs. */
hlrp_status hlrp_plan_add_linear(hlrp_plan *plan, int node, hlrp_error *err);
/* prepare: forward notes an index for each element of the output. */
void hlrp_plan_notes_indices(hlrp_plan *plan, int node);

/* One node's forward pass. */
typedef struct hlrp_computation {
    const hlrp_plan *plan;
    hlrp_activations *acts;
    hlrp_stream *stream;
    int id;
    const hlrp_node *node;
    const hlrp_layout *in, *out; /* of the first input and the output */
    const float *x;
    float *y; /* to be written */
} hlrp_computation;

hlrp_status hlrp_computation_linear(const hlrp_computation *c, hlrp_error *err);
int32_t *hlrp_computation_indices(const hlrp_computation *c);
/* A parameter, the k-th input; NULL where it is absent. */
const float *hlrp_computation_parameter(const hlrp_computation *c, int k);
/* The k-th input's value and dims, computed or constant; it must be there. */
const float *hlrp_computation_input(const hlrp_computation *c, int k);
const hlrp_dims *hlrp_computation_dims(const hlrp_computation *c, int k);

#endif

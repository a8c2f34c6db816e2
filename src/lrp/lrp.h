/* Layer-wise relevance propagation through a canonical graph: forward once, then back as often as
 * there are classes to explain. Definitions: src/lrp/README.md and the head of each rule's file.
 *
 *   hlrp_lrp        a network with its rules, ready for one input size; immutable, shared by
 * threads hlrp_lrp_worker what one thread needs to run it: activations, relevance, scratch; or only to
 * go forward */
#ifndef HLRP_LRP_H
#define HLRP_LRP_H

#include "account/account.h"
#include "engine/linear.h"
#include "engine/plan.h"
#include "lrp/rule.h"

typedef struct hlrp_lrp_options {
    hlrp_rule_options rules;
    const float *low, *high; /* zbox: per input channel, the lowest and highest network input;
                                borrowed for the call. NULL: 0 and 1 */
    hlrp_bias bias;
    const hlrp_segment *segment; /* the nodes that are run; NULL: all */
    const float *reference;      /* gradient-x-input: the root point per channel; NULL: zero */
    bool forward_only; /* rules are assigned and checked, but no layer is made ready to go back by
                          them: all workers only go forward */
} hlrp_lrp_options;

typedef struct hlrp_lrp hlrp_lrp;
typedef struct hlrp_lrp_worker hlrp_lrp_worker;

/* `graph` is canonical and inferred for [N,C,H,W]; borrowed for the life of *out, as is `backend`.
 * Call with OpenMP limited to one thread. */
hlrp_status hlrp_lrp_new(hlrp_backend *backend, const hlrp_graph *graph,
                         const hlrp_lrp_options *options, hlrp_lrp **out, hlrp_error *err);
void hlrp_lrp_free(hlrp_lrp *lrp);

const hlrp_plan *hlrp_lrp_plan(const hlrp_lrp *lrp);
const hlrp_structure *hlrp_lrp_structure(const hlrp_lrp *lrp);
const hlrp_rule *hlrp_lrp_rule(const hlrp_lrp *lrp, int node);
/* Why the node has its rule, in words that the graph gives; "" where there is nothing to say. */
const char *hlrp_lrp_why(const hlrp_lrp *lrp, int node);
/* reached[node], written: whether any relevance comes to it. What only makes weights is not reached. */
hlrp_status hlrp_lrp_find_reached(const hlrp_lrp *lrp, bool *reached, hlrp_error *err);
hlrp_bias hlrp_lrp_bias(const hlrp_lrp *lrp);
bool hlrp_lrp_times_input(const hlrp_lrp *lrp); /* gradient-x-input */
/* Multiply-adds of one sample's way back through a node; 0 for all but CONV and GEMM. */
int64_t hlrp_lrp_macs(const hlrp_lrp *lrp, int node);
/* Of one worker, and of one that only goes forward; as analysis and a dry pass found them. */
int64_t hlrp_lrp_worker_bytes(const hlrp_lrp *lrp);
int64_t hlrp_lrp_forward_bytes(const hlrp_lrp *lrp);

hlrp_status hlrp_lrp_worker_new(const hlrp_lrp *lrp, hlrp_lrp_worker **out, hlrp_error *err);
/* One that only goes forward, in a small part of the memory: values share it. Logits have the same bits.
 * The way back is refused (HLRP_E_INTERNAL); after a segment, values stand that later nodes read. */
hlrp_status hlrp_lrp_worker_new_forward(const hlrp_lrp *lrp, hlrp_lrp_worker **out,
                                        hlrp_error *err);
void hlrp_lrp_worker_free(hlrp_lrp_worker *worker);

/* input [N,C,H,W], plain. */
hlrp_status hlrp_lrp_forward(hlrp_lrp_worker *worker, const float *input, hlrp_error *err);
/* [N,K] of the last forward pass; borrowed. */
const float *hlrp_lrp_logits(const hlrp_lrp_worker *worker);

/* What a caller may watch on the way back; zero-initialise what is not wanted. */
typedef struct hlrp_lrp_watch {
    hlrp_account *account; /* [node_count][N], written */
    /* Called when the relevance of a node's output is complete, from the output down. */
    void (*layer)(void *ctx, int node, const hlrp_layout *layout, const float *relevance);
    void *ctx;
} hlrp_lrp_watch;

/* From start [N,K], relevance of the logits, to relevance [N,C,H,W] of the input, plain, after a
 * forward pass. slope [N,K] is for a plan made with rules.head_lrp0 (start.h): the last linear layer
 * is then one neuron Σ_k slope_k·z_k per sample, whose relevance is Σ_k start_k. NULL: start / z.
 * watch may be NULL. */
hlrp_status hlrp_lrp_relevance(hlrp_lrp_worker *worker, const float *start, const float *slope,
                               const hlrp_lrp_watch *watch, float *relevance, hlrp_error *err);

/* ---- in segments ----
 *
 * The same in parts: set the value where a segment begins and run it forward; begin the way back, add
 * relevance to the value where a segment ends, as often as something sends it there, and run it back.
 * Values are told by id and arrays are plain. hlrp_graph_waist finds where a network can be parted.
 * What conserving biases lost to rounding is settled by hlrp_lrp_relevance alone. */

/* All nodes that are run. */
hlrp_segment hlrp_lrp_whole(const hlrp_lrp *lrp);

void hlrp_segment_set(hlrp_lrp_worker *worker, int value, const float *x);
hlrp_status hlrp_segment_forward(hlrp_lrp_worker *worker, hlrp_segment segment, hlrp_error *err);
void hlrp_segment_value(const hlrp_lrp_worker *worker, int value, float *x); /* written to x */
/* Where a value and its relevance lie, in place of the copies: rows of a bag always lie plain. */
float *hlrp_segment_place(hlrp_lrp_worker *worker, int value);
float *hlrp_segment_relevance_place(hlrp_lrp_worker *worker, int value);
/* Whether anything has been added to the value's relevance. */
bool hlrp_segment_reached(const hlrp_lrp_worker *worker, int value);

/* No value has relevance any more. slope: as in hlrp_lrp_relevance; borrowed until the head ran. */
void hlrp_segment_begin(hlrp_lrp_worker *worker, const float *slope);
/* Call it after the way back through the nodes that read the value: its memory is theirs before. */
void hlrp_segment_add(hlrp_lrp_worker *worker, int value, const float *r);
hlrp_status hlrp_segment_back(hlrp_lrp_worker *worker, hlrp_segment segment,
                              const hlrp_lrp_watch *watch, hlrp_error *err);
void hlrp_segment_relevance(const hlrp_lrp_worker *worker, int value, float *r); /* written to r */

#endif

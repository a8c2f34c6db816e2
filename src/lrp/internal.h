/* What lrp.c (making) and walk.c (running) share. */
#ifndef HLRP_LRP_INTERNAL_H
#define HLRP_LRP_INTERNAL_H

#include "lrp/layer.h"

struct hlrp_lrp {
    const hlrp_graph *graph;
    hlrp_backend *backend; /* borrowed */
    hlrp_plan *plan;
    hlrp_rule *rules; /* per node */
    hlrp_structure structure;
    int *to;             /* per node: of products, the input that gets all; -1: both share */
    hlrp_layer **layers; /* per node; NULL but for CONV and GEMM, and where nothing goes back */
    int64_t *offsets;    /* per value: its relevance in the arena; -1 for constants */
    bool *shared;        /* per node: input and output relevance are one buffer (a plain pass) */
    float **bounds;      /* per node with zbox: low [C], then high [C], of its input's channels */
    float *reference;    /* by input channel */
    bool times_input;    /* gradient-x-input */
    hlrp_bias bias;
    bool forward_only; /* layers, and what places and sizes the way back has, are not made */
    bool conserves;    /* what arrives at the input is what was started with */
    int head;          /* the last linear layer where it hands on by slopes; -1: none */
    int64_t arena_floats, scratch_floats, stream_bytes;
};

typedef struct hlrp_known_sums {
    bool known;
    hlrp_sums of;
} hlrp_known_sums;

struct hlrp_lrp_worker {
    const hlrp_lrp *lrp;
    hlrp_stream *stream;
    hlrp_activations *acts;
    bool forward_only; /* what follows is not there */
    float *arena;
    hlrp_scratch scratch;
    const float *slope;    /* of the way back under way; may be NULL */
    bool *begun;           /* per value: its relevance buffer holds something */
    hlrp_known_sums *sums; /* [values][N]: of what lies there, if they were taken on the way */
};

/* Where a value's relevance lies. */
float *hlrp_relevance_of(const hlrp_lrp_worker *w, int value);

/* What is written there no longer has the sums that were taken (walk.c). */
void hlrp_forget_sums(hlrp_lrp_worker *w, int value);
void hlrp_forget_all_sums(hlrp_lrp_worker *w);

/* One node's turn on the way back (walk.c). */
hlrp_status hlrp_lrp_turn(hlrp_lrp_worker *w, int id, const hlrp_lrp_watch *watch, hlrp_error *err);

/* Floats of scratch that the largest turn takes, whatever is watched (dry.c). */
hlrp_status hlrp_lrp_measure(const hlrp_lrp *lrp, int64_t *floats, hlrp_error *err);

#endif

/* The network as a graph: values (tensors) and nodes (operators), both by integer id.
 *
 * The operators are those of inference after reading ONNX; parameters are constant values. Node
 * order is the file's, which ONNX requires to be topological: it is the "running order" of
 * composites. A canonical graph (see canonize) holds only operators that have relevance, with their
 * parameters in the places that src/op/op.h names. */
#ifndef HLRP_GRAPH_H
#define HLRP_GRAPH_H

#include "tensor/tensor.h"

typedef struct hlrp_operator hlrp_operator; /* operator.h; the rows are in src/op */

typedef enum hlrp_auto_pad {
    HLRP_PAD_EXPLICIT,
    HLRP_PAD_SAME_UPPER,
    HLRP_PAD_SAME_LOWER,
    HLRP_PAD_VALID
} hlrp_auto_pad;

/* A sliding window over H (index 0) and W (index 1). */
typedef struct hlrp_window {
    int64_t kernel[2], stride[2], dilation[2], pad_lo[2], pad_hi[2];
    hlrp_auto_pad auto_pad; /* hlrp_graph_infer sets the pads that it asks for */
    bool ceil;      /* holds for explicit pads only; SLICE into equal parts: the last of them
                               may be smaller */
    bool count_pad; /* count_include_pad */
} hlrp_window;

typedef struct hlrp_node {
    const hlrp_operator *op;
    char *name; /* the ONNX node's, else the name of its first output */
    char *type; /* ONNX op_type, for messages */
    int in_count, out_count;
    int *in, *out; /* value ids; -1 for an optional input that is absent (CONV and GEMM always have
                      three inputs, the bias may be -1) */
    hlrp_window window;
    int64_t group;
    int64_t part; /* SLICE; of nodes that give any layout, IDENTITY: 1 a picture, 2 rows, 0 what is
                     wanted */
    int64_t
        extent; /* SLICE: what it cuts must have this extent: the sum of a Split's sizes, or what
                       indices were computed from; 0: any */
    float alpha, lo, hi;
    int axis;
    bool keepdims;
    hlrp_dims
        ints; /* perm, axes; SHAPE: {start, end}; SLICE: first indices; BORDER: zeros before */
    hlrp_dims more; /* SLICE: from one index to the next, rank 0: 1; BORDER: zeros behind */
    double *exact; /* BATCHNORM: scale [C], then shift [C], before their rounding to float32; owned;
                      NULL elsewhere. A merge reads these, so that weights are rounded once. */
} hlrp_node;

typedef struct hlrp_value {
    char *name;
    hlrp_dims dims;        /* set by hlrp_graph_infer; rank -1 before (the input: as the file
                              declares it, -1 for open extents) */
    hlrp_tensor *constant; /* owned; NULL for computed values */
    hlrp_dtype dtype;      /* HLRP_I64: shape arithmetic; HLRP_F32: data */
    int producer;          /* node id; -1 for the graph's input and for constants */
} hlrp_value;

/* What stood after the logits and was cut. */
typedef enum hlrp_activation {
    HLRP_ACTIVATION_NONE,
    HLRP_ACTIVATION_SOFTMAX, /* also LogSoftmax */
    HLRP_ACTIVATION_SIGMOID
} hlrp_activation;

typedef struct hlrp_graph {
    hlrp_node *nodes;
    int node_count, node_capacity;
    hlrp_value *values;
    int value_count, value_capacity;
    int input, output; /* value ids; the output of a canonical graph is the logits [N,classes] */
    bool nhwc; /* the file's input is [N,H,W,C]: canonize removes the transpose at the input */
    hlrp_strings classes; /* from the file's metadata; empty where it says nothing */
    double mpp;           /* from the file's metadata; 0 where it says nothing */
    bool has_norm;        /* the file's metadata says mean and std: */
    double mean[3], std[3];
    hlrp_activation activation; /* set by canonize */
    int64_t spare; /* floats that constants made from constants may still come to; a reader of files
                      sets it by what the file itself holds */
} hlrp_graph;

hlrp_status hlrp_graph_new(hlrp_graph **out, hlrp_error *err);
void hlrp_graph_free(hlrp_graph *g);

/* A deep copy, constants included. */
hlrp_status hlrp_graph_copy(const hlrp_graph *from, hlrp_graph **out, hlrp_error *err);

/* Adds and returns an id, -1 where memory is short (err set). Strings are copied; arrays of value
 * ids are copied; `constant` becomes the graph's. */
int hlrp_graph_add_value(hlrp_graph *g, const char *name, hlrp_tensor *constant, hlrp_error *err);
int hlrp_graph_add_node(hlrp_graph *g, const hlrp_operator *op, const char *name, const char *type,
                        const int *in, int in_count, const int *out, int out_count,
                        hlrp_error *err);
int hlrp_graph_find_value(const hlrp_graph *g, const char *name); /* -1: none */

/* How many node inputs read the value (the graph's output counts as one more reader). */
int hlrp_graph_readers(const hlrp_graph *g, int value);
/* The same for all values at once: readers [value_count], written. */
void hlrp_graph_count_readers(const hlrp_graph *g, int *readers);
/* A range of the graph: the nodes from … to − 1 in running order, such as a trunk or a head. */
typedef struct hlrp_segment {
    int from, to;
} hlrp_segment;

/* Where the graph can be parted before node `at`: the one computed value that the nodes from `at` on
 * read of what stands before it; -1 where they read several, or none. */
int hlrp_graph_waist(const hlrp_graph *g, int at);

/* The head's nodes behind g's, its input being g's output; their names begin with "head/". What nodes
 * own moves to g: the head is to be freed, and nothing else. */
hlrp_status hlrp_graph_join(hlrp_graph *g, hlrp_graph *head, hlrp_error *err);

/* Nodes from `first` on were added last: each is moved to stand before node before[i − first], numbers
 * that do not fall; the others keep their order. */
hlrp_status hlrp_graph_place_nodes(hlrp_graph *g, int first, const int *before, hlrp_error *err);

/* Nodes for which first[id] is true are moved before all others; either keep their order. None of them may
 * read what one of the others makes. */
hlrp_status hlrp_graph_put_first(hlrp_graph *g, const bool *first, hlrp_error *err);

/* Of a bag of `instances`, whose graph is canonical and inferred: the nodes that treat each instance by
 * itself, rows [node_count], *count of them. Run at another number of instances they give each the same. */
hlrp_status hlrp_graph_find_rows(const hlrp_graph *g, int64_t instances, bool *rows, int *count,
                                 hlrp_error *err);

/* Takes what a new constant comes to from `spare`; HLRP_E_MODEL where that is used up. Integers count
 * as two floats. */
hlrp_status hlrp_graph_spend(hlrp_graph *g, int64_t floats, hlrp_error *err);

/* Removes nodes for which remove[id] is true, then values nobody mentions; order is kept. */
hlrp_status hlrp_graph_compact(hlrp_graph *g, const bool *remove, hlrp_error *err);

/* The tensor that node `id` gives when all its inputs are constants, in *out (the caller's to
 * free). NULL with HLRP_OK where it has computed inputs or its operator is not one of shape
 * arithmetic, data movement and elementwise arithmetic. SHAPE needs the dims of its input only,
 * none of them -1. */
hlrp_status hlrp_graph_fold_node(hlrp_graph *g, int id, hlrp_tensor **out, hlrp_error *err);

/* Sets dims of all values for an input of these dims ([N,C,H,W], or as the file has it before
 * canonize), sets pad_lo and pad_hi where auto_pad asks for it (auto_pad stays, for the next size)
 * and the first indices of slices, and checks every node's inputs against its operator. Run again
 * at any other size; it reads constants and writes dims, pads and first indices only.
 * HLRP_E_MODEL names the node and what does not fit. */
hlrp_status hlrp_graph_infer(hlrp_graph *g, const hlrp_dims *input, hlrp_error *err);

/* Output extent along one axis of a window (ONNX Conv/Pool: floor, or ceil where a last window may
 * start inside the input or its lower padding only); < 1 where the window does not fit. */
int64_t hlrp_window_extent(const hlrp_window *w, int axis, int64_t extent);

#endif

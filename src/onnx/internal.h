/* Shared by the files of this folder only. */
#ifndef HLRP_ONNX_INTERNAL_H
#define HLRP_ONNX_INTERNAL_H

#include "onnx/onnx.h"
#include "op/op.h"

#include <onnx.pb-c.h>

typedef HlrpPb__ModelProto pb_model;
typedef HlrpPb__GraphProto pb_graph;
typedef HlrpPb__NodeProto pb_node;
typedef HlrpPb__AttributeProto pb_attribute;
typedef HlrpPb__TensorProto pb_tensor;

/* ONNX data types that are read. */
enum {
    PB_FLOAT = 1,
    PB_UINT8 = 2,
    PB_INT8 = 3,
    PB_UINT16 = 4,
    PB_INT16 = 5,
    PB_INT32 = 6,
    PB_INT64 = 7,
    PB_BOOL = 9,
    PB_FLOAT16 = 10,
    PB_DOUBLE = 11,
    PB_UINT32 = 12,
    PB_UINT64 = 13,
    PB_BFLOAT16 = 16
};

/* Names to ids; keys are copied. Zero-initialise. */
typedef struct onnx_names {
    struct onnx_name {
        char *key; /* NULL: a free slot */
        int id;
    } * slots;
    int64_t count, capacity; /* capacity is a power of 2 */
    uint64_t start;          /* of the hash: ids do not depend on it */
} onnx_names;

int onnx_names_find(const onnx_names *names, const char *key); /* -1: none */
hlrp_status onnx_names_add(onnx_names *names, const char *key, int id, hlrp_error *err);
void onnx_names_free(onnx_names *names);

/* What those who read the outputs of a refused node may take them for. */
typedef enum onnx_stand_in {
    ONNX_GIVES_NOTHING, /* it was not refused */
    ONNX_GIVES_TENSOR,  /* a computed tensor like any other */
    ONNX_GIVES_UNKNOWN
} onnx_stand_in;

/* Nodes of one operator that cannot be read. */
typedef struct onnx_refusal {
    const char *type; /* the file's */
    int64_t nodes;
} onnx_refusal;

/* All that cannot be read. Zero-initialise. */
typedef struct onnx_refusals {
    onnx_refusal *kinds;
    int64_t count, capacity;
    hlrp_error first;      /* what was said of the first one, */
    char words[260];       /* and in short */
    onnx_names unknown;    /* what is given by nodes of which nothing is known */
    onnx_stand_in pending; /* of the node under way */
    bool unknown_operator; /* that node's operator as such */
} onnx_refusals;

/* A file on its way to a graph. */
typedef struct onnx_reader {
    hlrp_graph *g;
    onnx_names names;  /* value names of the file → value ids */
    onnx_names turned; /* ids of weights, as text → those of the same turned round */
    int opset;
    const char *folder; /* of external data, or NULL */
    const char *output; /* that was asked for; NULL: the only one */
    int64_t elements;   /* in constants so far */
    onnx_refusals *refusals;
    /* the node being converted */
    const pb_node *node;
    const char *node_name;
    int *in; /* value id per input, -1 where absent */
    int in_count;
} onnx_reader;

/* Constants made of the file's may come to this many times their elements (hlrp_graph_spend). */
enum { ONNX_TIMES_THE_FILE = 4 };

/* ---- tensors (tensors.c) ---- */

/* `where` names the tensor in messages. */
hlrp_status onnx_tensor(const pb_tensor *t, const char *folder, const char *where,
                        hlrp_tensor **out, hlrp_error *err);
/* Whether an ONNX data type becomes float32 / int64 here. */
bool onnx_is_float(int data_type);
bool onnx_is_integer(int data_type);

/* ---- attributes (attributes.c): the node's own, else the default ---- */

const pb_attribute *onnx_attribute(const onnx_reader *r, const char *name);
int64_t onnx_int(const onnx_reader *r, const char *name, int64_t otherwise);
float onnx_float(const onnx_reader *r, const char *name, float otherwise);
bool onnx_string_is(const onnx_reader *r, const char *name, const char *text, bool otherwise);
/* A list of at most HLRP_MAX_RANK integers, as dims; rank 0 where it is absent. */
hlrp_status onnx_ints(const onnx_reader *r, const char *name, hlrp_dims *out, hlrp_error *err);

/* kernel_shape, strides, pads, dilations, auto_pad and ceil_mode of a 2-D window. */
hlrp_status onnx_window(const onnx_reader *r, const hlrp_dims *kernel, hlrp_window *w,
                        hlrp_error *err);

/* The same of a window over one axis, as one over W. */
hlrp_status onnx_window_1d(const onnx_reader *r, int64_t kernel, hlrp_window *w, hlrp_error *err);

/* classes, mpp, mean and std from the metadata (metadata.c). */
hlrp_status onnx_metadata(const pb_model *m, hlrp_graph *g, hlrp_error *err);

/* ---- what cannot be read (refusals.c) ---- */

/* After a node failed with *err: HLRP_OK where it was refused and the next ones can be looked at. */
hlrp_status onnx_refusals_take(onnx_reader *r, hlrp_error *err);
/* After a node was read. */
hlrp_status onnx_refusals_follow(onnx_reader *r, hlrp_error *err);
/* Fails where any node was refused, naming all kinds with their counts. */
hlrp_status onnx_refusals_verdict(const onnx_refusals *all, hlrp_error *err);
void onnx_refusals_free(onnx_refusals *all);

/* ---- nodes (nodes.c) ---- */

/* "unsupported …" with the node's name and type as the place. */
hlrp_status onnx_refuse(const onnx_reader *r, hlrp_error *err, const char *mend, const char *what,
                        ...) __attribute__((format(printf, 4, 5)));

/* The same of a product of two computed tensors, which gives one more. */
hlrp_status onnx_refuse_product(const onnx_reader *r, hlrp_error *err, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

/* Constant at an input, NULL where it is absent or computed. */
const hlrp_tensor *onnx_constant(const onnx_reader *r, int input);
bool onnx_has(const onnx_reader *r, int input);      /* it is there */
bool onnx_computed(const onnx_reader *r, int input); /* it is there and not a constant */
hlrp_dtype onnx_dtype(const onnx_reader *r, int input);

/* Integers of a constant input as dims; HLRP_E_MODEL where it is computed or no short vector. */
hlrp_status onnx_int_input(const onnx_reader *r, int input, hlrp_dims *out, hlrp_error *err);

/* A value of the reader's own, named after the node; takes `constant`. */
hlrp_status onnx_add_constant(onnx_reader *r, const char *suffix, hlrp_tensor *constant, int *id,
                              hlrp_error *err);
/* A computed value of the reader's own, between two nodes made from one. */
hlrp_status onnx_add_between(onnx_reader *r, const char *suffix, int *id, hlrp_error *err);

/* The file's node becomes this one, writing the file's first output. *out may be NULL; it is valid
 * until the next node. */
hlrp_status onnx_emit(onnx_reader *r, const hlrp_operator *op, const int *in, int in_count,
                      hlrp_node **out, hlrp_error *err);
/* Likewise to a given value. */
hlrp_status onnx_emit_to(onnx_reader *r, const hlrp_operator *op, const int *in, int in_count,
                         int to, hlrp_node **out, hlrp_error *err);
/* The file's first output becomes a constant; takes it. */
hlrp_status onnx_emit_constant(onnx_reader *r, hlrp_tensor *constant, hlrp_error *err);

/* Converts r->node. */
hlrp_status onnx_convert_node(onnx_reader *r, hlrp_error *err);

/* ---- converters, for the table in nodes.c ---- */

typedef hlrp_status (*onnx_convert_fn)(onnx_reader *r, hlrp_error *err);

hlrp_status onnx_conv(onnx_reader *r, hlrp_error *err); /* layers.c */
hlrp_status onnx_gemm(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_matmul(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_batchnorm(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_function(onnx_reader *r, hlrp_error *err); /* functions.c */
hlrp_status onnx_neg(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_hard_sigmoid(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_selu(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_celu(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_threshold(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_swish(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_gelu(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_pow(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_prelu(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_layernorm(onnx_reader *r, hlrp_error *err); /* norms.c */
hlrp_status onnx_rmsnorm(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_groupnorm(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_instancenorm(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_lrn(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_reduce(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_global_maxpool(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_lp_norm(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_compare(onnx_reader *r, hlrp_error *err); /* logic.c */
hlrp_status onnx_not(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_whole(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_mod(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_min_max(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_where(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_range(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_scatter(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_gather_nd(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_filled(onnx_reader *r, const hlrp_tensor *fill, hlrp_error *err);
hlrp_status onnx_cast_computed(onnx_reader *r, bool to_float, hlrp_error *err);
hlrp_status onnx_einsum(onnx_reader *r, hlrp_error *err);     /* einsum.c */
hlrp_status onnx_resize(onnx_reader *r, hlrp_error *err);     /* resize.c */
hlrp_status onnx_leaky_relu(onnx_reader *r, hlrp_error *err); /* activations.c */
hlrp_status onnx_elu(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_clip(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_softmax(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_identity(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_dropout(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_cast(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_maxpool(onnx_reader *r, hlrp_error *err); /* pools.c */
hlrp_status onnx_avgpool(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_global_avgpool(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_pad(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_add(onnx_reader *r, hlrp_error *err); /* arithmetic.c */
hlrp_status onnx_sum(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_mean(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_mul(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_sub(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_div(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_concat(onnx_reader *r, hlrp_error *err); /* movement.c */
hlrp_status onnx_flatten(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_reshape(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_transpose(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_squeeze(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_unsqueeze(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_shape(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_expand(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_tile(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_gather(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_slice(onnx_reader *r, hlrp_error *err); /* parts.c */
hlrp_status onnx_split(onnx_reader *r, hlrp_error *err);
hlrp_status onnx_constant_node(onnx_reader *r, hlrp_error *err); /* constants.c */
hlrp_status onnx_constant_of_shape(onnx_reader *r, hlrp_error *err);

#endif

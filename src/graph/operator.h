/* What an operator is: all that the house knows of it stands in one such row, written in the file of its
 * family in src/op. Passes over graphs, plans and the way back ask the row and never name operators.
 *
 * A row without `forward` and `relevance` is of operators that only files have: canonize evaluates
 * them or turns them into others, and refuses by name what remains. */
#ifndef HLRP_OPERATOR_H
#define HLRP_OPERATOR_H

#include "graph/graph.h"

/* A node whose shape is asked for. */
typedef struct hlrp_shapes {
    hlrp_node *n;              /* pads and first indices that follow from the size are set */
    const hlrp_dims **in;      /* dims of each input; NULL for an absent one */
    const hlrp_tensor **known; /* constants, and shape arithmetic known at this size; else NULL */
} hlrp_shapes;

/* A node that is to be evaluated. */
typedef struct hlrp_constants {
    const hlrp_node *n;
    const hlrp_tensor *const *in; /* NULL: not known, or absent */
    const hlrp_dims *dims0;       /* of the first input */
    int64_t most;                 /* floats that the result may have */
} hlrp_constants;

/* Which layouts (engine/layout.h) a node takes and gives. Of rank 4 a value is a picture or rows
 * (hlrp_find_pictures); of other ranks it is rows. */
typedef enum hlrp_lays_out {
    HLRP_LAYS_AS_INPUT, /* element by element: any, but one for all its values */
    HLRP_LAYS_PICTURES, /* pictures, in the layout of its first input */
    HLRP_LAYS_BLOCKED,  /* pictures, in the layout that convolutions run fastest in */
    HLRP_LAYS_ROWS,
    HLRP_LAYS_FREELY /* takes any, and gives what its readers take */
} hlrp_lays_out;

/* Linear layers, for which composites have columns. */
typedef enum hlrp_layer_kind {
    HLRP_NO_LAYER,
    HLRP_CONVOLUTION,
    HLRP_FULLY_CONNECTED
} hlrp_layer_kind;

/* Products of computed tensors, for which composites have keys. */
typedef enum hlrp_product_kind {
    HLRP_NO_PRODUCT,
    HLRP_PRODUCT_OF_MATRICES, /* lrp.attention */
    HLRP_PRODUCT_OF_ELEMENTS  /* lrp.gate */
} hlrp_product_kind;

/* Nodes that [rules] names together (hlrp_kind_name says how), by their operator; the first two, which
 * win over the others, by where the graph has them. */
typedef enum hlrp_kind {
    HLRP_NO_KIND,
    HLRP_KIND_FIRST,
    HLRP_KIND_ATTENTION,
    HLRP_KIND_CONV,
    HLRP_KIND_LINEAR,
    HLRP_KIND_SUM,
    HLRP_KIND_AVGPOOL,
    HLRP_KIND_BATCHNORM,
    HLRP_KIND_LAYERNORM,
    HLRP_KIND_SOFTMAX,
    HLRP_KIND_MATMUL,
    HLRP_KIND_GATE
} hlrp_kind;

struct hlrp_computation; /* engine/plan.h */
struct hlrp_plan;
struct hlrp_strided;   /* engine/strided.h */
struct hlrp_rule_cell; /* lrp/turn.h */

struct hlrp_operator {
    const char *name; /* "conv", "relu", … */
    hlrp_kind kind;

    /* ---- shapes and constants ---- */
    int least;     /* inputs */
    bool variadic; /* any number of inputs, none of them absent */
    hlrp_status (*shape)(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err);
    /* The node's value, from known inputs (from dims0 alone where `folds_dims`); NULL: it is never
     * evaluated. */
    hlrp_status (*fold)(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err);
    bool folds_dims;

    /* ---- what canonize asks ---- */
    hlrp_activation ends; /* it may end a network, and is cut there */
    bool (*is_identity)(const hlrp_node *n);
    /* Whether it gives its input's elements in their order, under other dims. */
    bool (*reshapes)(const hlrp_node *n, const hlrp_dims *in);
    /* With a constant v as second input it is scale·x + shift; NULL: 1 and 0. */
    double (*scale)(double v), (*shift)(double v);
    /* HLRP_E_MODEL where the engine or the rules cannot take the node as it is; NULL: all. */
    hlrp_status (*check)(const hlrp_graph *g, hlrp_node *n, hlrp_error *err);

    /* ---- forward ---- */
    hlrp_lays_out lays_out;
    bool (*as_rows)(const hlrp_graph *g,
                    const hlrp_node *n); /* it must take rows after all; NULL: no */
    bool joins;                          /* its inputs must have one layout */
    /* Once per plan: makes what forward needs. May be NULL. */
    hlrp_status (*prepare)(struct hlrp_plan *plan, int node, hlrp_error *err);
    hlrp_status (*forward)(const struct hlrp_computation *c, hlrp_error *err);
    /* Moves of rows (op/move.h): the k-th box that comes from an input, false past the last one. Boxes of
     * one output do not overlap. */
    bool (*boxes)(const struct hlrp_plan *plan, const hlrp_node *n, int input, int64_t k,
                  struct hlrp_strided *box);

    /* ---- facts that it passes on; NULL: false ---- */
    bool (*nonnegative)(const hlrp_node *n,
                        const bool *is);    /* y ≥ 0; is[value] says it of inputs */
    bool (*rectifies)(const hlrp_node *n);  /* y = 0 wherever x ≤ 0 */
    bool (*moves_zero)(const hlrp_node *n); /* y ≠ 0 where x = 0 */
    bool moves;                             /* data only: pixels stay pixels */
    /* What products ask of their factors (lrp/structure.h). */
    bool squashes;    /* its output is a weight: softmax, sigmoid, … */
    bool of_weights;  /* of weights alone it makes a weight, as moves and elementwise ones do */
    bool sums_to_one; /* a softmax */
    bool adds;        /* a sum, of computed tensors or with a constant */
    bool affine;      /* arithmetic with constants, element by element */
    bool normalizes;  /* it normalizes a layer */
    bool elementwise; /* each element of the output is a function of the inputs' there */
    bool activates;   /* it is an activation function */
    /* Moves that change channels: the input that a channel of the output comes from, and its channel
     * there; −1: of none, or of several. NULL: the same channel of the first input. */
    int (*source)(const hlrp_graph *g, const hlrp_node *n, int64_t *channel);

    /* ---- relevance ---- */
    hlrp_layer_kind layer;
    hlrp_product_kind product;
    int otherwise;   /* hlrp_rule_kind where no composite speaks */
    bool all_to_one; /* it may hand all to its only input: lrp.batchnorm = pass, and where no bias
                        may keep anything */
    const struct hlrp_rule_cell
        *relevance;    /* by hlrp_rule_kind: its row of the table rules × operators */
    const char *unfit; /* why other rules do not fit, where their cells do not say */
    /* It may keep relevance whatever biases do, for its constants; the second: some nodes. */
    bool keeps;
    bool (*keeps_on)(const hlrp_graph *g, const hlrp_node *n);
};

/* The row's, or rows where the row says so of this node. */
hlrp_lays_out hlrp_node_lays_out(const hlrp_graph *g, const hlrp_node *n);

/* picture[value], written: which values of an inferred graph are pictures. The input is one, and what
 * is made of one element by element; a node that can give either gives what its readers take. */
hlrp_status hlrp_find_pictures(const hlrp_graph *g, bool *picture, hlrp_error *err);

/* Whether an inferred graph has values that do not keep the pictures of a batch apart, or that kernels
 * take for one picture's: it is run one picture at a time. */
bool hlrp_graph_is_one_by_one(const hlrp_graph *g);

/* ---- what rows are made of ---- */

/* HLRP_E_MODEL with the node's name and type as the place. */
hlrp_status hlrp_node_fail(const hlrp_node *n, hlrp_error *err, const char *what, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a way to mend it. */
hlrp_status hlrp_node_refuse(const hlrp_node *n, hlrp_error *err, const char *mend,
                             const char *what, ...) __attribute__((format(printf, 4, 5)));

/* -1 → rank−1 and so on; false where axis is outside −rank…rank−1. */
bool hlrp_axis_resolve(int64_t axis, int rank, int *out);
/* numpy's rule; false where they do not fit. */
bool hlrp_dims_broadcast(const hlrp_dims *a, const hlrp_dims *b, hlrp_dims *out);

/* [N,C,1,1] beside [N,C,H,W]. */
bool hlrp_dims_one_per_channel(const hlrp_dims *part, const hlrp_dims *whole);

/* The output has the first input's shape. */
hlrp_status hlrp_shape_same(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err);
/* The first input has this rank. */
hlrp_status hlrp_shape_rank(const hlrp_shapes *s, int rank, hlrp_error *err);
/* The input, if it is there, is a vector of this length. */
hlrp_status hlrp_shape_vector(const hlrp_shapes *s, int input, int64_t length, const char *what,
                              hlrp_error *err);
/* H and W of out through the node's window, whose pads are resolved on the way. */
hlrp_status hlrp_shape_window(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err);

/* Room for the value of a node, checked against `most` before it takes memory. */
hlrp_status hlrp_fold_new(const hlrp_dims *dims, hlrp_dtype dtype, int64_t most, hlrp_tensor **out,
                          hlrp_error *err);
/* x under other dims. */
hlrp_status hlrp_fold_reshaped(const hlrp_tensor *x, const hlrp_dims *dims, int64_t most,
                               hlrp_tensor **out, hlrp_error *err);
void hlrp_fold_element(hlrp_tensor *to, int64_t k, const hlrp_tensor *from, int64_t j);

/* Elements before, along and after an axis. */
typedef struct hlrp_split {
    int64_t outer, extent, inner;
} hlrp_split;
hlrp_split hlrp_split_at(const hlrp_dims *d, int axis);

/* Steps through `to` (an output's dims) give offsets in a tensor of `from` dims, broadcast. */
void hlrp_strides_of(const hlrp_dims *from, const hlrp_dims *to, int64_t *stride);
int64_t hlrp_offset_of(int64_t k, const hlrp_dims *dims, const int64_t *stride);

/* The same for one place after the other: `offset` of the current one. Zero but for dims and stride. */
typedef struct hlrp_places {
    hlrp_dims dims;
    int64_t stride[HLRP_MAX_RANK];
    int64_t at[HLRP_MAX_RANK];
    int64_t offset;
} hlrp_places;

/* The places of a tensor of `from` dims, broadcast to `to`. */
hlrp_places hlrp_places_of(const hlrp_dims *from, const hlrp_dims *to);

static inline void hlrp_next_place(hlrp_places *p) {
    for (int a = p->dims.rank - 1; a >= 0; a--) {
        p->offset += p->stride[a];
        if (++p->at[a] < p->dims.d[a])
            return;
        p->offset -= p->stride[a] * p->dims.d[a];
        p->at[a] = 0;
    }
}

/* Whether the fact holds for all inputs that are there. */
bool hlrp_all_inputs(const hlrp_node *n, const bool *is);
/* The same for the first alone: the others are shapes, indices, or what it is made to fit. */
bool hlrp_first_input(const hlrp_node *n, const bool *is);

#endif

/* One node's turn on the way back, and the table rules × operators: what the rows of src/op see.
 *
 * Each operator has a row of cells by rule (operator.h, `relevance`): a function that takes one step
 * back, or the reason why the rule does not fit. Linear layers have one function for all rules, which
 * runs what the cell's `layer` prepared; for the others the row says itself what the rule is there. */
#ifndef HLRP_LRP_TURN_H
#define HLRP_LRP_TURN_H

#include "graph/operator.h"
#include "lrp/internal.h"

typedef struct hlrp_turn {
    hlrp_lrp_worker *w;
    int id;
    const hlrp_node *node;
    const hlrp_rule *rule;
    hlrp_bias bias;
    int to;                      /* products: the input that gets all; -1: both share */
    const hlrp_layout *in, *out; /* of the first input and the output */
    const float *x, *y, *r;
    hlrp_step step; /* scratch, and the account of linear layers */
} hlrp_turn;

/* When an element of an input is sure to be handed 0. */
typedef enum hlrp_zero {
    HLRP_ZERO_NEVER,
    HLRP_ZERO_WITH_OUTPUT, /* where it is 0, if that holds for the output */
    HLRP_ZERO_ALWAYS       /* where it is 0 */
} hlrp_zero;

typedef struct hlrp_rule_cell {
    hlrp_status (*back)(hlrp_turn *t, hlrp_error *err); /* NULL: the rule does not fit */
    /* For hlrp_back_part: writes what the first input gets. */
    void (*part)(const hlrp_turn *t, float *out);
    const char *unfit; /* why not, for those that `fits` refuses, or for all; NULL: the row's */
    const hlrp_rule_ops *layer; /* of a linear layer: made ready once per plan */
    bool (*fits)(const hlrp_graph *g, int node, const hlrp_rule *rule); /* NULL: all */
    hlrp_zero zero;
    bool in_place; /* all is handed on as it is: input and output may share a buffer */
} hlrp_rule_cell;

static inline const hlrp_rule_cell *hlrp_cell_of(const hlrp_node *n, const hlrp_rule *rule) {
    return &n->op->relevance[rule->kind];
}

static inline const hlrp_layout *hlrp_layout_of(const hlrp_lrp_worker *w, int value) {
    return hlrp_plan_layout(w->lrp->plan, value);
}

/* The k-th input's value, computed or constant. */
static inline const float *hlrp_turn_input(const hlrp_turn *t, int k) {
    const hlrp_tensor *constant = t->w->lrp->graph->values[t->node->in[k]].constant;
    return constant ? constant->f : hlrp_activations_value(t->w->acts, t->node->in[k]);
}

/* Whether the k-th input can be given relevance. */
static inline bool hlrp_turn_takes(const hlrp_turn *t, int k) {
    return t->node->in[k] >= 0 && !t->w->lrp->graph->values[t->node->in[k]].constant;
}

static inline const hlrp_dims *hlrp_turn_dims(const hlrp_turn *t, int k) {
    return hlrp_plan_dims(t->w->lrp->plan, t->node->in[k]);
}

/* A dry pass only takes scratch: loops that do not run over layouts, whose n is 0 then, ask this. */
static inline bool hlrp_turn_is_dry(const hlrp_turn *t) {
    return t->step.scratch->dry;
}

/* The stabilizer of a node that is no linear layer. */
static inline double hlrp_node_epsilon(const hlrp_rule *rule) {
    return rule->kind == HLRP_RULE_LRP0 || rule->epsilon == 0 ? HLRP_LRP0_EPSILON : rule->epsilon;
}

/* Where a contribution to the k-th input is to be written: its buffer if it is the first, else
 * scratch. */
float *hlrp_begin(hlrp_turn *t, int k);
/* The contribution stands there: it joins what other readers of the value handed it. */
void hlrp_end(hlrp_turn *t, int k, const float *part);

/* ---- what cells are made of ---- */

/* One step back through a linear layer by the cell's rule. */
hlrp_status hlrp_back_layer(hlrp_turn *t, hlrp_error *err);

/* What of R an input is not handed lies on constants, such as zeros around a picture: it is accounted,
 * sample by sample. */
void hlrp_turn_account_rest(const hlrp_turn *t, const float *out);

/* What the cell's `part` writes, to the first input. */
hlrp_status hlrp_back_part(hlrp_turn *t, hlrp_error *err);

/* pass: R_in = R. For nodes whose input and output have one layout. */
hlrp_status hlrp_back_pass(hlrp_turn *t, hlrp_error *err);

/* A node that is linear without parameters in its one input. */
typedef struct hlrp_mean {
    void (*forward)(const hlrp_turn *t, const float *x, float *y);
    void (*adjoint)(const hlrp_turn *t, const float *s, float *c);
    hlrp_window (*window)(const hlrp_turn *t); /* the pixels that an output sees; NULL: */
    void (*even)(const hlrp_turn *t, const float *r, float *c); /* R evenly over what it sees */
} hlrp_mean;

/* norm (rule_norm.c), for means and for sums of computed values. */
hlrp_status hlrp_back_mean(hlrp_turn *t, const hlrp_mean *mean);
hlrp_status hlrp_back_sum(hlrp_turn *t, hlrp_error *err);
/* The rule's name is epsilon: its unit cannot be rms, a mean over a linear layer's sums. */
bool hlrp_fits_absolute(const hlrp_graph *g, int node, const hlrp_rule *rule);

#define HLRP_ONLY_LAYERS "it is for linear layers: convolutions and fully connected ones"
#define HLRP_ONLY_NORM "norm is for sums and means"
#define HLRP_ONLY_PASS "what only moves values or cuts them takes pass, or gradient"
#define HLRP_ONLY_PRODUCTS "products of two computed tensors take constant, share or gradient"
#define HLRP_NO_RMS "rms is in units of a linear layer's sums: write it as epsilon(NUMBER)"

/* The row of an operator without a sum to share out: pass and gradient, each by its own `part`. The
 * operator's `unfit` is HLRP_ONLY_PASS. */
#define HLRP_PART(function) .back = hlrp_back_part, .part = (function)
#define HLRP_PASS_CELL                                                                             \
    [HLRP_RULE_PASS] = {.back = hlrp_back_pass, .zero = HLRP_ZERO_WITH_OUTPUT, .in_place = true}
#define HLRP_PASS_AND_GRADIENT(gradient)                                                           \
    {                                                                                              \
        HLRP_PASS_CELL, [HLRP_RULE_NORM] = {.unfit = HLRP_ONLY_NORM}, [HLRP_RULE_GRADIENT] = {     \
            HLRP_PART(gradient)                                                                    \
        }                                                                                          \
    }
#define HLRP_MOVED(pass, gradient)                                                                 \
    {                                                                                              \
        [HLRP_RULE_PASS] = {HLRP_PART(pass), .zero = HLRP_ZERO_WITH_OUTPUT},                       \
        [HLRP_RULE_NORM] = {.unfit = HLRP_ONLY_NORM}, [HLRP_RULE_GRADIENT] = {                     \
            HLRP_PART(gradient)                                                                    \
        }                                                                                          \
    }

/* The same for several inputs. */
#define HLRP_MOVED_BY(back_fn)                                                                     \
    {                                                                                              \
        [HLRP_RULE_PASS] = {.back = (back_fn), .zero = HLRP_ZERO_WITH_OUTPUT},                     \
        [HLRP_RULE_NORM] = {.unfit = HLRP_ONLY_NORM}, [HLRP_RULE_GRADIENT] = {                     \
            .back = (back_fn)                                                                      \
        }                                                                                          \
    }

/* The row of a sum or a mean: norm, also by the names of the rules that it equals there. The
 * operator's `unfit` is HLRP_ONLY_LAYERS. */
#define HLRP_NORM_CELLS(norm)                                                                      \
    [HLRP_RULE_LRP0] = {.back = (norm), .zero = HLRP_ZERO_ALWAYS},                                 \
    [HLRP_RULE_EPSILON] = {.back = (norm),                                                         \
                           .fits = hlrp_fits_absolute,                                             \
                           .unfit = HLRP_NO_RMS,                                                   \
                           .zero = HLRP_ZERO_ALWAYS},                                              \
    [HLRP_RULE_PASS] = {.unfit = "its inputs share what arrives: norm, or epsilon"},               \
    [HLRP_RULE_NORM] = {.back = (norm), .zero = HLRP_ZERO_ALWAYS}

#endif

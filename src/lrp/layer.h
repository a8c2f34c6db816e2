/* What a rule's file sees: a linear layer made ready for the rule (weights prepared once per plan),
 * and one step back through it.
 *
 * To add a rule: write rule_<name>.c with its formula and source above two functions, `prepare`
 * (makes the linear maps and constants the rule needs) and `relevance` (one step back); declare its
 * table below, name it in rule.h's enum and in forms[] of rule.c (how it is written), give every row
 * in src/op a cell for it (a test finds those without), and add it to src/reference. All elementwise work runs over whole layouts, padding included: padding is 0 and
 * stays 0. */
#ifndef HLRP_LAYER_H
#define HLRP_LAYER_H

#include "engine/linear.h"
#include "lrp/lrp.h"

enum { HLRP_MOST_MAPS = 6 };

typedef struct hlrp_layer hlrp_layer;
typedef struct hlrp_step hlrp_step;

typedef struct hlrp_rule_ops {
    hlrp_status (*prepare)(hlrp_layer *layer, hlrp_error *err);
    hlrp_status (*relevance)(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err);
    /* Forward and adjoint maps that one step runs, in units of the layer's own forward pass. */
    int (*passes)(const hlrp_layer *layer);
    /* Whether relevance goes to inputs by what each contributes to the output's sum: then another way
     * through the layer shares what biases would take (rule_share.c). */
    bool by_contribution;
} hlrp_rule_ops;

extern const hlrp_rule_ops hlrp_rule_epsilon, hlrp_rule_gamma, hlrp_rule_zplus, hlrp_rule_alphabeta,
    hlrp_rule_zbox, hlrp_rule_wsquare, hlrp_rule_flat, hlrp_rule_pass, hlrp_rule_gradient;
/* The first four where biases share: another way through the layer (rule_share.c). */
extern const hlrp_rule_ops hlrp_rule_share;
/* The last linear layer behind a start with slopes (rule_head.c). */
extern const hlrp_rule_ops hlrp_rule_head;

struct hlrp_layer {
    hlrp_rule rule;
    const hlrp_rule_ops *ops;
    hlrp_backend *backend;
    hlrp_linear_spec spec;   /* geometry, and the forward's own parameters */
    hlrp_bias mode;          /* what becomes of what bias and stabilizer take */
    bool head;               /* the last linear layer, behind a start with slopes */
    bool nonnegative;        /* x ≥ 0 everywhere: terms with x⁻ vanish */
    bool dead_below;         /* R is 0 wherever z ≤ 0 (a ReLU behind): terms of z < 0 vanish */
    float *bias;             /* as the rules' sums have it, by channel, in whole blocks: 0 where the
                              layer has none or biases are dropped */
    float *bias_dropped;     /* what hlrp_rule_z takes off the forward's z; or NULL */
    const float *low, *high; /* zbox, by input channel; the plan's */
    hlrp_linear *maps[HLRP_MOST_MAPS];
    float *weights[HLRP_MOST_MAPS]; /* a gemm's modified weights, which its map borrows */
    float *constant;                /* one sample in spec.dst's layout: constant part of z */
};

/* Memory that steps take pieces of. How much is found out by a dry pass (dry.c): the same steps over no
 * samples, with pieces of the size that `samples` take. */
typedef struct hlrp_scratch {
    float *base;
    int64_t used, room; /* floats; the dry pass has no room, and writes nothing */
    int64_t most;       /* that were in use at once */
    int64_t samples;
    bool dry;
} hlrp_scratch;

/* One step back. x, z: the forward's input and output of the layer; r: relevance of the output;
 * out: relevance of the input, written. */
struct hlrp_step {
    hlrp_stream *stream;
    const float *x, *z, *r;
    float *out;
    hlrp_scratch *scratch;
    const float *slope;    /* for the head: [N,O], or NULL */
    float *left;           /* spec.dst's layout, or NULL where nothing is kept: relevance of outputs
                              that no contribution claims; starts as 0, hlrp_layer_spread gives it on */
    bool leaves;           /* something stands in left */
    hlrp_account *account; /* [N] or NULL; bias and stabilizer are added to */
};

/* What is known of a layer from the graph around it. */
typedef struct hlrp_layer_facts {
    bool nonnegative, dead_below; /* as in hlrp_layer */
    bool head;                    /* the last linear layer, behind a start with slopes */
} hlrp_layer_facts;

hlrp_status hlrp_layer_new(hlrp_backend *backend, const hlrp_linear_spec *spec,
                           const hlrp_rule *rule, const hlrp_rule_ops *ops,
                           const hlrp_lrp_options *options, const hlrp_layer_facts *facts,
                           hlrp_layer **out, hlrp_error *err);
void hlrp_layer_free(hlrp_layer *layer);
int64_t hlrp_layer_scratch_bytes(const hlrp_layer *layer); /* of the stream, for its maps */

/* One step back by the layer's rule, after which nothing is left where the layer's mode conserves. */
hlrp_status hlrp_layer_back(const hlrp_layer *layer, hlrp_step *step, hlrp_error *err);

/* ---- for prepare ---- */

/* Modified weights: positive ones times `positive`, negative ones times `negative`. W⁺ is (1, 0),
 * W + γW⁻ is (1, 1 + γ). */
typedef struct hlrp_weights {
    float positive, negative;
} hlrp_weights;

/* Map `slot` with those weights; bias [O] or NULL. */
hlrp_status hlrp_layer_map(hlrp_layer *layer, int slot, hlrp_weights weights, const float *bias,
                           bool forward, bool adjoint, hlrp_error *err);
/* Map `slot` with weights given outright [O,I/g,kh,kw] or [O,I], for the geometry in `spec` (whose
 * weights are not looked at). The array is copied where that is needed. */
hlrp_status hlrp_layer_map_raw(hlrp_layer *layer, int slot, const hlrp_linear_spec *spec,
                               const float *weights, hlrp_error *err);
/* Σ over weights·value of one sample, by channel value [I] or all ones (NULL): into
 * layer->constant, added to what stands there. Uses a passing map of its own. */
hlrp_status hlrp_layer_add_constant(hlrp_layer *layer, const float *weights, const float *value,
                                    hlrp_error *err);
int64_t hlrp_layer_weight_count(const hlrp_layer *layer);
/* Channel c of the bias as the rules have it, positive part (sign > 0) or negative, in whole
 * blocks: a new array, the caller's to free. */
hlrp_status hlrp_layer_bias_part(const hlrp_layer *layer, int sign, float **out, hlrp_error *err);

/* ---- for relevance ---- */

/* Room for the samples of a layout, or for so many floats, from the scratch; given back by setting
 * scratch->used to what it was. */
float *hlrp_take(hlrp_step *step, const hlrp_layout *layout);
float *hlrp_take_floats(hlrp_step *step, int64_t count);

/* The layer's map `slot` on all samples. */
hlrp_status hlrp_layer_forward(const hlrp_layer *layer, const hlrp_step *step, int slot,
                               const float *x, float *z, hlrp_error *err);
hlrp_status hlrp_layer_adjoint(const hlrp_layer *layer, const hlrp_step *step, int slot,
                               const float *s, float *c, hlrp_error *err);

static inline float hlrp_stab(float z, float epsilon) {
    return z + (z >= 0 ? epsilon : -epsilon);
}

/* The forward's z as the rules have it: z itself, or a copy in scratch without its biases. */
const float *hlrp_rule_z(const hlrp_layer *layer, hlrp_step *step);

typedef struct hlrp_divide {
    const float *denominator; /* [N] samples in spec.dst's layout; may be s itself */
    double epsilon;
    bool rms;
    int sign; /* > 0: only where gate > 0, < 0: only where gate < 0, s = 0 elsewhere; 0: all */
    const float *gate;
    float bias_positive, bias_negative; /* for the account: how often b⁺ and b⁻ stand in the sum */
    bool square_bias;                   /* for the account: the sum holds b², not b */
    float weight; /* for the account: how often this part enters the relevance; 0 means once */
} hlrp_divide;

/* s = R / stab(denominator), and the account of what bias and stabilizer took. */
void hlrp_step_divide(const hlrp_layer *layer, hlrp_step *step, const hlrp_divide *d, float *s);

/* The account of what bias and stabilizer took of sample n. */
static inline void hlrp_step_account(hlrp_step *step, int64_t n, double bias, double stabilizer) {
    if (step->account) {
        step->account[n].bias += bias;
        step->account[n].stabilizer += stabilizer;
    }
}

/* s = R / denominator where the denominator is the sum of contributions of one sign: nothing is kept
 * by a stabilizer. Where there is no contribution s = 0 and R is left. */
void hlrp_step_divide_whole(const hlrp_layer *layer, hlrp_step *step, const float *denominator,
                            float *s);

/* Sums of contributions up to this magnitude are no sums: nothing can be shared out by them without
 * leaving float32's range. */
#define HLRP_NO_CONTRIBUTION 1e-30f

/* s = r / stab(z). */
void hlrp_quotient(int64_t count, const float *r, const float *z, float e, float *s);
/* The positive part is hlrp_relu (engine/kernels.h). */
void hlrp_negative_part(int64_t count, const float *x, float *y);
typedef struct hlrp_sums {
    double all, magnitudes;
} hlrp_sums;
hlrp_sums hlrp_sums_of(int64_t count, const float *x);
void hlrp_multiply(int64_t count, const float *x, float *y); /* y *= x */
void hlrp_add_product(int64_t count, float scale, const float *x, const float *c, float *y);
/* y += scale·x·c */
void hlrp_add_scaled(int64_t count, float scale, const float *x, float *y); /* y += scale·x */

#endif

/* Rules of layer-wise relevance propagation, by name and parameters, and how the nodes of a network
 * get theirs: from a composite, changed by a configuration's [rules]. */
#ifndef HLRP_RULE_H
#define HLRP_RULE_H

#include "graph/graph.h"
#include "graph/operator.h"
#include "lrp/structure.h"

typedef enum hlrp_rule_kind {
    HLRP_RULE_LRP0,
    HLRP_RULE_EPSILON,
    HLRP_RULE_GAMMA,
    HLRP_RULE_ZPLUS,
    HLRP_RULE_ALPHABETA,
    HLRP_RULE_ZBOX,
    HLRP_RULE_WSQUARE,
    HLRP_RULE_FLAT,
    HLRP_RULE_PASS,
    HLRP_RULE_NORM,
    HLRP_RULE_GRADIENT,
    HLRP_RULE_CONSTANT, /* products: a weight is held fixed */
    HLRP_RULE_SHARE,    /* products: both factors share */
    HLRP_RULE_DETACH,   /* layer normalization: its spread is held fixed */
    HLRP_RULE_TAYLOR,   /* softmax */
    HLRP_RULE_COUNT
} hlrp_rule_kind;

/* The stabilizer added to every denominator that no rule sets for itself (zennit's default). */
#define HLRP_STABILIZER 1e-6
/* LRP-0 is epsilon in the limit; float32 sums are exact to about 1e-7 of their terms. */
#define HLRP_LRP0_EPSILON 1e-9

typedef struct hlrp_rule {
    hlrp_rule_kind kind;
    double epsilon;     /* EPSILON; NORM's and the others' stabilizer */
    bool rms;           /* EPSILON: epsilon is in units of sqrt(mean z²) of the sample's layer */
    double gamma;       /* GAMMA */
    double alpha, beta; /* ALPHABETA, alpha − beta = 1 */
} hlrp_rule;

/* Parses "gamma(0.25)", "epsilon(0.25,rms)", "zplus", …; parameters that are left out take those of
 * `defaults`. HLRP_E_CONFIG names what is wrong: an unknown rule (with the nearest known one), too
 * many or bad parameters, alpha − beta ≠ 1, a negative epsilon or gamma. */
hlrp_status hlrp_rule_parse(const char *text, const hlrp_rule *defaults, hlrp_rule *out,
                            hlrp_error *err);
/* The same text back, with all its parameters; returns buf. */
const char *hlrp_rule_text(const hlrp_rule *rule, char *buf, size_t size);

/* What becomes of the relevance that a layer's biases and stabilizers take. */
typedef enum hlrp_bias {
    HLRP_BIAS_KEEP,  /* they keep it: it reaches no input */
    HLRP_BIAS_DROP,  /* the rules' sums hold no biases; stabilizers keep what they take */
    HLRP_BIAS_SHARE, /* the inputs get it, in proportion to the magnitude of their contributions */
    HLRP_BIAS_SPREAD /* the inputs that the output sees get it, each the same */
} hlrp_bias;

/* Whether what arrives at the input is what was started with. */
static inline bool hlrp_bias_conserves(hlrp_bias bias) {
    return bias == HLRP_BIAS_SHARE || bias == HLRP_BIAS_SPREAD;
}

/* One line of [rules]: a node's name, a glob over names, or a kind such as "@conv". */
typedef struct hlrp_rule_override {
    const char *key, *rule;
    int line; /* of the file, for messages; 0: not from a file */
} hlrp_rule_override;

/* How products of computed tensors share; AUTO: as the composite has it. */
typedef enum hlrp_product_option {
    HLRP_PRODUCT_AUTO,
    HLRP_PRODUCT_CONSTANT,
    HLRP_PRODUCT_SHARE
} hlrp_product_option;

typedef struct hlrp_rule_options {
    const char *composite; /* "auto": hlrp_composite_for */
    double alpha, beta;
    double gamma, epsilon; /* replace the composite's wherever it has that rule; < 0: its own */
    double gamma_linear;   /* the same of linear layers in composites for transformers */
    hlrp_product_option attention, gate; /* products of matrices, of elements */
    bool layernorm_pass;                 /* layer normalization passes relevance on */
    bool batchnorm_pass; /* a BatchNormalization that is still a node passes relevance on */
    bool head_lrp0;      /* the last linear layer gets LRP-0 whatever else says (start logodds) */
    bool head_yields;    /* but for overrides of that layer, and gradients (start evidence) */
    const hlrp_rule_override *overrides;
    int override_count;
    bool names_others; /* names that no node has are another file's, and passed over */
} hlrp_rule_options;

/* lrp0-epsilon-gamma with the parameters of its paper; no overrides. */
hlrp_rule_options hlrp_rule_options_default(void);

/* A rule for every node of a canonical graph, in `rules` [node_count]. HLRP_E_CONFIG: an unknown
 * composite or rule, a key that matches no node (the nearest name is told), or a rule that does not
 * fit its node, such as zbox on a layer that does not see the input's pixels. */
hlrp_status hlrp_assign_rules(const hlrp_graph *graph, const hlrp_rule_options *options,
                              hlrp_rule *rules, hlrp_error *err);

/* Whether its products element by element share, where lrp.gate does not say. */
bool hlrp_composite_shares_gates(const char *name);

/* What [rules] calls a kind of nodes, "@conv"; NULL for none, and past the last. */
const char *hlrp_kind_name(hlrp_kind kind);
/* Whether a name, glob or kind of [rules] can be some node's. */
bool hlrp_rule_names_a_node(const hlrp_graph *graph, const char *key);

/* What a network gets when nothing is said: a composite for transformers if it has self-attention. */
const char *hlrp_composite_for(const hlrp_structure *structure);

/* Names of composites by index from 0; NULL past the last. */
const char *hlrp_composite_name(int index);
/* Whether its relevance is a gradient, to be multiplied by the input. */
bool hlrp_composite_is_gradient(const char *name);

/* Whether the graph's input reaches the node through data movement only. */
bool hlrp_node_is_first(const hlrp_graph *graph, int node);

#endif

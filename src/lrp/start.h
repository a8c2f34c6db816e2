/* Starts: the relevance of the logits from which propagation begins, for a target class c.
 *
 *   logit        R_c = z_c
 *   probability  R_c = softmax(z)_c (sigmoid for a network of one output)
 *   one          R_c = 1
 *   logodds      R_c = z_c, R_j = −q_j z_j, q_j = exp(z_j − z_c) / Σ_{j'≠c} exp(z_j' − z_c):
 *                explains log(p_c / (1 − p_c)), the evidence for c against the other classes
 *   pair         logodds with all of q on one other class: the evidence for c against it; 0 for
 *                that class itself
 *   evidence     logodds with R_j = −q_j log Σ_{j'≠c} exp z_j', so that Σ R is log(p_c / (1 − p_c))
 *                itself, whose sign says whether c is likelier than all others together. logodds
 *                exceeds it by the entropy of q, which is 0 for two classes
 *
 *   norm         R_k = z_k² of every output, whatever c: of features that no head makes classes of
 *
 * logodds, pair and evidence belong with LRP-0 at the last linear layer (hlrp_rule_options.head_lrp0),
 * where they equal relevance Σ_j a_k (w_kc − w_kj) q_j of the activations a before it. `slope` says
 * how strongly each logit counts in them: 1 for c, −q_j for the others.
 * A network of one output z is one of two classes: z explains class 1, −z class 0, and the
 * relevance of class 0 is minus that of class 1. Source: Montavon et al. (2019), section 10.1.2. */
#ifndef HLRP_START_H
#define HLRP_START_H

#include <stdint.h>

#include "util/util.h"

typedef enum hlrp_start_kind {
    HLRP_START_LOGIT,
    HLRP_START_PROBABILITY,
    HLRP_START_ONE,
    HLRP_START_LOGODDS,
    HLRP_START_PAIR,
    HLRP_START_EVIDENCE,
    HLRP_START_NORM
} hlrp_start_kind;

/* Classes of a network with so many outputs. */
static inline int64_t hlrp_class_count(int64_t outputs) {
    return outputs == 1 ? 2 : outputs;
}

typedef struct hlrp_start {
    hlrp_start_kind kind;
    int64_t against; /* PAIR: the other class */
} hlrp_start;

/* "logit", "log-odds" and so on, for people. */
const char *hlrp_start_name(const hlrp_start *start);

bool hlrp_start_needs_lrp0_head(const hlrp_start *start);

/* One sample: logits [outputs] → relevance and slope [outputs] each; target is a class. slope may be
 * NULL; it is 0 for starts that have none. */
void hlrp_start_fill(const hlrp_start *start, const float *logits, int64_t outputs, int64_t target,
                     float *relevance, float *slope);

typedef enum hlrp_probability_kind {
    HLRP_PROBABILITY_SOFTMAX,
    HLRP_PROBABILITY_SIGMOID,
    HLRP_PROBABILITY_NONE /* the logits themselves */
} hlrp_probability_kind;

/* One sample: logits [outputs] → probabilities [classes]. One output: p1 = sigmoid(z), p0 = 1 − p1
 * (−z, z for NONE). */
void hlrp_probabilities(hlrp_probability_kind kind, const float *logits, int64_t outputs,
                        float *probabilities);

/* The class with the highest probability; the first of equals. */
int64_t hlrp_predicted(const float *probabilities, int64_t classes);

#endif

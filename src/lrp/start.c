#include "lrp/start.h"

#include <math.h>

const char *hlrp_start_name(const hlrp_start *start) {
    static const char *const names[] = {[HLRP_START_LOGIT] = "logit",
                                        [HLRP_START_PROBABILITY] = "probability",
                                        [HLRP_START_ONE] = "one",
                                        [HLRP_START_LOGODDS] = "logodds",
                                        [HLRP_START_PAIR] = "against one class",
                                        [HLRP_START_EVIDENCE] = "log-odds",
                                        [HLRP_START_NORM] = "squared norm"};
    return names[start->kind];
}

bool hlrp_start_needs_lrp0_head(const hlrp_start *start) {
    return start->kind == HLRP_START_LOGODDS || start->kind == HLRP_START_PAIR ||
           start->kind == HLRP_START_EVIDENCE;
}

static double sigmoid(double z) {
    return 1 / (1 + exp(-z));
}

/* log Σ exp over the classes other than `without` (−1: over all). */
static double log_sum(const float *logits, int64_t outputs, int64_t without) {
    double top = -INFINITY, total = 0;
    for (int64_t k = 0; k < outputs; k++)
        if (k != without && logits[k] > top)
            top = logits[k];
    for (int64_t k = 0; k < outputs; k++)
        if (k != without)
            total += exp(logits[k] - top);
    return top + log(total);
}

/* softmax over the classes other than `without` (−1: over all), of class j. */
static double share(const float *logits, int64_t outputs, int64_t without, int64_t j) {
    double top = -INFINITY, total = 0;
    for (int64_t k = 0; k < outputs; k++)
        if (k != without && logits[k] > top)
            top = logits[k];
    for (int64_t k = 0; k < outputs; k++)
        if (k != without)
            total += exp(logits[k] - top);
    return exp(logits[j] - top) / total;
}

static double one_output(const hlrp_start *start, double z) {
    switch (start->kind) {
    case HLRP_START_PROBABILITY:
        return sigmoid(z);
    case HLRP_START_ONE:
        return 1;
    default: /* log(p / (1 − p)) is the logit */
        return z;
    }
}

/* What class j, not the target, has to say: its slope, and the relevance it starts with. */
static double slope_against(const hlrp_start *start, const float *logits, int64_t outputs,
                            int64_t target, int64_t j) {
    if (start->kind == HLRP_START_PAIR)
        return j == start->against ? -1 : 0;
    return hlrp_start_needs_lrp0_head(start) ? -share(logits, outputs, target, j) : 0;
}

static double start_of_target(const hlrp_start *start, const float *logits, int64_t outputs,
                              int64_t target) {
    return start->kind == HLRP_START_ONE           ? 1
           : start->kind == HLRP_START_PROBABILITY ? share(logits, outputs, -1, target)
                                                   : logits[target];
}

static void fill_one(const hlrp_start *start, float logit, int64_t target, float *relevance,
                     float *slope) {
    const double sign = target == 1 ? 1 : -1;
    relevance[0] = (float)(sign * one_output(start, logit));
    if (slope)
        slope[0] = hlrp_start_needs_lrp0_head(start) ? (float)sign : 0;
}

void hlrp_start_fill(const hlrp_start *start, const float *logits, int64_t outputs, int64_t target,
                     float *relevance, float *slope) {
    const bool nothing = start->kind == HLRP_START_PAIR && start->against == target;
    if (start->kind == HLRP_START_NORM) {
        for (int64_t j = 0; j < outputs; j++) {
            relevance[j] = logits[j] * logits[j];
            if (slope)
                slope[j] = 0;
        }
        return;
    }
    if (outputs == 1 && !nothing) {
        fill_one(start, logits[0], target, relevance, slope);
        return;
    }
    for (int64_t j = 0; j < outputs; j++) {
        const bool own = j == target;
        double a = own ? hlrp_start_needs_lrp0_head(start)
                       : slope_against(start, logits, outputs, target, j);
        double r = own ? start_of_target(start, logits, outputs, target)
                   : start->kind == HLRP_START_EVIDENCE ? a * log_sum(logits, outputs, target)
                                                        : a * logits[j];
        if (nothing) /* speaks for a class against itself */
            a = r = 0;
        relevance[j] = (float)r;
        if (slope)
            slope[j] = (float)a;
    }
}

void hlrp_probabilities(hlrp_probability_kind kind, const float *logits, int64_t outputs,
                        float *probabilities) {
    if (outputs == 1) {
        const double z = logits[0], p = kind == HLRP_PROBABILITY_NONE ? z : sigmoid(z);
        probabilities[1] = (float)p;
        probabilities[0] = (float)(kind == HLRP_PROBABILITY_NONE ? -z : sigmoid(-z));
        return;
    }
    for (int64_t k = 0; k < outputs; k++)
        probabilities[k] = kind == HLRP_PROBABILITY_NONE ? logits[k]
                           : kind == HLRP_PROBABILITY_SIGMOID
                               ? (float)sigmoid(logits[k])
                               : (float)share(logits, outputs, -1, k);
}

int64_t hlrp_predicted(const float *probabilities, int64_t classes) {
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++)
        if (probabilities[k] > probabilities[best])
            best = k;
    return best;
}

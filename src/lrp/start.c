#include "lrp/start.h"

#include <math.h>

bool hlrp_start_needs_lrp0_head(const hlrp_start *start) {
    return start->kind == HLRP_START_LOGODDS || start->kind == HLRP_START_PAIR;
}

static double sigmoid(double z) {
    return 1 / (1 + exp(-z));
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

void hlrp_start_fill(const hlrp_start *start, const float *logits, int64_t outputs, int64_t target,
                     float *relevance) {
    if (start->kind == HLRP_START_PAIR && start->against == target) {
        for (int64_t j = 0; j < outputs; j++)
            relevance[j] = 0; /* nothing speaks for a class against itself */
        return;
    }
    if (outputs == 1) {
        const double r = one_output(start, logits[0]);
        relevance[0] = (float)(target == 1 ? r : -r);
        return;
    }
    for (int64_t j = 0; j < outputs; j++) {
        double r = 0;
        if (j == target)
            r = start->kind == HLRP_START_ONE           ? 1
                : start->kind == HLRP_START_PROBABILITY ? share(logits, outputs, -1, j)
                                                        : logits[j];
        else if (start->kind == HLRP_START_LOGODDS)
            r = -share(logits, outputs, target, j) * logits[j];
        else if (start->kind == HLRP_START_PAIR && j == start->against)
            r = -(double)logits[j];
        relevance[j] = (float)r;
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

#include "stitch/limit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOW_BITS 16
#define BINS ((size_t)1 << LOW_BITS)
#define HIGH_BINS ((size_t)1 << (31 - LOW_BITS))

/* One wanted rank: after pass 1 the high bits of its value and its rank among those that share
 * them. */
typedef struct wanted {
    int64_t rank;
    uint32_t high;
    int64_t low_count[BINS];
} wanted;

struct hlrp_limit {
    double percentile;
    int64_t count;
    bool second;
    double between; /* weight of the upper rank */
    int64_t high_count[HIGH_BINS];
    wanted lower, upper;
};

hlrp_status hlrp_limit_new(double percentile, hlrp_limit **out, hlrp_error *err) {
    *out = NULL;
    if (!(percentile >= 0 && percentile <= 100))
        return hlrp_fail(err, HLRP_E_CONFIG, NULL, "choose a percentile from 0 to 100",
                         "the percentile %g is out of range", percentile);
    const hlrp_status status = hlrp_calloc(out, 1, sizeof **out, "a percentile", err);
    if (status == HLRP_OK)
        (*out)->percentile = percentile;
    return status;
}

void hlrp_limit_free(hlrp_limit *limit) {
    free(limit);
}

/* The 31 bits of |value|; they sort as the magnitudes do. */
static uint32_t magnitude(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x7fffffffu;
}

static void count_low(wanted *w, uint32_t bits) {
    if (bits >> LOW_BITS == w->high)
        w->low_count[bits & (BINS - 1)]++;
}

void hlrp_limit_add(hlrp_limit *limit, const float *values, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        const uint32_t bits = magnitude(values[i]);
        if (limit->second) {
            count_low(&limit->lower, bits);
            count_low(&limit->upper, bits);
        } else {
            limit->high_count[bits >> LOW_BITS]++;
            limit->count++;
        }
    }
}

static void find_high(const hlrp_limit *limit, wanted *w, int64_t rank) {
    uint32_t high = 0;
    while (high + 1 < HIGH_BINS && rank >= limit->high_count[high])
        rank -= limit->high_count[high++];
    w->high = high;
    w->rank = rank;
}

void hlrp_limit_second_pass(hlrp_limit *limit) {
    limit->second = true;
    if (limit->count == 0)
        return;
    const double at = limit->percentile / 100 * (double)(limit->count - 1);
    const int64_t rank = (int64_t)at;
    limit->between = at - (double)rank;
    find_high(limit, &limit->lower, rank);
    find_high(limit, &limit->upper, HLRP_MIN(rank + 1, limit->count - 1));
}

static double find_value(const wanted *w) {
    int64_t rank = w->rank;
    uint32_t low = 0;
    float value;
    while (low + 1 < BINS && rank >= w->low_count[low])
        rank -= w->low_count[low++];
    const uint32_t bits = w->high << LOW_BITS | low;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double hlrp_limit_value(const hlrp_limit *limit) {
    if (!limit->second || limit->count == 0)
        return 0;
    const double lower = find_value(&limit->lower), upper = find_value(&limit->upper);
    return lower + limit->between * (upper - lower);
}

hlrp_status hlrp_limit_of(const float *values, int64_t count, double percentile, double *out,
                          hlrp_error *err) {
    hlrp_limit *limit = NULL;
    const hlrp_status status = hlrp_limit_new(percentile, &limit, err);
    if (status != HLRP_OK)
        return status;
    hlrp_limit_add(limit, values, count);
    hlrp_limit_second_pass(limit);
    hlrp_limit_add(limit, values, count);
    *out = hlrp_limit_value(limit);
    hlrp_limit_free(limit);
    return HLRP_OK;
}

#include "store/agreement.h"

#include <math.h>
#include <stdlib.h>

#include "stitch/limit.h"

#define UNDECIDED_PERCENTILE 10
#define MOST_DIFFER 0.01
#define MOST_OVER_START 20

enum { TILES_AT_ONCE = 4096 };

struct hlrp_agreement_measure {
    int pass;
    hlrp_limit *starts, *ratios; /* percentiles, known after two passes */
    double undecided;            /* clear tiles have at least this |start| */
    hlrp_agreement figures;      /* counted in the last pass */
};

int hlrp_agrees(double start, double sum) {
    if (!isfinite(start) || !isfinite(sum) || start == 0 || sum == 0)
        return 0;
    return (start > 0) == (sum > 0) ? 1 : -1;
}

double hlrp_over_start(double start, double magnitude) {
    return start == 0 ? NAN : magnitude / fabs(start);
}

bool hlrp_agreement_differs(const hlrp_agreement *a) {
    return (double)a->clear_differ > MOST_DIFFER * (double)a->clear;
}

bool hlrp_agreement_cancels(const hlrp_agreement *a) {
    return a->over_start > MOST_OVER_START;
}

double hlrp_agreement_share(const hlrp_agreement *a) {
    return a->compared > 0 ? (double)a->differ / (double)a->compared : NAN;
}

hlrp_status hlrp_agreement_begin(hlrp_agreement_measure **out, hlrp_error *err) {
    hlrp_agreement_measure *m = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&m, 1, sizeof *m, "agreement", err));
    HLRP_TRY(hlrp_limit_new(UNDECIDED_PERCENTILE, &m->starts, err));
    HLRP_TRY(hlrp_limit_new(50, &m->ratios, err));
    *out = m;
    m = NULL;
out:
    hlrp_agreement_free(m);
    return status;
}

void hlrp_agreement_free(hlrp_agreement_measure *m) {
    if (!m)
        return;
    hlrp_limit_free(m->starts);
    hlrp_limit_free(m->ratios);
    free(m);
}

static void count(hlrp_agreement_measure *m, double start, double sum, float magnitude) {
    hlrp_agreement *a = &m->figures;
    const bool differ = hlrp_agrees(start, sum) < 0;
    const bool clear = (double)magnitude >= m->undecided;
    a->compared++;
    a->differ += differ;
    a->clear += clear;
    a->clear_differ += clear && differ;
    a->against += start < 0;
    a->turned_for += start < 0 && differ;
    a->in_favor += start > 0;
    a->turned_against += start > 0 && differ;
}

static void add_tile(hlrp_agreement_measure *m, double start, double sum, double magnitude) {
    const float of_start = (float)fabs(start), ratio = (float)hlrp_over_start(start, magnitude);
    if (hlrp_agrees(start, sum) == 0)
        return;
    if (m->pass == HLRP_AGREEMENT_PASSES - 1) {
        count(m, start, sum, of_start);
        return;
    }
    hlrp_limit_add(m->starts, &of_start, 1);
    hlrp_limit_add(m->ratios, &ratio, 1);
}

hlrp_status hlrp_agreement_add(hlrp_agreement_measure *m, hlrp_result *result, int64_t plane,
                               hlrp_error *err) {
    static const char *const names[] = {"start", "relevance_sum", "relevance_abs"};
    const int64_t tiles = hlrp_result_facts(result)->tiles, k = hlrp_result_facts(result)->planes;
    const int64_t once = HLRP_MAX(TILES_AT_ONCE / k, 1);
    double *values = NULL;
    hlrp_status status = HLRP_OK;
    if (!hlrp_result_has_agreement(result))
        return HLRP_OK;
    HLRP_TRY(hlrp_calloc(&values, 3 * once * k, sizeof *values, "agreement", err));
    for (int64_t first = 0; first < tiles; first += once) {
        const int64_t n = HLRP_MIN(once, tiles - first);
        for (int64_t f = 0; f < 3; f++)
            HLRP_TRY(
                hlrp_result_read_tiles(result, names[f], first, n, k, values + f * once * k, err));
        for (int64_t i = 0; i < n * k; i++)
            if (plane < 0 || i % k == plane)
                add_tile(m, values[i], values[once * k + i], values[2 * once * k + i]);
    }
out:
    free(values);
    return status;
}

void hlrp_agreement_next_pass(hlrp_agreement_measure *m) {
    if (m->pass == 0) {
        hlrp_limit_second_pass(m->starts);
        hlrp_limit_second_pass(m->ratios);
    } else if (m->pass == 1) {
        m->undecided = hlrp_limit_value(m->starts);
    }
    m->pass++;
}

void hlrp_agreement_end(const hlrp_agreement_measure *m, hlrp_agreement *out) {
    *out = m->figures;
    out->over_start = out->compared > 0 ? hlrp_limit_value(m->ratios) : NAN;
}

hlrp_status hlrp_agreement_of(hlrp_result *result, int64_t plane, hlrp_agreement *out,
                              hlrp_error *err) {
    hlrp_agreement_measure *m = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_agreement_begin(&m, err));
    for (int pass = 0; pass < HLRP_AGREEMENT_PASSES; pass++) {
        HLRP_TRY(hlrp_agreement_add(m, result, plane, err));
        hlrp_agreement_next_pass(m);
    }
    hlrp_agreement_end(m, out);
out:
    hlrp_agreement_free(m);
    return status;
}

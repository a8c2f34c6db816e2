#include "sink/shown.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Beyond this many standard deviations a Gaussian is nothing. */
#define REACH 3

struct hlrp_shown {
    hlrp_result *result;
    int64_t plane;
    hlrp_size map;
    int64_t chunk_rows;
    int64_t first, count; /* rows of the record held */
    float *rows;
    int64_t room; /* floats */
    int64_t radius;
    double *weights; /* [2·radius + 1] */
    double *sums;    /* Σ weight·value over rows, `radius` zeros on either side of a row */
    double *known;   /* Σ weight of the finite ones, likewise */
};

hlrp_status hlrp_shown_new(hlrp_result *result, int64_t plane, double smoothing, hlrp_shown **out,
                           hlrp_error *err) {
    hlrp_shown *s = NULL;
    hlrp_status status = hlrp_calloc(&s, 1, sizeof *s, "a shown map", err);
    *out = s;
    if (status != HLRP_OK)
        return status;
    s->result = result;
    s->plane = plane;
    s->map = hlrp_result_facts(result)->map;
    s->chunk_rows = HLRP_MAX(hlrp_chunk_size(s->map).h, 1);
    s->radius = (int64_t)ceil(REACH * smoothing);
    const int64_t r = s->radius;
    HLRP_TRY(hlrp_calloc(&s->weights, 2 * r + 1, sizeof *s->weights, "a shown map", err));
    HLRP_TRY(hlrp_calloc(&s->sums, s->map.w + 2 * r, sizeof *s->sums, "a shown map", err));
    HLRP_TRY(hlrp_calloc(&s->known, s->map.w + 2 * r, sizeof *s->known, "a shown map", err));
    for (int64_t k = -r; k <= r; k++)
        s->weights[k + r] = r > 0 ? exp(-0.5 * (double)(k * k) / (smoothing * smoothing)) : 1;
out:
    if (status != HLRP_OK) {
        hlrp_shown_free(s);
        *out = NULL;
    }
    return status;
}

void hlrp_shown_free(hlrp_shown *s) {
    if (!s)
        return;
    free(s->rows);
    free(s->weights);
    free(s->sums);
    free(s->known);
    free(s);
}

/* Makes rows [first, end) of the record available: keeps those it has, reads whole chunk rows after
 * them. */
static hlrp_status hold(hlrp_shown *s, int64_t first, int64_t end, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t held_end = s->first + s->count;
    if (s->count == 0 || first < s->first || first > held_end) {
        s->first = first - first % s->chunk_rows;
        s->count = 0;
    } else {
        const int64_t gone = first - s->first;
        memmove(s->rows, s->rows + gone * s->map.w,
                (size_t)((s->count - gone) * s->map.w) * sizeof *s->rows);
        s->first = first;
        s->count -= gone;
    }
    while (s->first + s->count < end) {
        const int64_t from = s->first + s->count;
        const int64_t rows = HLRP_MIN(s->chunk_rows - from % s->chunk_rows, s->map.h - from);
        HLRP_TRY(hlrp_grow(&s->rows, &s->room, (s->count + rows) * s->map.w, sizeof *s->rows, err));
        HLRP_TRY(hlrp_result_read_rows(s->result, HLRP_MAP_RELEVANCE, s->plane, from, rows,
                                       s->rows + s->count * s->map.w, err));
        s->count += rows;
    }
out:
    return status;
}

static const float *row_at(const hlrp_shown *s, int64_t y) {
    return s->rows + (y - s->first) * s->map.w;
}

static void sum_rows(hlrp_shown *s, int64_t y) {
    const int64_t r = s->radius, w = s->map.w;
    double *sums = s->sums + r, *known = s->known + r;
    memset(sums, 0, (size_t)w * sizeof *sums);
    memset(known, 0, (size_t)w * sizeof *known);
    for (int64_t j = HLRP_MAX(y - r, 0); j <= HLRP_MIN(y + r, s->map.h - 1); j++) {
        const float *row = row_at(s, j);
        const double weight = s->weights[j - y + r];
        for (int64_t x = 0; x < w; x++) {
            const bool is_known = isfinite(row[x]);
            sums[x] += is_known ? weight * row[x] : 0;
            known[x] += is_known ? weight : 0;
        }
    }
}

/* v(x,y) = Σ w_i·w_j·v(x+i, y+j) / Σ w_i·w_j over the finite values. */
static void smooth_row(hlrp_shown *s, int64_t y, float *to) {
    const float *row = row_at(s, y);
    sum_rows(s, y);
    for (int64_t x = 0; x < s->map.w; x++) {
        double sum = 0, known = 0;
        to[x] = NAN;
        if (!isfinite(row[x]))
            continue;
        for (int64_t k = 0; k <= 2 * s->radius; k++) {
            sum += s->weights[k] * s->sums[x + k];
            known += s->weights[k] * s->known[x + k];
        }
        to[x] = (float)(sum / known);
    }
}

hlrp_status hlrp_shown_read(hlrp_shown *s, int64_t y0, int64_t rows, float *values,
                            hlrp_error *err) {
    const int64_t first = HLRP_MAX(y0 - s->radius, 0);
    const int64_t end = HLRP_MIN(y0 + rows + s->radius, s->map.h);
    const hlrp_status status = hold(s, first, end, err);
    for (int64_t y = 0; status == HLRP_OK && y < rows; y++) {
        if (s->radius == 0)
            memcpy(values + y * s->map.w, row_at(s, y0 + y), (size_t)s->map.w * sizeof *values);
        else
            smooth_row(s, y0 + y, values + y * s->map.w);
    }
    return status;
}

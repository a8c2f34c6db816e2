#include <math.h>
#include <stdlib.h>

#include "stitch/overlap.h"

/* Before the cut at the map's ends. Geometry's covering rectangle decides about edges. */
static hlrp_irect touched(double start, double extent, int64_t downsample) {
    const double d = (double)downsample;
    return hlrp_rect_cover((hlrp_rect){start / d, 0.0, extent / d, 1.0});
}

int64_t hlrp_span_most(double extent, int64_t downsample) {
    return (int64_t)ceil(extent / (double)downsample) + 2;
}

hlrp_span hlrp_span_of(double start, double extent, int64_t downsample, int64_t map) {
    const hlrp_irect r = touched(start, extent, downsample);
    const int64_t lo = HLRP_MIN(HLRP_MAX(r.x, 0), map);
    const int64_t hi = HLRP_MIN(HLRP_MAX(r.x + r.w, lo), map);
    return (hlrp_span){lo, hi - lo};
}

double hlrp_span_cover(double start, double extent, int64_t downsample, int64_t m) {
    const double d = (double)downsample;
    return hlrp_overlap(start / d, (start + extent) / d, (double)m, (double)(m + 1));
}

hlrp_status hlrp_axis_init(hlrp_axis *axis, int64_t size, double extent, int64_t downsample,
                           hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *what = "overlap table";
    *axis = (hlrp_axis){.size = size};
    /* A model pixel has one share more than it has map edges inside, and an edge lies in one only.
     */
    axis->capacity = size + hlrp_span_most(extent, downsample) + 2;
    HLRP_TRY(hlrp_calloc(&axis->first, size, sizeof *axis->first, what, err));
    HLRP_TRY(hlrp_calloc(&axis->offset, size + 1, sizeof *axis->offset, what, err));
    HLRP_TRY(hlrp_calloc(&axis->inside, size, sizeof *axis->inside, what, err));
    HLRP_TRY(hlrp_calloc(&axis->share, axis->capacity, sizeof *axis->share, what, err));
out:
    return status;
}

void hlrp_axis_free(hlrp_axis *axis) {
    free(axis->first);
    free(axis->offset);
    free(axis->inside);
    free(axis->share);
    *axis = (hlrp_axis){0};
}

void hlrp_axis_place(hlrp_axis *axis, double start, double extent, int64_t downsample,
                     int64_t slide, hlrp_span span) {
    /* In map pixels. An edge a hair outside of what counts as touched moves onto its border, so
     * that every model pixel's shares still add up to one. */
    const double d = (double)downsample;
    const hlrp_irect r = touched(start, extent, downsample);
    const double e0 = fmax(start / d, (double)r.x);
    const double e1 = fmin((start + extent) / d, (double)(r.x + r.w));
    const double step = (e1 - e0) / (double)axis->size, edge = (double)slide / d;
    int64_t used = 0;
    for (int64_t i = 0; i < axis->size; i++) {
        const double a = e0 + step * (double)i;
        const double b = i + 1 == axis->size ? e1 : e0 + step * (double)(i + 1);
        const double in = fmin(b, edge);
        int64_t m = HLRP_MAX((int64_t)floor(a), span.lo);
        axis->inside[i] = a >= 0 && b <= edge ? 1.0 : fmax(in - fmax(a, 0.0), 0.0) / step;
        axis->first[i] = m - span.lo;
        axis->offset[i] = used;
        for (; m < span.lo + span.n && (double)m < in && used < axis->capacity; m++)
            axis->share[used++] = hlrp_overlap(a, in, (double)m, (double)(m + 1)) / step;
    }
    axis->offset[axis->size] = used;
}

/* Which tiles' relevance is carried on to pixels: those that have most of it. */
#include <math.h>
#include <stdlib.h>

#include "mil/score_internal.h"

typedef struct candidate {
    double magnitude; /* Σ over planes of |relevance| */
    int64_t tile;
} candidate;

/* Most first; of equals the tile that comes first on the slide. */
static int by_magnitude(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->magnitude != y->magnitude)
        return x->magnitude < y->magnitude ? 1 : -1;
    return x->tile < y->tile ? -1 : x->tile > y->tile;
}

static candidate candidate_of(const hlrp_slide_score *s, int64_t tile) {
    candidate c = {.tile = tile};
    const int64_t planes = s->head->targets.planes;
    for (int64_t k = 0; k < planes; k++)
        if (hlrp_slide_score_explains(s, k))
            c.magnitude += fabs(s->relevance[tile * planes + k]);
    return c;
}

/* How many of the sorted candidates are taken. */
static int64_t count_of(const hlrp_mil_pixels *pixels, const candidate *sorted, int64_t n) {
    double all = 0, sum = 0;
    int64_t count = 0;
    if (!pixels->mass || pixels->share >= 1)
        return HLRP_MIN((int64_t)ceil(pixels->share * (double)n - 1e-9), n);
    for (int64_t i = 0; i < n; i++)
        all += sorted[i].magnitude;
    while (count < n && sum < pixels->share * all)
        sum += sorted[count++].magnitude;
    return count;
}

hlrp_status hlrp_score_choose(const hlrp_mil_pixels *pixels, hlrp_slide_score *s, hlrp_error *err) {
    candidate *all = NULL;
    const hlrp_status status = hlrp_calloc(&all, s->instances, sizeof *all, "tiles", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < s->instances; i++)
        all[i] = candidate_of(s, s->members[i]);
    qsort(all, (size_t)s->instances, sizeof *all, by_magnitude);
    const int64_t count = count_of(pixels, all, s->instances);
    for (int64_t i = 0; i < count; i++)
        s->to_pixels[all[i].tile] = true;
    free(all);
    return HLRP_OK;
}

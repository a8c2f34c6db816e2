#include "run/tile_rows.h"

#include <stdlib.h>
#include <string.h>

#include "store/agreement.h"

struct hlrp_tile_table {
    const hlrp_result_info *info;
    int64_t *x, *y, *width, *height;
    float *logit, *probability;
    double *start, *sum, *outside, *abs;
    int8_t *agrees;
    uint8_t *status;
    float *scores[HLRP_SCORE_KINDS];
};

void hlrp_tile_table_free(hlrp_tile_table *t) {
    if (!t)
        return;
    void *const all[] = {t->x,     t->y,   t->width,   t->height, t->logit,  t->probability,
                         t->start, t->sum, t->outside, t->abs,    t->agrees, t->status};
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
    for (int k = 0; k < HLRP_SCORE_KINDS; k++)
        free(t->scores[k]);
    free(t);
}

hlrp_status hlrp_tile_table_new(const hlrp_result_info *info, int64_t n, hlrp_tile_table **out,
                                hlrp_error *err) {
    const int64_t k = info->planes, classes = info->classes;
    hlrp_tile_table *t = NULL;
    hlrp_status status = hlrp_calloc(&t, 1, sizeof *t, "tiles", err);
    if (status != HLRP_OK)
        return status;
    t->info = info;
    HLRP_TRY(hlrp_calloc(&t->x, n, sizeof *t->x, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->y, n, sizeof *t->y, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->width, n, sizeof *t->width, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->height, n, sizeof *t->height, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->logit, n * classes, sizeof *t->logit, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->probability, n * classes, sizeof *t->probability, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->start, n * k, sizeof *t->start, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->sum, n * k, sizeof *t->sum, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->outside, n * k, sizeof *t->outside, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->abs, n * k, sizeof *t->abs, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->agrees, n * k, sizeof *t->agrees, "tiles", err));
    HLRP_TRY(hlrp_calloc(&t->status, n, sizeof *t->status, "tiles", err));
    for (int s = 0; s < HLRP_SCORE_KINDS; s++)
        HLRP_TRY(
            hlrp_calloc(&t->scores[s], n * info->scores[s], sizeof **t->scores, "scores", err));
    *out = t;
    t = NULL;
out:
    hlrp_tile_table_free(t);
    return status;
}

static void put_scores(hlrp_tile_table *t, int64_t row, const float *scores) {
    for (int s = 0; scores && s < HLRP_SCORE_KINDS; s++) {
        const int64_t width = t->info->scores[s];
        memcpy(t->scores[s] + row * width, scores, (size_t)width * sizeof *scores);
        scores += width;
    }
}

void hlrp_tile_table_put(hlrp_tile_table *t, int64_t row, hlrp_irect frame, const hlrp_record *r,
                         const float *scores) {
    const int64_t k = t->info->planes, classes = t->info->classes;
    const size_t planes = (size_t)k * sizeof(double);
    t->x[row] = frame.x;
    t->y[row] = frame.y;
    t->width[row] = frame.w;
    t->height[row] = frame.h;
    t->status[row] = (uint8_t)r->status;
    memcpy(t->logit + row * classes, r->logit, (size_t)classes * sizeof *r->logit);
    memcpy(t->probability + row * classes, r->probability,
           (size_t)classes * sizeof *r->probability);
    memcpy(t->start + row * k, r->start, planes);
    memcpy(t->sum + row * k, r->sum, planes);
    memcpy(t->outside + row * k, r->outside, planes);
    memcpy(t->abs + row * k, r->abs, planes);
    for (int64_t plane = 0; plane < k; plane++)
        t->agrees[row * k + plane] = (int8_t)hlrp_agrees(r->start[plane], r->sum[plane]);
    put_scores(t, row, scores);
}

hlrp_status hlrp_tile_table_write(const hlrp_tile_table *t, int64_t first, int64_t count,
                                  hlrp_result_writer *writer, hlrp_error *err) {
    hlrp_tile_rows rows = {t->x,           t->y,      t->width, t->height,  t->logit,
                           t->probability, t->start,  t->sum,   t->outside, t->abs,
                           t->agrees,      t->status, {NULL}};
    for (int s = 0; s < HLRP_SCORE_KINDS; s++)
        rows.scores[s] = t->scores[s];
    return hlrp_result_write_tiles(writer, first, count, &rows, err);
}

#include "sink/tiles.h"

#include <math.h>
#include <stdlib.h>

#define UM2_PER_MM2 1e6

typedef struct dataset {
    const char *name;
    double **values;
    int64_t width;
} dataset;

#define DATASETS 10

static void list(hlrp_tiles *t, dataset out[DATASETS]) {
    const int64_t c = t->info->classes, k = t->info->planes;
    const dataset all[DATASETS] = {
        {"x", &t->x, 1},
        {"y", &t->y, 1},
        {"width", &t->width, 1},
        {"height", &t->height, 1},
        {"status", &t->status, 1},
        {"logit", &t->logit, c},
        {"probability", &t->probability, c},
        {"start", &t->start, k},
        {"relevance_sum", &t->sum, k},
        {"relevance_outside", &t->outside, k},
    };
    for (int i = 0; i < DATASETS; i++)
        out[i] = all[i];
}

hlrp_status hlrp_tiles_init(hlrp_tiles *t, const hlrp_result *result, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    dataset all[DATASETS];
    t->info = hlrp_result_facts(result);
    list(t, all);
    for (int i = 0; i < DATASETS; i++)
        HLRP_TRY(hlrp_calloc(all[i].values, HLRP_TILES_BATCH * all[i].width, sizeof(double),
                             "a batch of tiles", err));
out:
    return status;
}

void hlrp_tiles_free(hlrp_tiles *t) {
    dataset all[DATASETS];
    if (!t->info)
        return;
    list(t, all);
    for (int i = 0; i < DATASETS; i++)
        free(*all[i].values);
    *t = (hlrp_tiles){0};
}

hlrp_status hlrp_tiles_read(hlrp_tiles *t, hlrp_result *result, int64_t first, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    dataset all[DATASETS];
    list(t, all);
    t->first = first;
    t->count = HLRP_MIN(HLRP_TILES_BATCH, t->info->tiles - first);
    for (int i = 0; i < DATASETS; i++)
        HLRP_TRY(hlrp_result_read_tiles(result, all[i].name, first, t->count, all[i].width,
                                        *all[i].values, err));
out:
    return status;
}

const char *hlrp_tiles_status(const hlrp_tiles *t, int64_t i) {
    return t->status[i] == 0 ? "explained" : t->status[i] == 1 ? "gated" : "unreadable";
}

int64_t hlrp_tiles_predicted(const hlrp_tiles *t, int64_t i) {
    const double *p = t->probability + i * t->info->classes;
    int64_t best = -1;
    for (int64_t c = 0; c < t->info->classes; c++)
        if (!isnan(p[c]) && (best < 0 || p[c] > p[best]))
            best = c;
    return best;
}

double hlrp_tiles_density(const hlrp_tiles *t, int64_t i, int64_t plane) {
    const hlrp_mpp mpp = t->info->mpp;
    return t->sum[i * t->info->planes + plane] /
           (t->width[i] * mpp.x * t->height[i] * mpp.y / UM2_PER_MM2);
}

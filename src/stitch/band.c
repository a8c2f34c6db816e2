#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stitch/overlap.h"
#include "stitch/stitch.h"

struct hlrp_band {
    hlrp_size map;
    int64_t downsample, planes, classes;
    int64_t most, y0, rows; /* rows at most; first row and rows now */
    double *parts, *cover;  /* [planes][most][map.w]: P and D */
    double *mean, *weight;  /* [classes][most][map.w], [most][map.w] */
    float *relevance, *coverage, *probability;
    double *cover_x; /* of the current tile's columns */
};

static hlrp_status allocate(hlrp_band *b, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *what = "band of the map";
    int64_t row = 0, all = 0, prob = 0;
    if (!hlrp_mul_size(b->map.w, b->most, &row) || !hlrp_mul_size(row, b->planes, &all) ||
        !hlrp_mul_size(row, b->classes, &prob))
        return hlrp_fail(err, HLRP_E_MEMORY, what, "use a larger map.downsample",
                         "a band of the map does not fit");
    HLRP_TRY(hlrp_calloc(&b->parts, all, sizeof *b->parts, what, err));
    HLRP_TRY(hlrp_calloc(&b->cover, all, sizeof *b->cover, what, err));
    HLRP_TRY(hlrp_calloc(&b->mean, prob, sizeof *b->mean, what, err));
    HLRP_TRY(hlrp_calloc(&b->weight, row, sizeof *b->weight, what, err));
    HLRP_TRY(hlrp_calloc(&b->relevance, all, sizeof *b->relevance, what, err));
    HLRP_TRY(hlrp_calloc(&b->coverage, all, sizeof *b->coverage, what, err));
    HLRP_TRY(hlrp_calloc(&b->probability, prob, sizeof *b->probability, what, err));
    HLRP_TRY(hlrp_calloc(&b->cover_x, b->map.w, sizeof *b->cover_x, what, err));
out:
    return status;
}

hlrp_status hlrp_band_new(hlrp_size slide, int64_t downsample, int64_t planes, int64_t classes,
                          int64_t rows, hlrp_band **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_band *band = NULL;
    if (downsample < 1 || planes < 1 || classes < 0 || rows < 1)
        return hlrp_fail(err, HLRP_E_INTERNAL, "map", NULL, "a band without rows or planes");
    HLRP_TRY(hlrp_calloc(&band, 1, sizeof *band, "band of the map", err));
    band->downsample = downsample;
    band->map = hlrp_map_size(slide, downsample);
    band->planes = planes;
    band->classes = classes;
    band->most = HLRP_MIN(rows, HLRP_MAX(band->map.h, 1));
    HLRP_TRY(allocate(band, err));
    *out = band;
    band = NULL;
out:
    hlrp_band_free(band);
    return status;
}

void hlrp_band_free(hlrp_band *band) {
    if (!band)
        return;
    free(band->parts);
    free(band->cover);
    free(band->mean);
    free(band->weight);
    free(band->relevance);
    free(band->coverage);
    free(band->probability);
    free(band->cover_x);
    free(band);
}

hlrp_status hlrp_band_start(hlrp_band *band, int64_t y0, hlrp_error *err) {
    if (y0 < 0 || y0 >= band->map.h)
        return hlrp_fail(err, HLRP_E_INTERNAL, "map", NULL, "there is no map row %lld",
                         (long long)y0);
    const size_t row = (size_t)(band->map.w * band->most) * sizeof(double);
    memset(band->parts, 0, row * (size_t)band->planes);
    memset(band->cover, 0, row * (size_t)band->planes);
    memset(band->mean, 0, row * (size_t)band->classes);
    memset(band->weight, 0, row);
    band->y0 = y0;
    band->rows = HLRP_MIN(band->most, band->map.h - y0);
    return HLRP_OK;
}

/* What a patch has to do with the band: its spans, cut at the band, and its shares of the columns.
 */
typedef struct touch {
    hlrp_rect tile;
    hlrp_span x, y;
    int64_t row0, row_end; /* map rows in both tile and band */
} touch;

static touch touch_patch(hlrp_band *b, const hlrp_patch *patch) {
    touch t = {.tile = patch->level0};
    t.x = hlrp_span_of(t.tile.x, t.tile.w, b->downsample, b->map.w);
    t.y = hlrp_span_of(t.tile.y, t.tile.h, b->downsample, b->map.h);
    t.row0 = HLRP_MAX(t.y.lo, b->y0);
    t.row_end = HLRP_MIN(t.y.lo + t.y.n, b->y0 + b->rows);
    if (t.row0 < t.row_end)
        for (int64_t k = 0; k < t.x.n; k++)
            b->cover_x[k] = hlrp_span_cover(t.tile.x, t.tile.w, b->downsample, t.x.lo + k);
    return t;
}

hlrp_status hlrp_band_add(hlrp_band *band, const hlrp_patch *patch, int64_t plane,
                          hlrp_irect window, const double *parts, hlrp_error *err) {
    const touch t = touch_patch(band, patch);
    if (plane < 0 || plane >= band->planes || window.x != t.x.lo || window.w != t.x.n ||
        window.y != t.y.lo || window.h != t.y.n)
        return hlrp_fail(err, HLRP_E_INTERNAL, "map", "start the slide over (--force)",
                         "stored relevance of a tile at %.17g, %.17g lies elsewhere on the map",
                         t.tile.x, t.tile.y);
    for (int64_t m = t.row0; m < t.row_end; m++) {
        const double cover_y = hlrp_span_cover(t.tile.y, t.tile.h, band->downsample, m);
        const int64_t at = (plane * band->most + m - band->y0) * band->map.w + t.x.lo;
        const double *from = parts + (m - window.y) * window.w;
        for (int64_t k = 0; k < t.x.n; k++) {
            band->parts[at + k] += from[k];
            band->cover[at + k] += cover_y * band->cover_x[k];
        }
    }
    return HLRP_OK;
}

void hlrp_band_add_probability(hlrp_band *band, const hlrp_patch *patch, const float *probability) {
    const touch t = touch_patch(band, patch);
    for (int64_t m = t.row0; m < t.row_end; m++) {
        const double cover_y = hlrp_span_cover(t.tile.y, t.tile.h, band->downsample, m);
        const int64_t at = (m - band->y0) * band->map.w + t.x.lo;
        for (int64_t k = 0; k < t.x.n; k++)
            band->weight[at + k] += cover_y * band->cover_x[k];
        for (int64_t c = 0; c < band->classes; c++) {
            double *mean = band->mean + c * band->most * band->map.w + at;
            for (int64_t k = 0; k < t.x.n; k++)
                mean[k] += cover_y * band->cover_x[k] * (double)probability[c];
        }
    }
}

int64_t hlrp_band_rows(const hlrp_band *band) {
    return band->rows;
}

int64_t hlrp_band_y0(const hlrp_band *band) {
    return band->y0;
}

void hlrp_band_finish(hlrp_band *band) {
    const int64_t plane = band->most * band->map.w, n = band->rows * band->map.w;
    for (int64_t k = 0; k < band->planes; k++)
        for (int64_t i = k * plane; i < k * plane + n; i++) {
            const double cover = band->cover[i];
            band->coverage[i] = (float)cover;
            band->relevance[i] = cover > 0.0 ? (float)(band->parts[i] / HLRP_MAX(1.0, cover)) : NAN;
        }
    for (int64_t c = 0; c < band->classes; c++)
        for (int64_t i = 0; i < n; i++)
            band->probability[c * plane + i] =
                band->weight[i] > 0.0 ? (float)(band->mean[c * plane + i] / band->weight[i]) : NAN;
}

const float *hlrp_band_relevance(const hlrp_band *band, int64_t plane) {
    return band->relevance + plane * band->most * band->map.w;
}

const float *hlrp_band_coverage(const hlrp_band *band, int64_t plane) {
    return band->coverage + plane * band->most * band->map.w;
}

const float *hlrp_band_probability(const hlrp_band *band, int64_t class_index) {
    return band->probability + class_index * band->most * band->map.w;
}

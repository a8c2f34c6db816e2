#include "sink/unexplained.h"

#include <math.h>
#include <stdlib.h>

enum { EXPLAINED, GATED, UNREADABLE }; /* /tiles/status */
enum { AT_ONCE = 4096 };

/* ---- tiles ---- */

/* Calls `take` with each tile's number, status and start for the plane. */
static hlrp_status each_tile(hlrp_result *result, int64_t plane,
                             void (*take)(void *ctx, int64_t tile, int status, double start),
                             void *ctx, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(result);
    double *status_of = NULL, *start = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&status_of, AT_ONCE, sizeof *status_of, "tiles", err));
    HLRP_TRY(hlrp_calloc(&start, AT_ONCE * info->planes, sizeof *start, "tiles", err));
    for (int64_t first = 0; first < info->tiles; first += AT_ONCE) {
        const int64_t n = HLRP_MIN(AT_ONCE, info->tiles - first);
        HLRP_TRY(hlrp_result_read_tiles(result, "status", first, n, 1, status_of, err));
        HLRP_TRY(hlrp_result_read_tiles(result, "start", first, n, info->planes, start, err));
        for (int64_t i = 0; i < n; i++)
            take(ctx, first + i, (int)status_of[i], start[i * info->planes + plane]);
    }
out:
    free(status_of);
    free(start);
    return status;
}

static void count(void *ctx, int64_t tile, int status, double start) {
    (void)tile;
    hlrp_unexplained *u = ctx;
    u->tiles++;
    u->gated += status == GATED;
    u->unreadable += status == UNREADABLE;
    u->explained += status == EXPLAINED && !isnan(start);
    u->other += status == EXPLAINED && isnan(start);
}

hlrp_status hlrp_unexplained_count(hlrp_result *result, int64_t plane, hlrp_unexplained *out,
                                   hlrp_error *err) {
    *out = (hlrp_unexplained){.bag = hlrp_result_facts(result)->bag};
    if (hlrp_result_facts(result)->tiles == 0)
        return HLRP_OK;
    hlrp_status status = hlrp_result_read_tiles(result, "width", 0, 1, 1, &out->tile_width, err);
    if (status == HLRP_OK)
        status = each_tile(result, plane, count, out, err);
    return status;
}

static void mark(void *ctx, int64_t tile, int status, double start) {
    uint8_t *hatched = ctx;
    hatched[tile] = status == GATED || (status == EXPLAINED && isnan(start));
}

hlrp_status hlrp_unexplained_tiles(hlrp_result *result, int64_t plane, uint8_t *hatched,
                                   hlrp_error *err) {
    return hlrp_result_facts(result)->bag ? HLRP_OK : each_tile(result, plane, mark, hatched, err);
}

bool hlrp_unexplained_hatches(const hlrp_unexplained *u) {
    return !u->bag && u->other + u->gated > 0;
}

/* ---- in words ---- */

static void add_part(hlrp_str *out, int64_t number, const char *what, const char *between) {
    const char *last = out->length > 0 ? &out->text[out->length - 1] : "";
    if (number > 0)
        hlrp_str_addf(out, "%s%lld %s", *last == ' ' || *last == '(' ? "" : between,
                      (long long)number, what);
}

void hlrp_unexplained_text(const hlrp_unexplained *u, const char *class_name, hlrp_str *out) {
    if (u->explained == u->tiles)
        return;
    if (u->bag && u->explained == 0) {
        hlrp_str_addf(out, "the slide was not called %s: nothing to explain", class_name);
        return;
    }
    if (u->explained == 0)
        hlrp_str_addf(out, "no tile was called %s: nothing to explain (of %lld tiles ", class_name,
                      (long long)u->tiles);
    else
        hlrp_str_addf(out, "%lld of %lld tiles are explained for %s; %s", (long long)u->explained,
                      (long long)u->tiles, class_name,
                      hlrp_unexplained_hatches(u) ? "hatched: " : "");
    add_part(out, u->other, "were called another class", ", ");
    add_part(out, u->gated, "did not pass the gate", ", ");
    add_part(out, u->unreadable, "could not be read", "; ");
    hlrp_str_add(out, u->explained == 0 ? ")" : "");
}

/* ---- on a picture ---- */

/* Lines lie a quarter of a tile apart, seen from near and from afar. */
#define LINES_PER_TILE 4
enum { LEAST_SPACING = 6, MOST_SPACING = 24 };
/* Dark on what is light and light on what is dark: tissue is both. */
enum { LIGHT_FROM = 150, DARK_LINE = 40, LIGHT_LINE = 235 };
#define OPACITY 0.5

struct hlrp_hatch {
    hlrp_result *result;
    int64_t plane;
    hlrp_size map;
    double ratio_x, ratio_y; /* map pixels per pixel of the picture */
    int64_t spacing, thickness;
    int64_t first, count, chunk; /* map rows held, and read at once */
    float *relevance, *probability;
};

hlrp_status hlrp_hatch_new(hlrp_result *result, int64_t plane, const hlrp_unexplained *u, double fx,
                           double fy, hlrp_hatch **out, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(result);
    hlrp_hatch *h = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&h, 1, sizeof *h, "hatching", err));
    *h = (hlrp_hatch){.result = result,
                      .plane = plane,
                      .map = info->map,
                      .ratio_x = fx / (double)info->downsample,
                      .ratio_y = fy / (double)info->downsample,
                      .chunk = HLRP_MAX(hlrp_chunk_size(info->map).h, 1)};
    const double apart = round(u->tile_width / fx / LINES_PER_TILE);
    h->spacing = (int64_t)fmin(fmax(apart, LEAST_SPACING), MOST_SPACING);
    h->thickness = HLRP_MAX(h->spacing / 8, 1);
    HLRP_TRY(hlrp_calloc(&h->relevance, h->chunk * h->map.w, sizeof(float), "hatching", err));
    HLRP_TRY(hlrp_calloc(&h->probability, h->chunk * h->map.w, sizeof(float), "hatching", err));
    *out = h;
    return HLRP_OK;
out:
    hlrp_hatch_free(h);
    return status;
}

void hlrp_hatch_free(hlrp_hatch *h) {
    if (!h)
        return;
    free(h->relevance);
    free(h->probability);
    free(h);
}

static hlrp_status hold(hlrp_hatch *h, int64_t row, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (h->count > 0 && row >= h->first && row < h->first + h->count)
        return HLRP_OK;
    h->first = row - row % h->chunk;
    h->count = HLRP_MIN(h->chunk, h->map.h - h->first);
    HLRP_TRY(hlrp_result_read_rows(h->result, HLRP_MAP_RELEVANCE, h->plane, h->first, h->count,
                                   h->relevance, err));
    HLRP_TRY(hlrp_result_read_rows(h->result, HLRP_MAP_PROBABILITY, 0, h->first, h->count,
                                   h->probability, err));
out:
    return status;
}

/* The map pixel of an axis of n under the middle of pixel i. */
static int64_t under(int64_t i, double ratio, int64_t n) {
    return HLRP_MIN((int64_t)(((double)i + 0.5) * ratio), n - 1);
}

static void draw_pixel(uint8_t rgb[3]) {
    const bool light = rgb[0] + rgb[1] + rgb[2] > 3 * LIGHT_FROM;
    const double line = light ? DARK_LINE : LIGHT_LINE;
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lround(rgb[c] + OPACITY * (line - rgb[c]));
}

static void draw_row(const hlrp_hatch *h, int64_t y, int64_t row, int64_t width, uint8_t *rgb) {
    const float *relevance = h->relevance + (row - h->first) * h->map.w;
    const float *probability = h->probability + (row - h->first) * h->map.w;
    for (int64_t x = 0; x < width; x++) {
        const int64_t i = under(x, h->ratio_x, h->map.w);
        if ((x + y) % h->spacing >= h->thickness || !isnan(relevance[i]) || isnan(probability[i]))
            continue;
        draw_pixel(rgb + 3 * x);
    }
}

hlrp_status hlrp_hatch_draw(hlrp_hatch *h, int64_t y0, int64_t rows, int64_t width, uint8_t *rgb,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int64_t y = 0; status == HLRP_OK && y < rows; y++) {
        const int64_t row = under(y0 + y, h->ratio_y, h->map.h);
        status = hold(h, row, err);
        if (status == HLRP_OK)
            draw_row(h, y0 + y, row, width, rgb + 3 * y * width);
    }
    return status;
}

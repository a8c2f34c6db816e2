#include "sink/report_numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sink/tiles.h"

/* A network that ignores ink still sees the nuclei under it, and their shares differ by chance: up to
 * about twice as much per area was seen. One that looks at ink gives it tens of times as much. */
#define LEAST_SHARE 0.05
#define MOST_EXCESS 4

/* ---- the map ---- */

static void add_pixel(hlrp_report_sums *sums, double value) {
    sums->pixels += 1;
    if (value > 0)
        sums->plus += value;
    else
        sums->minus += value;
}

/* The ground under the middle of a map pixel. */
static int64_t kind_at(const hlrp_ground *g, double downsample, int64_t x, int64_t y) {
    const int64_t i = (int64_t)(((double)x + 0.5) * downsample / g->cell_w);
    const int64_t j = (int64_t)(((double)y + 0.5) * downsample / g->cell_h);
    const uint8_t kind = g->kind[HLRP_MIN(j, g->h - 1) * g->w + HLRP_MIN(i, g->w - 1)];
    return kind < g->count ? kind : 0;
}

static hlrp_status sum_map(const hlrp_sink_input *in, const hlrp_ground *ground,
                           hlrp_report_numbers *n, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(in->result);
    const int64_t chunk = HLRP_MAX(hlrp_chunk_size(info->map).h, 1);
    float *rows = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&rows, chunk * info->map.w, sizeof *rows, "rows of the map", err));
    for (int64_t y0 = 0; y0 < info->map.h; y0 += chunk) {
        const int64_t count = HLRP_MIN(chunk, info->map.h - y0);
        HLRP_TRY(
            hlrp_result_read_rows(in->result, HLRP_MAP_RELEVANCE, in->plane, y0, count, rows, err));
        for (int64_t i = 0; i < count * info->map.w; i++) {
            if (!isfinite(rows[i]))
                continue;
            add_pixel(&n->all, rows[i]);
            if (ground)
                add_pixel(&n->by_kind[kind_at(ground, (double)info->downsample, i % info->map.w,
                                              y0 + i / info->map.w)],
                          rows[i]);
        }
    }
out:
    free(rows);
    return status;
}

/* ---- the tiles ---- */

static bool overlap(const hlrp_report_tile *a, const hlrp_report_tile *b) {
    return hlrp_overlap(a->x, a->x + a->width, b->x, b->x + b->width) > 1 &&
           hlrp_overlap(a->y, a->y + a->height, b->y, b->y + b->height) > 1;
}

void hlrp_report_offer(hlrp_report_best *best, const hlrp_report_tile *tile) {
    hlrp_report_tile *top = best->tiles;
    int kept = 0, at = 0;
    for (int i = 0; i < best->count; i++)
        if (top[i].key >= tile->key && overlap(&top[i], tile))
            return;
    for (int i = 0; i < best->count; i++)
        if (top[i].key >= tile->key || !overlap(&top[i], tile))
            top[kept++] = top[i];
    best->count = kept;
    while (at < kept && top[at].key >= tile->key)
        at++;
    if (at == HLRP_REPORT_TOP)
        return;
    best->count = HLRP_MIN(kept + 1, HLRP_REPORT_TOP);
    memmove(top + at + 1, top + at, (size_t)(best->count - 1 - at) * sizeof *top);
    top[at] = *tile;
}

static void add_probability(hlrp_report_numbers *n, const hlrp_tiles *t, int64_t i) {
    const double p = n->of_class < 0 ? NAN : t->probability[i * t->info->classes + n->of_class];
    if (!isfinite(p))
        return;
    n->with_probability++;
    n->mean_probability += p;
    n->predicted += hlrp_tiles_predicted(t, i) == n->of_class;
    const int64_t bin = (int64_t)(p * HLRP_REPORT_BINS);
    n->histogram[HLRP_MAX(HLRP_MIN(bin, HLRP_REPORT_BINS - 1), 0)]++;
}

static void add_tile(hlrp_report_numbers *n, const hlrp_tiles *t, int64_t i, int64_t plane) {
    const int64_t at = i * t->info->planes + plane;
    n->explained += t->status[i] == 0;
    n->gated += t->status[i] == 1;
    n->unreadable += t->status[i] == 2;
    add_probability(n, t, i);
    if (t->status[i] != 0 || !isfinite(t->sum[at]))
        return;
    n->start += t->start[at];
    n->arrived += t->sum[at];
    n->outside += t->outside[at];
    const bool predicted = hlrp_tiles_predicted(t, i) == n->of_class;
    n->against_yet_predicted += t->start[at] < 0 && predicted;
    n->in_favor_yet_not += t->start[at] > 0 && !predicted;
    const hlrp_report_tile tile = {
        t->first + i, t->x[i],
        t->y[i],      t->width[i],
        t->height[i], n->of_class < 0 ? NAN : t->probability[i * t->info->classes + n->of_class],
        t->sum[at],   t->sum[at]};
    hlrp_report_offer(&n->top, &tile);
}

static int64_t class_of_plane(const hlrp_result_info *info, int64_t plane) {
    for (int64_t c = 0; c < info->classes; c++)
        if (strcmp(info->class_names[c], info->plane_names[plane]) == 0)
            return c;
    return -1;
}

hlrp_status hlrp_report_count(const hlrp_sink_input *in, const hlrp_ground *ground,
                              hlrp_report_numbers *n, hlrp_error *err) {
    hlrp_tiles tiles = {0};
    hlrp_status status = HLRP_OK;
    *n =
        (hlrp_report_numbers){.of_class = class_of_plane(hlrp_result_facts(in->result), in->plane)};
    HLRP_TRY(sum_map(in, ground, n, err));
    HLRP_TRY(hlrp_agreement_of(in->result, in->plane, &n->agreement, err));
    HLRP_TRY(hlrp_tiles_init(&tiles, in->result, err));
    for (int64_t first = 0; first < tiles.info->tiles; first += HLRP_TILES_BATCH) {
        HLRP_TRY(hlrp_tiles_read(&tiles, in->result, first, err));
        for (int64_t i = 0; i < tiles.count; i++)
            add_tile(n, &tiles, i, in->plane);
    }
    n->mean_probability /= (double)n->with_probability;
out:
    hlrp_tiles_free(&tiles);
    return status;
}

/* ---- what to make of it ---- */

/* Sums over the ground that a network may look at. */
static hlrp_report_sums proper(const hlrp_ground *g, const hlrp_report_numbers *n) {
    hlrp_report_sums sums = {0};
    for (int64_t k = 0; k < g->count; k++)
        if (!g->kinds[k].suspect) {
            sums.pixels += n->by_kind[k].pixels;
            sums.plus += n->by_kind[k].plus;
            sums.minus += n->by_kind[k].minus;
        }
    return sums;
}

static double ratio(double part, double pixels, double other, double other_pixels) {
    if (pixels <= 0)
        return 0;
    return other_pixels > 0 && other > 0 ? part / pixels / (other / other_pixels) : NAN;
}

double hlrp_report_excess(const hlrp_ground *g, const hlrp_report_numbers *n, int64_t kind) {
    const hlrp_report_sums rest = proper(g, n), own = n->by_kind[kind];
    return ratio(own.plus, own.pixels, rest.plus, rest.pixels);
}

static bool too_much(double part, double total, double excess) {
    return total > 0 && part > LEAST_SHARE * total && (isnan(excess) || excess > MOST_EXCESS);
}

bool hlrp_report_accuses(const hlrp_ground *g, const hlrp_report_numbers *n, int64_t kind) {
    const hlrp_report_sums rest = proper(g, n), own = n->by_kind[kind];
    const double against = ratio(-own.minus, own.pixels, -rest.minus, rest.pixels);
    return g->kinds[kind].suspect &&
           (too_much(own.plus, n->all.plus, hlrp_report_excess(g, n, kind)) ||
            too_much(-own.minus, -n->all.minus, against));
}

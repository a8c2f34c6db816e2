#include "sink/report_bag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { AT_ONCE = 4096 };

/* Share of all tiles by which ranks differ where they disagree: smaller differences are chance. */
#define LEAST_DIFFERENCE 0.1

/* ---- reading ---- */

/* Column `at` of a dataset of `width` values a tile. */
static hlrp_status read_column(hlrp_result *r, const char *name, int64_t width, int64_t at,
                               double *values, hlrp_error *err) {
    const int64_t tiles = hlrp_result_facts(r)->tiles;
    double *rows = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&rows, AT_ONCE * width, sizeof *rows, "tiles", err));
    for (int64_t first = 0; first < tiles; first += AT_ONCE) {
        const int64_t n = HLRP_MIN(AT_ONCE, tiles - first);
        HLRP_TRY(hlrp_result_read_tiles(r, name, first, n, width, rows, err));
        for (int64_t i = 0; i < n; i++)
            values[first + i] = rows[i * width + at];
    }
out:
    free(rows);
    return status;
}

static int64_t class_of(const hlrp_result_info *info, int64_t plane) {
    for (int64_t c = 0; c < info->classes; c++)
        if (strcmp(info->class_names[c], info->plane_names[plane]) == 0)
            return c;
    return -1;
}

/* Which value of a kind belongs to the shown class; −1: none. A head with one attention for all classes has
 * but that one. */
static int64_t value_of(const hlrp_result_info *info, hlrp_score_kind kind, int64_t plane) {
    if (kind == HLRP_SCORE_GRADIENT)
        return plane;
    if (kind == HLRP_SCORE_ATTENTION && info->scores[kind] == 1)
        return 0;
    return info->scores[kind] == info->classes ? class_of(info, plane) : -1;
}

static hlrp_status read_scores(const hlrp_sink_input *in, hlrp_bag_values *v, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(in->result);
    hlrp_status status = HLRP_OK;
    for (int k = 0; k < HLRP_SCORE_KINDS; k++) {
        const hlrp_score_kind kind = (hlrp_score_kind)k;
        const int64_t at = info->scores[k] > 0 ? value_of(info, kind, in->plane) : -1;
        if (at < 0)
            continue;
        HLRP_TRY(hlrp_calloc(&v->scores[k], v->tiles, sizeof(double), "tiles", err));
        HLRP_TRY(read_column(in->result, hlrp_score_dataset(kind), info->scores[k], at,
                             v->scores[k], err));
    }
out:
    return status;
}

/* ---- ranks ---- */

typedef struct ranked {
    double value;
    int64_t tile;
} ranked;

static int by_value(const void *a, const void *b) {
    const double x = ((const ranked *)a)->value, y = ((const ranked *)b)->value;
    return x > y ? -1 : x < y;
}

static hlrp_status rank(const double *values, int64_t count, double **out, hlrp_error *err) {
    ranked *order = NULL;
    int64_t known = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(out, count, sizeof **out, "ranks", err));
    HLRP_TRY(hlrp_calloc(&order, count, sizeof *order, "ranks", err));
    for (int64_t i = 0; i < count; i++) {
        (*out)[i] = NAN;
        if (!isnan(values[i]))
            order[known++] = (ranked){values[i], i};
    }
    qsort(order, (size_t)known, sizeof *order, by_value);
    for (int64_t i = 0, end = 0; i < known; i = end) {
        while (end < known && order[end].value == order[i].value)
            end++;
        for (int64_t j = i; j < end; j++)
            (*out)[order[j].tile] = (double)(i + 1 + end) / 2;
    }
out:
    free(order);
    return status;
}

/* Spearman's: the correlation of the ranks. NaN where one side has but one rank. */
static double correlate(const double *a, const double *b, int64_t count) {
    double n = 0, mean = 0, ab = 0, aa = 0, bb = 0;
    for (int64_t i = 0; i < count; i++)
        n += !isnan(a[i]);
    mean = (n + 1) / 2;
    for (int64_t i = 0; i < count; i++) {
        if (isnan(a[i]) || isnan(b[i]))
            continue;
        ab += (a[i] - mean) * (b[i] - mean);
        aa += (a[i] - mean) * (a[i] - mean);
        bb += (b[i] - mean) * (b[i] - mean);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : NAN;
}

/* ---- the tiles ---- */

static void offer(hlrp_report_best *best, hlrp_report_tile tile, double key, double least) {
    tile.key = key;
    if (key > least)
        hlrp_report_offer(best, &tile);
}

static hlrp_status choose(const hlrp_sink_input *in, hlrp_report_bag *b, hlrp_error *err) {
    static const char *const names[] = {"x", "y", "width", "height"};
    const hlrp_bag_values *v = &b->values;
    double *frames = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&frames, 4 * v->tiles, sizeof *frames, "tiles", err));
    for (int f = 0; f < 4; f++)
        HLRP_TRY(read_column(in->result, names[f], 1, 0, frames + f * v->tiles, err));
    const double least = LEAST_DIFFERENCE * (double)b->score.tiles;
    for (int64_t i = 0; i < v->tiles; i++) {
        const hlrp_report_tile tile = {.number = i,
                                       .x = frames[i],
                                       .y = frames[v->tiles + i],
                                       .width = frames[2 * v->tiles + i],
                                       .height = frames[3 * v->tiles + i],
                                       .probability = NAN,
                                       .relevance = v->relevance[i]};
        offer(&b->in_favor, tile, v->relevance[i], 0);
        offer(&b->against, tile, -v->relevance[i], 0);
        if (!v->attention_rank)
            continue;
        offer(&b->attended, tile, v->relevance_rank[i] - v->attention_rank[i], least);
        offer(&b->overlooked, tile, v->attention_rank[i] - v->relevance_rank[i], least);
    }
out:
    free(frames);
    return status;
}

hlrp_status hlrp_report_bag_count(const hlrp_sink_input *in, hlrp_report_bag *b, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(in->result);
    hlrp_bag_values *v = &b->values;
    hlrp_status status = HLRP_OK;
    *b = (hlrp_report_bag){.values.tiles = info->tiles, .rank_correlation = NAN};
    HLRP_TRY(hlrp_bag_score_read(in->result, &b->score, err));
    HLRP_TRY(hlrp_calloc(&v->relevance, v->tiles, sizeof *v->relevance, "tiles", err));
    HLRP_TRY(read_column(in->result, "start", info->planes, in->plane, v->relevance, err));
    HLRP_TRY(read_scores(in, v, err));
    HLRP_TRY(rank(v->relevance, v->tiles, &v->relevance_rank, err));
    if (v->scores[HLRP_SCORE_ATTENTION]) {
        HLRP_TRY(rank(v->scores[HLRP_SCORE_ATTENTION], v->tiles, &v->attention_rank, err));
        b->rank_correlation = correlate(v->relevance_rank, v->attention_rank, v->tiles);
    }
    status = choose(in, b, err);
out:
    return status;
}

void hlrp_report_bag_free(hlrp_report_bag *b) {
    hlrp_bag_score_free(&b->score);
    free(b->values.relevance);
    for (int k = 0; k < HLRP_SCORE_KINDS; k++)
        free(b->values.scores[k]);
    free(b->values.relevance_rank);
    free(b->values.attention_rank);
}

#include "worker/growth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sched/sched.h"
#include "worker/check.h"

#define EXPLODES 100.0
#define LEAST_GROWTH 2.0 /* of a layer that is named */
/* A minute of the reference's time, about, whose loops do some 10⁹ multiply-adds a second. */
#define MOST_MACS INT64_C(60000000000)
enum { NAMED = 3, LOOKED_AT = 3, TILES_AT_ONCE = 4096 };

/* ---- which tiles to look at again ---- */

typedef struct candidate {
    double magnitude; /* Σ|R| of the tile's map */
    int64_t tile, plane;
} candidate;

typedef struct look {
    const hlrp_network *net;
    const hlrp_slide *slide;
    const hlrp_grid *grid;
    const int64_t *tiles;         /* grid numbers */
    candidate largest[LOOKED_AT]; /* largest first */
    int found;
    int count; /* of them to be looked at */
    int looked, holds;
    double worst; /* Σ|R| in float32 / in float64, the furthest from 1 */
} look;

static void offer(look *l, const candidate *c) {
    int at = l->found;
    while (at > 0 && c->magnitude > l->largest[at - 1].magnitude)
        at--;
    if (at == LOOKED_AT || isnan(c->magnitude))
        return;
    l->found = HLRP_MIN(l->found + 1, LOOKED_AT);
    memmove(l->largest + at + 1, l->largest + at, (size_t)(LOOKED_AT - 1 - at) * sizeof *c);
    l->largest[at] = *c;
}

static hlrp_status find_largest(look *l, hlrp_result *result, hlrp_error *err) {
    const int64_t tiles = hlrp_result_facts(result)->tiles, planes = l->net->targets.planes;
    double *rows = NULL;
    hlrp_status status = hlrp_calloc(&rows, TILES_AT_ONCE * planes, sizeof *rows, "tiles", err);
    for (int64_t first = 0; status == HLRP_OK && first < tiles; first += TILES_AT_ONCE) {
        const int64_t n = HLRP_MIN(TILES_AT_ONCE, tiles - first);
        status = hlrp_result_read_tiles(result, "relevance_abs", first, n, planes, rows, err);
        for (int64_t i = 0; status == HLRP_OK && i < n * planes; i++)
            offer(l, &(candidate){rows[i], first + i / planes, i % planes});
    }
    free(rows);
    const int64_t each = HLRP_MAX(hlrp_check_macs(l->net), 1);
    while (l->count < l->found && (l->count + 1) * each <= MOST_MACS)
        l->count++;
    return status;
}

/* ---- the second look ---- */

static hlrp_status look_at(look *l, const candidate *c, hlrp_tile_reader *reader, uint8_t *rgb,
                           float *input, hlrp_error *err) {
    const hlrp_network *net = l->net;
    hlrp_tile_result read = HLRP_TILE_READ;
    hlrp_tile_check check = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_read(reader, l->tiles[c->tile], rgb, &read, err));
    hlrp_normalize(&net->normalizer, rgb, net->height * net->width, input);
    HLRP_TRY(hlrp_check_tile(net, input, net->targets.classes[c->plane], &check, err));
    const double ratio = check.abs64 > 0 ? check.abs32 / check.abs64 : INFINITY;
    l->looked++;
    l->holds += hlrp_check_holds(&check);
    if (l->looked == 1 || fabs(log(ratio)) > fabs(log(l->worst)))
        l->worst = ratio;
out:
    hlrp_tile_check_free(&check);
    return status;
}

static hlrp_status look_again(void *ctx, hlrp_error *err) {
    look *l = ctx;
    const int64_t pixels = l->net->height * l->net->width;
    hlrp_slide *slide = NULL;
    hlrp_tile_reader *reader = NULL;
    uint8_t *rgb = NULL;
    float *input = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_open_again(l->slide, &slide, err));
    HLRP_TRY(hlrp_tile_reader_open(slide, l->grid, NULL, NULL, &reader, err));
    HLRP_TRY(hlrp_calloc(&rgb, 3 * pixels, 1, "a tile", err));
    HLRP_TRY(hlrp_calloc_aligned(&input, 3 * pixels, sizeof *input, "a tile", err));
    for (int i = 0; i < l->count; i++)
        HLRP_TRY(look_at(l, &l->largest[i], reader, rgb, input, err));
out:
    hlrp_tile_reader_close(reader);
    free(rgb);
    free(input);
    return status;
}

static void say_verdict(const look *l, hlrp_str *out) {
    if (l->looked == 0)
        hlrp_str_add(out, "the network is too large for a second look in float64 here: `histolrp "
                          "explain --check` does it for a tile");
    else if (l->holds == l->looked)
        hlrp_str_addf(out,
                      "so it is in float64 too (looked at %d tiles): real size, not rounding. "
                      "lrp.bias = share or another composite tames it",
                      l->looked);
    else
        hlrp_str_addf(
            out,
            "float32 rounding has a part in it: in float64 %d of %d tiles differ, Σ|R| up "
            "to %.3g times. Do not trust these maps; try lrp.bias = share or another "
            "composite",
            l->looked - l->holds, l->looked,
            l->worst < 1 ? 1 / HLRP_MAX(l->worst, 1e-300) : l->worst);
}

/* ---- which layers ---- */

typedef struct growth {
    double whole;         /* largest Σ|R| on the way / Σ|R| at the output */
    int64_t layer[NAMED]; /* rows of /layers, the one that grows most first */
    int count;
} growth;

/* The layer that grows most, but for those found before it; −1: none grows. */
static int64_t next_growing(const hlrp_layers *l, const growth *g) {
    int64_t worst = -1;
    for (int64_t i = 0; i < l->count; i++) {
        bool before = strcmp(l->rules.items[i], "gradient") == 0;
        for (int k = 0; k < g->count; k++)
            before = before || g->layer[k] == i;
        if (!before && hlrp_layers_growth(l, i) > LEAST_GROWTH &&
            (worst < 0 || hlrp_layers_growth(l, i) > hlrp_layers_growth(l, worst)))
            worst = i;
    }
    return worst;
}

static growth growth_of(const hlrp_layers *l) {
    growth g = {0};
    for (int64_t i = 0; i < l->count; i++)
        g.whole = fmax(g.whole, l->values[HLRP_ACCOUNT_IN_ABS][i] /
                                    fmax(l->values[HLRP_ACCOUNT_OUT_ABS][0], 1e-300));
    while (g.count < NAMED && (g.layer[g.count] = next_growing(l, &g)) >= 0)
        g.count++;
    return g;
}

static bool explodes(const hlrp_layers *l, const growth *g) {
    return g->count > 0 && (g->whole > EXPLODES || hlrp_layers_growth(l, g->layer[0]) > EXPLODES);
}

static void say_layers(const hlrp_layers *l, const growth *g, hlrp_str *out) {
    hlrp_str_addf(out, "relevance becomes %.3g times as large on its way to the pixels, most in ",
                  g->whole);
    for (int k = 0; k < g->count; k++)
        hlrp_str_addf(out, "%slayer %s (%s: %.3g times)", k > 0 ? ", " : "",
                      l->nodes.items[g->layer[k]], l->rules.items[g->layer[k]],
                      hlrp_layers_growth(l, g->layer[k]));
    hlrp_str_add(out, "; ");
}

hlrp_status hlrp_growth_warning(const hlrp_network *net, const hlrp_slide *slide,
                                const hlrp_grid *grid, const int64_t *tiles, hlrp_result *result,
                                hlrp_str *out, hlrp_error *err) {
    look l = {.net = net, .slide = slide, .grid = grid, .tiles = tiles};
    hlrp_layers layers = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_result_read_layers(result, &layers, err));
    const growth g = growth_of(&layers);
    if (!explodes(&layers, &g))
        goto out;
    HLRP_TRY(find_largest(&l, result, err));
    HLRP_TRY(hlrp_sched_single(look_again, &l, err));
    say_layers(&layers, &g, out);
    say_verdict(&l, out);
out:
    hlrp_layers_free(&layers);
    return status;
}

/* Felt-tip pen on the cover glass. On glass its color says so. Over tissue it has tissue's color,
 * too: blue over eosin is the violet of hematoxylin. But ink takes its part of the light wherever
 * the stroke goes, so that there is no pale cell in it; tissue as dark as that has gaps within less
 * than a stroke's width. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/raster.h"
#include "region/tissue.h"

/* Of the cells that surely are ink, a quarter lets more light through than the density that is
 * taken for the ink's: what else lies under it makes it only darker. */
#define PALE 0.25

/* Of a stroke's width: the disk of dark cells that must fit. */
#define STROKE_RADIUS 0.4

typedef struct search {
    const uint8_t *rgb;
    hlrp_size size;
    double um_x, um_y;
    const hlrp_tissue_options *options;
    uint8_t *ink;  /* of hlrp_ink */
    uint8_t *dark; /* scratch */
    uint8_t *pen;  /* the result */
} search;

static int64_t cells_of(const search *s) {
    return s->size.w * s->size.h;
}

static bool is_sure(const search *s, int64_t i) {
    return s->ink[i] > HLRP_INK_PERHAPS;
}

/* Leaves those of the mask's connected cells of which there are enough for pen. */
static hlrp_status keep_large(const search *s, uint8_t *mask, hlrp_error *err) {
    hlrp_parts parts = {0};
    const double least = s->options->pen_min_um * s->options->pen_min_um / (s->um_x * s->um_y);
    const hlrp_status status = hlrp_parts_find(mask, true, s->size, true, &parts, err);
    for (int64_t i = 0; status == HLRP_OK && i < cells_of(s); i++)
        mask[i] = parts.root[i] >= 0 && parts.cells[parts.root[i]] >= least;
    hlrp_parts_free(&parts);
    return status;
}

/* Smaller spots of such colors are only perhaps pen. */
static hlrp_status look_at_colors(search *s, hlrp_error *err) {
    for (int64_t i = 0; i < cells_of(s); i++) {
        s->ink[i] = (uint8_t)hlrp_ink_of(s->rgb + 3 * i, s->options);
        s->pen[i] = is_sure(s, i);
    }
    const hlrp_status status = keep_large(s, s->pen, err);
    for (int64_t i = 0; i < cells_of(s); i++)
        if (is_sure(s, i) && !s->pen[i])
            s->ink[i] = HLRP_INK_PERHAPS;
    return status;
}

/* The level of a channel that all but PALE of the cells stay at or below; −1: there are none. */
static int pale_level(const search *s, const uint8_t *cells, int channel) {
    int64_t count[256] = {0}, all = 0, sum = 0;
    int level = 0;
    for (int64_t i = 0; i < cells_of(s); i++) {
        count[s->rgb[3 * i + channel]] += cells[i];
        all += cells[i];
    }
    for (; level < 255 && (double)(sum + count[level]) < (1 - PALE) * (double)all; level++)
        sum += count[level];
    return all > 0 ? level : -1;
}

/* The levels up to which a cell is as dark as the ink asks for; 0: there is none of it, or only
 * what may as well be padding. A few cells of another ink's hue are a mixture. Red is what dense
 * nuclei take, too: however pale the ink, less than pen_density of it is not enough. */
static hlrp_status find_limits(search *s, hlrp_ink ink, double limits[3], hlrp_error *err) {
    double density[3];
    for (int64_t i = 0; i < cells_of(s); i++)
        s->dark[i] = s->ink[i] == ink && !hlrp_is_padding(s->rgb + 3 * i, s->options->dark_value);
    const hlrp_status status = keep_large(s, s->dark, err);
    if (status != HLRP_OK)
        return status;
    for (int c = 0; c < 3; c++) {
        const int level = pale_level(s, s->dark, c);
        density[c] = level < 0 ? INFINITY : s->options->pen_share * fmax(hlrp_density(level), 0);
    }
    density[0] = fmax(density[0], s->options->pen_density);
    for (int c = 0; c < 3; c++)
        limits[c] = HLRP_WHITE * exp(-density[c]);
    return HLRP_OK;
}

static hlrp_status dilate(search *s, uint8_t *mask, double um, hlrp_error *err) {
    return hlrp_raster_dilate(mask, s->size, um / s->um_x, um / s->um_y, err);
}

/* Where a disk of cells fits that all are dark enough, and what surely is ink. */
static hlrp_status find_dark(search *s, const double limits[3], hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const double um = STROKE_RADIUS * s->options->pen_min_um;
    for (int64_t i = 0; i < cells_of(s); i++) {
        const uint8_t *c = s->rgb + 3 * i;
        s->dark[i] = c[0] > limits[0] || c[1] > limits[1] || c[2] > limits[2];
    }
    HLRP_TRY(dilate(s, s->dark, um, err));
    for (int64_t i = 0; i < cells_of(s); i++)
        s->dark[i] = !s->dark[i];
    HLRP_TRY(dilate(s, s->dark, um, err));
    for (int64_t i = 0; i < cells_of(s); i++)
        s->dark[i] = s->dark[i] || is_sure(s, i);
out:
    return status;
}

/* What is as dark as the ink and hangs together with it. */
static hlrp_status follow(search *s, hlrp_ink ink, hlrp_error *err) {
    hlrp_parts parts = {0};
    double limits[3] = {0};
    hlrp_status status = find_limits(s, ink, limits, err);
    if (status != HLRP_OK || limits[0] <= 0)
        return status;
    status = find_dark(s, limits, err);
    if (status == HLRP_OK)
        status = hlrp_parts_find(s->dark, true, s->size, true, &parts, err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < cells_of(s); i++)
        if (is_sure(s, i))
            parts.cells[parts.root[i]] = -1; /* the mark of the whole part */
    for (int64_t i = 0; i < cells_of(s); i++)
        if (parts.root[i] >= 0 && parts.cells[parts.root[i]] == -1)
            s->pen[i] = 1;
    hlrp_parts_free(&parts);
    return HLRP_OK;
}

static hlrp_status add_edges(search *s, hlrp_error *err) {
    memcpy(s->dark, s->pen, (size_t)cells_of(s));
    const hlrp_status status = dilate(s, s->dark, s->options->pen_edge_um, err);
    for (int64_t i = 0; status == HLRP_OK && i < cells_of(s); i++)
        s->pen[i] = s->pen[i] || (s->dark[i] && s->ink[i] != HLRP_INK_NONE);
    return status;
}

hlrp_status hlrp_pen_find(const uint8_t *rgb, hlrp_size size, double um_x, double um_y,
                          const hlrp_tissue_options *options, uint8_t *pen, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    search s = {rgb, size, um_x, um_y, options, NULL, NULL, pen};
    HLRP_TRY(hlrp_calloc(&s.ink, cells_of(&s), 1, "tissue detection", err));
    HLRP_TRY(hlrp_calloc(&s.dark, cells_of(&s), 1, "tissue detection", err));
    HLRP_TRY(look_at_colors(&s, err));
    for (int ink = HLRP_INK_BLACK; options->pen_share > 0 && ink < HLRP_INKS; ink++)
        HLRP_TRY(follow(&s, (hlrp_ink)ink, err));
    HLRP_TRY(add_edges(&s, err));
out:
    free(s.ink);
    free(s.dark);
    return status;
}

/* Tissue detection: saturation of an overview in the light of the glass, smoothed, thresholded,
 * joined by walls of fat, closed, its holes filled and its crumbs dropped. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/layer.h"
#include "region/raster.h"
#include "region/tissue.h"

/* 64 million cells: 23 cm² of slide at 8 µm and about 1 GB while detecting; larger ones get larger
 * cells. */
#define MOST_CELLS 6.4e7

/* A pen stroke is at least this large; smaller spots of such colors are dust or pigment. */
#define PEN_MIN_UM 100.0

/* How far the soft edge of a stroke reaches. */
#define PEN_EDGE_UM 28.0

/* Glass seldom strays further than this many of its spreads. */
#define GLASS_SPREADS 1.5

/* A cell on the outline of tissue is a mixture, and color bleeds beyond it: a cell with less color
 * than this share of the strongest so near is not tissue. */
#define EDGE_SHARE 0.45
#define NEAR_UM 16.0

/* Walls of fat, in levels of green darker than either side; not beside saturation as high as that.
 */
#define WALL_DEPTH 6
#define WALL_NEXT_TO 40

/* On a very small slide no object could reach min_object: there a tenth of its area will do. */
#define SMALL_SLIDE 0.1

void hlrp_tissue_defaults(hlrp_tissue_options *options) {
    *options = (hlrp_tissue_options){.cell_um = 8,
                                     .median_um = 24,
                                     .closing_um = 32,
                                     .min_object_um = 200,
                                     .max_hole_um = 190,
                                     .saturation_floor = 10,
                                     .saturation_ceiling = 30,
                                     .dark_value = 85,
                                     .pen = HLRP_PEN_KEEP};
}

static hlrp_status check(const hlrp_tissue_options *o, hlrp_mpp mpp, hlrp_error *err) {
    const struct {
        const char *name;
        double value, least, most;
    } table[] = {{"cell size (um)", o->cell_um, 1, 200},
                 {"median (um)", o->median_um, 0, 2000},
                 {"closing (um)", o->closing_um, 0, 2000},
                 {"smallest object (um)", o->min_object_um, 0, 1e5},
                 {"largest hole (um)", o->max_hole_um, 0, 1e5},
                 {"saturation floor", o->saturation_floor, 0, 255},
                 {"saturation ceiling", o->saturation_ceiling, o->saturation_floor, 255},
                 {"dark value", o->dark_value, 0, 256},
                 {"um per pixel", mpp.x, 1e-3, 1e3},
                 {"um per pixel", mpp.y, 1e-3, 1e3}};
    for (size_t i = 0; i < HLRP_COUNT(table); i++)
        if (!(table[i].value >= table[i].least && table[i].value <= table[i].most))
            return hlrp_fail(err, HLRP_E_CONFIG, "tissue detection", "correct the value",
                             "%s is %g, outside %g to %g", table[i].name, table[i].value,
                             table[i].least, table[i].most);
    return HLRP_OK;
}

/* What the steps share. All rasters are [size.h][size.w]. */
typedef struct field {
    hlrp_size slide, size;
    double down_x, down_y; /* level-0 pixels per cell */
    double um_x, um_y;     /* µm per cell */
    uint8_t *rgb, *tissue;
    uint8_t *saturation, *smooth; /* in the light of the glass; smooth: after the median */
    hlrp_glass glass;
    uint8_t *kind; /* first what is excluded (pen, padding; else 0), at the end the result */
} field;

static void field_free(field *f) {
    free(f->rgb);
    free(f->saturation);
    free(f->smooth);
    free(f->tissue);
    free(f->kind);
}

static int64_t cells_of(const field *f) {
    return f->size.w * f->size.h;
}

/* Level-0 pixels per cell: `down` or a little less, so that whole cells fill the slide and no cell
 * mixes in what lies outside. */
static double fit(int64_t side, double down) {
    return (double)side / ceil((double)side / down - 1e-9);
}

static hlrp_status view(hlrp_slide *slide, hlrp_mpp mpp, double cell_um, field *f,
                        hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    f->slide = hlrp_slide_size(slide, 0);
    f->down_x = HLRP_MAX(cell_um / mpp.x, 1);
    f->down_y = HLRP_MAX(cell_um / mpp.y, 1);
    double cells = (double)f->slide.w / f->down_x * ((double)f->slide.h / f->down_y);
    double coarser = cells > MOST_CELLS ? sqrt(cells / MOST_CELLS) : 1;
    f->down_x = fit(f->slide.w, f->down_x * coarser);
    f->down_y = fit(f->slide.h, f->down_y * coarser);
    f->um_x = f->down_x * mpp.x;
    f->um_y = f->down_y * mpp.y;
    HLRP_TRY(hlrp_slide_overview(slide, f->down_x, f->down_y, &f->size, &f->rgb, NULL, err));
    HLRP_TRY(hlrp_calloc(&f->saturation, cells_of(f), 1, "tissue detection", err));
    HLRP_TRY(hlrp_calloc(&f->smooth, cells_of(f), 1, "tissue detection", err));
    HLRP_TRY(hlrp_calloc(&f->tissue, cells_of(f), 1, "tissue detection", err));
    HLRP_TRY(hlrp_calloc(&f->kind, cells_of(f), 1, "tissue detection", err));
out:
    return status;
}

/* Pen: connected cells that surely are, if there are enough, and around them those that may be. */
static hlrp_status find_pen(field *f, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_parts parts = {0};
    uint8_t *likeness = f->saturation, *near = f->tissue; /* not in use yet */
    double least = PEN_MIN_UM * PEN_MIN_UM / (f->um_x * f->um_y);
    for (int64_t i = 0; i < cells_of(f); i++) {
        likeness[i] = (uint8_t)hlrp_pen_likeness(f->rgb + 3 * i);
        near[i] = likeness[i] == 2;
    }
    HLRP_TRY(hlrp_parts_find(near, true, f->size, true, &parts, err));
    for (int64_t i = 0; i < cells_of(f); i++)
        near[i] = parts.root[i] >= 0 && parts.cells[parts.root[i]] >= least;
    HLRP_TRY(hlrp_raster_dilate(near, f->size, PEN_EDGE_UM / f->um_x, PEN_EDGE_UM / f->um_y, err));
    for (int64_t i = 0; i < cells_of(f); i++)
        if (near[i] && likeness[i])
            f->kind[i] = HLRP_CELL_PEN;
out:
    hlrp_parts_free(&parts);
    return status;
}

static hlrp_status look_at_colors(field *f, const hlrp_tissue_options *o, hlrp_error *err) {
    hlrp_status status = o->pen == HLRP_PEN_DROP ? find_pen(f, err) : HLRP_OK;
    for (int64_t i = 0; i < cells_of(f); i++)
        if (hlrp_is_padding(f->rgb + 3 * i, o->dark_value))
            f->kind[i] = HLRP_CELL_PADDING;
    hlrp_glass_find(f->rgb, f->kind, cells_of(f), o->saturation_ceiling, &f->glass);
    for (int64_t i = 0; i < cells_of(f); i++)
        f->saturation[i] = (uint8_t)lround(hlrp_glass_distance(&f->glass, f->rgb + 3 * i));
    return status;
}

/* Where a slide has no glass, everything above the ceiling is stain. */
static int threshold_of(const field *f, const hlrp_tissue_options *o) {
    if (!f->glass.found)
        return o->saturation_ceiling;
    int spread = hlrp_glass_spread(&f->glass, f->rgb, f->kind, cells_of(f), o->saturation_ceiling);
    int t = (int)lround(GLASS_SPREADS * spread);
    return HLRP_MIN(HLRP_MAX(t, o->saturation_floor), o->saturation_ceiling);
}

static int64_t cells(double um, double um_per_cell) {
    return HLRP_MAX(llround(um / um_per_cell), 1);
}

/* What has color enough for its surroundings, and the dark walls of fat, whose cells are empty and
 * whose color compression takes first. Beside strong color, dark lines are only ringing. */
static void choose(field *f, int t, const uint8_t *highest) {
    int64_t rx = cells(NEAR_UM, f->um_x), ry = cells(NEAR_UM, f->um_y);
    for (int64_t i = 0; i < cells_of(f); i++) {
        bool stain = f->smooth[i] > t && f->smooth[i] >= EDGE_SHARE * highest[i];
        bool wall = highest[i] < WALL_NEXT_TO &&
                    hlrp_raster_line_depth(f->rgb, f->size, i % f->size.w, i / f->size.w, rx, ry) >=
                        WALL_DEPTH;
        f->tissue[i] = !f->kind[i] && (stain || wall);
        f->saturation[i] = f->smooth[i] > t; /* from here on: whether it is stained */
    }
}

static hlrp_status threshold(field *f, const hlrp_tissue_options *o, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    uint8_t *highest = NULL;
    int64_t rx = llround(o->median_um / f->um_x / 2 - 0.25);
    int64_t ry = llround(o->median_um / f->um_y / 2 - 0.25);
    HLRP_TRY(hlrp_calloc(&highest, cells_of(f), 1, "tissue detection", err));
    hlrp_raster_median(f->saturation, f->kind, f->size, HLRP_MAX(rx, 0), HLRP_MAX(ry, 0),
                       f->smooth);
    HLRP_TRY(hlrp_raster_highest(f->smooth, f->size, cells(NEAR_UM, f->um_x),
                                 cells(NEAR_UM, f->um_y), highest, err));
    choose(f, threshold_of(f, o), highest);
    status = hlrp_raster_close(f->tissue, f->size, o->closing_um / f->um_x, o->closing_um / f->um_y,
                               err);
out:
    free(highest);
    return status;
}

/* A hole does not reach the slide's edge: parts that do lose their count. */
static void void_at_edge(hlrp_parts *parts, hlrp_size size) {
    for (int64_t i = 0; i < size.w * size.h; i++) {
        int64_t x = i % size.w, y = i / size.w;
        bool edge = x == 0 || y == 0 || x == size.w - 1 || y == size.h - 1;
        if (edge && parts->root[i] >= 0)
            parts->cells[parts->root[i]] = 0;
    }
}

static hlrp_status fill_holes(field *f, double max_hole_um, hlrp_error *err) {
    hlrp_parts parts = {0};
    double most = max_hole_um * max_hole_um / (f->um_x * f->um_y);
    hlrp_status status = hlrp_parts_find(f->tissue, false, f->size, false, &parts, err);
    if (status != HLRP_OK)
        return status;
    void_at_edge(&parts, f->size);
    for (int64_t i = 0; i < cells_of(f); i++)
        if (parts.root[i] >= 0 && parts.cells[parts.root[i]] > 0 &&
            parts.cells[parts.root[i]] < most)
            f->tissue[i] = 1;
    hlrp_parts_free(&parts);
    return HLRP_OK;
}

/* An object of dark lines without any stain is a scratch or a hair. */
static hlrp_status drop_objects(field *f, double min_object_um, hlrp_error *err) {
    hlrp_parts parts = {0};
    double least = min_object_um * min_object_um / (f->um_x * f->um_y);
    double slide = (double)f->slide.w / f->down_x * ((double)f->slide.h / f->down_y);
    least = HLRP_MIN(least, SMALL_SLIDE * slide);
    hlrp_status status = hlrp_parts_find(f->tissue, true, f->size, true, &parts, err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < cells_of(f); i++)
        if (parts.root[i] >= 0 && f->saturation[i] == 1)
            f->saturation[parts.root[i]] = 3; /* the mark of the whole part */
    for (int64_t i = 0; i < cells_of(f); i++)
        if (parts.root[i] >= 0 &&
            (parts.cells[parts.root[i]] < least || f->saturation[parts.root[i]] != 3))
            f->tissue[i] = 0;
    hlrp_parts_free(&parts);
    return HLRP_OK;
}

/* Closing and filling reach over pen and padding; they stay what they are. */
static void conclude(field *f) {
    for (int64_t i = 0; i < cells_of(f); i++)
        if (!f->kind[i])
            f->kind[i] = f->tissue[i] ? HLRP_CELL_TISSUE : HLRP_CELL_GLASS;
}

hlrp_status hlrp_region_new_tissue(hlrp_slide *slide, hlrp_mpp mpp,
                                   const hlrp_tissue_options *options, hlrp_region **out,
                                   hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    field f = {0};
    hlrp_tissue_options o = {0};
    hlrp_tissue_defaults(&o);
    if (options)
        o = *options;
    HLRP_TRY(check(&o, mpp, err));
    HLRP_TRY(view(slide, mpp, o.cell_um, &f, err));
    HLRP_TRY(look_at_colors(&f, &o, err));
    HLRP_TRY(threshold(&f, &o, err));
    HLRP_TRY(fill_holes(&f, o.max_hole_um, err));
    HLRP_TRY(drop_objects(&f, o.min_object_um, err));
    conclude(&f);
    status = hlrp_region_new_mask(f.slide, f.size, f.down_x, f.down_y, f.kind, out, err);
    f.kind = NULL; /* taken over */
out:
    field_free(&f);
    return status;
}

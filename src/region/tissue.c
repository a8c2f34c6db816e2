/* Tissue detection: saturation of an overview in the light of the glass, smoothed, thresholded,
 * joined by walls of fat, closed, its holes filled and its crumbs dropped. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/layer.h"
#include "region/raster.h"
#include "region/tissue.h"

/* 20 million cells: 13 cm² of slide at 8 µm; larger ones get larger cells, of 16 µm at 51 cm². */
#define MOST_CELLS 2e7

/* On a very small slide no object could reach min_object: there a tenth of its area will do. */
#define SMALL_SLIDE 0.1

void hlrp_tissue_defaults(hlrp_tissue_options *options) {
    *options = (hlrp_tissue_options){.cell_um = 8,
                                     .median_um = 24,
                                     .closing_um = 32,
                                     .min_object_um = 200,
                                     .max_hole_um = 190,
                                     .glass_spreads = 1.5,
                                     .saturation_floor = 10,
                                     .saturation_ceiling = 30,
                                     .edge_um = 16,
                                     .edge_share = 0.45,
                                     .darkness = 0.3,
                                     .block_um = 32,
                                     .wall_um = 16,
                                     .wall_depth = 6,
                                     .wall_saturation = 50,
                                     .dark_value = 85,
                                     .pen = HLRP_PEN_KEEP,
                                     .pen_hue_from = 75,
                                     .pen_hue_to = 245,
                                     .pen_saturation = 70,
                                     .pen_density = 0.5,
                                     .pen_share = 0.65,
                                     .pen_min_um = 100,
                                     .pen_edge_um = 20};
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
                 {"spreads of the glass", o->glass_spreads, 0, 100},
                 {"saturation floor", o->saturation_floor, 0, 255},
                 {"saturation ceiling", o->saturation_ceiling, o->saturation_floor, 255},
                 {"edge (um)", o->edge_um, 0, 500},
                 {"edge share", o->edge_share, 0, 1},
                 {"darkness", o->darkness, 0, 1},
                 {"block (um)", o->block_um, 0, 500},
                 {"wall (um)", o->wall_um, 0, 500},
                 {"wall depth", o->wall_depth, 1, 255},
                 {"wall saturation", o->wall_saturation, 0, 255},
                 {"dark value", o->dark_value, 0, 256},
                 {"first hue of pen", o->pen_hue_from, 0, 360},
                 {"last hue of pen", o->pen_hue_to, o->pen_hue_from, 360},
                 {"pen saturation", o->pen_saturation, 1, 255},
                 {"pen density", o->pen_density, 0.1, 5},
                 {"pen share", o->pen_share, 0, 1},
                 {"smallest pen (um)", o->pen_min_um, 0, 1e5},
                 {"pen edge (um)", o->pen_edge_um, 0, 500},
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

/* Cells of the asked size that would fill the slide. */
static double cells_asked(hlrp_size slide, hlrp_mpp mpp, double cell_um) {
    return (double)slide.w / HLRP_MAX(cell_um / mpp.x, 1) *
           ((double)slide.h / HLRP_MAX(cell_um / mpp.y, 1));
}

double hlrp_tissue_cells(hlrp_size slide, hlrp_mpp mpp, double cell_um) {
    return HLRP_MIN(cells_asked(slide, mpp, cell_um), MOST_CELLS);
}

static hlrp_status view(hlrp_slide *slide, hlrp_mpp mpp, double cell_um, field *f,
                        hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    f->slide = hlrp_slide_size(slide, 0);
    const double asked = cells_asked(f->slide, mpp, cell_um);
    const double coarser = asked > MOST_CELLS ? sqrt(asked / MOST_CELLS) : 1;
    f->down_x = fit(f->slide.w, HLRP_MAX(cell_um / mpp.x, 1) * coarser);
    f->down_y = fit(f->slide.h, HLRP_MAX(cell_um / mpp.y, 1) * coarser);
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

static hlrp_status look_at_colors(field *f, const hlrp_tissue_options *o, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (o->pen == HLRP_PEN_DROP)
        HLRP_TRY(hlrp_pen_find(f->rgb, f->size, f->um_x, f->um_y, o, f->kind, err));
    for (int64_t i = 0; i < cells_of(f); i++)
        f->kind[i] = hlrp_is_padding(f->rgb + 3 * i, o->dark_value) ? HLRP_CELL_PADDING
                     : f->kind[i]                                   ? HLRP_CELL_PEN
                                                                    : 0;
    HLRP_TRY(hlrp_glass_find(f->rgb, f->kind, f->size, o->saturation_ceiling, &f->glass, err));
    for (int64_t i = 0; i < cells_of(f); i++)
        f->saturation[i] = (uint8_t)lround(hlrp_glass_distance(&f->glass, f->rgb + 3 * i));
out:
    return status;
}

/* Where a slide has no glass, everything above the ceiling is stain. */
static int threshold_of(const field *f, const hlrp_tissue_options *o) {
    if (!f->glass.found)
        return o->saturation_ceiling;
    int spread = hlrp_glass_spread(&f->glass, f->rgb, f->kind, cells_of(f), o->saturation_ceiling);
    double t = HLRP_MIN(o->glass_spreads * spread, o->saturation_ceiling);
    return HLRP_MAX((int)lround(t), o->saturation_floor);
}

/* At least one cell. */
static int64_t cells(double um, double um_per_cell) {
    return HLRP_MAX(llround(um / um_per_cell), 1);
}

/* What lies around the cells, [size.h][size.w] each. */
typedef struct around {
    int threshold;
    uint8_t *edge;   /* the highest saturation within edge_um */
    uint8_t *strong; /* the highest saturation within block_um */
    uint8_t *bright; /* the cell's own brightness, smoothed as its saturation is */
    uint8_t *glass;  /* brightness of the glass within block_um; 0: there is none */
} around;

static void around_free(around *a) {
    free(a->edge);
    free(a->strong);
    free(a->bright);
    free(a->glass);
}

static void smooth(const field *f, const hlrp_tissue_options *o, const uint8_t *in, uint8_t *out) {
    int64_t rx = llround(o->median_um / f->um_x / 2 - 0.25);
    int64_t ry = llround(o->median_um / f->um_y / 2 - 0.25);
    hlrp_raster_median(in, f->kind, f->size, HLRP_MAX(rx, 0), HLRP_MAX(ry, 0), out);
}

static hlrp_status look_around(field *f, const hlrp_tissue_options *o, around *a, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t rx = cells(o->block_um, f->um_x), ry = cells(o->block_um, f->um_y);
    uint8_t *luma = f->saturation, *no_glass = f->tissue; /* not in use now */
    HLRP_TRY(hlrp_calloc(&a->edge, cells_of(f), 1, "tissue detection", err));
    HLRP_TRY(hlrp_calloc(&a->strong, cells_of(f), 1, "tissue detection", err));
    HLRP_TRY(hlrp_calloc(&a->bright, cells_of(f), 1, "tissue detection", err));
    HLRP_TRY(hlrp_calloc(&a->glass, cells_of(f), 1, "tissue detection", err));
    a->threshold = threshold_of(f, o);
    for (int64_t i = 0; i < cells_of(f); i++) {
        luma[i] = hlrp_brightness(f->rgb + 3 * i);
        no_glass[i] = f->kind[i] || f->smooth[i] > a->threshold;
    }
    smooth(f, o, luma, a->bright);
    hlrp_raster_median(a->bright, no_glass, f->size, rx, ry, a->glass);
    HLRP_TRY(hlrp_raster_highest(f->smooth, f->size, rx, ry, a->strong, err));
    HLRP_TRY(hlrp_raster_highest(f->smooth, f->size, cells(o->edge_um, f->um_x),
                                 cells(o->edge_um, f->um_y), a->edge, err));
out:
    return status;
}

/* Color enough for its surroundings: a cell on the outline of tissue is a mixture. And no color
 * without darkness: compression keeps color in blocks twice as large as brightness, so that it
 * bleeds onto glass. */
static bool is_stain(const field *f, const hlrp_tissue_options *o, const around *a, int64_t i) {
    const double saturation = f->smooth[i], glass = a->glass[i];
    return f->smooth[i] > a->threshold && saturation >= o->edge_share * a->edge[i] &&
           (a->glass[i] == 0 || 255 * (glass - a->bright[i]) >= o->darkness * saturation * glass);
}

/* The dark walls of fat, whose cells are empty and whose color compression takes first. Beside
 * strong color, dark lines are only ringing. */
static bool is_wall(const field *f, const hlrp_tissue_options *o, const around *a, int64_t i) {
    return a->strong[i] < o->wall_saturation &&
           hlrp_raster_line_depth(f->rgb, f->size, i % f->size.w, i / f->size.w,
                                  cells(o->wall_um, f->um_x),
                                  cells(o->wall_um, f->um_y)) >= o->wall_depth;
}

static hlrp_status threshold(field *f, const hlrp_tissue_options *o, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    around a = {0};
    smooth(f, o, f->saturation, f->smooth);
    HLRP_TRY(look_around(f, o, &a, err));
    for (int64_t i = 0; i < cells_of(f); i++) {
        f->saturation[i] = is_stain(f, o, &a, i); /* from here on: whether it is stained */
        f->tissue[i] = !f->kind[i] && (f->saturation[i] || is_wall(f, o, &a, i));
    }
    status = hlrp_raster_close(f->tissue, f->size, o->closing_um / f->um_x, o->closing_um / f->um_y,
                               err);
out:
    around_free(&a);
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

static void set_pen(field *f, uint8_t tissue) {
    for (int64_t i = 0; i < cells_of(f); i++)
        if (f->kind[i] == HLRP_CELL_PEN)
            f->tissue[i] = tissue;
}

/* What tissue and pen enclose is a hole, too: a stroke hides the tissue that was around it. */
static hlrp_status fill_holes(field *f, double max_hole_um, hlrp_error *err) {
    hlrp_parts parts = {0};
    double most = max_hole_um * max_hole_um / (f->um_x * f->um_y);
    set_pen(f, 1);
    hlrp_status status = hlrp_parts_find(f->tissue, false, f->size, false, &parts, err);
    if (status != HLRP_OK)
        return status;
    void_at_edge(&parts, f->size);
    for (int64_t i = 0; i < cells_of(f); i++)
        if (parts.root[i] >= 0 && parts.cells[parts.root[i]] > 0 &&
            parts.cells[parts.root[i]] < most)
            f->tissue[i] = 1;
    set_pen(f, 0);
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

/* Whether nothing has color though something is there. Levels of 255. */
static bool is_colorless(const field *f) {
    enum { COLOR = 6, DARK = 200 };
    const double some = 1e-3, stray = 1e-4; /* of the cells */
    int64_t colored = 0, dark = 0;
    for (int64_t i = 0; i < cells_of(f); i++) {
        colored += hlrp_saturation(f->rgb + 3 * i) > COLOR;
        dark += hlrp_brightness(f->rgb + 3 * i) < DARK;
    }
    return (double)colored <= stray * (double)cells_of(f) &&
           (double)dark >= some * (double)cells_of(f);
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
    if (status == HLRP_OK)
        hlrp_region_mark_found(*out, is_colorless(&f));
out:
    field_free(&f);
    return status;
}

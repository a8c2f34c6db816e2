/* Which parts of a slide are worth explaining.
 *
 * A region answers one question: what share of a level-0 rectangle belongs to it. Tissue detection
 * works on a raster of cells of about 8 µm (the mask); the shares are exact for that raster. Drawn
 * annotations are polygons; the shares are their exact areas. Label masks are rasters of their own.
 *
 * At the slide's edge the share is of the part of the rectangle that lies inside the slide, so that
 * a border tile is judged by its pixels and not by its padding, and `all` means every tile. A
 * rectangle wholly outside has the share 0. */
#ifndef HLRP_REGION_H
#define HLRP_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "geometry/geometry.h"
#include "slide/slide.h"
#include "util/util.h"

/* Immutable once made: any number of threads may ask at once. */
typedef struct hlrp_region hlrp_region;

/* What a cell of the mask is. */
typedef enum hlrp_cell {
    HLRP_CELL_GLASS = 0,
    HLRP_CELL_TISSUE = 1,
    HLRP_CELL_PEN = 2,    /* felt-tip pen on the cover glass */
    HLRP_CELL_PADDING = 3 /* black or shadow: nothing was scanned there, or the holder was */
} hlrp_cell;

typedef enum hlrp_pen { HLRP_PEN_KEEP, HLRP_PEN_DROP } hlrp_pen;

/* How tissue is found (README.md). Lengths in µm on the slide; levels are of 0 … 255. */
typedef struct hlrp_tissue_options {
    double cell_um;         /* edge of a mask cell; never finer than a level-0 pixel */
    double median_um;       /* diameter of the median filter on saturation; 0: none */
    double closing_um;      /* radius of the closing; 0: none */
    double min_object_um;   /* objects of less than this squared are dropped */
    double max_hole_um;     /* holes of less than this squared are filled (fat) */
    double glass_spreads;   /* the threshold in spreads of the glass, between floor and ceiling */
    int saturation_floor;   /* a saturation up to this one is never stain */
    int saturation_ceiling; /* a saturation above this one always is, but for the next three */
    double edge_um;         /* less than edge_share of the highest saturation so near is outline */
    double edge_share;      /* 0: off */
    double darkness;        /* stain darkens by this share of its saturation; 0: off */
    double block_um;        /* compression carries color and ringing this far */
    double wall_um;         /* walls of fat are darker than what lies so far on either side, … */
    int wall_depth;         /* … by this many levels; 255: none is taken */
    int wall_saturation;    /* saturation within block_um from which on dark lines are ringing */
    int dark_value;         /* darker pixels of low saturation are padding or shadow */
    hlrp_pen pen;           /* drop: pen marks are no tissue; keep: they are, like any color */
    double pen_hue_from;    /* degrees: colored pen lies between these hues, … */
    double pen_hue_to;      /* … */
    int pen_saturation;     /* … and reaches this saturation */
    double pen_density;     /* optical density (natural log) of black pen; any pen's in red */
    double pen_share;       /* as dark as this share of the pen's density is pen, too; 0: off */
    double pen_min_um;      /* pen of less than this squared is dust or pigment */
    double pen_edge_um;     /* how far the soft edge of a stroke reaches */
} hlrp_tissue_options;

void hlrp_tissue_defaults(hlrp_tissue_options *options);

/* Cells of the raster in which tissue is looked for: bounded whatever the slide's size (larger slides
 * get larger cells). Looking takes about HLRP_TISSUE_CELL_BYTES for each, the region keeps
 * HLRP_MASK_CELL_BYTES. */
enum { HLRP_TISSUE_CELL_BYTES = 14, HLRP_MASK_CELL_BYTES = 5 };
double hlrp_tissue_cells(hlrp_size slide, hlrp_mpp mpp, double cell_um);

/* The whole slide. The caller frees *out with hlrp_region_free. */
hlrp_status hlrp_region_new_all(hlrp_size slide, hlrp_region **out, hlrp_error *err);

/* The tissue on the slide. `mpp` is the slide's, at level 0, after any override. NULL options are
 * the defaults. Fails with HLRP_E_CONFIG on options out of range, HLRP_E_INPUT where the slide
 * cannot be read, HLRP_E_MEMORY. No tissue is a result, not an error. The slide is used only
 * during the call. */
hlrp_status hlrp_region_new_tissue(hlrp_slide *slide, hlrp_mpp mpp,
                                   const hlrp_tissue_options *options, hlrp_region **out,
                                   hlrp_error *err);

/* What of an annotation file or a label mask counts. Zero-initialise; all is borrowed for the call.
 *
 * Globs, letter case aside, over class names: an empty `include` takes every class, `exclude` wins
 * over `include`. A class in a group of ASAP's also goes by the names of the groups around it. What
 * has no class goes by its label or its name, else by "unclassified". For label masks the whole
 * numbers among them are labels, and other texts are passed over; an empty `include` (or one
 * without numbers) takes every label but 0. */
typedef struct hlrp_annotation_options {
    const char *const *include, *const *exclude;
    int64_t include_count, exclude_count;
    /* The slide's bounds where the annotations were drawn in a program that crops to them (QuPath):
     * x and y are added to the coordinates of GeoJSON. Zero: nothing is. */
    hlrp_irect bounds;
    bool skip_unreadable; /* areas that cannot be read are passed over with a warning */
    const hlrp_log *log;  /* warnings, one per kind and file; NULL: silent */
} hlrp_annotation_options;

/* Areas drawn by people: GeoJSON (QuPath), XML of ASAP, Aperio ImageScope or HALO, CSV of vertices;
 * the kind is told by content. The region is the union of what is included, without what is
 * excluded and without cut-outs (README.md). Rings that cross themselves are repaired with a
 * warning; points and lines are skipped with one. NULL options: all of it.
 *
 * Fails with HLRP_E_INPUT where the file cannot be read, holds no area that can be used, none that
 * is included (naming what it has), or lies by more than half outside the slide (another slide's?);
 * with HLRP_E_MEMORY. No file over 1 GiB is read. */
hlrp_status hlrp_region_new_annotation(const char *path, hlrp_size slide,
                                       const hlrp_annotation_options *options, hlrp_region **out,
                                       hlrp_error *err);

/* A picture of labels, TIFF or PNG, scaled to the slide per axis; each pixel is a cell. Pictures of
 * more than 2^25 pixels are gathered in cells of k × k pixels, of which the share that counts is
 * kept. Fails with HLRP_E_INPUT where the picture cannot be read, is no label mask (colors, lossy
 * compression), has another aspect ratio than the slide by more than a pixel's rounding, or holds
 * no label that counts. */
hlrp_status hlrp_region_new_label_mask(const char *path, hlrp_size slide,
                                       const hlrp_annotation_options *options, hlrp_region **out,
                                       hlrp_error *err);

/* What belongs to each of the parts (count ≥ 1, of one slide; taken over, also on failure). Its
 * shares are exact: polygons are cut to the cells of rasters. */
hlrp_status hlrp_region_new_intersection(hlrp_region **parts, int64_t count, hlrp_region **out,
                                         hlrp_error *err);

/* `pattern` with {dir} (the slide's folder, "." where it has none) and {stem} (its file name
 * without the last extension) filled in; the caller's to free. Fails with HLRP_E_CONFIG on any
 * other word in braces. */
hlrp_status hlrp_region_expand_pattern(const char *pattern, const char *slide_path, char **out,
                                       hlrp_error *err);

void hlrp_region_free(hlrp_region *region); /* NULL is fine */

/* Share (0 … 1) of the part of `level0` inside the slide that belongs to the region. */
double hlrp_region_coverage(const hlrp_region *region, hlrp_rect level0);

/* Area that belongs to the region over the slide's area, 0 … 1. */
double hlrp_region_share(const hlrp_region *region);

/* Whether nothing belongs to the region ("no tissue"). */
bool hlrp_region_is_empty(const hlrp_region *region);

/* What is doubtful about found tissue (hlrp_region_new_tissue): hardly anything or almost everything
 * is taken, or the slide has no color to go by. One sentence with the key that helps, in text
 * [size]; false, and "", where nothing is, or for other kinds of region. */
bool hlrp_region_doubt(const hlrp_region *region, char *text, size_t size);

/* Whether tissue was looked for (hlrp_region_new_tissue) on a slide that has no color at all. */
bool hlrp_region_is_colorless(const hlrp_region *region);

/* What becomes of a class of an annotation file. */
typedef enum hlrp_class_use {
    HLRP_CLASS_INCLUDED,
    HLRP_CLASS_CUT,   /* excluded, or cut out by the rule of its file format */
    HLRP_CLASS_UNUSED /* not among those included */
} hlrp_class_use;

/* A class of an annotation file, in the order of its first appearance. Counts are of shapes as the
 * file has them: a polygon with its holes is one. */
typedef struct hlrp_region_class {
    const char *name;
    hlrp_class_use use;
    int64_t polygons, multipolygons, ellipses;
    int64_t points, lines; /* skipped: they have no area */
    double area;           /* level-0 pixels² inside the slide, before other classes are cut out */
} hlrp_region_class;

/* The classes behind a region: of its annotation part; 0 where there is none. Borrowed. */
int64_t hlrp_region_class_count(const hlrp_region *region);
const hlrp_region_class *hlrp_region_class_at(const hlrp_region *region, int64_t i);

/* Share (0 … 1) of the part of `level0` inside the slide that class i covers as drawn, whether it
 * is used or not: classes may overlap. */
double hlrp_region_class_coverage(const hlrp_region *region, int64_t i, hlrp_rect level0);

/* The raster behind a region. Cell (i,j) covers the level-0 rectangle from (i·cell_w, j·cell_h),
 * cell_w wide and cell_h high. */
typedef struct hlrp_mask {
    int64_t w, h;          /* cells */
    double cell_w, cell_h; /* level-0 pixels per cell */
    const uint8_t *kind;   /* [h][w] of hlrp_cell */
} hlrp_mask;

/* half [cells.h][cells.w]: 1 where class i as drawn covers at least half of a cell, or of its part on
 * the slide, else 0. cells: number and size of the cells, from the slide's (0,0); its kind is not
 * looked at. HLRP_E_MEMORY. */
hlrp_status hlrp_region_class_cells(const hlrp_region *region, int64_t i, const hlrp_mask *cells,
                                    uint8_t *half, hlrp_error *err);

/* One line for a person, such as "annotation (QuPath GeoJSON): Tumor 3 polygons, 1 ellipse;
 * Necrosis 1 polygon (cut out)"; parts of an intersection are joined by " & ". The caller's to
 * free. */
hlrp_status hlrp_region_describe(const hlrp_region *region, char **out, hlrp_error *err);

/* Borrowed, lives as long as the region; NULL for a region without a raster (`all`). Annotations
 * and intersections have one for pictures only: a cell belongs where at least half of it does. */
const hlrp_mask *hlrp_region_mask(const hlrp_region *region);

/* regions.png: the outline of the region and the chosen tiles over a thumbnail of at most 2,048
 * pixels a side. Tiles whose entry in `hatched` [tile_count] is not 0 are hatched; NULL: none. Appears
 * whole under `path` or not at all. */
hlrp_status hlrp_region_picture(hlrp_slide *slide, const hlrp_region *region, const hlrp_grid *grid,
                                const int64_t *tiles, int64_t tile_count, const uint8_t *hatched,
                                const char *path, hlrp_error *err);

#endif

/* Whole-slide images: levels, properties, resolution, pixels. Only this folder knows of OpenSlide.
 *
 * Frames: level-0 pixels, or pixels of a level where it says so. Pixels are handed out as RGB, 8
 * bits a channel, [h, w, 3], composited over the slide's background; transparency never leaves
 * here. Only pyramid levels are read: label and macro images carry patient names and are never
 * touched.
 *
 * A handle is used by one thread at a time; each worker opens its own. A read error leaves the
 * handle usable: OpenSlide's own error state is terminal, so the file is opened anew behind it. */
#ifndef HLRP_SLIDE_H
#define HLRP_SLIDE_H

#include "geometry/geometry.h"
#include "util/util.h"

typedef struct hlrp_slide hlrp_slide;

/* Fails with HLRP_E_INPUT on a missing or unreadable file, a format OpenSlide does not know, or a
 * file it knows but cannot open (its own words come first), or a level 0 whose pixels cannot be
 * confirmed. */
hlrp_status hlrp_slide_open(const char *path, hlrp_slide **out, hlrp_error *err);
void hlrp_slide_close(hlrp_slide *slide); /* NULL is allowed */

/* A second handle on the same slide, for another thread. */
hlrp_status hlrp_slide_open_again(const hlrp_slide *slide, hlrp_slide **out, hlrp_error *err);

const char *hlrp_slide_path(const hlrp_slide *slide); /* as given; borrowed */
const char *hlrp_slide_name(const hlrp_slide *slide); /* the path's last part; borrowed */

/* ---- levels ---- */

int hlrp_slide_levels(const hlrp_slide *slide);                /* ≥ 1; 0 is the finest */
hlrp_size hlrp_slide_size(const hlrp_slide *slide, int level); /* pixels of that level */

/* Level-0 pixels per pixel of the level, per axis: level-0 size / level size; where both axes are
 * within a pixel of an integer factor it is that integer, because pyramids are built by integer
 * factors and their sizes cut to whole pixels (the quotient would drift to the lower right). So it
 * is with simple fractions (halves to tenths) where a level is large enough to tell them apart. */
void hlrp_slide_downsample(const hlrp_slide *slide, int level, double *x, double *y);

/* The coarsest level that is at least as fine as `downsample` level-0 pixels per pixel on both
 * axes, with 1 % slack for rounded sizes; level 0 where none is. */
int hlrp_slide_pick_level(const hlrp_slide *slide, double downsample_x, double downsample_y);

/* The next coarser level that can be read; -1: none. Like hlrp_slide_pick_level it passes over
 * levels whose pixels could not be confirmed (confirm.c): OpenSlide 3.4.1 reads some wrongly without
 * an error. Level 0 is always usable: else the slide is not opened. */
int hlrp_slide_next_level(const hlrp_slide *slide, int level);

/* Why a level is passed over, to go on after "level N is "; NULL: it is not. Static. */
const char *hlrp_slide_level_unusable(const hlrp_slide *slide, int level);

/* ---- what the file says ---- */

const char *hlrp_slide_property(const hlrp_slide *slide, const char *key); /* NULL: absent */
int64_t hlrp_slide_property_count(const hlrp_slide *slide);
/* 0 ≤ index < count; both borrowed. */
void hlrp_slide_property_at(const hlrp_slide *slide, int64_t index, const char **key,
                            const char **value);

/* openslide.background-color, else white. */
void hlrp_slide_background(const hlrp_slide *slide, uint8_t rgb[3]);

/* openslide.bounds-* cut to the slide; the whole slide where they are absent or unusable, and then
 * false. */
bool hlrp_slide_bounds(const hlrp_slide *slide, hlrp_irect *bounds);

/* µm per level-0 pixel: `override` (NULL: none), then PhysicalSizeX/Y of OME-XML, openslide.mpp-x/y,
 * the vendor's key, the TIFF resolution (unit absent: inch); never the objective power. Values outside 0.05–10 µm are
 * passed over. *source (borrowed, static; may be NULL) says where it came from. An override that
 * is more than 5 % off what the slide says is logged as a warning. HLRP_E_INPUT where nothing is
 * found (what was looked for is in the error), or where x and y of the slide are over 5 % apart;
 * an override may hold any two. */
hlrp_status hlrp_slide_mpp(const hlrp_slide *slide, const hlrp_mpp *override, const hlrp_log *log,
                           hlrp_mpp *out, const char **source, hlrp_error *err);

/* What tells one slide from another, whatever it is called. */
typedef struct hlrp_slide_identity {
    int64_t bytes;    /* of the file that was opened */
    char hash[129];   /* hex; or empty where neither could be had */
    const char *kind; /* "openslide.quickhash-1" or "sha256-of-first-MiB"; static */
} hlrp_slide_identity;

hlrp_status hlrp_slide_identify(const hlrp_slide *slide, hlrp_slide_identity *out, hlrp_error *err);

/* ---- pixels ---- */

/* `rect` in pixels of `level` to rgb [rect.h, rect.w, 3]. What lies outside the level is
 * background. HLRP_E_INPUT on a read error (rgb is then undefined, the handle stays usable),
 * HLRP_E_MEMORY on sizes that do not fit. */
hlrp_status hlrp_slide_read(hlrp_slide *slide, int level, hlrp_irect rect, uint8_t *rgb,
                            hlrp_error *err);

/* OpenSlide is asked in whole level-0 pixels, so at a level with a fractional downsample the pixels
 * that come back are sampled up to half a level-0 pixel beside the level's own: pixel i of `rect`
 * starts at rect.x + *x + i (pixels of the level). Exact zero at level 0, at integer downsamples
 * and where stored tiles are read without OpenSlide (direct.h; those that then have to be left to
 * it are the up to half a level-0 pixel beside). Holds for a rect of at most HLRP_SLIDE_PIECE a side; larger ones are read in such
 * pieces, each with a shift of its own, never adding up. */
#define HLRP_SLIDE_PIECE 2048
void hlrp_slide_shift(const hlrp_slide *slide, int level, hlrp_irect rect, double *x, double *y);

/* The whole slide reduced: pixel (i,j) is the mean over the level-0 square [i·down, (i+1)·down) ×
 * [j·down, (j+1)·down) (per axis), read from the best level; size = ceil(level-0 size / down),
 * the part past the edge is background. down ≥ 1. *rgb is the caller's to free. A part that cannot
 * be read is taken from coarser levels, else from finer ones, else left background and counted in
 * *lost (pixels of the result; may be NULL); nothing readable at all is HLRP_E_INPUT. */
hlrp_status hlrp_slide_overview(hlrp_slide *slide, double down_x, double down_y, hlrp_size *size,
                                uint8_t **rgb, int64_t *lost, hlrp_error *err);

/* The factor for an overview whose longer side has at most max_side pixels (≥ 1). */
double hlrp_slide_overview_factor(const hlrp_slide *slide, int64_t max_side);

/* What a handle keeps of pixels at most: OpenSlide's cache, and that of direct.h. */
#define HLRP_DIRECT_CACHE_BYTES (INT64_C(24) << 20)
#define HLRP_SLIDE_CACHE_BYTES ((INT64_C(32) << 20) + HLRP_DIRECT_CACHE_BYTES)

/* The version of OpenSlide; static. */
const char *hlrp_slide_version(void);

#endif

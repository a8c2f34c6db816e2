/* What the files of this folder share. */
#ifndef HLRP_SLIDE_PRIVATE_H
#define HLRP_SLIDE_PRIVATE_H

#include "image/tiff_tiles.h"
#include "slide/direct.h"
#include "slide/slide.h"

/* A way to get at slides. `source` is what is needed to open one, also anew; it is the handle's and
 * lives as long. `state` is one opened slide. No function is called after a failed read but close.
 */
typedef struct hlrp_slide_backend {
    hlrp_status (*open)(const void *source, void **state, hlrp_error *err);
    void (*close)(void *state);

    int (*level_count)(void *state);
    hlrp_size (*level_size)(void *state, int level);
    /* Level-0 pixels per pixel of the level as `read` reckons them. */
    double (*level_step)(void *state, int level);

    const char *const *(*property_names)(void *state); /* NULL-terminated */
    const char *(*property)(void *state, const char *name);

    /* argb [h, w]: native-endian, premultiplied. x0, y0 in level-0 pixels, w and h in the level's.
     */
    hlrp_status (*read)(void *state, int level, int64_t x0, int64_t y0, int64_t w, int64_t h,
                        uint32_t *argb, hlrp_error *err);

    /* The file's size and its first bytes, at most `capacity`. */
    hlrp_status (*head)(const void *source, uint8_t *bytes, int64_t capacity, int64_t *count,
                        int64_t *size, hlrp_error *err);
} hlrp_slide_backend;

typedef struct slide_level {
    hlrp_size size;
    double step;          /* the backend's */
    double x, y;          /* downsample per axis */
    bool small;           /* than its TIFF tiles: only direct.h reads it rightly */
    bool direct;          /* direct.h reads it */
    const char *unusable; /* why it is passed over, "level N is …"; NULL: it is not */
} slide_level;

/* Levels and properties are copied once, so that they outlive a reopened backend. */
struct hlrp_slide {
    const hlrp_slide_backend *backend;
    const void *source;
    void *owned_source; /* freed with the handle, or NULL */
    void *state;        /* NULL after a failed reopen */
    char *path;
    int level_count;
    slide_level *levels;
    hlrp_strings keys, values;
    uint8_t background[3];
    hlrp_direct *direct;    /* NULL: there is no way round OpenSlide */
    const char *conversion; /* the command that makes a slide that can be read of it */
    uint32_t *argb;         /* one piece */
    int64_t argb_capacity;
};

/* Opens source (taken over where owned, also on failure: freed with free()). */
hlrp_status hlrp_slide_open_backend(const hlrp_slide_backend *backend, const void *source,
                                    void *owned_source, const char *path, hlrp_slide **out,
                                    hlrp_error *err);

extern const hlrp_slide_backend hlrp_backend_openslide;

bool hlrp_slide_has_vendor(const hlrp_slide *slide, const char *name); /* openslide.vendor */

/* Adds ome.PhysicalSizeX, …XUnit, …Y and …YUnit of level 0 to the properties, where the description
 * is OME-XML that has them. */
hlrp_status hlrp_slide_read_ome(hlrp_slide *slide, hlrp_error *err);

/* Whether OpenSlide can read what the TIFF's levels hold, and rightly: HLRP_E_INPUT where it cannot
 * read level 0; other levels are marked. Sets slide->conversion. */
hlrp_status hlrp_slide_check_stored(hlrp_slide *slide, hlrp_error *err);

/* How the first page of a TIFF stores its pixels; false: this is no TIFF. */
bool hlrp_tiff_first_kind(const char *path, hlrp_tiff_kind *out);

/* What turns a TIFF of this kind into a slide: a command of libvips's, or that it cannot either. */
const char *hlrp_tiff_conversion(const hlrp_tiff_kind *kind);

/* Of a compression that OpenSlide reads of some vendors only, or not at all; else NULL. */
const char *hlrp_tiff_compression_name(const hlrp_tiff_kind *kind);

/* Marks levels that are smaller than their TIFF tiles: unusable until they are confirmed. */
void hlrp_slide_find_small_levels(hlrp_slide *slide);

/* Finds out which levels can be used and which of them direct.h reads; `like` (may be NULL) is a
 * handle on the same slide that knows. HLRP_E_INPUT where level 0 cannot be used. */
hlrp_status hlrp_slide_confirm(hlrp_slide *slide, const hlrp_slide *like, hlrp_error *err);

/* `piece`, inside the level, by OpenSlide; rgb is its first pixel, rows are `stride` bytes apart. */
hlrp_status hlrp_slide_read_by_backend(hlrp_slide *slide, int level, hlrp_irect piece, uint8_t *rgb,
                                       int64_t stride, hlrp_error *err);

/* Why OpenSlide would not have a file, from a look at its first bytes: one clear line. */
hlrp_status hlrp_slide_explain_refusal(const char *path, const char *own_words, hlrp_error *err);

#endif

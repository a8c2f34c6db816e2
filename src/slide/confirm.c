/* Which levels may be used, and by which way: no level is read before its pixels were seen to be
 * the file's own.
 *
 * OpenSlide 3.4.1 has libtiff lay tiles into the level (TIFFRGBAImageGet), which goes by the
 * level's width where it should go by the tile's: a level that is narrower or lower than its tiles
 * comes back sheared, shifted or blank, without an error. There only libtiff's own tiles are used.
 * Everywhere else both ways have to agree on a sample. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "slide/slide_private.h"

/* Pixels a side of what both ways to the pixels are compared by. */
enum { SAMPLE_SIDE = 256 };

/* Those that OpenSlide reads as tiled TIFF pages. Elsewhere tiles are what OpenSlide makes of the
 * file (JPEG restart intervals), and wider ones are no harm. */
static bool is_tiled_tiff(const hlrp_slide *slide) {
    static const char *const vendors[] = {"aperio",  "generic-tiff", "leica",
                                          "philips", "trestle",      "ventana"};
    for (size_t i = 0; i < HLRP_COUNT(vendors); i++)
        if (hlrp_slide_has_vendor(slide, vendors[i]))
            return true;
    return false;
}

/* 0 where it is not known. */
static int64_t tile_side(const hlrp_slide *slide, int level, const char *which) {
    char key[64];
    int64_t side = 0;
    snprintf(key, sizeof key, "openslide.level[%d].tile-%s", level, which);
    const char *text = hlrp_slide_property(slide, key);
    return text && hlrp_parse_int(text, &side) ? side : 0;
}

void hlrp_slide_find_small_levels(hlrp_slide *slide) {
    if (!is_tiled_tiff(slide))
        return;
    for (int i = 0; i < slide->level_count; i++) {
        slide_level *level = &slide->levels[i];
        level->small = tile_side(slide, i, "width") > level->size.w ||
                       tile_side(slide, i, "height") > level->size.h;
        if (level->small)
            level->unusable = "smaller than its tiles, which OpenSlide reads wrongly";
    }
}

/* The tile in the middle, or the first one where OpenSlide would interpolate elsewhere; of large
 * ones the upper left. */
static bool sample_place(const hlrp_slide *slide, int level, hlrp_irect *tile) {
    const slide_level *l = &slide->levels[level];
    const bool whole = l->step == floor(l->step);
    if (!hlrp_direct_tile(slide->direct, level, whole ? l->size.w / 2 : 0,
                          whole ? l->size.h / 2 : 0, tile))
        return false;
    tile->w = HLRP_MIN(tile->w, SAMPLE_SIDE);
    tile->h = HLRP_MIN(tile->h, SAMPLE_SIDE);
    *tile = hlrp_irect_intersect(*tile, (hlrp_irect){0, 0, l->size.w, l->size.h});
    return true;
}

/* a, b: room for a sample. A tile that one of both cannot decode says nothing: OpenSlide then has
 * the word, and its error where it has none. */
static void confirm(hlrp_slide *slide, int level, uint8_t *a, uint8_t *b) {
    slide_level *l = &slide->levels[level];
    hlrp_irect tile = {0};
    hlrp_error ignored = {0};
    if (!sample_place(slide, level, &tile))
        return;
    if (l->small) {
        l->direct = true;
        l->unusable = NULL;
        return;
    }
    if (!hlrp_direct_read(slide->direct, level, tile, a, tile.w * 3))
        return;
    if (hlrp_slide_read_by_backend(slide, level, tile, b, tile.w * 3, &ignored) != HLRP_OK)
        return;
    l->direct = memcmp(a, b, (size_t)(tile.w * tile.h * 3)) == 0;
    if (!l->direct)
        l->unusable = "read as different pixels by OpenSlide and by libtiff";
}

static void confirm_like(hlrp_slide *slide, const hlrp_slide *like) {
    for (int i = 0; i < slide->level_count; i++) {
        slide->levels[i].direct = like->levels[i].direct;
        slide->levels[i].unusable = like->levels[i].unusable;
    }
}

static hlrp_status confirm_levels(hlrp_slide *slide, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    uint8_t *a = NULL, *b = NULL;
    HLRP_TRY(hlrp_calloc(&a, 3 * SAMPLE_SIDE, SAMPLE_SIDE, "pixels", err));
    HLRP_TRY(hlrp_calloc(&b, 3 * SAMPLE_SIDE, SAMPLE_SIDE, "pixels", err));
    for (int i = 0; i < slide->level_count; i++)
        confirm(slide, i, a, b);
out:
    free(a);
    free(b);
    return status;
}

hlrp_status hlrp_slide_confirm(hlrp_slide *slide, const hlrp_slide *like, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (!like)
        HLRP_TRY(hlrp_slide_check_stored(slide, err));
    hlrp_direct_open(slide, HLRP_DIRECT_CACHE_BYTES, &slide->direct);
    if (like)
        confirm_like(slide, like);
    else if (slide->direct)
        HLRP_TRY(confirm_levels(slide, err));
    const slide_level *finest = &slide->levels[0];
    if (finest->unusable)
        status = hlrp_fail(err, HLRP_E_INPUT, slide->path, slide->conversion,
                           "its full resolution (level 0, %lld × %lld pixels) is %s",
                           (long long)finest->size.w, (long long)finest->size.h, finest->unusable);
out:
    return status;
}

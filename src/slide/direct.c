#include "slide/direct.h"

#include <stdlib.h>
#include <string.h>

#include "image/tiff_tiles.h"
#include "slide/slide_private.h"

/* Larger tiles would leave no room for neighbors in the cache. */
#define TILE_BYTES_MAX (INT64_C(4) << 20)

typedef struct page {
    int number; /* −1: none */
    hlrp_size tile;
    int64_t across; /* tiles in a row */
} page;

typedef struct slot {
    int level; /* −1: empty */
    int64_t tile;
    int64_t used; /* when; the smallest goes first */
    uint8_t *rgb; /* [tile.h, tile.w, 3] */
} slot;

struct hlrp_direct {
    hlrp_tiff_tiles *tiff;
    int level_count;
    page *pages; /* [level_count] */
    slot *slots; /* [slot_count]; those that were never used have no rgb */
    int64_t slot_count, tile_bytes, clock;
};

/* Which pages are levels is OpenSlide's rule for the format. */
static bool find_pages(hlrp_direct *d, const hlrp_slide *slide) {
    const bool only_reduced = hlrp_slide_has_vendor(slide, "generic-tiff");
    bool any = false;
    for (int i = 0; i < d->level_count; i++) {
        const hlrp_size size = hlrp_slide_size(slide, i);
        page *p = &d->pages[i];
        const bool found = hlrp_tiff_tiles_find(d->tiff, size, only_reduced, &p->number, &p->tile);
        const int64_t bytes = found ? p->tile.w * p->tile.h * 3 : INT64_MAX;
        if (bytes > TILE_BYTES_MAX) {
            p->number = -1;
            continue;
        }
        p->across = hlrp_ceil_div(size.w, p->tile.w);
        d->tile_bytes = HLRP_MAX(d->tile_bytes, bytes);
        any = true;
    }
    return any;
}

static hlrp_status open_direct(const hlrp_slide *slide, int64_t cache_bytes, hlrp_direct **out,
                               hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_direct *d = NULL;
    HLRP_TRY(hlrp_calloc(&d, 1, sizeof *d, "a slide", err));
    d->level_count = hlrp_slide_levels(slide);
    HLRP_TRY(hlrp_calloc(&d->pages, d->level_count, sizeof *d->pages, "levels", err));
    HLRP_TRY(hlrp_tiff_tiles_open(hlrp_slide_path(slide), &d->tiff, err));
    if (!find_pages(d, slide))
        goto out;
    d->slot_count = HLRP_MAX(cache_bytes / d->tile_bytes, 1);
    HLRP_TRY(hlrp_calloc(&d->slots, d->slot_count, sizeof *d->slots, "tiles", err));
    for (int64_t i = 0; i < d->slot_count; i++)
        d->slots[i].level = -1;
    *out = d;
    d = NULL;
out:
    hlrp_direct_close(d);
    return status;
}

void hlrp_direct_open(const hlrp_slide *slide, int64_t cache_bytes, hlrp_direct **out) {
    hlrp_error ignored = {0};
    *out = NULL;
    /* formats that are a page per level, tiles edge to edge */
    if (hlrp_slide_has_vendor(slide, "aperio") || hlrp_slide_has_vendor(slide, "generic-tiff"))
        open_direct(slide, cache_bytes, out, &ignored);
}

void hlrp_direct_close(hlrp_direct *direct) {
    if (!direct)
        return;
    hlrp_tiff_tiles_close(direct->tiff);
    for (int64_t i = 0; direct->slots && i < direct->slot_count; i++)
        free(direct->slots[i].rgb);
    free(direct->slots);
    free(direct->pages);
    free(direct);
}

bool hlrp_direct_tile(const hlrp_direct *direct, int level, int64_t x, int64_t y,
                      hlrp_irect *tile) {
    const page *p = &direct->pages[level];
    if (p->number < 0)
        return false;
    *tile =
        (hlrp_irect){x / p->tile.w * p->tile.w, y / p->tile.h * p->tile.h, p->tile.w, p->tile.h};
    return true;
}

/* The slot that holds the tile, else the one to be given up for it. */
static slot *find_slot(hlrp_direct *d, int level, int64_t tile) {
    slot *oldest = &d->slots[0];
    for (int64_t i = 0; i < d->slot_count; i++) {
        slot *s = &d->slots[i];
        if (s->level == level && s->tile == tile)
            return s;
        if (s->used < oldest->used)
            oldest = s;
    }
    return oldest;
}

/* The pixels of a tile, the direct's own until the next call; NULL where they cannot be had. */
static const uint8_t *get_tile(hlrp_direct *d, int level, hlrp_irect at) {
    const page *p = &d->pages[level];
    const int64_t tile = at.y / p->tile.h * p->across + at.x / p->tile.w;
    slot *s = find_slot(d, level, tile);
    s->used = ++d->clock;
    if (s->level == level && s->tile == tile)
        return s->rgb;
    hlrp_error ignored = {0};
    s->level = -1;
    if (!s->rgb && hlrp_calloc(&s->rgb, d->tile_bytes, 1, "a tile", &ignored) != HLRP_OK)
        return NULL;
    if (!hlrp_tiff_tiles_read(d->tiff, p->number, at.x, at.y, s->rgb))
        return NULL;
    s->level = level;
    s->tile = tile;
    return s->rgb;
}

bool hlrp_direct_read(hlrp_direct *direct, int level, hlrp_irect rect, uint8_t *rgb,
                      int64_t stride) {
    hlrp_irect tile = {0};
    for (int64_t y = rect.y; y < rect.y + rect.h; y = tile.y + tile.h) {
        for (int64_t x = rect.x; x < rect.x + rect.w; x = tile.x + tile.w) {
            if (!hlrp_direct_tile(direct, level, x, y, &tile))
                return false;
            const uint8_t *from = get_tile(direct, level, tile);
            if (!from)
                return false;
            const hlrp_irect part = hlrp_irect_intersect(tile, rect);
            for (int64_t j = 0; j < part.h; j++)
                memcpy(rgb + (part.y + j - rect.y) * stride + (part.x - rect.x) * 3,
                       from + ((part.y + j - tile.y) * tile.w + part.x - tile.x) * 3,
                       (size_t)(part.w * 3));
        }
    }
    return true;
}

const char *hlrp_direct_words(const hlrp_direct *direct) {
    return hlrp_tiff_tiles_words(direct->tiff);
}

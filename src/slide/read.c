/* Pixels: pieces of a level, composited over the background. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "slide/slide_private.h"
#include "util/vector.h"

/* The level-0 address of a level's pixel. Rounded to nearest, from the origin, each time. */
static int64_t address(const slide_level *level, int64_t pixel) {
    return llround((double)pixel * level->step);
}

void hlrp_slide_shift(const hlrp_slide *slide, int level, hlrp_irect rect, double *x, double *y) {
    const slide_level *l = &slide->levels[level];
    *x = *y = 0;
    if (l->direct)
        return;
    int64_t left = HLRP_MAX(rect.x, 0), top = HLRP_MAX(rect.y, 0);
    *x = (double)address(l, left) / l->step - (double)left;
    *y = (double)address(l, top) / l->step - (double)top;
}

static void fill(uint8_t *rgb, int64_t pixels, const uint8_t color[3]) {
    for (int64_t i = 0; i < pixels; i++)
        memcpy(rgb + 3 * i, color, 3);
}

/* c + (1 − a)·background for premultiplied c, rounded to nearest. */
static uint8_t over(uint32_t c, uint32_t alpha, uint32_t background) {
    return (uint8_t)HLRP_MIN(c + ((255 - alpha) * background + 127) / 255, 255u);
}

HLRP_VECTOR static void composite_row(const uint32_t *argb, int64_t n, const uint8_t background[3],
                                      uint8_t *rgb) {
    uint32_t all = 0xff000000u;
    for (int64_t i = 0; i < n; i++)
        all &= argb[i];
    if (all == 0xff000000u) {
        for (int64_t i = 0; i < n; i++) {
            rgb[3 * i] = (uint8_t)(argb[i] >> 16);
            rgb[3 * i + 1] = (uint8_t)(argb[i] >> 8);
            rgb[3 * i + 2] = (uint8_t)argb[i];
        }
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t alpha = argb[i] >> 24;
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = over(argb[i] >> (16 - 8 * c) & 255u, alpha, background[c]);
    }
}

/* The backend's error state is terminal: open anew, and see that it is still the same slide. */
static hlrp_status reopen(hlrp_slide *slide, hlrp_error *err) {
    hlrp_error why = {0};
    if (slide->state)
        slide->backend->close(slide->state);
    slide->state = NULL;
    if (slide->backend->open(slide->source, &slide->state, &why) != HLRP_OK)
        return hlrp_fail(err, HLRP_E_IO, slide->path, "check the file and its file system",
                         "the slide cannot be opened any more: %s", why.what);
    bool same = slide->backend->level_count(slide->state) == slide->level_count;
    for (int i = 0; same && i < slide->level_count; i++) {
        hlrp_size size = slide->backend->level_size(slide->state, i);
        same = size.w == slide->levels[i].size.w && size.h == slide->levels[i].size.h;
    }
    if (same)
        return HLRP_OK;
    slide->backend->close(slide->state);
    slide->state = NULL;
    return hlrp_fail(err, HLRP_E_IO, slide->path, "run again when nothing writes to it",
                     "the slide changed while it was being read");
}

static hlrp_status read_once(hlrp_slide *slide, int level, hlrp_irect piece, hlrp_error *err) {
    const slide_level *l = &slide->levels[level];
    return slide->backend->read(slide->state, level, address(l, piece.x), address(l, piece.y),
                                piece.w, piece.h, slide->argb, err);
}

/* A second look tells a disk or a network that failed for a moment from a file that is damaged. */
hlrp_status hlrp_slide_read_by_backend(hlrp_slide *slide, int level, hlrp_irect piece, uint8_t *rgb,
                                       int64_t stride, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(
        hlrp_grow(&slide->argb, &slide->argb_capacity, piece.w * piece.h, sizeof(uint32_t), err));
    if (!slide->state)
        HLRP_TRY(reopen(slide, err));
    status = read_once(slide, level, piece, err);
    if (status != HLRP_OK) {
        *err = (hlrp_error){0};
        HLRP_TRY(reopen(slide, err));
        status = read_once(slide, level, piece, err);
    }
    if (status != HLRP_OK) {
        hlrp_error why = *err;
        HLRP_TRY(reopen(slide, err));
        status = hlrp_fail(err, why.status, slide->path, why.mend, "%s, %s", why.what, why.where);
        goto out;
    }
    for (int64_t y = 0; y < piece.h; y++)
        composite_row(slide->argb + y * piece.w, piece.w, slide->background, rgb + y * stride);
out:
    return status;
}

static bool read_directly(hlrp_slide *slide, int level, hlrp_irect piece, uint8_t *rgb,
                          int64_t stride) {
    return slide->direct && slide->levels[level].direct &&
           hlrp_direct_read(slide->direct, level, piece, rgb, stride);
}

/* Of a level that OpenSlide reads wrongly there is no second way to a tile that is damaged, but a
 * second look, as the other levels get it. */
static hlrp_status read_piece(hlrp_slide *slide, int level, hlrp_irect piece, uint8_t *rgb,
                              int64_t stride, hlrp_error *err) {
    if (read_directly(slide, level, piece, rgb, stride))
        return HLRP_OK;
    if (!slide->levels[level].small)
        return hlrp_slide_read_by_backend(slide, level, piece, rgb, stride, err);
    if (read_directly(slide, level, piece, rgb, stride))
        return HLRP_OK;
    const char *words = slide->direct ? hlrp_direct_words(slide->direct) : "the file is gone";
    return hlrp_fail(err, HLRP_E_INPUT, slide->path, "the file is damaged there: copy it anew",
                     "libtiff: %s, in %lld × %lld pixels of level %d at (%lld, %lld) of that level",
                     words[0] ? words : "a tile is missing", (long long)piece.w, (long long)piece.h,
                     level, (long long)piece.x, (long long)piece.y);
}

static hlrp_status check_request(const hlrp_slide *slide, int level, hlrp_irect rect,
                                 hlrp_error *err) {
    int64_t pixels = 0, bytes = 0, end = 0;
    if (level < 0 || level >= slide->level_count || rect.w < 0 || rect.h < 0)
        return hlrp_fail(err, HLRP_E_INTERNAL, slide->path, "report this",
                         "level %d, %lld × %lld pixels cannot be read", level, (long long)rect.w,
                         (long long)rect.h);
    if (!hlrp_mul_size(rect.w, rect.h, &pixels) || !hlrp_mul_size(pixels, 3, &bytes) ||
        __builtin_add_overflow(rect.x, rect.w, &end) ||
        __builtin_add_overflow(rect.y, rect.h, &end))
        return hlrp_fail(err, HLRP_E_MEMORY, slide->path, "read less at once",
                         "%lld × %lld pixels do not fit", (long long)rect.w, (long long)rect.h);
    return HLRP_OK;
}

hlrp_status hlrp_slide_read(hlrp_slide *slide, int level, hlrp_irect rect, uint8_t *rgb,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(check_request(slide, level, rect, err));
    hlrp_size size = slide->levels[level].size;
    hlrp_irect inside = hlrp_irect_intersect(rect, (hlrp_irect){0, 0, size.w, size.h});
    if (inside.w != rect.w || inside.h != rect.h)
        fill(rgb, rect.w * rect.h, slide->background);
    for (int64_t y = inside.y; y < inside.y + inside.h; y += HLRP_SLIDE_PIECE) {
        for (int64_t x = inside.x; x < inside.x + inside.w; x += HLRP_SLIDE_PIECE) {
            hlrp_irect piece = {x, y, HLRP_MIN(HLRP_SLIDE_PIECE, inside.x + inside.w - x),
                                HLRP_MIN(HLRP_SLIDE_PIECE, inside.y + inside.h - y)};
            uint8_t *first = rgb + ((y - rect.y) * rect.w + (x - rect.x)) * 3;
            HLRP_TRY(read_piece(slide, level, piece, first, rect.w * 3, err));
        }
    }
out:
    return status;
}

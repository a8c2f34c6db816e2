/* Rows of level 0 come in from the top. Each level keeps one row of tiles; every second row it gets
 * is shrunk with the one before straight into the next level's buffer, and a full buffer is written
 * as tiles and emptied. One pass, and memory that does not depend on the height. */
#include <stdlib.h>
#include <string.h>

#include "image/pyramid_tiff.h"
#include "image/shrink.h"

#define DEFAULT_TILE 256
#define DEFAULT_QUALITY 85
#define MAX_TILE 4096
#define MAX_THUMBNAIL 2048
#define MAX_SIDE INT32_MAX

/* ---- the spec ---- */

static hlrp_pyramid_spec with_defaults(const hlrp_pyramid_spec *spec) {
    hlrp_pyramid_spec s = *spec;
    s.planes = s.planes ? s.planes : 1;
    s.tile = s.tile ? s.tile : DEFAULT_TILE;
    s.quality = s.quality ? s.quality : DEFAULT_QUALITY;
    s.step = s.step ? s.step : 2;
    s.min_size = s.min_size ? s.min_size : s.tile;
    return s;
}

static hlrp_size halved(hlrp_size size) {
    return (hlrp_size){hlrp_ceil_div(size.w, 2), hlrp_ceil_div(size.h, 2)};
}

static int by_width(const void *a, const void *b) {
    const hlrp_rung *x = a, *y = b;
    return x->size.w == y->size.w ? 0 : x->size.w < y->size.w ? 1 : -1;
}

/* ceil(ceil(n/2)/2) = ceil(n/4): halving in steps gives the same sizes. */
int hlrp_pyramid_ladder(const hlrp_pyramid_spec *spec, hlrp_rung *rungs) {
    const hlrp_pyramid_spec s = with_defaults(spec);
    hlrp_rung r = {{s.width, s.height}, 1, 1, false};
    int count = 0;
    for (rungs[count++] = r; HLRP_MAX(r.size.w, r.size.h) > s.min_size; rungs[count++] = r) {
        for (int half = 1; half < s.step; half *= 2)
            r.size = halved(r.size);
        r.step_x = r.step_y = r.step_x * s.step;
    }
    for (int i = 0; i < s.between_count; i++)
        rungs[count++] = (hlrp_rung){s.between[i], (double)s.width / (double)s.between[i].w,
                                     (double)s.height / (double)s.between[i].h, true};
    qsort(rungs, (size_t)count, sizeof *rungs, by_width);
    return count;
}

hlrp_size hlrp_pyramid_level_size(const hlrp_pyramid_spec *spec, int level) {
    hlrp_rung rungs[HLRP_PYRAMID_MAX_LEVELS];
    const int count = hlrp_pyramid_ladder(spec, rungs);
    return rungs[HLRP_MIN(level, count - 1)].size;
}

int hlrp_pyramid_levels(const hlrp_pyramid_spec *spec) {
    hlrp_rung rungs[HLRP_PYRAMID_MAX_LEVELS];
    return hlrp_pyramid_ladder(spec, rungs);
}

static const char *size_flaw(const hlrp_pyramid_spec *s) {
    if (s->width < 1 || s->height < 1 || s->width > MAX_SIDE || s->height > MAX_SIDE)
        return "width and height must be from 1 to 2147483647";
    if (s->tile < 16 || s->tile > MAX_TILE || s->tile % 16)
        return "the tile size must be a multiple of 16 from 16 to 4096";
    if (s->min_size < 1)
        return "the smallest level must be at least 1 pixel";
    if (s->step != 2 && s->step != 4)
        return "levels must shrink by 2 or by 4";
    return NULL;
}

static const char *between_flaw(const hlrp_pyramid_spec *s) {
    if (s->between_count < 0 || s->between_count > HLRP_PYRAMID_MAX_BETWEEN)
        return "too many levels between";
    for (int i = 0; i < s->between_count; i++) {
        const hlrp_size z = s->between[i];
        if (z.w < 1 || z.h < 1 || z.w >= s->width || z.h > s->height)
            return "a level between is not smaller than level 0";
    }
    if (s->between_count > 0 && (s->pixel == HLRP_PIXEL_F32 || s->layout != HLRP_LAYOUT_PAGES))
        return "levels between need whole numbers as pixels, and pages";
    return NULL;
}

static const char *spec_flaw(const hlrp_pyramid_spec *s) {
    const char *flaw = size_flaw(s);
    flaw = flaw ? flaw : between_flaw(s);
    if (flaw)
        return flaw;
    if (s->planes < 1 || s->planes > 10000)
        return "planes must be from 1 to 10000";
    if (s->planes > 1 && s->layout != HLRP_LAYOUT_SUBIFDS)
        return "several planes need SubIFDs";
    if (s->quality < 1 || s->quality > 100)
        return "JPEG quality must be from 1 to 100";
    if (s->codec != HLRP_CODEC_DEFLATE && s->pixel == HLRP_PIXEL_F32)
        return "JPEG cannot hold float pixels";
    if (!(s->mpp.x >= 0) || !(s->mpp.y >= 0))
        return "mpp must not be negative";
    if (!s->thumbnail)
        return NULL;
    const hlrp_size least = hlrp_pyramid_level_size(s, hlrp_pyramid_levels(s) - 1);
    if (s->pixel != HLRP_PIXEL_RGB8 || s->layout == HLRP_LAYOUT_SUBIFDS)
        return "a thumbnail needs RGB pixels and pages";
    return HLRP_MAX(least.w, least.h) > MAX_THUMBNAIL
               ? "the smallest level is too large a thumbnail"
               : NULL;
}

/* ---- begin and end ---- */

static hlrp_status copy_text(const char *text, char **out, hlrp_error *err) {
    if (text && !(*out = hlrp_strdup(text, err)))
        return HLRP_E_MEMORY;
    return HLRP_OK;
}

static hlrp_status copy_spec(hlrp_pyramid *p, const hlrp_pyramid_spec *spec, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    p->spec = with_defaults(spec);
    p->pixel_bytes = hlrp_pixel_bytes(spec->pixel);
    p->stored = hlrp_pyramid_levels(spec);
    for (int i = 0; i < p->stored && spec->descriptions; i++)
        HLRP_TRY(copy_text(spec->descriptions[i], &p->descriptions[i], err));
    HLRP_TRY(copy_text(spec->software, &p->software, err));
    HLRP_TRY(copy_text(spec->thumbnail, &p->thumbnail, err));
    p->spec.descriptions = NULL;
    for (int i = 0; i < spec->between_count; i++)
        p->between[i] = spec->between[i];
    p->spec.between = p->between;
    p->spec.software = p->software;
    p->spec.thumbnail = p->thumbnail;
out:
    return status;
}

static hlrp_status init_level(hlrp_pyramid *p, hlrp_size size, int number, hlrp_error *err) {
    hlrp_level *level = &p->levels[p->level_count++];
    level->size = size;
    level->number = number;
    level->capacity = number < 0 ? 2 : p->spec.tile;
    level->spool = -1;
    return hlrp_calloc(&level->rows, size.w * level->capacity, p->pixel_bytes, "a row of tiles",
                       err);
}

/* Level 0 and all that is halved from it, then what is reduced from it by other factors. */
static hlrp_status init_levels(hlrp_pyramid *p, hlrp_error *err) {
    hlrp_rung rungs[HLRP_PYRAMID_MAX_LEVELS];
    hlrp_size size = {p->spec.width, p->spec.height};
    const int count = hlrp_pyramid_ladder(&p->spec, rungs);
    hlrp_status status = HLRP_OK;
    for (int i = 0; i < count; i++) {
        if (rungs[i].between)
            continue;
        const hlrp_size next = rungs[i].size;
        for (size = i > 0 ? halved(size) : size; size.w != next.w || size.h != next.h;
             size = halved(size))
            HLRP_TRY(init_level(p, size, -1, err));
        HLRP_TRY(init_level(p, next, i, err));
    }
    p->halvings = p->level_count;
    for (int i = 0; i < count; i++) {
        hlrp_level *level = &p->levels[p->level_count];
        if (!rungs[i].between)
            continue;
        HLRP_TRY(init_level(p, rungs[i].size, i, err));
        HLRP_TRY(
            hlrp_reducer_new(p->spec.pixel, p->levels[0].size, level->size, &level->reducer, err));
    }
out:
    return status;
}

static hlrp_status init_buffers(hlrp_pyramid *p, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t tile = p->spec.tile;
    const hlrp_size least = hlrp_pyramid_level_size(&p->spec, p->stored - 1);
    HLRP_TRY(init_levels(p, err));
    HLRP_TRY(hlrp_calloc(&p->tile, tile * tile, p->pixel_bytes, "a tile", err));
    if (p->thumbnail)
        HLRP_TRY(hlrp_calloc(&p->small, least.w * least.h, p->pixel_bytes, "a thumbnail", err));
out:
    return status;
}

hlrp_status hlrp_pyramid_open(const char *path, const hlrp_pyramid_spec *spec, hlrp_pyramid **out,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_pyramid *p = NULL;
    *out = NULL;
    const hlrp_pyramid_spec full = with_defaults(spec);
    const char *flaw = spec_flaw(&full);
    if (flaw)
        return hlrp_fail(err, HLRP_E_INPUT, path, NULL, "cannot write a pyramid of %lld × %lld: %s",
                         (long long)spec->width, (long long)spec->height, flaw);
    HLRP_TRY(hlrp_calloc(&p, 1, sizeof *p, "a pyramid", err));
    HLRP_TRY(copy_spec(p, &full, err));
    HLRP_TRY(init_buffers(p, err));
    HLRP_TRY(hlrp_atomic_begin(&p->file, path, err));
    HLRP_TRY(hlrp_ptiff_open(p, err));
    *out = p;
    p = NULL;
out:
    hlrp_pyramid_free(p);
    return status;
}

void hlrp_pyramid_free(hlrp_pyramid *p) {
    if (!p)
        return;
    hlrp_ptiff_close(p);
    hlrp_atomic_abort(&p->file);
    for (int i = 0; i < p->level_count; i++) {
        hlrp_reducer_free(p->levels[i].reducer);
        free(p->levels[i].rows);
    }
    for (int i = 0; i < HLRP_BLANK_TILES; i++)
        free(p->blanks[i].bytes);
    for (int i = 0; i < p->stored; i++)
        free(p->descriptions[i]);
    free(p->software);
    free(p->thumbnail);
    free(p->tile);
    free(p->small);
    free(p);
}

/* ---- rows ---- */

static size_t row_bytes(const hlrp_pyramid *p, const hlrp_level *level) {
    return (size_t)level->size.w * p->pixel_bytes;
}

/* Where the level's next row goes; row_added tells of it. */
static uint8_t *row_slot(const hlrp_pyramid *p, const hlrp_level *level) {
    return level->rows + (size_t)level->held * row_bytes(p, level);
}

static void keep_for_thumbnail(hlrp_pyramid *p, const hlrp_level *level) {
    if (p->small && level->number == p->stored - 1)
        memcpy(p->small + (size_t)level->y * row_bytes(p, level), row_slot(p, level),
               row_bytes(p, level));
}

/* The row pair of level `index` is whole: shrinks it into the next level's slot. */
static void push_down(const hlrp_pyramid *p, int index) {
    const hlrp_level *level = &p->levels[index];
    const uint8_t *last = row_slot(p, level) - row_bytes(p, level);
    const bool alone = level->held % 2 != 0;
    const uint8_t *first = alone ? last : last - row_bytes(p, level);
    hlrp_shrink_rows(p->spec.pixel, first, alone ? NULL : last, level->size.w,
                     row_slot(p, level + 1));
}

/* A row was put in level 0's slot: counts it, pushes shrunk rows down, writes full rows of tiles. A
 * capacity is even, so that both rows of a pair are in the buffer together. */
static hlrp_status row_added(hlrp_pyramid *p, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    bool more = true;
    for (int i = 0; i < p->halvings && more; i++) {
        hlrp_level *level = &p->levels[i];
        keep_for_thumbnail(p, level);
        level->held++;
        level->y++;
        const bool last = level->y == level->size.h;
        more = (level->held % 2 == 0 || last) && i + 1 < p->halvings;
        if (more)
            push_down(p, i);
        if (level->held < level->capacity && !last)
            continue;
        if (level->number >= 0)
            HLRP_TRY(hlrp_ptiff_flush(p, level, err));
        level->held = 0;
    }
out:
    return status;
}

/* The levels between get the row that lies in level 0's slot. */
static hlrp_status reduce_row(hlrp_pyramid *p, hlrp_error *err) {
    const uint8_t *row = row_slot(p, &p->levels[0]);
    hlrp_status status = HLRP_OK;
    for (int i = p->halvings; i < p->level_count; i++) {
        hlrp_level *level = &p->levels[i];
        if (!hlrp_reducer_push(level->reducer, row, row_slot(p, level)))
            continue;
        level->held++;
        level->y++;
        if (level->held < level->capacity && level->y < level->size.h)
            continue;
        HLRP_TRY(hlrp_ptiff_flush(p, level, err));
        level->held = 0;
    }
out:
    return status;
}

static hlrp_status misuse(const hlrp_pyramid *p, const char *what, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_INTERNAL, p->file.final_path, NULL, "%s", what);
}

hlrp_status hlrp_pyramid_rows(hlrp_pyramid *p, const void *rows, int64_t count, size_t stride,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_level *base = &p->levels[0];
    if (p->failed || p->plane >= p->spec.planes || count < 0 || count > base->size.h - base->y)
        return misuse(p, "more rows than the picture has, or after an error", err);
    p->failed = true; /* until all went well */
    for (int64_t i = 0; i < count; i++) {
        memcpy(row_slot(p, base), (const uint8_t *)rows + (size_t)i * stride, row_bytes(p, base));
        HLRP_TRY(reduce_row(p, err));
        HLRP_TRY(row_added(p, err));
    }
    if (base->y == base->size.h) {
        for (int i = 0; i < p->level_count; i++)
            p->levels[i].y = 0;
        HLRP_TRY(hlrp_ptiff_end_plane(p, err));
    }
    p->failed = false;
out:
    return status;
}

hlrp_status hlrp_pyramid_finish(hlrp_pyramid *p, hlrp_error *err) {
    if (p->failed || p->plane < p->spec.planes)
        return misuse(p, "the pyramid was finished before all rows were pushed", err);
    hlrp_ptiff_close(p);
    return hlrp_atomic_commit(&p->file, err);
}

#include "tile/tile.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a level that are held at once; a tile that needs more is read in strips of rows. */
#define STRIP_BYTES (16 << 20)

struct hlrp_tile_reader {
    hlrp_slide *slide;
    hlrp_grid grid;
    int level;
    const hlrp_log *log;
    hlrp_tile_faults *faults;
    hlrp_resampler *resampler;
    uint8_t *pixels; /* [strip rows, rect.w, 3] */
    int64_t capacity;
};

hlrp_status hlrp_tile_reader_open(hlrp_slide *slide, const hlrp_grid *grid, const hlrp_log *log,
                                  hlrp_tile_faults *faults, hlrp_tile_reader **out,
                                  hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tile_reader *reader = NULL;
    *out = NULL;
    status = hlrp_calloc(&reader, 1, sizeof *reader, "a tile reader", err);
    if (status != HLRP_OK) {
        hlrp_slide_close(slide);
        return status;
    }
    *reader = (hlrp_tile_reader){.slide = slide, .grid = *grid, .log = log, .faults = faults};
    reader->level = hlrp_slide_pick_level(slide, grid->r_x, grid->r_y);
    HLRP_TRY(hlrp_resampler_new(&reader->resampler, err));
    *out = reader;
    reader = NULL;
out:
    hlrp_tile_reader_close(reader);
    return status;
}

void hlrp_tile_reader_close(hlrp_tile_reader *reader) {
    if (!reader)
        return;
    hlrp_slide_close(reader->slide);
    hlrp_resampler_free(reader->resampler);
    free(reader->pixels);
    free(reader);
}

hlrp_slide *hlrp_tile_reader_slide(hlrp_tile_reader *reader) {
    return reader->slide;
}

int hlrp_tile_reader_level(const hlrp_tile_reader *reader) {
    return reader->level;
}

/* The level's pixels under `rect`, strip by strip through the horizontal pass. */
static hlrp_status read_rows(hlrp_tile_reader *reader, int level, hlrp_irect rect,
                             hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t rows = HLRP_MAX(STRIP_BYTES / (rect.w * 3), 1), bytes = 0;
    rows = HLRP_MIN(rows, rect.h);
    if (!hlrp_mul_size(rect.w * 3, rows, &bytes))
        return hlrp_fail(err, HLRP_E_MEMORY, hlrp_slide_path(reader->slide), "use smaller tiles",
                         "a tile of %lld pixels a row does not fit", (long long)rect.w);
    HLRP_TRY(hlrp_grow(&reader->pixels, &reader->capacity, bytes, 1, err));
    for (int64_t y = 0; y < rect.h; y += rows) {
        hlrp_irect strip = {rect.x, rect.y + y, rect.w, HLRP_MIN(rows, rect.h - y)};
        HLRP_TRY(hlrp_slide_read(reader->slide, level, strip, reader->pixels, err));
        hlrp_resample_rows(reader->resampler, reader->pixels, y, strip.h);
    }
out:
    return status;
}

static hlrp_status read_from_level(hlrp_tile_reader *reader, int level, hlrp_rect tile,
                                   uint8_t *rgb, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    double ds_x = 1, ds_y = 1, shift_x = 0, shift_y = 0;
    hlrp_slide_downsample(reader->slide, level, &ds_x, &ds_y);
    hlrp_rect box = hlrp_rect_scale(tile, ds_x, ds_y);
    hlrp_irect rect = hlrp_rect_cover(box);
    rect.w = HLRP_MAX(rect.w, 1);
    rect.h = HLRP_MAX(rect.h, 1);
    hlrp_slide_shift(reader->slide, level, rect, &shift_x, &shift_y);
    box.x -= (double)rect.x + shift_x;
    box.y -= (double)rect.y + shift_y;
    hlrp_size size = {reader->grid.size, reader->grid.size};
    HLRP_TRY(hlrp_resample_begin(reader->resampler, (hlrp_size){rect.w, rect.h}, box, size, err));
    HLRP_TRY(read_rows(reader, level, rect, err));
    hlrp_resample_end(reader->resampler, rgb);
out:
    return status;
}

/* Counts a damaged tile and logs the first of its kind on this slide. */
static void note_fault(hlrp_tile_reader *reader, _Atomic int64_t *count, const char *what,
                       int64_t number, const hlrp_error *why) {
    if (count && atomic_fetch_add(count, 1) > 0)
        return;
    char line[1600];
    hlrp_logf(reader->log, HLRP_LOG_WARN,
              "%s: tile %lld %s: %s; further ones of this slide are counted only",
              hlrp_slide_name(reader->slide), (long long)number, what,
              hlrp_error_line(why, line, sizeof line));
}

static void blank(const hlrp_tile_reader *reader, uint8_t *rgb) {
    uint8_t color[3];
    hlrp_slide_background(reader->slide, color);
    for (int64_t i = 0; i < reader->grid.size * reader->grid.size; i++)
        memcpy(rgb + 3 * i, color, 3);
}

hlrp_status hlrp_tile_read(hlrp_tile_reader *reader, int64_t number, uint8_t *rgb,
                           hlrp_tile_result *result, hlrp_error *err) {
    hlrp_error first = {0}, second = {0};
    hlrp_rect tile = hlrp_grid_tile(&reader->grid, number);
    hlrp_tile_faults *faults = reader->faults;
    *result = HLRP_TILE_READ;
    hlrp_status status = read_from_level(reader, reader->level, tile, rgb, &first);
    second = first;
    const int coarser = hlrp_slide_next_level(reader->slide, reader->level);
    if (status == HLRP_E_INPUT && coarser >= 0) {
        *result = HLRP_TILE_FALLBACK;
        status = read_from_level(reader, coarser, tile, rgb, &second);
        if (status == HLRP_OK)
            note_fault(reader, faults ? &faults->fallback : NULL, "is read from a coarser level",
                       number, &first);
    }
    if (status == HLRP_E_INPUT) {
        *result = HLRP_TILE_UNREADABLE;
        blank(reader, rgb);
        note_fault(reader, faults ? &faults->unreadable : NULL, "is unreadable", number, &first);
        return HLRP_OK;
    }
    if (status != HLRP_OK)
        *err = second;
    return status;
}

/* libtiff fills one directory at a time, so tiles of level 0 go straight to the target and those of
 * smaller levels to spools: TIFF files of one directory, unlinked as soon as they are open, whose
 * encoded tiles are copied to the target when the plane is complete. */
#include "image/pyramid_tiff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/pyramid_tags.h"

static hlrp_status failed(hlrp_pyramid *p, hlrp_error *err) {
    return hlrp_tiff_write_failed(p->file.final_path, &p->note, err);
}

static hlrp_status system_failed(hlrp_pyramid *p, hlrp_error *err) {
    p->note.sys = errno;
    return failed(p, err);
}

/* ---- spools ---- */

static hlrp_status open_spool(hlrp_pyramid *p, hlrp_level *level, hlrp_error *err) {
    char *name = NULL;
    hlrp_status status = HLRP_OK;
    int copy = -1;
    HLRP_TRY(hlrp_format(&name, err, "%s.XXXXXX", p->file.path));
    level->spool = mkostemp(name, O_CLOEXEC);
    if (level->spool >= 0)
        unlink(name); /* gone with its descriptor, however the program ends */
    copy = level->spool < 0 ? -1 : fcntl(level->spool, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) {
        status = system_failed(p, err);
        goto out;
    }
    level->tif = hlrp_tiff_fdopen(copy, "spool", "w8", &p->note);
    if (!level->tif || !hlrp_ptiff_set_tags(p, level->tif, level->number))
        status = failed(p, err);
out:
    free(name);
    return status;
}

static void close_spool(hlrp_level *level) {
    if (level->tif)
        TIFFClose(level->tif);
    if (level->spool >= 0)
        close(level->spool);
    level->tif = NULL;
    level->spool = -1;
}

static hlrp_status begin_plane(hlrp_pyramid *p, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int i = 0; i < p->level_count; i++) {
        hlrp_level *level = &p->levels[i];
        level->encoded = false;
        if (level->number == 0) {
            level->tif = p->target;
            if (!hlrp_ptiff_set_tags(p, p->target, 0))
                return failed(p, err);
        } else if (level->number > 0) {
            HLRP_TRY(open_spool(p, level, err));
        }
    }
out:
    return status;
}

hlrp_status hlrp_ptiff_open(hlrp_pyramid *p, hlrp_error *err) {
    p->target = hlrp_tiff_open(p->file.path, hlrp_ptiff_mode(p), &p->note);
    if (!p->target)
        return failed(p, err);
    return begin_plane(p, err);
}

void hlrp_ptiff_close(hlrp_pyramid *p) {
    for (int i = 0; i < p->level_count; i++) {
        if (p->levels[i].number > 0)
            close_spool(&p->levels[i]);
        p->levels[i].tif = NULL;
    }
    if (p->target)
        TIFFClose(p->target);
    p->target = NULL;
}

/* ---- tiles ---- */

/* Tile number tx of the held rows in p->tile; beyond the picture its last pixels are repeated,
 * which costs least under either codec. */
static void gather_tile(const hlrp_pyramid *p, const hlrp_level *level, int64_t tx) {
    const size_t pixel = p->pixel_bytes;
    const int64_t side = p->spec.tile, x0 = tx * side;
    const int64_t w = HLRP_MIN(side, level->size.w - x0);
    for (int64_t y = 0; y < side; y++) {
        const int64_t from = HLRP_MIN(y, level->held - 1);
        uint8_t *out = p->tile + (size_t)(y * side) * pixel;
        memcpy(out, level->rows + (size_t)(from * level->size.w + x0) * pixel, (size_t)w * pixel);
        for (int64_t x = w; x < side; x++)
            memcpy(out + (size_t)x * pixel, out + (size_t)(w - 1) * pixel, pixel);
    }
}

static size_t tile_bytes(const hlrp_pyramid *p) {
    return (size_t)p->spec.tile * (size_t)p->spec.tile * p->pixel_bytes;
}

static bool one_color(const hlrp_pyramid *p) {
    return memcmp(p->tile, p->tile + p->pixel_bytes, tile_bytes(p) - p->pixel_bytes) == 0;
}

static const hlrp_blank *find_blank(const hlrp_pyramid *p) {
    for (int i = 0; i < HLRP_BLANK_TILES; i++)
        if (p->blanks[i].bytes && memcmp(p->blanks[i].color, p->tile, p->pixel_bytes) == 0)
            return &p->blanks[i];
    return NULL;
}

/* Remembers the encoded form of the tile just written. Reading it back is not worth an error. */
static void learn_blank(hlrp_pyramid *p, TIFF *tif, uint32_t number) {
    const uint64_t size = TIFFGetStrileByteCount(tif, number);
    const uint64_t offset = TIFFGetStrileOffset(tif, number);
    hlrp_error ignored = {0};
    uint8_t *bytes = NULL;
    if (size == 0 || size > 2 * tile_bytes(p) + 4096 ||
        hlrp_calloc(&bytes, (int64_t)size, 1, "a blank tile", &ignored) != HLRP_OK)
        return;
    if (pread(TIFFFileno(tif), bytes, size, (off_t)offset) != (ssize_t)size) {
        free(bytes);
        return;
    }
    hlrp_blank *entry = &p->blanks[p->next_blank];
    p->next_blank = (p->next_blank + 1) % HLRP_BLANK_TILES;
    free(entry->bytes);
    entry->bytes = bytes;
    entry->size = size;
    memcpy(entry->color, p->tile, p->pixel_bytes);
}

/* The first tile of a directory is always encoded: that also sets the directory's JPEG tables,
 * which are the same for all levels, as their quality is. */
static hlrp_status write_tile(hlrp_pyramid *p, hlrp_level *level, uint32_t number,
                              hlrp_error *err) {
    const bool blank = one_color(p);
    const hlrp_blank *known = blank ? find_blank(p) : NULL;
    errno = 0;
    if (known && level->encoded) {
        const tmsize_t n = (tmsize_t)known->size;
        return TIFFWriteRawTile(level->tif, number, known->bytes, n) == n ? HLRP_OK
                                                                          : failed(p, err);
    }
    if (TIFFWriteEncodedTile(level->tif, number, p->tile, (tmsize_t)tile_bytes(p)) < 0)
        return failed(p, err);
    level->encoded = true;
    if (blank && !known)
        learn_blank(p, level->tif, number);
    return HLRP_OK;
}

hlrp_status hlrp_ptiff_flush(hlrp_pyramid *p, hlrp_level *level, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t side = p->spec.tile;
    const int64_t across = hlrp_ceil_div(level->size.w, side);
    const int64_t down = (level->y - 1) / side;
    for (int64_t tx = 0; tx < across; tx++) {
        gather_tile(p, level, tx);
        HLRP_TRY(write_tile(p, level, (uint32_t)(down * across + tx), err));
    }
out:
    return status;
}

/* ---- the end of a plane ---- */

static bool copy_tables(TIFF *from, TIFF *to) {
    uint32_t size = 0;
    void *tables = NULL;
    return !TIFFGetField(from, TIFFTAG_JPEGTABLES, &size, &tables) ||
           TIFFSetField(to, TIFFTAG_JPEGTABLES, size, tables);
}

static bool copy_tiles(TIFF *from, TIFF *to, uint8_t **buffer, uint64_t *room) {
    const uint32_t count = TIFFNumberOfTiles(from);
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t size = TIFFGetStrileByteCount(from, i);
        if (size > *room) {
            uint8_t *more = realloc(*buffer, size); /* allowed: the caller knows no error */
            if (!more)
                return false;
            *buffer = more;
            *room = size;
        }
        if (TIFFReadRawTile(from, i, *buffer, (tmsize_t)size) != (tmsize_t)size ||
            TIFFWriteRawTile(to, i, *buffer, (tmsize_t)size) != (tmsize_t)size)
            return false;
    }
    return true;
}

static hlrp_status append_level(hlrp_pyramid *p, hlrp_level *level, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    uint8_t *buffer = NULL;
    uint64_t room = 0;
    TIFF *from = NULL;
    errno = 0;
    const bool whole = TIFFWriteDirectory(level->tif) != 0;
    TIFFClose(level->tif);
    level->tif = NULL;
    if (whole && lseek(level->spool, 0, SEEK_SET) == 0)
        from = hlrp_tiff_fdopen(level->spool, "spool", "r", &p->note); /* closes it in any case */
    else
        close(level->spool);
    level->spool = -1;
    if (!from || !hlrp_ptiff_set_tags(p, p->target, level->number) ||
        !copy_tables(from, p->target) || !copy_tiles(from, p->target, &buffer, &room) ||
        !TIFFWriteDirectory(p->target))
        status = failed(p, err);
    free(buffer);
    if (from)
        TIFFClose(from);
    return status;
}

static hlrp_status append_thumbnail(hlrp_pyramid *p, hlrp_error *err) {
    const hlrp_size size = hlrp_pyramid_level_size(&p->spec, p->stored - 1);
    const int64_t row = size.w * (int64_t)p->pixel_bytes;
    if (!hlrp_ptiff_set_thumbnail_tags(p, p->target))
        return failed(p, err);
    for (int64_t y = 0, strip = 0; y < size.h; y += HLRP_THUMBNAIL_STRIP, strip++) {
        const int64_t rows = HLRP_MIN(HLRP_THUMBNAIL_STRIP, size.h - y);
        if (TIFFWriteEncodedStrip(p->target, (uint32_t)strip, p->small + y * row, rows * row) < 0)
            return failed(p, err);
    }
    return TIFFWriteDirectory(p->target) ? HLRP_OK : failed(p, err);
}

hlrp_status hlrp_ptiff_end_plane(hlrp_pyramid *p, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    errno = 0;
    if (!TIFFWriteDirectory(p->target))
        return failed(p, err);
    if (p->small)
        HLRP_TRY(append_thumbnail(p, err));
    for (int number = 1; number < p->stored; number++)
        for (int i = 0; i < p->level_count; i++)
            if (p->levels[i].number == number)
                HLRP_TRY(append_level(p, &p->levels[i], err));
    if (++p->plane < p->spec.planes)
        HLRP_TRY(begin_plane(p, err));
out:
    return status;
}

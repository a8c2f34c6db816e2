/* Chunks are made by many threads and handed to libhdf5 by one: its own filters would leave the
 * compression of the whole map to that one. */
#include <libdeflate.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

/* A band of the assembly is as high as a chunk, which bounds its memory; wide ones make up for it.
 */
enum { CHUNK_ROWS = 64, CHUNK_COLUMNS = 512, LEVEL = 4 };

hlrp_size hlrp_chunk_size(hlrp_size map) {
    return (hlrp_size){HLRP_MIN(map.w, CHUNK_COLUMNS), HLRP_MIN(map.h, CHUNK_ROWS)};
}

static bool is_fill(hlrp_map_kind kind, float value) {
    return kind == HLRP_MAP_COVERAGE ? value == 0.0f : isnan(value);
}

/* HDF5's shuffle filter: all first bytes of the values, then all second ones, … */
static void shuffle(const float *values, size_t count, unsigned char *to) {
    const unsigned char *from = (const unsigned char *)values;
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < sizeof *values; b++)
            to[b * count + i] = from[i * sizeof *values + b];
}

static hlrp_status deflate(const unsigned char *bytes, size_t size, hlrp_chunk *chunk,
                           hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(LEVEL);
    if (!compressor) {
        status = hlrp_fail(err, HLRP_E_MEMORY, "map chunk", NULL, "out of memory for compression");
        goto out;
    }
    const size_t bound = libdeflate_zlib_compress_bound(compressor, size);
    HLRP_TRY(hlrp_calloc(&chunk->bytes, (int64_t)bound, 1, "map chunk", err));
    chunk->size = libdeflate_zlib_compress(compressor, bytes, size, chunk->bytes, bound);
    if (chunk->size == 0) {
        free(chunk->bytes);
        *chunk = (hlrp_chunk){0};
        status = hlrp_fail(err, HLRP_E_INTERNAL, "map chunk", NULL, "a chunk was not compressed");
    }
out:
    libdeflate_free_compressor(compressor);
    return status;
}

hlrp_status hlrp_chunk_pack_whole(int64_t count, const float *values, hlrp_chunk *chunk,
                                  hlrp_error *err) {
    unsigned char *shuffled = NULL;
    hlrp_status status = HLRP_OK;
    *chunk = (hlrp_chunk){0};
    HLRP_TRY(hlrp_calloc(&shuffled, count, sizeof *values, "map chunk", err));
    shuffle(values, (size_t)count, shuffled);
    HLRP_TRY(deflate(shuffled, (size_t)count * sizeof *values, chunk, err));
out:
    free(shuffled);
    return status;
}

hlrp_status hlrp_chunk_pack(hlrp_size map, hlrp_map_kind kind, const float *values, int64_t rows,
                            int64_t column, hlrp_chunk *chunk, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_size size = hlrp_chunk_size(map);
    const int64_t x0 = column * size.w, columns = HLRP_MIN(size.w, map.w - x0);
    const float fill = kind == HLRP_MAP_COVERAGE ? 0.0f : NAN;
    const size_t count = (size_t)(size.w * size.h);
    float *dense = NULL;
    bool empty = true;
    *chunk = (hlrp_chunk){0};
    if (column < 0 || columns < 1 || rows < 1 || rows > size.h)
        return hlrp_fail(err, HLRP_E_INTERNAL, "map chunk", NULL, "there is no such chunk");
    HLRP_TRY(hlrp_calloc(&dense, (int64_t)count, sizeof *dense, "map chunk", err));
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++) {
            const bool inside = y < rows && x < columns;
            const float value = inside ? values[y * map.w + x0 + x] : fill;
            dense[y * size.w + x] = value;
            empty = empty && is_fill(kind, value);
        }
    chunk->empty = empty;
    if (empty)
        goto out;
    status = hlrp_chunk_pack_whole((int64_t)count, dense, chunk, err);
out:
    free(dense);
    return status;
}

const char *hlrp_deflate_version(void) {
    return LIBDEFLATE_VERSION_STRING;
}

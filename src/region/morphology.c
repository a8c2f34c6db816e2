/* Dilation and closing by an ellipse, connected parts by union-find. */
#include "region/raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* running[x] = set cells of the row left of x, so that a span is one difference. */
static void count_row(const uint8_t *row, int64_t w, int32_t *running) {
    running[0] = 0;
    for (int64_t x = 0; x < w; x++)
        running[x + 1] = running[x] + (row[x] != 0);
}

static void spread_row(const int32_t *running, int64_t w, int64_t reach, uint8_t *out) {
    for (int64_t x = 0; x < w; x++) {
        int64_t x0 = HLRP_MAX(x - reach, 0), x1 = HLRP_MIN(x + reach + 1, w);
        out[x] |= running[x1] > running[x0];
    }
}

/* Row by row of the ellipse: at height dy it reaches rx·√(1 − (dy/ry)²) to either side. */
hlrp_status hlrp_raster_dilate(uint8_t *mask, hlrp_size size, double rx, double ry,
                               hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int32_t *running = NULL;
    uint8_t *out = NULL;
    int64_t up = (int64_t)floor(HLRP_MIN(ry, (double)size.h));
    HLRP_TRY(hlrp_calloc(&running, size.w + 1, sizeof *running, "a row of the mask", err));
    HLRP_TRY(hlrp_calloc(&out, size.w * size.h, 1, "the dilated mask", err));
    for (int64_t y = 0; y < size.h; y++) {
        count_row(mask + y * size.w, size.w, running);
        if (running[size.w] == 0)
            continue;
        for (int64_t dy = -up; dy <= up; dy++) {
            double part = ry > 0 ? (double)dy / ry : 0;
            double reach = rx * sqrt(HLRP_MAX(1 - part * part, 0));
            if (y + dy >= 0 && y + dy < size.h)
                spread_row(running, size.w, (int64_t)HLRP_MIN(reach, (double)size.w),
                           out + (y + dy) * size.w);
        }
    }
    memcpy(mask, out, (size_t)(size.w * size.h));
out:
    free(running);
    free(out);
    return status;
}

static void invert(uint8_t *mask, hlrp_size size) {
    for (int64_t i = 0; i < size.w * size.h; i++)
        mask[i] = !mask[i];
}

hlrp_status hlrp_raster_close(uint8_t *mask, hlrp_size size, double rx, double ry,
                              hlrp_error *err) {
    hlrp_status status = hlrp_raster_dilate(mask, size, rx, ry, err);
    if (status != HLRP_OK)
        return status;
    invert(mask, size);
    status = hlrp_raster_dilate(mask, size, rx, ry, err);
    invert(mask, size);
    return status;
}

/* The first cell of i's part so far; halves the path on the way. */
static int32_t find(int32_t *root, int32_t i) {
    while (root[i] != i) {
        root[i] = root[root[i]];
        i = root[i];
    }
    return i;
}

/* The lower index stays root, so that it ends up as the part's first cell in reading order. */
static void join(int32_t *root, int64_t a, int64_t b) {
    int32_t ra = find(root, (int32_t)a), rb = find(root, (int32_t)b);
    if (ra < rb)
        root[rb] = ra;
    else
        root[ra] = rb;
}

/* Joins cell (x, y) with its neighbours before it in reading order. */
static void join_before(int32_t *root, hlrp_size size, int64_t x, int64_t y, bool diagonal) {
    int64_t i = y * size.w + x, above = i - size.w;
    if (x > 0 && root[i - 1] >= 0)
        join(root, i - 1, i);
    if (y == 0)
        return;
    if (root[above] >= 0)
        join(root, above, i);
    if (diagonal && x > 0 && root[above - 1] >= 0)
        join(root, above - 1, i);
    if (diagonal && x + 1 < size.w && root[above + 1] >= 0)
        join(root, above + 1, i);
}

hlrp_status hlrp_parts_find(const uint8_t *mask, bool set, hlrp_size size, bool diagonal,
                            hlrp_parts *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_parts parts = {0};
    int64_t n = size.w * size.h;
    HLRP_TRY(hlrp_calloc(&parts.root, n, sizeof *parts.root, "parts of the mask", err));
    HLRP_TRY(hlrp_calloc(&parts.cells, n, sizeof *parts.cells, "parts of the mask", err));
    for (int64_t i = 0; i < n; i++) {
        parts.root[i] = (mask[i] != 0) == set ? (int32_t)i : -1;
        if (parts.root[i] >= 0)
            join_before(parts.root, size, i % size.w, i / size.w, diagonal);
    }
    for (int64_t i = 0; i < n; i++) {
        if (parts.root[i] < 0)
            continue;
        parts.root[i] = find(parts.root, (int32_t)i);
        parts.cells[parts.root[i]]++;
    }
    *out = parts;
    return HLRP_OK;
out:
    hlrp_parts_free(&parts);
    return status;
}

void hlrp_parts_free(hlrp_parts *parts) {
    free(parts->root);
    free(parts->cells);
    *parts = (hlrp_parts){0};
}

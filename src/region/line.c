/* Thin dark lines, and the highest value around a cell. */
#include "region/raster.h"

#include <stdlib.h>

static uint8_t highest(const uint8_t *v, int64_t from, int64_t to, int64_t step) {
    uint8_t high = 0;
    for (int64_t i = from; i < to; i++)
        high = HLRP_MAX(high, v[i * step]);
    return high;
}

hlrp_status hlrp_raster_highest(const uint8_t *in, hlrp_size size, int64_t rx, int64_t ry,
                                uint8_t *out, hlrp_error *err) {
    uint8_t *rows = NULL;
    hlrp_status status = hlrp_calloc(&rows, size.w * size.h, 1, "highest of rows", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++)
            rows[y * size.w + x] =
                highest(in + y * size.w, HLRP_MAX(x - rx, 0), HLRP_MIN(x + rx + 1, size.w), 1);
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++)
            out[y * size.w + x] =
                highest(rows + x, HLRP_MAX(y - ry, 0), HLRP_MIN(y + ry + 1, size.h), size.w);
    free(rows);
    return HLRP_OK;
}

static int green(const uint8_t *rgb, hlrp_size size, int64_t x, int64_t y) {
    return rgb[3 * (y * size.w + x) + 1];
}

int hlrp_raster_line_depth(const uint8_t *rgb, hlrp_size size, int64_t x, int64_t y, int64_t rx,
                           int64_t ry) {
    const int64_t side[4][2] = {{rx, 0}, {0, ry}, {rx, ry}, {rx, -ry}};
    int depth = 0;
    if (x < rx || y < ry || x + rx >= size.w || y + ry >= size.h)
        return 0;
    for (int k = 0; k < 4; k++) {
        int a = green(rgb, size, x + side[k][0], y + side[k][1]);
        int b = green(rgb, size, x - side[k][0], y - side[k][1]);
        depth = HLRP_MAX(depth, HLRP_MIN(a, b) - green(rgb, size, x, y));
    }
    return depth;
}

/* Means over a window by running sums: each cell is added and taken away twice, whatever the
 * window's size. */
#include "region/raster.h"

#include <stdlib.h>

typedef struct sums {
    int64_t v[3], n;
} sums;

static void add_cell(sums *s, const uint8_t *rgb, int sign) {
    for (int c = 0; c < 3; c++)
        s->v[c] += sign * rgb[c];
    s->n += sign;
}

static void add_sums(sums *s, const sums *t, int sign) {
    for (int c = 0; c < 3; c++)
        s->v[c] += sign * t->v[c];
    s->n += sign * t->n;
}

static void add_row(sums *columns, const uint8_t *rgb, const uint8_t *skip, hlrp_size size,
                    int64_t y, int sign) {
    if (y < 0 || y >= size.h)
        return;
    for (int64_t x = 0; x < size.w; x++)
        if (!skip[y * size.w + x])
            add_cell(&columns[x], rgb + 3 * (y * size.w + x), sign);
}

static void mean_row(const sums *columns, int64_t w, int64_t rx, uint16_t *out) {
    sums s = {0};
    for (int64_t x = 0; x < HLRP_MIN(rx, w); x++)
        add_sums(&s, &columns[x], 1);
    for (int64_t x = 0; x < w; x++) {
        if (x + rx < w)
            add_sums(&s, &columns[x + rx], 1);
        if (x - rx - 1 >= 0)
            add_sums(&s, &columns[x - rx - 1], -1);
        for (int c = 0; c < 3; c++)
            out[3 * x + c] = s.n ? (uint16_t)((HLRP_MEAN_ONE * s.v[c] + s.n / 2) / s.n) : 0;
    }
}

hlrp_status hlrp_raster_mean(const uint8_t *rgb, const uint8_t *skip, hlrp_size size, int64_t rx,
                             int64_t ry, uint16_t *out, hlrp_error *err) {
    sums *columns = NULL;
    hlrp_status status = hlrp_calloc(&columns, size.w, sizeof *columns, "a row of means", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t y = 0; y < HLRP_MIN(ry, size.h); y++)
        add_row(columns, rgb, skip, size, y, 1);
    for (int64_t y = 0; y < size.h; y++) {
        add_row(columns, rgb, skip, size, y + ry, 1);
        add_row(columns, rgb, skip, size, y - ry - 1, -1);
        mean_row(columns, size.w, rx, out + 3 * y * size.w);
    }
    free(columns);
    return HLRP_OK;
}

/* Median by a sliding histogram (Huang, Yang, Tang 1979): moving the window by one cell changes one
 * column at either end, and the median moves only a little. */
#include "region/raster.h"

typedef struct window {
    int64_t count[256];
    int64_t total;
    int64_t below; /* cells of a value under `median` */
    int median;
} window;

static void put(window *v, uint8_t value, int sign) {
    v->count[value] += sign;
    v->total += sign;
    if (value < v->median)
        v->below += sign;
}

/* The value at rank (total−1)/2 from 0. */
static uint8_t settle(window *v) {
    if (v->total == 0)
        return 0;
    int64_t rank = (v->total - 1) / 2;
    while (v->below > rank)
        v->below -= v->count[--v->median];
    while (v->below + v->count[v->median] <= rank)
        v->below += v->count[v->median++];
    return (uint8_t)v->median;
}

typedef struct source {
    const uint8_t *in, *skip;
    int64_t w, y0, y1; /* rows y0 … y1−1 */
} source;

static void column(window *v, const source *s, int64_t x, int sign) {
    if (x < 0 || x >= s->w)
        return;
    for (int64_t y = s->y0; y < s->y1; y++)
        if (!s->skip || !s->skip[y * s->w + x])
            put(v, s->in[y * s->w + x], sign);
}

void hlrp_raster_median(const uint8_t *in, const uint8_t *skip, hlrp_size size, int64_t rx,
                        int64_t ry, uint8_t *out) {
    for (int64_t y = 0; y < size.h; y++) {
        window v = {.total = 0};
        source s = {in, skip, size.w, HLRP_MAX(y - ry, 0), HLRP_MIN(y + ry + 1, size.h)};
        for (int64_t x = 0; x < HLRP_MIN(rx, size.w); x++)
            column(&v, &s, x, 1);
        for (int64_t x = 0; x < size.w; x++) {
            column(&v, &s, x + rx, 1);
            column(&v, &s, x - rx - 1, -1);
            out[y * size.w + x] = settle(&v);
        }
    }
}

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

void hlrp_raster_histogram(const uint8_t *in, const uint8_t *skip, hlrp_size size,
                           int64_t counts[256]) {
    for (int i = 0; i < 256; i++)
        counts[i] = 0;
    for (int64_t i = 0; i < size.w * size.h; i++)
        if (!skip || !skip[i])
            counts[in[i]]++;
}

/* N. Otsu, IEEE Trans. SMC 9 (1979) 62–66. With n0 and n1 cells of means m0 and m1 on either side,
 * the variance between the classes is proportional to n0·n1·(m0 − m1)². */
int hlrp_otsu(const int64_t counts[256], double *low, double *high) {
    double n = 0, sum = 0, n0 = 0, sum0 = 0, best = 0;
    int first = 0, last = 0;
    for (int i = 0; i < 256; i++) {
        n += (double)counts[i];
        sum += (double)counts[i] * i;
    }
    *low = *high = n > 0 ? sum / n : 0;
    first = last = (int)*low;
    for (int t = 0; t < 255; t++) {
        n0 += (double)counts[t];
        sum0 += (double)counts[t] * t;
        double n1 = n - n0;
        if (n0 <= 0 || n1 <= 0)
            continue;
        double m0 = sum0 / n0, m1 = (sum - sum0) / n1;
        double between = n0 * n1 * (m0 - m1) * (m0 - m1);
        if (between > best) {
            best = between;
            first = t;
            *low = m0;
            *high = m1;
        }
        if (between == best) /* an empty valley changes nothing, bit for bit */
            last = t;
    }
    return first + (last - first) / 2;
}

#include <math.h>

#include "image/shrink.h"

size_t hlrp_pixel_bytes(hlrp_pixel pixel) {
    switch (pixel) {
    case HLRP_PIXEL_GREY8:
        return 1;
    case HLRP_PIXEL_RGB8:
        return 3;
    case HLRP_PIXEL_F32:
        return 4;
    }
    return 0;
}

/* sum = 4q + r: q, rounded up for r = 3, and for r = 2 where q is odd. */
static inline uint8_t mean4(unsigned sum) {
    return (uint8_t)((sum + 1 + ((sum >> 2) & 1)) >> 2);
}

static inline void shrink_bytes(const uint8_t *a, const uint8_t *b, int64_t width, int channels,
                                uint8_t *out) {
    const int64_t pairs = width / 2;
    for (int64_t i = 0; i < pairs; i++)
        for (int c = 0; c < channels; c++) {
            const int64_t p = 2 * i * channels + c;
            out[i * channels + c] =
                mean4((unsigned)a[p] + a[p + channels] + b[p] + b[p + channels]);
        }
    if (width % 2)
        for (int c = 0; c < channels; c++) {
            const int64_t p = (width - 1) * channels + c;
            out[pairs * channels + c] = mean4(2 * ((unsigned)a[p] + b[p]));
        }
}

static float mean_known(const float v[4]) {
    double sum = 0;
    int n = 0;
    for (int i = 0; i < 4; i++)
        if (!isnan(v[i])) {
            sum += v[i];
            n++;
        }
    return n ? (float)(sum / n) : NAN;
}

static void shrink_floats(const float *a, const float *b, int64_t width, float *out) {
    for (int64_t i = 0; i < (width + 1) / 2; i++) {
        const int64_t left = 2 * i, right = HLRP_MIN(left + 1, width - 1);
        out[i] = mean_known((const float[4]){a[left], a[right], b[left], b[right]});
    }
}

/* A partner that is missing is replaced by the pixel itself: the mean is then that of the others.
 */
void hlrp_shrink_rows(hlrp_pixel pixel, const void *a, const void *b, int64_t width, void *out) {
    if (!b)
        b = a;
    switch (pixel) {
    case HLRP_PIXEL_GREY8:
        shrink_bytes(a, b, width, 1, out);
        break;
    case HLRP_PIXEL_RGB8:
        shrink_bytes(a, b, width, 3, out);
        break;
    case HLRP_PIXEL_F32:
        shrink_floats(a, b, width, out);
        break;
    }
}

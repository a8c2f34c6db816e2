/* Antialiased bilinear resampling in the arithmetic of PIL (Pillow's src/libImaging/Resample.c):
 *
 *   scale = box / out,  reach = max(scale, 1),  center(i) = box start + (i + ½)·scale
 *   weight(i, p) = max(0, 1 − |p + ½ − center(i)| / reach),  normalized to Σ_p = 1
 *
 * over the pixels p from ⌊center − reach + ½⌋ to ⌊center + reach + ½⌋ that exist; weights rounded
 * to 22 fractional bits; horizontally first, rounded to 8 bits, then vertically. The box is held in
 * single precision, as PIL holds it, so that the results are the same to the last bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tile/tile.h"
#include "util/vector.h"

#define WEIGHT_BITS 22 /* 32 − 8 for the value − 2 spare */
#define HALF (1 << (WEIGHT_BITS - 1))

/* The filter of one axis. Kept while the question stays the same: tiles of a row share theirs. */
typedef struct axis {
    int64_t in, out;
    float start, end;
    int64_t taps;    /* weights kept per output pixel; unused ones are 0 */
    int64_t same;    /* output pixel i is source pixel same + i; −1: it is not that simple */
    int64_t *first;  /* [out] first source pixel */
    int64_t *count;  /* [out] source pixels */
    int32_t *weight; /* [out, taps] */
    double *exact;   /* [taps] */
    int64_t first_capacity, count_capacity, weight_capacity, exact_capacity;
} axis;

struct hlrp_resampler {
    axis x, y;
    uint8_t *middle; /* [in.h, out.w, 3] */
    int64_t middle_capacity;
    int32_t *wide; /* [in.w, 3] and one more: a row of the source */
    int32_t *sum;  /* [out.w, 3] and one more */
    int64_t wide_capacity, sum_capacity;
};

hlrp_status hlrp_resampler_new(hlrp_resampler **out, hlrp_error *err) {
    return hlrp_calloc(out, 1, sizeof **out, "a resampler", err);
}

static void axis_free(axis *a) {
    free(a->first);
    free(a->count);
    free(a->weight);
    free(a->exact);
}

void hlrp_resampler_free(hlrp_resampler *resampler) {
    if (!resampler)
        return;
    axis_free(&resampler->x);
    axis_free(&resampler->y);
    free(resampler->middle);
    free(resampler->wide);
    free(resampler->sum);
    free(resampler);
}

static void set_weights(axis *a, int64_t i, double scale, double reach) {
    double center = a->start + ((double)i + 0.5) * scale, total = 0;
    int64_t first = HLRP_MAX((int64_t)(center - reach + 0.5), 0);
    int64_t end = HLRP_MIN((int64_t)(center + reach + 0.5), a->in);
    first = HLRP_MIN(first, a->in - 1);
    end = HLRP_MAX(end, first + 1); /* a center beside the picture sees the outermost pixel */
    int32_t *weight = a->weight + i * a->taps;
    for (int64_t p = first; p < end; p++) {
        double distance = fabs(((double)p - center + 0.5) * (1.0 / reach));
        a->exact[p - first] = distance < 1 ? 1 - distance : 0;
        total += a->exact[p - first];
    }
    memset(weight, 0, (size_t)a->taps * sizeof *weight);
    if (total > 0) {
        for (int64_t p = 0; p < end - first; p++)
            weight[p] = (int32_t)(0.5 + a->exact[p] / total * (1 << WEIGHT_BITS));
    } else {
        weight[0] = 1 << WEIGHT_BITS;
    }
    a->first[i] = first;
    a->count[i] = end - first;
    while (a->count[i] > 1 && weight[a->count[i] - 1] == 0)
        a->count[i]--;
}

/* Where nothing is scaled and pixels lie upon pixels, the filter passes each of them on as it is. */
static int64_t find_same(const axis *a) {
    for (int64_t i = 0; i < a->out; i++) {
        const int32_t *weight = a->weight + i * a->taps;
        if (weight[a->count[i] - 1] != 1 << WEIGHT_BITS)
            return -1;
        if (a->first[i] + a->count[i] != a->first[0] + a->count[0] + i)
            return -1;
    }
    return a->first[0] + a->count[0] - 1;
}

static hlrp_status axis_set(axis *a, int64_t in, double start, double length, int64_t out,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    float from = (float)start, to = (float)(start + length);
    int64_t weights = 0;
    if (a->weight && a->in == in && a->out == out && a->start == from && a->end == to)
        return HLRP_OK;
    a->in = 0; /* no table while this fails */
    double scale = (double)(to - from) / (double)out, reach = fmax(scale, 1);
    int64_t taps = HLRP_MIN((int64_t)ceil(reach) * 2 + 1, in + 1);
    if (!hlrp_mul_size(out, taps, &weights))
        return hlrp_fail(err, HLRP_E_MEMORY, "resampling", "use smaller tiles",
                         "a filter of this size does not fit");
    HLRP_TRY(hlrp_grow(&a->first, &a->first_capacity, out, sizeof *a->first, err));
    HLRP_TRY(hlrp_grow(&a->count, &a->count_capacity, out, sizeof *a->count, err));
    HLRP_TRY(hlrp_grow(&a->weight, &a->weight_capacity, weights, sizeof *a->weight, err));
    HLRP_TRY(hlrp_grow(&a->exact, &a->exact_capacity, taps, sizeof *a->exact, err));
    *a = (axis){in,
                out,
                from,
                to,
                taps,
                -1,
                a->first,
                a->count,
                a->weight,
                a->exact,
                a->first_capacity,
                a->count_capacity,
                a->weight_capacity,
                a->exact_capacity};
    for (int64_t i = 0; i < out; i++)
        set_weights(a, i, scale, reach);
    a->same = find_same(a);
out:
    return status;
}

hlrp_status hlrp_resample_begin(hlrp_resampler *resampler, hlrp_size in, hlrp_rect box,
                                hlrp_size size, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t middle = 0;
    if (!hlrp_mul_size(in.h, size.w * 3, &middle))
        return hlrp_fail(err, HLRP_E_MEMORY, "resampling", "use smaller tiles",
                         "%lld rows of %lld pixels do not fit", (long long)in.h, (long long)size.w);
    HLRP_TRY(axis_set(&resampler->x, in.w, box.x, box.w, size.w, err));
    HLRP_TRY(axis_set(&resampler->y, in.h, box.y, box.h, size.h, err));
    HLRP_TRY(hlrp_grow(&resampler->middle, &resampler->middle_capacity, middle, 1, err));
    HLRP_TRY(hlrp_grow(&resampler->wide, &resampler->wide_capacity, in.w * 3 + 1,
                       sizeof *resampler->wide, err));
    HLRP_TRY(hlrp_grow(&resampler->sum, &resampler->sum_capacity, size.w * 3 + 1,
                       sizeof *resampler->sum, err));
    resampler->wide[in.w * 3] = 0;
out:
    return status;
}

static uint8_t to_byte(int32_t sum) {
    int32_t v = sum >> WEIGHT_BITS;
    return (uint8_t)(v > 255 ? 255 : v);
}

HLRP_VECTOR static void widen(const uint8_t *restrict bytes, int64_t n, int32_t *restrict wide) {
    for (int64_t i = 0; i < n; i++)
        wide[i] = bytes[i];
}

HLRP_VECTOR static void narrow(const int32_t *restrict sums, int64_t n, uint8_t *restrict bytes) {
    for (int64_t i = 0; i < n; i++)
        bytes[i] = to_byte(sums[i]);
}

/* R, G, B and the value after them, which takes part in nothing: a pixel's sums are overwritten
 * from its fourth on by the next pixel's. So `row` and `sums` have one value more than they need.
 */
typedef int32_t pixel __attribute__((vector_size(16)));

HLRP_VECTOR static void filter_row(const axis *a, const int32_t *restrict row,
                                   int32_t *restrict sums) {
    for (int64_t i = 0; i < a->out; i++) {
        const int32_t *p = row + a->first[i] * 3, *weight = a->weight + i * a->taps;
        pixel sum = {HALF, HALF, HALF, HALF};
        for (int64_t t = 0; t < a->count[i]; t++) {
            pixel rgb;
            memcpy(&rgb, p + 3 * t, sizeof rgb);
            sum += rgb * weight[t];
        }
        memcpy(sums + 3 * i, &sum, sizeof sum);
    }
}

void hlrp_resample_rows(hlrp_resampler *resampler, const uint8_t *rgb, int64_t first,
                        int64_t count) {
    const axis *a = &resampler->x;
    for (int64_t y = 0; y < count; y++) {
        const uint8_t *row = rgb + y * a->in * 3;
        uint8_t *to = resampler->middle + (first + y) * a->out * 3;
        if (a->same >= 0) {
            memcpy(to, row + a->same * 3, (size_t)(a->out * 3));
            continue;
        }
        widen(row, a->in * 3, resampler->wide);
        filter_row(a, resampler->wide, resampler->sum);
        narrow(resampler->sum, a->out * 3, to);
    }
}

/* sum = Σ_t weight[t] · row t, each of n bytes. */
HLRP_VECTOR static void add_rows(const uint8_t *restrict rows, const int32_t *weight, int64_t taps,
                                 int64_t n, int32_t *restrict sum) {
    for (int64_t i = 0; i < n; i++)
        sum[i] = HALF;
    for (int64_t t = 0; t < taps; t++) {
        const uint8_t *restrict row = rows + t * n;
        for (int64_t i = 0; i < n; i++)
            sum[i] += row[i] * weight[t];
    }
}

void hlrp_resample_end(hlrp_resampler *resampler, uint8_t *out) {
    const axis *a = &resampler->y;
    const int64_t n = resampler->x.out * 3;
    if (a->same >= 0) {
        memcpy(out, resampler->middle + a->same * n, (size_t)(a->out * n));
        return;
    }
    for (int64_t j = 0; j < a->out; j++) {
        add_rows(resampler->middle + a->first[j] * n, a->weight + j * a->taps, a->count[j], n,
                 resampler->sum);
        narrow(resampler->sum, n, out + j * n);
    }
}

hlrp_status hlrp_resample(hlrp_resampler *resampler, const uint8_t *rgb, hlrp_size in,
                          hlrp_rect box, hlrp_size size, uint8_t *out, hlrp_error *err) {
    hlrp_status status = hlrp_resample_begin(resampler, in, box, size, err);
    if (status != HLRP_OK)
        return status;
    hlrp_resample_rows(resampler, rgb, 0, in.h);
    hlrp_resample_end(resampler, out);
    return HLRP_OK;
}

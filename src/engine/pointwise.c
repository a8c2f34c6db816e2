#include <string.h>

#include "engine/kernels.h"
#include "util/vector.h"

HLRP_VECTOR
void hlrp_relu(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] > 0 ? x[i] : 0;
}

HLRP_VECTOR
void hlrp_leaky_relu(int64_t count, const float *x, float alpha, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] >= 0 ? x[i] : alpha * x[i];
}

void hlrp_clear_padding(const hlrp_layout *l, float *y) {
    const int used = (int)(l->c % l->lanes);
    if (used == 0)
        return;
    const int64_t pixels = l->h * l->w, blocks = hlrp_layout_blocks(l);
    for (int64_t n = 0; n < l->n; n++) {
        float *block = y + (n * blocks + blocks - 1) * pixels * l->lanes;
        for (int64_t p = 0; p < pixels; p++)
            for (int k = used; k < l->lanes; k++)
                block[p * l->lanes + k] = 0;
    }
}

HLRP_VECTOR
void hlrp_clip(const hlrp_layout *l, const float *x, float lo, float hi, float *y) {
    const int64_t count = hlrp_layout_count(l);
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
        const float v = x[i] > lo ? x[i] : lo;
        y[i] = v < hi ? v : hi;
    }
    hlrp_clear_padding(l, y);
}

HLRP_VECTOR
void hlrp_add(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] += x[i];
}

void hlrp_affine(const hlrp_layout *l, const float *x, const float *scale, const float *shift,
                 float *y) {
    const int64_t pixels = l->h * l->w;
    if (l->c % l->lanes != 0)
        memset(y, 0, (size_t)hlrp_layout_count(l) * sizeof *y);
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t c = 0; c < l->c; c++) {
            const int64_t at = hlrp_layout_offset(l, n, c);
            for (int64_t p = 0; p < pixels; p++)
                y[at + p * l->lanes] = x[at + p * l->lanes] * scale[c] + shift[c];
        }
}

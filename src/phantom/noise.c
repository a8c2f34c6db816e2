/* All integer arithmetic and plain sums and products: the same numbers wherever it is compiled. */
#include "phantom/noise.h"

#include <math.h>

uint64_t hlrp_phantom_hash(uint64_t seed, int64_t x, int64_t y) {
    uint64_t h = seed + (uint64_t)x * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ (h >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    h += (uint64_t)y * UINT64_C(0xD6E8FEB86659FD93);
    h = (h ^ (h >> 27)) * UINT64_C(0x94D049BB133111EB);
    return h ^ (h >> 31);
}

double hlrp_phantom_unit(uint64_t hash, int n) {
    uint64_t h = (hash ^ ((uint64_t)(n + 1) * UINT64_C(0xA0761D6478BD642F)));
    h = (h ^ (h >> 32)) * UINT64_C(0xE7037ED1A0B428DB);
    h = (h ^ (h >> 29)) * UINT64_C(0x8EBC6AF09C88C6E3);
    return (double)((h ^ (h >> 32)) >> 11) * 0x1p-53;
}

uint32_t hlrp_phantom_mix(uint32_t seed, int32_t x, int32_t y) {
    uint32_t h = seed + (uint32_t)x * 0x9E3779B1U;
    h = (h ^ (h >> 15)) * 0x85EBCA77U;
    h += (uint32_t)y * 0xC2B2AE3DU;
    h = (h ^ (h >> 13)) * 0x27D4EB2FU;
    return h ^ (h >> 16);
}

/* One of eight directions of equal length, dotted with (x, y). */
static double slope(uint32_t hash, double x, double y) {
    const double d = 0.70710678118654752;
    double a = (hash & 1U) ? x : -x, b = (hash & 2U) ? y : -y;
    if (hash & 4U)
        return d * (a + b);
    return (hash & 2U) ? a : (hash & 1U) ? y : -y;
}

static double fade(double t) {
    return t * t * t * (t * (t * 6 - 15) + 10);
}

double hlrp_phantom_noise(uint32_t seed, double x, double y) {
    double fx = floor(x), fy = floor(y);
    int32_t ix = (int32_t)fx, iy = (int32_t)fy;
    double u = x - fx, v = y - fy, su = fade(u), sv = fade(v);
    double a = slope(hlrp_phantom_mix(seed, ix, iy), u, v);
    double b = slope(hlrp_phantom_mix(seed, ix + 1, iy), u - 1, v);
    double c = slope(hlrp_phantom_mix(seed, ix, iy + 1), u, v - 1);
    double d = slope(hlrp_phantom_mix(seed, ix + 1, iy + 1), u - 1, v - 1);
    double top = a + su * (b - a), bottom = c + su * (d - c);
    return top + sv * (bottom - top);
}

/* Mean over the 3 × 3 neighborhood, wrapped. */
static void blur(const float *src, float *dst) {
    const int n = HLRP_TEXTURE_SIDE, m = n - 1;
    for (int y = 0; y < n; y++) {
        const float *rows[3] = {src + ((y + m) & m) * n, src + y * n, src + ((y + 1) & m) * n};
        for (int x = 0; x < n; x++) {
            float sum = 0;
            for (int k = 0; k < 3; k++)
                sum += rows[k][(x + m) & m] + rows[k][x] + rows[k][(x + 1) & m];
            dst[y * n + x] = sum / 9;
        }
    }
}

static void normalize(float *texture) {
    const int count = HLRP_TEXTURE_SIDE * HLRP_TEXTURE_SIDE;
    double sum = 0, squares = 0;
    for (int i = 0; i < count; i++) {
        sum += texture[i];
        squares += (double)texture[i] * texture[i];
    }
    double mean = sum / count, scale = 1 / sqrt(squares / count - mean * mean);
    for (int i = 0; i < count; i++)
        texture[i] = (float)((texture[i] - mean) * scale);
}

void hlrp_phantom_texture(uint64_t seed, float *texture, float *scratch) {
    for (int y = 0; y < HLRP_TEXTURE_SIDE; y++)
        for (int x = 0; x < HLRP_TEXTURE_SIDE; x++)
            texture[y * HLRP_TEXTURE_SIDE + x] =
                (float)hlrp_phantom_unit(hlrp_phantom_hash(seed, x, y), 0);
    for (int pass = 0; pass < 2; pass++) {
        blur(texture, scratch);
        blur(scratch, texture);
    }
    normalize(texture);
}

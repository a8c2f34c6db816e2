/* Hashes, noise and textures of the synthetic slide. Private to the module. */
#ifndef HLRP_PHANTOM_NOISE_H
#define HLRP_PHANTOM_NOISE_H

#include <stdint.h>

#define HLRP_TEXTURE_SIDE 512 /* texels; a power of two, so that wrapping is a mask */

/* 64 well-mixed bits of a seed and a place. */
uint64_t hlrp_phantom_hash(uint64_t seed, int64_t x, int64_t y);

/* 32 bits, cheaper. */
uint32_t hlrp_phantom_mix(uint32_t seed, int32_t x, int32_t y);

/* The n-th of independent numbers in [0,1) of one hash. */
double hlrp_phantom_unit(uint64_t hash, int n);

/* Gradient noise with one lattice cell per unit: zero mean, standard deviation about 0.25. */
double hlrp_phantom_noise(uint32_t seed, double x, double y);

/* Fills a periodic texture [512][512] with smooth noise of zero mean and unit variance whose bumps
 * are about 3 texels wide. scratch: as large. */
void hlrp_phantom_texture(uint64_t seed, float *texture, float *scratch);

/* The largest integer not above v, |v| < 2^30. */
static inline int hlrp_phantom_floor(float v) {
    int i = (int)v;
    return i - (v < (float)i);
}

/* The texture at (u, v) texels, interpolated, wrapped. |u|, |v| < 2^30. Inline: it is called
 * several times for every pixel of tissue. */
static inline float hlrp_phantom_sample(const float *texture, float u, float v) {
    const int m = HLRP_TEXTURE_SIDE - 1;
    int x = hlrp_phantom_floor(u), y = hlrp_phantom_floor(v);
    float a = u - (float)x, b = v - (float)y;
    const float *top = texture + (y & m) * HLRP_TEXTURE_SIDE;
    const float *low = texture + ((y + 1) & m) * HLRP_TEXTURE_SIDE;
    int x0 = x & m, x1 = (x + 1) & m;
    float t = top[x0] + a * (top[x1] - top[x0]), l = low[x0] + a * (low[x1] - low[x0]);
    return t + b * (l - t);
}

#endif

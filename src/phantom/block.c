/* Tissue without its nuclei. The fields are computed on a lattice 2 µm wide and interpolated. */
#include <math.h>
#include <string.h>

#include "phantom/paint.h"

typedef struct stains {
    float h, e;
} stains;

static stains mix(stains a, stains b, float share) {
    return (stains){a.h + share * (b.h - a.h), a.e + share * (b.e - a.e)};
}

static bool only_glass(const hlrp_phantom *w, int64_t x0, int64_t y0) {
    double mpp = w->options.mpp, half = 0.5 * HLRP_BLOCK * mpp;
    double x = (double)x0 * mpp + half, y = (double)y0 * mpp + half, radius = half * 1.4143 + 1;
    return hlrp_world_tissue_bound(w, x, y) + radius < 0 && !hlrp_world_pen_near(w, x, y, radius);
}

static void fill_lattice(hlrp_block *b) {
    double mpp = b->world->options.mpp;
    int n = HLRP_BLOCK / b->step + 1;
    for (int j = 0; j < n; j++)
        for (int i = 0; i < n; i++)
            hlrp_world_field(b->world, (double)(b->x0 + (int64_t)i * b->step) * mpp,
                             (double)(b->y0 + (int64_t)j * b->step) * mpp, &b->lattice[j * n + i]);
}

static void blend(const hlrp_field *a, const hlrp_field *b, float t, hlrp_field *out) {
    const float *p = (const float *)a, *q = (const float *)b;
    float *o = (float *)out;
    for (int k = 0; k < HLRP_FIELDS; k++)
        o[k] = p[k] + t * (q[k] - p[k]);
}

static stains stroma(const hlrp_phantom *w, const hlrp_field *f, float grain) {
    float fiber = hlrp_phantom_sample(w->grain, f->along * (1 / 11.0F), f->across * (1 / 1.15F));
    float fine = hlrp_phantom_sample(w->grain, f->along * (1 / 4.0F), f->across * (1 / 0.45F));
    float gap = hlrp_ramp((fiber + 1.5F) * 1.6F);
    stains s = {0.07F + 0.02F * grain, 0.42F + 0.11F * fiber + 0.05F * fine};
    s.e = (s.e < 0.12F ? 0.12F : s.e) * (0.35F + 0.65F * gap);
    return s;
}

/* The same in normal tissue and tumor: what tells them apart are the nuclei. */
static stains tissue_at(const hlrp_phantom *w, const hlrp_field *f, float grain) {
    const stains lumen = {0.01F, 0.025F + 0.006F * grain};
    float rim = hlrp_ramp((1.3F - f->wall) * 1.5F);
    stains fat = {0.015F + 0.06F * rim, 0.02F + 0.42F * rim};
    stains epithelium = {0.27F + 0.045F * grain, 0.33F + 0.03F * grain};
    float solid =
        f->gland < HLRP_GLAND_SHEATH ? hlrp_ramp(-f->gland * 0.6F) : hlrp_ramp(f->nest * 0.4F);
    stains s = stroma(w, f, grain);
    float cleft = 1 - fabsf(f->nest + 2.5F) * 0.5F;
    if (cleft > 0 && f->gland >= HLRP_GLAND_SHEATH)
        s.e *= 1 - 0.6F * cleft * hlrp_ramp(grain);
    s = mix(s, epithelium, solid);
    s = mix(s, lumen, hlrp_ramp((-f->gland - HLRP_GLAND_WALL) * 0.6F));
    s = mix(s, fat, hlrp_ramp(f->fat * 0.25F));
    return mix((stains){0, 0}, s, hlrp_ramp(f->tissue * 0.3F));
}

/* Grains of cytoplasm are 3 texels of 0.6 µm wide. */
static float grain_texel(const hlrp_phantom *w, int64_t pixel) {
    return (float)fmod((double)pixel * (w->options.mpp / 0.6), HLRP_TEXTURE_SIDE);
}

static void fill_row(hlrp_block *b, int y) {
    const hlrp_phantom *w = b->world;
    int n = HLRP_BLOCK / b->step + 1, j = y / b->step;
    float step = 1 / (float)b->step, v = (float)(y % b->step) * step;
    for (int i = 0; i < n; i++)
        blend(&b->lattice[j * n + i], &b->lattice[(j + 1) * n + i], v, &b->row[i]);
    float gy = grain_texel(w, b->y0 + y);
    for (int x = 0; x < HLRP_BLOCK; x++) {
        hlrp_field f;
        blend(&b->row[x / b->step], &b->row[x / b->step + 1], (float)(x % b->step) * step, &f);
        b->ink[y * HLRP_BLOCK + x] = f.ink;
        if (f.tissue < -2)
            continue;
        stains s = tissue_at(w, &f, hlrp_phantom_sample(w->grain, b->grain_x[x], gy));
        b->h[y * HLRP_BLOCK + x] = s.h * f.hslow;
        b->e[y * HLRP_BLOCK + x] = s.e * f.eslow;
    }
}

/* Nothing is beyond the slide, also where its last block reaches past it. */
static void clear_outside(hlrp_block *b) {
    const hlrp_phantom_options *o = &b->world->options;
    if (b->x0 >= 0 && b->y0 >= 0 && b->x0 + HLRP_BLOCK <= o->width &&
        b->y0 + HLRP_BLOCK <= o->height)
        return;
    for (int i = 0; i < HLRP_BLOCK_PIXELS; i++) {
        int64_t x = b->x0 + i % HLRP_BLOCK, y = b->y0 + i / HLRP_BLOCK;
        if (x < 0 || y < 0 || x >= o->width || y >= o->height) {
            b->h[i] = b->e[i] = b->ink[i] = 0;
            b->mask[i] = 0;
        }
    }
}

void hlrp_block_fill(hlrp_block *b, int64_t x0, int64_t y0) {
    const hlrp_phantom_options *o = &b->world->options;
    b->x0 = x0;
    b->y0 = y0;
    b->glass = x0 >= o->width || y0 >= o->height || x0 + HLRP_BLOCK <= 0 || y0 + HLRP_BLOCK <= 0 ||
               only_glass(b->world, x0, y0);
    memset(b->mask, 0, sizeof b->mask);
    for (int x = 0; x < HLRP_BLOCK; x++)
        b->dim_x[x] = hlrp_vignette(b->world, x0 + x);
    if (b->glass)
        return;
    memset(b->h, 0, sizeof b->h);
    memset(b->e, 0, sizeof b->e);
    fill_lattice(b);
    for (int x = 0; x < HLRP_BLOCK; x++)
        b->grain_x[x] = grain_texel(b->world, x0 + x);
    for (int y = 0; y < HLRP_BLOCK; y++)
        fill_row(b, y);
    hlrp_block_add_nuclei(b);
    clear_outside(b);
}

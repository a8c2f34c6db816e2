/* From stains to light (Beer–Lambert), and windows from blocks. */
#include "phantom/paint.h"

#include <stdlib.h>
#include <string.h>

static const double FIELD_OF_VIEW = 640; /* µm: the camera's, each with dim corners */

float hlrp_vignette(const hlrp_phantom *w, int64_t pixel) {
    double t = ((double)pixel + 0.5) * w->options.mpp / FIELD_OF_VIEW;
    double d = 2 * (t - (double)(int64_t)t) - 1;
    return (float)(0.5 * w->options.vignetting * d * d);
}

/* exp(−od) from the table, interpolated. */
static float transmit(const hlrp_phantom *w, float od) {
    float t = od * HLRP_OD_STEPS;
    if (t >= HLRP_OD_TABLE - 1)
        return w->transmission[HLRP_OD_TABLE - 1];
    int i = (int)t;
    return w->transmission[i] + (t - (float)i) * (w->transmission[i + 1] - w->transmission[i]);
}

/* The camera's noise: triangular, within ±3 levels, nothing on bare glass (which stays cheap). */
static float sensor(const hlrp_phantom *w, int64_t x, int64_t y, float od) {
    uint32_t h = hlrp_phantom_mix((uint32_t)w->options.seed, (int32_t)x, (int32_t)y);
    float unit = (float)((int32_t)(h & 0xFFFFU) - (int32_t)(h >> 16)) * (1 / 65536.0F);
    float share = 6 * od;
    return 3 * unit * (share > 1 ? 1 : share);
}

static uint8_t to_byte(float v) {
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5F);
}

static void light_glass(const hlrp_block *b, int x, int y, int count, uint8_t *rgb) {
    const hlrp_phantom *w = b->world;
    float row = 1 - hlrp_vignette(w, b->y0 + y);
    for (int i = 0; i < count; i++) {
        float lamp = row - b->dim_x[x + i];
        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)(w->glass[c] * lamp + 0.5F);
    }
}

void hlrp_block_light(const hlrp_block *b, int x, int y, int count, uint8_t *rgb) {
    const hlrp_phantom *w = b->world;
    if (b->glass) {
        light_glass(b, x, y, count, rgb);
        return;
    }
    float row = 1 - hlrp_vignette(w, b->y0 + y);
    for (int i = 0; i < count; i++) {
        int p = y * HLRP_BLOCK + x + i;
        float lamp = row - b->dim_x[x + i];
        float noise = sensor(w, b->x0 + x + i, b->y0 + y, b->h[p] + b->e[p]);
        for (int c = 0; c < 3; c++) {
            float od = w->hematoxylin[c] * b->h[p] + w->eosin[c] * b->e[p] + w->ink[c] * b->ink[p];
            rgb[3 * i + c] = to_byte(w->glass[c] * lamp * transmit(w, od) + noise);
        }
    }
}

static int64_t floor_block(int64_t v) {
    return v >= 0 ? v / HLRP_BLOCK * HLRP_BLOCK
                  : -((-v + HLRP_BLOCK - 1) / HLRP_BLOCK) * HLRP_BLOCK;
}

/* The part of the block that lies in the window. */
static void copy_block(const hlrp_block *b, hlrp_irect rect, uint8_t *rgb, uint8_t *mask) {
    hlrp_irect part =
        hlrp_irect_intersect(rect, (hlrp_irect){b->x0, b->y0, HLRP_BLOCK, HLRP_BLOCK});
    int x = (int)(part.x - b->x0);
    for (int64_t row = part.y; row < part.y + part.h; row++) {
        int y = (int)(row - b->y0);
        int64_t at = (row - rect.y) * rect.w + part.x - rect.x;
        if (rgb)
            hlrp_block_light(b, x, y, (int)part.w, rgb + 3 * at);
        if (mask)
            memcpy(mask + at, b->mask + y * HLRP_BLOCK + x, (size_t)part.w);
    }
}

/* About 2 µm, dividing the block. */
static int lattice_step(double mpp) {
    int step = 1;
    while (step < 16 && 2 * step * mpp <= 2.5)
        step *= 2;
    return step;
}

static hlrp_status new_block(const hlrp_phantom *w, hlrp_block **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_block *b = NULL;
    HLRP_TRY(hlrp_calloc(&b, 1, sizeof *b, "phantom block", err));
    b->world = w;
    b->step = lattice_step(w->options.mpp);
    int64_t n = HLRP_BLOCK / b->step + 1;
    HLRP_TRY(hlrp_calloc(&b->lattice, n * n, sizeof *b->lattice, "phantom block", err));
    *out = b;
    b = NULL;
out:
    free(b);
    return status;
}

hlrp_status hlrp_phantom_paint(const hlrp_phantom *phantom, hlrp_irect rect, uint8_t *rgb,
                               uint8_t *mask, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_block *b = NULL;
    const int64_t limit = INT64_C(1) << 40;
    if (rect.w < 0 || rect.h < 0 || rect.x < -limit || rect.y < -limit || rect.x > limit ||
        rect.y > limit || rect.w > limit || rect.h > limit)
        return hlrp_fail(err, HLRP_E_USAGE, "phantom window", NULL, "not a window of a slide");
    HLRP_TRY(new_block(phantom, &b, err));
    for (int64_t y = floor_block(rect.y); y < rect.y + rect.h; y += HLRP_BLOCK) {
        for (int64_t x = floor_block(rect.x); x < rect.x + rect.w; x += HLRP_BLOCK) {
            hlrp_block_fill(b, x, y);
            copy_block(b, rect, rgb, mask);
        }
    }
out:
    if (b)
        free(b->lattice);
    free(b);
    return status;
}

hlrp_status hlrp_phantom_render(const hlrp_phantom_options *options, hlrp_irect rect, uint8_t *rgb,
                                uint8_t *mask, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_phantom *phantom = NULL;
    HLRP_TRY(hlrp_phantom_new(options, &phantom, err));
    HLRP_TRY(hlrp_phantom_paint(phantom, rect, rgb, mask, err));
out:
    hlrp_phantom_free(phantom);
    return status;
}

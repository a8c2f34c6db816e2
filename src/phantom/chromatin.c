/* Draws nuclei over the tissue of a block. */
#include <math.h>

#include "phantom/paint.h"

/* µm inside the outline r(θ); negative outside. */
static float inside(const hlrp_nucleus *n, float dx, float dy) {
    float p = (n->c * dx + n->s * dy) / n->a, q = (n->c * dy - n->s * dx) / n->b;
    float r = sqrtf(p * p + q * q), c = 1, s = 0;
    if (r > 1e-6F) {
        c = p / r;
        s = q / r;
    }
    float c3 = c * (4 * c * c - 3), s3 = s * (3 - 4 * s * s);
    return n->b * (1 + n->k2 * (2 * c * c - 1) + n->k3 * c3 + n->q3 * s3 - r);
}

/* Clumps of chromatin, a darker membrane, the nucleolus. */
static float density(const hlrp_phantom *w, const hlrp_nucleus *n, float dx, float dy, float in) {
    float scale = n->kind == HLRP_PHANTOM_TUMOR ? 1 / 0.62F : 1 / 0.4F;
    float d = 1 + n->coarse * hlrp_phantom_sample(w->grain, n->u + dx * scale, n->v + dy * scale);
    d += 0.18F * hlrp_ramp((0.7F - in) * 2);
    float sx = dx - n->spot_x, sy = dy - n->spot_y, spot = 1 - (sx * sx + sy * sy) / 1.7F;
    if (spot > 0)
        d += n->spot * spot;
    return n->density * (d < 0.35F ? 0.35F : d);
}

static void draw_pixel(hlrp_block *b, const hlrp_nucleus *n, int i, float dx, float dy) {
    float in = inside(n, dx, dy), soft = (float)b->world->options.mpp;
    float cover = hlrp_ramp(in / (soft < 0.45F ? 0.45F : soft));
    if (cover <= 0)
        return;
    float d = density(b->world, n, dx, dy, in);
    b->h[i] += cover * (d - b->h[i]);
    b->e[i] *= 1 - 0.3F * cover;
    if (cover >= 0.5F)
        b->mask[i] = n->kind == HLRP_PHANTOM_TUMOR ? 255 : 0;
}

static int clamp_pixel(double v) {
    return v < 0 ? 0 : v > HLRP_BLOCK ? HLRP_BLOCK : (int)v;
}

/* Pixel i is sampled at its center, (i + 1/2)·mpp. */
static void draw_nucleus(void *ctx, const hlrp_nucleus *n) {
    hlrp_block *b = ctx;
    double mpp = b->world->options.mpp, reach = 1.25 * (double)n->a + mpp;
    double cx = n->x / mpp - (double)b->x0 - 0.5, cy = n->y / mpp - (double)b->y0 - 0.5;
    int x1 = clamp_pixel(cx + reach / mpp + 1), y1 = clamp_pixel(cy + reach / mpp + 1);
    for (int y = clamp_pixel(cy - reach / mpp); y < y1; y++) {
        float dy = (float)((y - cy) * mpp);
        for (int x = clamp_pixel(cx - reach / mpp); x < x1; x++)
            draw_pixel(b, n, y * HLRP_BLOCK + x, (float)((x - cx) * mpp), dy);
    }
}

void hlrp_block_add_nuclei(hlrp_block *b) {
    double mpp = b->world->options.mpp, margin = HLRP_NUCLEUS_REACH + 2 * mpp;
    hlrp_rect rect = {(double)b->x0 * mpp - margin, (double)b->y0 * mpp - margin,
                      HLRP_BLOCK * mpp + 2 * margin, HLRP_BLOCK * mpp + 2 * margin};
    hlrp_world_nuclei(b->world, rect, draw_nucleus, b);
}

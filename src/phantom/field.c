/* Which tissue is where: fields of noise in µm, each with its own wavelengths. */
#include <math.h>

#include "phantom/world.h"

enum {
    SEED_EDGE = 11,
    SEED_FAT = 21,
    SEED_GLAND = 31,
    SEED_NEST = 41,
    SEED_FIBER = 51,
    SEED_STAIN = 61,
    SEED_TUMOR = 71,
    SEED_PEN = 81
};

static const double GLAND_PITCH = 185;  /* µm between places for glands */
static const double FAT_PITCH = 62;     /* µm between fat cells */
static const double NEST_LENGTH = 105;  /* µm, wavelength */
static const double NEST_LEVEL = 0.085; /* of noise with deviation 0.25: about a third is nest */
static const double FAT_LEVEL = 0.24;

static uint32_t lot(const hlrp_phantom *w, int which) {
    return (uint32_t)hlrp_phantom_hash(w->options.seed, which, 104729);
}

static double noise(const hlrp_phantom *w, int which, double x, double y, double wavelength) {
    return hlrp_phantom_noise(lot(w, which), x / wavelength, y / wavelength);
}

static double inner(const hlrp_blob *b, double x, double y) {
    double dx = (x - b->cx) / b->rx, dy = (y - b->cy) / b->ry;
    return HLRP_MIN(b->rx, b->ry) * (1 - sqrt(dx * dx + dy * dy));
}

static double in_blobs(const hlrp_phantom *w, double x, double y) {
    double best = inner(&w->blobs[0], x, y);
    for (int i = 1; i < w->blob_count; i++)
        best = HLRP_MAX(best, inner(&w->blobs[i], x, y));
    return best;
}

/* The noises below are bounded by 0.71, 0.71 and 0.71 of their amplitudes. */
double hlrp_world_tissue_bound(const hlrp_phantom *w, double x, double y) {
    return in_blobs(w, x, y) + 0.71 * (1.3 * w->edge_amplitude + 10);
}

static double tissue(const hlrp_phantom *w, double x, double y) {
    double a = w->edge_amplitude;
    return in_blobs(w, x, y) + a * noise(w, SEED_EDGE, x, y, 5 * a) +
           0.3 * a * noise(w, SEED_EDGE + 1, x, y, 1.3 * a) +
           10 * noise(w, SEED_EDGE + 2, x, y, 30);
}

/* Half the difference of the distances to the two nearest cell centers. */
static double fat_wall(const hlrp_phantom *w, double x, double y) {
    int64_t gx = (int64_t)floor(x / FAT_PITCH), gy = (int64_t)floor(y / FAT_PITCH);
    double first = 1e9, second = 1e9;
    for (int64_t j = gy - 1; j <= gy + 1; j++) {
        for (int64_t i = gx - 1; i <= gx + 1; i++) {
            uint64_t h = hlrp_phantom_hash(w->options.seed + SEED_FAT, i, j);
            double dx = ((double)i + 0.15 + 0.7 * hlrp_phantom_unit(h, 0)) * FAT_PITCH - x;
            double dy = ((double)j + 0.15 + 0.7 * hlrp_phantom_unit(h, 1)) * FAT_PITCH - y;
            double d = sqrt(dx * dx + dy * dy);
            second = HLRP_MIN(second, HLRP_MAX(first, d));
            first = HLRP_MIN(first, d);
        }
    }
    return 0.5 * (second - first);
}

/* Distance to the outline of the gland in grid cell (i, j), which keeps inside that cell. */
static double gland(const hlrp_phantom *w, double x, double y) {
    int64_t i = (int64_t)floor(x / GLAND_PITCH), j = (int64_t)floor(y / GLAND_PITCH);
    uint64_t h = hlrp_phantom_hash(w->options.seed + SEED_GLAND, i, j);
    double dx = x - ((double)i + 0.42 + 0.16 * hlrp_phantom_unit(h, 1)) * GLAND_PITCH;
    double dy = y - ((double)j + 0.42 + 0.16 * hlrp_phantom_unit(h, 2)) * GLAND_PITCH;
    double r = 30 + 26 * hlrp_phantom_unit(h, 3), d = sqrt(dx * dx + dy * dy);
    if (hlrp_phantom_unit(h, 0) > 0.5 || d > r + 24)
        return 24;
    double bend = 18 * noise(w, SEED_GLAND + 1, x, y, 55);
    return HLRP_MIN(d - r + bend, 24);
}

/* The fibers are level lines of `across`: a slanting plane bent by noise. */
static void fibers(const hlrp_phantom *w, double x, double y, hlrp_field *f) {
    double bend = 150 * noise(w, SEED_FIBER, x, y, 330) + 22 * noise(w, SEED_FIBER + 1, x, y, 70);
    f->across = (float)(0.75 * y + 0.25 * x + bend);
    f->along = (float)(0.9 * x - 0.3 * y + 60 * noise(w, SEED_FIBER + 2, x, y, 200));
}

bool hlrp_world_pen_near(const hlrp_phantom *w, double x, double y, double radius) {
    return w->options.pen && fabs(inner(&w->pen, x, y)) < w->pen_width + 40 + radius;
}

static float ink(const hlrp_phantom *w, double x, double y) {
    double dx = (x - w->pen.cx) / w->pen.rx, dy = (y - w->pen.cy) / w->pen.ry;
    if (!hlrp_world_pen_near(w, x, y, 0) || dx * w->pen_dx + dy * w->pen_dy > 0.6)
        return 0;
    double off = fabs(inner(&w->pen, x, y) + 30 * noise(w, SEED_PEN, x, y, 300));
    double edge = (w->pen_width + 8 * noise(w, SEED_PEN + 1, x, y, 25) - off) / 8;
    double depth = 0.8 + 0.5 * noise(w, SEED_PEN + 2, x, y, 120);
    return (float)(depth * HLRP_MIN(HLRP_MAX(edge, 0), 1));
}

void hlrp_world_field(const hlrp_phantom *w, double x, double y, hlrp_field *f) {
    *f = (hlrp_field){.tissue = (float)tissue(w, x, y)};
    f->ink = w->options.pen ? ink(w, x, y) : 0;
    double fat = noise(w, SEED_FAT, x, y, 620) + 0.3 * noise(w, SEED_FAT + 1, x, y, 140);
    f->fat = (float)(400 * (fat - FAT_LEVEL));
    f->wall = f->fat > -30 ? (float)fat_wall(w, x, y) : 0;
    f->gland = (float)gland(w, x, y);
    double nest = noise(w, SEED_NEST, x, y, NEST_LENGTH) +
                  0.35 * noise(w, SEED_NEST + 1, x, y, 0.37 * NEST_LENGTH);
    f->nest = (float)(0.4 * NEST_LENGTH * (nest - NEST_LEVEL));
    fibers(w, x, y, f);
    f->hslow = (float)(1 + 0.3 * noise(w, SEED_STAIN, x, y, 2600));
    f->eslow = (float)(1 + 0.3 * noise(w, SEED_STAIN + 1, x, y, 1900));
}

static bool in_nests(const hlrp_phantom *w, double x, double y) {
    for (int i = 0; i < w->options.nests; i++)
        if (inner(&w->nests[i], x, y) > 0)
            return true;
    return false;
}

/* Below the threshold of slow noise, and in a disc that pulls the noise down; or in the nests. */
bool hlrp_world_in_tumor(const hlrp_phantom *w, double x, double y) {
    if (w->options.normal)
        return false;
    if (w->options.nests > 0)
        return in_nests(w, x, y);
    if (w->options.tumor_fraction <= 0)
        return false;
    double l = w->tumor_wavelength;
    double n = noise(w, SEED_TUMOR, x, y, l) + 0.2 * noise(w, SEED_TUMOR + 1, x, y, 0.2 * l);
    double bump = inner(&w->tumor_bump, x, y) / w->tumor_bump.rx;
    return n - 0.8 * HLRP_MAX(bump, 0) < w->tumor_threshold;
}

hlrp_phantom_ground hlrp_phantom_ground_at(const hlrp_phantom *phantom, double x0, double y0) {
    const double mpp = phantom->options.mpp;
    hlrp_field f;
    hlrp_world_field(phantom, x0 * mpp, y0 * mpp, &f);
    if (f.ink > 0.3F)
        return HLRP_PHANTOM_PEN;
    return f.tissue >= 0 ? HLRP_PHANTOM_TISSUE : HLRP_PHANTOM_GLASS;
}

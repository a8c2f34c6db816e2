/* Nuclei sit on jittered grids, one per kind: whether a grid cell holds one, where and of what
 * shape follows from a hash of its number and from the tissue at its place. */
#include <math.h>

#include "phantom/world.h"

enum { LOT_CELL = 200, LOT_CROWD = 300 };

/* Per kind. Reach: jitter as a share of the pitch. Lengths in µm. */
typedef struct kind_spec {
    double pitch, jitter;
    double probability;
    double a_low, a_high;   /* longer semi-axis */
    double ratio_low;       /* shorter over longer at least */
    double density, coarse; /* hematoxylin */
    double density_spread;
    double irregular; /* amplitude of the outline */
} kind_spec;

static const kind_spec KINDS[] = {
    [HLRP_PHANTOM_EPITHELIAL] = {8.8, 0.3, 0.95, 2.8, 3.4, 0.82, 1.05, 0.14, 0.15, 0.03},
    [HLRP_PHANTOM_SPINDLE] = {17, 0.45, 0.55, 4.2, 6.6, 0.24, 1.05, 0.12, 0.15, 0.04},
    [HLRP_PHANTOM_TUMOR] = {12.5, 0.3, 0.97, 4.6, 6.1, 0.74, 1.25, 0.30, 0.2, 0.10},
    [HLRP_PHANTOM_LYMPHOCYTE] = {12, 0.3, 0.21, 3.0, 3.5, 0.92, 2.3, 0.16, 0.12, 0.02},
};

static uint64_t cell_hash(const hlrp_phantom *w, hlrp_phantom_kind kind, int64_t i, int64_t j) {
    return hlrp_phantom_hash(w->options.seed + LOT_CELL + (uint64_t)kind, i, j);
}

static void cell_center(hlrp_phantom_kind kind, uint64_t h, int64_t i, int64_t j, double *x,
                        double *y) {
    const kind_spec *k = &KINDS[kind];
    double shift = (j & 1) ? 0.75 : 0.25; /* as bricks lie, so that no columns show */
    *x = ((double)i + shift + 0.8 * k->jitter * (2 * hlrp_phantom_unit(h, 1) - 1)) * k->pitch;
    *y = ((double)j + 0.5 + k->jitter * (2 * hlrp_phantom_unit(h, 2) - 1)) * k->pitch;
}

/* Lymphocytes come in crowds, wherever tumor is or is not. */
static double lymphocyte_probability(const hlrp_phantom *w, double x, double y) {
    uint32_t seed = (uint32_t)hlrp_phantom_hash(w->options.seed, LOT_CROWD, 3);
    double crowd = hlrp_phantom_noise(seed, x / 130, y / 130);
    double p = KINDS[HLRP_PHANTOM_LYMPHOCYTE].probability * (1 + 2.6 * crowd);
    return HLRP_MIN(HLRP_MAX(p, 0.08), 0.75);
}

static bool in_slide(const hlrp_phantom *w, double x, double y) {
    return x >= 0 && y >= 0 && x < w->width && y < w->height;
}

static bool lymphocyte_here(const hlrp_phantom *w, const hlrp_field *f) {
    (void)w;
    return f->tissue > 5 && (f->fat < -3 || f->wall < 3) && f->gland > -HLRP_GLAND_WALL;
}

/* Whether a lymphocyte is centered within `distance` µm. */
static bool lymphocyte_near(const hlrp_phantom *w, double x, double y, double distance) {
    const hlrp_phantom_kind kind = HLRP_PHANTOM_LYMPHOCYTE;
    double pitch = KINDS[kind].pitch;
    int64_t gx = (int64_t)floor(x / pitch), gy = (int64_t)floor(y / pitch);
    for (int64_t j = gy - 1; j <= gy + 1; j++) {
        for (int64_t i = gx - 1; i <= gx + 1; i++) {
            uint64_t h = cell_hash(w, kind, i, j);
            double cx, cy;
            cell_center(kind, h, i, j, &cx, &cy);
            double dx = cx - x, dy = cy - y;
            if (dx * dx + dy * dy > distance * distance ||
                hlrp_phantom_unit(h, 0) > lymphocyte_probability(w, cx, cy))
                continue;
            hlrp_field f;
            hlrp_world_field(w, cx, cy, &f);
            if (lymphocyte_here(w, &f))
                return true;
        }
    }
    return false;
}

/* In a gland the nuclei stand near its outline, away from the lumen. */
static bool in_epithelium(const hlrp_field *f, double radius) {
    if (f->tissue < 6 || f->fat > -4)
        return false;
    if (f->gland < HLRP_GLAND_SHEATH)
        return f->gland < 0.5 - radius && f->gland > radius + 0.5 - HLRP_GLAND_WALL;
    return f->nest > radius - 1;
}

static bool in_stroma(const hlrp_field *f) {
    if (f->fat > 0)
        return f->tissue > 6 && f->wall < 1.2F;
    return f->tissue > 6 && f->gland > 2 && (f->nest < -3 || f->gland < HLRP_GLAND_SHEATH);
}

static bool belongs(const hlrp_phantom *w, const hlrp_nucleus *n, const hlrp_field *f) {
    if (n->kind == HLRP_PHANTOM_LYMPHOCYTE)
        return lymphocyte_here(w, f);
    if (n->kind == HLRP_PHANTOM_SPINDLE)
        return in_stroma(f);
    return (n->kind == HLRP_PHANTOM_TUMOR) == n->in_tumor_region && in_epithelium(f, n->b);
}

/* Along the fibers, which are level lines of `across`. */
static void align(const hlrp_phantom *w, hlrp_nucleus *n, const hlrp_field *f) {
    hlrp_field fx, fy;
    hlrp_world_field(w, n->x + 2, n->y, &fx);
    hlrp_world_field(w, n->x, n->y + 2, &fy);
    float gx = fx.across - f->across, gy = fy.across - f->across;
    float length = sqrtf(gx * gx + gy * gy) + 1e-6F;
    n->c = gy / length;
    n->s = -gx / length;
}

static void shape(hlrp_nucleus *n, uint64_t h) {
    const kind_spec *k = &KINDS[n->kind];
    double a = k->a_low + (k->a_high - k->a_low) * hlrp_phantom_unit(h, 3);
    double ratio = k->ratio_low + (0.98 - k->ratio_low) * hlrp_phantom_unit(h, 4);
    if (n->kind == HLRP_PHANTOM_SPINDLE)
        ratio = k->ratio_low + 0.12 * hlrp_phantom_unit(h, 4);
    double angle = 6.283185307179586 * hlrp_phantom_unit(h, 5);
    n->a = (float)a;
    n->b = (float)(a * ratio);
    n->c = (float)cos(angle);
    n->s = (float)sin(angle);
    n->k2 = (float)(k->irregular * (2 * hlrp_phantom_unit(h, 6) - 1));
    n->k3 = (float)(k->irregular * (2 * hlrp_phantom_unit(h, 7) - 1));
    n->q3 = (float)(k->irregular * (2 * hlrp_phantom_unit(h, 8) - 1));
}

static void chromatin(hlrp_nucleus *n, uint64_t h) {
    const kind_spec *k = &KINDS[n->kind];
    n->density = (float)(k->density * (1 + k->density_spread * (2 * hlrp_phantom_unit(h, 9) - 1)));
    n->coarse = (float)k->coarse;
    n->u = (float)(HLRP_TEXTURE_SIDE * hlrp_phantom_unit(h, 10));
    n->v = (float)(HLRP_TEXTURE_SIDE * hlrp_phantom_unit(h, 11));
    n->spot_x = (float)(0.3 * n->a * (2 * hlrp_phantom_unit(h, 12) - 1));
    n->spot_y = (float)(0.3 * n->b * (2 * hlrp_phantom_unit(h, 13) - 1));
    n->spot = n->kind == HLRP_PHANTOM_TUMOR ? 0.7F : 0;
}

static bool nucleus_at(const hlrp_phantom *w, hlrp_phantom_kind kind, int64_t i, int64_t j,
                       const hlrp_rect *rect, hlrp_nucleus *n) {
    uint64_t h = cell_hash(w, kind, i, j);
    *n = (hlrp_nucleus){.kind = kind};
    cell_center(kind, h, i, j, &n->x, &n->y);
    if (n->x < rect->x || n->y < rect->y || n->x >= rect->x + rect->w ||
        n->y >= rect->y + rect->h || !in_slide(w, n->x, n->y) ||
        hlrp_world_tissue_bound(w, n->x, n->y) < 0)
        return false;
    double p = kind == HLRP_PHANTOM_LYMPHOCYTE ? lymphocyte_probability(w, n->x, n->y)
                                               : KINDS[kind].probability;
    if (hlrp_phantom_unit(h, 0) > p)
        return false;
    hlrp_field f;
    hlrp_world_field(w, n->x, n->y, &f);
    shape(n, h);
    n->in_tumor_region = hlrp_world_in_tumor(w, n->x, n->y);
    if (!belongs(w, n, &f) ||
        (kind != HLRP_PHANTOM_LYMPHOCYTE && lymphocyte_near(w, n->x, n->y, 2.6 + n->b)))
        return false;
    if (kind == HLRP_PHANTOM_SPINDLE)
        align(w, n, &f);
    chromatin(n, h);
    return true;
}

void hlrp_world_nuclei(const hlrp_phantom *w, hlrp_rect rect,
                       void (*visit)(void *ctx, const hlrp_nucleus *n), void *ctx) {
    for (int kind = 0; kind < (int)HLRP_COUNT(KINDS); kind++) {
        double pitch = KINDS[kind].pitch;
        int64_t i0 = (int64_t)floor(rect.x / pitch), i1 = (int64_t)floor((rect.x + rect.w) / pitch);
        int64_t j0 = (int64_t)floor(rect.y / pitch), j1 = (int64_t)floor((rect.y + rect.h) / pitch);
        for (int64_t j = j0; j <= j1; j++) {
            for (int64_t i = i0; i <= i1; i++) {
                hlrp_nucleus n;
                if (nucleus_at(w, (hlrp_phantom_kind)kind, i, j, &rect, &n))
                    visit(ctx, &n);
            }
        }
    }
}

typedef struct cell_visit {
    double mpp;
    void (*visit)(void *ctx, const hlrp_phantom_cell *cell);
    void *ctx;
} cell_visit;

static void visit_cell(void *ctx, const hlrp_nucleus *n) {
    const cell_visit *v = ctx;
    hlrp_phantom_cell cell = {n->x / v->mpp, n->y / v->mpp, 0.5 * (n->a + n->b), n->kind,
                              n->in_tumor_region};
    v->visit(v->ctx, &cell);
}

void hlrp_phantom_cells(const hlrp_phantom *phantom, hlrp_irect rect,
                        void (*visit)(void *ctx, const hlrp_phantom_cell *cell), void *ctx) {
    double mpp = phantom->options.mpp;
    cell_visit v = {mpp, visit, ctx};
    hlrp_rect um = {(double)rect.x * mpp, (double)rect.y * mpp, (double)rect.w * mpp,
                    (double)rect.h * mpp};
    hlrp_world_nuclei(phantom, um, visit_cell, &v);
}

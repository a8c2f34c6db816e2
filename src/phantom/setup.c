/* What is drawn by lot once per slide: where tissue lies, stains, glass, pen. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "phantom/world.h"

enum {
    SETUP_BLOBS = 1,
    SETUP_STAIN,
    SETUP_GLASS,
    SETUP_PEN,
    SETUP_TUMOR,
    SETUP_GRAIN,
    SETUP_NESTS
};

enum { NEST_TRIES = 64 };

hlrp_phantom_options hlrp_phantom_defaults(void) {
    return (hlrp_phantom_options){.width = 8192,
                                  .height = 8192,
                                  .mpp = 0.25,
                                  .seed = 1,
                                  .tumor_fraction = 0.4,
                                  .stain_strength = 1,
                                  .vignetting = 0.04,
                                  .jpeg_quality = 80};
}

static hlrp_status check(const char *name, double value, double low, double high, hlrp_error *err) {
    if (value >= low && value <= high)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_USAGE, name, NULL, "%g is outside the range from %g to %g", value,
                     low, high);
}

static hlrp_status check_options(const hlrp_phantom_options *o, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(check("phantom width", (double)o->width, 1, HLRP_PHANTOM_MAX_SIDE, err));
    HLRP_TRY(check("phantom height", (double)o->height, 1, HLRP_PHANTOM_MAX_SIDE, err));
    HLRP_TRY(check("phantom mpp", o->mpp, 0.1, 4, err));
    HLRP_TRY(check("phantom tumor fraction", o->tumor_fraction, 0, 1, err));
    HLRP_TRY(check("phantom stain strength", o->stain_strength, 0.1, 3, err));
    HLRP_TRY(check("phantom vignetting", o->vignetting, 0, 0.5, err));
    HLRP_TRY(check("phantom JPEG quality", o->jpeg_quality, 1, 100, err));
    HLRP_TRY(check("phantom nests", o->nests, 0, HLRP_PHANTOM_MAX_NESTS, err));
out:
    return status;
}

/* A number in [low, high) from the lot `which`, item n. */
static double draw(const hlrp_phantom *w, int which, int n, double low, double high) {
    uint64_t h = hlrp_phantom_hash(w->options.seed, which, 7919);
    return low + (high - low) * hlrp_phantom_unit(h, n);
}

/* One piece per square of the slide's longer side, and a small one in a corner. */
static void place_tissue(hlrp_phantom *w) {
    double side = HLRP_MIN(w->width, w->height);
    int n = (int)(HLRP_MAX(w->width, w->height) / side + 0.5);
    n = HLRP_MIN(n, HLRP_BLOBS - 1);
    bool wide = w->width >= w->height;
    double w1 = wide ? w->width / n : w->width, h1 = wide ? w->height : w->height / n;
    for (int i = 0; i < n; i++) {
        double cx = (wide ? i + 0.5 : 0.5) + draw(w, SETUP_BLOBS, 4 * i, -0.06, 0.06);
        double cy = (wide ? 0.5 : i + 0.5) + draw(w, SETUP_BLOBS, 4 * i + 1, -0.06, 0.06);
        w->blobs[i] = (hlrp_blob){cx * w1, cy * h1, w1 * draw(w, SETUP_BLOBS, 4 * i + 2, 0.34, 0.4),
                                  h1 * draw(w, SETUP_BLOBS, 4 * i + 3, 0.32, 0.4)};
    }
    double cx = draw(w, SETUP_BLOBS, 40, 0, 1) < 0.5 ? 0.11 : 0.89;
    double cy = draw(w, SETUP_BLOBS, 41, 0, 1) < 0.5 ? 0.11 : 0.89;
    double r = side * draw(w, SETUP_BLOBS, 42, 0.05, 0.075);
    w->blobs[n] = (hlrp_blob){wide ? cx * w1 : cx * w->width, wide ? cy * h1 : cy * h1, r, r};
    w->blob_count = n + 1;
    w->edge_amplitude = HLRP_MIN(0.08 * side, 400);
}

/* The noise has a standard deviation of 0.25; a logistic curve stands in for the normal one. */
static void place_tumor(hlrp_phantom *w) {
    double f = w->options.normal ? 0 : w->options.tumor_fraction;
    double side = HLRP_MIN(w->width, w->height);
    w->tumor_wavelength = HLRP_MIN(HLRP_MAX(0.3 * side, 200), 1500);
    f = HLRP_MIN(HLRP_MAX(f, 1e-12), 1 - 1e-12);
    w->tumor_threshold = 0.25 * log(f / (1 - f)) / 1.702;
    const hlrp_blob *b = &w->blobs[0];
    double r = w->tumor_wavelength * 0.5;
    w->tumor_bump = (hlrp_blob){b->cx + b->rx * draw(w, SETUP_TUMOR, 0, -0.4, 0.4),
                                b->cy + b->ry * draw(w, SETUP_TUMOR, 1, -0.4, 0.4), r, r};
}

static void unit_vector(float v[3], float strength) {
    float n = sqrtf(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
    for (int c = 0; c < 3; c++)
        v[c] *= strength / n;
}

/* Stain vectors after Ruifrok and Johnston, "Quantification of histochemical staining by color
 * deconvolution" (2001), each moved by as much as staining protocols differ. */
static void draw_stains(hlrp_phantom *w) {
    static const float h[3] = {0.65F, 0.70F, 0.29F}, e[3] = {0.13F, 0.95F, 0.30F};
    double strength = w->options.stain_strength * (w->options.faint ? 0.45 : 1);
    for (int c = 0; c < 3; c++) {
        w->hematoxylin[c] = h[c] + (float)draw(w, SETUP_STAIN, c, -0.05, 0.05);
        w->eosin[c] = e[c] + (float)draw(w, SETUP_STAIN, 3 + c, -0.05, 0.05);
        w->glass[c] = (float)draw(w, SETUP_GLASS, c, 240, 247);
    }
    unit_vector(w->hematoxylin, (float)(strength * draw(w, SETUP_STAIN, 6, 0.85, 1.25)));
    unit_vector(w->eosin, (float)(strength * draw(w, SETUP_STAIN, 7, 0.8, 1.25)));
}

static void place_pen(hlrp_phantom *w) {
    static const float inks[3][3] = {{1.9F, 1.2F, 0.25F}, {1.7F, 0.45F, 1.1F}, {1.7F, 1.7F, 1.6F}};
    const hlrp_blob *b = &w->blobs[0];
    double size = draw(w, SETUP_PEN, 0, 0.55, 0.95), angle = draw(w, SETUP_PEN, 1, 0, 6.2831853);
    w->pen =
        (hlrp_blob){b->cx + b->rx * draw(w, SETUP_PEN, 2, -0.3, 0.3),
                    b->cy + b->ry * draw(w, SETUP_PEN, 3, -0.3, 0.3), b->rx * size, b->ry * size};
    w->pen_width = HLRP_MIN(200, 0.02 * HLRP_MIN(w->width, w->height));
    w->pen_dx = cos(angle);
    w->pen_dy = sin(angle);
    int color = (int)draw(w, SETUP_PEN, 4, 0, 3);
    double depth = draw(w, SETUP_PEN, 5, 0.4, 0.9);
    for (int c = 0; c < 3; c++)
        w->ink[c] = inks[color][c] * (float)depth;
}

/* µm from a place to the nearest that is no solid epithelium, roughly: below 0 it is none itself. */
static double depth_in_epithelium(const hlrp_phantom *w, double x, double y) {
    hlrp_field f;
    hlrp_world_field(w, x, y, &f);
    const double outside_glands = (double)f.gland - (double)HLRP_GLAND_SHEATH;
    return HLRP_MIN(HLRP_MIN((double)f.nest, (double)f.tissue),
                    HLRP_MIN((double)-f.fat, outside_glands));
}

/* Each is a disc around the place, of many drawn in the large piece of tissue, that lies deepest in
 * solid epithelium: anywhere else there would be no room for tumor nuclei. */
static void place_nests(hlrp_phantom *w) {
    const hlrp_blob *b = &w->blobs[0];
    for (int i = 0, lot = 0; i < w->options.nests; i++) {
        double best = -1e9, r = draw(w, SETUP_NESTS, lot++, 55, 85);
        for (int k = 0; k < NEST_TRIES; k++) {
            double x = b->cx + b->rx * draw(w, SETUP_NESTS, lot++, -0.7, 0.7);
            double y = b->cy + b->ry * draw(w, SETUP_NESTS, lot++, -0.7, 0.7);
            double depth = depth_in_epithelium(w, x, y);
            if (depth <= best)
                continue;
            best = depth;
            w->nests[i] = (hlrp_blob){x, y, r, r};
        }
    }
}

hlrp_status hlrp_phantom_new(const hlrp_phantom_options *options, hlrp_phantom **out,
                             hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_phantom *w = NULL;
    float *scratch = NULL;
    const int64_t texels = (int64_t)HLRP_TEXTURE_SIDE * HLRP_TEXTURE_SIDE;
    HLRP_TRY(check_options(options, err));
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, "phantom", err));
    HLRP_TRY(hlrp_calloc(&w->grain, texels, sizeof *w->grain, "phantom texture", err));
    HLRP_TRY(hlrp_calloc(&scratch, texels, sizeof *scratch, "phantom texture", err));
    w->options = *options;
    w->width = (double)options->width * options->mpp;
    w->height = (double)options->height * options->mpp;
    hlrp_phantom_texture(hlrp_phantom_hash(options->seed, SETUP_GRAIN, 1), w->grain, scratch);
    for (int i = 0; i < HLRP_OD_TABLE; i++)
        w->transmission[i] = (float)exp(-(double)i / HLRP_OD_STEPS);
    place_tissue(w);
    place_tumor(w);
    draw_stains(w);
    place_pen(w);
    place_nests(w);
    *out = w;
    w = NULL;
out:
    free(scratch);
    hlrp_phantom_free(w);
    return status;
}

void hlrp_phantom_free(hlrp_phantom *phantom) {
    if (!phantom)
        return;
    free(phantom->grain);
    free(phantom);
}

/* A synthetic H&E slide with known ground truth: the demo, the benchmark slide, and the yardstick
 * of where relevance should fall.
 *
 * The slide is a function of (x, y, options): every pixel can be computed by looking only at what
 * lies within a nucleus' width of it. So a slide of any size is written in bounded memory, a window
 * of it is the same whichever window it is part of, and a seed always gives the same pixels.
 *
 * What is in it: blank glass; stroma with fibres; glands; fat; solid nests. Inside the tumor region
 * the epithelium of glands and nests holds tumor nuclei (9–12 µm, irregular, coarse chromatin),
 * outside it normal ones (6 µm). Nothing else differs between the two: lymphocytes, the darkest
 * nuclei of all, are spread over both alike, so that darkness alone does not tell tumor from
 * normal. Colors are Beer–Lambert mixtures of hematoxylin and eosin whose vectors and strengths
 * vary from slide to slide and slowly over a slide. */
#ifndef HLRP_PHANTOM_H
#define HLRP_PHANTOM_H

#include <stdbool.h>
#include <stdint.h>

#include "geometry/geometry.h"
#include "util/util.h"

#define HLRP_PHANTOM_MAX_SIDE 100000 /* pixels */
#define HLRP_PHANTOM_MAX_NESTS 16

typedef struct hlrp_phantom_options {
    int64_t width, height; /* level-0 pixels, 1 to HLRP_PHANTOM_MAX_SIDE */
    double mpp;            /* µm per pixel, 0.1 to 4; sizes of cells are in µm and do not scale */
    uint64_t seed;
    double tumor_fraction; /* share of the tissue inside the tumor region, 0 to 1 */
    double stain_strength; /* multiplies both stains, 0.1 to 3 */
    double vignetting;     /* loss of light at the corners of each field of view, 0 to 0.5 */
    int jpeg_quality;      /* of the written file, 1 to 100 */
    bool pen;              /* a pen mark around part of the tissue */
    bool faint;            /* a slide kept in the light for years: 0.45 × the stain strength */
    bool normal;           /* no tumor whatever tumor_fraction and nests say */
    int nests;             /* above 0: so many small nests are all the tumor there is, to 16 */
} hlrp_phantom_options;

/* 8192 × 8192 at 0.25 µm per pixel, seed 1, tumor_fraction 0.4, strength 1, vignetting 0.04,
 * quality 80, no pen, no nests. */
hlrp_phantom_options hlrp_phantom_defaults(void);

/* What is computed once per slide: stain vectors, textures (about 1 MiB). Immutable and shared by
 * any number of threads. */
typedef struct hlrp_phantom hlrp_phantom;

/* Fails with HLRP_E_USAGE on options outside their ranges, and names the range. */
hlrp_status hlrp_phantom_new(const hlrp_phantom_options *options, hlrp_phantom **out,
                             hlrp_error *err);
void hlrp_phantom_free(hlrp_phantom *phantom);

/* Renders the level-0 window `rect`, which may reach past the slide (blank glass there, and no
 * nuclei). rgb: [rect.h][rect.w][3] uint8, or NULL; mask: [rect.h][rect.w] uint8, 255 on tumor
 * nuclei, else 0, or NULL. Both are the caller's. No compression noise: that is the file's. */
hlrp_status hlrp_phantom_paint(const hlrp_phantom *phantom, hlrp_irect rect, uint8_t *rgb,
                               uint8_t *mask, hlrp_error *err);

/* new, paint and free in one. */
hlrp_status hlrp_phantom_render(const hlrp_phantom_options *options, hlrp_irect rect, uint8_t *rgb,
                                uint8_t *mask, hlrp_error *err);

/* What lies at a place of the slide. Fat and the lumina of glands are tissue; the pen lies over
 * whatever is below it. */
typedef enum hlrp_phantom_ground {
    HLRP_PHANTOM_GLASS,
    HLRP_PHANTOM_TISSUE,
    HLRP_PHANTOM_PEN
} hlrp_phantom_ground;

hlrp_phantom_ground hlrp_phantom_ground_at(const hlrp_phantom *phantom, double x0, double y0);

typedef enum hlrp_phantom_kind {
    HLRP_PHANTOM_EPITHELIAL, /* normal epithelium */
    HLRP_PHANTOM_SPINDLE,    /* stroma and the rims of fat cells */
    HLRP_PHANTOM_TUMOR,
    HLRP_PHANTOM_LYMPHOCYTE
} hlrp_phantom_kind;

/* One nucleus. Radius: half the mean of its two axes. */
typedef struct hlrp_phantom_cell {
    double x0, y0; /* center, level-0 pixels */
    double radius; /* µm */
    hlrp_phantom_kind kind;
    bool in_tumor_region;
} hlrp_phantom_cell;

/* Calls visit for every nucleus whose center lies in `rect` (level-0 pixels), in the order in which
 * they are drawn: by kind, then row by row. */
void hlrp_phantom_cells(const hlrp_phantom *phantom, hlrp_irect rect,
                        void (*visit)(void *ctx, const hlrp_phantom_cell *cell), void *ctx);

/* Called now and then while a slide is written, with finished and total level-0 rows. Returning
 * false stops the work with HLRP_E_INTERRUPTED. */
typedef struct hlrp_phantom_progress {
    bool (*report)(void *ctx, int64_t done, int64_t total);
    void *ctx;
} hlrp_phantom_progress;

/* Writes the slide as a tiled JPEG pyramid whose ImageDescription OpenSlide knows as Aperio's, and,
 * where truth_path is not NULL, the mask of tumor nuclei as a tiled, deflated 8-bit TIFF pyramid of
 * the same sizes (its smaller levels are grey: the share of tumor nuclei). Neither appears under
 * its name before all rows of both are written. Memory does not depend on the height: about 3 kB
 * per pixel of width and 40 MB. log and progress may be NULL. Fails as hlrp_phantom_new does, and
 * with HLRP_E_IO, HLRP_E_MEMORY, HLRP_E_INTERRUPTED. */
hlrp_status hlrp_phantom_write(const hlrp_phantom_options *options, const char *path,
                               const char *truth_path, const hlrp_log *log,
                               const hlrp_phantom_progress *progress, hlrp_error *err);

#endif

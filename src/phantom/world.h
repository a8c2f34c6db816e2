/* What a slide consists of: its parameters, the fields that decide which tissue is where, and the
 * nuclei. Private to the module. Places are in µm from the slide's upper left corner. */
#ifndef HLRP_PHANTOM_WORLD_H
#define HLRP_PHANTOM_WORLD_H

#include "phantom/noise.h"
#include "phantom/phantom.h"

enum { HLRP_BLOBS = 5, HLRP_OD_STEPS = 256, HLRP_OD_TABLE = 8 * HLRP_OD_STEPS + 1 };

/* An ellipse; inner(x,y) = min(rx,ry)·(1 − |((x−cx)/rx, (y−cy)/ry)|). */
typedef struct hlrp_blob {
    double cx, cy, rx, ry; /* µm */
} hlrp_blob;

struct hlrp_phantom {
    hlrp_phantom_options options;
    double width, height;        /* µm */
    hlrp_blob blobs[HLRP_BLOBS]; /* pieces of tissue */
    int blob_count;
    double edge_amplitude;   /* µm by which noise moves the tissue's outline at most */
    double tumor_wavelength; /* µm */
    double tumor_threshold;  /* of the tumor noise; the region lies below it */
    hlrp_blob tumor_bump;    /* where a small slide is made sure to have tumor */
    hlrp_blob nests[HLRP_PHANTOM_MAX_NESTS]; /* options.nests of them: the tumor region */
    hlrp_blob pen;                           /* the ring that the pen follows */
    double pen_width;                        /* µm, half */
    double pen_dx, pen_dy;                   /* the direction in which the ring is open */
    float ink[3];                            /* optical density of the pen per channel */
    float hematoxylin[3], eosin[3];    /* optical density (natural log) of unit concentration */
    float glass[3];                    /* light through bare glass, 0 to 255 */
    float transmission[HLRP_OD_TABLE]; /* exp(−i / HLRP_OD_STEPS) */
    float *grain;                      /* texture, HLRP_TEXTURE_SIDE² */
};

/* The fields at one place. All vary smoothly except for creases, so that a lattice of them can be
 * interpolated. */
typedef struct hlrp_field {
    float tissue;       /* µm inside the tissue's outline; negative on glass */
    float fat;          /* > 0 in fat, in µm of the outline roughly */
    float wall;         /* µm to the nearest rim between fat cells (far from fat: 0) */
    float gland;        /* µm outside the nearest gland's outline; negative inside */
    float nest;         /* > 0 in solid epithelium, in µm of the outline roughly */
    float across;       /* µm across the fibers */
    float along;        /* µm along them, roughly */
    float hslow, eslow; /* factors of the two stains */
    float ink;          /* 0 to 1: pen */
} hlrp_field;

enum { HLRP_FIELDS = sizeof(hlrp_field) / sizeof(float) };

#define HLRP_GLAND_WALL 17.0F  /* µm of epithelium between a gland's outline and its lumen */
#define HLRP_GLAND_SHEATH 7.0F /* µm of stroma around a gland, also within a nest */

/* µm inside the tissue's outline at most, whatever the noise: below 0 there is nothing but glass.
 */
double hlrp_world_tissue_bound(const hlrp_phantom *w, double x, double y);
void hlrp_world_field(const hlrp_phantom *w, double x, double y, hlrp_field *f);
bool hlrp_world_in_tumor(const hlrp_phantom *w, double x, double y);
/* Whether the pen's ring can touch the disc. */
bool hlrp_world_pen_near(const hlrp_phantom *w, double x, double y, double radius);

/* A nucleus as it is drawn. */
typedef struct hlrp_nucleus {
    double x, y;                /* center, µm */
    float a, b;                 /* semi-axes, µm */
    float c, s;                 /* direction of a */
    float k2, k3, q3;           /* outline: r(θ) = 1 + k2·cos 2θ + k3·cos 3θ + q3·sin 3θ */
    float density;              /* hematoxylin at the center */
    float coarse;               /* amplitude of the chromatin's texture */
    float u, v;                 /* place in the texture */
    float spot_x, spot_y, spot; /* nucleolus: offset in µm, amplitude */
    hlrp_phantom_kind kind;
    bool in_tumor_region;
} hlrp_nucleus;

#define HLRP_NUCLEUS_REACH 9.0 /* µm: no nucleus reaches farther from its center */

/* Calls visit for the nuclei of all kinds whose centers lie in the rectangle (µm), in drawing
 * order. */
void hlrp_world_nuclei(const hlrp_phantom *w, hlrp_rect rect,
                       void (*visit)(void *ctx, const hlrp_nucleus *n), void *ctx);

#endif

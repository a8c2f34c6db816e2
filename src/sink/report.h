/* report.html, in two steps. When a slide is done, its pictures and numbers become a fragment in
 * its folder (.report.html, hidden): a head of lines "key<TAB>value", an empty line, HTML. The page
 * is put together from the fragments alone, so that it needs neither slides nor records. */
#ifndef HLRP_REPORT_H
#define HLRP_REPORT_H

#include "sink/sink.h"

/* ---- ground: what lies under a map pixel ---- */

#define HLRP_GROUND_MOST 48

typedef struct hlrp_ground_kind {
    const char *name; /* "tissue", "pen mark", a class of annotations */
    bool suspect;     /* no network should look at it */
} hlrp_ground_kind;

/* Kinds on a raster over the slide: cell (i,j) covers the level-0 rectangle from (i·cell_w,
 * j·cell_h), cell_w wide and cell_h high. Borrowed. */
typedef struct hlrp_ground {
    hlrp_ground_kind kinds[HLRP_GROUND_MOST];
    int64_t count;
    int64_t w, h;
    double cell_w, cell_h;
    const uint8_t *kind; /* [h][w], each below count */
} hlrp_ground;

/* ---- the fragment of a slide ---- */

typedef struct hlrp_report_input {
    hlrp_sink_input sink;
    const hlrp_ground *ground; /* NULL: relevance is not told by ground */
    const char *regions;       /* path of regions.png, or NULL */
    double loss_named;         /* the account names a layer that loses more than this share */
} hlrp_report_input;

/* Writes the fragment, about 150 kB, of a slide with one score 200; warns where the network looks at what it should not. */
hlrp_status hlrp_report_slide(const hlrp_report_input *in, const char *path, hlrp_error *err);

/* ---- the page ---- */

/* A row of the batch's table. */
typedef struct hlrp_report_row {
    const char *slide;  /* path or name */
    const char *state;  /* "complete", "failed", … */
    const char *reason; /* "" where there is none */
    int64_t tiles, explained;
    double seconds;
    char *fragment;        /* path of the slide's fragment; it need not exist */
    hlrp_strings warnings; /* said while it ran */
} hlrp_report_row;

/* One self-contained file: no script or picture from elsewhere, names escaped. warning: a sentence on
 * the batch as a whole for the page's head; "": none. */
hlrp_status hlrp_report_page(const char *path, const hlrp_report_row *rows, int64_t count,
                             const char *warning, hlrp_error *err);

#endif

/* Tiles that a run looked at but did not explain for the class that is shown: another class was
 * predicted, or the gate kept them out. Pictures hatch them, so that no relevance is not taken for
 * relevance of nothing. */
#ifndef HLRP_UNEXPLAINED_H
#define HLRP_UNEXPLAINED_H

#include "store/store.h"

typedef struct hlrp_unexplained {
    int64_t tiles, explained; /* all; those explained for the class */
    int64_t other;            /* explained for another class, which they predict */
    int64_t gated, unreadable;
    bool bag;          /* tiles of a slide with one score: none of them predicts anything */
    double tile_width; /* level-0 pixels of a tile, as all have; 0 where there is none */
} hlrp_unexplained;

/* Counts tiles for the class of `plane`. */
hlrp_status hlrp_unexplained_count(hlrp_result *result, int64_t plane, hlrp_unexplained *out,
                                   hlrp_error *err);

/* hatched [tiles]: 1 for tiles of the kinds `other` and `gated`, else 0; 0 for those of a bag, which is
 * explained for a class or not as a whole. The caller's zeros. */
hlrp_status hlrp_unexplained_tiles(hlrp_result *result, int64_t plane, uint8_t *hatched,
                                   hlrp_error *err);

/* Whether pictures have something to hatch. */
bool hlrp_unexplained_hatches(const hlrp_unexplained *u);

/* In words, without a full stop; nothing where every tile is explained, or there is none. */
void hlrp_unexplained_text(const hlrp_unexplained *u, const char *class_name, hlrp_str *out);

/* ---- on a picture of the slide ---- */

typedef struct hlrp_hatch hlrp_hatch;

/* For pictures of fx × fy level-0 pixels a pixel. The result must outlive it. */
hlrp_status hlrp_hatch_new(hlrp_result *result, int64_t plane, const hlrp_unexplained *u, double fx,
                           double fy, hlrp_hatch **out, hlrp_error *err);
void hlrp_hatch_free(hlrp_hatch *hatch); /* NULL is fine */

/* Draws diagonal lines over the pixels of rgb [rows][width][3], rows from y0 on, whose middle lies in
 * a tile that was looked at and where nothing is explained. Rows are asked for from the top. */
hlrp_status hlrp_hatch_draw(hlrp_hatch *hatch, int64_t y0, int64_t rows, int64_t width,
                            uint8_t *rgb, hlrp_error *err);

#endif

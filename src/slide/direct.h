/* A shorter way to the pixels of tiled TIFF slides than through OpenSlide.
 *
 * OpenSlide lays the tiles of a region over each other by cairo with an operator (SATURATE) that
 * pixman computes in floating point: two thirds of the core time of a read, and needless where
 * tiles neither overlap nor let anything through. Here the stored tiles are decoded by libtiff and
 * their rows copied.
 *
 * A level is read this way only if its vendor is known to store levels as plain pages, a page of the
 * level's size is found, and a sample of it is, byte for byte, what OpenSlide gives (confirm.c). A
 * tile that is missing, damaged or only doubtful is left to OpenSlide. Levels that are smaller than
 * their tiles are read this way alone: OpenSlide reads them wrongly. */
#ifndef HLRP_SLIDE_DIRECT_H
#define HLRP_SLIDE_DIRECT_H

#include "slide/slide.h"

/* One handle's: its file, and the decoded tiles that it used last. */
typedef struct hlrp_direct hlrp_direct;

/* Keeps tiles of at most cache_bytes together, but always one. Never fails: *out is NULL where the
 * slide is not of this kind. */
void hlrp_direct_open(const hlrp_slide *slide, int64_t cache_bytes, hlrp_direct **out);
void hlrp_direct_close(hlrp_direct *direct); /* NULL is allowed */

/* Whether a level has a page, and which tile covers its pixel (x, y). */
bool hlrp_direct_tile(const hlrp_direct *direct, int level, int64_t x, int64_t y, hlrp_irect *tile);

/* `rect`, inside the level, to rgb, rows `stride` bytes apart. False where a tile cannot be had;
 * rgb is then undefined. */
bool hlrp_direct_read(hlrp_direct *direct, int level, hlrp_irect rect, uint8_t *rgb,
                      int64_t stride);

/* libtiff's words against the tile that could not be had last; "": none. Borrowed. */
const char *hlrp_direct_words(const hlrp_direct *direct);

#endif

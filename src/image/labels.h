/* Pictures whose values are labels: read as they are, without a color conversion, row by row. */
#ifndef HLRP_IMAGE_LABELS_H
#define HLRP_IMAGE_LABELS_H

#include <stdint.h>

#include "geometry/geometry.h"
#include "util/util.h"

/* Largest picture that hlrp_labels_read takes, in pixels; also 2^20 on a side. */
#define HLRP_LABELS_MAX_PIXELS (INT64_C(1) << 36)

/* Gets the size first, then each row from the top: size.w labels. A failure ends the reading. */
typedef struct hlrp_label_reader {
    hlrp_status (*begin)(void *user, hlrp_size size, hlrp_error *err);
    hlrp_status (*row)(void *user, int64_t y, const uint32_t *labels, hlrp_error *err);
    void *user;
} hlrp_label_reader;

/* PNG or TIFF (its first page), told by content. Labels are grey values of 1 to 16 (TIFF: 32) bits
 * or indices into a palette; pictures of 8-bit RGB or RGBA where all three are equal are taken as
 * grey, and where alpha is 0 the label is 0. Fails with HLRP_E_INPUT on a picture that cannot be
 * read, on colors, lossy compression and numbers with a fraction, and on interlaced PNG. Holds a
 * row of tiles or strips. */
hlrp_status hlrp_labels_read(const char *path, const hlrp_label_reader *reader, hlrp_error *err);

#endif

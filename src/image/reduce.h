/* Pictures made smaller by any factor, row by row. */
#ifndef HLRP_IMAGE_REDUCE_H
#define HLRP_IMAGE_REDUCE_H

#include "image/image.h"

typedef struct hlrp_reducer hlrp_reducer;

/* From one size to a smaller or equal one, GREY8 or RGB8: a pixel is the mean of what it covers, by
 * area, both sizes being the same picture from edge to edge. Memory: two rows. Free *out. */
hlrp_status hlrp_reducer_new(hlrp_pixel pixel, hlrp_size from, hlrp_size to, hlrp_reducer **out,
                             hlrp_error *err);
void hlrp_reducer_free(hlrp_reducer *reducer); /* NULL is fine */

/* Takes the next row; true where it completed a row of the smaller picture, which is then in out. */
bool hlrp_reducer_push(hlrp_reducer *reducer, const uint8_t *row, uint8_t *out);

#endif

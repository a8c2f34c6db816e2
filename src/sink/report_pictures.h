/* Private to src/sink: small pictures of tiles for a slide's fragment. */
#ifndef HLRP_REPORT_PICTURES_H
#define HLRP_REPORT_PICTURES_H

#include "image/image.h"
#include "sink/report_numbers.h"
#include "sink/shown.h"
#include "stitch/colormap.h"

#define HLRP_TILE_SIDE 144

typedef struct hlrp_tile_pictures {
    const hlrp_sink_input *in;
    const hlrp_result_info *info;
    double limit; /* full color */
    hlrp_colormap colors;
    hlrp_shown *shown;
    hlrp_image picture, heat; /* HLRP_TILE_SIDE × HLRP_TILE_SIDE */
    uint8_t *pixels;          /* of a level */
    float *rows;              /* of the map, whole width */
    int64_t pixel_room, row_room;
} hlrp_tile_pictures;

/* Zero-initialise; free also where this fails. in is borrowed. */
hlrp_status hlrp_tile_pictures_init(hlrp_tile_pictures *p, const hlrp_sink_input *in,
                                    hlrp_error *err);
void hlrp_tile_pictures_free(hlrp_tile_pictures *p);

/* The tile into p->picture: white where it cannot be read. */
hlrp_status hlrp_tile_pictures_tissue(hlrp_tile_pictures *p, const hlrp_report_tile *t,
                                      hlrp_error *err);
/* Its relevance over p->picture, pale, into p->heat. */
hlrp_status hlrp_tile_pictures_heat(hlrp_tile_pictures *p, const hlrp_report_tile *t,
                                    hlrp_error *err);

/* <img> of either. */
hlrp_status hlrp_tile_pictures_add(const hlrp_image *image, const char *alt, hlrp_str *s,
                                   hlrp_error *err);
/* The tile's middle in the frame of QuPath, which crops to the slide's bounds. */
void hlrp_tile_pictures_place(const hlrp_tile_pictures *p, const hlrp_report_tile *t, hlrp_str *s);
/* Two sentences: full color, how wide a tile is, how QuPath goes to its place. */
void hlrp_tile_pictures_legend(const hlrp_tile_pictures *p, const hlrp_report_tile *t, hlrp_str *s);

#endif

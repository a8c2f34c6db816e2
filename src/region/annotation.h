/* Private to src/region: what an annotation file holds, whatever its format. Readers fill a
 * hlrp_drawing; nothing here knows of GEOS. Coordinates are level-0 pixels as the file has them. */
#ifndef HLRP_REGION_ANNOTATION_H
#define HLRP_REGION_ANNOTATION_H

#include <stdbool.h>
#include <stdint.h>

#include "geometry/geometry.h"
#include "util/util.h"

/* Coordinates from here on are no place on a slide: the shape is dropped. */
#define HLRP_COORDINATE_LIMIT 1e9

/* The class of shapes that have none. */
#define HLRP_UNCLASSIFIED "unclassified"

typedef enum hlrp_shape_kind {
    HLRP_SHAPE_POLYGON,
    HLRP_SHAPE_MULTIPOLYGON,
    HLRP_SHAPE_ELLIPSE, /* its ring is the polygon that stands for it */
    HLRP_SHAPE_POINT,   /* no rings: counted only */
    HLRP_SHAPE_LINE,
    HLRP_SHAPE_KINDS
} hlrp_shape_kind;

typedef struct hlrp_vertex {
    double x, y;
} hlrp_vertex;

/* Vertices first … first+count−1 of the drawing, open (the last is not the first again). A hole
 * belongs to the ring before it that is none. */
typedef struct hlrp_ring {
    int64_t first, count;
    bool hole;
} hlrp_ring;

typedef struct hlrp_shape {
    hlrp_shape_kind kind;
    bool negative; /* taken out of other shapes (NegativeROA): cuts_all */
    bool minor;    /* a detection, cell, tile or core: counts where nothing was annotated */
    int64_t group; /* index of its class */
    int64_t first_ring, ring_count;
    int64_t number; /* in the file, from 1 */
} hlrp_shape;

typedef struct hlrp_group {
    char *name;
    int64_t parent; /* the group around it, −1: none */
    bool cut_out;   /* taken out of all others, by the rule of its format */
} hlrp_group;

/* What was passed over; `first` is the number of the first such shape. */
typedef enum hlrp_slip {
    HLRP_SLIP_POINTS,     /* points and lines */
    HLRP_SLIP_MINOR,      /* detections beside annotations */
    HLRP_SLIP_NOT_FINITE, /* NaN, beyond HLRP_COORDINATE_LIMIT, or no number */
    HLRP_SLIP_TOO_FEW,    /* rings of fewer than three places */
    HLRP_SLIP_SHAPELESS,  /* features without a geometry, or with one that cannot be read */
    HLRP_SLIP_KINDS
} hlrp_slip;

typedef struct hlrp_drawing {
    const char *format; /* "QuPath GeoJSON", …; static */
    hlrp_shape *shapes;
    int64_t shape_count, shape_capacity;
    hlrp_ring *rings;
    int64_t ring_count, ring_capacity;
    hlrp_vertex *vertices;
    int64_t vertex_count, vertex_capacity;
    hlrp_group *groups;
    int64_t group_count, group_capacity;
    struct {
        int64_t count, first;
    } slips[HLRP_SLIP_KINDS];
    bool cuts_all;  /* negative shapes are taken out of every class, not of their own alone */
    bool bad;       /* the open shape has a coordinate that is none */
    bool ring_open; /* the last ring may still get vertices */
    bool orphans;   /* the last outer ring was taken back: so are its holes */
} hlrp_drawing;

void hlrp_drawing_free(hlrp_drawing *drawing); /* leaves it empty */

/* The class of that name, made where it is new; NULL or "" is HLRP_UNCLASSIFIED. */
hlrp_status hlrp_drawing_group(hlrp_drawing *drawing, const char *name, int64_t *out,
                               hlrp_error *err);

/* A shape: begin, then rings each with its vertices, then end. A ring loses vertices equal to the
 * one before, also across its ends; one with fewer than three is dropped, and a shape without rings
 * or with a coordinate that is none is taken back and counted among the slips. */
hlrp_status hlrp_drawing_begin(hlrp_drawing *drawing, hlrp_shape_kind kind, int64_t group,
                               int64_t number, hlrp_error *err);
hlrp_status hlrp_drawing_ring(hlrp_drawing *drawing, bool hole, hlrp_error *err);
hlrp_status hlrp_drawing_vertex(hlrp_drawing *drawing, double x, double y, hlrp_error *err);
hlrp_status hlrp_drawing_ellipse(hlrp_drawing *drawing, hlrp_vertex low, hlrp_vertex high,
                                 hlrp_error *err); /* a ring of its own */
void hlrp_drawing_end(hlrp_drawing *drawing);

/* A point or a line: counted, no more. */
hlrp_status hlrp_drawing_skip(hlrp_drawing *drawing, hlrp_shape_kind kind, int64_t group,
                              int64_t number, hlrp_error *err);
void hlrp_drawing_slip(hlrp_drawing *drawing, hlrp_slip slip, int64_t number);

/* Readers. `bytes` has size bytes and a NUL behind them, without a byte order mark; they may change
 * them. `path` is for messages. Fail with HLRP_E_INPUT or HLRP_E_MEMORY; a file without a single
 * shape is no failure here. */
hlrp_status hlrp_read_geojson(char *bytes, int64_t size, const char *path, hlrp_drawing *out,
                              hlrp_error *err);
hlrp_status hlrp_read_annotation_xml(char *bytes, int64_t size, const char *path, hlrp_drawing *out,
                                     hlrp_error *err);
hlrp_status hlrp_read_vertex_csv(char *bytes, int64_t size, const char *path, hlrp_drawing *out,
                                 hlrp_error *err);

/* Any of them, told by content. On success there is at least one shape with an area; warnings about
 * what was passed over went to the log (NULL: silent). An area that cannot be read is a failure unless
 * `skip` says that it may be passed over. On failure *out is empty. */
hlrp_status hlrp_drawing_parse(char *bytes, int64_t size, const char *path, bool skip,
                               const hlrp_log *log, hlrp_drawing *out, hlrp_error *err);
hlrp_status hlrp_drawing_read(const char *path, bool skip, const hlrp_log *log, hlrp_drawing *out,
                              hlrp_error *err);

/* Adds to all coordinates. */
void hlrp_drawing_shift(hlrp_drawing *drawing, double x, double y);
bool hlrp_drawing_is_geojson(const hlrp_drawing *drawing);

#endif

/* The TIFF side of a pyramid: directories, tiles and spools. pyramid.c pushes rows through it. */
#ifndef HLRP_IMAGE_PYRAMID_TIFF_H
#define HLRP_IMAGE_PYRAMID_TIFF_H

#include "image/image.h"
#include "image/reduce.h"
#include "image/tiff_io.h"

#define HLRP_PYRAMID_MAX_LEVELS 48
#define HLRP_PYRAMID_MAX_BETWEEN 8
#define HLRP_BLANK_TILES 4

/* A level of the plane that is being written: its last rows, and the file that takes its tiles. */
typedef struct hlrp_level {
    hlrp_size size;
    hlrp_reducer *reducer; /* from level 0; NULL: halved from the level before */
    int number;            /* in the file; −1: only a halving between two levels, kept nowhere */
    uint8_t *rows;         /* capacity rows of size.w pixels */
    int capacity;          /* tile rows; 2 where kept nowhere */
    int held;              /* rows in it */
    int64_t y;             /* rows received, this plane */
    TIFF *tif;             /* the target (number 0) or a spool */
    int spool;             /* the spool's descriptor, −1 without */
    bool encoded;          /* a tile went through the encoder: the directory has its JPEG tables */
} hlrp_level;

/* The encoded form of a tile of one color, as met before. */
typedef struct hlrp_blank {
    uint8_t color[4];
    uint8_t *bytes; /* NULL: empty entry */
    uint64_t size;
} hlrp_blank;

struct hlrp_pyramid {
    hlrp_pyramid_spec spec; /* defaults filled in; strings owned */
    char *descriptions[HLRP_PYRAMID_MAX_LEVELS];
    char *software, *thumbnail;
    hlrp_size between[HLRP_PYRAMID_MAX_BETWEEN];
    size_t pixel_bytes;
    hlrp_atomic file;
    hlrp_tiff_note note;
    TIFF *target;
    hlrp_level levels[2 * HLRP_PYRAMID_MAX_LEVELS];
    int level_count; /* with the halvings between; those with a reducer come last */
    int halvings;    /* levels without one */
    int stored;      /* levels in the file */
    int plane;
    bool failed;
    uint8_t *tile;  /* one tile */
    uint8_t *small; /* the smallest level, whole, for the thumbnail; else NULL */
    hlrp_blank blanks[HLRP_BLANK_TILES];
    int next_blank;
};

/* A level as the spec has it: level-0 pixels per pixel. */
typedef struct hlrp_rung {
    hlrp_size size;
    double step_x, step_y;
    bool between;
} hlrp_rung;

/* All levels from large to small, at most HLRP_PYRAMID_MAX_LEVELS; their number. */
int hlrp_pyramid_ladder(const hlrp_pyramid_spec *spec, hlrp_rung *rungs);

/* Opens the target and begins plane 0. */
hlrp_status hlrp_ptiff_open(hlrp_pyramid *p, hlrp_error *err);

/* Writes the rows that the level holds as one row of tiles. */
hlrp_status hlrp_ptiff_flush(hlrp_pyramid *p, hlrp_level *level, hlrp_error *err);

/* Ends the plane's directories and appends its smaller levels; begins the next plane, if any. */
hlrp_status hlrp_ptiff_end_plane(hlrp_pyramid *p, hlrp_error *err);

/* Closes what is open; the files stay. */
void hlrp_ptiff_close(hlrp_pyramid *p);

#endif

/* Files of tile features that other tools made: HDF5 with `features` [N,D] or [1,N,D] and `coords` [N,2],
 * the level-0 upper left corner of each tile (CLAM; TRIDENT, whose attributes also say the tiles' size). */
#ifndef HLRP_STORE_FEATURES_H
#define HLRP_STORE_FEATURES_H

#include "util/util.h"

typedef struct hlrp_feature_file hlrp_feature_file;

typedef struct hlrp_feature_facts {
    int64_t tiles, width; /* N, D */
    double extent;        /* side of a tile in level-0 pixels; 0: the file does not say */
    int64_t size;         /* side of a tile in the encoder's pixels; 0: likewise */
} hlrp_feature_facts;

/* HLRP_E_INPUT where it is no such file, or the two datasets do not fit each other. */
hlrp_status hlrp_features_open(const char *path, hlrp_feature_file **out, hlrp_error *err);
void hlrp_features_close(hlrp_feature_file *file); /* NULL is fine */
const hlrp_feature_facts *hlrp_features_facts(const hlrp_feature_file *file);

/* All corners, x and y, into corners [N][2]. */
hlrp_status hlrp_features_corners(hlrp_feature_file *file, double *corners, hlrp_error *err);
/* Tiles [first, first+count) as float32 into values [count][D]; HLRP_E_INPUT where one is not finite. */
hlrp_status hlrp_features_read(hlrp_feature_file *file, int64_t first, int64_t count, float *values,
                               hlrp_error *err);

#endif

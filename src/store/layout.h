/* The datasets of relevance.h5, as writer and reader agree on them. */
#ifndef HLRP_STORE_LAYOUT_H
#define HLRP_STORE_LAYOUT_H

#include "store/h5.h"
#include "store/store.h"

#define HLRP_RESULT_FORMAT "histolrp-relevance"
#define HLRP_RESULT_VERSION 1

extern const char *const hlrp_map_names[HLRP_MAP_COUNT];

typedef enum hlrp_tile_width {
    HLRP_WIDTH_ONE,
    HLRP_WIDTH_CLASSES,
    HLRP_WIDTH_PLANES,
    HLRP_WIDTH_SCORES /* and the kinds of scores behind it */
} hlrp_tile_width;
typedef enum hlrp_tile_type {
    HLRP_TYPE_I64,
    HLRP_TYPE_F32,
    HLRP_TYPE_F64,
    HLRP_TYPE_I8,
    HLRP_TYPE_U8
} hlrp_tile_type;

typedef struct hlrp_tile_field {
    const char *name;
    hlrp_tile_type type;
    int width;     /* hlrp_tile_width */
    size_t offset; /* of the array's pointer in hlrp_tile_rows */
    bool newer;    /* files of earlier versions lack it, and are read without */
} hlrp_tile_field;

enum { HLRP_TILE_FIELDS = 12 + HLRP_SCORE_KINDS };
extern const hlrp_tile_field hlrp_tile_fields[HLRP_TILE_FIELDS];

/* Values per tile; 0: the result has none. */
int64_t hlrp_tile_width_of(const hlrp_tile_field *field, const hlrp_result_info *info);
/* Rank of a field's dataset with its dims, and HDF5's type for it in memory and file. */
int hlrp_tile_dims(const hlrp_tile_field *field, const hlrp_result_info *info, hsize_t dims[2]);
hid_t hlrp_tile_h5_type(hlrp_tile_type type, bool file);

/* Planes of a map dataset. */
int64_t hlrp_map_planes(const hlrp_result_info *info, hlrp_map_kind kind);

#endif

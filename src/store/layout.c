#include "store/layout.h"

const char *const hlrp_map_names[HLRP_MAP_COUNT] = {"relevance", "coverage", "probability"};

const hlrp_tile_field hlrp_tile_fields[HLRP_TILE_FIELDS] = {
    {"x", HLRP_TYPE_I64, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, x)},
    {"y", HLRP_TYPE_I64, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, y)},
    {"width", HLRP_TYPE_I64, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, width)},
    {"height", HLRP_TYPE_I64, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, height)},
    {"logit", HLRP_TYPE_F32, HLRP_WIDTH_CLASSES, offsetof(hlrp_tile_rows, logit)},
    {"probability", HLRP_TYPE_F32, HLRP_WIDTH_CLASSES, offsetof(hlrp_tile_rows, probability)},
    {"start", HLRP_TYPE_F64, HLRP_WIDTH_PLANES, offsetof(hlrp_tile_rows, start)},
    {"relevance_sum", HLRP_TYPE_F64, HLRP_WIDTH_PLANES, offsetof(hlrp_tile_rows, sum)},
    {"relevance_outside", HLRP_TYPE_F64, HLRP_WIDTH_PLANES, offsetof(hlrp_tile_rows, outside)},
    {"status", HLRP_TYPE_U8, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, status)},
};

int hlrp_tile_dims(const hlrp_tile_field *field, const hlrp_result_info *info, hsize_t dims[2]) {
    dims[0] = (hsize_t)info->tiles;
    dims[1] = (hsize_t)(field->width == HLRP_WIDTH_CLASSES  ? info->classes
                        : field->width == HLRP_WIDTH_PLANES ? info->planes
                                                            : 1);
    return field->width == HLRP_WIDTH_ONE ? 1 : 2;
}

hid_t hlrp_tile_h5_type(hlrp_tile_type type, bool file) {
    switch (type) {
    case HLRP_TYPE_I64:
        return file ? H5T_STD_I64LE : H5T_NATIVE_INT64;
    case HLRP_TYPE_F32:
        return file ? H5T_IEEE_F32LE : H5T_NATIVE_FLOAT;
    case HLRP_TYPE_F64:
        return file ? H5T_IEEE_F64LE : H5T_NATIVE_DOUBLE;
    default:
        return file ? H5T_STD_U8LE : H5T_NATIVE_UINT8;
    }
}

int64_t hlrp_map_planes(const hlrp_result_info *info, hlrp_map_kind kind) {
    return kind == HLRP_MAP_PROBABILITY ? info->classes : info->planes;
}

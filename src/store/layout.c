#include "store/layout.h"

const char *const hlrp_map_names[HLRP_MAP_COUNT] = {"relevance", "coverage", "probability",
                                                    "mil/scores"};

#define SCORE(name, kind)                                                                          \
    {                                                                                              \
        name, HLRP_TYPE_F32, HLRP_WIDTH_SCORES + HLRP_SCORE_##kind,                                \
            offsetof(hlrp_tile_rows, scores) + HLRP_SCORE_##kind * sizeof(float *), false          \
    }

const hlrp_tile_field hlrp_tile_fields[HLRP_TILE_FIELDS] = {
    {"x", HLRP_TYPE_I64, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, x), false},
    {"y", HLRP_TYPE_I64, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, y), false},
    {"width", HLRP_TYPE_I64, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, width), false},
    {"height", HLRP_TYPE_I64, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, height), false},
    {"logit", HLRP_TYPE_F32, HLRP_WIDTH_CLASSES, offsetof(hlrp_tile_rows, logit), false},
    {"probability", HLRP_TYPE_F32, HLRP_WIDTH_CLASSES, offsetof(hlrp_tile_rows, probability),
     false},
    {"start", HLRP_TYPE_F64, HLRP_WIDTH_PLANES, offsetof(hlrp_tile_rows, start), false},
    {"relevance_sum", HLRP_TYPE_F64, HLRP_WIDTH_PLANES, offsetof(hlrp_tile_rows, sum), false},
    {"relevance_outside", HLRP_TYPE_F64, HLRP_WIDTH_PLANES, offsetof(hlrp_tile_rows, outside),
     false},
    {"relevance_abs", HLRP_TYPE_F64, HLRP_WIDTH_PLANES, offsetof(hlrp_tile_rows, abs), true},
    {"agrees", HLRP_TYPE_I8, HLRP_WIDTH_PLANES, offsetof(hlrp_tile_rows, agrees), true},
    {"status", HLRP_TYPE_U8, HLRP_WIDTH_ONE, offsetof(hlrp_tile_rows, status), false},
    SCORE("attention", ATTENTION),
    SCORE("single", SINGLE),
    SCORE("drop", DROP),
    SCORE("gradient_x_input", GRADIENT),
};

int64_t hlrp_tile_width_of(const hlrp_tile_field *field, const hlrp_result_info *info) {
    switch (field->width) {
    case HLRP_WIDTH_ONE:
        return 1;
    case HLRP_WIDTH_CLASSES:
        return info->classes;
    case HLRP_WIDTH_PLANES:
        return info->planes;
    default:
        return info->scores[field->width - HLRP_WIDTH_SCORES];
    }
}

int hlrp_tile_dims(const hlrp_tile_field *field, const hlrp_result_info *info, hsize_t dims[2]) {
    dims[0] = (hsize_t)info->tiles;
    dims[1] = (hsize_t)hlrp_tile_width_of(field, info);
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
    case HLRP_TYPE_I8:
        return file ? H5T_STD_I8LE : H5T_NATIVE_INT8;
    default:
        return file ? H5T_STD_U8LE : H5T_NATIVE_UINT8;
    }
}

int64_t hlrp_map_planes(const hlrp_result_info *info, hlrp_map_kind kind) {
    return kind == HLRP_MAP_PROBABILITY ? info->classes
           : kind == HLRP_MAP_SCORES    ? hlrp_score_count(info)
                                        : info->planes;
}

/* ---- scores ---- */

int64_t hlrp_score_count(const hlrp_result_info *info) {
    int64_t count = 0;
    for (int k = 0; k < HLRP_SCORE_KINDS; k++)
        count += info->scores[k];
    return count;
}

int64_t hlrp_score_first(const hlrp_result_info *info, hlrp_score_kind kind) {
    int64_t first = 0;
    for (int k = 0; k < (int)kind; k++)
        first += info->scores[k];
    return first;
}

const char *hlrp_score_dataset(hlrp_score_kind kind) {
    const char *name = "";
    for (int i = 0; i < HLRP_TILE_FIELDS; i++)
        if (hlrp_tile_fields[i].width == HLRP_WIDTH_SCORES + (int)kind)
            name = hlrp_tile_fields[i].name;
    return name;
}

static const char *const *names_of(const hlrp_result_info *info, int kind) {
    if (kind == HLRP_SCORE_GRADIENT)
        return info->plane_names;
    return info->scores[kind] == info->classes ? info->class_names : NULL;
}

const char *hlrp_score_name(const hlrp_result_info *info, int64_t m, char *buf, size_t size) {
    static const char *const kinds[] = {"attention", "single", "drop", "gradient-x-input"};
    int kind = 0;
    while (kind < HLRP_SCORE_KINDS - 1 && m >= info->scores[kind])
        m -= info->scores[kind++];
    const char *const *names = names_of(info, kind);
    if (kind == HLRP_SCORE_ATTENTION && info->scores[kind] == 1)
        snprintf(buf, size, "%s", kinds[kind]);
    else if (names)
        snprintf(buf, size, "%s:%s", kinds[kind], names[m]);
    else
        snprintf(buf, size, "%s:%lld", kinds[kind], (long long)m);
    return buf;
}

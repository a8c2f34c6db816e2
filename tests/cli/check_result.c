/* check_result FILE.h5 K C WIDTH HEIGHT DOWNSAMPLE TILES: relevance.h5 has the datasets, shapes,
 * types and attributes that outside tools rely on, and no others. Guards: a transposed map, float64
 * where float32 is promised, an attribute under another name. */
#include "check.h"

typedef struct shape {
    const char *name;
    H5T_class_t kind;
    size_t bytes;
    bool is_signed;
    int rank;
    hsize_t d[3];
} shape;

static void check_shape(hid_t file, const shape *s) {
    const hid_t set = H5Dopen2(file, s->name, H5P_DEFAULT);
    if (!check(set >= 0, "no dataset %s", s->name))
        return;
    const hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    hsize_t d[8] = {0};
    const int rank = H5Sget_simple_extent_dims(space, d, NULL);
    check(H5Tget_class(type) == s->kind && H5Tget_size(type) == s->bytes, "%s: another type",
          s->name);
    check(s->kind != H5T_INTEGER || (H5Tget_sign(type) == H5T_SGN_2) == s->is_signed, "%s: sign",
          s->name);
    check(rank == s->rank, "%s: rank %d, not %d", s->name, rank, s->rank);
    for (int i = 0; i < s->rank; i++)
        check(d[i] == s->d[i], "%s: extent %d is %llu, not %llu", s->name, i,
              (unsigned long long)d[i], (unsigned long long)s->d[i]);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
}

/* Chunked, shuffled, deflated, and the fill value. */
static void check_storage(hid_t file, const char *name, bool fill_nan) {
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT), list = H5Dget_create_plist(set);
    float fill = 1;
    check(H5Pget_layout(list) == H5D_CHUNKED, "%s: not chunked", name);
    bool shuffle = false, deflate = false;
    for (unsigned i = 0; i < (unsigned)H5Pget_nfilters(list); i++) {
        unsigned flags = 0, config = 0;
        size_t count = 0;
        const H5Z_filter_t filter = H5Pget_filter2(list, i, &flags, &count, NULL, 0, NULL, &config);
        shuffle |= filter == H5Z_FILTER_SHUFFLE;
        deflate |= filter == H5Z_FILTER_DEFLATE;
    }
    check(shuffle && deflate, "%s: without shuffle or deflate", name);
    H5Pget_fill_value(list, H5T_NATIVE_FLOAT, &fill);
    check(fill_nan ? isnan(fill) : fill == 0, "%s: fill value %g", name, (double)fill);
    H5Pclose(list);
    H5Dclose(set);
}

static void check_attribute(hid_t file, const char *object, const char *name, H5T_class_t kind,
                            int64_t values) {
    const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (!check(attribute >= 0, "%s has no attribute %s", object, name))
        return;
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    check(H5Tget_class(type) == kind, "%s: attribute %s has another type", object, name);
    check(H5Sget_simple_extent_npoints(space) == values, "%s: attribute %s has %lld values", object,
          name, (long long)H5Sget_simple_extent_npoints(space));
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(attribute);
}

static double number(hid_t file, const char *object, const char *name, int64_t at) {
    double values[16] = {0};
    const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0)
        H5Aread(attribute, H5T_NATIVE_DOUBLE, values);
    H5Aclose(attribute);
    return values[at];
}

static void check_format(hid_t file) {
    char *text = NULL;
    const hid_t attribute = H5Aopen(file, "format", H5P_DEFAULT), type = H5Aget_type(attribute);
    check(H5Tis_variable_str(type) > 0 && H5Aread(attribute, type, &text) >= 0 && text &&
              strcmp(text, "histolrp-relevance") == 0,
          "format is \"%s\"", text ? text : "");
    H5free_memory(text);
    H5Tclose(type);
    H5Aclose(attribute);
    check(number(file, "/", "format_version", 0) == 1, "format_version is not 1");
}

static void check_groups(hid_t file, int64_t k, int64_t c, double downsample) {
    static const char *const texts[][2] = {
        {"/model", "path"},  {"/model", "sha256"},    {"/slide", "path"},
        {"/slide", "hash"},  {"/slide", "hash_kind"}, {"/slide", "mpp_source"},
        {"/run", "program"}, {"/run", "config"},      {"/run", "result_key"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_attribute(file, texts[i][0], texts[i][1], H5T_STRING, 1);
    for (int i = 0; i < 3; i++) {
        static const char *const maps[] = {"/relevance", "/coverage", "/probability"};
        check_attribute(file, maps[i], "classes", H5T_STRING, i == 2 ? c : k);
        check_attribute(file, maps[i], "mpp", H5T_FLOAT, 2);
        check(number(file, maps[i], "downsample", 0) == downsample, "%s: downsample", maps[i]);
        check_storage(file, maps[i], i != 1);
    }
    check_attribute(file, "/model", "mpp", H5T_FLOAT, 1);
    check_attribute(file, "/slide", "mpp", H5T_FLOAT, 2);
    check_attribute(file, "/slide", "bounds", H5T_INTEGER, 4);
}

static herr_t count_dataset(hid_t file, const char *name, const H5O_info_t *info, void *count) {
    (void)file;
    (void)name;
    *(int *)count += info->type == H5O_TYPE_DATASET;
    return 0;
}

int main(int argc, char **argv) {
    demand(argc == 8, "check_result FILE.h5 K C WIDTH HEIGHT DOWNSAMPLE TILES");
    const hsize_t k = (hsize_t)atoll(argv[2]), c = (hsize_t)atoll(argv[3]);
    const hsize_t down = (hsize_t)atoll(argv[6]), t = (hsize_t)atoll(argv[7]);
    const hsize_t w = ((hsize_t)atoll(argv[4]) + down - 1) / down;
    const hsize_t h = ((hsize_t)atoll(argv[5]) + down - 1) / down;
    const shape shapes[] = {{"/relevance", H5T_FLOAT, 4, true, 3, {k, h, w}},
                            {"/coverage", H5T_FLOAT, 4, true, 3, {k, h, w}},
                            {"/probability", H5T_FLOAT, 4, true, 3, {c, h, w}},
                            {"/tiles/x", H5T_INTEGER, 8, true, 1, {t}},
                            {"/tiles/y", H5T_INTEGER, 8, true, 1, {t}},
                            {"/tiles/width", H5T_INTEGER, 8, true, 1, {t}},
                            {"/tiles/height", H5T_INTEGER, 8, true, 1, {t}},
                            {"/tiles/logit", H5T_FLOAT, 4, true, 2, {t, c}},
                            {"/tiles/probability", H5T_FLOAT, 4, true, 2, {t, c}},
                            {"/tiles/start", H5T_FLOAT, 8, true, 2, {t, k}},
                            {"/tiles/relevance_sum", H5T_FLOAT, 8, true, 2, {t, k}},
                            {"/tiles/relevance_outside", H5T_FLOAT, 8, true, 2, {t, k}},
                            {"/tiles/relevance_abs", H5T_FLOAT, 8, true, 2, {t, k}},
                            {"/tiles/agrees", H5T_INTEGER, 1, true, 2, {t, k}},
                            {"/tiles/status", H5T_INTEGER, 1, false, 1, {t}}};
    const int named = (int)(sizeof shapes / sizeof *shapes);
    const hid_t file = open_h5(argv[1]);
    int count = 0;
    check_format(file);
    for (int i = 0; i < named; i++)
        check_shape(file, &shapes[i]);
    check_groups(file, (int64_t)k, (int64_t)c, (double)down);
    H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, count_dataset, &count, H5O_INFO_BASIC);
    check(count == named + 1, "%d datasets, not %d and /layers", count, named);
    H5Fclose(file);
    return verdict();
}

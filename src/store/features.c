#include "store/features.h"

#include <math.h>
#include <stdlib.h>

#include "store/h5.h"

struct hlrp_feature_file {
    hid_t file, features, coords;
    int rank; /* of features: 2, or 3 with a first axis of 1 */
    hlrp_feature_facts facts;
    char *path;
};

static const char layout[] =
    "give an HDF5 file with features [N,D] and coords [N,2], as TRIDENT and "
    "CLAM write it";

/* A number among the attributes of coords, or of features where older files have it; 0: none. */
static double number(const hlrp_feature_file *f, const char *name) {
    hlrp_error ignored = {0};
    double value = 0;
    if (hlrp_h5_get_f64(f->coords, name, &value, 1, f->path, &ignored) != HLRP_OK)
        value = 0;
    return isfinite(value) && value > 0 && value < 0x1p31 ? value : 0;
}

/* TRIDENT says how wide a tile is at level 0; CLAM says its pixels at the level it read, and that level's
 * downsample, of which old files have x and y. */
static void find_extent(hlrp_feature_file *f) {
    hlrp_error ignored = {0};
    double pair[2] = {number(f, "downsample"), 0};
    if (pair[0] == 0 &&
        hlrp_h5_get_f64(f->coords, "downsample", pair, 2, f->path, &ignored) != HLRP_OK)
        pair[0] = 0;
    f->facts.size = (int64_t)number(f, "patch_size");
    f->facts.extent = number(f, "patch_size_level0");
    if (f->facts.extent == 0 && pair[0] > 0 && isfinite(pair[0]))
        f->facts.extent = (double)f->facts.size * pair[0];
}

static hlrp_status open_arrays(hlrp_feature_file *f, hlrp_error *err) {
    hsize_t dims[3] = {0}, coords[2] = {0};
    hlrp_status status = HLRP_OK;
    f->rank = hlrp_h5_rank(f->file, "features") == 3 ? 3 : 2;
    HLRP_TRY(hlrp_h5_open_dataset(f->file, "features", f->rank, dims, &f->features, f->path, err));
    HLRP_TRY(hlrp_h5_open_dataset(f->file, "coords", 2, coords, &f->coords, f->path, err));
    const hsize_t tiles = dims[f->rank - 2], width = dims[f->rank - 1];
    if (tiles < 1 || width < 1 || tiles > (hsize_t)1 << 31 || width > (hsize_t)1 << 24 ||
        (f->rank == 3 && dims[0] != 1) || !hlrp_h5_is_type(f->features, H5T_FLOAT, 0))
        return hlrp_fail(err, HLRP_E_INPUT, f->path, layout,
                         "its features are no table of numbers");
    if (coords[0] != tiles || coords[1] != 2)
        return hlrp_fail(err, HLRP_E_INPUT, f->path, layout,
                         "it has features of %lld tiles, but coords [%lld,%lld]", (long long)tiles,
                         (long long)coords[0], (long long)coords[1]);
    f->facts.tiles = (int64_t)tiles;
    f->facts.width = (int64_t)width;
    find_extent(f);
out:
    return status;
}

hlrp_status hlrp_features_open(const char *path, hlrp_feature_file **out, hlrp_error *err) {
    hlrp_feature_file *f = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&f, 1, sizeof *f, path, err));
    f->file = f->features = f->coords = -1;
    f->path = hlrp_strdup(path, err);
    HLRP_TRY(f->path ? HLRP_OK : HLRP_E_MEMORY);
    HLRP_TRY(hlrp_h5_open(path, &f->file, err));
    HLRP_TRY(open_arrays(f, err));
    *out = f;
    f = NULL;
out:
    hlrp_features_close(f);
    return status;
}

void hlrp_features_close(hlrp_feature_file *f) {
    hlrp_error ignored = {0};
    if (!f)
        return;
    hlrp_h5_drop_dataset(&f->features);
    hlrp_h5_drop_dataset(&f->coords);
    (void)hlrp_h5_close(&f->file, "", &ignored);
    free(f->path);
    free(f);
}

const hlrp_feature_facts *hlrp_features_facts(const hlrp_feature_file *file) {
    return &file->facts;
}

hlrp_status hlrp_features_corners(hlrp_feature_file *f, double *corners, hlrp_error *err) {
    const hsize_t start[2] = {0, 0}, box[2] = {(hsize_t)f->facts.tiles, 2};
    return hlrp_h5_read(f->coords, H5T_NATIVE_DOUBLE, 2, start, box, corners, f->path, err);
}

hlrp_status hlrp_features_read(hlrp_feature_file *f, int64_t first, int64_t count, float *values,
                               hlrp_error *err) {
    const int64_t width = f->facts.width;
    const bool flat = f->rank == 2;
    const hsize_t start[3] = {flat ? (hsize_t)first : 0, flat ? 0 : (hsize_t)first, 0};
    const hsize_t box[3] = {flat ? (hsize_t)count : 1, flat ? (hsize_t)width : (hsize_t)count,
                            (hsize_t)width};
    hlrp_status status = HLRP_OK;
    if (first < 0 || count < 0 || first > f->facts.tiles || count > f->facts.tiles - first)
        return hlrp_fail(err, HLRP_E_INTERNAL, f->path, NULL, "there are no such tiles");
    HLRP_TRY(
        hlrp_h5_read(f->features, H5T_NATIVE_FLOAT, f->rank, start, box, values, f->path, err));
    for (int64_t i = 0; i < count * width; i++)
        if (!isfinite(values[i]))
            return hlrp_fail(err, HLRP_E_INPUT, f->path, "make the features anew",
                             "a feature of tile %lld is not finite",
                             (long long)(first + i / width));
out:
    return status;
}

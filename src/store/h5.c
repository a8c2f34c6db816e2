#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "store/driver.h"
#include "store/h5.h"
#include "store/store.h"

/* Bytes that HDF5 may take to open a file; it crashes without. */
#define ROOM (INT64_C(16) << 20)

enum { DEFLATE_LEVEL = 4 };

const char *hlrp_hdf5_version(char buf[32]) {
    unsigned major = 0, minor = 0, release = 0;
    H5get_libversion(&major, &minor, &release);
    snprintf(buf, 32, "%u.%u.%u", major, minor, release);
    return buf;
}

static herr_t innermost(unsigned n, const H5E_error2_t *error, void *text) {
    if (n == 0 && error->desc)
        snprintf(text, 200, "%s", error->desc);
    return 0;
}

hlrp_status hlrp_h5_fail(hlrp_error *err, hlrp_status status, const char *where, const char *mend,
                         const char *what, ...) {
    char text[300], reason[200] = "";
    va_list args;
    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, reason);
    H5Eclear2(H5E_DEFAULT);
    return hlrp_fail(err, status, where, mend, "%s%s%s", text, reason[0] ? ": " : "", reason);
}

static hlrp_status access_list(hid_t *out, const char *path, hlrp_error *err) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5Eclear2(H5E_DEFAULT);
    *out = H5Pcreate(H5P_FILE_ACCESS);
    if (*out < 0 || H5Pset_fclose_degree(*out, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_file_locking(*out, 0, 1) < 0)
        return hlrp_h5_fail(err, HLRP_E_INTERNAL, path, NULL, "HDF5 cannot be set up");
    return HLRP_OK;
}

/* HLRP_E_IO where fault is not 0. */
static hlrp_status check(int fault, const char *path, hlrp_error *err) {
    if (fault == 0)
        return HLRP_OK;
    H5Eclear2(H5E_DEFAULT);
    const bool full = fault == ENOSPC || fault == EDQUOT || fault == EFBIG;
    return hlrp_fail(err, HLRP_E_IO, path,
                     full ? "make room and run again: finished tiles are kept"
                          : "check the folder and its permissions, then run again",
                     "cannot write the file: %s", strerror(fault));
}

hlrp_status hlrp_h5_begin(hlrp_h5_out *out, const char *path, hlrp_error *err) {
    hid_t list = -1;
    hlrp_status status = HLRP_OK;
    *out = (hlrp_h5_out){.file = -1};
    HLRP_TRY(hlrp_memory_left(ROOM, path, err));
    HLRP_TRY(hlrp_atomic_begin(&out->atomic, path, err));
    HLRP_TRY(access_list(&list, path, err));
    if (!hlrp_driver_use(list, &out->fault)) {
        status = hlrp_h5_fail(err, HLRP_E_INTERNAL, path, NULL, "HDF5 cannot be set up");
        goto out;
    }
    out->file = H5Fcreate(out->atomic.path, H5F_ACC_TRUNC, H5P_DEFAULT, list);
    HLRP_TRY(check(out->fault, path, err));
    if (out->file < 0)
        status = hlrp_h5_fail(err, HLRP_E_IO, path, "check the folder and its permissions",
                              "cannot create the file");
out:
    hlrp_h5_drop_plist(&list);
    return status;
}

hlrp_status hlrp_h5_wrote(hlrp_h5_out *out, hlrp_status status, hlrp_error *err) {
    out->failed = out->failed || status != HLRP_OK;
    return status == HLRP_OK ? check(out->fault, out->atomic.final_path, err) : status;
}

hlrp_status hlrp_h5_commit(hlrp_h5_out *out, hlrp_error *err) {
    const char *path = out->atomic.final_path;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_h5_close(&out->file, path, err));
    HLRP_TRY(check(out->fault, path, err));
    if (out->failed)
        status = hlrp_fail(err, HLRP_E_IO, path, "run again",
                           "the file is not complete: an earlier write failed");
    else
        status = hlrp_atomic_commit(&out->atomic, err);
out:
    return status;
}

void hlrp_h5_abort(hlrp_h5_out *out) {
    hlrp_error ignored = {0};
    (void)hlrp_h5_close(&out->file, "", &ignored);
    hlrp_atomic_abort(&out->atomic);
}

hlrp_status hlrp_h5_open(const char *path, hid_t *file, hlrp_error *err) {
    hid_t list = -1;
    hlrp_status status = HLRP_OK;
    if (!hlrp_file_exists(path))
        return hlrp_fail(err, HLRP_E_INPUT, path, "check the path", "there is no such file");
    HLRP_TRY(hlrp_memory_left(ROOM, path, err));
    HLRP_TRY(access_list(&list, path, err));
    *file = H5Fopen(path, H5F_ACC_RDONLY, list);
    if (*file < 0)
        status = hlrp_h5_fail(err, HLRP_E_INPUT, path, "check that it is a whole HDF5 file",
                              "cannot open the file");
out:
    hlrp_h5_drop_plist(&list);
    return status;
}

hlrp_status hlrp_h5_close(hid_t *file, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (*file < 0)
        return HLRP_OK;
    if (H5Fflush(*file, H5F_SCOPE_GLOBAL) < 0)
        status = hlrp_h5_fail(err, HLRP_E_IO, path, "make room on the disk and run again",
                              "cannot write the file");
    if (H5Fclose(*file) < 0 && status == HLRP_OK)
        status = hlrp_h5_fail(err, HLRP_E_IO, path, "make room on the disk and run again",
                              "cannot close the file");
    H5Eclear2(H5E_DEFAULT);
    *file = -1;
    return status;
}

#define DROP(name, call)                                                                           \
    void name(hid_t *id) {                                                                         \
        if (*id >= 0)                                                                              \
            call(*id);                                                                             \
        *id = -1;                                                                                  \
    }

DROP(hlrp_h5_drop_dataset, H5Dclose)
DROP(hlrp_h5_drop_type, H5Tclose)
DROP(hlrp_h5_drop_space, H5Sclose)
DROP(hlrp_h5_drop_plist, H5Pclose)
DROP(hlrp_h5_drop_group, H5Gclose)
DROP(hlrp_h5_drop_attribute, H5Aclose)

hlrp_status hlrp_h5_make_dataset(hid_t at, const char *name, hid_t type, int rank,
                                 const hsize_t *dims, const hsize_t *chunk, const void *fill,
                                 hid_t *out, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t space = H5Screate_simple(rank, dims, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    bool good = space >= 0 && list >= 0 && H5Pset_obj_track_times(list, 0) >= 0;
    if (good && chunk)
        good = H5Pset_chunk(list, rank, chunk) >= 0 && H5Pset_shuffle(list) >= 0 &&
               H5Pset_deflate(list, DEFLATE_LEVEL) >= 0 &&
               H5Pset_alloc_time(list, H5D_ALLOC_TIME_INCR) >= 0;
    if (good && fill)
        good = H5Pset_fill_value(list, type, fill) >= 0;
    if (good)
        *out = H5Dcreate2(at, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    if (!good || *out < 0)
        status = hlrp_h5_fail(err, HLRP_E_IO, path, NULL, "cannot make the dataset %s", name);
    hlrp_h5_drop_space(&space);
    hlrp_h5_drop_plist(&list);
    return status;
}

/* Memory and file dataspaces of a box. */
static bool box(hid_t dataset, int rank, const hsize_t *start, const hsize_t *count, hid_t *memory,
                hid_t *space) {
    *memory = H5Screate_simple(rank, count, NULL);
    *space = H5Dget_space(dataset);
    return *memory >= 0 && *space >= 0 && H5Sget_simple_extent_ndims(*space) == rank &&
           H5Sselect_hyperslab(*space, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
           H5Sselect_valid(*space) > 0;
}

hlrp_status hlrp_h5_write(hid_t dataset, hid_t type, int rank, const hsize_t *start,
                          const hsize_t *count, const void *values, const char *path,
                          hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t memory = -1, space = -1;
    if (!box(dataset, rank, start, count, &memory, &space) ||
        H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, values) < 0)
        status = hlrp_h5_fail(err, HLRP_E_IO, path, "make room on the disk and run again",
                              "cannot write the file");
    hlrp_h5_drop_space(&memory);
    hlrp_h5_drop_space(&space);
    return status;
}

hlrp_status hlrp_h5_read(hid_t dataset, hid_t type, int rank, const hsize_t *start,
                         const hsize_t *count, void *values, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t memory = -1, space = -1;
    if (!box(dataset, rank, start, count, &memory, &space) ||
        H5Dread(dataset, type, memory, space, H5P_DEFAULT, values) < 0)
        status = hlrp_h5_fail(err, HLRP_E_INPUT, path, "the file is damaged: make it again",
                              "cannot read the file");
    hlrp_h5_drop_space(&memory);
    hlrp_h5_drop_space(&space);
    return status;
}

int hlrp_h5_rank(hid_t at, const char *name) {
    hid_t dataset = H5Lexists(at, name, H5P_DEFAULT) > 0 ? H5Dopen2(at, name, H5P_DEFAULT) : -1;
    hid_t space = dataset >= 0 ? H5Dget_space(dataset) : -1;
    const int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    hlrp_h5_drop_space(&space);
    hlrp_h5_drop_dataset(&dataset);
    return rank;
}

hlrp_status hlrp_h5_open_dataset(hid_t at, const char *name, int rank, hsize_t *dims, hid_t *out,
                                 const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t space = -1;
    *out = H5Dopen2(at, name, H5P_DEFAULT);
    if (*out >= 0)
        space = H5Dget_space(*out);
    if (space < 0) {
        status = hlrp_h5_fail(err, HLRP_E_INPUT, path, "check the name (h5ls lists what there is)",
                              "there is no dataset %s", name);
    } else if (H5Sget_simple_extent_ndims(space) != rank) {
        status = hlrp_fail(err, HLRP_E_INPUT, path, NULL, "%s has %d dimensions instead of %d",
                           name, H5Sget_simple_extent_ndims(space), rank);
    } else {
        H5Sget_simple_extent_dims(space, dims, NULL);
    }
    hlrp_h5_drop_space(&space);
    if (status != HLRP_OK)
        hlrp_h5_drop_dataset(out);
    return status;
}

bool hlrp_h5_is_type(hid_t dataset, H5T_class_t class, size_t size) {
    hid_t type = H5Dget_type(dataset);
    const bool same =
        type >= 0 && H5Tget_class(type) == class && (size == 0 || H5Tget_size(type) == size);
    hlrp_h5_drop_type(&type);
    return same;
}

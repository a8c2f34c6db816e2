/* What the files of this folder share in dealing with libhdf5. */
#ifndef HLRP_H5_H
#define HLRP_H5_H

#include <hdf5.h>

#include "util/util.h"

/* Like hlrp_fail, with the innermost reason of HDF5's error stack added to `what`. */
hlrp_status hlrp_h5_fail(hlrp_error *err, hlrp_status status, const char *where, const char *mend,
                         const char *what, ...) __attribute__((format(printf, 5, 6)));

/* A new file that bears its name only once it is complete. It must not move while it is open. */
typedef struct hlrp_h5_out {
    hlrp_atomic atomic;
    hid_t file;
    int fault; /* errno of the first write that failed: what HDF5 returns does not say (driver.h) */
    bool failed; /* another call failed: the file must not be committed */
} hlrp_h5_out;

/* Files to write and files to read are both opened without HDF5's own printing of errors, and
 * without its locks, which network file systems often refuse: names are guarded by other means. */
hlrp_status hlrp_h5_begin(hlrp_h5_out *out, const char *path, hlrp_error *err);
/* Passes on the status of a call that wrote; also HLRP_E_IO where its bytes did not reach the disk. */
hlrp_status hlrp_h5_wrote(hlrp_h5_out *out, hlrp_status status, hlrp_error *err);
/* Closes the file and gives it its name, unless a write before failed. Abort afterwards, either way. */
hlrp_status hlrp_h5_commit(hlrp_h5_out *out, hlrp_error *err);
/* Removes what was not committed. */
void hlrp_h5_abort(hlrp_h5_out *out);

hlrp_status hlrp_h5_open(const char *path, hid_t *file, hlrp_error *err);
/* *file is −1 afterwards. */
hlrp_status hlrp_h5_close(hid_t *file, const char *path, hlrp_error *err);

/* Each closes what it is given unless that is < 0, and makes it −1. */
void hlrp_h5_drop_dataset(hid_t *id);
void hlrp_h5_drop_type(hid_t *id);
void hlrp_h5_drop_space(hid_t *id);
void hlrp_h5_drop_plist(hid_t *id);
void hlrp_h5_drop_group(hid_t *id);
void hlrp_h5_drop_attribute(hid_t *id);

/* A dataset; chunk NULL: contiguous, else shuffled and deflated chunks. fill: one value of `type`,
 * or NULL. Chunks nobody writes are not stored. */
hlrp_status hlrp_h5_make_dataset(hid_t at, const char *name, hid_t type, int rank,
                                 const hsize_t *dims, const hsize_t *chunk, const void *fill,
                                 hid_t *out, const char *path, hlrp_error *err);

/* Writes (or reads) a box of a dataset from (into) a dense buffer of memory type `type`. */
hlrp_status hlrp_h5_write(hid_t dataset, hid_t type, int rank, const hsize_t *start,
                          const hsize_t *count, const void *values, const char *path,
                          hlrp_error *err);
hlrp_status hlrp_h5_read(hid_t dataset, hid_t type, int rank, const hsize_t *start,
                         const hsize_t *count, void *values, const char *path, hlrp_error *err);

/* Opens dataset `name` and checks its rank; dims filled. HLRP_E_INPUT. */
hlrp_status hlrp_h5_open_dataset(hid_t at, const char *name, int rank, hsize_t *dims, hid_t *out,
                                 const char *path, hlrp_error *err);
/* Axes of a dataset; -1 where there is none. */
int hlrp_h5_rank(hid_t at, const char *name);
/* Whether a dataset holds values of this class and size (0: any). */
bool hlrp_h5_is_type(hid_t dataset, H5T_class_t class, size_t size);

/* Attributes. count < 0: one value (a scalar), else a list. */
hlrp_status hlrp_h5_set_texts(hid_t at, const char *name, const char *const *values, int64_t count,
                              const char *path, hlrp_error *err);
hlrp_status hlrp_h5_set_numbers(hid_t at, const char *name, hid_t type, const void *values,
                                int64_t count, const char *path, hlrp_error *err);
/* All values as text; found says whether there is such an attribute. */
hlrp_status hlrp_h5_get_texts(hid_t at, const char *name, hlrp_strings *values, bool *found,
                              const char *path, hlrp_error *err);
/* HLRP_E_INPUT where it is missing or has not exactly count numbers. */
hlrp_status hlrp_h5_get_f64(hid_t at, const char *name, double *values, int64_t count,
                            const char *path, hlrp_error *err);

#endif

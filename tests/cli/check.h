/* For the programs of this folder: counting complaints, and HDF5 files read with libhdf5 alone, not
 * with the reader that was written together with the writer. */
#ifndef HLRP_TEST_CHECK_H
#define HLRP_TEST_CHECK_H

#include <hdf5.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complaints;
/* What was read stays until the end; listed, so that the leak detector finds it. */
static double *kept[256];
static int kept_count;

__attribute__((format(printf, 2, 3), unused)) static bool check(bool fine, const char *format,
                                                                ...) {
    va_list args;
    if (fine)
        return true;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    complaints++;
    return false;
}

/* What cannot be gone on without. */
__attribute__((format(printf, 2, 3), unused)) static void demand(bool fine, const char *format,
                                                                 ...) {
    va_list args;
    if (fine)
        return;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(1);
}

typedef struct dataset {
    int rank;
    hsize_t d[4];
    int64_t count;
    double *v;
} dataset;

__attribute__((unused)) static hid_t open_h5(const char *path) {
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    demand(file >= 0, "%s: no HDF5 file", path);
    return file;
}

/* All of a dataset of numbers as double, kept until the process ends. */
__attribute__((unused)) static dataset read_dataset(hid_t file, const char *name) {
    dataset out = {.count = 1};
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    demand(set >= 0, "no dataset %s", name);
    const hid_t space = H5Dget_space(set);
    out.rank = H5Sget_simple_extent_ndims(space);
    demand(out.rank >= 1 && out.rank <= 4, "%s: rank %d", name, out.rank);
    H5Sget_simple_extent_dims(space, out.d, NULL);
    for (int i = 0; i < out.rank; i++)
        out.count *= (int64_t)out.d[i];
    out.v = calloc((size_t)out.count + 1, sizeof *out.v);
    demand(kept_count < 256, "too many datasets");
    kept[kept_count++] = out.v;
    demand(out.v && H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.v) >= 0,
           "%s: cannot be read", name);
    H5Sclose(space);
    H5Dclose(set);
    return out;
}

__attribute__((unused)) static int verdict(void) {
    return complaints == 0 ? 0 : 1;
}

#endif

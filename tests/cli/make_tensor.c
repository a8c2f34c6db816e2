/* make_tensor OUT.h5: tensors that `explain` must take or refuse, all from one formula, float32 where
 * nothing else is said, of pictures of 128 x 128:
 *   /three [3,3,…], /six [6,3,…] (more than a micro-batch), /flat [3,…], /integers [1,3,…] int32,
 *   /gray [1,1,…], /empty [0,3,…], /nan [1,3,…] */
#include "check.h"

static float *values;

static void add(hid_t file, const char *name, hid_t type, int rank, hsize_t a, hsize_t b) {
    const hsize_t dims[4] = {a, b, 128, 128};
    const hid_t space = H5Screate_simple(rank, rank == 4 ? dims : dims + 1, NULL);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    demand(set >= 0 && (a == 0 || H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                           values) >= 0),
           "%s: cannot be written", name);
    H5Sclose(space);
    H5Dclose(set);
}

int main(int argc, char **argv) {
    demand(argc == 2, "make_tensor OUT.h5");
    const hid_t file = H5Fcreate(argv[1], H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const int count = 18 * 128 * 128;
    values = calloc((size_t)count, sizeof *values);
    demand(file >= 0 && values, "%s: cannot be made", argv[1]);
    for (int i = 0; i < count; i++)
        values[i] = (float)(0.5 + 0.5 * sin(0.37 * i + 0.001 * i / 128 * (i / 49152 + 1)));
    add(file, "three", H5T_IEEE_F32LE, 4, 3, 3);
    add(file, "six", H5T_IEEE_F32LE, 4, 6, 3);
    add(file, "flat", H5T_IEEE_F32LE, 3, 1, 3);
    add(file, "integers", H5T_STD_I32LE, 4, 1, 3);
    add(file, "gray", H5T_IEEE_F32LE, 4, 1, 1);
    add(file, "empty", H5T_IEEE_F32LE, 4, 0, 3);
    values[12345] = NAN;
    add(file, "nan", H5T_IEEE_F32LE, 4, 1, 3);
    demand(H5Fclose(file) >= 0, "%s: cannot be written", argv[1]);
    free(values);
    return 0;
}

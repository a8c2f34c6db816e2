/* check_same A.h5 B.h5: the same datasets with the same bits, NaN and sign of zero included.
 * Guards: sums whose order depends on threads, interruptions or shards. */
#include "check.h"

typedef struct names {
    char text[64][200];
    int count;
} names;

static herr_t add_dataset(hid_t file, const char *name, const H5O_info_t *info, void *ctx) {
    names *list = ctx;
    (void)file;
    if (info->type == H5O_TYPE_DATASET && list->count < 64)
        snprintf(list->text[list->count++], sizeof list->text[0], "%s", name);
    return 0;
}

/* The values in the file's own type, so that no conversion hides a bit. */
static unsigned char *bytes_of(hid_t file, const char *name, size_t *size) {
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    demand(set >= 0, "no dataset %s", name);
    const hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    *size = H5Tget_size(type) * (size_t)H5Sget_simple_extent_npoints(space);
    unsigned char *bytes = calloc(*size + 1, 1);
    demand(bytes && (*size == 0 || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes) >= 0),
           "%s: cannot be read", name);
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
    return bytes;
}

int main(int argc, char **argv) {
    demand(argc == 3, "check_same A.h5 B.h5");
    static names a, b;
    const hid_t fa = open_h5(argv[1]), fb = open_h5(argv[2]);
    H5Ovisit2(fa, H5_INDEX_NAME, H5_ITER_NATIVE, add_dataset, &a, H5O_INFO_BASIC);
    H5Ovisit2(fb, H5_INDEX_NAME, H5_ITER_NATIVE, add_dataset, &b, H5O_INFO_BASIC);
    check(a.count > 0 && a.count == b.count, "%d and %d datasets", a.count, b.count);
    for (int i = 0; i < a.count; i++) {
        size_t na = 0, nb = 0;
        unsigned char *left = bytes_of(fa, a.text[i], &na), *right = bytes_of(fb, a.text[i], &nb);
        check(na == nb && memcmp(left, right, na) == 0, "%s differs", a.text[i]);
        free(left);
        free(right);
    }
    H5Fclose(fa);
    H5Fclose(fb);
    return verdict();
}

/* Files of features as CLAM and TRIDENT write them, made here by HDF5 itself. Guards: the axis of [1,N,D] taken for
 * tiles, a tile's size taken for another's (pixels of the encoder, of level 0), rows of another tile, damage
 * that is read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "store/features.h"

enum { N = 5, D = 3 };

static char folder[64], path[96];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/hlrp-features-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/f.h5", folder);
    return 0;
}

static int drop_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static double value_of(int64_t tile, int64_t d) {
    return (double)(10 * tile + d) + 0.25;
}

/* A file with features of these axes, and coords [count][2] of tile · 100 and 7; their handles are open. */
typedef struct made {
    hid_t file, features, coords;
} made;

static hid_t put(hid_t file, const char *name, hid_t type, int rank, const hsize_t *dims,
                 const double *values) {
    const hid_t space = H5Screate_simple(rank, dims, NULL);
    const hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0);
    assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    return set;
}

static made make(hid_t type, int rank, hsize_t first, hsize_t second, hsize_t third,
                 hsize_t count) {
    const hsize_t dims[3] = {first, second, third}, places[2] = {count, 2};
    double values[2 * N * D], corners[2 * N][2];
    made m;
    for (int i = 0; i < 2 * N * D; i++)
        values[i] = value_of(i / D, i % D);
    for (int t = 0; t < 2 * N; t++) {
        corners[t][0] = 100 * t;
        corners[t][1] = 7;
    }
    m.file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    m.features = put(m.file, "features", type, rank, dims, values);
    m.coords = put(m.file, "coords", H5T_NATIVE_INT64, 2, places, corners[0]);
    return m;
}

static void attribute(hid_t set, const char *name, hid_t type, hsize_t count, const double *value) {
    const hid_t space = count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, NULL);
    const hid_t a = H5Acreate2(set, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(a >= 0 && H5Awrite(a, H5T_NATIVE_DOUBLE, value) >= 0);
    H5Aclose(a);
    H5Sclose(space);
}

static void number(hid_t set, const char *name, double value) {
    attribute(set, name, H5T_NATIVE_DOUBLE, 0, &value);
}

static void done(made m) {
    H5Dclose(m.features);
    H5Dclose(m.coords);
    H5Fclose(m.file);
}

static hlrp_feature_file *opened(void) {
    hlrp_error err = {0};
    hlrp_feature_file *f = NULL;
    if (hlrp_features_open(path, &f, &err) != HLRP_OK)
        fail_msg("%s", err.what);
    return f;
}

static void says(double extent, int64_t size) {
    hlrp_feature_file *f = opened();
    const hlrp_feature_facts *facts = hlrp_features_facts(f);
    assert_int_equal(facts->tiles, N);
    assert_int_equal(facts->width, D);
    assert_true(facts->extent == extent);
    assert_int_equal(facts->size, size);
    hlrp_features_close(f);
}

static void holds_its_tiles(void) {
    hlrp_error err = {0};
    double corners[N][2];
    float values[3 * D];
    hlrp_feature_file *f = opened();
    assert_int_equal(hlrp_features_corners(f, corners[0], &err), HLRP_OK);
    for (int t = 0; t < N; t++)
        assert_true(corners[t][0] == 100 * t && corners[t][1] == 7);
    assert_int_equal(hlrp_features_read(f, 2, 3, values, &err), HLRP_OK);
    for (int i = 0; i < 3 * D; i++)
        assert_true(values[i] == (float)value_of(2 + i / D, i % D));
    assert_int_equal(hlrp_features_read(f, N, 0, values, &err), HLRP_OK);
    assert_int_equal(hlrp_features_read(f, 3, 3, values, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_features_read(f, -1, 1, values, &err), HLRP_E_INTERNAL);
    hlrp_features_close(f);
}

static void trident(void **state) {
    (void)state;
    made m = make(H5T_NATIVE_FLOAT, 3, 1, N, D, N); /* [1,N,D] */
    number(m.coords, "patch_size", 512);
    number(m.coords, "patch_size_level0", 1024);
    done(m);
    says(1024, 512);
    holds_its_tiles();
    done(make(H5T_NATIVE_FLOAT, 2, N, D, 0, N)); /* [N,D], and nothing is said */
    says(0, 0);
    holds_its_tiles();
}

/* CLAM: pixels at the level it read, and how much coarser that is. */
static void clam(void **state) {
    (void)state;
    const double pair[2] = {4.5, 4.5};
    made m = make(H5T_IEEE_F64LE, 2, N, D, 0, N);
    number(m.coords, "patch_size", 256);
    attribute(m.coords, "downsample", H5T_NATIVE_DOUBLE, 2, pair);
    done(m);
    says(1152, 256);
    holds_its_tiles();
    m = make(H5T_NATIVE_FLOAT, 2, N, D, 0, N);
    number(m.coords, "patch_size", 256);
    number(m.coords, "downsample", 2);
    done(m);
    says(512, 256);
}

/* Attributes that say nothing of use are none. */
static void odd_sizes(void **state) {
    (void)state;
    static const double odd[] = {0, -256, NAN, INFINITY, 1e300};
    for (size_t i = 0; i < HLRP_COUNT(odd); i++) {
        made m = make(H5T_NATIVE_FLOAT, 2, N, D, 0, N);
        number(m.coords, "patch_size_level0", odd[i]);
        number(m.coords, "patch_size", 64);
        number(m.coords, "downsample", odd[i]);
        done(m);
        says(0, 64);
    }
}

static void refused(const char *what) {
    hlrp_error err = {0};
    hlrp_feature_file *f = NULL;
    assert_int_equal(hlrp_features_open(path, &f, &err), HLRP_E_INPUT);
    assert_null(f);
    if (!strstr(err.what, what) || !strstr(err.where, "f.h5"))
        fail_msg("%s (%s)", err.what, err.where);
}

static void no_features(void **state) {
    (void)state;
    done(make(H5T_NATIVE_INT32, 2, N, D, 0, N));
    refused("no table of numbers");
    done(make(H5T_NATIVE_FLOAT, 3, 2, N, D, N));
    refused("no table of numbers");
    done(make(H5T_NATIVE_FLOAT, 1, N, 0, 0, N));
    refused("features");
    done(make(H5T_NATIVE_FLOAT, 2, N, D, 0, N - 1));
    refused("features of 5 tiles, but coords [4,2]");
    done(make(H5T_NATIVE_FLOAT, 3, 1, N, D, N + 1));
    refused("features of 5 tiles, but coords [6,2]");
    made m = make(H5T_NATIVE_FLOAT, 2, N, D, 0, N);
    H5Ldelete(m.file, "coords", H5P_DEFAULT);
    done(m);
    refused("coords");
}

static void not_finite(void **state) {
    (void)state;
    hlrp_error err = {0};
    float values[N * D];
    made m = make(H5T_NATIVE_FLOAT, 2, N, D, 0, N);
    double broken[N * D] = {0};
    broken[3 * D + 1] = INFINITY;
    assert_true(H5Dwrite(m.features, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, broken) >=
                0);
    done(m);
    hlrp_feature_file *f = opened();
    assert_int_equal(hlrp_features_read(f, 0, 3, values, &err), HLRP_OK);
    assert_int_equal(hlrp_features_read(f, 2, 2, values, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "tile 3 "));
    hlrp_features_close(f);
}

/* Cut at any length: refused, and never read past the end (which the sanitizers see). */
static void cut(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *bytes = NULL;
    int64_t size = 0;
    done(make(H5T_NATIVE_FLOAT, 2, N, D, 0, N));
    assert_int_equal(hlrp_read_file(path, 1 << 20, &bytes, &size, &err), HLRP_OK);
    for (int64_t n = 0; n < size; n += 37) {
        hlrp_feature_file *f = NULL;
        assert_int_equal(hlrp_write_file(path, bytes, (size_t)n, &err), HLRP_OK);
        assert_int_not_equal(hlrp_features_open(path, &f, &err), HLRP_OK);
        assert_null(f);
    }
    free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, drop_folder)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(trident),     TEST(clam),       TEST(odd_sizes),
                                       TEST(no_features), TEST(not_finite), TEST(cut)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

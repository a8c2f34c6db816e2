/* Whether map and network agree: figures worked out by hand. Guards: tiles without a sign counted as one
 * that fits, the undecided tiles judged, planes mixed up, several slides judged one by one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/agreement.h"

enum { MANY = 5000 };

static char folder[64], path[2][96];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/hlrp-agreement-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    for (int i = 0; i < 2; i++)
        snprintf(path[i], sizeof path[i], "%s/%d.h5", folder, i);
    return 0;
}

static int drop_folder(void **state) {
    (void)state;
    unlink(path[0]);
    unlink(path[1]);
    return rmdir(folder);
}

/* A record of these tiles, opened. */
static hlrp_result *record(const char *name, int64_t tiles, int64_t planes, const double *start,
                           const double *sum, const double *magnitude) {
    static const char *const names[] = {"normal", "tumor"};
    static const int64_t place[MANY];
    static const float none[2 * MANY];
    static const int8_t agrees[2 * MANY]; /* the figures come from the numbers */
    static const uint8_t status[MANY];
    hlrp_error err = {0};
    hlrp_result_writer *w = NULL;
    hlrp_result *r = NULL;
    const hlrp_result_info info = {{8, 8}, {64, 64}, 8,     {1, 1}, tiles, planes,
                                   2,      names,    names, false,  {0}};
    const hlrp_tile_rows rows = {place, place, place,     place,  none,   none,  start,
                                 sum,   sum,   magnitude, agrees, status, {NULL}};
    assert_int_equal(hlrp_result_create(name, &info, &w, &err), HLRP_OK);
    assert_int_equal(hlrp_result_write_tiles(w, 0, tiles, &rows, &err), HLRP_OK);
    assert_int_equal(hlrp_result_commit(w, &err), HLRP_OK);
    assert_int_equal(hlrp_result_open(name, &r, &err), HLRP_OK);
    return r;
}

static void same(const hlrp_agreement *have, hlrp_agreement want) {
    assert_int_equal(have->compared, want.compared);
    assert_int_equal(have->differ, want.differ);
    assert_int_equal(have->clear, want.clear);
    assert_int_equal(have->clear_differ, want.clear_differ);
    assert_true(have->over_start == want.over_start);
    assert_int_equal(have->against, want.against);
    assert_int_equal(have->turned_for, want.turned_for);
    assert_int_equal(have->in_favor, want.in_favor);
    assert_int_equal(have->turned_against, want.turned_against);
}

/* Six tiles, two planes. The last was gated out; the fifth starts at 0. */
static const double STARTS[] = {-4, 3, -2, 2, -1, 1, 0.5, NAN, 0, NAN, NAN, NAN};
static const double SUMS[] = {8, -1, -2, 4, 3, 0, 2, NAN, 5, NAN, NAN, NAN};
static const double ABS[] = {40, 9, 4, 4, 30, 2, 10, NAN, 7, NAN, NAN, NAN};

static void figures_of_a_plane_and_of_all(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_agreement a;
    hlrp_result *r = record(path[0], 6, 2, STARTS, SUMS, ABS);
    /* |start| 0.5 1 2 4: 10th percentile 0.65, so 0.5 is undecided; ratios 2 10 20 30. */
    assert_int_equal(hlrp_agreement_of(r, 0, &a, &err), HLRP_OK);
    same(&a, (hlrp_agreement){4, 2, 3, 2, 15, 3, 2, 1, 0});
    assert_true(hlrp_agreement_share(&a) == 0.5);
    /* |start| 2 3: 2.1; ratios 2 3. The tile whose map sums up to 0 has no sign. */
    assert_int_equal(hlrp_agreement_of(r, 1, &a, &err), HLRP_OK);
    same(&a, (hlrp_agreement){2, 1, 1, 1, 2.5, 0, 0, 2, 1});
    /* |start| 0.5 1 2 2 3 4: 0.75; ratios 2 2 3 10 20 30. */
    assert_int_equal(hlrp_agreement_of(r, -1, &a, &err), HLRP_OK);
    same(&a, (hlrp_agreement){6, 3, 5, 3, 6.5, 3, 2, 3, 1});
    hlrp_result_close(r);
}

static void slides_are_measured_as_one(void **state) {
    (void)state;
    static const double start[] = {10}, sum[] = {-1}, magnitude[] = {1000};
    hlrp_error err = {0};
    hlrp_agreement a;
    hlrp_agreement_measure *m = NULL;
    hlrp_result *r[2] = {record(path[0], 6, 2, STARTS, SUMS, ABS),
                         record(path[1], 1, 1, start, sum, magnitude)};
    assert_int_equal(hlrp_agreement_begin(&m, &err), HLRP_OK);
    for (int pass = 0; pass < HLRP_AGREEMENT_PASSES; pass++) {
        for (int i = 0; i < 2; i++)
            assert_int_equal(hlrp_agreement_add(m, r[i], -1, &err), HLRP_OK);
        hlrp_agreement_next_pass(m);
    }
    hlrp_agreement_end(m, &a);
    /* |start| 0.5 1 2 2 3 4 10: 0.8; ratios 2 2 3 10 20 30 100. */
    same(&a, (hlrp_agreement){7, 4, 6, 4, 10, 3, 2, 4, 2});
    hlrp_agreement_free(m);
    hlrp_result_close(r[0]);
    hlrp_result_close(r[1]);
}

/* More than are read at once: starts 1 … 5000, odd ones against a map of the other sign. The 10th
 * percentile is 500.9: 4500 are clear, and half of them differ. */
static void many_tiles(void **state) {
    (void)state;
    static double start[MANY], sum[MANY], magnitude[MANY];
    hlrp_error err = {0};
    hlrp_agreement a;
    for (int i = 0; i < MANY; i++) {
        start[i] = i + 1;
        sum[i] = i % 2 ? 1 : -1;
        magnitude[i] = 2 * start[i];
    }
    hlrp_result *r = record(path[0], MANY, 1, start, sum, magnitude);
    assert_int_equal(hlrp_agreement_of(r, -1, &a, &err), HLRP_OK);
    same(&a, (hlrp_agreement){5000, 2500, 4500, 2250, 2, 0, 0, 5000, 2500});
    hlrp_result_close(r);
}

/* All starts the same (lrp.start = one): none is less decided than the others. */
static void equal_starts_are_all_clear(void **state) {
    (void)state;
    static const double start[] = {1, 1, 1}, sum[] = {-1, 1, 1}, magnitude[] = {1, 1, 1};
    hlrp_error err = {0};
    hlrp_agreement a;
    hlrp_result *r = record(path[0], 3, 1, start, sum, magnitude);
    assert_int_equal(hlrp_agreement_of(r, -1, &a, &err), HLRP_OK);
    same(&a, (hlrp_agreement){3, 1, 3, 1, 1, 0, 0, 3, 1});
    hlrp_result_close(r);
}

static void nothing_explained(void **state) {
    (void)state;
    static const double none[] = {NAN, NAN};
    hlrp_error err = {0};
    hlrp_agreement a;
    hlrp_result *r = record(path[0], 2, 1, none, none, none);
    assert_int_equal(hlrp_agreement_of(r, -1, &a, &err), HLRP_OK);
    assert_int_equal(a.compared, 0);
    assert_true(isnan(a.over_start) && isnan(hlrp_agreement_share(&a)));
    assert_false(hlrp_agreement_differs(&a) || hlrp_agreement_cancels(&a));
    hlrp_result_close(r);
}

/* A record of an earlier version is read, and says nothing of agreement. */
static void records_of_earlier_versions(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_agreement a;
    hlrp_result *r = NULL;
    char command[400];
    hlrp_result_close(record(path[0], 6, 2, STARTS, SUMS, ABS));
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c 'import h5py, sys\nf = h5py.File(sys.argv[1], \"r+\")\n"
             "del f[\"tiles/relevance_abs\"], f[\"tiles/agrees\"]' '%s' 2>/dev/null",
             path[0]);
    if (system(command) != 0) {
        print_message("skipped: no h5py\n");
        skip();
    }
    assert_int_equal(hlrp_result_open(path[0], &r, &err), HLRP_OK);
    assert_false(hlrp_result_has_agreement(r));
    assert_int_equal(hlrp_agreement_of(r, -1, &a, &err), HLRP_OK);
    assert_int_equal(a.compared, 0);
    hlrp_result_close(r);
}

static void signs_and_thresholds(void **state) {
    (void)state;
    static const double pairs[][3] = {{-2, -1e-9, 1}, {2, 3, 1},    {-2, 1, -1}, {2, -1, -1},
                                      {0, 1, 0},      {1, -0.0, 0}, {NAN, 1, 0}, {1, INFINITY, 0}};
    for (size_t i = 0; i < HLRP_COUNT(pairs); i++)
        assert_int_equal(hlrp_agrees(pairs[i][0], pairs[i][1]), (int)pairs[i][2]);
    assert_true(hlrp_over_start(-2, 7) == 3.5 && isnan(hlrp_over_start(0, 7)));
    assert_false(hlrp_agreement_differs(&(hlrp_agreement){.clear = 100, .clear_differ = 1}));
    assert_true(hlrp_agreement_differs(&(hlrp_agreement){.clear = 100, .clear_differ = 2}));
    assert_false(hlrp_agreement_cancels(&(hlrp_agreement){.over_start = 20}));
    assert_true(hlrp_agreement_cancels(&(hlrp_agreement){.over_start = 20.5}));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(figures_of_a_plane_and_of_all),
        TEST(slides_are_measured_as_one),
        TEST(many_tiles),
        TEST(equal_starts_are_all_clear),
        TEST(nothing_explained),
        TEST(records_of_earlier_versions),
        cmocka_unit_test(signs_and_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

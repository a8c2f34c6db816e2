/* Which tiles of a bag go on to pixels, by magnitudes written down here. Guards: the least instead of the
 * most, signs, an order of equals that qsort decides, tiles that are in no bag, planes nobody asked for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mil/score_internal.h"

enum { T = 8, N = 7, K = 2 };

/* Tile 3 cannot be read. Magnitudes of both planes together: 1, 5, 2, –, 5, 0, 4, 3; of the first 1, 0, 2, …
 */
static double relevance[T][K] = {{-1, 0},  {0, 5}, {2, 0},    {NAN, NAN},
                                 {-3, -2}, {0, 0}, {4, -0.0}, {1, 2}};
static int64_t members[N] = {0, 1, 2, 4, 5, 6, 7};

/* Those that are chosen, as text: '1' or '0' by tile. */
static void chosen(bool mass, double share, bool second_plane, const char *want) {
    hlrp_network head = {.targets.planes = K};
    double start[K] = {1, second_plane ? -1 : NAN};
    bool to_pixels[T] = {0};
    char have[T + 1] = "";
    hlrp_slide_score s = {.head = &head,
                          .tiles = T,
                          .instances = N,
                          .members = members,
                          .start = start,
                          .relevance = relevance[0],
                          .to_pixels = to_pixels};
    const hlrp_mil_pixels pixels = {.mass = mass, .share = share};
    hlrp_error err = {0};
    assert_int_equal(hlrp_score_choose(&pixels, &s, &err), HLRP_OK);
    for (int t = 0; t < T; t++)
        have[t] = to_pixels[t] ? '1' : '0';
    assert_string_equal(have, want);
}

static void none_and_all(void **state) {
    (void)state;
    chosen(false, 0, true, "00000000");
    chosen(false, 1, true, "11101111");
    chosen(true, 1, true, "11101111"); /* also what has no relevance */
}

static void top(void **state) {
    (void)state;
    chosen(false, 1e-9, true, "01000000"); /* one at least, the first of two equals */
    chosen(false, 1.0 / 7, true, "01000000");
    chosen(false, 1.01 / 7, true, "01001000");
    chosen(false, 3.0 / 7, true, "01001010");
    chosen(false, 0.5, true, "01001011");
}

static void mass(void **state) {
    (void)state;
    chosen(true, 1e-9, true, "01000000"); /* of 20: 5, 10, 14, 17, 19, 20 */
    chosen(true, 0.25, true, "01000000");
    chosen(true, 0.26, true, "01001000");
    chosen(true, 0.5, true, "01001000");
    chosen(true, 0.85, true, "01001011");
    chosen(true, 0.96, true, "11101011");
}

static void planes_that_are_explained(void **state) {
    (void)state;
    chosen(false, 1.0 / 7, false,
           "00000010"); /* of the first plane alone: 1, 0, 2, –, 3, 0, 4, 1 */
    chosen(true, 0.6, false, "00001010");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(none_and_all), cmocka_unit_test(top),
                                       cmocka_unit_test(mass),
                                       cmocka_unit_test(planes_that_are_explained)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The synthetic slide as a function of place and seed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "phantom/noise.h"
#include "phantom/phantom.h"

enum { SIDE = 1536 };

static hlrp_phantom_options small(uint64_t seed) {
    hlrp_phantom_options o = hlrp_phantom_defaults();
    o.width = o.height = SIDE;
    o.mpp = 0.5;
    o.seed = seed;
    return o;
}

static void render(const hlrp_phantom_options *o, hlrp_irect rect, uint8_t *rgb, uint8_t *mask) {
    hlrp_error err = {0};
    assert_int_equal(hlrp_phantom_render(o, rect, rgb, mask, &err), HLRP_OK);
}

static void *bytes(size_t n) {
    void *p = malloc(n);
    assert_non_null(p);
    return p;
}

/* Guards: uninitialized or left-over state of a block reaching the pixels. */
static void test_same_seed_same_pixels(void **state) {
    (void)state;
    const size_t n = 3 * 400 * 300;
    hlrp_irect rect = {500, 600, 400, 300};
    uint8_t *a = bytes(n), *b = bytes(n), *ma = bytes(n / 3), *mb = bytes(n / 3);
    hlrp_phantom_options o = small(7);
    render(&o, rect, a, ma);
    render(&o, rect, b, mb);
    assert_memory_equal(a, b, n);
    assert_memory_equal(ma, mb, n / 3);
    o.seed = 8;
    render(&o, rect, b, NULL);
    size_t differ = 0;
    for (size_t i = 0; i < n; i++)
        differ += a[i] != b[i];
    assert_true(differ > n / 2);
    free(a);
    free(b);
    free(ma);
    free(mb);
}

/* Guards: a nucleus cut at the edge of a window or block, noise relative to the window. */
static void test_pixels_do_not_depend_on_the_window(void **state) {
    (void)state;
    const int64_t w = 700, h = 500;
    hlrp_phantom_options o = small(3);
    o.mpp = 0.2527;
    o.pen = true;
    hlrp_irect whole = {-50, 60, w, h}; /* glass and tissue */
    uint8_t *all = bytes((size_t)(3 * w * h)), *mask = bytes((size_t)(w * h));
    render(&o, whole, all, mask);
    const int64_t heights[] = {1, 37, 128, 200, 134};
    int64_t y = 0;
    for (size_t k = 0; k < HLRP_COUNT(heights); k++) {
        hlrp_irect band = {whole.x, whole.y + y, w, heights[k]};
        uint8_t *part = bytes((size_t)(3 * w * band.h)), *pm = bytes((size_t)(w * band.h));
        render(&o, band, part, pm);
        assert_memory_equal(part, all + 3 * w * y, (size_t)(3 * w * band.h));
        assert_memory_equal(pm, mask + w * y, (size_t)(w * band.h));
        y += band.h;
        free(part);
        free(pm);
    }
    assert_int_equal(y, h);
    free(all);
    free(mask);
}

/* Guards: tissue, nuclei or pen beyond the slide; a crash on negative places. */
static void test_beyond_the_slide_is_glass(void **state) {
    (void)state;
    enum { W = 100, H = 1700 };
    uint8_t *rgb = bytes(3 * W * H), *mask = bytes(W * H);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        hlrp_phantom_options o = small(seed);
        o.vignetting = 0;
        o.pen = true;   /* its ring reaches past the slide for some of the seeds */
        o.width = 1500; /* not a multiple of the block: the last blocks reach past it */
        render(&o, seed % 2 ? (hlrp_irect){o.width, -100, W, H} : (hlrp_irect){-W, -100, W, H}, rgb,
               mask);
        for (int i = 0; i < W * H; i++) {
            assert_int_equal(mask[i], 0);
            assert_memory_equal(rgb + 3 * i, rgb, 3);
        }
        assert_true(rgb[0] >= 235);
    }
    free(rgb);
    free(mask);
}

typedef struct census {
    double lymphocytes[2], others[2]; /* by tumor region */
    const uint8_t *rgb, *mask;
    double dark[4], count[4]; /* by kind, at the centers */
    int64_t tumor_hits;
} census;

static void count_cell(void *ctx, const hlrp_phantom_cell *c) {
    census *s = ctx;
    int64_t at = (int64_t)c->y0 * SIDE + (int64_t)c->x0;
    if (c->kind == HLRP_PHANTOM_LYMPHOCYTE)
        s->lymphocytes[c->in_tumor_region]++;
    if (c->kind == HLRP_PHANTOM_TUMOR)
        assert_true(c->in_tumor_region);
    if (c->kind == HLRP_PHANTOM_EPITHELIAL)
        assert_false(c->in_tumor_region);
    if (c->kind == HLRP_PHANTOM_SPINDLE)
        s->others[c->in_tumor_region]++;
    if (!s->rgb)
        return;
    const uint8_t *p = s->rgb + 3 * at;
    s->dark[c->kind] += 255 - (p[0] + p[1] + p[2]) / 3.0;
    s->count[c->kind]++;
    s->tumor_hits += c->kind == HLRP_PHANTOM_TUMOR && s->mask[at] == 255;
}

/* Guards: lymphocytes that tell tumor by themselves. Compared per stromal nucleus, of which both
 * kinds of tissue have alike; over several slides, since lymphocytes come in crowds. */
static void test_lymphocytes_are_alike_in_tumor_and_normal(void **state) {
    (void)state;
    census s = {0};
    for (uint64_t seed = 1; seed <= 4; seed++) {
        hlrp_phantom_options o = small(seed);
        o.width = o.height = 8000;
        hlrp_phantom *p = NULL;
        hlrp_error err = {0};
        assert_int_equal(hlrp_phantom_new(&o, &p, &err), HLRP_OK);
        hlrp_phantom_cells(p, (hlrp_irect){0, 0, o.width, o.height}, count_cell, &s);
        hlrp_phantom_free(p);
    }
    assert_true(s.lymphocytes[0] > 5000 && s.lymphocytes[1] > 5000);
    double normal = s.lymphocytes[0] / s.others[0], tumor = s.lymphocytes[1] / s.others[1];
    assert_true(fabs(tumor / normal - 1) < 0.1);
}

/* Guards: a truth that is not where the nuclei are; tumor nuclei that a threshold would find. */
static void test_truth_lies_on_nuclei_and_darkness_does_not_tell(void **state) {
    (void)state;
    hlrp_phantom_options o = small(5);
    uint8_t *rgb = bytes(3 * SIDE * SIDE), *mask = bytes(SIDE * SIDE);
    hlrp_phantom *p = NULL;
    hlrp_error err = {0};
    assert_int_equal(hlrp_phantom_new(&o, &p, &err), HLRP_OK);
    assert_int_equal(hlrp_phantom_paint(p, (hlrp_irect){0, 0, SIDE, SIDE}, rgb, mask, &err),
                     HLRP_OK);
    census s = {.rgb = rgb, .mask = mask};
    hlrp_phantom_cells(p, (hlrp_irect){0, 0, SIDE, SIDE}, count_cell, &s);
    for (int k = 0; k < 4; k++) {
        assert_true(s.count[k] > 50);
        s.dark[k] /= s.count[k];
    }
    assert_true((double)s.tumor_hits > 0.95 * s.count[HLRP_PHANTOM_TUMOR]);
    assert_true(s.dark[HLRP_PHANTOM_LYMPHOCYTE] > s.dark[HLRP_PHANTOM_TUMOR] + 10);
    assert_true(s.dark[HLRP_PHANTOM_TUMOR] > s.dark[HLRP_PHANTOM_EPITHELIAL]);
    hlrp_phantom_free(p);
    free(rgb);
    free(mask);
}

static double mean_red(const uint8_t *rgb, const uint8_t *mask, uint8_t value, int64_t *count) {
    double sum = 0;
    *count = 0;
    for (int i = 0; i < SIDE * SIDE; i++) {
        if (mask[i] != value || rgb[3 * i + 1] > 215)
            continue;
        sum += rgb[3 * i];
        ++*count;
    }
    return sum / (double)HLRP_MAX(*count, 1);
}

/* Hematoxylin takes red light, eosin hardly: nuclei are darker in red than the tissue around them.
 */
static void test_mask_has_more_hematoxylin_than_the_rest(void **state) {
    (void)state;
    hlrp_phantom_options o = small(5);
    uint8_t *rgb = bytes(3 * SIDE * SIDE), *mask = bytes(SIDE * SIDE);
    render(&o, (hlrp_irect){0, 0, SIDE, SIDE}, rgb, mask);
    int64_t nuclei, rest;
    double inside = mean_red(rgb, mask, 255, &nuclei), outside = mean_red(rgb, mask, 0, &rest);
    assert_true(nuclei > SIDE * SIDE / 1000);
    assert_true(inside + 40 < outside);
    o.normal = true;
    render(&o, (hlrp_irect){0, 0, SIDE, SIDE}, NULL, mask);
    for (int i = 0; i < SIDE * SIDE; i++)
        assert_int_equal(mask[i], 0);
    free(rgb);
    free(mask);
}

/* Guards: nuclei that end at the edge of a block of 128 pixels because the next block draws only
 * its own. Edges are as full of them as any other rows and columns. */
static void test_nuclei_cross_the_edges_of_blocks(void **state) {
    (void)state;
    hlrp_phantom_options o = small(6);
    o.tumor_fraction = 1;
    uint8_t *mask = bytes(SIDE * SIDE);
    render(&o, (hlrp_irect){0, 0, SIDE, SIDE}, NULL, mask);
    double marked[2] = {0}, all[2] = {0};
    for (int i = 0; i < SIDE * SIDE; i++) {
        int x = (i % SIDE + 1) % 128, y = (i / SIDE + 1) % 128;
        int edge = x < 2 || y < 2;
        marked[edge] += mask[i] == 255;
        all[edge]++;
    }
    double ratio = marked[1] / all[1] / (marked[0] / all[0]);
    assert_true(ratio > 0.75 && ratio < 1.25);
    free(mask);
}

static double mean_of(const hlrp_phantom_options *o, uint8_t *rgb) {
    render(o, (hlrp_irect){0, 0, SIDE, SIDE}, rgb, NULL);
    double sum = 0;
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        sum += rgb[i];
    return sum / (3 * SIDE * SIDE);
}

/* Guards: an option that nothing reads. */
static void test_options_show(void **state) {
    (void)state;
    uint8_t *rgb = bytes(3 * SIDE * SIDE);
    hlrp_phantom_options plain = small(2), faint = plain, pen = plain, dim = plain, weak = plain;
    faint.faint = true;
    pen.pen = true;
    dim.vignetting = 0.3;
    weak.stain_strength = 0.7;
    double m = mean_of(&plain, rgb);
    assert_true(mean_of(&faint, rgb) > m + 2);
    assert_true(mean_of(&weak, rgb) > m + 1);
    assert_true(mean_of(&pen, rgb) < m - 0.5);
    assert_true(mean_of(&dim, rgb) < m - 10);
    free(rgb);
}

enum { NEST_WIDTH = 340 /* pixels of 0.5 µm */ };

/* Tumor cells of a slide, gathered in clumps no wider than a nest can be. */
typedef struct clumps {
    double x[100], y[100];
    int count;
    int64_t cells;
} clumps;

static void gather(void *ctx, const hlrp_phantom_cell *c) {
    clumps *s = ctx;
    if (c->kind != HLRP_PHANTOM_TUMOR)
        return;
    s->cells++;
    for (int i = 0; i < s->count; i++)
        if (hypot(c->x0 - s->x[i], c->y0 - s->y[i]) < NEST_WIDTH)
            return;
    assert_true(s->count < (int)HLRP_COUNT(s->x));
    s->x[s->count] = c->x0;
    s->y[s->count++] = c->y0;
}

static bool far_from_all(const clumps *s, int64_t x, int64_t y) {
    for (int i = 0; i < s->count; i++)
        if (hypot((double)x - s->x[i], (double)y - s->y[i]) < NEST_WIDTH + 60)
            return false;
    return true;
}

static clumps tumor_cells(const hlrp_phantom_options *o) {
    hlrp_phantom *p = NULL;
    hlrp_error err = {0};
    clumps found = {0};
    assert_int_equal(hlrp_phantom_new(o, &p, &err), HLRP_OK);
    hlrp_phantom_cells(p, (hlrp_irect){0, 0, SIDE, SIDE}, gather, &found);
    hlrp_phantom_free(p);
    return found;
}

/* Guards: nests in fat or on glass, where no nucleus grows; more of them than were asked for. */
static void test_nests_hold_tumor(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        hlrp_phantom_options o = small(seed);
        o.nests = 1;
        clumps found = tumor_cells(&o);
        assert_int_equal(found.count, 1);
        assert_in_range(found.cells, 8, 100);
        o.nests = 3;
        found = tumor_cells(&o);
        assert_in_range(found.count, 1, 3);
    }
}

/* Guards: tumor beside the nests, or slides that a look at anything but nuclei tells apart. */
static void test_nests_change_nothing_else(void **state) {
    (void)state;
    uint8_t *normal = bytes(3 * SIDE * SIDE), *some = bytes(3 * SIDE * SIDE);
    hlrp_phantom_options o = small(2);
    o.nests = 2;
    const clumps found = tumor_cells(&o);
    render(&o, (hlrp_irect){0, 0, SIDE, SIDE}, some, NULL);
    o.normal = true;
    render(&o, (hlrp_irect){0, 0, SIDE, SIDE}, normal, NULL);
    assert_true(memcmp(some, normal, 3 * SIDE * SIDE) != 0);
    for (int64_t i = 0; i < SIDE * SIDE; i++)
        if (memcmp(some + 3 * i, normal + 3 * i, 3) != 0)
            assert_false(far_from_all(&found, i % SIDE, i / SIDE));
    free(normal);
    free(some);
}

static void refuse(hlrp_phantom_options o, const char *where) {
    hlrp_phantom *p = NULL;
    hlrp_error err = {0};
    assert_int_equal(hlrp_phantom_new(&o, &p, &err), HLRP_E_USAGE);
    assert_null(p);
    assert_non_null(strstr(err.where, where));
    assert_non_null(strstr(err.what, "outside the range"));
}

static void test_options_outside_their_ranges_are_refused(void **state) {
    (void)state;
    hlrp_phantom_options o = small(1);
    o.width = 0;
    refuse(o, "width");
    o = small(1);
    o.height = HLRP_PHANTOM_MAX_SIDE + 1;
    refuse(o, "height");
    o = small(1);
    o.mpp = NAN;
    refuse(o, "mpp");
    o = small(1);
    o.jpeg_quality = 0;
    refuse(o, "quality");
    o = small(1);
    o.tumor_fraction = 1.5;
    refuse(o, "tumor");
    o = small(1);
    o.stain_strength = -1;
    refuse(o, "stain");
    o = small(1);
    o.vignetting = 0.6;
    refuse(o, "vignetting");
    o = small(1);
    o.nests = HLRP_PHANTOM_MAX_NESTS + 1;
    refuse(o, "nests");
    o.nests = -1;
    refuse(o, "nests");
}

/* The numbers every slide hangs on: a change here changes all slides. */
static void test_hash_and_noise_stay_as_they_are(void **state) {
    (void)state;
    assert_true(hlrp_phantom_hash(1, 2, 3) == UINT64_C(15454429743513283780));
    assert_true(hlrp_phantom_mix(1, 2, 3) == 4195006808U);
    assert_true(hlrp_phantom_noise(9, 5, 7) == 0);
    double sum = 0, squares = 0;
    const int n = 20000;
    for (int i = 0; i < n; i++) {
        double v = hlrp_phantom_noise(4, 0.37 * i, 0.21 * i);
        assert_true(fabs(v) <= 0.7072);
        sum += v;
        squares += v * v;
    }
    assert_true(fabs(sum / n) < 0.02);
    assert_true(fabs(sqrt(squares / n) - 0.25) < 0.04);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_same_pixels),
        cmocka_unit_test(test_pixels_do_not_depend_on_the_window),
        cmocka_unit_test(test_beyond_the_slide_is_glass),
        cmocka_unit_test(test_lymphocytes_are_alike_in_tumor_and_normal),
        cmocka_unit_test(test_truth_lies_on_nuclei_and_darkness_does_not_tell),
        cmocka_unit_test(test_mask_has_more_hematoxylin_than_the_rest),
        cmocka_unit_test(test_nuclei_cross_the_edges_of_blocks),
        cmocka_unit_test(test_options_show),
        cmocka_unit_test(test_nests_hold_tumor),
        cmocka_unit_test(test_nests_change_nothing_else),
        cmocka_unit_test(test_options_outside_their_ranges_are_refused),
        cmocka_unit_test(test_hash_and_noise_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

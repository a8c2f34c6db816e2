/* The model of glass, black pen, and fat whose walls have no color left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "region/tissue.h"
#include "unit/region/scene.h"

enum { CELLS = 1000 };

/* The first `split` cells in one color, the others in another. */
static hlrp_glass glass_of(uint8_t rgb[CELLS * 3], const uint8_t a[3], const uint8_t b[3],
                           int split) {
    static const uint8_t skip[CELLS];
    hlrp_glass glass;
    for (int i = 0; i < CELLS; i++)
        memcpy(rgb + 3 * i, i < split ? a : b, 3);
    hlrp_glass_find(rgb, skip, CELLS, 30, &glass);
    return glass;
}

/* Lamps fade towards the corners of each field of view; the glass there stays glass. */
static void tinted_glass_is_glass_in_any_light(void **unused) {
    (void)unused;
    const uint8_t tint[3] = {240, 246, 232}, dim[3] = {180, 185, 174}, pale[3] = {232, 214, 222};
    uint8_t rgb[CELLS * 3];
    hlrp_glass glass = glass_of(rgb, tint, EOSIN, 600);
    assert_true(glass.found);
    assert_true(hlrp_glass_distance(&glass, tint) < 1);
    assert_true(hlrp_glass_distance(&glass, dim) < 1.5);
    assert_true(hlrp_glass_distance(&glass, pale) > 20);
}

/* Compression makes two colors of one glass: taking the second for tissue would take half of the
 * glass. */
static void glass_may_have_two_colors(void **unused) {
    (void)unused;
    const uint8_t one[3] = {243, 243, 243}, other[3] = {247, 241, 236};
    uint8_t rgb[CELLS * 3];
    hlrp_glass glass = glass_of(rgb, one, other, 700);
    assert_int_equal(glass.colors, 2);
    assert_true(hlrp_glass_distance(&glass, one) < 1);
    assert_true(hlrp_glass_distance(&glass, other) < 1);
}

/* Pale tissue may cover more of a slide than its glass does. */
static void pale_tissue_is_not_the_glass(void **unused) {
    (void)unused;
    const uint8_t white[3] = {244, 244, 244}, pale[3] = {240, 220, 234};
    uint8_t rgb[CELLS * 3];
    hlrp_glass glass = glass_of(rgb, white, pale, 300);
    assert_true(glass.found);
    assert_true(hlrp_glass_distance(&glass, white) < 1);
    assert_true(hlrp_glass_distance(&glass, pale) > 15);
}

static void no_glass_is_no_glass(void **unused) {
    (void)unused;
    uint8_t rgb[CELLS * 3];
    assert_false(glass_of(rgb, EOSIN, NUCLEUS, 500).found);
    assert_false(glass_of(rgb, BLACK, BLACK, 500).found);
}

static void spread_is_measured_where_no_stain_is(void **unused) {
    (void)unused;
    static const uint8_t skip[CELLS];
    const uint8_t white[3] = {240, 240, 240}, green[3] = {233, 240, 236}, pink[3] = {240, 224, 236};
    uint8_t rgb[CELLS * 3];
    hlrp_glass glass = {.found = true, .colors = 1, .gain = {{1, 1, 1}}};
    glass_of(rgb, white, pink, 800);
    assert_int_equal(hlrp_glass_spread(&glass, rgb, skip, CELLS, 30), 0);
    glass_of(rgb, white, green, 800);
    assert_int_equal(hlrp_glass_spread(&glass, rgb, skip, CELLS, 30), 7);
}

static double at(const hlrp_region *region, int64_t x, int64_t y) {
    return hlrp_region_coverage(region, (hlrp_rect){(double)x, (double)y, 1, 1});
}

static hlrp_region *detect(scene *s, hlrp_pen pen) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    hlrp_tissue_options options;
    hlrp_tissue_defaults(&options);
    options.pen = pen;
    assert_non_null(scene_open(s));
    assert_int_equal(
        hlrp_region_new_tissue(s->slide, (hlrp_mpp){SCENE_MPP, SCENE_MPP}, &options, &region, &err),
        HLRP_OK);
    return region;
}

/* Black ink has no hue to be known by, and its saturation is noise. */
static void black_pen_is_dropped_when_asked(void **unused) {
    (void)unused;
    const uint8_t black_ink[3] = {104, 100, 112};
    scene *s = scene_new(600, 400, GLASS, HLRP_CELL_GLASS);
    scene_disk(s, 200, 200, 120, EOSIN, HLRP_CELL_TISSUE, true);
    scene_rect(s, (hlrp_irect){400, 20, 60, 360}, black_ink, HLRP_CELL_PEN);
    hlrp_region *region = detect(s, HLRP_PEN_DROP);
    const hlrp_mask *m = hlrp_region_mask(region);
    assert_int_equal(m->kind[(int64_t)(200 / m->cell_h) * m->w + (int64_t)(430 / m->cell_w)],
                     HLRP_CELL_PEN);
    assert_float_equal(at(region, 430, 200), 0, 0);
    assert_float_equal(at(region, 200, 200), 1, 0);
    hlrp_region_free(region);
    scene_free(s);
}

/* Wide fat beside tissue: grey walls 8 µm wide, 56 µm apart, empty in between. The same net far
 * from any stain is a scratched cover glass. */
static void walls_of_fat_are_tissue_scratches_are_not(void **unused) {
    (void)unused;
    const uint8_t wall[3] = {224, 222, 225};
    scene *s = scene_new(800, 500, GLASS, HLRP_CELL_GLASS);
    scene_rect(s, (hlrp_irect){40, 100, 100, 300}, EOSIN, HLRP_CELL_TISSUE);
    for (int i = 0; i < 20; i++) {
        scene_rect(s, (hlrp_irect){140, 110 + 14 * i, 268, 2}, wall, HLRP_CELL_TISSUE);
        scene_rect(s, (hlrp_irect){140 + 14 * i, 110, 2, 268}, wall, HLRP_CELL_TISSUE);
    }
    for (int i = 0; i < 10; i++)
        scene_rect(s, (hlrp_irect){600, 110 + 14 * i, 140, 2}, wall, HLRP_CELL_GLASS);
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    assert_float_equal(at(region, 287, 257), 1, 0); /* empty cells of fat */
    assert_float_equal(at(region, 357, 187), 1, 0);
    assert_float_equal(at(region, 670, 200), 0, 0);
    assert_float_equal(at(region, 500, 250), 0, 0);
    hlrp_region_free(region);
    scene_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tinted_glass_is_glass_in_any_light),
        cmocka_unit_test(glass_may_have_two_colors),
        cmocka_unit_test(pale_tissue_is_not_the_glass),
        cmocka_unit_test(no_glass_is_no_glass),
        cmocka_unit_test(spread_is_measured_where_no_stain_is),
        cmocka_unit_test(black_pen_is_dropped_when_asked),
        cmocka_unit_test(walls_of_fat_are_tissue_scratches_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

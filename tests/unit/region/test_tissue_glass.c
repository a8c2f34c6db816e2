/* The model of glass, pen over tissue, fat whose walls have no color left, and what compression does
 * beside tissue. */
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
    hlrp_error err = {0};
    assert_int_equal(hlrp_glass_find(rgb, skip, (hlrp_size){CELLS / 10, 10}, 30, &glass, &err),
                     HLRP_OK);
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

static double share_in(const hlrp_region *region, hlrp_irect r) {
    return hlrp_region_coverage(region,
                                (hlrp_rect){(double)r.x, (double)r.y, (double)r.w, (double)r.h});
}

/* ---- glass that has more color than pale stain elsewhere ---- */

/* A color behind glass that lets these shares of red, green and blue through. */
static const uint8_t *behind(const uint8_t rgb[3], const double tint[3], uint8_t out[3]) {
    for (int c = 0; c < 3; c++)
        out[c] = (uint8_t)(rgb[c] * tint[c] + 0.5);
    return out;
}

/* Yellowed mountant, green and blue cover glass: saturations of 53, 42 and 48 where 30 is the ceiling.
 * Guards: everything taken for tissue, without a word; what was not scanned (pure white, more of the
 * slide than its glass is) taken for the glass, or for tissue. */
static void yellowed_glass_is_glass(void **unused) {
    (void)unused;
    const double tints[][3] = {{0.98, 0.93, 0.78}, {0.82, 0.96, 0.86}, {0.8, 0.9, 0.98}};
    for (size_t i = 0; i < HLRP_COUNT(tints); i++) {
        uint8_t glass[3], stain[3], pale[3];
        scene *s = scene_new(600, 400, behind(GLASS, tints[i], glass), HLRP_CELL_GLASS);
        scene_disk(s, 400, 120, 90, behind(EOSIN, tints[i], stain), HLRP_CELL_TISSUE, true);
        scene_disk(s, 400, 310, 80, behind(PALE, tints[i], pale), HLRP_CELL_TISSUE, false);
        for (int64_t y = 0; y < 400; y++)
            memset(s->rgb + 3 * 600 * y, 255, 250 * 3);
        hlrp_region *region = detect(s, HLRP_PEN_KEEP);
        assert_float_equal(share_in(region, (hlrp_irect){340, 70, 120, 100}), 1, 0);
        assert_float_equal(share_in(region, (hlrp_irect){350, 270, 100, 80}), 1, 0);
        assert_float_equal(share_in(region, (hlrp_irect){270, 10, 30, 380}), 0, 0);
        assert_float_equal(share_in(region, (hlrp_irect){500, 10, 90, 380}), 0, 0);
        assert_float_equal(share_in(region, (hlrp_irect){0, 0, 250, 400}), 0, 0.001);
        hlrp_region_free(region);
        scene_free(s);
    }
}

static void white_of(scene *s, double white[3], bool *tinted) {
    static const uint8_t skip[600 * 400];
    hlrp_error err = {0};
    assert_int_equal(hlrp_white_find(s->rgb, skip, s->size, white, tinted, &err), HLRP_OK);
}

/* By hand: what makes (235, 225, 190) as much red and blue as green. */
static void white_is_measured(void **unused) {
    (void)unused;
    const uint8_t yellow[3] = {235, 225, 190};
    double white[3];
    bool tinted = false;
    scene *s = scene_new(600, 400, yellow, HLRP_CELL_GLASS);
    white_of(s, white, &tinted);
    assert_true(tinted);
    assert_float_equal(white[0], 225.0 / 235, 0.01);
    assert_float_equal(white[1], 1, 0);
    assert_float_equal(white[2], 225.0 / 190, 0.01);
    scene_free(s);
}

/* Guards: yellow tissue (saffron, pigment, pale DAB) that covers more than the glass taken for it:
 * beside white glass however little that is, or where glass is overexposed and yellow has texture;
 * and anything that is pink, or dark. */
static void what_is_no_tinted_glass(void **unused) {
    (void)unused;
    const uint8_t saffron[3] = {230, 205, 160}, rose[3] = {240, 205, 225},
                  dark[3] = {140, 130, 100}, white[3] = {255, 255, 255}, paler[3] = {244, 228, 200};
    double gain[3];
    for (int i = 0; i < 4; i++) {
        bool tinted = true;
        scene *s = scene_new(600, 400, i == 0 ? GLASS : white, HLRP_CELL_GLASS);
        const hlrp_irect most = {0, 40, 600, 360};
        scene_rect(s, most, i == 2 ? rose : i == 3 ? dark : saffron, HLRP_CELL_TISSUE);
        for (int64_t k = 0; i == 1 && k < 600; k += 4) /* fibers */
            scene_rect(s, (hlrp_irect){k, 40, 2, 360}, paler, HLRP_CELL_TISSUE);
        for (int64_t k = 0; i == 3 && k < 100; k++)
            scene_rect(s, (hlrp_irect){6 * k, 0, 3, 40}, EOSIN, HLRP_CELL_TISSUE);
        white_of(s, gain, &tinted);
        if (tinted)
            fail_msg("slide %d is taken for tinted", i);
        scene_free(s);
    }
}

/* ---- what is said of a result ---- */

/* A disk of this radius, on glass and in its own color. */
static void assert_doubt(double radius, const uint8_t glass[3], const uint8_t color[3],
                         const char *said) {
    char text[400];
    scene *s = scene_new(600, 400, glass, HLRP_CELL_GLASS);
    scene_disk(s, 300, 200, radius, color, HLRP_CELL_TISSUE, false);
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    assert_int_equal(hlrp_region_doubt(region, text, sizeof text), said[0] != '\0');
    assert_string_equal(text, said);
    hlrp_region_free(region);
    scene_free(s);
}

static void doubts_are_said(void **unused) {
    (void)unused;
    const uint8_t grey[3] = {120, 120, 120}, white[3] = {250, 250, 250};
    hlrp_error err = {0};
    hlrp_region *all = NULL;
    char text[400];
    assert_doubt(
        400, GLASS, EOSIN,
        "100.0 % of the slide is taken for tissue: if there is glass, raise "
        "regions.tissue_saturation_floor and regions.tissue_saturation_ceiling (red ink is "
        "not told from stain)");
    assert_doubt(
        0, GLASS, EOSIN,
        "0 % of the slide is taken for tissue: if there is more, lower "
        "regions.tissue_saturation_floor (pale stain) or regions.tissue_min_object_um (small "
        "pieces)");
    assert_doubt(
        100, white, grey,
        "the slide has no color, by which tissue is told from glass: set regions.source to "
        "all, annotation or mask");
    assert_doubt(100, GLASS, EOSIN, "");
    assert_int_equal(hlrp_region_new_all((hlrp_size){600, 400}, &all, &err), HLRP_OK);
    assert_false(hlrp_region_doubt(all, text, sizeof text)); /* asked for */
    hlrp_region_free(all);
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

/* What Beer and Lambert leave of a color under ink. */
static void scene_ink(scene *s, hlrp_irect r, const double density[3]) {
    for (int64_t y = r.y; y < r.y + r.h; y++)
        for (int64_t x = r.x; x < r.x + r.w; x++)
            for (int c = 0; c < 3; c++) {
                uint8_t *p = s->rgb + 3 * (y * s->size.w + x) + c;
                *p = (uint8_t)(*p * exp(-density[c]) + 0.5);
            }
}

/* Over eosin blue ink is violet: three quarters of it stayed. It begins on glass. */
static void ink_over_tissue_is_dropped(void **unused) {
    (void)unused;
    const uint8_t strong[3] = {200, 90, 150};
    const double inks[][3] = {{0.8, 0.5, 0.1}, {0.8, 0.2, 0.5}, {0.8, 0.8, 0.75}};
    for (size_t i = 0; i < HLRP_COUNT(inks); i++) {
        scene *s = scene_new(600, 400, GLASS, HLRP_CELL_GLASS);
        scene_disk(s, 370, 200, 160, strong, HLRP_CELL_TISSUE, true);
        scene_ink(s, (hlrp_irect){40, 180, 460, 50}, inks[i]);
        hlrp_region *region = detect(s, HLRP_PEN_DROP);
        assert_float_equal(share_in(region, (hlrp_irect){240, 185, 250, 40}), 0, 0.02);
        assert_float_equal(share_in(region, (hlrp_irect){300, 60, 150, 110}), 1, 0.001);
        assert_float_equal(share_in(region, (hlrp_irect){300, 240, 150, 100}), 1, 0.001);
        hlrp_region_free(region);
        scene_free(s);
    }
}

/* A stroke from glass to the middle of a piece of tissue. */
static scene *stroke_into(const uint8_t tissue[3], const double density[3]) {
    scene *s = scene_new(600, 400, GLASS, HLRP_CELL_GLASS);
    scene_disk(s, 370, 200, 160, tissue, HLRP_CELL_TISSUE, false);
    scene_ink(s, (hlrp_irect){40, 180, 300, 50}, density);
    return s;
}

static const hlrp_irect ON_STROKE = {120, 190, 80, 30}, ABOVE_STROKE = {300, 60, 150, 110},
                        PAST_STROKE = {360, 185, 150, 40};

/* Tissue may be as dark in red as pale ink is; a stroke must not run out into it. */
static void dense_tissue_beside_pale_ink_is_kept(void **unused) {
    (void)unused;
    const uint8_t dense[3] = {150, 90, 160};
    scene *s = stroke_into(dense, (const double[3]){0.7, 0.45, 0.1});
    hlrp_region *region = detect(s, HLRP_PEN_DROP);
    assert_float_equal(share_in(region, ON_STROKE), 0, 0);
    assert_float_equal(share_in(region, ABOVE_STROKE), 1, 0.001);
    assert_float_equal(share_in(region, PAST_STROKE), 1, 0.001);
    hlrp_region_free(region);
    scene_free(s);
}

/* A nest as dark as the ink, but narrower than a stroke. */
static void a_narrow_nest_beside_ink_is_kept(void **unused) {
    (void)unused;
    scene *s = stroke_into(EOSIN, (const double[3]){0.8, 0.5, 0.1});
    scene_rect(s, (hlrp_irect){310, 100, 14, 80}, NUCLEUS, HLRP_CELL_TISSUE);
    hlrp_region *region = detect(s, HLRP_PEN_DROP);
    assert_float_equal(share_in(region, (hlrp_irect){310, 100, 14, 65}), 1, 0.01);
    hlrp_region_free(region);
    scene_free(s);
}

/* Where inks, or ink and tissue, mix, some cells are pen of another color and paler than the
 * stroke: following these dropped a quarter of the epidermis beside it. */
static void a_few_cells_of_another_ink_say_nothing(void **unused) {
    (void)unused;
    const uint8_t dense[3] = {120, 80, 150}, pale_black[3] = {140, 136, 142};
    scene *s = stroke_into(dense, (const double[3]){1.2, 0.75, 0.15});
    scene_rect(s, (hlrp_irect){100, 200, 14, 14}, pale_black, HLRP_CELL_PEN);
    hlrp_region *region = detect(s, HLRP_PEN_DROP);
    assert_float_equal(share_in(region, ON_STROKE), 0, 0);
    assert_float_equal(share_in(region, ABOVE_STROKE), 1, 0.001);
    assert_float_equal(share_in(region, PAST_STROKE), 1, 0.001);
    hlrp_region_free(region);
    scene_free(s);
}

/* A spot of ink's color is pigment; a stroke's soft edge is pen. */
static void spots_are_no_pen_soft_edges_are(void **unused) {
    (void)unused;
    const uint8_t soft[3] = {190, 200, 236};
    scene *s = stroke_into(EOSIN, (const double[3]){0.8, 0.5, 0.1});
    scene_rect(s, (hlrp_irect){400, 100, 20, 20}, BLUE_PEN, HLRP_CELL_TISSUE);
    scene_rect(s, (hlrp_irect){40, 230, 160, 4}, soft, HLRP_CELL_PEN);
    hlrp_region *region = detect(s, HLRP_PEN_DROP);
    const hlrp_mask *m = hlrp_region_mask(region);
    assert_float_equal(share_in(region, (hlrp_irect){400, 100, 20, 20}), 1, 0);
    assert_int_equal(m->kind[(int64_t)(232 / m->cell_h) * m->w + (int64_t)(120 / m->cell_w)],
                     HLRP_CELL_PEN);
    hlrp_region_free(region);
    scene_free(s);
}

/* A stroke along the edge of a fat cell opens it: it must be filled as any other. */
static void a_hole_between_tissue_and_pen_is_filled(void **unused) {
    (void)unused;
    scene *s = scene_new(600, 400, GLASS, HLRP_CELL_GLASS);
    scene_disk(s, 300, 200, 160, EOSIN, HLRP_CELL_TISSUE, true);
    scene_disk(s, 300, 170, 20, GLASS, HLRP_CELL_TISSUE, false);
    scene_rect(s, (hlrp_irect){40, 180, 520, 50}, BLUE_PEN, HLRP_CELL_PEN);
    hlrp_region *region = detect(s, HLRP_PEN_DROP);
    assert_float_equal(share_in(region, (hlrp_irect){290, 155, 20, 15}), 1, 0);
    assert_float_equal(at(region, 300, 200), 0, 0);
    hlrp_region_free(region);
    scene_free(s);
}

/* JPEG keeps color in blocks of 16 pixels, brightness in blocks of 8: at quality 15 the color of
 * tissue lay on glass beside it, and 4 % of the glass was taken. */
static void color_without_darkness_is_glass(void **unused) {
    (void)unused;
    const uint8_t bled[3] = {255, 234, 250}; /* as bright as GLASS */
    const uint8_t faint[3] = {240, 220, 234};
    const hlrp_irect beside = {300, 100, 12, 200}, apart = {304, 104, 8, 192};
    for (int i = 0; i < 2; i++) {
        scene *s = scene_new(600, 400, GLASS, HLRP_CELL_GLASS);
        scene_rect(s, (hlrp_irect){100, 100, 200, 200}, faint, HLRP_CELL_TISSUE);
        scene_rect(s, beside, i == 0 ? bled : faint, HLRP_CELL_GLASS);
        hlrp_region *region = detect(s, HLRP_PEN_KEEP);
        assert_float_equal(share_in(region, apart), i, 0.1);
        assert_float_equal(share_in(region, (hlrp_irect){100, 104, 192, 192}), 1, 0.01);
        hlrp_region_free(region);
        scene_free(s);
    }
}

/* Compression draws dark lines beside an edge: they are no walls of fat. */
static void ringing_beside_tissue_is_glass(void **unused) {
    (void)unused;
    const uint8_t dark[3] = {225, 224, 226};
    scene *s = scene_new(600, 400, GLASS, HLRP_CELL_GLASS);
    scene_rect(s, (hlrp_irect){100, 100, 200, 200}, EOSIN, HLRP_CELL_TISSUE);
    scene_rect(s, (hlrp_irect){306, 100, 2, 200}, dark, HLRP_CELL_GLASS);
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    assert_float_equal(share_in(region, (hlrp_irect){302, 110, 10, 180}), 0, 0.01);
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
        cmocka_unit_test(yellowed_glass_is_glass),
        cmocka_unit_test(white_is_measured),
        cmocka_unit_test(what_is_no_tinted_glass),
        cmocka_unit_test(doubts_are_said),
        cmocka_unit_test(black_pen_is_dropped_when_asked),
        cmocka_unit_test(walls_of_fat_are_tissue_scratches_are_not),
        cmocka_unit_test(ink_over_tissue_is_dropped),
        cmocka_unit_test(dense_tissue_beside_pale_ink_is_kept),
        cmocka_unit_test(a_narrow_nest_beside_ink_is_kept),
        cmocka_unit_test(a_few_cells_of_another_ink_say_nothing),
        cmocka_unit_test(spots_are_no_pen_soft_edges_are),
        cmocka_unit_test(a_hole_between_tissue_and_pen_is_filled),
        cmocka_unit_test(color_without_darkness_is_glass),
        cmocka_unit_test(ringing_beside_tissue_is_glass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

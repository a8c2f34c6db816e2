/* Tissue detection on painted slides with known truth, on hostile ones, and on real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "unit/region/scene.h"

static hlrp_region *detect(scene *s, hlrp_pen pen) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    hlrp_tissue_options options;
    hlrp_tissue_defaults(&options);
    options.pen = pen;
    assert_non_null(scene_open(s));
    hlrp_status status =
        hlrp_region_new_tissue(s->slide, (hlrp_mpp){SCENE_MPP, SCENE_MPP}, &options, &region, &err);
    if (status != HLRP_OK)
        fail_msg("%s", err.what);
    return region;
}

static double at(const hlrp_region *region, int64_t x, int64_t y) {
    return hlrp_region_coverage(region, (hlrp_rect){(double)x, (double)y, 1, 1});
}

/* Share of the pixels painted as `kind` that the region has. */
static double share_of(const scene *s, const hlrp_region *region, int kind) {
    double sum = 0, n = 0;
    for (int64_t y = 0; y < s->size.h; y++) {
        for (int64_t x = 0; x < s->size.w; x++) {
            if (s->truth[y * s->size.w + x] != kind)
                continue;
            sum += at(region, x, y);
            n++;
        }
    }
    assert_true(n > 0);
    return sum / n;
}

static scene *two_pieces(void) {
    scene *s = scene_new(1000, 700, GLASS, HLRP_CELL_GLASS);
    scene_disk(s, 330, 340, 210, EOSIN, HLRP_CELL_TISSUE, true);
    scene_disk(s, 760, 400, 150, PALE, HLRP_CELL_TISSUE, false);
    return s;
}

static void finds_tissue_and_leaves_glass(void **unused) {
    (void)unused;
    scene *s = two_pieces();
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    assert_true(share_of(s, region, HLRP_CELL_TISSUE) >= 0.98);
    assert_true(share_of(s, region, HLRP_CELL_GLASS) <= 0.02);
    hlrp_region_free(region);
    scene_free(s);
}

/* Fat dissolves when slides are made: its cells are empty, but they are tissue. A gland's wide
 * lumen or a tear is not. */
static void enclosed_fat_is_tissue_a_wide_hole_is_not(void **unused) {
    (void)unused;
    scene *s = scene_new(800, 600, GLASS, HLRP_CELL_GLASS);
    scene_disk(s, 300, 300, 240, EOSIN, HLRP_CELL_TISSUE, true);
    for (int i = 0; i < 6; i++) /* 144 µm across */
        scene_disk(s, 150 + 40 * i, 200, 18, GLASS, HLRP_CELL_TISSUE, false);
    scene_disk(s, 300, 400, 75, GLASS, HLRP_CELL_GLASS, false); /* 600 µm across */
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    assert_float_equal(at(region, 150, 200), 1, 0);
    assert_float_equal(at(region, 300, 400), 0, 0);
    assert_true(share_of(s, region, HLRP_CELL_TISSUE) >= 0.98);
    assert_true(share_of(s, region, HLRP_CELL_GLASS) <= 0.02);
    hlrp_region_free(region);
    scene_free(s);
}

static void dust_is_dropped(void **unused) {
    (void)unused;
    scene *s = two_pieces();
    for (int i = 0; i < 8; i++) /* 120 µm across, far apart */
        scene_disk(s, 60 + 110 * i, 40, 15, EOSIN, HLRP_CELL_GLASS, false);
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    for (int i = 0; i < 8; i++)
        assert_float_equal(at(region, 60 + 110 * i, 40), 0, 0);
    assert_float_equal(at(region, 330, 340), 1, 0);
    hlrp_region_free(region);
    scene_free(s);
}

static scene *with_pen(const uint8_t color[3]) {
    scene *s = two_pieces();
    scene_rect(s, (hlrp_irect){0, 620, 1000, 50}, color, HLRP_CELL_PEN); /* on glass */
    scene_rect(s, (hlrp_irect){300, 0, 40, 400}, color, HLRP_CELL_PEN);  /* into tissue */
    return s;
}

static void pen_is_dropped_when_asked(void **unused) {
    (void)unused;
    const uint8_t *const colors[] = {BLUE_PEN, GREEN_PEN};
    for (size_t i = 0; i < HLRP_COUNT(colors); i++) {
        scene *s = with_pen(colors[i]);
        hlrp_region *region = detect(s, HLRP_PEN_DROP);
        assert_true(share_of(s, region, HLRP_CELL_PEN) <= 0.02);
        assert_true(share_of(s, region, HLRP_CELL_TISSUE) >= 0.98);
        assert_true(share_of(s, region, HLRP_CELL_GLASS) <= 0.02);
        const hlrp_mask *m = hlrp_region_mask(region);
        int64_t on_pen = (int64_t)(645 / m->cell_h) * m->w + (int64_t)(500 / m->cell_w);
        assert_int_equal(m->kind[on_pen], HLRP_CELL_PEN);
        hlrp_region_free(region);
        scene_free(s);
    }
}

static void pen_is_kept_otherwise(void **unused) {
    (void)unused;
    scene *s = with_pen(BLUE_PEN);
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    assert_true(share_of(s, region, HLRP_CELL_PEN) >= 0.98);
    hlrp_region_free(region);
    scene_free(s);
}

/* Hematoxylin must never pass for blue pen: lymph nodes would vanish. */
static void dense_nuclei_are_not_pen(void **unused) {
    (void)unused;
    scene *s = scene_new(600, 400, GLASS, HLRP_CELL_GLASS);
    scene_disk(s, 300, 200, 150, NUCLEUS, HLRP_CELL_TISSUE, false);
    hlrp_region *region = detect(s, HLRP_PEN_DROP);
    assert_true(share_of(s, region, HLRP_CELL_TISSUE) >= 0.98);
    hlrp_region_free(region);
    scene_free(s);
}

/* Black where nothing was scanned, dark grey at the holder's edge: neither is tissue, and neither
 * may move the threshold. */
static void black_and_shadow_are_padding(void **unused) {
    (void)unused;
    const uint8_t shadow[3] = {70, 62, 66}, nearly_black[3] = {3, 0, 1}; /* its saturation is 255 */
    scene *s = two_pieces();
    scene_rect(s, (hlrp_irect){0, 0, 1000, 60}, BLACK, HLRP_CELL_PADDING);
    scene_rect(s, (hlrp_irect){0, 60, 40, 640}, shadow, HLRP_CELL_PADDING);
    scene_rect(s, (hlrp_irect){960, 60, 40, 640}, nearly_black, HLRP_CELL_PADDING);
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    assert_float_equal(share_of(s, region, HLRP_CELL_PADDING), 0, 0);
    assert_true(share_of(s, region, HLRP_CELL_TISSUE) >= 0.98);
    assert_true(share_of(s, region, HLRP_CELL_GLASS) <= 0.02);
    assert_int_equal(hlrp_region_mask(region)->kind[0], HLRP_CELL_PADDING);
    hlrp_region_free(region);
    scene_free(s);
}

/* Otsu alone splits such a slide in pale and strong tissue and drops the pale half. */
static void a_slide_that_is_all_tissue_is_kept_whole(void **unused) {
    (void)unused;
    const uint8_t strong[3] = {200, 60, 130};
    scene *s = scene_new(600, 400, EOSIN, HLRP_CELL_TISSUE);
    scene_rect(s, (hlrp_irect){300, 0, 300, 400}, strong, HLRP_CELL_TISSUE);
    hlrp_region *region = detect(s, HLRP_PEN_KEEP);
    assert_float_equal(hlrp_region_share(region), 1, 0);
    hlrp_region_free(region);
    scene_free(s);
}

static double share_of_plain(int64_t w, int64_t h, const uint8_t color[3]) {
    scene *s = scene_new(w, h, color, 0);
    hlrp_region *region = detect(s, HLRP_PEN_DROP);
    double share = hlrp_region_share(region);
    assert_int_equal(hlrp_region_is_empty(region), share <= 0);
    hlrp_region_free(region);
    scene_free(s);
    return share;
}

static void hostile_slides_have_a_result(void **unused) {
    (void)unused;
    const uint8_t white[3] = {255, 255, 255}, grey[3] = {128, 128, 128}, tint[3] = {246, 243, 229};
    const struct {
        int64_t w, h;
    } sizes[] = {{1, 1}, {2, 1}, {1, 700}, {30, 30}, {501, 3}, {400, 300}};
    for (size_t i = 0; i < HLRP_COUNT(sizes); i++) {
        int64_t w = sizes[i].w, h = sizes[i].h;
        assert_float_equal(share_of_plain(w, h, white), 0, 0);
        assert_float_equal(share_of_plain(w, h, BLACK), 0, 0);
        assert_float_equal(share_of_plain(w, h, grey), 0, 0);
        assert_float_equal(share_of_plain(w, h, GLASS), 0, 0); /* noise is all Otsu finds here */
        assert_float_equal(share_of_plain(w, h, tint), 0, 0);
        assert_true(share_of_plain(w, h, EOSIN) > 0.95);
    }
}

static void cells_are_never_finer_than_pixels(void **unused) {
    (void)unused;
    scene *s = scene_new(40, 30, EOSIN, HLRP_CELL_TISSUE);
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    assert_non_null(scene_open(s));
    assert_int_equal(hlrp_region_new_tissue(s->slide, (hlrp_mpp){20, 40}, NULL, &region, &err),
                     HLRP_OK);
    assert_int_equal(hlrp_region_mask(region)->w, 40);
    assert_int_equal(hlrp_region_mask(region)->h, 30);
    assert_float_equal(hlrp_region_share(region), 1, 0);
    hlrp_region_free(region);
    scene_free(s);
}

static void unequal_pixels_give_square_cells(void **unused) {
    (void)unused;
    scene *s = scene_new(400, 300, GLASS, HLRP_CELL_GLASS);
    scene_rect(s, (hlrp_irect){100, 100, 200, 100}, EOSIN, HLRP_CELL_TISSUE);
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    assert_non_null(scene_open(s));
    assert_int_equal(hlrp_region_new_tissue(s->slide, (hlrp_mpp){2, 4}, NULL, &region, &err),
                     HLRP_OK);
    assert_float_equal(hlrp_region_mask(region)->cell_w, 4, 1e-12);
    assert_float_equal(hlrp_region_mask(region)->cell_h, 2, 1e-12);
    assert_true(share_of(s, region, HLRP_CELL_TISSUE) >= 0.98);
    hlrp_region_free(region);
    scene_free(s);
}

static void options_out_of_range_are_named(void **unused) {
    (void)unused;
    scene *s = scene_new(30, 30, GLASS, 0);
    hlrp_region *region = NULL;
    hlrp_tissue_options good, bad[16];
    hlrp_tissue_defaults(&good);
    assert_non_null(scene_open(s));
    for (size_t i = 0; i < HLRP_COUNT(bad); i++)
        bad[i] = good;
    bad[0].cell_um = 0;
    bad[1].cell_um = NAN;
    bad[2].median_um = -1;
    bad[3].closing_um = 1e9;
    bad[4].min_object_um = INFINITY;
    bad[5].max_hole_um = -1;
    bad[6].saturation_ceiling = good.saturation_floor - 1;
    bad[7].dark_value = 300;
    bad[8].edge_share = 1.1;
    bad[9].darkness = -0.1;
    bad[10].block_um = 1e6;
    bad[11].wall_depth = 0;
    bad[12].pen_hue_to = good.pen_hue_from - 1;
    bad[13].pen_density = 0;
    bad[14].pen_share = NAN;
    bad[15].pen_min_um = -1;
    for (size_t i = 0; i < HLRP_COUNT(bad); i++) {
        hlrp_error err = {0};
        assert_int_equal(hlrp_region_new_tissue(s->slide, (hlrp_mpp){4, 4}, &bad[i], &region, &err),
                         HLRP_E_CONFIG);
        assert_non_null(strstr(err.what, "outside"));
        assert_null(region);
    }
    hlrp_error err = {0};
    assert_int_equal(hlrp_region_new_tissue(s->slide, (hlrp_mpp){0, 4}, &good, &region, &err),
                     HLRP_E_CONFIG);
    scene_free(s);
}

static void an_unreadable_slide_is_an_error(void **unused) {
    (void)unused;
    scene *s = scene_new(300, 200, EOSIN, 0);
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    const hlrp_memory_fault fault = {0, {0, 0, 300, 200}};
    s->level = (hlrp_memory_level){.size = s->size, .rgb = s->rgb};
    s->source = (hlrp_memory_slide){
        .level_count = 1, .levels = &s->level, .fault_count = 1, .faults = &fault};
    assert_int_equal(hlrp_slide_open_memory(&s->source, &s->slide, &err), HLRP_OK);
    assert_int_equal(hlrp_region_new_tissue(s->slide, (hlrp_mpp){4, 4}, NULL, &region, &err),
                     HLRP_E_INPUT);
    assert_null(region);
    scene_free(s);
}

/* Tissue of a real slide, NULL and a message where the data are absent. */
static hlrp_region *real(const char *name, double mpp, double min_object_um, hlrp_slide **slide) {
    const char *data = getenv("HISTOLRP_TESTDATA");
    char path[1000];
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    hlrp_tissue_options options;
    hlrp_tissue_defaults(&options);
    options.min_object_um = min_object_um;
    snprintf(path, sizeof path, "%s/slides/%s", data ? data : "", name);
    if (!data || !hlrp_file_exists(path)) {
        print_message("no %s\n", path);
        return NULL;
    }
    assert_int_equal(hlrp_slide_open(path, slide, &err), HLRP_OK);
    assert_int_equal(hlrp_region_new_tissue(*slide, (hlrp_mpp){mpp, mpp}, &options, &region, &err),
                     HLRP_OK);
    return region;
}

/* Places were read off the picture: epidermis, dermis, the pale strand at the left; glass left,
 * right and above. */
static void a_real_slide_of_skin(void **unused) {
    (void)unused;
    hlrp_slide *slide = NULL;
    hlrp_region *region = real("cmu1-small-region/CMU-1-Small-Region.svs", 0.499, 200, &slide);
    if (!region)
        skip();
    const struct {
        int x, y, tissue;
    } places[] = {{1150, 1850, 1}, {1050, 2350, 1}, {480, 1045, 1},  {1700, 2500, 1},
                  {700, 2750, 1},  {200, 2000, 0},  {2000, 1800, 0}, {1000, 30, 0},
                  {300, 500, 0},   {2080, 610, 0}};
    for (size_t i = 0; i < HLRP_COUNT(places); i++)
        assert_float_equal(at(region, places[i].x, places[i].y), places[i].tissue, 0);
    assert_true(hlrp_region_share(region) > 0.36 && hlrp_region_share(region) < 0.44);
    hlrp_region_free(region);
    hlrp_slide_close(slide);
}

/* A loose cluster of cells is smaller than the default asks for: it comes by the option, and no
 * glass with it. */
static void a_real_slide_that_is_nearly_blank(void **unused) {
    (void)unused;
    for (int i = 0; i < 2; i++) {
        hlrp_slide *slide = NULL;
        hlrp_region *region = real("luna-1065626/1065626.svs", 0.5, i == 0 ? 200 : 160, &slide);
        if (!region)
            skip();
        hlrp_size size = hlrp_slide_size(slide, 0);
        double k = (double)size.w / 1176; /* places read off a picture 1176 pixels wide */
        assert_float_equal(at(region, llround(490 * k), llround(630 * k)), 1, 0);
        assert_float_equal(at(region, llround(808 * k), llround(718 * k)), 1, 0);
        assert_float_equal(at(region, llround(743 * k), llround(688 * k)), 1, 0); /* pale */
        assert_float_equal(at(region, llround(433 * k), llround(668 * k)), i, 0); /* the cluster */
        assert_true(hlrp_region_share(region) > 0.004 && hlrp_region_share(region) < 0.0101);
        hlrp_region_free(region);
        hlrp_slide_close(slide);
    }
}

/* Guards: memory that grows with the slide without end; a dry run that promises less. */
static void the_raster_is_bounded(void **unused) {
    (void)unused;
    const hlrp_mpp half = {0.5, 0.5}, uneven = {0.25, 16};
    assert_true(hlrp_tissue_cells((hlrp_size){1600, 3200}, half, 8) == 100 * 200);
    assert_true(hlrp_tissue_cells((hlrp_size){3200, 100}, uneven, 8) == 100 * 100);
    assert_true(hlrp_tissue_cells((hlrp_size){100000, 100000}, half, 8) == 2e7);
    assert_true(hlrp_tissue_cells((hlrp_size){100000, 10000000}, half, 8) == 2e7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_tissue_and_leaves_glass),
        cmocka_unit_test(enclosed_fat_is_tissue_a_wide_hole_is_not),
        cmocka_unit_test(dust_is_dropped),
        cmocka_unit_test(pen_is_dropped_when_asked),
        cmocka_unit_test(pen_is_kept_otherwise),
        cmocka_unit_test(dense_nuclei_are_not_pen),
        cmocka_unit_test(black_and_shadow_are_padding),
        cmocka_unit_test(a_slide_that_is_all_tissue_is_kept_whole),
        cmocka_unit_test(hostile_slides_have_a_result),
        cmocka_unit_test(cells_are_never_finer_than_pixels),
        cmocka_unit_test(unequal_pixels_give_square_cells),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(an_unreadable_slide_is_an_error),
        cmocka_unit_test(a_real_slide_of_skin),
        cmocka_unit_test(a_real_slide_that_is_nearly_blank),
        cmocka_unit_test(the_raster_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

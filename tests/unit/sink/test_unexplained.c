/* Tiles without relevance for the shown class: counted, said and hatched, by hand. */
#include "unit/sink/sink_test.h"

/* The record has four tiles: two explained, one gated out, one unreadable. */
static void tiles_are_counted(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    hlrp_unexplained u = {0};
    uint8_t hatched[TEST_TILES] = {9, 9, 9, 9};
    sink_test_start(t);
    assert_int_equal(hlrp_unexplained_count(t->result, 1, &u, &err), HLRP_OK);
    assert_true(u.tiles == 4 && u.explained == 2 && u.other == 0);
    assert_true(u.gated == 1 && u.unreadable == 1 && u.tile_width == 64);
    assert_int_equal(hlrp_unexplained_tiles(t->result, 1, hatched, &err), HLRP_OK);
    assert_true(!hatched[0] && !hatched[1] && hatched[2] && !hatched[3]);
}

static void assert_says(hlrp_unexplained u, const char *want) {
    hlrp_str text = {0};
    hlrp_unexplained_text(&u, "tumor", &text);
    assert_string_equal(text.length ? text.text : "", want);
    hlrp_str_free(&text);
}

static void it_is_said_in_words(void **unused) {
    (void)unused;
    assert_says((hlrp_unexplained){.tiles = 7, .explained = 7}, "");
    assert_says((hlrp_unexplained){0}, "");
    assert_says((hlrp_unexplained){.tiles = 363, .explained = 13, .other = 350},
                "13 of 363 tiles are explained for tumor; hatched: 350 were called another class");
    assert_says(
        (hlrp_unexplained){.tiles = 9, .explained = 2, .other = 3, .gated = 3, .unreadable = 1},
        "2 of 9 tiles are explained for tumor; hatched: 3 were called another class, 3 did not "
        "pass the gate; 1 could not be read");
    assert_says((hlrp_unexplained){.tiles = 9, .explained = 8, .unreadable = 1},
                "8 of 9 tiles are explained for tumor; 1 could not be read");
    assert_says(
        (hlrp_unexplained){.tiles = 5, .other = 5},
        "no tile was called tumor: nothing to explain (of 5 tiles 5 were called another class)");
}

enum { SIDE = 24 };

static void assert_pixel(const uint8_t *rgb, int x, int y, int want) {
    for (int c = 0; c < 3; c++)
        if (rgb[3 * (y * SIDE + x) + c] != want)
            fail_msg("(%d,%d) is %d, not %d", x, y, rgb[3 * (y * SIDE + x) + c], want);
}

/* At 4 level-0 pixels a pixel, the three map columns without relevance are 6 wide; a tile of 64 is 16,
 * so that lines lie 6 apart and are 1 wide. 200 is darkened half-way to 40, 100 lightened half-way to
 * 235. Guards lines over explained ground, over glass that nobody looked at, and bands that begin the
 * pattern anew. */
static void lines_lie_where_nothing_is_explained(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    hlrp_hatch *hatch = NULL;
    const hlrp_unexplained u = {.tiles = 2, .explained = 1, .other = 1, .tile_width = 64};
    uint8_t whole[SIDE * SIDE * 3], bands[SIDE * SIDE * 3];
    t->probability[0][2 * TEST_MAP_W] = NAN; /* pixels (0…1, 4…5): no tile lies there */
    sink_test_start(t);
    memset(whole, 200, sizeof whole);
    memset(whole + 3 * 12 * SIDE, 100, 3 * SIDE); /* row 12 is dark */
    memcpy(bands, whole, sizeof whole);
    assert_int_equal(hlrp_hatch_new(t->result, 1, &u, 4, 4, &hatch, &err), HLRP_OK);
    assert_int_equal(hlrp_hatch_draw(hatch, 0, SIDE, SIDE, whole, &err), HLRP_OK);
    assert_pixel(whole, 0, 0, 120);
    assert_pixel(whole, 5, 1, 120);
    assert_pixel(whole, 2, 4, 120);
    assert_pixel(whole, 1, 5, 200); /* on a line, but under no tile */
    assert_pixel(whole, 1, 0, 200); /* between lines */
    assert_pixel(whole, 6, 0, 200); /* explained */
    assert_pixel(whole, 0, 12, 168);
    hlrp_hatch_free(hatch);
    assert_int_equal(hlrp_hatch_new(t->result, 1, &u, 4, 4, &hatch, &err), HLRP_OK);
    for (int y = 0; y < SIDE; y += 5)
        assert_int_equal(
            hlrp_hatch_draw(hatch, y, HLRP_MIN(5, SIDE - y), SIDE, bands + 3 * y * SIDE, &err),
            HLRP_OK);
    assert_memory_equal(whole, bands, sizeof whole);
    hlrp_hatch_free(hatch);
}

/* Where every tile is explained the overlay is what it was, and no word is lost on it. */
static void nothing_is_hatched_where_all_is_explained(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    sink_test_start(t);
    assert_int_equal(hlrp_sink_overlay(&t->in, scratch_path(&t->files, "a.tif"), &err), HLRP_OK);
    t->in.unexplained = (hlrp_unexplained){.tiles = 4, .explained = 4, .tile_width = 64};
    assert_int_equal(hlrp_sink_overlay(&t->in, scratch_path(&t->files, "b.tif"), &err), HLRP_OK);
    char *x = NULL, *y = NULL;
    int64_t size = 0, other = 0;
    assert_int_equal(hlrp_read_file(scratch_path(&t->files, "a.tif"), 1 << 24, &x, &size, &err),
                     HLRP_OK);
    assert_int_equal(hlrp_read_file(scratch_path(&t->files, "b.tif"), 1 << 24, &y, &other, &err),
                     HLRP_OK);
    assert_int_equal(size, other);
    assert_memory_equal(x, y, (size_t)size);
    free(x);
    free(y);
}

/* A slide on which nothing is explained for the class has no scale: the script says so. */
static void a_script_without_a_map_says_so(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    sink_test_start(t);
    t->in.unexplained = (hlrp_unexplained){.tiles = 4, .other = 4};
    const char *path = scratch_path(&t->files, "qupath.groovy");
    assert_int_equal(hlrp_sink_qupath(&t->in, path, &err), HLRP_OK);
    char *text = sink_test_slurp(path);
    assert_non_null(strstr(text, "nothing to explain (of 4 tiles 4 were called another class)'\n"));
    assert_null(strstr(text, "setCustomPixelLayerOverlay"));
    assert_non_null(strstr(text, "\nprintln NOTE\n"));
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SINK_TEST(tiles_are_counted),
        cmocka_unit_test(it_is_said_in_words),
        SINK_TEST(lines_lie_where_nothing_is_explained),
        SINK_TEST(nothing_is_hatched_where_all_is_explained),
        SINK_TEST(a_script_without_a_map_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

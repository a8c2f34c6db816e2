/* tiles.csv and tiles.geojson, read back value by value. */
#include "unit/sink/sink_test.h"

#include "sink/text.h"

/* ---- CSV ---- */

/* Cuts `line` into cells in place (RFC 4180); returns their number and where the next line begins.
 */
static int cut_line(char *line, char *cells[], int room, char **next) {
    int count = 0;
    char *in = line;
    for (bool more = true; more && count < room;) {
        char *out = in;
        cells[count++] = out;
        bool quoted = *in == '"';
        in += quoted;
        while (*in && (quoted || (*in != ',' && *in != '\r'))) {
            if (quoted && in[0] == '"' && in[1] != '"') {
                quoted = false;
                in++;
                continue;
            }
            in += quoted && *in == '"';
            *out++ = *in++;
        }
        more = *in == ',';
        in += *in == '\r' ? 2 : 1;
        *out = '\0';
    }
    *next = in;
    return count;
}

static void the_table_reads_back(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    char *cells[40], *next;
    t->relevance[1][4] = 2;
    t->relevance[1][TEST_MAP_W + 5] = -3;
    t->relevance[1][8] = 7;               /* the next tile's first map pixel */
    t->relevance[1][TEST_MAP_W + 16] = 9; /* of a tile that was gated out */
    sink_test_start(t);
    t->in.slide = NULL;
    const char *path = scratch_path(&t->files, "tiles.csv");
    assert_int_equal(hlrp_sink_csv(&t->in, path, &err), HLRP_OK);
    char *text = sink_test_slurp(path);
    assert_int_equal(cut_line(text, cells, 40, &next), 27);
    assert_string_equal(cells[0], "tile");
    assert_string_equal(cells[7], "logit:normal");
    assert_string_equal(cells[8], "logit:tumor, <b> \"q\" & ä");
    assert_string_equal(cells[18], "density:tumor, <b> \"q\" & ä");
    assert_string_equal(cells[19], "for:normal");
    assert_string_equal(cells[22], "against:tumor, <b> \"q\" & ä");
    assert_string_equal(cells[23], "agrees:normal");
    assert_string_equal(cells[26], "abs_over_start:tumor, <b> \"q\" & ä");
    assert_int_equal(cut_line(next, cells, 40, &next), 27);
    assert_string_equal(cells[0], "0");
    assert_string_equal(cells[3], "64");
    assert_string_equal(cells[5], "explained");
    assert_string_equal(cells[6], "normal");
    assert_string_equal(cells[9], "0.9"); /* a float's shortest, not 0.899999976 */
    assert_true(strtod(cells[13], NULL) == 1.0 / 3);
    assert_float_equal(strtod(cells[18], NULL), -2 / (64 * 0.5 * 64 * 0.25 * 1e-6), 1e-6);
    assert_string_equal(cells[20], "2");
    assert_string_equal(cells[22], "-3");
    assert_string_equal(cells[23], "1");
    assert_string_equal(cells[25], "2"); /* 3 / 1.5 */
    assert_string_equal(cells[26], "4"); /* 9 / |-2.25| */
    assert_int_equal(cut_line(next, cells, 40, &next), 27);
    assert_string_equal(cells[1], "64");
    assert_string_equal(cells[6], "tumor, <b> \"q\" & ä");
    assert_true(strtod(cells[14], NULL) == 1e-20);
    assert_string_equal(cells[20], "7");
    assert_string_equal(cells[22], "0");
    assert_string_equal(cells[23], "0"); /* starts with -0.1, sums up to 0.125 */
    assert_string_equal(cells[24], "1");
    assert_string_equal(cells[25], "4");
    assert_int_equal(cut_line(next, cells, 40, &next), 27);
    assert_string_equal(cells[5], "gated");
    assert_string_equal(cells[10], "0.8");
    assert_string_equal(cells[13], ""); /* NaN */
    assert_string_equal(cells[20], ""); /* whatever its neighbors left there */
    assert_string_equal(cells[23], ""); /* nothing was explained: neither agreement nor its lack */
    assert_string_equal(cells[26], "");
    assert_int_equal(cut_line(next, cells, 40, &next), 27);
    assert_string_equal(cells[5], "unreadable");
    assert_string_equal(cells[6], "");
    assert_string_equal(cells[7], "");
    assert_string_equal(next, "");
    free(text);
}

/* Guards: columns of nothing, and a "start" that nobody would take for a tile's part of the slide's score. */
static void a_bags_table_has_its_scores(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    char *cells[40], *next;
    sink_test_bag(t);
    sink_test_start(t);
    const char *path = scratch_path(&t->files, "tiles.csv");
    assert_int_equal(hlrp_sink_csv(&t->in, path, &err), HLRP_OK);
    char *text = sink_test_slurp(path);
    assert_int_equal(cut_line(text, cells, 40, &next), 25);
    assert_string_equal(cells[5], "status");
    assert_string_equal(cells[6], "mil_relevance:normal");
    assert_string_equal(cells[8], "attention");
    assert_string_equal(cells[9], "single:normal");
    assert_string_equal(cells[10], "single:tumor, <b> \"q\" & ä");
    assert_string_equal(cells[11], "relevance:normal");
    assert_string_equal(cells[24], "abs_over_mil_relevance:tumor, <b> \"q\" & ä");
    assert_int_equal(cut_line(next, cells, 40, &next), 25);
    assert_string_equal(cells[5], "explained");
    assert_string_equal(cells[6], "");
    assert_string_equal(cells[7], "0.5");
    assert_string_equal(cells[8], "0.125");
    assert_string_equal(cells[9], "-1");
    assert_string_equal(cells[10], "2.5");
    assert_string_equal(cells[24], "2");
    assert_int_equal(cut_line(next, cells, 40, &next), 25);
    assert_string_equal(cells[8], "0.75");
    assert_string_equal(cells[10], "-3");
    free(text);
}

/* ---- GeoJSON ---- */

static int count_of(const char *text, const char *what) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        count++;
    return count;
}

static char *geojson_of(sink_test *t) {
    hlrp_error err = {0};
    const char *path = scratch_path(&t->files, "tiles.geojson");
    const hlrp_status status = hlrp_sink_geojson(&t->in, path, &err);
    assert_string_equal(err.what, "");
    assert_int_equal(status, HLRP_OK);
    return sink_test_slurp(path);
}

/* Guards what makes QuPath throw or Java's parser fail: a class without a color, NaN, raw quotes.
 */
static void every_tile_is_a_feature_qupath_takes(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    char *text = geojson_of(t);
    assert_int_equal(count_of(text, "\"type\":\"Feature\","), TEST_TILES);
    assert_int_equal(count_of(text, "\"objectType\":\"tile\""), TEST_TILES);
    assert_int_equal(count_of(text, "\"classification\":{\"name\":\""), TEST_TILES);
    assert_int_equal(count_of(text, ",\"color\":["), TEST_TILES);
    assert_int_equal(count_of(text, "nan") + count_of(text, "NaN"), 0);
    assert_non_null(strstr(text, "{\"name\":\"tumor, <b> \\\"q\\\" & ä\",\"color\":"));
    assert_non_null(strstr(text, "[[[64,0],[128,0],[128,64],[64,64],[64,0]]]"));
    assert_non_null(strstr(text,
                           "\"measurements\":{\"tile\":0,\"status\":0,\"probability: normal\":0.9,"
                           "\"logit: normal\":1.5,"));
    assert_non_null(strstr(text, "\"measurements\":{\"tile\":3,\"status\":2}}}"));
    assert_non_null(strstr(text, ",\"agrees: normal\":1,\"abs over start: normal\":2,"));
    assert_non_null(strstr(text, ",\"agrees: normal\":0,\"abs over start: normal\":4,"));
    free(text);
}

/* Guards: every tile of a bag "unreadable", and tiles that have next to nothing of the score colored like
 * those that decide. */
static void a_bags_features_say_which_way_they_speak(void **state) {
    sink_test *t = *state;
    sink_test_bag(t);
    sink_test_start(t);
    char *text = geojson_of(t);
    assert_int_equal(count_of(text, "{\"name\":\"for tumor, <b> \\\"q\\\" & ä\",\"color\":[200,"),
                     1);
    assert_int_equal(
        count_of(text, "{\"name\":\"against tumor, <b> \\\"q\\\" & ä\",\"color\":[58,"), 1);
    assert_int_equal(count_of(text, "{\"name\":\"neither for nor against\",\"color\":[128,"), 1);
    assert_int_equal(count_of(text, "{\"name\":\"unreadable\",\"color\":[128,"), 1);
    assert_non_null(
        strstr(text, ",\"relevance for the slide's score: tumor, <b> \\\"q\\\" & ä\":0.5,"));
    assert_non_null(strstr(text, ",\"attention\":0.125,\"single: normal\":-1,"));
    assert_int_equal(count_of(text, "probability") + count_of(text, "\"start"), 0);
    free(text);
}

/* Guards the shift of everything that goes to QuPath, which crops to the slide's bounds. */
static void coordinates_are_relative_to_the_bounds(void **state) {
    sink_test *t = *state;
    const hlrp_memory_property bounds[] = {{"openslide.bounds-x", "10"},
                                           {"openslide.bounds-y", "20"},
                                           {"openslide.bounds-width", "300"},
                                           {"openslide.bounds-height", "200"}};
    memcpy(t->properties, bounds, sizeof bounds);
    t->source.property_count = 4;
    sink_test_start(t);
    char *text = geojson_of(t);
    assert_non_null(strstr(text, "[[[54,-20],[118,-20],[118,44],[54,44],[54,-20]]]"));
    free(text);
    t->in.full = true;
    text = geojson_of(t);
    assert_non_null(strstr(text, "[[[64,0],[128,0],[128,64],[64,64],[64,0]]]"));
    free(text);
}

/* Guards reruns: the same file; and identifiers that are UUIDs, one for each tile. */
static void identifiers_are_stable_and_distinct(void **state) {
    sink_test *t = *state;
    char *ids[TEST_TILES];
    sink_test_start(t);
    char *first = geojson_of(t), *second = geojson_of(t);
    assert_string_equal(first, second);
    char *at = first;
    for (int i = 0; i < TEST_TILES; i++) {
        at = strstr(at, "\"id\":\"");
        assert_non_null(at);
        at += strlen("\"id\":\"");
        ids[i] = at;
        assert_int_equal(strspn(at, "0123456789abcdef-"), 36);
        assert_true(at[8] == '-' && at[13] == '-' && at[18] == '-' && at[23] == '-');
        assert_int_equal(at[14], '5');
        assert_non_null(strchr("89ab", at[19]));
        for (int j = 0; j < i; j++)
            assert_int_not_equal(strncmp(ids[i], ids[j], 36), 0);
    }
    free(first);
    free(second);
}

static void a_full_disk_leaves_no_tables(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    sink_test_full_disk(t, hlrp_sink_csv, "tiles.csv", 100);
    sink_test_full_disk(t, hlrp_sink_geojson, "tiles.geojson", 100);
}

/* ---- numbers ---- */

static void numbers_read_back_exactly(void **state) {
    (void)state;
    static const double values[] = {
        0, -0.0, 1, 1.0 / 3, 0.1, 1e300, 5e-324, -2.5, 1e-5, 1e21, 123456789.123456789};
    for (size_t i = 0; i < HLRP_COUNT(values); i++) {
        hlrp_str s = {0};
        assert_true(hlrp_text_double(&s, values[i]));
        assert_true(strtod(s.text, NULL) == values[i]);
        s.length = 0;
        assert_true(hlrp_text_float(&s, (float)values[i] < INFINITY ? (float)values[i] : 7));
        assert_true(strtof(s.text, NULL) == ((float)values[i] < INFINITY ? (float)values[i] : 7));
        hlrp_str_free(&s);
    }
    hlrp_str none = {0};
    assert_false(hlrp_text_double(&none, NAN));
    assert_false(hlrp_text_float(&none, -INFINITY));
    assert_int_equal(none.length, 0);
    hlrp_str_free(&none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SINK_TEST(the_table_reads_back),
        SINK_TEST(a_bags_table_has_its_scores),
        SINK_TEST(every_tile_is_a_feature_qupath_takes),
        SINK_TEST(a_bags_features_say_which_way_they_speak),
        SINK_TEST(coordinates_are_relative_to_the_bounds),
        SINK_TEST(identifiers_are_stable_and_distinct),
        SINK_TEST(a_full_disk_leaves_no_tables),
        cmocka_unit_test(numbers_read_back_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* qupath.groovy: its constants, and that no name of a class or file can break out of its string. */
#include "unit/sink/sink_test.h"

static char *script_of(sink_test *t) {
    hlrp_error err = {0};
    const char *path = scratch_path(&t->files, "qupath.groovy");
    const hlrp_status status = hlrp_sink_qupath(&t->in, path, &err);
    assert_string_equal(err.what, "");
    assert_int_equal(status, HLRP_OK);
    return sink_test_slurp(path);
}

static void has_line(const char *script, const char *line) {
    const char *at = strstr(script, line);
    if (!at || at[-1] != '\n' || at[strlen(line)] != '\n')
        fail_msg("no line '%s'", line);
}

/* Guards the shift by the bounds, to which QuPath crops, and the sizes it is compared with. */
static void constants_are_those_of_the_result(void **state) {
    sink_test *t = *state;
    const hlrp_memory_property bounds[] = {{"openslide.bounds-x", "10"},
                                           {"openslide.bounds-y", "20"},
                                           {"openslide.bounds-width", "300"},
                                           {"openslide.bounds-height", "200"}};
    memcpy(t->properties, bounds, sizeof bounds);
    t->source.property_count = 4;
    sink_test_start(t);
    t->in.limit = 0.25;
    char *script = script_of(t);
    has_line(script, "final int CHANNEL = 1");
    has_line(script, "final int DOWNSAMPLE = 8");
    has_line(script, "final int BOUNDS_X = 10");
    has_line(script, "final int BOUNDS_Y = 20");
    has_line(script, "final int WIDTH = 300");
    has_line(script, "final int HEIGHT = 200");
    has_line(script, "final double LIMIT = 0.25d");
    has_line(script, "final String MAP_FILE = 'relevance.ome.tif'");
    free(script);
    t->in.full = true;
    script = script_of(t);
    has_line(script, "final int BOUNDS_X = 0");
    has_line(script, "final int WIDTH = 603");
    free(script);
}

/* Guards: a channel that nobody finds, one too many where tiles have no probability. */
static void channels_are_listed_by_name(void **state) {
    sink_test *t = *state;
    sink_test_bag(t);
    sink_test_start(t);
    char *script = script_of(t);
    assert_non_null(strstr(script,
                           "final List<String> CHANNELS = [\n    'normal',\n    'tumor, <b> "
                           "\"q\" & ä',\n    'attention',\n    'single:normal',\n    "
                           "'single:tumor, <b> \"q\" & ä',\n]\n"));
    has_line(script, "final int CLASSES = 2");
    free(script);
}

static void names_stay_in_their_strings(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    t->in.unit = "it's \\ a $x\nline";
    char *script = script_of(t);
    has_line(script, "final String UNIT = 'it\\'s \\\\ a $x line'");
    has_line(script, "    'tumor, <b> \"q\" & ä',");
    free(script);
}

/* Guards against a division by zero in the script where the map is zero throughout. */
static void an_empty_map_has_a_limit_of_one(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    char *script = script_of(t);
    has_line(script, "final double LIMIT = 1d");
    free(script);
}

/* Guards against a name read past the end of the list, also where no limit must be found. */
static void a_class_not_in_the_record_is_refused(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    t->in.limit = 1;
    for (int64_t plane = -1; plane <= 2; plane += 3) {
        hlrp_error err = {0};
        t->in.plane = plane;
        assert_int_equal(hlrp_sink_qupath(&t->in, scratch_path(&t->files, "qupath.groovy"), &err),
                         HLRP_E_CONFIG);
        assert_non_null(strstr(err.mend, "outputs.class"));
    }
}

static void a_full_disk_leaves_no_script(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    sink_test_full_disk(t, hlrp_sink_qupath, "qupath.groovy", 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SINK_TEST(constants_are_those_of_the_result),    SINK_TEST(channels_are_listed_by_name),
        SINK_TEST(names_stay_in_their_strings),          SINK_TEST(an_empty_map_has_a_limit_of_one),
        SINK_TEST(a_class_not_in_the_record_is_refused), SINK_TEST(a_full_disk_leaves_no_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

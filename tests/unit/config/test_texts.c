/* What the configuration prints reads back as itself, and tells which keys changed. */
#include "config/table.h"
#include "config/value.h"
#include "config_test.h"

static char *effective(const hlrp_config *config) {
    char *text = NULL;
    hlrp_error err = {0};
    assert_int_equal(hlrp_config_effective(config, &text, &err), HLRP_OK);
    return text;
}

static hlrp_config *loaded(const char *text) {
    hlrp_error err = {0};
    hlrp_config *config = load_text(text, &err);
    if (!config)
        fail_msg("%s: %s: %s", err.where, err.what, err.mend);
    return config;
}

/* Guards: a default in the reference that is not the default. */
static void reference_is_the_defaults(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *reference = NULL;
    assert_int_equal(hlrp_config_reference(&reference, &err), HLRP_OK);
    hlrp_config *read = loaded(reference), *defaults = loaded("");
    char *a = effective(read), *b = effective(defaults);
    assert_string_equal(a, b);
    for (int i = 0; i < hlrp_key_count; i++) /* every key really was in the text */
    {
        char dotted[100], where[200];
        snprintf(dotted, sizeof dotted, "%s.%s", hlrp_keys[i].section, hlrp_keys[i].name);
        assert_non_null(strstr(hlrp_config_where(read, dotted, where, sizeof where), " line "));
    }
    free(reference);
    free(a);
    free(b);
    hlrp_config_free(read);
    hlrp_config_free(defaults);
}

static const char everything[] =
    "[batch]\nslides = a/*.svs, \"b, c.svs\", @l.txt\noutput = /o\non_error = stop\n"
    "[model]\npath = /m.onnx\nclasses = normal, \"tumor, high\"\nscale = 1/3\nmean = 0.1, 0.2, "
    "0.3\n"
    "layout = nhwc\nmpp = 0.1234567890123456\nactivation = none\n"
    "[regions]\nsource = annotation & tissue\nannotation = {dir}/{stem}.xml\ninclude = a*, b\n"
    "pen = drop\n[tiles]\nsize = 224\noverlap = 0.3333333333333333\n[gate]\nclass = tumor, high\n"
    "[lrp]\ntarget = all\nstart = pair:normal\nlow = -1e-300, 0, 0.5\nhigh = 1\n"
    "[outputs]\nlimit = 1e-3\nqupath = off\n[compute]\nmemory_limit = 3G\nthreads = 3\n"
    "[rules]\n/A/Conv [!x] = gamma(0.25)\n/a/Conv [!x] = pass\n@first = zbox\n"
    "[slide:\xc3\x84 1.svs]\nmpp = 0.1, 0.11\nmask = /x.png\n";

/* Guards: numbers that lose digits, list items with commas, names with capitals, lost sections. */
static void effective_reads_back(void **state) {
    (void)state;
    hlrp_config *first = loaded(everything);
    char *a = effective(first);
    hlrp_config *second = NULL;
    hlrp_error err = {0};
    assert_int_equal(hlrp_config_parse(a, "recorded", &second, &err), HLRP_OK);
    char *b = effective(second);
    assert_string_equal(a, b);
    assert_true(second->model.scale == 1.0 / 3);
    assert_true(second->model.mpp == 0.1234567890123456);
    assert_true(second->lrp.low.items[0] == -1e-300);
    assert_int_equal(second->batch.slides.count, 3);
    assert_string_equal(second->model.classes.items[1], "tumor, high");
    assert_string_equal(second->gate.class_name, "tumor, high");
    assert_int_equal(second->compute.memory_limit, INT64_C(3) << 30);
    assert_int_equal(second->rule_count, 3);
    assert_string_equal(second->rules[0].node, "/A/Conv [!x]");
    assert_true(hlrp_config_find_slide(second, "\xc3\x84 1.svs")->mpp.items[1] == 0.11);
    free(a);
    free(b);
    hlrp_config_free(first);
    hlrp_config_free(second);
}

static char *result_key(const char *text, const char *slide) {
    hlrp_error err = {0};
    char *key = NULL;
    hlrp_config *config = loaded(text);
    assert_int_equal(hlrp_config_result_key(config, slide, &key, &err), HLRP_OK);
    hlrp_config_free(config);
    return key;
}

static void assert_changes(const char *before, const char *after, const char *slide,
                           const char *wanted) {
    hlrp_error err = {0};
    char *a = result_key(before, slide), *b = result_key(after, slide), *changes = NULL;
    assert_int_equal(hlrp_config_changes(a, b, &changes, &err), HLRP_OK);
    assert_string_equal(changes, wanted);
    free(a);
    free(b);
    free(changes);
}

/* Guards: threads, places or outputs making results stale; results that do not become stale. */
static void result_key_tells_what_changed(void **state) {
    (void)state;
    assert_changes("", "", NULL, "");
    assert_changes("", "[compute]\nthreads = 7\n[batch]\noutput = /x\n[outputs]\nopacity = 1\n",
                   NULL, "");
    assert_changes("", "[model]\npath = other.onnx\n", NULL, "");
    assert_changes("[lrp]\nalpha = 2\n", "", NULL, "");
    assert_changes("", "[lrp]\ngamma = 0.5\n[map]\ndownsample = 4\n", NULL,
                   "lrp.gamma: auto -> 0.5; map.downsample: 8 -> 4");
    assert_changes("[rules]\na = pass\nb = lrp0\n", "[rules]\na = pass\nc = lrp0\n", NULL,
                   "rules.b: lrp0 -> none; rules.c: none -> lrp0");
    assert_changes("[rules]\na* = pass\n*b = lrp0\n", "[rules]\n*b = lrp0\na* = pass\n", NULL,
                   "rules: in another order");
    assert_changes("", "[slide:x]\nmpp = 0.5\n", "x.svs", "slide.mpp: none -> 0.5");
    assert_changes("", "[slide:x]\nmpp = 0.5\n", "y.svs", "");
}

static void output_key_is_the_outputs(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *key = NULL;
    hlrp_config *config = loaded("[outputs]\nopacity = 0.7\n[compute]\nthreads = 3\n");
    assert_int_equal(hlrp_config_output_key(config, &key, &err), HLRP_OK);
    assert_non_null(strstr(key, "outputs.opacity = 0.7\n"));
    assert_null(strstr(key, "threads"));
    assert_null(strstr(key, "lrp.gamma"));
    free(key);
    hlrp_config_free(config);
}

static void required_keys(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_config *config = loaded("[model]\nmpp = 1\n");
    assert_int_equal(hlrp_config_require(config, "model.mpp", &err), HLRP_OK);
    assert_int_equal(hlrp_config_require(config, "model.path", &err), HLRP_E_CONFIG);
    assert_string_equal(err.what, "model.path is not set");
    assert_non_null(strstr(err.mend, "-s model.path="));
    assert_int_equal(hlrp_config_require(config, "batch.slides", &err), HLRP_E_CONFIG);
    hlrp_config_free(config);
}

/* The table itself: ranges that parse, defaults that lie within, names that are found. */
static void table_is_sound(void **state) {
    (void)state;
    for (int i = 0; i < hlrp_key_count; i++) {
        const hlrp_key *key = &hlrp_keys[i];
        hlrp_range range = {0};
        assert_ptr_equal(hlrp_key_find(key->section, key->name), key);
        assert_ptr_equal(hlrp_key_nearest(key->section, key->name), key);
        assert_true(hlrp_section_known(key->section));
        assert_true(!key->range ||
                    (hlrp_range_parse(key->range, &range) && range.low < range.high));
        assert_true(key->help[0] && strlen(key->help) < 90);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_is_the_defaults),
        cmocka_unit_test(effective_reads_back),
        cmocka_unit_test(result_key_tells_what_changed),
        cmocka_unit_test(output_key_is_the_outputs),
        cmocka_unit_test(required_keys),
        cmocka_unit_test(table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

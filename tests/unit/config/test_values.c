/* Each type of value: what it takes, what it refuses, and how the refusal reads. */
#include "config_test.h"

static hlrp_config *good(const char *override) {
    hlrp_error err = {0};
    hlrp_config *config = load_override(override, &err);
    if (!config)
        fail_msg("%s: %s", err.where, err.what);
    return config;
}

/* Guards: quotients read as their first number; the default scale not being 1/255. */
static void numbers(void **state) {
    (void)state;
    hlrp_config *c = good("model.scale=1/256");
    assert_true(c->model.scale == 1.0 / 256);
    hlrp_config_free(c);
    c = good("map.downsample=16");
    assert_true(c->model.scale == 1.0 / 255);
    assert_int_equal(c->map.downsample, 16);
    hlrp_config_free(c);
    c = good("lrp.epsilon=1e-7");
    assert_true(c->lrp.epsilon == 1e-7);
    hlrp_config_free(c);
    assert_override_refused("lrp.gamma=0,25", "\"0,25\" is not a number", "number in (0, 1e6]");
    assert_override_refused("lrp.gamma=nan", "not a number", "number");
    assert_override_refused("map.downsample=8.5", "not an integer", "integer in [1, 65536]");
    assert_override_refused("map.downsample=99999999999999999999", "not an integer", "integer");
}

/* Guards: open ends of a range being taken for closed ones. */
static void ranges(void **state) {
    (void)state;
    hlrp_config_free(good("tiles.overlap=0"));
    hlrp_config_free(good("tiles.overlap=0.999"));
    hlrp_config_free(good("gate.probability=1"));
    assert_override_refused("tiles.overlap=1", "\"1\" is out of range", "[0, 1)");
    assert_override_refused("tiles.overlap=-0.1", "\"-0.1\" is out of range", "[0, 1)");
    assert_override_refused("model.mpp=0", "out of range", "(0, 100]");
    assert_override_refused("gate.probability=1.01", "out of range", "[0, 1]");
    assert_override_refused("map.downsample=0", "out of range", "[1, 65536]");
    assert_override_refused("slide:a.mpp=11", "out of range", "[0.05, 10]");
}

static void booleans_and_choices(void **state) {
    (void)state;
    hlrp_config *c = good("outputs.overlay=no");
    assert_false(c->outputs.overlay);
    assert_true(c->outputs.qupath);
    assert_int_equal(c->model.layout, HLRP_CONFIG_LAYOUT_AUTO);
    assert_int_equal(c->regions.source, HLRP_CONFIG_SOURCE_TISSUE);
    hlrp_config_free(c);
    c = good("model.layout=nhwc");
    assert_int_equal(c->model.layout, HLRP_CONFIG_LAYOUT_NHWC);
    hlrp_config_free(c);
    assert_override_refused("outputs.overlay=maybe", "neither on nor off", "on | off");
    assert_override_refused("model.channels=rbg", "did you mean rgb?", "rgb | bgr");
    assert_override_refused("model.channels=", "empty", "rgb | bgr");
    assert_override_refused("lrp.composite=epsilon-plus-flatt", "did you mean epsilon-plus-flat?",
                            "gradient-x-input");
}

/* Guards: a tail being required or forgotten, "#" itself being taken for a number, every tail being
 * called a name, a star in what people read. */
static void texts_with_choices(void **state) {
    (void)state;
    hlrp_config *c = good("lrp.start=pair:not tumor");
    assert_string_equal(c->lrp.start, "pair:not tumor");
    hlrp_config_free(c);
    c = good("outputs.limit=0.5");
    assert_string_equal(c->outputs.limit, "0.5");
    hlrp_config_free(c);
    assert_override_refused("lrp.start=pair:", "did you mean pair:NAME?", "pair:NAME | norm");
    assert_override_refused("lrp.start=feature:", "unknown", "norm | feature:K");
    assert_override_refused("outputs.limit=#", "unknown", "slide | batch | a number");
    assert_override_refused("outputs.limit=-1", "unknown", "a number in (0, 1e300]");
}

static void intersections(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_config *c =
        load_text("[regions]\nsource = annotation&tissue\nannotation = {dir}/a.xml\n", &err);
    assert_non_null(c);
    assert_int_equal(c->regions.source, HLRP_CONFIG_SOURCE_ANNOTATION | HLRP_CONFIG_SOURCE_TISSUE);
    hlrp_config_free(c);
    assert_override_refused("regions.source=all & tissue", "an intersection with everything",
                            "joined by &");
    assert_override_refused("regions.source=tissue &", "unknown", "tissue");
    assert_override_refused("regions.source=tissue, mask", "unknown", "tissue");
}

/* Guards: binary units, fractions, and a product that no longer fits in 63 bits. */
static void sizes(void **state) {
    (void)state;
    hlrp_config *c = good("compute.memory_limit=1.5G");
    assert_int_equal(c->compute.memory_limit, 3 * (INT64_C(1) << 29));
    hlrp_config_free(c);
    c = good("compute.memory_limit=512MB");
    assert_int_equal(c->compute.memory_limit, 512 << 20);
    hlrp_config_free(c);
    c = good("compute.memory_limit=auto");
    assert_int_equal(c->compute.memory_limit, 0);
    hlrp_config_free(c);
    assert_override_refused("compute.memory_limit=1e300T", "out of range", "size in");
    assert_override_refused("compute.memory_limit=G", "not a size", "size in");
    assert_override_refused("compute.memory_limit=4X", "not a size", "size in");
}

static void lists(void **state) {
    (void)state;
    hlrp_config *c = good("model.classes= normal , \"tumor, high\",x");
    assert_int_equal(c->model.classes.count, 3);
    assert_string_equal(c->model.classes.items[0], "normal");
    assert_string_equal(c->model.classes.items[1], "tumor, high");
    hlrp_config_free(c);
    c = good("model.std=0.2, 1/5, 3e-1");
    assert_int_equal(c->model.std.count, 3);
    assert_true(c->model.std.items[1] == 0.2 && c->model.std.items[2] == 0.3);
    assert_int_equal(c->model.mean.count, 0); /* from the model, else 0 */
    hlrp_config_free(c);
    assert_override_refused("model.classes=a,,b", "empty item", "texts");
    assert_override_refused("model.classes=a\"b, c", "stray quote", "texts");
    assert_override_refused("model.classes=a,b,a", "names \"a\" twice", "once");
    assert_override_refused("model.std=0.2,0,1", "\"0\" is out of range", "(0, 1e6]");
    assert_override_refused("model.mean=a", "\"a\" is not a number", "numbers");
}

/* "auto" and nothing mean the same; where there is a default, nothing is an error. */
static void automatic(void **state) {
    (void)state;
    static const char *const same[] = {"model.mpp=auto", "model.mpp=", "tiles.size=auto",
                                       "lrp.target=auto"};
    for (size_t i = 0; i < HLRP_COUNT(same); i++) {
        hlrp_config *c = good(same[i]);
        assert_true(c->model.mpp == 0);
        assert_int_equal(c->tiles.size, 0);
        assert_int_equal(c->lrp.target.count, 0);
        assert_string_equal(c->gate.class_name, "");
        hlrp_config_free(c);
    }
    assert_override_refused("tiles.overlap=", "empty", "[0, 1)");
    assert_override_refused("tiles.overlap=auto", "not a number", "[0, 1)");
}

/* Guards: a slide's mpp of three numbers, alpha and beta that do not keep the sum, a box of no or
 * negative width, regions without their files. */
static void keys_that_belong_together(void **state) {
    (void)state;
    assert_override_refused("slide:a.svs.mpp=1,2,3", "3 numbers", "x and y");
    assert_override_refused("lrp.low=0", "belong together", "both");
    hlrp_error err = {0};
    hlrp_config *c = load_text("[lrp]\nalpha = 1.5\nbeta = 0.5\nlow = -1, -2\nhigh = 1\n", &err);
    assert_non_null(c);
    hlrp_config_free(c);
    assert_refused("[lrp]\nalpha = 3\n", "alpha - lrp.beta is not 1", "default of lrp.beta",
                   "beta");
    assert_refused("[lrp]\nlow = 1, 5\nhigh = 2, 4\n", "not below", "line 3", "exchange");
    assert_refused("[lrp]\nlow = 1, 5\nhigh = 2, 6, 7\n", "differ in length", "line 3", "channel");
    assert_override_refused("regions.tissue_saturation_floor=31", "above the ceiling", "floor");
    assert_refused("\n[regions]\nsource = mask\n", "needs masks", "line 3", "regions.mask");
    assert_refused("[regions]\nsource = annotation & tissue\n", "needs annotations", "line 2",
                   "{stem}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(ranges),
        cmocka_unit_test(booleans_and_choices),
        cmocka_unit_test(texts_with_choices),
        cmocka_unit_test(intersections),
        cmocka_unit_test(sizes),
        cmocka_unit_test(lists),
        cmocka_unit_test(automatic),
        cmocka_unit_test(keys_that_belong_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Where µm per pixel come from, in which order, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "slide/slide_memory.h"

static const uint8_t pixel[3] = {0, 0, 0};

typedef struct answer {
    hlrp_status status;
    hlrp_mpp mpp;
    const char *source;
    hlrp_error err;
    int warnings;
} answer;

static void count_warnings(void *ctx, hlrp_log_level level, const char *line) {
    (void)line;
    *(int *)ctx += level == HLRP_LOG_WARN;
}

static answer ask(const hlrp_memory_property *properties, int64_t count, const hlrp_mpp *override) {
    answer a = {.source = ""};
    hlrp_memory_level level = {{1, 1}, pixel, NULL};
    hlrp_memory_slide source = {
        .level_count = 1, .levels = &level, .properties = properties, .property_count = count};
    hlrp_log log = {HLRP_LOG_DEBUG, count_warnings, &a.warnings};
    hlrp_slide *slide = NULL;
    assert_int_equal(hlrp_slide_open_memory(&source, &slide, &a.err), HLRP_OK);
    a.status = hlrp_slide_mpp(slide, override, &log, &a.mpp, &a.source, &a.err);
    hlrp_slide_close(slide);
    return a;
}

static void assert_found(answer a, double x, double y, const char *source) {
    assert_int_equal(a.status, HLRP_OK);
    assert_true(fabs(a.mpp.x - x) < 1e-9 && fabs(a.mpp.y - y) < 1e-9);
    assert_string_equal(a.source, source);
}

#define ALL                                                                                        \
    {"openslide.mpp-x", "0.25"}, {"openslide.mpp-y", "0.251"}, {"aperio.MPP", "0.3"},              \
        {"tiff.XResolution", "25400"}, {"tiff.YResolution", "25400"}, {                            \
        "openslide.objective-power", "40"                                                          \
    }

/* Guards: another order than the one promised. Each row leaves out the one before. */
static void order(void **state) {
    (void)state;
    static const hlrp_memory_property all[] = {ALL};
    assert_found(ask(all, 6, NULL), 0.25, 0.251, "openslide.mpp-x");
    assert_found(ask(all + 1, 5, NULL), 0.3, 0.3, "aperio.MPP"); /* mpp-y alone is not enough */
    assert_found(ask(all + 3, 3, NULL), 1, 1, "tiff.XResolution");
    hlrp_mpp mine = {0.26, 0.25};
    answer a = ask(all, 6, &mine);
    assert_found(a, 0.26, 0.25, "override");
    assert_int_equal(a.warnings, 0);
}

/* Guards: a vendor's key that is misspelt, or axes mixed up. Names as OpenSlide gives them. */
static void vendors(void **state) {
    (void)state;
    static const hlrp_memory_property mirax[] = {
        {"mirax.LAYER_0_LEVEL_0_SECTION.MICROMETER_PER_PIXEL_X", "0.23"},
        {"mirax.LAYER_0_LEVEL_0_SECTION.MICROMETER_PER_PIXEL_Y", "0.24"},
        {"tiff.XResolution", "25400"},
        {"tiff.YResolution", "25400"}};
    static const hlrp_memory_property ventana[] = {{"ventana.ScanRes", "0.465"}};
    assert_found(ask(mirax, 4, NULL), 0.23, 0.24, mirax[0].key);
    assert_found(ask(ventana, 1, NULL), 0.465, 0.465, "ventana.ScanRes");
}

static void tiff_units(void **state) {
    (void)state;
    hlrp_memory_property p[3] = {{"tiff.XResolution", "20000"},
                                 {"tiff.YResolution", "20000"},
                                 {"tiff.ResolutionUnit", "centimeter"}};
    assert_found(ask(p, 3, NULL), 0.5, 0.5, "tiff.XResolution");
    p[2].value = "inch";
    assert_found(ask(p, 3, NULL), 1.27, 1.27, "tiff.XResolution");
    assert_found(ask(p, 2, NULL), 1.27, 1.27, "tiff.XResolution"); /* absent means inch */
    p[2].value = "none";
    assert_int_equal(ask(p, 3, NULL).status, HLRP_E_INPUT);
    p[2].value = "inch";
    p[0].value = p[1].value = "0";
    assert_int_equal(ask(p, 3, NULL).status, HLRP_E_INPUT);
    p[0].value = p[1].value = "72"; /* a screen's: 352.8 µm */
    answer a = ask(p, 3, NULL);
    assert_int_equal(a.status, HLRP_E_INPUT);
    assert_non_null(strstr(a.err.what, "352.8"));
}

/* An OME-TIFF of 1 × 1 pixels: what Pixels has beside its size, and what stands before it. */
static answer ask_ome(const char *before, const char *attributes) {
    char text[1000];
    snprintf(
        text, sizeof text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>%s<OME "
        "xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\"><Image ID=\"Image:0\">"
        "<Pixels ID=\"Pixels:0\" SizeX=\"1\" SizeY=\"1\" %s><TiffData/></Pixels></Image></OME>",
        before, attributes);
    const hlrp_memory_property p[] = {{"tiff.ImageDescription", text},
                                      {"tiff.XResolution", "25400"},
                                      {"tiff.YResolution", "25400"}};
    return ask(p, 3, NULL);
}

/* Guards: the TIFF's resolution (a screen's, often) instead of what OME-XML says, and a unit that is
 * not looked at. */
static void ome_units(void **state) {
    (void)state;
    static const struct {
        const char *attributes;
        double x, y;
    } cases[] = {
        {"PhysicalSizeX=\"0.25\" PhysicalSizeY=\"0.26\"", 0.25, 0.26}, /* µm where none is given */
        {"PhysicalSizeX=\"0.25\" PhysicalSizeXUnit=\"µm\" PhysicalSizeY=\"0.25\" "
         "PhysicalSizeYUnit=\"&#956;m\"",
         0.25, 0.25}, /* the micro sign, and the Greek letter */
        {"PhysicalSizeX=\"250\" PhysicalSizeXUnit=\"nm\" PhysicalSizeY=\"0.00026\" "
         "PhysicalSizeYUnit=\"mm\"",
         0.25, 0.26},
        {"PhysicalSizeX=\"2500\" PhysicalSizeXUnit=\"Å\" PhysicalSizeY=\"2.5E-5\" "
         "PhysicalSizeYUnit=\"cm\"",
         0.25, 0.25},
        {"PhysicalSizeX=\"1e-5\" PhysicalSizeXUnit=\"in\" PhysicalSizeY=\"2.54e-7\" "
         "PhysicalSizeYUnit=\"m\"",
         0.254, 0.254}};
    for (size_t i = 0; i < HLRP_COUNT(cases); i++)
        assert_found(ask_ome("", cases[i].attributes), cases[i].x, cases[i].y, "ome.PhysicalSizeX");
}

/* Then the TIFF's own resolution is next: 1 µm here. */
static void ome_that_says_nothing(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "PhysicalSizeX=\"0.25\"",
        "PhysicalSizeX=\"0.25\" PhysicalSizeXUnit=\"pixel\" PhysicalSizeY=\"0.25\"",
        "PhysicalSizeX=\"0.25\" PhysicalSizeY=\"0.25\" PhysicalSizeYUnit=\"reference frame\"",
        "PhysicalSizeX=\"1\" PhysicalSizeXUnit=\"mm\" PhysicalSizeY=\"1\" PhysicalSizeYUnit=\"mm\"",
        "PhysicalSizeX=\"0.25\" PhysicalSizeY=\"0.25\"",
        "PhysicalSizeX=\"&a;\" PhysicalSizeY=\"&a;\""};
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        const char *before = i < 5    ? ""
                             : i == 5 ? "<broken <"
                                      : "<!DOCTYPE OME [<!ENTITY a \"0.25\">]>";
        assert_found(ask_ome(before, cases[i]), 1, 1, "tiff.XResolution");
    }
}

/* Guards: the scale of another picture of the file, or of the one that this was reduced from. */
static void ome_of_another_picture(void **state) {
    (void)state;
    static const char text[] = "<OME><Image><Pixels SizeX=\"8\" SizeY=\"8\" PhysicalSizeX=\"2\" "
                               "PhysicalSizeY=\"2\"/></Image>"
                               "<Image><Pixels SizeX=\"1\" SizeY=\"1\" PhysicalSizeX=\"0.5\" "
                               "PhysicalSizeY=\"0.5\"/></Image>"
                               "</OME>";
    hlrp_memory_property p = {"tiff.ImageDescription", text};
    assert_found(ask(&p, 1, NULL), 0.5, 0.5, "ome.PhysicalSizeX");
    p.value = "<OME><Image><Pixels SizeX=\"8\" SizeY=\"8\" PhysicalSizeX=\"2\" "
              "PhysicalSizeY=\"2\"/></Image></OME>";
    answer a = ask(&p, 1, NULL);
    assert_int_equal(a.status, HLRP_E_INPUT);
    assert_non_null(strstr(a.err.what, "ome.PhysicalSizeX (absent)"));
}

/* Guards: a resolution guessed from the objective, and an error that leaves the user alone. */
static void nothing_found(void **state) {
    (void)state;
    static const hlrp_memory_property power[] = {{"openslide.objective-power", "40"},
                                                 {"aperio.AppMag", "40"}};
    answer a = ask(power, 2, NULL);
    assert_int_equal(a.status, HLRP_E_INPUT);
    assert_non_null(strstr(a.err.what, "openslide.mpp-x"));
    assert_non_null(strstr(a.err.what, "aperio.MPP"));
    assert_non_null(strstr(a.err.what, "tiff.XResolution"));
    assert_non_null(strstr(a.err.mend, "[slide:NAME]"));
}

/* Guards: values no microscope has, taken for a resolution instead of the next best source. */
static void unusable_values_are_passed_over(void **state) {
    (void)state;
    static const char *const odd[] = {"0", "-0.25", "250", "0.01", "nan", "inf", "", "0.25um"};
    for (size_t k = 0; k < HLRP_COUNT(odd); k++) {
        hlrp_memory_property p[] = {
            {"openslide.mpp-x", odd[k]}, {"openslide.mpp-y", odd[k]}, {"aperio.MPP", "0.5"}};
        assert_found(ask(p, 3, NULL), 0.5, 0.5, "aperio.MPP");
        p[0].value = "0.5"; /* one axis is enough to be unusable */
        assert_found(ask(p, 3, NULL), 0.5, 0.5, "aperio.MPP");
    }
    static const hlrp_memory_property ends[] = {{"aperio.MPP", "0.05"}},
                                      top[] = {{"aperio.MPP", "10"}};
    assert_found(ask(ends, 1, NULL), 0.05, 0.05, "aperio.MPP");
    assert_found(ask(top, 1, NULL), 10, 10, "aperio.MPP");
}

static void axes_apart(void **state) {
    (void)state;
    hlrp_memory_property p[] = {{"openslide.mpp-x", "0.25"}, {"openslide.mpp-y", "0.262"}};
    assert_found(ask(p, 2, NULL), 0.25, 0.262, "openslide.mpp-x"); /* 4.8 % */
    p[1].value = "0.263";                                          /* 5.2 % */
    answer a = ask(p, 2, NULL);
    assert_int_equal(a.status, HLRP_E_INPUT);
    assert_non_null(strstr(a.err.what, "5 %"));
    assert_non_null(strstr(a.err.mend, "mpp in [slide:NAME]"));
    /* The override is the way out: it may hold any two. */
    hlrp_mpp mine = {0.25, 0.5};
    assert_found(ask(p, 2, &mine), 0.25, 0.5, "override");
}

static void overrides(void **state) {
    (void)state;
    static const hlrp_memory_property all[] = {ALL};
    hlrp_mpp other = {0.5, 0.5}, impossible = {0.5, 50};
    answer a = ask(all, 6, &other);
    assert_found(a, 0.5, 0.5, "override");
    assert_int_equal(a.warnings, 1); /* it contradicts the slide: said once */
    assert_int_equal(ask(all, 6, &impossible).status, HLRP_E_CONFIG);
    assert_int_equal(ask(NULL, 0, &other).warnings, 0); /* a mute slide contradicts nothing */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order),
        cmocka_unit_test(vendors),
        cmocka_unit_test(tiff_units),
        cmocka_unit_test(ome_units),
        cmocka_unit_test(ome_that_says_nothing),
        cmocka_unit_test(ome_of_another_picture),
        cmocka_unit_test(nothing_found),
        cmocka_unit_test(unusable_values_are_passed_over),
        cmocka_unit_test(axes_apart),
        cmocka_unit_test(overrides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

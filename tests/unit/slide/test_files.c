/* Slides in files: real ones where the test data is there, and files that are no slides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/image.h"
#include "slide/slide.h"

/* Label and macro images carry patient names. These stand in for OpenSlide's calls: whatever of
 * this program would call them ends up here. */
void openslide_read_associated_image(void *osr, const char *name, uint32_t *dest);
void openslide_get_associated_image_dimensions(void *osr, const char *name, int64_t *w, int64_t *h);
const char *const *openslide_get_associated_image_names(void *osr);

static int associated_calls;

void openslide_read_associated_image(void *osr, const char *name, uint32_t *dest) {
    (void)osr, (void)name, (void)dest;
    associated_calls++;
}

void openslide_get_associated_image_dimensions(void *osr, const char *name, int64_t *w,
                                               int64_t *h) {
    (void)osr, (void)name;
    *w = *h = 1;
    associated_calls++;
}

const char *const *openslide_get_associated_image_names(void *osr) {
    static const char *const names[] = {"label", NULL};
    (void)osr;
    associated_calls++;
    return names;
}

static char folder[] = "/tmp/hlrp-test-slide-XXXXXX";

/* A path below the test data; skips the test where it is absent. */
static const char *data(const char *name) {
    static char path[1024];
    const char *root = getenv("HISTOLRP_TESTDATA");
    snprintf(path, sizeof path, "%s/slides/%s", root ? root : "", name);
    if (!root || access(path, R_OK) != 0) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    return path;
}

static const char *write_file(const char *name, const void *bytes, size_t n) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void assert_refused(const char *path, const char *what) {
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    assert_int_equal(hlrp_slide_open(path, &slide, &err), HLRP_E_INPUT);
    assert_null(slide);
    assert_string_equal(err.where, path);
    if (!strstr(err.what, what))
        fail_msg("\"%s\" does not say \"%s\"", err.what, what);
    assert_true(err.mend[0] != 0);
}

/* Guards: one message for everything; OpenSlide itself is silent about all of these. */
static void each_refusal_has_its_line(void **state) {
    (void)state;
    assert_refused("/nonexistent/slide.svs", "No such file");
    assert_refused(folder, "folder");
    assert_refused(write_file("empty.svs", "", 0), "empty");
    assert_refused(write_file("text.svs", "no slide", 8), "format");
    /* TIFF headers whose directory lies past the end: classic and BigTIFF, both byte orders */
    assert_refused(write_file("a.svs", "II*\0\x00\x00\x01\x00", 8), "truncated");
    assert_refused(write_file("b.svs", "MM\0*\x00\x01\x00\x00", 8), "truncated");
    assert_refused(write_file("c.svs", "II+\0\x08\0\0\0\x00\x00\x01\0\0\0\0\0", 16), "truncated");
    assert_refused(write_file("d.svs", "MM\0+\0\x08\0\0\xff\0\0\0\0\0\0\0", 16), "truncated");
    /* a TIFF that is no slide: one empty directory */
    assert_refused(write_file("e.svs", "II*\0\x08\0\0\0\0\0\0\0\0\0", 14), "TIFF");
    const char *path = write_file("locked.svs", "x", 1);
    assert_int_equal(chmod(path, 0), 0);
    if (geteuid() != 0)
        assert_refused(path, "Permission denied");
}

/* Guards: OpenSlide's own words lost behind ours. */
static void known_but_damaged(void **state) {
    (void)state;
    assert_refused(data("openslide-python-fixtures/unopenable.tiff"),
                   "OpenSlide: Unsupported TIFF compression");
}

static void a_slide_cut_short(void **state) {
    (void)state;
    const char *path = data("cmu1-small-region/CMU-1-Small-Region.svs");
    hlrp_error err = {0};
    char *bytes = NULL;
    int64_t size = 0;
    assert_int_equal(hlrp_read_file(path, 10 << 20, &bytes, &size, &err), HLRP_OK);
    assert_refused(write_file("cut.svs", bytes, (size_t)size / 2), "truncated");
    free(bytes);
}

/* A pyramid that was cut anywhere behind its first directory. Guards: "does not know this TIFF" for
 * a copy that was broken off. */
static void a_pyramid_cut_anywhere(void **state) {
    (void)state;
    static uint8_t rgb[600 * 500 * 3];
    static const char *const texts[8] = {"Aperio Image Library v1\n600x500|MPP = 0.5", "Aperio",
                                         "Aperio"};
    hlrp_pyramid_spec spec = {.width = 600,
                              .height = 500,
                              .pixel = HLRP_PIXEL_RGB8,
                              .tile = 128,
                              .codec = HLRP_CODEC_JPEG,
                              .mpp = {0.5, 0.5}};
    for (int aperio = 0; aperio < 2; aperio++) {
        hlrp_error err = {0};
        hlrp_pyramid *out = NULL;
        char path[200], *bytes = NULL;
        int64_t size = 0;
        spec.layout = aperio ? HLRP_LAYOUT_APERIO : HLRP_LAYOUT_PAGES;
        spec.descriptions = aperio ? texts : NULL;
        snprintf(path, sizeof path, "%s/cut.svs", folder);
        assert_int_equal(hlrp_pyramid_open(path, &spec, &out, &err), HLRP_OK);
        assert_int_equal(hlrp_pyramid_rows(out, rgb, 500, 1800, &err), HLRP_OK);
        assert_int_equal(hlrp_pyramid_finish(out, &err), HLRP_OK);
        hlrp_pyramid_free(out);
        assert_int_equal(hlrp_read_file(path, 10 << 20, &bytes, &size, &err), HLRP_OK);
        for (int k = 1; k < 40; k++) {
            hlrp_slide *slide = NULL;
            const char *cut = write_file("cut.svs", bytes, (size_t)(size * k / 40));
            if (hlrp_slide_open(cut, &slide, &err) == HLRP_OK)
                hlrp_slide_close(slide); /* what is missing is met when it is read */
            else if (!strstr(err.what, "the file is truncated") && !strstr(err.what, "OpenSlide: "))
                fail_msg("at %d/40: %s", k, err.what);
        }
        free(bytes);
    }
}

/* Guards: a damaged region that goes unnoticed, or that leaves the handle dead. */
static void unreadable(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    uint8_t rgb[16 * 16 * 3];
    hlrp_irect rect = {0, 0, 16, 16};
    assert_int_equal(
        hlrp_slide_open(data("openslide-python-fixtures/unreadable.svs"), &slide, &err), HLRP_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hlrp_slide_read(slide, 0, rect, rgb, &err), HLRP_E_INPUT);
        assert_non_null(strstr(err.what, "libtiff: ")); /* it is smaller than its tile */
        assert_non_null(strstr(err.where, "unreadable.svs"));
    }
    /* outside the slide there is nothing to read, so nothing fails */
    rect.x = 16;
    assert_int_equal(hlrp_slide_read(slide, 0, rect, rgb, &err), HLRP_OK);
    hlrp_slide_close(slide);
}

static void cmu1(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_slide *slide = NULL, *again = NULL;
    hlrp_mpp mpp;
    const char *source = NULL;
    hlrp_slide_identity id;
    const char *path = data("cmu1-small-region/CMU-1-Small-Region.svs");
    assert_int_equal(hlrp_slide_open(path, &slide, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_levels(slide), 1);
    assert_int_equal(hlrp_slide_size(slide, 0).w, 2220);
    assert_int_equal(hlrp_slide_size(slide, 0).h, 2967);
    assert_string_equal(hlrp_slide_name(slide), "CMU-1-Small-Region.svs");
    assert_string_equal(hlrp_slide_property(slide, "openslide.vendor"), "aperio");
    assert_int_equal(hlrp_slide_mpp(slide, NULL, NULL, &mpp, &source, &err), HLRP_OK);
    assert_true(mpp.x == 0.499 && mpp.y == 0.499);
    assert_string_equal(source, "openslide.mpp-x");
    assert_int_equal(hlrp_slide_identify(slide, &id, &err), HLRP_OK);
    assert_int_equal(id.bytes, 1938955);
    assert_string_equal(id.hash,
                        "6335ea0e6cc54c2cba64bb265d3c713a50cd84484924e3a9c109558c13521d5c");
    /* the same pixels from two handles and from two differently cut requests */
    uint8_t *a = malloc(300 * 300 * 3), *b = malloc(100 * 50 * 3);
    assert_int_equal(hlrp_slide_open_again(slide, &again, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_read(slide, 0, (hlrp_irect){2000, 2700, 300, 300}, a, &err),
                     HLRP_OK);
    assert_int_equal(hlrp_slide_read(again, 0, (hlrp_irect){2130, 2800, 100, 50}, b, &err),
                     HLRP_OK);
    for (int y = 0; y < 50; y++)
        assert_memory_equal(a + ((y + 100) * 300 + 130) * 3, b + y * 100 * 3, 300);
    assert_int_equal(a[(299 * 300 + 299) * 3], 255); /* past the edge */
    assert_true(a[0] != 255 || a[1] != 255 || a[2] != 255);
    free(a);
    free(b);
    hlrp_slide_close(again);
    hlrp_slide_close(slide);
}

/* OpenSlide reckons with the mean of both axes' downsamples, 4.0002 here, where the level is level
 * 0 four times smaller. Guards: addresses made with the one and understood with the other, off by
 * more and more (what the pixels then show is tested with tiles). */
static void addresses_do_not_drift(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    double x = 0, y = 0;
    assert_int_equal(hlrp_slide_open(data("luna-1065626/1065626.svs"), &slide, &err), HLRP_OK);
    hlrp_slide_downsample(slide, 1, &x, &y);
    assert_true(x == 4 && y == 4);
    for (int64_t at = 0; at < 2988; at += 414) {
        hlrp_slide_shift(slide, 1, (hlrp_irect){at, at, 8, 8}, &x, &y);
        assert_true(x <= 0.125 && x >= -0.125 && y <= 0.125 && y >= -0.125);
        hlrp_slide_shift(slide, 0, (hlrp_irect){at, at, 8, 8}, &x, &y);
        assert_true(x == 0 && y == 0);
    }
    hlrp_slide_close(slide);
}

static void no_label_no_macro(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    hlrp_size size;
    hlrp_mpp mpp;
    hlrp_slide_identity id;
    uint8_t *rgb = NULL;
    assert_int_equal(
        hlrp_slide_open(data("cmu1-small-region/CMU-1-Small-Region.svs"), &slide, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_mpp(slide, NULL, NULL, &mpp, NULL, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_identify(slide, &id, &err), HLRP_OK);
    assert_int_equal(hlrp_slide_overview(slide, 20, 20, &size, &rgb, NULL, &err), HLRP_OK);
    free(rgb);
    hlrp_slide_close(slide);
    assert_int_equal(associated_calls, 0);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"empty", "text", "a", "b", "c", "d", "e", "locked", "cut"};
    for (size_t i = 0; i < HLRP_COUNT(names); i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s.svs", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refusal_has_its_line),
        cmocka_unit_test(known_but_damaged),
        cmocka_unit_test(a_slide_cut_short),
        cmocka_unit_test(a_pyramid_cut_anywhere),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(cmu1),
        cmocka_unit_test(addresses_do_not_drift),
        cmocka_unit_test(no_label_no_macro),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

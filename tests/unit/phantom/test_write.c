/* The slide and its truth as files. OpenSlide's reading of them is tested with the program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/image.h"
#include "phantom/phantom.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { QUARANTINE = 1 };
#else
enum { QUARANTINE = 0 };
#endif

typedef struct scratch {
    char folder[64], slide[128], truth[128];
} scratch;

static int setup(void **state) {
    scratch *s = calloc(1, sizeof *s);
    assert_non_null(s);
    strcpy(s->folder, "/tmp/histolrp-phantom-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    snprintf(s->slide, sizeof s->slide, "%s/slide.svs", s->folder);
    snprintf(s->truth, sizeof s->truth, "%s/truth.tif", s->folder);
    *state = s;
    return 0;
}

static int teardown(void **state) {
    scratch *s = *state;
    remove(s->slide);
    remove(s->truth);
    int status = rmdir(s->folder); /* fails where a temporary file was left */
    free(s);
    return status;
}

static hlrp_phantom_options small(void) {
    hlrp_phantom_options o = hlrp_phantom_defaults();
    o.width = 1300;
    o.height = 1111;
    o.mpp = 0.5;
    o.seed = 11;
    o.jpeg_quality = 90;
    return o;
}

/* Guards: bands pushed in the wrong place, the last ones cut, a truth that is not the slide's. */
static void test_files_hold_what_is_painted(void **state) {
    const scratch *s = *state;
    hlrp_phantom_options o = small();
    hlrp_error err = {0};
    assert_int_equal(hlrp_phantom_write(&o, s->slide, s->truth, NULL, NULL, &err), HLRP_OK);
    hlrp_image slide = {0}, truth = {0};
    assert_int_equal(hlrp_image_read(s->slide, &slide, &err), HLRP_OK);
    assert_int_equal(hlrp_image_read(s->truth, &truth, &err), HLRP_OK);
    assert_int_equal(slide.width, o.width);
    assert_int_equal(slide.height, o.height);
    assert_int_equal(truth.width, o.width);
    assert_int_equal(truth.height, o.height);
    int64_t n = o.width * o.height, marked = 0;
    uint8_t *rgb = malloc((size_t)(3 * n)), *mask = malloc((size_t)n);
    assert_true(rgb && mask);
    hlrp_irect all = {0, 0, o.width, o.height};
    assert_int_equal(hlrp_phantom_render(&o, all, rgb, mask, &err), HLRP_OK);
    double difference = 0;
    for (int64_t i = 0; i < n; i++) {
        assert_int_equal(truth.data[truth.channels * i], mask[i]);
        marked += mask[i] == 255;
        for (int c = 0; c < 3; c++)
            difference += abs(slide.data[3 * i + c] - rgb[3 * i + c]);
    }
    assert_true(marked > 1000);
    assert_true(difference / (double)(3 * n) < 4); /* JPEG at quality 90, chroma at half size */
    hlrp_image_free(&slide);
    hlrp_image_free(&truth);
    free(rgb);
    free(mask);
}

static bool contains(const char *bytes, int64_t n, const char *text) {
    return memmem(bytes, (size_t)n, text, strlen(text)) != NULL;
}

/* Guards: a description that OpenSlide does not take for Aperio's, or reads no mpp from. */
static void test_description_is_as_aperio_has_it(void **state) {
    const scratch *s = *state;
    hlrp_phantom_options o = small();
    hlrp_error err = {0};
    assert_int_equal(hlrp_phantom_write(&o, s->slide, NULL, NULL, NULL, &err), HLRP_OK);
    assert_false(hlrp_file_exists(s->truth));
    char *bytes = NULL;
    int64_t n = 0;
    assert_int_equal(hlrp_read_file(s->slide, 1 << 26, &bytes, &n, &err), HLRP_OK);
    assert_true(contains(bytes, n, "Aperio Image Library"));
    assert_true(contains(bytes, n, "|AppMag = 20|MPP = 0.5|"));
    free(bytes);
}

static bool stop_in_the_middle(void *ctx, int64_t done, int64_t total) {
    (void)ctx;
    return done < total / 2;
}

/* Guards: half a slide under its final name. */
static void test_interrupted_leaves_nothing(void **state) {
    const scratch *s = *state;
    hlrp_phantom_options o = small();
    hlrp_phantom_progress progress = {stop_in_the_middle, NULL};
    hlrp_error err = {0};
    assert_int_equal(hlrp_phantom_write(&o, s->slide, s->truth, NULL, &progress, &err),
                     HLRP_E_INTERRUPTED);
    assert_false(hlrp_file_exists(s->slide));
    assert_false(hlrp_file_exists(s->truth));
}

static void test_bad_places_and_sizes_fail(void **state) {
    const scratch *s = *state;
    hlrp_phantom_options o = small();
    hlrp_error err = {0};
    assert_int_not_equal(
        hlrp_phantom_write(&o, "/nonexistent-folder/a.svs", NULL, NULL, NULL, &err), HLRP_OK);
    assert_true(err.what[0] != '\0');
    o.width = HLRP_PHANTOM_MAX_SIDE + 1;
    assert_int_equal(hlrp_phantom_write(&o, s->slide, NULL, NULL, NULL, &err), HLRP_E_USAGE);
    assert_false(hlrp_file_exists(s->slide));
}

/* Guards: memory that grows with the height. More rows may add an eighth of their pixels.
 */
static void test_memory_does_not_grow_with_the_height(void **state) {
    const scratch *s = *state;
    hlrp_phantom_options o = small();
    hlrp_error err = {0};
    if (QUARANTINE)
        skip(); /* freed memory is kept: its peak says nothing about the program */
    o.width = 3000;
    o.height = 500;
    o.mpp = 0.25;
    assert_int_equal(hlrp_phantom_write(&o, s->slide, NULL, NULL, NULL, &err), HLRP_OK);
    int64_t before = hlrp_peak_memory();
    remove(s->slide);
    o.height = 6500;
    assert_int_equal(hlrp_phantom_write(&o, s->slide, NULL, NULL, NULL, &err), HLRP_OK);
    int64_t added = 3 * o.width * 6000; /* 54 MB of pixels */
    assert_true(hlrp_peak_memory() - before < added / 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_hold_what_is_painted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_description_is_as_aperio_has_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupted_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_places_and_sizes_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_does_not_grow_with_the_height, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* relevance.ome.tif: numbers with libtiff, the XML against the OME schema with xmllint. */
#include "unit/sink/sink_test.h"

#include <tiffio.h>

static void write_ome(sink_test *t) {
    hlrp_error err = {0};
    const hlrp_status status =
        hlrp_sink_ome_tiff(&t->in, scratch_path(&t->files, "relevance.ome.tif"), &err);
    assert_string_equal(err.what, "");
    assert_int_equal(status, HLRP_OK);
}

static void assert_page(TIFF *tif, const float *want) {
    float tile[256 * 256];
    uint32_t w = 0, h = 0;
    uint16_t format = 0, photometric = 9, predictor = 0;
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &w);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &h);
    TIFFGetField(tif, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &photometric);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PREDICTOR, &predictor);
    assert_int_equal(w, TEST_MAP_W);
    assert_int_equal(h, TEST_MAP_H);
    assert_int_equal(format, SAMPLEFORMAT_IEEEFP);
    assert_int_equal(photometric, PHOTOMETRIC_MINISBLACK);
    assert_in_range(predictor, 1, 2); /* 3 is refused by Bio-Formats */
    assert_int_equal(TIFFReadEncodedTile(tif, 0, tile, sizeof tile), sizeof tile);
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            const float got = tile[y * 256 + x], value = want[y * w + x];
            assert_true(isnan(value) ? isnan(got) : got == value);
        }
}

/* Guards the order of channels and that values, NaN among them, are those of the record. */
static void channels_hold_the_record(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    t->in.slide = NULL;
    write_ome(t);
    TIFF *tif = TIFFOpen(scratch_path(&t->files, "relevance.ome.tif"), "r");
    assert_int_equal(TIFFNumberOfDirectories(tif), 4);
    for (int k = 0; k < 2; k++) {
        assert_true(TIFFSetDirectory(tif, (tdir_t)k));
        assert_page(tif, t->relevance[k]);
        assert_true(TIFFSetDirectory(tif, (tdir_t)(2 + k)));
        assert_page(tif, t->probability[k]);
    }
    TIFFClose(tif);
}

/* Guards: channels of nothing where no tile has a probability, and what else is known of tiles left out. */
static void a_bags_channels_are_its_scores(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    char *xml = NULL;
    sink_test_bag(t);
    sink_test_start(t);
    assert_int_equal(hlrp_sink_ome_tiff(&t->in, scratch_path(&t->files, "relevance.ome.tif"), &err),
                     HLRP_OK);
    TIFF *tif = TIFFOpen(scratch_path(&t->files, "relevance.ome.tif"), "r");
    assert_int_equal(TIFFNumberOfDirectories(tif), 5);
    assert_true(TIFFGetField(tif, TIFFTAG_IMAGEDESCRIPTION, &xml));
    assert_non_null(strstr(xml, "SizeC=\"5\""));
    assert_null(strstr(xml, "probability"));
    assert_non_null(strstr(xml, "ID=\"Channel:0:2\" Name=\"attention\""));
    assert_non_null(strstr(xml, "ID=\"Channel:0:3\" Name=\"single:normal\""));
    for (int m = 0; m < 3; m++) {
        assert_true(TIFFSetDirectory(tif, (tdir_t)(2 + m)));
        assert_page(tif, t->probability[m % 2]);
    }
    TIFFClose(tif);
}

static char *description_of(sink_test *t) {
    char *text = NULL;
    TIFF *tif = TIFFOpen(scratch_path(&t->files, "relevance.ome.tif"), "r");
    assert_true(TIFFGetField(tif, TIFFTAG_IMAGEDESCRIPTION, &text));
    text = strdup(text);
    TIFFClose(tif);
    return text;
}

static void the_xml_names_sizes_and_channels(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    write_ome(t);
    char *xml = description_of(t);
    assert_non_null(strstr(xml, "SizeX=\"76\" SizeY=\"45\" SizeZ=\"1\" SizeC=\"4\" SizeT=\"1\""));
    assert_non_null(strstr(xml, "PhysicalSizeX=\"4\" PhysicalSizeY=\"2\""));
    assert_non_null(strstr(xml, "<Channel ID=\"Channel:0:1\" Name=\"tumor, &lt;b&gt; &quot;q&quot; "
                                "&amp; ä\""));
    assert_non_null(strstr(xml, "Name=\"probability:normal\""));
    assert_non_null(strstr(xml, "<TiffData IFD=\"0\" PlaneCount=\"4\"/>"));
    free(xml);
}

static void the_xml_is_valid(void **state) {
    sink_test *t = *state;
    char command[1000], schema[500];
    const char *data = getenv("HISTOLRP_TESTDATA");
    snprintf(schema, sizeof schema, "%s/ome/ome.xsd", data ? data : "");
    if (!data || !hlrp_file_exists(schema) || system("command -v xmllint >/dev/null 2>&1") != 0) {
        print_message("skipped: needs HISTOLRP_TESTDATA/ome/ome.xsd and xmllint\n");
        skip();
    }
    sink_test_start(t);
    write_ome(t);
    char *xml = description_of(t);
    hlrp_error err = {0};
    const char *path = scratch_path(&t->files, "ome.xml");
    assert_int_equal(hlrp_write_file(path, xml, strlen(xml), &err), HLRP_OK);
    snprintf(command, sizeof command, "xmllint --nonet --noout --schema '%s' '%s' >/dev/null 2>&1",
             schema, path);
    assert_int_equal(system(command), 0);
    free(xml);
}

static void a_full_disk_leaves_no_ome_tiff(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    sink_test_full_disk(t, hlrp_sink_ome_tiff, "relevance.ome.tif", 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SINK_TEST(channels_hold_the_record),         SINK_TEST(a_bags_channels_are_its_scores),
        SINK_TEST(the_xml_names_sizes_and_channels), SINK_TEST(the_xml_is_valid),
        SINK_TEST(a_full_disk_leaves_no_ome_tiff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

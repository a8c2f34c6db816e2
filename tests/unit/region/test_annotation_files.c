/* Every annotation file of the test data: what it holds, or why it is refused. Counts are pinned
 * per geometry and class, as other readers of these files see them. Guards against a reader that
 * passes over a variant of a format without a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "region/annotation.h"

typedef struct expectation {
    const char *file;
    const char *format;
    const char *counts;  /* class=polygons/multipolygons/ellipses/points/lines … */
    int64_t vertices;    /* of all areas, rings open */
    const char *refusal; /* part of the error; NULL: it is read */
} expectation;

static const expectation FILES[] = {
    {"dlup/103S-darwin.json", NULL, NULL, 0, "JSON, but not GeoJSON"},
    {"dlup/asap_example.xml", "ASAP XML", "healthy glands=1/0/0/0/0", 9, NULL},
    {"dlup/qupath05.geojson", "GeoJSON", "UT=1/0/0/0/0; I=2/0/0/0/0", 396, NULL},
    {"insitupy/annotations-Tumor.geojson", "GeoJSON", "Tumor cells=28/0/0/0/0", 1224, NULL},
    {"insitupy/annotations-mixed_types.geojson", "GeoJSON",
     "Stroma=1/0/1/1/0; Necrosis=0/0/0/0/1; Immune cells=0/0/0/0/1; unclassified=0/0/0/1/0; "
     "Tumor=0/0/0/1/0",
     623, NULL},
    {"insitupy/demo_points.geojson", NULL, NULL, 0, "only points and lines"},
    {"insitupy/demo_regions.geojson", "GeoJSON",
     "Region 1=1/0/0/0/0; Region 3=1/0/0/0/0; Region 2=1/0/0/0/0", 12, NULL},
    {"insitupy/regions-0001879__Replicate_1__TMA.geojson", "GeoJSON",
     "B-2=0/0/1/0/0; A-3=0/0/1/0/0; B-1=0/0/1/0/0; B-3=0/0/1/0/0; A-1=0/0/1/0/0; A-2=0/0/1/0/0",
     2160, NULL},
    {"luna/1006844.annotation.geojson", "GeoJSON",
     "Other=3/0/0/0/0; Tumor=4/0/0/0/0; TILs=8/0/0/0/0", 963, NULL},
    {"luna/123.annotation.geojson", "GeoJSON", "Other=1/0/0/0/0; Tumor=1/0/0/0/0", 8, NULL},
    {"luna/123456_annotation_from_halo.xml", "ImageScope XML", "Layer 1=1/0/0/0/0; Tumor=1/0/0/0/0",
     12, NULL},
    {"luna/123_jill_SVBMP-123sdf_annot_geojson.json", NULL, NULL, 0, "are a list of rings"},
    {"luna/Annotation.json", NULL, NULL, 0, "JSON, but not GeoJSON"},
    {"luna/region_annotation_results.geojson", "GeoJSON", "Other=1/0/0/0/0", 24, NULL},
    {"luna/test_cell_detections.geojson", "GeoJSON", "Other=2/0/0/0/0", 7, NULL},
    {"luna/test_object_classification.geojson", "GeoJSON", "Other=1/0/0/0/0", 24, NULL},
    {"luna/test_object_classification_NAN_modified.geojson", "GeoJSON", "Other=1/0/0/0/0", 24,
     NULL},
    {"wsidicom-asap/asap-dot.xml", NULL, NULL, 0, "only points and lines"},
    {"wsidicom-asap/asap-pointset.xml", NULL, NULL, 0, "only points and lines"},
    {"wsidicom-asap/asap-polygon.xml", "ASAP XML", "unclassified=1/0/0/0/0", 6, NULL},
    {"wsidicom-qupath/pathologycore-area.json", NULL, NULL, 0, "JSON, but not GeoJSON"},
    {"wsidicom-qupath/pathologycore-polyline.json", NULL, NULL, 0, "JSON, but not GeoJSON"},
    {"wsidicom-qupath/qupath-brush.json", "GeoJSON", "brush=1/0/0/0/0", 187, NULL},
    {"wsidicom-qupath/qupath-ellipse.json", "GeoJSON", "ellipse=1/0/0/0/0", 100, NULL},
    {"wsidicom-qupath/qupath-line.json", NULL, NULL, 0, "only points and lines"},
    {"wsidicom-qupath/qupath-multipoint.json", NULL, NULL, 0, "only points and lines"},
    {"wsidicom-qupath/qupath-point.json", NULL, NULL, 0, "only points and lines"},
    {"wsidicom-qupath/qupath-polygon-cell-classified.json", "GeoJSON",
     "Cell=2/0/0/0/0; Nucleus=2/0/0/0/0", 400, NULL},
    {"wsidicom-qupath/qupath-polygon.json", "GeoJSON", "polygon=1/0/0/0/0", 46, NULL},
    {"wsidicom-qupath/qupath-polyline.json", NULL, NULL, 0, "only points and lines"},
    {"wsidicom-qupath/qupath-rectangle.json", "GeoJSON", "rectangle=1/0/0/0/0", 4, NULL},
    {"wsidicom-qupath/qupath-wand.json", "GeoJSON", "wand=1/0/0/0/0", 139, NULL},
};

static void counts_of(const hlrp_drawing *d, hlrp_str *out) {
    for (int64_t g = 0; g < d->group_count; g++) {
        int64_t n[HLRP_SHAPE_KINDS] = {0};
        for (int64_t i = 0; i < d->shape_count; i++)
            if (d->shapes[i].group == g)
                n[d->shapes[i].kind]++;
        hlrp_str_addf(out, "%s%s=%d/%d/%d/%d/%d", g > 0 ? "; " : "", d->groups[g].name, (int)n[0],
                      (int)n[1], (int)n[2], (int)n[3], (int)n[4]);
    }
}

static void check_file(const char *folder, const expectation *e) {
    hlrp_error err = {0};
    hlrp_drawing d = {0};
    hlrp_str counts = {0};
    char *path = NULL, line[1500];
    assert_int_equal(hlrp_path_join(folder, e->file, &path, &err), HLRP_OK);
    const hlrp_status status = hlrp_drawing_read(path, false, NULL, &d, &err);
    counts_of(&d, &counts);
    if (getenv("HLRP_SHOW")) {
        print_message("    {\"%s\", \"%s\", \"%s\", %lld, ", e->file, d.format ? d.format : "",
                      counts.text ? counts.text : "", (long long)d.vertex_count);
        print_message("%s},\n", status ? hlrp_error_line(&err, line, sizeof line) : "NULL");
    } else if (e->refusal) {
        assert_int_equal(status, HLRP_E_INPUT);
        assert_non_null(strstr(hlrp_error_line(&err, line, sizeof line), e->refusal));
        assert_non_null(strstr(line, e->file));
    } else {
        assert_int_equal(status, HLRP_OK);
        assert_string_equal(d.format, e->format);
        assert_string_equal(counts.text, e->counts);
        assert_int_equal(d.vertex_count, e->vertices);
    }
    hlrp_str_free(&counts);
    hlrp_drawing_free(&d);
    free(path);
}

static void every_file(void **state) {
    const char *data = getenv("HISTOLRP_TESTDATA");
    hlrp_error err = {0};
    char *folder = NULL;
    (void)state;
    if (!data || !hlrp_is_folder(data)) {
        print_message("no test data: HISTOLRP_TESTDATA is not a folder\n");
        skip();
    }
    assert_int_equal(hlrp_path_join(data, "annotations", &folder, &err), HLRP_OK);
    for (size_t i = 0; i < HLRP_COUNT(FILES); i++)
        check_file(folder, &FILES[i]);
    free(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

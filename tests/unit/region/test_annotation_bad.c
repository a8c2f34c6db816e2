/* Annotation files as programs and people damage them: each is read for what it is, or refused with
 * its place and a remedy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "area.h"

static void assert_total(const char *text, double area, int warnings) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    area_log notes = {0};
    const hlrp_log log = {HLRP_LOG_WARN, area_note, &notes};
    const hlrp_annotation_options o = {.log = &log, .skip_unreadable = true};
    if (area_read(text, &o, &region, &err) != HLRP_OK)
        fail_msg("%s: %s", text, err.what);
    assert_float_equal(hlrp_region_share(region) * 1e6, area, 1e-3);
    assert_int_equal(notes.warnings, warnings);
    hlrp_region_free(region);
}

static void assert_refused(const char *text, const char *part) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    assert_int_equal(area_read(text, NULL, &region, &err), HLRP_E_INPUT);
    assert_null(region);
    if (!strstr(err.what, part))
        fail_msg("'%s' is not in '%s'", part, err.what);
    assert_non_null(strstr(err.where, "/tmp/hlrp-area"));
    assert_true(err.mend[0] != '\0');
}

#define BOX "[[0,0],[10,0],[10,10],[0,10],[0,0]]"
#define POLYGON "{\"type\":\"Polygon\",\"coordinates\":[" BOX "]}"

static void geojson_of_every_shape(void **state) {
    (void)state;
    assert_total(POLYGON, 100, 0);
    assert_total("\xef\xbb\xbf \n[{\"type\":\"Feature\",\"geometry\":" POLYGON "}]", 100, 0);
    assert_total(
        "{\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"name\"},\"features\":[{\"type\":"
        "\"Feature\",\"type\":\"Feature\",\"geometry\":" POLYGON
        ",\"properties\":{\"measurements\":{\"a\":NaN,\"b\":-Infinity,\"c\":\"NaN \\\" "
        "NaN\"}}}]}",
        100, 0);
    /* an unclosed ring, and a third coordinate */
    assert_total("{\"type\":\"Polygon\",\"coordinates\":[[[0,0,7],[10,0,7],[10,10,7],[0,10,7]]]}",
                 100, 0);
    assert_total("{\"type\":\"MultiPolygon\",\"coordinates\":[[" BOX
                 ",[[2,2],[4,2],[4,4],[2,4]]],[[[20,20],[30,20],[30,30]]]]}",
                 100 - 4 + 50, 0);
    assert_total("{\"type\":\"Polygon\",\"isEllipse\":true,\"coordinates\":[" BOX "]}", 25 * M_PI,
                 0);
    /* places and lines: one warning */
    assert_total(
        "[{\"type\":\"Point\",\"coordinates\":[1,1]},{\"type\":\"LineString\",\"coordinates\":"
        "[[1,1],[2,2]]}," POLYGON "]",
        100, 1);
}

/* The hole of a polygon that is none must not cut its neighbor. */
static void holes_stay_with_their_ring(void **state) {
    (void)state;
    assert_total("{\"type\":\"MultiPolygon\",\"coordinates\":[[" BOX
                 "],[[[1,1],[2,2]],[[2,2],[4,2],[4,4],[2,4]]]]}",
                 100, 1);
}

static void class_names_of_every_version(void **state) {
    static const char *const classes[][2] = {
        {"\"classification\":\"Tumor\"", "Tumor"},
        {"\"classification\":{\"name\":\"Tumor\",\"colorRGB\":-1}", "Tumor"},
        {"\"classification\":{\"names\":[\"Tumor\",\"Positive\"]}", "Tumor: Positive"},
        {"\"classification\":null", "unclassified"},
        {"\"classification\":null,\"name\":\"mine\"", "mine"},
        {"\"label\":\"Stroma\",\"name\":\"mine\"", "Stroma"},
    };
    (void)state;
    for (size_t i = 0; i < HLRP_COUNT(classes); i++) {
        char text[512];
        hlrp_error err = {0};
        hlrp_region *region = NULL;
        snprintf(text, sizeof text, "{\"type\":\"Feature\",\"geometry\":%s,\"properties\":{%s}}",
                 POLYGON, classes[i][0]);
        assert_int_equal(area_read(text, NULL, &region, &err), HLRP_OK);
        assert_string_equal(hlrp_region_class_at(region, 0)->name, classes[i][1]);
        hlrp_region_free(region);
    }
}

/* A pathologist's outline counts, cells beside it do not; cells alone do. */
static void detections_count_where_nothing_was_annotated(void **state) {
    static const char cell[] =
        "{\"type\":\"Feature\",\"id\":\"PathCellObject\",\"geometry\":{\"type\":\"Polygon\","
        "\"coordinates\":[[[50,50],[60,50],[60,60],[50,60]]]}}";
    char text[1024];
    (void)state;
    snprintf(text, sizeof text, "[%s,{\"type\":\"Feature\",\"geometry\":%s}]", cell, POLYGON);
    assert_total(text, 100, 1);
    assert_total(cell, 100, 0);
}

static void bad_geojson(void **state) {
    (void)state;
    assert_refused("", "empty");
    assert_refused(" \n\xef\xbb\xbf", "columns");
    assert_refused("{\"type\":\"FeatureCollection\",\"features\":[", "not valid JSON: line 1");
    assert_refused("{\"type\":\"FeatureCollection\",\"features\":{}}", "no list of features");
    assert_refused("{\"type\":\"FeatureCollection\",\"features\":[]}", "it has no shapes");
    assert_refused("[[1,2],[3,4]]", "not GeoJSON");
    assert_refused("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[NaN,0],[5,5]]]}", "no numbers");
    assert_refused("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1e9,0],[5,5]]]}", "beyond 1e9");
    assert_refused("{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[1,1]]]}", "fewer than three");
    assert_refused("{\"type\":\"Polygon\",\"coordinates\":[[0,0],[9,0],[9,9]]}", "list of rings");
    assert_refused("{\"type\":\"Feature\",\"geometry\":null}", "no geometry");
    assert_refused("{\"type\":\"Point\",\"coordinates\":[1,1]}", "only points and lines");
    /* one bad feature beside a good one is dropped with a warning */
    assert_total("[{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[NaN,0],[5,5]]]}," POLYGON "]",
                 100, 1);
}

#define C(o, x, y) "<Coordinate Order='" #o "' X='" x "' Y='" y "'/>"
#define ASAP_BOX(x0, y0, x1, y1) C(0, x0, y0) C(1, x1, y0) C(2, x1, y1) C(3, x0, y1)
#define ASAP(group, places)                                                                        \
    "<Annotation Name='Annotation 0' Type='Polygon' PartOfGroup='" group "'><Coordinates>" places  \
    "</Coordinates></Annotation>"

static void asap_groups_and_order(void **state) {
    (void)state;
    /* Order decides, decimal commas are read */
    assert_total("<ASAP_Annotations><Annotations>" ASAP(
                     "None", C(2, "10,5", "10") C(0, "0", "0") C(3, "0", "10")
                                 C(1, "10,5", "0")) "</Annotations></ASAP_Annotations>",
                 105, 0);
    /* CAMELYON16: _2 is cut out of the tumor; CAMELYON17: normal */
    assert_total("<ASAP_Annotations><Annotations>" ASAP("_0", ASAP_BOX("0", "0", "10", "10"))
                     ASAP("_2", ASAP_BOX("0", "0", "5", "5")) "</Annotations></ASAP_Annotations>",
                 75, 0);
    assert_total(
        "<ASAP_Annotations><Annotations>" ASAP("metastases", ASAP_BOX("0", "0", "10", "10"))
            ASAP("normal", ASAP_BOX("0", "0", "5", "5")) "</Annotations></ASAP_Annotations>",
        75, 0);
    assert_total("<ASAP_Annotations><Annotations>" ASAP(
                     "normal", ASAP_BOX("0", "0", "5", "5")) "</Annotations></ASAP_Annotations>",
                 25, 0);
}

/* A group within a group answers to both names; groups around each other do not hang the reader. */
static void asap_groups_nest(void **state) {
    static const char text[] =
        "<ASAP_Annotations><Annotations>" ASAP("inner", ASAP_BOX("0", "0", "10", "10")) ASAP(
            "b", ASAP_BOX("20", "0", "30", "10")) "</Annotations><AnnotationGroups>"
                                                  "<Group Name='inner' PartOfGroup='outer'/><Group "
                                                  "Name='outer' PartOfGroup='inner'/>"
                                                  "</AnnotationGroups></ASAP_Annotations>";
    const char *const include[] = {"OUTER"};
    const hlrp_annotation_options o = {.include = include, .include_count = 1};
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    (void)state;
    assert_int_equal(area_read(text, &o, &region, &err), HLRP_OK);
    assert_float_equal(hlrp_region_share(region) * 1e6, 100, 1e-3);
    hlrp_region_free(region);
}

#define V(x, y) "<Vertex X='" #x "' Y='" #y "' Z='0'/>"
#define REGION(negative, places)                                                                   \
    "<Region Type='2' NegativeROA='" negative "'><Vertices>" places "</Vertices></Region>"

/* A negative region cuts the areas of every layer that it lies in; the class of a nameless layer is its
 * first attribute's. Of the first layer's 100, its own negative region takes 25, the other layer's 50. */
static void imagescope_layers(void **state) {
    static const char text[] =
        "<?xml version='1.0'?><Annotations MicronsPerPixel='0.25'><Annotation Id='1' Name=''>"
        "<Attributes><Attribute Name='Tumor' Id='0' Value=''/></Attributes><Regions>" REGION(
            "0", V(0, 0) V(10, 0) V(10, 10) V(0, 10))
            REGION("1",
                   V(0, 0) V(5, 0) V(5, 5)
                       V(0, 5)) "</Regions></Annotation><Annotation "
                                "Name='Stroma'><Regions>" REGION("0", V(20, 0) V(30, 0) V(30, 10)
                                                                          V(20, 10))
                                    REGION("1", V(0, 5) V(10, 5) V(10, 10) V(
                                                    0, 10)) "</Regions></Annotation></Annotations>";
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    (void)state;
    assert_int_equal(area_read(text, NULL, &region, &err), HLRP_OK);
    assert_string_equal(hlrp_region_class_at(region, 0)->name, "Tumor");
    assert_float_equal(hlrp_region_class_at(region, 0)->area, 25, 1e-6);
    assert_float_equal(hlrp_region_share(region) * 1e6, 125, 1e-3);
    hlrp_region_free(region);
}

/* Layers as the field's files have them: name, what is skipped, the area that is left, and warnings. */
static void assert_imagescope(const char *layers, const char *class, double area, int warnings) {
    char text[2000];
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    area_log notes = {0};
    const hlrp_log log = {HLRP_LOG_WARN, area_note, &notes};
    const hlrp_annotation_options o = {.log = &log};
    snprintf(text, sizeof text, "<Annotations>%s</Annotations>", layers);
    if (area_read(text, &o, &region, &err) != HLRP_OK)
        fail_msg("%s: %s", text, err.what);
    assert_string_equal(hlrp_region_class_at(region, 0)->name, class);
    if (fabs(hlrp_region_share(region) * 1e6 - area) > 0.01)
        fail_msg("%s: area %g, not %g", layers, hlrp_region_share(region) * 1e6, area);
    if (notes.warnings != warnings)
        fail_msg("%s: %d warnings, the last: %s", layers, notes.warnings, notes.last);
    hlrp_region_free(region);
}

#define LAYER(name, attribute, regions)                                                            \
    "<Annotation Name='" name "'><Attributes><Attribute Name='Description' Value='" attribute      \
    "'/></Attributes><Regions>" regions "</Regions></Annotation>"
#define SHAPE(type, negative, text, places)                                                        \
    "<Region Type='" type "' NegativeROA='" negative "' Text='" text "'><Vertices>" places         \
    "</Vertices></Region>"
#define SQUARE V(0, 0) V(10, 0) V(10, 10) V(0, 10)

/* Guards: an ellipse or rectangle of two corners taken for a line, and skipped; as a hole that is tissue
 * looked at that somebody took out. */
static void imagescope_shapes(void **unused) {
    (void)unused;
    assert_imagescope(LAYER("Tumor", "", SHAPE("1", "0", "", V(0, 0) V(10, 20))), "Tumor", 200, 0);
    /* the ellipse of a polygon of so many places is a little smaller than π/4 of its box */
    assert_imagescope(LAYER("Tumor", "", SHAPE("2", "0", "", V(0, 0) V(20, 10))), "Tumor",
                      M_PI * 50, 0);
    assert_imagescope(
        LAYER("Tumor", "", SHAPE("0", "0", "", SQUARE) SHAPE("1", "1", "", V(2, 2) V(4, 4))),
        "Tumor", 96, 0);
    /* arrow, ruler, also of many places: no areas, and one warning */
    assert_imagescope(LAYER("Tumor", "",
                            SHAPE("3", "0", "", V(0, 0) V(900, 900))
                                SHAPE("4", "0", "", V(0, 0) V(90, 90) V(0, 90))
                                    SHAPE("0", "0", "", SQUARE)),
                      "Tumor", 100, 1);
}

static void imagescope_cuts(void **unused) {
    (void)unused;
    /* in another layer, also one that stands before */
    assert_imagescope(LAYER("Tumor", "", SHAPE("0", "0", "", SQUARE))
                          LAYER("Necrosis", "", SHAPE("1", "1", "", V(0, 0) V(5, 5))),
                      "Tumor", 75, 0);
    /* where nothing is: said */
    assert_imagescope(LAYER("Tumor", "",
                            SHAPE("0", "0", "", SQUARE)
                                SHAPE("1", "1", "", V(500, 500) V(510, 510))),
                      "Tumor", 100, 1);
}

/* Guards: the attribute's name "Description" for a class; "&#38;" in a name. */
static void imagescope_names(void **unused) {
    (void)unused;
    assert_imagescope(LAYER("Tumor &amp; stroma &#x3bc;", "", SHAPE("0", "0", "", SQUARE)),
                      "Tumor & stroma μ", 100, 0);
    assert_imagescope(LAYER("", "Invasive", SHAPE("0", "0", "Text", SQUARE)), "Invasive", 100, 0);
    assert_imagescope(LAYER("", "", SHAPE("0", "0", "One", SQUARE)), "One", 100, 0);
    assert_imagescope(LAYER("", "", SHAPE("0", "0", "", SQUARE)), "unclassified", 100, 0);
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    static const char asap[] = "<ASAP_Annotations><Annotations>" ASAP(
        "a &lt; b", C(0, "0", "0") C(1, "10", "0") C(2, "10", "10")) "</Annotations>"
                                                                     "</ASAP_Annotations>";
    assert_int_equal(area_read(asap, NULL, &region, &err), HLRP_OK);
    assert_string_equal(hlrp_region_class_at(region, 0)->name, "a < b");
    hlrp_region_free(region);
}

/* What GDAL and geopandas write: objects as JSON in a text. */
static void geojson_in_a_text(void **unused) {
    (void)unused;
    static const char *const files[] = {
        "{\"type\":\"Feature\",\"geometry\":" POLYGON ",\"properties\":{\"classification\":"
        "\"{\\\"name\\\": \\\"Tumor\\\", \\\"color\\\": [200, 0, 0]}\"}}",
        "{\"type\":\"Feature\",\"geometry\":" POLYGON ",\"properties\":"
        "\"{\\\"classification\\\": {\\\"name\\\": \\\"Tumor\\\"}}\"}"};
    for (size_t i = 0; i < HLRP_COUNT(files); i++) {
        hlrp_error err = {0};
        hlrp_region *region = NULL;
        assert_int_equal(area_read(files[i], NULL, &region, &err), HLRP_OK);
        assert_string_equal(hlrp_region_class_at(region, 0)->name, "Tumor");
        hlrp_region_free(region);
    }
}

/* A hole that cannot be read is no warning among others. */
static void unreadable_areas_fail(void **unused) {
    (void)unused;
    assert_refused("[" POLYGON ",{\"type\":\"Polygon\",\"coordinates\":[[[0,0],[NaN,0],[5,5]]]}]",
                   "1 shapes (the first at shape 2) have coordinates that are no numbers");
    assert_refused("[" POLYGON ",{\"type\":\"Polygon\",\"coordinates\":7}]",
                   "1 shapes (the first at shape 2) have no geometry that can be read");
}

/* The message has the file's own coordinates, and what was added to them. */
static void the_files_own_coordinates_are_told(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    const hlrp_annotation_options o = {.bounds = {700, 900, 300, 100}};
    assert_int_equal(
        area_read("{\"type\":\"Polygon\",\"coordinates\":[[[400,0],[500,0],[500,50],[400,50]]]}",
                  &o, &region, &err),
        HLRP_E_INPUT);
    assert_non_null(strstr(err.what,
                           "(x 400 to 500, y 0 to 50 in the file; the slide's bounds, 700 "
                           "and 900, were added)"));
    assert_non_null(strstr(err.mend, "outputs.bounds = full"));
}

/* Entities are never resolved: neither those that grow without end nor those that name a file. */
static void bad_xml(void **state) {
    (void)state;
    assert_refused("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b "
                   "'&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
                   "<ASAP_Annotations>&c;</ASAP_Annotations>",
                   "document type");
    assert_refused("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><ASAP_Annotations>&x;"
                   "</ASAP_Annotations>",
                   "document type");
    assert_refused("<!DOCTYPE a SYSTEM 'http://localhost/a.dtd'><ASAP_Annotations/>",
                   "document type");
    assert_refused("<ASAP_Annotations>&x;</ASAP_Annotations>", "not well-formed XML: line 1");
    assert_refused("<ASAP_Annotations>\n<Annotations></ASAP_Annotations>", "line 2");
    assert_refused("<html></html>", "begins with <html>");
    assert_refused("<ASAP_Annotations/>", "it has no shapes");
    assert_refused("<ASAP_Annotations><Annotation/></ASAP_Annotations>",
                   "no geometry"); /* 0 places */
    assert_refused("<ASAP_Annotations><Annotations>" ASAP(
                       "a", C(0, "nan", "0") C(1, "1", "0")
                                C(2, "1", "1")) "</Annotations></ASAP_Annotations>",
                   "no numbers");
    assert_refused("<Annotations><Annotation Name='a'><Regions>" REGION(
                       "1", V(0, 0) V(5, 0) V(5, 5)) "</Regions></Annotation></Annotations>",
                   "no area");
}

static void vertices_in_csv(void **state) {
    (void)state;
    assert_total("roi_NAME,x_base,Y_BASE\r\nA,0,0\r\nA,10,0\r\nA,10,10\r\nA,0,10\r\n", 100, 0);
    assert_total("id;Y_base;X_base;ROI_name\n1;0;0;\"a;b\"\n2;0;10,5;\"a;b\"\n3;10;10,5;\"a;b\"\n"
                 "4;10;0;\"a;b\"\n",
                 105, 0);
    /* two polygons of one name: the first is closed */
    assert_total("ROI_name,X_base,Y_base\nA,0,0\nA,10,0\nA,10,10\nA,0,0\nA,20,0\nA,30,0\nA,30,10\n",
                 100, 0);
    assert_total("ROI_name,X_base,Y_base\nA,0,0\nA,10,0\nA,10,10\nB,x,0\nB,1,1\nB,5,6\nB,7,1\n", 50,
                 1);
    assert_refused("x,y\n1,2\n", "columns ROI_name, X_base and Y_base");
    assert_refused("ROI_name,X_base,Y_base\n", "it has no shapes");
    assert_refused("ROI_name,X_base,Y_base\nA,0\nA,1,1\nA,2\n", "no numbers");
}

static void a_missing_file_and_patterns(void **state) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    char *path = NULL;
    (void)state;
    assert_int_equal(
        hlrp_region_new_annotation("/nowhere/a.xml", (hlrp_size){9, 9}, NULL, &region, &err),
        HLRP_E_INPUT);
    assert_int_equal(hlrp_region_expand_pattern("{dir}/ann/{stem}.xml", "/s/a.b.svs", &path, &err),
                     HLRP_OK);
    assert_string_equal(path, "/s/ann/a.b.xml");
    free(path);
    assert_int_equal(hlrp_region_expand_pattern("{dir}/{stem}", "a.svs", &path, &err), HLRP_OK);
    assert_string_equal(path, "./a");
    free(path);
    assert_int_equal(hlrp_region_expand_pattern("{name}.xml", "a.svs", &path, &err), HLRP_E_CONFIG);
    assert_non_null(strstr(err.what, "{name}"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geojson_of_every_shape),
        cmocka_unit_test(holes_stay_with_their_ring),
        cmocka_unit_test(class_names_of_every_version),
        cmocka_unit_test(detections_count_where_nothing_was_annotated),
        cmocka_unit_test(bad_geojson),
        cmocka_unit_test(asap_groups_and_order),
        cmocka_unit_test(asap_groups_nest),
        cmocka_unit_test(imagescope_layers),
        cmocka_unit_test(imagescope_shapes),
        cmocka_unit_test(imagescope_cuts),
        cmocka_unit_test(imagescope_names),
        cmocka_unit_test(geojson_in_a_text),
        cmocka_unit_test(unreadable_areas_fail),
        cmocka_unit_test(the_files_own_coordinates_are_told),
        cmocka_unit_test(bad_xml),
        cmocka_unit_test(vertices_in_csv),
        cmocka_unit_test(a_missing_file_and_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

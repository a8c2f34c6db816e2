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
    const hlrp_annotation_options o = {.log = &log};
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

/* A negative region is a hole in its own layer only; the class of a nameless layer is its first
 * attribute's. */
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
    assert_float_equal(hlrp_region_class_at(region, 0)->area, 75, 1e-6);
    assert_float_equal(hlrp_region_share(region) * 1e6, 175, 1e-3);
    hlrp_region_free(region);
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
        cmocka_unit_test(bad_xml),
        cmocka_unit_test(vertices_in_csv),
        cmocka_unit_test(a_missing_file_and_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Annotation files as regions: areas by exact clipping, classes, cuts, repairs, places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "area.h"

#define FEATURE(class, rings)                                                                      \
    "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[" rings             \
    "]},\"properties\":{\"classification\":{\"name\":\"" class "\"}}}"
#define BOX(x0, y0, x1, y1)                                                                        \
    "[[" #x0 "," #y0 "],[" #x1 "," #y0 "],[" #x1 "," #y1 "],[" #x0 "," #y1 "],[" #x0 "," #y0 "]]"

static hlrp_region *read_ok(const char *text, const hlrp_annotation_options *options) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    char line[1500];
    if (area_read(text, options, &region, &err) != HLRP_OK)
        fail_msg("%s", hlrp_error_line(&err, line, sizeof line));
    return region;
}

static void assert_area(const hlrp_region *region, hlrp_rect r, double area) {
    assert_float_equal(hlrp_region_coverage(region, r) * r.w * r.h, area, 1e-6);
}

static void assert_refused(const char *text, const hlrp_annotation_options *options,
                           const char *part) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    char line[1500];
    assert_int_equal(area_read(text, options, &region, &err), HLRP_E_INPUT);
    assert_null(region);
    hlrp_error_line(&err, line, sizeof line);
    if (!strstr(line, part))
        fail_msg("'%s' is not in '%s'", part, line);
    assert_non_null(strstr(line, "/tmp/hlrp-area"));
    assert_true(err.mend[0] != '\0');
}

/* A star with random radii: many edges, concave, of one piece. */
static void make_star(double (*p)[2], int n, uint64_t seed, bool whole_numbers) {
    for (int i = 0; i < n; i++) {
        const double r = area_random(&seed, 120, 480), a = 2 * M_PI * i / n;
        p[i][0] = 500 + r * cos(a);
        p[i][1] = 500 + r * sin(a);
        if (whole_numbers) {
            p[i][0] = round(p[i][0]);
            p[i][1] = round(p[i][1]);
        }
    }
}

static char *star_text(const double (*p)[2], int n) {
    hlrp_str s = {0};
    hlrp_str_add(&s, "{\"type\":\"Polygon\",\"coordinates\":[[");
    for (int i = 0; i <= n; i++)
        hlrp_str_addf(&s, "%s[%.17g,%.17g]", i > 0 ? "," : "", p[i % n][0], p[i % n][1]);
    hlrp_str_add(&s, "]]}");
    return s.text;
}

/* Tiles of random size over a star, against the area by Green's theorem. Whole numbers put tile
 * edges on places and edges. Guards against a tile judged by its middle, and clipping at places
 * that touch the rectangle. */
static void tiles_have_their_exact_area(void **state) {
    static double p[700][2];
    uint64_t seed = 77;
    (void)state;
    for (int k = 0; k < 6; k++) {
        const int n = k < 3 ? 24 : 700;
        make_star(p, n, 1000 + (uint64_t)k, k % 2 == 0 && n < 100);
        char *text = star_text((const double(*)[2])p, n);
        hlrp_region *region = read_ok(text, NULL);
        for (int i = 0; i < 300; i++) {
            hlrp_rect r = {floor(area_random(&seed, 0, 900)), floor(area_random(&seed, 0, 900)), 1,
                           1};
            r.w = floor(area_random(&seed, 1, 1000 - r.x));
            r.h = floor(area_random(&seed, 1, 1000 - r.y));
            assert_area(region, r, area_of_ring((const double(*)[2])p, n, r));
        }
        hlrp_region_free(region);
        free(text);
    }
}

/* Guards: ground counted twice where shapes overlap, also with another shape between them in the
 * order of their left sides; a shape inside another; neighbors that share an edge. */
static void overlapping_shapes_count_once(void **state) {
    (void)state;
    static const int boxes[][4] = {{800, 5, 50, 25},     {0, 0, 900, 10},    {100, 500, 20, 20},
                                   {300, 300, 100, 100}, {320, 320, 10, 10}, {600, 600, 10, 10},
                                   {610, 600, 10, 10},   {700, 700, 30, 30}, {715, 715, 30, 30}};
    hlrp_str s = {0};
    hlrp_str_add(&s, "{\"type\":\"FeatureCollection\",\"features\":[");
    for (size_t i = 0; i < HLRP_COUNT(boxes); i++) {
        const int x = boxes[i][0], y = boxes[i][1], w = boxes[i][2], h = boxes[i][3];
        hlrp_str_addf(&s,
                      "%s{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\","
                      "\"coordinates\":[[[%d,%d],[%d,%d],[%d,%d],[%d,%d]]]}}",
                      i > 0 ? "," : "", x, y, x + w, y, x + w, y + h, x, y + h);
    }
    hlrp_str_add(&s, "]}");
    hlrp_region *region = read_ok(s.text, NULL);
    assert_area(region, (hlrp_rect){0, 0, 1000, 200}, 900 * 10 + 50 * 20);
    assert_area(region, (hlrp_rect){0, 200, 1000, 250}, 100 * 100);
    assert_area(region, (hlrp_rect){0, 450, 1000, 200}, 20 * 20 + 20 * 10);
    assert_area(region, (hlrp_rect){0, 650, 1000, 350}, 2 * 900 - 225);
    hlrp_region_free(region);
    hlrp_str_free(&s);
}

/* Fine rasterization says the same as Green's theorem: the yardstick itself is right. */
static void the_yardstick_is_right(void **state) {
    static double p[24][2];
    const hlrp_rect r = {300, 350, 211, 160};
    int64_t inside = 0, all = 0;
    (void)state;
    make_star(p, 24, 5, false);
    for (double y = r.y + 0.125; y < r.y + r.h; y += 0.25)
        for (double x = r.x + 0.125; x < r.x + r.w; x += 0.25, all++) {
            bool in = false;
            for (int i = 0; i < 24; i++) {
                const double *a = p[i], *b = p[(i + 1) % 24];
                if ((a[1] > y) != (b[1] > y) &&
                    x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
                    in = !in;
            }
            inside += in;
        }
    const double share = area_of_ring((const double(*)[2])p, 24, r) / (r.w * r.h);
    assert_float_equal(share, (double)inside / (double)all, 1e-3);
    assert_true(share > 0.2 && share < 1);
}

static void edges_and_holes(void **state) {
    (void)state;
    hlrp_region *r =
        read_ok(FEATURE("T", BOX(100, 100, 500, 500) "," BOX(200, 200, 300, 300)), NULL);
    assert_area(r, (hlrp_rect){100, 100, 400, 400}, 160000 - 10000);
    assert_area(r, (hlrp_rect){100, 100, 100, 100}, 10000); /* exactly on the edges: full */
    assert_float_equal(hlrp_region_coverage(r, (hlrp_rect){100, 100, 100, 100}), 1, 0);
    assert_float_equal(hlrp_region_coverage(r, (hlrp_rect){200, 200, 100, 100}), 0, 0); /* hole */
    assert_float_equal(hlrp_region_coverage(r, (hlrp_rect){500, 100, 100, 100}), 0, 0); /* beside */
    assert_area(r, (hlrp_rect){450.5, 450.5, 100, 100}, 49.5 * 49.5);
    assert_float_equal(hlrp_region_share(r), 0.15, 1e-9);
    assert_non_null(hlrp_region_mask(r));
    assert_int_equal(hlrp_region_mask(r)->kind[150 * 1000 + 150], HLRP_CELL_TISSUE);
    assert_int_equal(hlrp_region_mask(r)->kind[250 * 1000 + 250], HLRP_CELL_GLASS);
    hlrp_region_free(r);
}

/* A bow-tie keeps both lobes, a lasso that went around twice counts once; one warning for both. */
static void crossings_are_repaired(void **state) {
    area_log notes = {0};
    const hlrp_log log = {HLRP_LOG_WARN, area_note, &notes};
    const hlrp_annotation_options o = {.log = &log};
    (void)state;
    hlrp_region *r = read_ok(
        "[" FEATURE("T", "[[0,0],[100,100],[100,0],[0,100],[0,0]]") "," FEATURE(
            "T", "[[500,500],[700,500],[700,700],[500,700],[500,520],[690,520],[690,690],[510,690],"
                 "[510,500],[500,500]]") "]",
        &o);
    assert_area(r, (hlrp_rect){0, 0, 200, 200}, 5000);
    assert_true(hlrp_region_coverage(r, (hlrp_rect){550, 550, 100, 100}) == 1);
    assert_int_equal(notes.warnings, 1);
    assert_non_null(strstr(notes.last, "2 shapes cross themselves"));
    hlrp_region_free(r);
}

/* Overlapping and touching polygons count once, whatever their order in the file. */
static void unions_do_not_depend_on_order(void **state) {
    static const char *const texts[] = {
        "[" FEATURE("A", BOX(0, 0, 100, 100)) "," FEATURE("B", BOX(50, 0, 150, 100)) "," FEATURE(
            "A", BOX(150, 0, 200, 100)) "," FEATURE("X", BOX(90, 0, 110, 50)) "]",
        "[" FEATURE("X", BOX(90, 0, 110, 50)) "," FEATURE("A", BOX(150, 0, 200, 100)) "," FEATURE(
            "B", BOX(50, 0, 150, 100)) "," FEATURE("A", BOX(0, 0, 100, 100)) "]"};
    const char *const exclude[] = {"x"};
    const hlrp_annotation_options o = {.exclude = exclude, .exclude_count = 1};
    (void)state;
    for (int k = 0; k < 2; k++) {
        hlrp_region *r = read_ok(texts[k], &o);
        assert_area(r, (hlrp_rect){0, 0, 1000, 1000}, 20000 - 1000);
        assert_area(r, (hlrp_rect){140, 0, 20, 100}, 2000); /* no seam where they touch */
        hlrp_region_free(r);
    }
}

static void classes_are_chosen_and_described(void **state) {
    static const char text[] = "{\"type\":\"FeatureCollection\",\"features\":[" FEATURE(
        "Tumor",
        BOX(0, 0, 100, 100)) "," FEATURE("Tumor in situ",
                                         BOX(200, 0, 300,
                                             100)) "," FEATURE("Stroma",
                                                               BOX(400, 0, 500,
                                                                   100)) "," FEATURE("Necrosis",
                                                                                     BOX(0, 0, 10,
                                                                                         10)) "]}";
    const char *const include[] = {"TUMOR*"}, *const exclude[] = {"necrosis"};
    const hlrp_annotation_options o = {
        .include = include, .include_count = 1, .exclude = exclude, .exclude_count = 1};
    hlrp_error err = {0};
    char *words = NULL;
    (void)state;
    hlrp_region *r = read_ok(text, &o);
    assert_area(r, (hlrp_rect){0, 0, 1000, 1000}, 20000 - 100);
    assert_int_equal(hlrp_region_class_count(r), 4);
    assert_string_equal(hlrp_region_class_at(r, 2)->name, "Stroma");
    assert_int_equal(hlrp_region_class_at(r, 1)->use, HLRP_CLASS_INCLUDED);
    assert_int_equal(hlrp_region_class_at(r, 2)->use, HLRP_CLASS_UNUSED);
    assert_int_equal(hlrp_region_class_at(r, 3)->use, HLRP_CLASS_CUT);
    assert_float_equal(hlrp_region_class_at(r, 2)->area, 10000, 1e-6);
    assert_float_equal(hlrp_region_class_coverage(r, 2, (hlrp_rect){450, 50, 100, 100}), 0.25,
                       1e-12);
    assert_int_equal(hlrp_region_describe(r, &words, &err), HLRP_OK);
    assert_string_equal(words, "annotation (GeoJSON): Tumor 1 polygon; Tumor in situ 1 polygon; "
                               "Stroma 1 polygon (not included); Necrosis 1 polygon (cut out)");
    free(words);
    hlrp_region_free(r);
}

/* A typo must not give an empty result: it names what there is. A glob that fits nothing beside
 * one that fits is a warning. */
static void unknown_classes_are_told(void **state) {
    static const char text[] =
        "[" FEATURE("Tumor", BOX(0, 0, 100, 100)) "," FEATURE("Stroma", BOX(0, 0, 9, 9)) "]";
    const char *const none[] = {"tumour"}, *const one[] = {"tumour", "stroma"};
    area_log notes = {0};
    const hlrp_log log = {HLRP_LOG_WARN, area_note, &notes};
    (void)state;
    assert_refused(text, &(hlrp_annotation_options){.include = none, .include_count = 1},
                   "the file has: Tumor, Stroma");
    hlrp_region *r =
        read_ok(text, &(hlrp_annotation_options){.include = one, .include_count = 2, .log = &log});
    assert_int_equal(notes.warnings, 1);
    assert_non_null(strstr(notes.last, "no class fits 'tumour' of regions.include"));
    hlrp_region_free(r);
}

/* QuPath crops to the slide's bounds: its coordinates begin there; those of XML do not. */
static void bounds_are_added_to_geojson_alone(void **state) {
    const hlrp_annotation_options o = {.bounds = {300, 200, 500, 500}};
    (void)state;
    hlrp_region *r = read_ok(FEATURE("T", BOX(0, 0, 100, 100)), &o);
    assert_area(r, (hlrp_rect){300, 200, 100, 100}, 10000);
    assert_area(r, (hlrp_rect){0, 0, 300, 200}, 0);
    hlrp_region_free(r);
    r = read_ok("<Annotations><Annotation Name='T'><Regions><Region><Vertices><Vertex X='0' Y='0'/>"
                "<Vertex X='100' Y='0'/><Vertex X='100' Y='100'/><Vertex X='0' Y='100'/></Vertices>"
                "</Region></Regions></Annotation></Annotations>",
                &o);
    assert_area(r, (hlrp_rect){0, 0, 100, 100}, 10000);
    hlrp_region_free(r);
}

static void another_slides_annotation_is_refused(void **state) {
    area_log notes = {0};
    const hlrp_log log = {HLRP_LOG_WARN, area_note, &notes};
    (void)state;
    assert_refused(FEATURE("T", BOX(5000, 5000, 6000, 6000)), NULL,
                   "100 % of the annotated area (x 5000 to 6000, y 5000 to 6000) lies outside");
    assert_refused(FEATURE("T", BOX(-900, 0, 800, 800)), NULL,
                   "lies outside the slide of 1000 x "
                   "1000");
    assert_refused(FEATURE("T", BOX(0, 0, 999999999, 999999999)), NULL, "lies outside");
    assert_refused(FEATURE("T", BOX(0, 0, 1000000000, 1000000000)), NULL, "beyond 1e9");
    hlrp_region *r =
        read_ok(FEATURE("T", BOX(-100, 0, 900, 100)), &(hlrp_annotation_options){.log = &log});
    assert_int_equal(notes.warnings, 1);
    assert_non_null(strstr(notes.last, "10.0 % of the annotated area"));
    assert_float_equal(hlrp_region_coverage(r, (hlrp_rect){-100, 0, 200, 100}), 1, 0);
    assert_area(r, (hlrp_rect){800, 0, 200, 100}, 10000);
    hlrp_region_free(r);
}

static void what_is_all_cut_out_is_refused(void **state) {
    const char *const exclude[] = {"X"};
    (void)state;
    assert_refused("[" FEATURE("T", BOX(10, 10, 20, 20)) "," FEATURE("X", BOX(0, 0, 100, 100)) "]",
                   &(hlrp_annotation_options){.exclude = exclude, .exclude_count = 1},
                   "nothing is left");
}

/* A million places along a wavy outline: all are kept, and the area is that of the outline by the
 * shoelace formula. Guards against times that grow with the square of the places. */
static void a_million_vertices(void **state) {
    const int n = 1000000;
    double area = 0, first[2] = {0, 0}, last[2] = {0, 0};
    uint64_t seed = 3;
    hlrp_str s = {0};
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    area_file f;
    (void)state;
    hlrp_str_add(&s, "{\"type\":\"Polygon\",\"coordinates\":[[");
    for (int i = 0; i < n; i++) {
        const double a = 2 * M_PI * i / n, r = 40000 + 3000 * sin(40 * a);
        const double d = area_random(&seed, -0.05, 0.05);
        const double p[2] = {50000 + (r + d) * cos(a), 50000 + (r + d) * sin(a)};
        hlrp_str_addf(&s, "[%.17g,%.17g],", p[0], p[1]);
        area += i > 0 ? (last[0] * p[1] - p[0] * last[1]) / 2 : 0;
        memcpy(i > 0 ? last : first, p, sizeof p);
        memcpy(last, p, sizeof p);
    }
    area += (last[0] * first[1] - first[0] * last[1]) / 2;
    hlrp_str_addf(&s, "[%.17g,%.17g]]]}", first[0], first[1]);
    area_write(&f, "outline.geojson", s.text, s.length);
    hlrp_str_free(&s);
    const hlrp_status status =
        hlrp_region_new_annotation(f.path, (hlrp_size){100000, 100000}, NULL, &region, &err);
    area_remove(&f);
    if (status != HLRP_OK)
        fail_msg("%s", err.what);
    assert_int_equal(hlrp_region_class_at(region, 0)->polygons, 1);
    assert_float_equal(hlrp_region_class_at(region, 0)->area / area, 1, 1e-9);
    assert_float_equal(hlrp_region_coverage(region, (hlrp_rect){45000, 45000, 9000, 9000}), 1, 0);
    assert_float_equal(hlrp_region_coverage(region, (hlrp_rect){0, 0, 900, 900}), 0, 0);
    hlrp_region_free(region);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_yardstick_is_right),
        cmocka_unit_test(tiles_have_their_exact_area),
        cmocka_unit_test(edges_and_holes),
        cmocka_unit_test(crossings_are_repaired),
        cmocka_unit_test(unions_do_not_depend_on_order),
        cmocka_unit_test(classes_are_chosen_and_described),
        cmocka_unit_test(unknown_classes_are_told),
        cmocka_unit_test(bounds_are_added_to_geojson_alone),
        cmocka_unit_test(another_slides_annotation_is_refused),
        cmocka_unit_test(what_is_all_cut_out_is_refused),
        cmocka_unit_test(overlapping_shapes_count_once),
        cmocka_unit_test(a_million_vertices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

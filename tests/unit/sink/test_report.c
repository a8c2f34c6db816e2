/* The report's parts: sums by ground, who is accused, fragments read back, names that stay text. */
#include "unit/sink/sink_test.h"

#include "sink/html.h"
#include "sink/label.h"
#include "sink/report_bag.h"
#include "sink/report_fragment.h"
#include "sink/report_numbers.h"
#include "sink/report_parts.h"

/* Ground of two columns per slide: tissue left, pen right. */
static const uint8_t halves[2] = {0, 1};
static const hlrp_ground ground = {.kinds = {{"tissue", false}, {"pen mark", true}},
                                   .count = 2,
                                   .w = 2,
                                   .h = 1,
                                   .cell_w = TEST_W / 2.0,
                                   .cell_h = TEST_H,
                                   .kind = halves};

/* Guards: a name that becomes markup, in text or in an attribute. */
static void names_stay_text(void **state) {
    hlrp_str s = {0};
    (void)state;
    hlrp_html_text(&s, "<a href='x' title=\"y\">&\n\xc3\xa4");
    assert_string_equal(s.text, "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp; \xc3\xa4");
    hlrp_str_free(&s);
}

/* RFC 4648, section 10. */
static void base64_is_the_standard_one(void **state) {
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    (void)state;
    for (size_t i = 0; i < HLRP_COUNT(pairs); i++) {
        hlrp_str s = {0};
        hlrp_html_base64(&s, (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(s.text ? s.text : "", pairs[i][1]);
        hlrp_str_free(&s);
    }
}

static hlrp_report_numbers count(sink_test *t) {
    hlrp_error err = {0};
    hlrp_report_numbers n;
    assert_int_equal(hlrp_report_count(&t->in, &ground, &n, &err), HLRP_OK);
    return n;
}

/* Map pixel x lies on the pen where its middle is right of the slide's: 8(x + ½) ≥ 301.5. */
static void sums_follow_the_ground(void **state) {
    sink_test *t = *state;
    t->relevance[1][37] = 5; /* the last of the tissue: its middle is at 300 */
    t->relevance[1][38] = 3; /* the first of the pen */
    t->relevance[1][TEST_MAP_W + 60] = -2;
    sink_test_start(t);
    const hlrp_report_numbers n = count(t);
    assert_true(n.all.plus == 8 && n.all.minus == -2);
    assert_true(n.by_kind[0].plus == 5 && n.by_kind[0].minus == 0);
    assert_true(n.by_kind[1].plus == 3 && n.by_kind[1].minus == -2);
    assert_true(n.by_kind[0].pixels == 35 * TEST_MAP_H); /* 38 columns without the 3 unexplained */
    assert_true(n.by_kind[1].pixels == 38 * TEST_MAP_H);
    assert_int_equal(n.explained, 2);
    assert_int_equal(n.gated, 1);
    assert_int_equal(n.unreadable, 1);
    assert_int_equal(n.with_probability, 3);
    assert_int_equal(n.predicted, 2);
    assert_int_equal(n.histogram[2], 1);  /* 0.1 */
    assert_int_equal(n.histogram[16], 1); /* 0.8 */
}

/* Guards: an honest network accused for a share that its area explains; a cheat let go. */
static void only_those_who_look_are_accused(void **state) {
    static const struct {
        double tissue, pen;
        bool accused;
    } cases[] = {{100, 4, false},  {100, 100, false}, {100, 300, false},
                 {100, 500, true}, {0, 1, true},      {100, 0, false}};
    (void)state;
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        hlrp_report_numbers n = {.all = {200, cases[i].tissue + cases[i].pen, 0}};
        n.by_kind[0] = (hlrp_report_sums){100, cases[i].tissue, 0};
        n.by_kind[1] = (hlrp_report_sums){100, cases[i].pen, 0};
        assert_int_equal(hlrp_report_accuses(&ground, &n, 1), cases[i].accused);
        assert_false(hlrp_report_accuses(&ground, &n, 0));
    }
    hlrp_report_numbers against = {.all = {200, 10, -600}};
    against.by_kind[0] = (hlrp_report_sums){100, 10, -100};
    against.by_kind[1] = (hlrp_report_sums){100, 0, -500};
    assert_true(hlrp_report_accuses(&ground, &against, 1));
}

/* The most relevance first, and of tiles that overlap only the best. */
static void the_best_tiles_do_not_overlap(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    t->in.plane = 0;
    const hlrp_report_numbers n = count(t);
    assert_int_equal(n.top.count, 2);
    assert_int_equal(n.top.tiles[0].number, 0);
    assert_int_equal(n.top.tiles[1].number, 1);
    assert_true(n.top.tiles[0].relevance == 1.0 / 3);
}

static void told(sink_test *t, const hlrp_report_numbers *n, const char *want) {
    hlrp_str s = {0};
    const hlrp_report_input in = {.sink = t->in};
    hlrp_report_agreement(&in, n, &s);
    assert_string_equal(s.text ? s.text : "", want);
    hlrp_str_free(&s);
}

/* What the tiles of the record say: plane 0 agrees once and differs once, of starts 1.5 and -0.1, so
 * that only the first is clear. Guards: "the network says" where it predicts something else. */
static void agreement_is_told_in_words(void **state) {
    sink_test *t = *state;
    sink_test_start(t);
    t->in.plane = 0;
    hlrp_report_numbers n = count(t);
    assert_int_equal(n.agreement.compared, 2);
    assert_int_equal(n.agreement.differ, 1);
    assert_int_equal(n.against_yet_predicted + n.in_favor_yet_not, 0);
    told(t, &n, "<p class=\"facts\">Map and network agree on 1 of 2 tiles.</p>\n");
    n.agreement = (hlrp_agreement){.compared = 80,
                                   .clear = 72,
                                   .clear_differ = 70,
                                   .against = 67,
                                   .turned_for = 67,
                                   .in_favor = 13,
                                   .turned_against = 3};
    t->in.plane = n.of_class = 1;
    told(
        t, &n,
        "<div class=\"alarm\" role=\"note\">The network says normal on 67 tiles; on 67 of them the "
        "map speaks for tumor, &lt;b&gt; &quot;q&quot; &amp; ä: do not read red as tumor, "
        "&lt;b&gt; &quot;q&quot; &amp; ä there. The network says tumor, &lt;b&gt; &quot;q&quot; "
        "&amp; ä "
        "on 13 tiles; on 3 of them the map speaks against tumor, &lt;b&gt; &quot;q&quot; &amp; ä: "
        "do not read blue as absence of tumor, &lt;b&gt; &quot;q&quot; &amp; ä there.</div>\n");
    t->in.plane = n.of_class = 0;
    n.agreement.turned_against = 0;
    n.against_yet_predicted = 1;
    told(t, &n,
         "<div class=\"alarm\" role=\"note\">The network speaks against normal on 67 tiles; on 67 "
         "of "
         "them the map speaks for normal: do not read red as normal there.</div>\n");
    n.agreement = (hlrp_agreement){.compared = 10, .clear = 9, .over_start = 62};
    told(
        t, &n,
        "<div class=\"alarm\" role=\"note\">Map and network agree on 10 of 10 tiles. In the median "
        "tile Σ|relevance| is 62 times the start: most of what the map shows cancels out.</div>\n");
    n.agreement = (hlrp_agreement){.over_start = NAN};
    told(t, &n, "");
}

/* ---- a slide with one score ---- */

/* Relevance 0.5, -0.25, 0.001 and attention 0.125, 0.75, 0.375 of three tiles; the fourth is in no bag. */
static void a_bags_tiles_are_ranked(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    hlrp_report_bag b = {0};
    sink_test_bag(t);
    sink_test_start(t);
    assert_int_equal(hlrp_report_bag_count(&t->in, &b, &err), HLRP_OK);
    assert_int_equal(b.score.tiles, 3);
    assert_int_equal(b.score.predicted, 1);
    assert_true(b.score.logit[1] == 2.25 && b.score.probability[1] == 0.9375);
    assert_int_equal(b.in_favor.count, 2);
    assert_int_equal(b.in_favor.tiles[0].number, 0);
    assert_true(b.in_favor.tiles[1].x == 128 && b.in_favor.tiles[1].relevance == 0.001);
    assert_int_equal(b.against.count, 1);
    assert_int_equal(b.against.tiles[0].number, 1);
    assert_true(b.values.relevance_rank[1] == 3 && b.values.attention_rank[1] == 1);
    assert_true(isnan(b.values.relevance_rank[3]));
    assert_int_equal(b.attended.count, 1); /* ranks of the third are equal */
    assert_int_equal(b.attended.tiles[0].number, 1);
    assert_int_equal(b.overlooked.count, 1);
    assert_int_equal(b.overlooked.tiles[0].number, 0);
    assert_float_equal(b.rank_correlation, -1, 1e-12);
    assert_true(b.values.scores[HLRP_SCORE_SINGLE][0] == 2.5); /* of the shown class */
    assert_null(b.values.scores[HLRP_SCORE_DROP]);
    hlrp_report_bag_free(&b);
    t->in.plane = 0; /* not explained: no tile speaks for or against it */
    assert_int_equal(hlrp_report_bag_count(&t->in, &b, &err), HLRP_OK);
    assert_int_equal(b.in_favor.count + b.against.count + b.attended.count + b.overlooked.count, 0);
    hlrp_report_bag_free(&b);
}

static char *fragment_of(sink_test *t) {
    hlrp_error err = {0};
    const hlrp_report_input in = {.sink = t->in};
    const char *path = scratch_path(&t->files, ".report.html");
    const hlrp_status status = hlrp_report_slide(&in, path, &err);
    assert_string_equal(err.what, "");
    assert_int_equal(status, HLRP_OK);
    return sink_test_slurp(path);
}

/* Guards: "0 of 3 tiles predict it", "no tile was called": a bag's tiles are called nothing. */
static void a_bags_fragment_tells_its_score(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    static const char *const never[] = {"predict",   "Probability of", "called another",
                                        "gated out", "Hatched",        "Tiles with the most"};
    sink_test_bag(t);
    sink_test_start(t);
    assert_int_equal(hlrp_unexplained_count(t->result, 1, &t->in.unexplained, &err), HLRP_OK);
    char *text = fragment_of(t);
    assert_non_null(strstr(text, "\ncalled\ttumor, <b> \"q\" & ä\nscore\t0.9375\n"));
    char *body = strstr(text, "\n\n");
    assert_non_null(
        strstr(body, "The slide is called <strong>tumor, &lt;b&gt; &quot;q&quot; &amp; ä</strong>: "
                     "probability 93.8 %, from 3 tiles together.</p>"));
    assert_non_null(strstr(body, "</span>6.2 %</td><td>−1.5</td>"));
    assert_non_null(strstr(body, "3 tiles scored together, 1 unreadable;"));
    assert_non_null(strstr(body, "Map and head agree on 3 of 3 tiles."));
    assert_non_null(strstr(body, "started with</th><td>2.25</td><td>100 %</td>"));
    assert_non_null(strstr(body, "kept by constants of the head</th><td>1.25</td><td>56 %</td>"));
    assert_null(strstr(body, "kept by the encoder")); /* nothing was */
    assert_non_null(strstr(body, "Rank correlation of the two: −1."));
    assert_non_null(strstr(body, "<td>−0.25<br><span class=\"note\">rank 3</span></td><td>0.75<br>"
                                 "<span class=\"note\">rank 1</span></td><td>−3</td></tr>"));
    for (size_t i = 0; i < HLRP_COUNT(never); i++)
        assert_null(strstr(body, never[i]));
    free(text);
}

/* Guards: "the network says normal on 10 tiles" of which it says nothing. */
static void a_bags_tiles_are_not_said_to_be_anything(void **state) {
    sink_test *t = *state;
    sink_test_bag(t);
    sink_test_start(t);
    hlrp_report_numbers n = {.of_class = 0,
                             .agreement = {.compared = 10,
                                           .clear = 9,
                                           .clear_differ = 5,
                                           .against = 10,
                                           .turned_for = 5,
                                           .over_start = 62}};
    t->in.plane = 0;
    told(t, &n,
         "<div class=\"alarm\" role=\"note\">The head speaks against normal on 10 tiles; on 5 of "
         "them the map "
         "speaks for normal: do not read red as normal there. In the median tile Σ|relevance| is "
         "62 times what "
         "the head gave it: most of what the map shows cancels out.</div>\n");
}

/* A class that the slide is not called by, where its own alone was explained. */
static void a_bag_says_that_a_class_was_not_explained(void **state) {
    sink_test *t = *state;
    int64_t plane = -1;
    hlrp_error err = {0};
    sink_test_bag(t);
    sink_test_start(t);
    t->in.plane = 0;
    assert_int_equal(hlrp_unexplained_count(t->result, 0, &t->in.unexplained, &err), HLRP_OK);
    char *text = fragment_of(t);
    assert_non_null(strstr(text, "What follows is about <strong>normal</strong>."));
    assert_non_null(
        strstr(text, "<strong>The slide was not called normal: nothing to explain</strong>."));
    assert_null(strstr(text, "started with"));
    assert_null(strstr(text, "Hatched"));
    free(text);
    assert_int_equal(hlrp_bag_score_plane(t->result, "", 0, &plane, &err), HLRP_OK);
    assert_int_equal(plane, 1); /* so it is not the shown one unless it was asked for */
    assert_int_equal(hlrp_bag_score_plane(t->result, "normal", 0, &plane, &err), HLRP_OK);
    assert_int_equal(plane, 0);
}

/* Guards: what is all but certain shown as certain. */
static void probabilities_are_not_rounded_to_certainty(void **state) {
    static const struct {
        double p;
        const char *want;
    } cases[] = {{1, "100 %"}, {0.9998, "over 99.9 %"}, {0.998, "99.8 %"}, {0.5, "50 %"},
                 {0, "0.0 %"}, {0.0001, "under 0.1 %"}, {0.002, "0.2 %"},  {NAN, "–"}};
    (void)state;
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        hlrp_str s = {0};
        hlrp_html_probability(&s, cases[i].p);
        assert_string_equal(s.text, cases[i].want);
        hlrp_str_free(&s);
    }
}

/* Guards: columns of a bag's slides missing, or empty ones where no slide is one. */
static void the_page_lists_the_slides_scores(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    static const char bag[] = "histolrp-report\t1\nclass\ttumor\ncalled\tnor<mal\nscore\t0.75\n\n",
                      other[] = "histolrp-report\t1\nclass\tnormal\nmean\t0.5\n\n";
    char paths[2][500], page[500];
    for (int i = 0; i < 2; i++) {
        snprintf(paths[i], sizeof paths[i], "%s", scratch_path(&t->files, i ? "b" : "a"));
        assert_int_equal(hlrp_write_file(paths[i], i ? other : bag, strlen(i ? other : bag), &err),
                         HLRP_OK);
    }
    snprintf(page, sizeof page, "%s", scratch_path(&t->files, "page.html"));
    const hlrp_report_row rows[] = {{"a.svs", "complete", "", 3, 3, 1, paths[0], {0}},
                                    {"b.svs", "complete", "", 3, 3, 1, paths[1], {0}}};
    assert_int_equal(hlrp_report_page(page, rows, 1, "", &err), HLRP_OK);
    char *text = sink_test_slurp(page);
    assert_non_null(strstr(text,
                           "<td data-label=\"Class\" data-v=\"nor&lt;mal\">nor&lt;mal</td><td "
                           "class=\"n\" data-label=\"Score\" data-v=\"0.75\">75 %</td>"));
    assert_null(strstr(text, "data-label=\"Predicted\""));
    free(text);
    assert_int_equal(hlrp_report_page(page, rows, 2, "", &err), HLRP_OK);
    text = sink_test_slurp(page);
    assert_non_null(strstr(text, "data-label=\"Predicted\""));
    assert_non_null(strstr(text, "data-label=\"Score\" data-v=\"\"></td>"));
    assert_non_null(strstr(text, "shown of each: its own class"));
    free(text);
    assert_int_equal(hlrp_report_page(page, rows + 1, 1, "", &err), HLRP_OK);
    text = sink_test_slurp(page);
    assert_null(strstr(text, "data-label=\"Score\""));
    free(text);
}

static void fragments_read_back(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    hlrp_fragment f;
    char *text = NULL;
    const char *body = NULL;
    const char *path = scratch_path(&t->files, "fragment.html");
    static const char head[] =
        "histolrp-report\t1\nclass\ttumor <b>\nplus\t8.5\nminus\t-2\npixels\t"
        "10\nmean\t\npredicted\t0.25\nsigns\tdiffer\nkind\tproper\t8\t8\t-1\ttissue\n"
        "kind\taccused\t2\t0.5\t-1\tpen\tmark\n\n<p>body</p>\n";
    assert_int_equal(hlrp_write_file(path, head, strlen(head), &err), HLRP_OK);
    assert_int_equal(hlrp_fragment_read(path, &f, &text, &body, &err), HLRP_OK);
    assert_string_equal(f.class_name, "tumor <b>");
    assert_true(f.plus == 8.5 && f.minus == -2 && f.predicted == 0.25 && isnan(f.mean));
    assert_int_equal(f.kind_count, 2);
    assert_true(f.signs_differ);
    assert_string_equal(f.kinds[1].name, "pen\tmark");
    assert_true(hlrp_fragment_accused(&f));
    assert_float_equal(hlrp_fragment_suspect(&f), 0.5 / 8.5, 1e-12);
    assert_string_equal(body, "<p>body</p>\n");
    free(text);
    assert_int_equal(hlrp_write_file(path, "<html>", 6, &err), HLRP_OK);
    assert_int_equal(hlrp_fragment_read(path, &f, &text, &body, &err), HLRP_E_INPUT);
    free(text);
}

/* Guards: a slide that vanishes from the page, a stale fragment shown for one that failed. */
static void every_slide_has_a_row(void **state) {
    sink_test *t = *state;
    hlrp_error err = {0};
    static const char fragment[] = "histolrp-report\t1\nclass\ttumor\nplus\t1\nminus\t0\n\nSECRET";
    char stale[500], page[500];
    snprintf(stale, sizeof stale, "%s", scratch_path(&t->files, "stale.html"));
    snprintf(page, sizeof page, "%s", scratch_path(&t->files, "page.html"));
    assert_int_equal(hlrp_write_file(stale, fragment, strlen(fragment), &err), HLRP_OK);
    char *nowhere = (char *)"/nowhere", *said = (char *)"mind <b>this</b>";
    const hlrp_report_row rows[] = {
        {"/a/<i>.svs", "failed", "bad & worse", 0, 0, 0, stale, {&said, 1, 1}},
        {"b.svs", "pending", "", 0, 0, 0, nowhere, {0}},
        {"c.svs", "complete", "", 4, 3, 3700, nowhere, {0}}};
    assert_int_equal(hlrp_report_page(page, rows, 3, "red < blue", &err), HLRP_OK);
    char *text = sink_test_slurp(page);
    assert_non_null(strstr(text, "&lt;i&gt;.svs</th>"));
    assert_null(strstr(text, "<i>.svs"));
    assert_non_null(strstr(text, "bad &amp; worse"));
    assert_non_null(strstr(text, "<li>mind &lt;b&gt;this&lt;/b&gt;</li>"));
    assert_non_null(strstr(text, ">b.svs</th>"));
    assert_non_null(strstr(text, "3 of 4</td>"));
    assert_non_null(strstr(text, "1 h 1 min"));
    assert_non_null(strstr(text, "<p>Red &lt; blue.</p>"));
    assert_null(strstr(text, "SECRET"));
    assert_null(strstr(text, "<section class="));
    free(text);
}

/* "E" is a full column and three bars; what lies outside the picture is cut. */
static void letters_are_drawn_and_cut(void **state) {
    static const uint8_t black[3] = {0, 0, 0};
    hlrp_error err = {0};
    hlrp_image image = {0};
    (void)state;
    assert_int_equal(hlrp_image_init(&image, 8, 8, 3, &err), HLRP_OK);
    memset(image.data, 255, 8 * 8 * 3);
    hlrp_label_draw(&image, 0, 0, 1, black, "E");
    for (int y = 0; y < 7; y++)
        assert_int_equal(image.data[3 * (8 * y)], 0);
    assert_int_equal(image.data[3 * 4], 0);
    assert_int_equal(image.data[3 * (8 + 4)], 255);
    hlrp_label_draw(&image, 6, 6, 3, black, "E\xc3\xa4");
    hlrp_label_draw(&image, -40, -40, 1, black, "E");
    assert_int_equal(hlrp_label_width(2, "E\xc3\xa4"), 24);
    hlrp_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_stay_text),
        cmocka_unit_test(base64_is_the_standard_one),
        SINK_TEST(sums_follow_the_ground),
        cmocka_unit_test(only_those_who_look_are_accused),
        SINK_TEST(agreement_is_told_in_words),
        SINK_TEST(the_best_tiles_do_not_overlap),
        SINK_TEST(a_bags_tiles_are_ranked),
        SINK_TEST(a_bags_fragment_tells_its_score),
        SINK_TEST(a_bags_tiles_are_not_said_to_be_anything),
        SINK_TEST(a_bag_says_that_a_class_was_not_explained),
        cmocka_unit_test(probabilities_are_not_rounded_to_certainty),
        SINK_TEST(the_page_lists_the_slides_scores),
        SINK_TEST(fragments_read_back),
        SINK_TEST(every_slide_has_a_row),
        cmocka_unit_test(letters_are_drawn_and_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

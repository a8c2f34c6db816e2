/* The progress line, without a clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sched/sched.h"

typedef struct tape {
    char text[4000];
    int writes;
} tape;

static void record(void *ctx, const char *text) {
    tape *t = ctx;
    size_t used = strlen(t->text);
    snprintf(t->text + used, sizeof t->text - used, "%s", text);
    t->writes++;
}

static void durations(void **unused) {
    (void)unused;
    const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0:00"},       {7.4, "0:07"},        {59.6, "1:00"},      {754, "12:34"},
                 {3600, "1:00:00"}, {11220, "3:07:00"},   {190800, "2 d 5 h"}, {-1, "--:--"},
                 {1e300, "--:--"},  {0.0 / 0.0, "--:--"}, {172799, "47:59:59"}};
    for (size_t i = 0; i < HLRP_COUNT(cases); i++) {
        char buf[40];
        assert_string_equal(hlrp_progress_duration(cases[i].seconds, buf, sizeof buf),
                            cases[i].text);
    }
}

static void a_bar_with_rate_and_time_left(void **unused) {
    (void)unused;
    char buf[300];
    hlrp_progress p = {.label = "a.svs", .unit = "tiles", .total = 2000, .terminal = true};
    p.started = 100;
    p.done = 500;
    assert_string_equal(hlrp_progress_line(&p, 150, buf, sizeof buf),
                        "a.svs [######------------------]  25% 500/2,000 tiles, 10/s, left 2:30");
    p.done = 2000;
    assert_string_equal(
        hlrp_progress_line(&p, 1100, buf, sizeof buf),
        "a.svs [########################] 100% 2,000/2,000 tiles, 2.0/s, took 16:40");
}

/* A resumed slide must not boast of the tiles an earlier run did. */
static void tiles_done_before_do_not_count_for_the_rate(void **unused) {
    (void)unused;
    tape t = {0};
    hlrp_progress p = {.total = 1000, .before = 800, .write = record, .ctx = &t};
    hlrp_progress_start(&p, 10);
    assert_float_equal(hlrp_progress_eta(&p, 10), -1, 0); /* nothing is known yet */
    hlrp_progress_update(&p, 850, 20);
    assert_float_equal(hlrp_progress_rate(&p, 20), 5, 1e-12);
    assert_float_equal(hlrp_progress_eta(&p, 20), 30, 1e-12);
}

static void plain_lines_once_a_minute(void **unused) {
    (void)unused;
    tape t = {0};
    hlrp_progress p = {.label = "a", .unit = "tiles", .total = 1000, .write = record, .ctx = &t};
    hlrp_progress_start(&p, 0);
    for (int i = 1; i <= 130; i++)
        hlrp_progress_update(&p, i, i);
    assert_int_equal(t.writes, 2);
    hlrp_progress_finish(&p, 131);
    assert_string_equal(t.text, "a   6% 60/1,000 tiles, 1.0/s, left 15:40\n"
                                "a  12% 120/1,000 tiles, 1.0/s, left 14:40\n"
                                "a  13% 130/1,000 tiles, 1.0/s, left 14:37\n");
    assert_null(strchr(t.text, '\r')); /* logs are not terminals */
}

static void a_bar_is_redrawn_and_leaves_nothing_behind(void **unused) {
    (void)unused;
    tape t = {0};
    hlrp_progress p = {
        .label = "a", .unit = "tiles", .total = 10, .terminal = true, .write = record, .ctx = &t};
    hlrp_progress_start(&p, 0);
    hlrp_progress_update(&p, 1, 0.1); /* too soon */
    assert_int_equal(t.writes, 1);
    hlrp_progress_update(&p, 2, 20);
    int first = (int)strlen("a [----]   0% 0/10 tiles, 0.0/s, left --:--") + 20;
    int second = (int)strlen("a [----]  20% 2/10 tiles, 0.1/s, left 1:20") + 20;
    assert_int_equal(p.width, second);
    assert_int_equal(strlen(t.text), 1 + first + 1 + first); /* the shorter line is blanked out */
    hlrp_progress_finish(&p, 21);
    assert_int_equal(t.text[strlen(t.text) - 1], '\n');
}

/* A line wider than the terminal would scroll instead of redrawing. */
static void a_long_label_is_cut_to_the_terminal(void **unused) {
    (void)unused;
    char buf[400];
    hlrp_progress p = {.label = "eine-sehr-lange-Schnittbezeichnung-äöü-äöü-äöü-äöü-äöü.svs",
                       .unit = "tiles",
                       .total = 100,
                       .terminal = true,
                       .columns = 80};
    for (p.columns = 0; p.columns < 140; p.columns++) {
        size_t n = strlen(hlrp_progress_line(&p, 1, buf, sizeof buf));
        assert_true(p.columns == 0 || p.columns < 66 || n <= (size_t)p.columns - 1);
        const char *bar = strchr(buf, '[');
        assert_non_null(bar);
        for (const char *c = buf; c < bar; c++) /* no half of a two-byte character */
            if ((*c & 0xE0) == 0xC0)
                assert_int_equal(c[1] & 0xC0, 0x80);
    }
}

static void totals_of_nothing(void **unused) {
    (void)unused;
    char buf[300];
    hlrp_progress p = {.label = "a", .unit = "tiles", .started = 5};
    assert_string_equal(hlrp_progress_line(&p, 5, buf, sizeof buf),
                        "a 100% 0/0 tiles, 0.0/s, took 0:00");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(a_bar_with_rate_and_time_left),
        cmocka_unit_test(tiles_done_before_do_not_count_for_the_rate),
        cmocka_unit_test(plain_lines_once_a_minute),
        cmocka_unit_test(a_bar_is_redrawn_and_leaves_nothing_behind),
        cmocka_unit_test(a_long_label_is_cut_to_the_terminal),
        cmocka_unit_test(totals_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Slide list, lock and progress on a folder of small files. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "batch/lock.h"
#include "batch/progress.h"
#include "batch/slides.h"

static char folder[64], name[8][128];

/* A path in the folder; eight at a time. */
static const char *in(const char *file) {
    static int next;
    next = (next + 1) % 8;
    snprintf(name[next], sizeof name[next], "%s/%s", folder, file);
    return name[next];
}

static void put(const char *file, const char *text) {
    hlrp_error err = {0};
    assert_int_equal(hlrp_write_file(in(file), text, strlen(text), &err), HLRP_OK);
}

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/hlrp-batch-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state) {
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static hlrp_status expand(const char *a, const char *b, hlrp_strings *out, hlrp_error *err) {
    hlrp_strings items = {0};
    *err = (hlrp_error){0};
    assert_int_equal(hlrp_strings_add(&items, a, err), HLRP_OK);
    if (b)
        assert_int_equal(hlrp_strings_add(&items, b, err), HLRP_OK);
    const hlrp_status status = hlrp_slides_expand(&items, out, err);
    hlrp_strings_free(&items);
    return status;
}

static void fill(void) {
    put("b.svs", "");
    put("a.NDPI", "");
    put("Z.tif", "");
    put("notes.txt", "");
    put("x[1].svs", "");
    put(".hidden.svs", "");
    assert_int_equal(mkdir(in("m.svs"), 0777), 0);
}

static void lists_are_expanded_and_sorted(void **state) {
    (void)state;
    hlrp_error err;
    hlrp_strings out = {0};
    fill();
    assert_int_equal(expand(folder, NULL, &out, &err), HLRP_OK);
    const char *const want[] = {"Z.tif", "a.NDPI", "b.svs", "x[1].svs"};
    assert_int_equal(out.count, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(hlrp_path_name(out.items[i]), want[i]);
    hlrp_strings_free(&out);
    assert_int_equal(expand(in("*.svs"), in("missing.svs"), &out, &err), HLRP_OK);
    assert_int_equal(out.count, 3); /* not the folder m.svs; a missing file fails by itself */
    hlrp_strings_free(&out);
    assert_int_equal(expand(in("x[1].svs"), NULL, &out, &err), HLRP_OK);
    assert_int_equal(out.count, 1);
    hlrp_strings_free(&out);
    char text[400];
    snprintf(text, sizeof text, "\xEF\xBB\xBF# slides\r\n\n  %s  \r\n%s", in("b.svs"), in("Z*"));
    put("list.txt", text);
    snprintf(text, sizeof text, "@%s", in("list.txt"));
    assert_int_equal(expand(text, NULL, &out, &err), HLRP_OK);
    assert_int_equal(out.count, 2);
    assert_string_equal(out.items[1], in("b.svs"));
    hlrp_strings_free(&out);
}

/* Guards: a list that means other files when the program is started elsewhere, and a missing file with
 * brackets in its name that stops the batch as a pattern without matches. */
static void lists_speak_from_their_own_folder(void **state) {
    (void)state;
    hlrp_error err;
    hlrp_strings out = {0};
    char text[400];
    fill();
    put("list.txt", "b.svs\nx[1].svs\n?.tif\ngone[2].svs\n");
    snprintf(text, sizeof text, "@%s", in("list.txt"));
    assert_int_equal(expand(text, NULL, &out, &err), HLRP_OK);
    const char *const want[] = {"Z.tif", "b.svs", "gone[2].svs", "x[1].svs"};
    assert_int_equal(out.count, 4);
    for (int i = 0; i < 4; i++)
        assert_string_equal(out.items[i], in(want[i]));
    hlrp_strings_free(&out);
}

static void refuse(const char *a, const char *b, const char *word) {
    hlrp_error err;
    hlrp_strings out = {0};
    assert_int_equal(expand(a, b, &out, &err), HLRP_E_CONFIG);
    if (!strstr(err.what, word))
        fail_msg("'%s' does not say '%s'", err.what, word);
    hlrp_strings_free(&out);
}

static void lists_that_cannot_be(void **state) {
    (void)state;
    fill();
    put("b.tif", "");
    put("nested.txt", "@other.txt\n");
    put("empty.txt", "# nothing\n");
    char text[200];
    refuse(in("*.mrxs"), NULL, "matches no file");
    refuse(in("m.svs"), NULL, "holds no slide");
    refuse(in("b.svs"), in("b.*s"), "listed twice");
    refuse(in("b.svs"), in("b.tif"), "share a folder");
    refuse("@/nonexistent/list", NULL, "cannot be read");
    snprintf(text, sizeof text, "@%s", in("nested.txt"));
    refuse(text, NULL, "another list");
    snprintf(text, sizeof text, "@%s", in("empty.txt"));
    refuse(text, NULL, "no slide");
    refuse("", NULL, "no slide");
    put("twice.txt", "a.NDPI\n\n# once more\nb.svs\na.NDPI\n");
    snprintf(text, sizeof text, "@%s", in("twice.txt"));
    refuse(text, NULL, "listed twice: in line 1 of /tmp/");
    refuse(text, NULL, "twice.txt and line 5 of /tmp/");
    put("stems.txt", "b.svs\nb.tif\n");
    snprintf(text, sizeof text, "@%s", in("stems.txt"));
    refuse(text, NULL, "its results (line 2 of /tmp/");
}

static void lock_keeps_others_out(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_lock *lock = NULL, *second = NULL;
    char who[256];
    assert_false(hlrp_lock_held(in("lock"), 60, who));
    assert_int_equal(hlrp_lock_acquire(in("lock"), 60, &lock, &err), HLRP_OK);
    assert_int_equal(hlrp_lock_acquire(in("lock"), 60, &second, &err), HLRP_E_BUSY);
    assert_non_null(strstr(err.what, "process "));
    assert_true(hlrp_lock_held(in("lock"), 60, who));
    assert_int_equal(hlrp_lock_check(lock, &err), HLRP_OK);
    assert_int_equal(hlrp_lock_beat(lock, &err), HLRP_OK);
    hlrp_lock_release(lock);
    assert_false(hlrp_file_exists(in("lock")));
    assert_int_equal(hlrp_lock_acquire(in("none/lock"), 60, &lock, &err), HLRP_E_IO);
}

/* Left by a process that died here: taken over at once, however young. */
static void lock_of_the_dead(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_lock *lock = NULL;
    const pid_t child = fork();
    if (child == 0)
        _exit(hlrp_lock_acquire(in("lock"), 60, &lock, &err) == HLRP_OK ? 0 : 1);
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_true(hlrp_file_exists(in("lock")));
    assert_int_equal(hlrp_lock_acquire(in("lock"), 1e9, &lock, &err), HLRP_OK);
    hlrp_lock_release(lock);
}

/* A holder that slept too long loses it, notices, and leaves the new holder's lock alone. */
static void lock_of_a_sleeper(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_lock *sleeper = NULL, *lock = NULL;
    const struct timespec old[2] = {{1000, 0}, {1000, 0}};
    assert_int_equal(hlrp_lock_acquire(in("lock"), 60, &sleeper, &err), HLRP_OK);
    assert_int_equal(utimensat(AT_FDCWD, in("lock"), old, 0), 0);
    assert_int_equal(hlrp_lock_acquire(in("lock"), 60, &lock, &err), HLRP_OK);
    assert_int_equal(hlrp_lock_check(sleeper, &err), HLRP_E_BUSY);
    assert_int_equal(hlrp_lock_beat(sleeper, &err), HLRP_E_BUSY);
    hlrp_lock_release(sleeper);
    assert_int_equal(hlrp_lock_check(lock, &err), HLRP_OK);
    hlrp_lock_release(lock);
}

static const hlrp_slide_progress SAMPLE = {.slide = "=dir/a \"b\", ü\n.svs",
                                           .state = HLRP_STATE_FAILED,
                                           .reason = "disk\tfull \\ {x: [1]}",
                                           .tiles = 10,
                                           .done = 7,
                                           .explained = 4,
                                           .gated = 2,
                                           .unreadable = 1,
                                           .rate = 2.5,
                                           .eta = -1.0,
                                           .seconds = 3.25,
                                           .started = "2026-01-01T00:00:00Z",
                                           .updated = "2026-01-01T00:00:09Z"};

static void progress_comes_back(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_slide_progress p;
    assert_int_equal(hlrp_progress_write(in("status.json"), &SAMPLE, &err), HLRP_OK);
    assert_int_equal(hlrp_progress_read(in("status.json"), &p, &err), HLRP_OK);
    assert_string_equal(p.slide, SAMPLE.slide);
    assert_string_equal(p.reason, SAMPLE.reason);
    assert_string_equal(p.updated, SAMPLE.updated);
    assert_int_equal(p.state, HLRP_STATE_FAILED);
    assert_int_equal(p.unreadable, 1);
    assert_true(p.rate == 2.5 && p.eta == -1.0 && p.seconds == 3.25);
    assert_false(p.compared); /* not 0 tiles of 0 */
    hlrp_slide_progress measured = SAMPLE;
    measured.compared = true;
    measured.disagree = 3;
    measured.disagree_share = 0.0125;
    measured.relevance_over_start = 62.5;
    assert_int_equal(hlrp_progress_write(in("status.json"), &measured, &err), HLRP_OK);
    assert_int_equal(hlrp_progress_read(in("status.json"), &p, &err), HLRP_OK);
    assert_true(p.compared && p.disagree == 3 && p.disagree_share == 0.0125 &&
                p.relevance_over_start == 62.5 && !p.scored);
    hlrp_slide_progress scored = SAMPLE;
    scored.scored = true;
    scored.score = 0.03125;
    snprintf(scored.class, sizeof scored.class, "tumor \"b\"");
    assert_int_equal(hlrp_progress_write(in("status.json"), &scored, &err), HLRP_OK);
    assert_int_equal(hlrp_progress_read(in("status.json"), &p, &err), HLRP_OK);
    assert_true(p.scored && p.score == 0.03125 && !p.compared);
    assert_string_equal(p.class, "tumor \"b\"");
    put("status.json", "{\"new\": {\"a\": [1, \"}\"]}, \"tiles\": 5, \"slide\": \"\\u00fc\\n\"}");
    assert_int_equal(hlrp_progress_read(in("status.json"), &p, &err), HLRP_OK);
    assert_int_equal(p.tiles, 5);
    assert_string_equal(p.slide, "ü\n");
    const char *const bad[] = {"",
                               "{",
                               "[]",
                               "{\"tiles\": \"x\"}",
                               "{\"a\": 1",
                               "{\"a\" 1}",
                               "{\"a\": \"\\u12\"}",
                               "{\"state\": \"lost\"}"};
    for (size_t i = 0; i < HLRP_COUNT(bad); i++) {
        put("status.json", bad[i]);
        assert_int_equal(hlrp_progress_read(in("status.json"), &p, &err), HLRP_E_INPUT);
    }
}

static void running_is_checked_against_the_lock(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_lock *lock = NULL;
    hlrp_slide_progress p = SAMPLE;
    assert_int_equal(hlrp_progress_collect(folder, in("lock"), 60, "x.svs", &p, &err), HLRP_OK);
    assert_int_equal(p.state, HLRP_STATE_PENDING);
    assert_string_equal(p.slide, "x.svs");
    p.state = HLRP_STATE_RUNNING;
    assert_int_equal(hlrp_progress_write(in("status.json"), &p, &err), HLRP_OK);
    assert_int_equal(hlrp_progress_collect(folder, in("lock"), 60, NULL, &p, &err), HLRP_OK);
    assert_int_equal(p.state, HLRP_STATE_INTERRUPTED);
    assert_int_equal(hlrp_lock_acquire(in("lock"), 60, &lock, &err), HLRP_OK);
    assert_int_equal(hlrp_progress_collect(folder, in("lock"), 60, NULL, &p, &err), HLRP_OK);
    assert_int_equal(p.state, HLRP_STATE_ELSEWHERE);
    hlrp_lock_release(lock);
}

/* A slide named like a formula must stay text in a spreadsheet; quotes and newlines stay in a cell.
 */
static void csv_is_safe(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *text = NULL;
    int64_t size = 0;
    hlrp_slide_progress rows[3] = {SAMPLE, SAMPLE, SAMPLE};
    rows[1].compared = true;
    rows[1].disagree = 3;
    rows[1].disagree_share = 0.0125;
    rows[1].relevance_over_start = 62.5;
    rows[2].scored = true;
    rows[2].score = 0.0;
    snprintf(rows[2].class, sizeof rows[2].class, "tumor");
    assert_int_equal(hlrp_batch_csv_write(in("batch.csv"), rows, 3, &err), HLRP_OK);
    assert_int_equal(hlrp_read_file(in("batch.csv"), 10000, &text, &size, &err), HLRP_OK);
    const char *row = strstr(text, "\r\n");
    assert_non_null(
        strstr(text, "updated,disagree,disagree_share,relevance_over_start,class,score\r\n"));
    assert_non_null(strstr(text, "\"2026-01-01T00:00:09Z\",,,,\"\",\r\n")); /* unknown is not 0 */
    assert_non_null(strstr(text, "\"2026-01-01T00:00:09Z\",3,0.0125,62.5,\"\",\r\n"));
    assert_non_null(strstr(text, "\"2026-01-01T00:00:09Z\",,,,\"tumor\",0\r\n"));
    assert_non_null(row);
    assert_int_equal(strncmp(text, "slide,state,reason,tiles,", 25), 0);
    const char *want =
        "\r\n\"'=dir/a \"\"b\"\", ü\n.svs\",\"failed\",\"disk\tfull \\ {x: [1]}\",10,7,";
    assert_int_equal(strncmp(row, want, strlen(want)), 0);
    free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lists_are_expanded_and_sorted),
        TEST(lists_speak_from_their_own_folder),
        TEST(lists_that_cannot_be),
        TEST(lock_keeps_others_out),
        TEST(lock_of_the_dead),
        TEST(lock_of_a_sleeper),
        TEST(progress_comes_back),
        TEST(running_is_checked_against_the_lock),
        TEST(csv_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

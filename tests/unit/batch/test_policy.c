/* What a lost lock makes of a failure, and what a rerun remembers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "batch/lock.h"
#include "batch/progress.h"

enum { PATH_SIZE = 1100 };

static char folder[PATH_SIZE - 100];

static const char *in_folder(const char *name, char path[PATH_SIZE]) {
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

static hlrp_lock *take(const char *path) {
    hlrp_error err = {0};
    hlrp_lock *lock = NULL;
    assert_int_equal(hlrp_lock_acquire(path, 60, &lock, &err), HLRP_OK);
    return lock;
}

static hlrp_status failure(hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_IO, "relevance.h5", NULL, "no space left");
}

/* Without it a slide that another run took over is reported as failed by the first. */
static void a_failure_under_a_lost_lock_is_no_failure(void **state) {
    (void)state;
    char path[PATH_SIZE];
    hlrp_error err = {0};
    hlrp_lock *first = take(in_folder("lock", path));
    assert_int_equal(unlink(path), 0); /* as one does that holds it for stale */
    hlrp_lock *second = take(path);
    assert_int_equal(hlrp_lock_judge(first, failure(&err), &err), HLRP_E_BUSY);
    assert_null(strstr(err.what, "no space left"));
    assert_int_equal(err.status, HLRP_E_BUSY);
    /* what went well stays so, and the other's failure is its own */
    assert_int_equal(hlrp_lock_judge(first, HLRP_OK, &err), HLRP_OK);
    assert_int_equal(hlrp_lock_judge(second, failure(&err), &err), HLRP_E_IO);
    assert_string_equal(err.what, "no space left");
    assert_int_equal(hlrp_lock_judge(NULL, failure(&err), &err), HLRP_E_IO);
    hlrp_lock_release(first);
    hlrp_lock_release(second);
}

/* Without it a night of three interruptions tells of the last hour only, and --dry-run guesses the rate. */
static void a_rerun_remembers_seconds_and_rate(void **state) {
    (void)state;
    char path[PATH_SIZE];
    hlrp_error err = {0};
    hlrp_slide_progress before = {.state = HLRP_STATE_INTERRUPTED, .seconds = 3600, .rate = 12.5};
    hlrp_slide_progress now = {.state = HLRP_STATE_RUNNING, .tiles = 7};
    hlrp_progress_recall(in_folder("none.json", path), &now);
    assert_true(now.seconds == 0 && now.rate == 0);
    assert_int_equal(hlrp_progress_write(in_folder("status.json", path), &before, &err), HLRP_OK);
    hlrp_progress_recall(path, &now);
    assert_true(now.seconds == 3600 && now.rate == 12.5);
    assert_int_equal(now.state, HLRP_STATE_RUNNING); /* the rest is this run's */
    assert_int_equal(now.tiles, 7);
    assert_int_equal(unlink(path), 0);
}

static int make_folder(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/policy-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

/* With what a failed assertion has left in it. */
static int remove_folder(void **state) {
    (void)state;
    static const char *const names[] = {"lock", "status.json"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(in_folder(names[i], path));
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_under_a_lost_lock_is_no_failure),
        cmocka_unit_test(a_rerun_remembers_seconds_and_rate),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

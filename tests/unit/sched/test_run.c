/* The parallel loop: every item once, the same error for any timing, cancel, one OpenMP thread
 * inside. Nothing here waits for a clock: where an order matters it is forced by spinning on what
 * another thread has done. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <omp.h>

#include "sched/sched.h"

enum { ITEMS = 1000, MOST = 4 };

typedef struct ctx {
    atomic_int runs[ITEMS];
    atomic_int begun, ended, live, inner_most;
    int64_t progress, progress_calls;
    int64_t first_fail, second_fail; /* −1: none */
    atomic_bool second_has_failed;
    int begin_fail; /* thread, −1: none */
    hlrp_cancel cancel;
    int64_t cancel_at; /* −1: never */
} ctx;

static hlrp_status begin(void *p, int thread, void **state, hlrp_error *err) {
    ctx *c = p;
    atomic_fetch_add(&c->begun, 1);
    *state = malloc(1); /* a leak where thread_end is left out: the sanitizer would tell */
    if (c->begin_fail >= 0 && thread >= c->begin_fail) {
        /* a chance for items to run too early, on threads that have begun */
        for (int i = 0; i < 20000 && atomic_load(&c->runs[0]) == 0; i++)
            sched_yield();
        return hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "thread %d", thread);
    }
    return HLRP_OK;
}

static void end(void *p, int thread, void *state) {
    ctx *c = p;
    (void)thread;
    free(state);
    atomic_fetch_add(&c->ended, 1);
}

static void note_inner(ctx *c) {
    int inner = omp_get_max_threads(), seen = atomic_load(&c->inner_most);
    while (inner > seen && !atomic_compare_exchange_weak(&c->inner_most, &seen, inner))
        ;
}

static hlrp_status item(void *p, void *state, int64_t index, hlrp_error *err) {
    ctx *c = p;
    assert_non_null(state);
    atomic_fetch_add(&c->runs[index], 1);
    note_inner(c);
    if (index == c->second_fail) {
        atomic_store(&c->second_has_failed, true);
        return hlrp_fail(err, HLRP_E_INTERNAL, NULL, NULL, "item %d", (int)index);
    }
    if (index == c->first_fail) {
        /* with several threads: fail only once the higher index is known to have failed */
        while (c->second_fail >= 0 && omp_get_num_threads() > 1 &&
               !atomic_load(&c->second_has_failed))
            ;
        return hlrp_fail(err, HLRP_E_INPUT, NULL, NULL, "item %d", (int)index);
    }
    if (index == c->cancel_at)
        hlrp_cancel_request(&c->cancel);
    return HLRP_OK;
}

static void progress(void *p, int64_t done) {
    ctx *c = p; /* plain fields: the race detector checks that calls never overlap */
    assert_int_equal(done, c->progress + 1);
    c->progress = done;
    c->progress_calls++;
}

static ctx fresh(void) {
    return (ctx){.first_fail = -1, .second_fail = -1, .begin_fail = -1, .cancel_at = -1};
}

static hlrp_sched_job job_of(ctx *c) {
    return (hlrp_sched_job){.ctx = c,
                            .thread_begin = begin,
                            .item = item,
                            .thread_end = end,
                            .progress = progress,
                            .cancel = &c->cancel};
}

static void every_item_runs_once(void **unused) {
    (void)unused;
    for (int threads = 1; threads <= MOST; threads++) {
        ctx c = fresh();
        hlrp_error err = {0};
        hlrp_sched_job job = job_of(&c);
        assert_int_equal(hlrp_sched_run(&job, threads, ITEMS, &err), HLRP_OK);
        for (int i = 0; i < ITEMS; i++)
            assert_int_equal(atomic_load(&c.runs[i]), 1);
        assert_int_equal(c.progress_calls, ITEMS);
        assert_int_equal(atomic_load(&c.begun), threads);
        assert_int_equal(atomic_load(&c.ended), threads);
    }
}

/* The bug guarded against: a library inside an item opens a team of its own, above all when the
 * outer team has one thread and counts as serial. */
static void libraries_inside_see_one_thread(void **unused) {
    (void)unused;
    omp_set_num_threads(3);
    for (int threads = 1; threads <= 2; threads++) {
        ctx c = fresh();
        hlrp_error err = {0};
        hlrp_sched_job job = job_of(&c);
        assert_int_equal(hlrp_sched_run(&job, threads, 8, &err), HLRP_OK);
        assert_int_equal(atomic_load(&c.inner_most), 1);
    }
    assert_int_equal(omp_get_max_threads(), 3); /* the caller's own setting is untouched */
}

static void the_lowest_failing_index_is_told(void **unused) {
    (void)unused;
    for (int threads = 1; threads <= MOST; threads++) {
        for (int repeat = 0; repeat < 20; repeat++) {
            ctx c = fresh();
            hlrp_error err = {0};
            hlrp_sched_job job = job_of(&c);
            c.first_fail = 40;
            c.second_fail = 41;
            assert_int_equal(hlrp_sched_run(&job, threads, ITEMS, &err), HLRP_E_INPUT);
            assert_string_equal(err.what, "item 40");
            assert_int_equal(err.status, HLRP_E_INPUT);
            assert_int_equal(atomic_load(&c.ended), threads);
            for (int i = 0; i < 40; i++) /* all below it ran, so none of them can be the one */
                assert_int_equal(atomic_load(&c.runs[i]), 1);
        }
    }
}

/* Without stopping, a batch with a full disk would compute for hours and then fail. */
static void a_failure_stops_the_handing_out(void **unused) {
    (void)unused;
    ctx c = fresh();
    hlrp_error err = {0};
    hlrp_sched_job job = job_of(&c);
    c.first_fail = 5;
    assert_int_equal(hlrp_sched_run(&job, 1, ITEMS, &err), HLRP_E_INPUT);
    assert_int_equal(c.progress, 5);
    assert_int_equal(atomic_load(&c.runs[6]), 0);
}

static void a_failing_thread_begin_runs_nothing(void **unused) {
    (void)unused;
    for (int threads = 2; threads <= MOST; threads++) {
        ctx c = fresh();
        hlrp_error err = {0};
        hlrp_sched_job job = job_of(&c);
        c.begin_fail = 1; /* threads 1, 2, 3 all fail */
        assert_int_equal(hlrp_sched_run(&job, threads, ITEMS, &err), HLRP_E_MEMORY);
        assert_string_equal(err.what, "thread 1");
        assert_int_equal(c.progress, 0);
        for (int i = 0; i < ITEMS; i++)
            assert_int_equal(atomic_load(&c.runs[i]), 0);
        assert_int_equal(atomic_load(&c.ended), threads);
    }
}

static void cancel_stops_and_says_so(void **unused) {
    (void)unused;
    for (int threads = 1; threads <= MOST; threads++) {
        ctx c = fresh();
        hlrp_error err = {0};
        hlrp_sched_job job = job_of(&c);
        c.cancel_at = 10;
        assert_int_equal(hlrp_sched_run(&job, threads, ITEMS, &err), HLRP_E_INTERRUPTED);
        assert_true(c.progress >= 11 && c.progress < ITEMS);
        assert_non_null(strstr(err.what, "of 1000"));
    }
}

/* A cancel that comes with the last item leaves nothing undone: the run is complete. */
static void cancel_after_the_last_item_is_no_interruption(void **unused) {
    (void)unused;
    ctx c = fresh();
    hlrp_error err = {0};
    hlrp_sched_job job = job_of(&c);
    c.cancel_at = 9;
    assert_int_equal(hlrp_sched_run(&job, 1, 10, &err), HLRP_OK);
    assert_int_equal(c.progress, 10);
}

static void an_error_outranks_a_cancel(void **unused) {
    (void)unused;
    ctx c = fresh();
    hlrp_error err = {0};
    hlrp_sched_job job = job_of(&c);
    hlrp_cancel_request(&c.cancel);
    c.begin_fail = 0;
    assert_int_equal(hlrp_sched_run(&job, 2, ITEMS, &err), HLRP_E_MEMORY);
}

static void odd_counts(void **unused) {
    (void)unused;
    ctx c = fresh();
    hlrp_error err = {0};
    hlrp_sched_job job = job_of(&c);
    assert_int_equal(hlrp_sched_run(&job, 4, 0, &err), HLRP_OK);
    assert_int_equal(atomic_load(&c.begun), 0);
    assert_int_equal(hlrp_sched_run(&job, 0, 1, &err), HLRP_OK); /* no threads asked for: one */
    assert_int_equal(atomic_load(&c.begun), 1);
    c = fresh();
    job = job_of(&c);
    assert_int_equal(hlrp_sched_run(&job, 4, 2, &err), HLRP_OK); /* no thread without an item */
    assert_int_equal(atomic_load(&c.begun), 2);
}

static hlrp_status look_inside(void *p, hlrp_error *err) {
    *(int *)p = omp_get_max_threads();
    return hlrp_fail(err, HLRP_E_MODEL, NULL, NULL, "passed on");
}

static void single_limits_inside_only(void **unused) {
    (void)unused;
    int inside = 0;
    hlrp_error err = {0};
    omp_set_num_threads(4);
    assert_int_equal(hlrp_sched_single(look_inside, &inside, &err), HLRP_E_MODEL);
    assert_string_equal(err.what, "passed on");
    assert_int_equal(inside, 1);
    assert_int_equal(omp_get_max_threads(), 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_runs_once),
        cmocka_unit_test(libraries_inside_see_one_thread),
        cmocka_unit_test(the_lowest_failing_index_is_told),
        cmocka_unit_test(a_failure_stops_the_handing_out),
        cmocka_unit_test(a_failing_thread_begin_runs_nothing),
        cmocka_unit_test(cancel_stops_and_says_so),
        cmocka_unit_test(cancel_after_the_last_item_is_no_interruption),
        cmocka_unit_test(an_error_outranks_a_cancel),
        cmocka_unit_test(odd_counts),
        cmocka_unit_test(single_limits_inside_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How many threads the environment grants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sched/sched.h"

static int pick(const char *omp, const char *slurm, int affinity, double quota) {
    hlrp_sched_grant grant = {omp, slurm, affinity, quota};
    return hlrp_sched_pick_threads(&grant);
}

static void the_least_grant_wins(void **unused) {
    (void)unused;
    assert_int_equal(pick(NULL, NULL, 8, 0), 8);
    assert_int_equal(pick(NULL, "4", 8, 0), 4);
    assert_int_equal(pick(NULL, "16", 8, 0), 8); /* a job cannot use more than it may run on */
    assert_int_equal(pick(NULL, "4", 8, 2), 2);
    assert_int_equal(pick(NULL, NULL, 8, 1.5), 2);
    assert_int_equal(pick(NULL, NULL, 8, 0.1), 1);
    assert_int_equal(pick(NULL, NULL, 0, 0), 1); /* nothing known */
}

static void the_users_word_wins(void **unused) {
    (void)unused;
    assert_int_equal(pick("6", "4", 2, 1), 6);
    assert_int_equal(pick("3,2", NULL, 8, 0), 3); /* nested levels: the outermost counts */
    assert_int_equal(pick("999999999999", NULL, 8, 0), 4096);
}

static void malformed_texts_count_as_unset(void **unused) {
    (void)unused;
    const char *const bad[] = {
        "", "0", "-2", "two", "2x", ",4", "1111111111111111111111111111111111111111"};
    for (size_t i = 0; i < HLRP_COUNT(bad); i++) {
        assert_int_equal(pick(bad[i], NULL, 5, 0), 5);
        assert_int_equal(pick(NULL, bad[i], 5, 0), 5);
    }
}

typedef struct tree {
    char root[64];
} tree;

static void put(const tree *t, const char *folder, const char *name, const char *text) {
    char path[400];
    hlrp_error err = {0};
    snprintf(path, sizeof path, "%s/%s", t->root, folder);
    assert_int_equal(hlrp_make_folders(path, &err), HLRP_OK);
    snprintf(path, sizeof path, "%s/%s/%s", t->root, folder, name);
    assert_int_equal(hlrp_write_file(path, text, strlen(text), &err), HLRP_OK);
}

static int plant(void **state) {
    tree *t = calloc(1, sizeof *t);
    snprintf(t->root, sizeof t->root, "/tmp/hlrp-cgroup-XXXXXX");
    *state = t;
    return mkdtemp(t->root) ? 0 : -1;
}

static int fell(void **state) {
    tree *t = *state;
    char command[100];
    snprintf(command, sizeof command, "rm -r '%s'", t->root);
    int failed = system(command);
    free(t);
    return failed;
}

static void version_2(void **state) {
    const tree *t = *state;
    put(t, "job/step", "cpu.max", "max 100000\n");
    put(t, "job", "cpu.max", "250000 100000\n");
    assert_float_equal(hlrp_sched_cgroup_quota(t->root, "0::/job/step\n"), 2.5, 1e-9);
    put(t, "job/step", "cpu.max", "100000 100000\n"); /* the tighter one of child and parent */
    assert_float_equal(hlrp_sched_cgroup_quota(t->root, "0::/job/step\n"), 1, 1e-9);
    put(t, ".", "cpu.max", "50000 100000\n");
    /* within a container: the path is the host's, the root is the container's own */
    assert_float_equal(hlrp_sched_cgroup_quota(t->root, "0::/docker/abc\n"), 0.5, 1e-9);
}

static void version_1(void **state) {
    const tree *t = *state;
    const char *self = "12:memory:/job\n3:cpuacct,cpu:/job\n1:cpuset:/job\n";
    put(t, "cpu/job", "cpu.cfs_quota_us", "-1\n");
    put(t, "cpu/job", "cpu.cfs_period_us", "100000\n");
    assert_float_equal(hlrp_sched_cgroup_quota(t->root, self), 0, 0);
    put(t, "cpu/job", "cpu.cfs_quota_us", "300000\n");
    assert_float_equal(hlrp_sched_cgroup_quota(t->root, self), 3, 1e-9);
    /* "cpuset" and "cpuacct" alone are not the cpu controller */
    assert_float_equal(hlrp_sched_cgroup_quota(t->root, "1:cpuset:/job\n2:cpuacct:/job\n"), 0, 0);
}

static void hostile_texts_grant_nothing(void **state) {
    const tree *t = *state;
    const char *const self[] = {"", "\n\n", "nonsense", "0:", "0:cpu", "0::", "::", "3:cpu:"};
    for (size_t i = 0; i < HLRP_COUNT(self); i++)
        assert_float_equal(hlrp_sched_cgroup_quota(t->root, self[i]), 0, 0);
    const char *const files[] = {"", "max", "x y", "100000", "100000 0", "-1 100000", "nan nan"};
    for (size_t i = 0; i < HLRP_COUNT(files); i++) {
        put(t, "job", "cpu.max", files[i]);
        assert_float_equal(hlrp_sched_cgroup_quota(t->root, "0::/job"), 0, 0);
    }
}

static void this_process_gets_at_least_one(void **unused) {
    (void)unused;
    unsetenv("OMP_NUM_THREADS");
    unsetenv("SLURM_CPUS_PER_TASK");
    int all = hlrp_sched_default_threads();
    assert_in_range(all, 1, sysconf(_SC_NPROCESSORS_CONF));
    setenv("SLURM_CPUS_PER_TASK", "1", 1);
    assert_int_equal(hlrp_sched_default_threads(), 1);
    setenv("OMP_NUM_THREADS", "7", 1);
    assert_int_equal(hlrp_sched_default_threads(), 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_grant_wins),
        cmocka_unit_test(the_users_word_wins),
        cmocka_unit_test(malformed_texts_count_as_unset),
        cmocka_unit_test_setup_teardown(version_2, plant, fell),
        cmocka_unit_test_setup_teardown(version_1, plant, fell),
        cmocka_unit_test_setup_teardown(hostile_texts_grant_nothing, plant, fell),
        cmocka_unit_test(this_process_gets_at_least_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A slide's folder while a run works in it: who may, what is left of a run that was killed, and what
 * status.json says in the end. Guards: two runs in one folder, temporary files that stay for ever, the
 * status of another run overwritten, a shard's run.json taken for that of a whole run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/folder.h"
#include "run/provenance.h"

static char output[200];

typedef struct scene {
    hlrp_run_options options;
    hlrp_slide_progress where;
    hlrp_slide_folder folder;
} scene;

static scene *begin(int64_t shard, int64_t shards) {
    hlrp_error err = {0};
    scene *s = calloc(1, sizeof *s);
    s->options = (hlrp_run_options){.shard = shard, .shards = shards};
    s->where.state = HLRP_STATE_RUNNING;
    s->folder = (hlrp_slide_folder){.options = &s->options, .where = &s->where};
    assert_int_equal(hlrp_slide_folder_begin(&s->folder, output, "far/away/a.svs", &err), HLRP_OK);
    return s;
}

static hlrp_status take(scene *s) {
    hlrp_error err = {0};
    return hlrp_slide_folder_take(&s->folder, &err);
}

static void end(scene *s, hlrp_state state) {
    s->where.state = state;
    hlrp_slide_folder_close(&s->folder, false);
    free(s);
}

static const char *in_folder(const char *name, char path[300]) {
    snprintf(path, 300, "%s/a/%s", output, name);
    return path;
}

static hlrp_state state_on_disk(void) {
    char path[300];
    hlrp_error err = {0};
    hlrp_slide_progress p = {0};
    assert_int_equal(hlrp_progress_read(in_folder("status.json", path), &p, &err), HLRP_OK);
    return p.state;
}

static void one_run_at_a_time_or_several_shards(void **state) {
    (void)state;
    scene *first = begin(0, 0), *second = begin(0, 0), *part = begin(1, 2), *other = begin(2, 2);
    assert_int_equal(take(first), HLRP_OK);
    assert_int_equal(take(second), HLRP_E_BUSY);
    assert_int_equal(take(part), HLRP_E_BUSY);
    end(second, HLRP_STATE_ELSEWHERE);
    end(part, HLRP_STATE_ELSEWHERE); /* has its own lock, but may not write */
    assert_int_equal(access(in_folder("status.json", (char[300]){0}), F_OK), -1);
    end(first, HLRP_STATE_COMPLETE);
    assert_int_equal(state_on_disk(), HLRP_STATE_COMPLETE);
    part = begin(1, 2);
    assert_int_equal(take(part), HLRP_OK);
    assert_int_equal(take(other), HLRP_OK);
    first = begin(0, 0);
    assert_int_equal(take(first), HLRP_E_BUSY);
    end(first, HLRP_STATE_ELSEWHERE);
    end(other, HLRP_STATE_INTERRUPTED);
    end(part, HLRP_STATE_INTERRUPTED);
    assert_int_equal(state_on_disk(), HLRP_STATE_INTERRUPTED);
}

static void write_file(const char *name) {
    char path[300];
    hlrp_error err = {0};
    assert_int_equal(hlrp_write_file(in_folder(name, path), "x", 1, &err), HLRP_OK);
}

static bool is_there(const char *name) {
    char path[300];
    return access(in_folder(name, path), F_OK) == 0;
}

static void what_killed_runs_left_goes(void **state) {
    (void)state;
    hlrp_error err = {0};
    scene *s = begin(0, 0);
    write_file(".overlay.tif.1234.tmp");
    write_file("notes.tmp");
    write_file(".journal-1-of-2");
    assert_int_equal(take(s), HLRP_OK);
    assert_false(is_there(".overlay.tif.1234.tmp"));
    assert_true(is_there("notes.tmp")); /* not ours */
    assert_true(is_there(".journal-1-of-2"));
    assert_int_equal(hlrp_slide_folder_clear(&s->folder, &err), HLRP_OK);
    assert_false(is_there(".journal-1-of-2"));
    assert_int_equal(hlrp_slide_folder_remove(&s->folder, "notes.tmp", &err), HLRP_OK);
    end(s, HLRP_STATE_COMPLETE);
}

static void only_a_whole_run_counts_as_a_record(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *slide = NULL, *config = NULL;
    scene *s = begin(0, 0);
    assert_int_equal(take(s), HLRP_OK);
    assert_false(hlrp_provenance_is_whole(&s->folder));
    hlrp_fact facts[] = {{"slide", .text = "a \"b\".svs"},
                         {"tiles", .number = 7},
                         {"warnings", .json = "[]"},
                         {"config", .text = "[model]\n"},
                         {"outcome", .text = HLRP_OUTCOME_BEGUN}};
    assert_int_equal(hlrp_provenance_write(&s->folder, facts, HLRP_COUNT(facts), &err), HLRP_OK);
    assert_false(hlrp_provenance_is_whole(&s->folder));
    facts[4].text = "complete";
    assert_int_equal(hlrp_provenance_write(&s->folder, facts, HLRP_COUNT(facts), &err), HLRP_OK);
    assert_true(hlrp_provenance_is_whole(&s->folder));
    assert_int_equal(hlrp_provenance_text(s->folder.path, "slide", &slide, &err), HLRP_OK);
    assert_int_equal(hlrp_provenance_text(s->folder.path, "config", &config, &err), HLRP_OK);
    assert_string_equal(slide, "a \"b\".svs");
    assert_string_equal(config, "[model]\n");
    free(slide);
    free(config);
    assert_int_equal(hlrp_slide_folder_remove(&s->folder, "run.json", &err), HLRP_OK);
    end(s, HLRP_STATE_COMPLETE);
}

static int make_folder(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(output, sizeof output, "%s/folder-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    return mkdtemp(output) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char path[300];
    unlink(in_folder("status.json", path));
    in_folder("", path);
    return rmdir(path) || rmdir(output);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_run_at_a_time_or_several_shards),
        cmocka_unit_test(what_killed_runs_left_goes),
        cmocka_unit_test(only_a_whole_run_counts_as_a_record),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* Assembly asks whether it may go on between bands, between chunks of tiles and before the file gets its
 * name: a run that was told to stop, or that lost its lock, must not write another run's results over.
 * Each question is refused once here; one that is no longer asked changes the count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pipelines/assemble.h"
#include "slide/slide_memory.h"
#include "worker/account.h"

enum { SIDE = 300, DOWNSAMPLE = 2, BANDS = 3, CHUNKS_OF_TILES = 1 };

static char folder[200];

typedef struct scene {
    char ini[300], journal_path[300], result[300];
    hlrp_config *config;
    hlrp_network *net;
    hlrp_slide *slide;
    hlrp_grid grid;
    hlrp_journal *journal;
    uint8_t *pixels;
    int asked, refuse; /* questions so far; the one that is refused */
} scene;

static void check(hlrp_status status, const hlrp_error *err) {
    if (status != HLRP_OK)
        print_error("%s: %s\n", err->where, err->what);
    assert_int_equal(status, HLRP_OK);
}

static hlrp_status go_on(void *ctx, hlrp_error *err) {
    scene *s = ctx;
    return s->asked++ == s->refuse ? hlrp_fail(err, HLRP_E_INTERRUPTED, "test", NULL, "stop")
                                   : HLRP_OK;
}

static void load_network(scene *s) {
    hlrp_error err = {0};
    char root[1000];
    snprintf(root, sizeof root, "%s", __FILE__);
    *strstr(root, "/tests/unit/") = '\0';
    FILE *f = fopen(s->ini, "w");
    assert_non_null(f);
    fprintf(f, "[model]\npath = %s/configs/demo-model.onnx\n[map]\ndownsample = %d\n", root,
            DOWNSAMPLE);
    assert_int_equal(fclose(f), 0);
    check(hlrp_config_load(s->ini, NULL, 0, &s->config, &err), &err);
    check(hlrp_network_prepare(s->config, false, NULL, &s->net, &err), &err);
}

/* A journal of one tile that could not be read: the shortest record there is. */
static void write_journal(scene *s) {
    hlrp_error err = {0};
    const hlrp_journal_key key = {.text = "test = 1\n",
                                  .classes = s->net->classes,
                                  .planes = s->net->targets.planes,
                                  .tiles = 1,
                                  .layer_values = hlrp_account_count(s->net),
                                  .parts_max = 1};
    const double nothing[8] = {0};
    const float none[8] = {0};
    assert_true(key.classes <= 8 && key.planes <= 8);
    const hlrp_record record = {.status = HLRP_RECORD_UNREADABLE,
                                .start = nothing,
                                .sum = nothing,
                                .outside = nothing,
                                .abs = nothing,
                                .logit = none,
                                .probability = none};
    check(hlrp_journal_open(s->journal_path, &key, &s->journal, &err), &err);
    check(hlrp_journal_append(s->journal, &record, &err), &err);
}

static void set_up(scene *s) {
    hlrp_error err = {0};
    static hlrp_memory_level level;
    static hlrp_memory_slide source;
    *s = (scene){.refuse = -1};
    snprintf(s->ini, sizeof s->ini, "%s/c.ini", folder);
    snprintf(s->journal_path, sizeof s->journal_path, "%s/journal", folder);
    snprintf(s->result, sizeof s->result, "%s/relevance.h5", folder);
    load_network(s);
    s->pixels = calloc((size_t)SIDE * SIDE, 3);
    level = (hlrp_memory_level){.size = {SIDE, SIDE}, .rgb = s->pixels};
    source = (hlrp_memory_slide){.path = s->ini, .level_count = 1, .levels = &level};
    check(hlrp_slide_open_memory(&source, &s->slide, &err), &err);
    check(hlrp_grid_init(&s->grid, (hlrp_size){SIDE, SIDE}, (hlrp_mpp){0.5, 0.5}, 0.5,
                         s->net->height, 0, &err),
          &err);
    write_journal(s);
}

static void tear_down(scene *s) {
    hlrp_error err = {0};
    check(hlrp_journal_close(s->journal, &err), &err);
    hlrp_slide_close(s->slide);
    hlrp_network_free(s->net);
    hlrp_config_free(s->config);
    free(s->pixels);
    assert_int_equal(unlink(s->ini), 0);
    assert_int_equal(unlink(s->journal_path), 0);
}

static hlrp_status assemble(scene *s, int refuse) {
    int64_t tile = 0;
    hlrp_error err = {0};
    const hlrp_survey survey = {.slide = s->slide,
                                .mpp = {0.5, 0.5},
                                .mpp_source = "test",
                                .grid = s->grid,
                                .tiles = &tile,
                                .tile_count = 1};
    hlrp_assembly a = {.net = s->net,
                       .tile_net = s->net,
                       .survey = &survey,
                       .journal = s->journal,
                       .key = "test = 1\n",
                       .threads = 1,
                       .go_on = go_on,
                       .ctx = s};
    s->asked = 0;
    s->refuse = refuse;
    check(hlrp_assembly_begin(&a, &err), &err);
    const hlrp_status status = hlrp_assemble(&a, s->result, &err);
    hlrp_assembly_end(&a);
    if (refuse < 0)
        check(status, &err);
    return status;
}

static void every_question_is_asked_and_heard(void **state) {
    (void)state;
    scene s;
    set_up(&s);
    enum { ALL = BANDS + CHUNKS_OF_TILES + 1 };
    for (int k = 0; k < ALL; k++) {
        assert_int_equal(assemble(&s, k), HLRP_E_INTERRUPTED);
        assert_int_equal(s.asked, k + 1); /* and nothing more was done */
        assert_int_equal(access(s.result, F_OK), -1);
    }
    assert_int_equal(assemble(&s, -1), HLRP_OK);
    assert_int_equal(s.asked, ALL);
    assert_int_equal(unlink(s.result), 0);
    tear_down(&s);
}

static int make_folder(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/assemble-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder); /* fails where an unfinished file was left */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_question_is_asked_and_heard)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

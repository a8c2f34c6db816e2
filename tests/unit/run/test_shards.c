/* Shards share out whole micro-batches and miss no tile; a journal that lacks some names whose they are.
 * Guards: a tile that no shard computes or two do, a micro-batch that is cut in two (other bits). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/shards.h"

static char folder[200];

static void every_tile_is_one_shards(void **state) {
    (void)state;
    for (int64_t tiles = 0; tiles < 40; tiles++)
        for (int64_t batch = 1; batch < 6; batch++)
            for (int64_t shards = 1; shards < 9; shards++) {
                int64_t end = 0;
                for (int64_t i = 1; i <= shards; i++) {
                    int64_t from = -1, to = -1;
                    hlrp_shard_tiles(tiles, batch, i, shards, &from, &to);
                    assert_int_equal(from, end);
                    assert_true(to >= from);
                    assert_true(to == tiles || to % batch == 0);
                    end = to;
                }
                assert_int_equal(end, tiles);
            }
}

/* Four tiles in batches of two: shard 1 of 2 has done one of its own. */
static void missing_tiles_are_named_by_shard(void **state) {
    (void)state;
    const hlrp_journal_key key = {
        .text = "test = 1\n", .classes = 1, .planes = 1, .tiles = 4, .parts_max = 1};
    const double nothing[1] = {0};
    const float none[1] = {0};
    const hlrp_record record = {.tile = 1,
                                .status = HLRP_RECORD_GATED,
                                .start = nothing,
                                .sum = nothing,
                                .outside = nothing,
                                .abs = nothing,
                                .logit = none,
                                .probability = none};
    char path[300], torn[300];
    hlrp_error err = {0};
    hlrp_journal *journal = NULL, *all = NULL;
    hlrp_slide_progress where = {0};
    snprintf(path, sizeof path, "%s/.journal-1-of-2", folder);
    snprintf(torn, sizeof torn, "%s/.journal-2-of-2", folder);
    assert_int_equal(hlrp_journal_open(path, &key, &journal, &err), HLRP_OK);
    assert_int_equal(hlrp_journal_append(journal, &record, &err), HLRP_OK);
    assert_int_equal(hlrp_journal_close(journal, &err), HLRP_OK);
    assert_int_equal(hlrp_write_file(torn, "HLR", 3, &err), HLRP_OK); /* killed as it began */
    assert_int_equal(hlrp_shards_join(folder, HLRP_JOURNAL, "a.svs", &key, 2, &all, &err),
                     HLRP_E_INTERRUPTED);
    assert_string_equal(err.where, "a.svs");
    assert_string_equal(err.what,
                        "3 of 4 tiles are missing: shard 1/2 lacks 1 of 2, 2/2 lacks 2 of 2");
    assert_non_null(all);
    hlrp_journal_tally(all, &where);
    assert_int_equal(where.gated, 1);
    assert_int_equal(where.done, 1);
    assert_int_equal(hlrp_journal_close(all, &err), HLRP_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(torn), 0);
}

static int make_folder(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/shards-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tile_is_one_shards),
        cmocka_unit_test(missing_tiles_are_named_by_shard),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* Which tiles a pass of a bag's map does: those that are wanted, and have no record. Guards: tiles of another
 * shard, those done before done again, the other kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "run/batches.h"

enum { T = 10 };

static char path[] = "/tmp/hlrp-batches-XXXXXX";

static hlrp_journal *journal_with(const int64_t *tiles, int count) {
    const hlrp_journal_key key = {.text = "a = b\n", .classes = 1, .planes = 1, .tiles = T};
    const double zero = 0;
    const float none = 0;
    hlrp_error err = {0};
    hlrp_journal *j = NULL;
    assert_int_equal(hlrp_journal_open(path, &key, &j, &err), HLRP_OK);
    for (int i = 0; i < count; i++) {
        const hlrp_record r = {.tile = tiles[i],
                               .status = i == 0 ? HLRP_RECORD_UNREADABLE : HLRP_RECORD_EXPLAINED,
                               .start = &zero,
                               .sum = &zero,
                               .outside = &zero,
                               .abs = &zero,
                               .logit = &none,
                               .probability = &none};
        assert_int_equal(hlrp_journal_append(j, &r, &err), HLRP_OK);
    }
    return j;
}

static void assert_places(const hlrp_batches *b, const int64_t *want, int64_t count) {
    assert_int_equal(b->count, count);
    assert_memory_equal(b->places, want, (size_t)count * sizeof *want);
}

static void wanted(void **state) {
    (void)state;
    static const bool to_pixels[T] = {1, 0, 1, 1, 0, 0, 1, 1, 0, 1};
    static const int64_t done[] = {4, 3, 8};
    hlrp_error err = {0};
    int64_t places[T];
    rmdir(mkdtemp(path));
    hlrp_journal *j = journal_with(done, 3);
    hlrp_batches b = {.journal = j, .from = 0, .to = T, .n = 2, .retry = true, .places = places};
    hlrp_batches_wanted(&b, to_pixels, true);
    assert_places(&b, (const int64_t[]){0, 2, 6, 7, 9}, 5);
    hlrp_batches_wanted(&b, to_pixels, false); /* without 4, which is in no bag */
    assert_places(&b, (const int64_t[]){1, 5}, 2);
    b.from = 2;
    b.to = 7; /* a shard's */
    hlrp_batches_wanted(&b, to_pixels, true);
    assert_places(&b, (const int64_t[]){2, 6}, 2);
    assert_int_equal(hlrp_journal_close(j, &err), HLRP_OK);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(wanted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

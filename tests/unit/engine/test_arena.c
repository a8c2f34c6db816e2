/* Buffers that share memory never share it at the same time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/arena.h"
#include "op/op.h"

static void no_two_live_buffers_overlap(void **unused) {
    (void)unused;
    enum { MOST = 60 };
    srand(5);
    for (int times = 0; times < 300; times++) {
        hlrp_interval it[MOST];
        hlrp_error err = {0};
        int64_t floats = -1, sum = 0, peak = 0, asked[MOST];
        const int count = 1 + rand() % MOST;
        for (int i = 0; i < count; i++) {
            const int a = rand() % 40, b = a + rand() % (times % 2 ? 4 : 40);
            asked[i] = rand() % 500;
            it[i] = (hlrp_interval){.first = a, .last = b, .floats = asked[i], .offset = -1};
        }
        assert_int_equal(hlrp_arena_pack(it, count, &floats, &err), HLRP_OK);
        for (int i = 0; i < count; i++) {
            assert_true(it[i].offset >= 0 && it[i].offset % 16 == 0);
            assert_true(it[i].floats >= asked[i] && it[i].offset + it[i].floats <= floats);
            sum += it[i].floats;
            for (int j = 0; j < i; j++)
                if (it[i].first <= it[j].last && it[j].first <= it[i].last)
                    assert_true(it[i].offset + it[i].floats <= it[j].offset ||
                                it[j].offset + it[j].floats <= it[i].offset);
        }
        for (int step = 0; step < 80; step++) {
            int64_t live = 0;
            for (int i = 0; i < count; i++)
                live += it[i].first <= step && step <= it[i].last ? it[i].floats : 0;
            peak = live > peak ? live : peak;
        }
        assert_true(floats >= peak && floats <= sum);
    }
}

static void lives_one_after_another_share(void **unused) {
    (void)unused;
    hlrp_interval it[] = {{0, 1, 100, 0}, {2, 3, 90, 0}, {4, 5, 112, 0}, {1, 2, 16, 0}};
    hlrp_error err = {0};
    int64_t floats = 0;
    assert_int_equal(hlrp_arena_pack(it, 4, &floats, &err), HLRP_OK);
    assert_int_equal(floats, 128);
}

/* Steps that touch share nothing: a node reads one value while it writes the other. */
static void lives_that_meet_do_not_share(void **unused) {
    (void)unused;
    hlrp_interval it[] = {{0, 3, 32, 0}, {3, 5, 32, 0}};
    hlrp_error err = {0};
    int64_t floats = 0;
    assert_int_equal(hlrp_arena_pack(it, 2, &floats, &err), HLRP_OK);
    assert_int_equal(floats, 64);
    assert_int_equal(hlrp_arena_pack(it, 0, &floats, &err), HLRP_OK);
    assert_int_equal(floats, 0);
}

/* Ten thousand buffers of one time took minutes: beyond a number none share memory. */
static void very_many_lie_side_by_side(void **unused) {
    (void)unused;
    enum { MANY = HLRP_ARENA_MOST + 1 };
    hlrp_interval *it = calloc(MANY, sizeof *it);
    hlrp_error err = {0};
    int64_t floats = -1;
    assert_non_null(it);
    for (int i = 0; i < MANY; i++)
        it[i] = (hlrp_interval){.first = i, .last = i + 1, .floats = 16};
    assert_int_equal(hlrp_arena_pack(it, MANY, &floats, &err), HLRP_OK);
    assert_int_equal(floats, 16 * (int64_t)MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(it[i].offset, 16 * (int64_t)i);
    free(it);
}

static int relu(hlrp_graph *g, int x) {
    hlrp_error err = {0};
    const int y = hlrp_graph_add_value(g, "relu", NULL, &err);
    assert_true(y >= 0);
    assert_true(hlrp_graph_add_node(g, &hlrp_op_relu, "relu", "Test", &x, 1, &y, 1, &err) >= 0);
    return y;
}

/* input → a → b, and the input → c; a is the output, b and c lead nowhere. */
static void values_live_until_their_last_reader(void **unused) {
    (void)unused;
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    hlrp_interval lives[4];
    assert_int_equal(hlrp_graph_new(&g, &err), HLRP_OK);
    g->input = hlrp_graph_add_value(g, "input", NULL, &err);
    const int a = relu(g, g->input), b = relu(g, a), c = relu(g, g->input);
    g->output = a;
    assert_int_equal(g->value_count, 4);
    hlrp_forward_lives(g, lives);
    assert_true(lives[g->input].first == -1 && lives[g->input].last == 2);
    assert_true(lives[a].first == 0 && lives[a].last == 3); /* to the end */
    assert_true(lives[b].first == 1 && lives[b].last == 1);
    assert_true(lives[c].first == 2 && lives[c].last == 2);
    hlrp_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_live_buffers_overlap),
        cmocka_unit_test(very_many_lie_side_by_side),
        cmocka_unit_test(lives_one_after_another_share),
        cmocka_unit_test(lives_that_meet_do_not_share),
        cmocka_unit_test(values_live_until_their_last_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

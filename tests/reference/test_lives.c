/* Workers that only go forward (src/engine/arena.c): values share memory once nothing reads them, and no
 * number changes. After every step, each value that a later node reads stands as it does where all are
 * kept: so no two of them ever lie in one place. */
#include "lrp/internal.h"
#include "net_attention.h"
#include "versus.h"

enum { BATCH = 2, NETWORKS = 24, OF_FAMILY = 8 };

typedef struct scene {
    net n;
    hlrp_backend *backend;
    hlrp_lrp *lrp;
    hlrp_lrp_worker *all, *few; /* which keep all values, and those that are still read */
    float *input;
    int64_t pixels, logits;
} scene;

static void open_scene(scene *s) {
    hlrp_error err = {0};
    hlrp_lrp_options o = options_for("epsilon-plus");
    check(hlrp_backend_new(&s->backend, &err), &err);
    check(hlrp_lrp_new(s->backend, s->n.g, &o, &s->lrp, &err), &err);
    check(hlrp_lrp_worker_new(s->lrp, &s->all, &err), &err);
    check(hlrp_lrp_worker_new_forward(s->lrp, &s->few, &err), &err);
    s->pixels = net_count(&s->n, s->n.g->input);
    s->logits = net_count(&s->n, s->n.g->output);
    s->input = room(s->pixels, sizeof(float));
    net_input(&s->n, s->input);
}

static void close_scene(scene *s) {
    hlrp_lrp_worker_free(s->all);
    hlrp_lrp_worker_free(s->few);
    hlrp_lrp_free(s->lrp);
    hlrp_backend_free(s->backend);
    free(s->input);
    net_end(&s->n);
}

/* Numbers that no pass writes lie everywhere, also where the next one has padding. */
static void leave_traces(scene *s) {
    hlrp_error err = {0};
    float *large = room(s->pixels, sizeof *large);
    for (int64_t i = 0; i < s->pixels; i++)
        large[i] = 1e9f * (i % 3 ? 1 : -1);
    check(hlrp_lrp_forward(s->few, large, &err), &err);
    free(large);
}

static bool is_read_after(const hlrp_graph *g, int value, int node) {
    for (int i = node + 1; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].in_count; k++)
            if (g->nodes[i].in[k] == value)
                return true;
    return value == g->output;
}

static int stand_after(scene *s, int node) {
    const hlrp_graph *g = s->n.g;
    int compared = 0;
    for (int v = 0; v < g->value_count; v++) {
        if (g->values[v].constant || g->values[v].producer > node || !is_read_after(g, v, node))
            continue;
        const int64_t count = net_count(&s->n, v);
        float *kept = room(count, sizeof *kept), *placed = room(count, sizeof *placed);
        hlrp_segment_value(s->all, v, kept);
        hlrp_segment_value(s->few, v, placed);
        assert_memory_equal(placed, kept, (size_t)count * sizeof *kept);
        free(kept);
        free(placed);
        compared++;
    }
    return compared;
}

/* Node by node; the number of values that were compared. */
static int compare_steps(scene *s) {
    hlrp_error err = {0};
    int compared = 0;
    check(hlrp_lrp_forward(s->all, s->input, &err), &err);
    leave_traces(s);
    hlrp_segment_set(s->few, s->n.g->input, s->input);
    for (int i = 0; i < s->n.g->node_count; i++) {
        check(hlrp_segment_forward(s->few, (hlrp_segment){i, i + 1}, &err), &err);
        compared += stand_after(s, i);
    }
    assert_memory_equal(hlrp_lrp_logits(s->few), hlrp_lrp_logits(s->all),
                        (size_t)s->logits * sizeof(float));
    return compared;
}

static void what_is_still_read_stands(void **state) {
    (void)state;
    int compared = 0;
    int64_t all = 0, few = 0;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        scene s = {0};
        net_random(&s.n, seed, BATCH);
        open_scene(&s);
        compared += compare_steps(&s);
        all += hlrp_plan_activation_bytes(hlrp_lrp_plan(s.lrp));
        few += hlrp_plan_forward_bytes(hlrp_lrp_plan(s.lrp));
        close_scene(&s);
    }
    for (int f = 0; f < NET_FAMILIES; f++)
        for (uint64_t seed = 1; seed <= OF_FAMILY; seed++) {
            scene s = {0};
            net_attention(&s.n, (net_family)f, seed);
            open_scene(&s);
            compared += compare_steps(&s);
            close_scene(&s);
        }
    assert_true(compared > 1000);
    assert_true(few < all / 2); /* else nothing was put to the test */
}

/* Bytes from the first to the last that values lie in. */
static int64_t span_of(const scene *s) {
    uintptr_t from = UINTPTR_MAX, to = 0;
    for (int v = 0; v < s->n.g->value_count; v++) {
        if (s->n.g->values[v].constant)
            continue;
        const uintptr_t at = (uintptr_t)hlrp_activations_value(s->few->acts, v);
        const int64_t count = hlrp_layout_count(hlrp_plan_layout(hlrp_lrp_plan(s->lrp), v));
        from = HLRP_MIN(from, at);
        to = HLRP_MAX(to, at + (uintptr_t)count * sizeof(float));
    }
    return (int64_t)(to - from);
}

/* However deep: a chain takes what its two largest neighbours take. */
static void a_chain_takes_two_values(void **state) {
    (void)state;
    enum { LAYERS = 40 };
    scene s = {0};
    net_begin(&s.n, 7, BATCH, 3, 12, 12);
    const net_conv_spec conv = net_square(16, 3);
    int v = s.n.g->input;
    for (int i = 0; i < LAYERS; i++)
        v = net_relu(&s.n, net_conv(&s.n, v, &conv));
    net_gemm(&s.n, net_flatten(&s.n, net_global(&s.n, v, true)), 2, true);
    open_scene(&s);
    compare_steps(&s);
    const int64_t one = BATCH * 16 * 12 * 12 * (int64_t)sizeof(float);
    assert_int_equal(hlrp_plan_forward_bytes(hlrp_lrp_plan(s.lrp)), 2 * one);
    assert_int_equal(span_of(&s), 2 * one);
    assert_true(hlrp_lrp_forward_bytes(s.lrp) < hlrp_lrp_worker_bytes(s.lrp) / 20);
    close_scene(&s);
}

/* A network made to go forward only: the same logits, and no way back. */
static void nothing_goes_back(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_lrp *only = NULL;
    hlrp_lrp_worker *worker = NULL;
    hlrp_lrp_options o = options_for("epsilon-plus");
    scene s = {0};
    o.forward_only = true;
    net_random(&s.n, 3, BATCH);
    open_scene(&s);
    check(hlrp_lrp_new(s.backend, s.n.g, &o, &only, &err), &err);
    check(hlrp_lrp_worker_new(only, &worker, &err), &err);
    assert_int_equal(hlrp_lrp_worker_bytes(only), hlrp_lrp_forward_bytes(s.lrp));
    check(hlrp_lrp_forward(s.all, s.input, &err), &err);
    check(hlrp_lrp_forward(worker, s.input, &err), &err);
    assert_memory_equal(hlrp_lrp_logits(worker), hlrp_lrp_logits(s.all),
                        (size_t)s.logits * sizeof(float));
    float *start = room(s.logits, sizeof *start);
    assert_int_equal(hlrp_lrp_relevance(worker, start, NULL, NULL, s.input, &err), HLRP_E_INTERNAL);
    assert_non_null(strstr(err.what, "only goes forward"));
    assert_int_equal(hlrp_lrp_relevance(s.few, start, NULL, NULL, s.input, &err), HLRP_E_INTERNAL);
    free(start);
    hlrp_lrp_worker_free(worker);
    hlrp_lrp_free(only);
    close_scene(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_still_read_stands),
        cmocka_unit_test(a_chain_takes_two_values),
        cmocka_unit_test(nothing_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A network run in two parts, trunk and head, gives what it gives in one piece, to the last bit; and what
 * several heads send to one trunk adds up. */
#include "lrp/internal.h"
#include "versus.h"

enum { BATCH = 2, NETWORKS = 24 };

typedef struct scene {
    net n;
    hlrp_backend *backend;
    hlrp_lrp *lrp;
    hlrp_lrp_worker *whole, *trunk, *head; /* workers of their own: nothing else is shared */
    float *input, *start, *expected, *got;
    int64_t pixels, logits;
} scene;

static void set_up(scene *s, uint64_t seed) {
    hlrp_error err = {0};
    *s = (scene){0};
    net_random(&s->n, seed, BATCH);
    hlrp_lrp_options o = options_for(seed % 2 ? "epsilon-gamma-box" : "lrp0-gamma");
    check(hlrp_backend_new(&s->backend, &err), &err);
    check(hlrp_lrp_new(s->backend, s->n.g, &o, &s->lrp, &err), &err);
    check(hlrp_lrp_worker_new(s->lrp, &s->whole, &err), &err);
    check(hlrp_lrp_worker_new(s->lrp, &s->trunk, &err), &err);
    check(hlrp_lrp_worker_new(s->lrp, &s->head, &err), &err);
    s->pixels = net_count(&s->n, s->n.g->input);
    s->logits = net_count(&s->n, s->n.g->output);
    s->input = room(s->pixels, sizeof(float));
    s->expected = room(s->pixels, sizeof(float));
    s->got = room(s->pixels, sizeof(float));
    s->start = room(s->logits, sizeof(float));
    net_input(&s->n, s->input);
    check(hlrp_lrp_forward(s->whole, s->input, &err), &err);
    memcpy(s->start, hlrp_lrp_logits(s->whole), (size_t)s->logits * sizeof(float));
    check(hlrp_lrp_relevance(s->whole, s->start, NULL, NULL, s->expected, &err), &err);
}

static void tear_down(scene *s) {
    hlrp_lrp_worker_free(s->whole);
    hlrp_lrp_worker_free(s->trunk);
    hlrp_lrp_worker_free(s->head);
    hlrp_lrp_free(s->lrp);
    hlrp_backend_free(s->backend);
    free(s->input);
    free(s->start);
    free(s->expected);
    free(s->got);
    net_end(&s->n);
}

/* The head's relevance of the waist, from the trunk's value of it. */
static void run_head(scene *s, int at, int waist, float *value) {
    hlrp_error err = {0};
    const hlrp_segment trunk = {0, at}, head = {at, s->n.g->node_count};
    hlrp_segment_set(s->trunk, s->n.g->input, s->input);
    check(hlrp_segment_forward(s->trunk, trunk, &err), &err);
    hlrp_segment_value(s->trunk, waist, value);
    hlrp_segment_set(s->head, waist, value);
    check(hlrp_segment_forward(s->head, head, &err), &err);
    assert_memory_equal(hlrp_lrp_logits(s->head), s->start, (size_t)s->logits * sizeof(float));
    hlrp_segment_begin(s->head, NULL);
    hlrp_segment_add(s->head, s->n.g->output, s->start);
    check(hlrp_segment_back(s->head, head, NULL, &err), &err);
    hlrp_segment_relevance(s->head, waist, value);
}

static void run_trunk(scene *s, int at) {
    hlrp_error err = {0};
    const hlrp_segment trunk = {0, at};
    check(hlrp_segment_back(s->trunk, trunk, NULL, &err), &err);
    hlrp_segment_relevance(s->trunk, s->n.g->input, s->got);
}

static int parted_at(scene *s, int at, int waist) {
    const int64_t count = net_count(&s->n, waist);
    float *r = room(count, sizeof *r), *twice = room(s->pixels, sizeof *twice);
    run_head(s, at, waist, r);
    hlrp_segment_begin(s->trunk, NULL);
    hlrp_segment_add(s->trunk, waist, r);
    run_trunk(s, at);
    assert_memory_equal(s->got, s->expected, (size_t)s->pixels * sizeof(float));

    hlrp_segment_begin(s->trunk, NULL);
    hlrp_segment_add(s->trunk, waist, r);
    hlrp_segment_add(s->trunk, waist, r);
    run_trunk(s, at);
    memcpy(twice, s->got, (size_t)s->pixels * sizeof *twice);
    for (int64_t i = 0; i < count; i++)
        r[i] *= 2;
    hlrp_segment_begin(s->trunk, NULL);
    hlrp_segment_add(s->trunk, waist, r);
    run_trunk(s, at);
    assert_memory_equal(s->got, twice, (size_t)s->pixels * sizeof(float));
    free(r);
    free(twice);
    return 1;
}

static void parts_give_what_the_whole_gives(void **state) {
    (void)state;
    int parted = 0, whole = 0;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        scene s;
        set_up(&s, seed);
        for (int at = 1; at < s.n.g->node_count; at++) {
            const int waist = hlrp_graph_waist(s.n.g, at);
            parted += waist >= 0 ? parted_at(&s, at, waist) : 0;
            whole += waist < 0;
        }
        tear_down(&s);
    }
    assert_true(parted > 100); /* and sums and joins cannot be parted: */
    assert_true(whole > 20);
}

/* ---- plans of parts ---- */

/* The same options, and only these nodes. */
static hlrp_lrp_worker *plan_of(const scene *s, uint64_t seed, const hlrp_segment *segment,
                                hlrp_lrp **lrp) {
    hlrp_error err = {0};
    hlrp_lrp_worker *w = NULL;
    hlrp_lrp_options o = options_for(seed % 2 ? "epsilon-gamma-box" : "lrp0-gamma");
    o.segment = segment;
    check(hlrp_lrp_new(s->backend, s->n.g, &o, lrp, &err), &err);
    check(hlrp_lrp_worker_new(*lrp, &w, &err), &err);
    assert_int_equal(hlrp_lrp_whole(*lrp).from, segment->from);
    assert_int_equal(hlrp_lrp_whole(*lrp).to, segment->to);
    return w;
}

/* Trunk and head each by a plan that knows of its own nodes alone. */
static void planned_apart(scene *s, uint64_t seed, int at, int waist) {
    const hlrp_segment below = {0, at}, above = {at, s->n.g->node_count};
    hlrp_lrp_worker *trunk = s->trunk, *head = s->head;
    hlrp_lrp *lower = NULL, *upper = NULL;
    float *r = room(net_count(&s->n, waist), sizeof *r);
    s->trunk = plan_of(s, seed, &below, &lower);
    s->head = plan_of(s, seed, &above, &upper);
    run_head(s, at, waist, r);
    hlrp_segment_begin(s->trunk, NULL);
    hlrp_segment_add(s->trunk, waist, r);
    run_trunk(s, at);
    assert_memory_equal(s->got, s->expected, (size_t)s->pixels * sizeof(float));
    hlrp_lrp_worker_free(s->trunk);
    hlrp_lrp_worker_free(s->head);
    hlrp_lrp_free(lower);
    hlrp_lrp_free(upper);
    s->trunk = trunk;
    s->head = head;
    free(r);
}

/* Guards: rules assigned by what a plan sees instead of by the whole network (first and last layers), values
 * without memory because their reader is in the other part. */
static void plans_of_parts_give_what_the_whole_gives(void **state) {
    (void)state;
    int parted = 0;
    for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
        scene s;
        set_up(&s, seed);
        for (int at = 1; at < s.n.g->node_count; at++) {
            const int waist = hlrp_graph_waist(s.n.g, at);
            if (waist >= 0)
                planned_apart(&s, seed, at, waist);
            parted += waist >= 0;
        }
        tear_down(&s);
    }
    assert_true(parted > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_give_what_the_whole_gives),
                                       cmocka_unit_test(plans_of_parts_give_what_the_whole_gives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

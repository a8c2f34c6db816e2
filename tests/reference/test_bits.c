/* A tile's numbers are the same to the last bit whatever stands beside it in the batch, wherever it
 * stands there, in a smaller one too, however often and on however many threads it is computed. */
#include "versus.h"

#include "op/op.h"
#include "sched/sched.h"

enum { BATCH = 4, TILES = 12, CLASSES = 3 };

typedef struct scene {
    net n;
    int batch; /* up to BATCH, whose bits it gives */
    hlrp_backend *backend;
    hlrp_lrp *lrp;
    int64_t pixels;   /* numbers of one tile */
    float *tiles;     /* [TILES] */
    int order[TILES]; /* which tile stands at place i of the batches laid end to end */
    float *out;       /* [TILES] of the current run */
} scene;

/* Winograd's shapes, depthwise, strided and grouped convolutions, a sum, a head of two layers. */
static void build(net *n, int batch) {
    net_begin(n, 3, batch, 3, 24, 22);
    net_conv_spec s = net_square(32, 3);
    int x = net_relu(n, net_conv(n, n->g->input, &s));
    x = net_add(n, (int[]){x, net_conv(n, x, &s)}, 2);
    s.group = 32;
    x = net_relu(n, net_conv(n, x, &s));
    s.group = 2;
    s.stride[0] = s.stride[1] = 2;
    s.out = 20;
    x = net_relu(n, net_conv(n, x, &s));
    const hlrp_window w = net_window(3, 2, 1);
    x = net_pool(n, &hlrp_op_maxpool, x, &w);
    x = net_relu(n, net_gemm(n, net_flatten(n, x), 37, true));
    net_gemm(n, x, CLASSES, true);
}

static hlrp_status make(void *ctx, hlrp_error *err) {
    scene *s = ctx;
    static const hlrp_rule_override box[] = {{"@first", "zbox", 0}};
    hlrp_lrp_options o = options_for("lrp0-epsilon-gamma");
    o.rules.overrides = box;
    o.rules.override_count = 1;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_backend_new(&s->backend, err));
    hlrp_backend_compute_as(s->backend, BATCH);
    HLRP_TRY(hlrp_lrp_new(s->backend, s->n.g, &o, &s->lrp, err));
out:
    return status;
}

static hlrp_status begin(void *ctx, int thread, void **state, hlrp_error *err) {
    const scene *s = ctx;
    hlrp_lrp_worker *worker = NULL;
    (void)thread;
    const hlrp_status status = hlrp_lrp_worker_new(s->lrp, &worker, err);
    *state = worker;
    return status;
}

static void end(void *ctx, int thread, void *state) {
    (void)ctx;
    (void)thread;
    hlrp_lrp_worker_free(state);
}

/* One batch: tiles order[batch·index …]. */
static hlrp_status item(void *ctx, void *state, int64_t index, hlrp_error *err) {
    scene *s = ctx;
    float *input = room(BATCH * s->pixels, sizeof *input);
    float *output = room(BATCH * s->pixels, sizeof *output);
    float start[BATCH * CLASSES] = {0};
    hlrp_status status = HLRP_OK;
    for (int k = 0; k < s->batch; k++)
        memcpy(input + k * s->pixels, s->tiles + s->order[index * s->batch + k] * s->pixels,
               (size_t)s->pixels * sizeof *input);
    HLRP_TRY(hlrp_lrp_forward(state, input, err));
    for (int k = 0; k < s->batch; k++)
        start[k * CLASSES + 1] = hlrp_lrp_logits(state)[k * CLASSES + 1];
    HLRP_TRY(hlrp_lrp_relevance(state, start, NULL, NULL, output, err));
    for (int k = 0; k < s->batch; k++)
        memcpy(s->out + s->order[index * s->batch + k] * s->pixels, output + k * s->pixels,
               (size_t)s->pixels * sizeof *output);
out:
    free(input);
    free(output);
    return status;
}

static void run(scene *s, int threads, int64_t batches) {
    hlrp_error err = {0};
    const hlrp_sched_job job = {.ctx = s, .thread_begin = begin, .item = item, .thread_end = end};
    memset(s->out, 0, (size_t)(TILES * s->pixels) * sizeof *s->out);
    check(hlrp_sched_run(&job, threads, batches, &err), &err);
}

static void set_up_with(scene *s, int batch) {
    hlrp_error err = {0};
    *s = (scene){.batch = batch};
    build(&s->n, batch);
    s->pixels = net_count(&s->n, s->n.g->input) / batch;
    s->tiles = room(TILES * s->pixels, sizeof *s->tiles);
    s->out = room(TILES * s->pixels, sizeof *s->out);
    for (int64_t i = 0; i < TILES * s->pixels; i++)
        s->tiles[i] = (float)net_uniform(&s->n, -2, 2);
    for (int i = 0; i < TILES; i++)
        s->order[i] = i;
    check(hlrp_sched_single(make, s, &err), &err);
}

static void set_up(scene *s) {
    set_up_with(s, BATCH);
}

static void tear_down(scene *s) {
    hlrp_lrp_free(s->lrp);
    hlrp_backend_free(s->backend);
    free(s->tiles);
    free(s->out);
    net_end(&s->n);
}

static float *keep(const scene *s) {
    float *copy = room(TILES * s->pixels, sizeof *copy);
    memcpy(copy, s->out, (size_t)(TILES * s->pixels) * sizeof *copy);
    return copy;
}

static void same_bits(const scene *s, const float *was, int tile) {
    assert_memory_equal(s->out + tile * s->pixels, was + tile * s->pixels,
                        (size_t)s->pixels * sizeof *was);
}

static void threads_do_not_matter(void **unused) {
    (void)unused;
    scene s;
    set_up(&s);
    run(&s, 1, TILES / BATCH);
    float *one = keep(&s);
    for (int threads = 2; threads <= 3; threads++) {
        run(&s, threads, TILES / BATCH);
        for (int t = 0; t < TILES; t++)
            same_bits(&s, one, t);
    }
    free(one);
    tear_down(&s);
}

/* Tiles that pass a gate are put together anew: place and company change. */
static void place_and_company_do_not_matter(void **unused) {
    (void)unused;
    scene s;
    set_up(&s);
    run(&s, 1, TILES / BATCH);
    float *was = keep(&s);
    for (int i = 0; i < TILES; i++) /* 5 is prime to 12: all change places and neighbours */
        s.order[i] = (i * 5 + 3) % TILES;
    run(&s, 1, TILES / BATCH);
    for (int t = 0; t < TILES; t++)
        same_bits(&s, was, t);
    for (int i = 0; i < TILES; i++) /* a short batch filled up with its last tile */
        s.order[i] = 7;
    run(&s, 1, 1);
    same_bits(&s, was, 7);
    free(was);
    tear_down(&s);
}

/* `explain` of one tile plans for one: matrix products of one row or two add in another order. */
static void fewer_tiles_at_once_do_not_matter(void **unused) {
    (void)unused;
    scene s, few;
    set_up(&s);
    run(&s, 1, TILES / BATCH);
    for (int batch = 1; batch < BATCH; batch++) {
        set_up_with(&few, batch);
        run(&few, 1, TILES / batch);
        for (int t = 0; t < TILES; t++)
            same_bits(&few, s.out, t);
        tear_down(&few);
    }
    tear_down(&s);
}

static void a_plan_made_again_gives_the_same(void **unused) {
    (void)unused;
    scene a, b;
    set_up(&a);
    run(&a, 1, TILES / BATCH);
    set_up(&b);
    run(&b, 1, TILES / BATCH);
    for (int t = 0; t < TILES; t++)
        same_bits(&b, a.out, t);
    tear_down(&a);
    tear_down(&b);
}

/* One forward pass serves all classes: explaining one must leave what the next one needs. */
static void classes_share_a_forward_pass(void **unused) {
    (void)unused;
    scene s;
    hlrp_error err = {0};
    void *worker = NULL;
    set_up(&s);
    check(begin(&s, 0, &worker, &err), &err);
    float *r[4], start[BATCH * CLASSES];
    check(hlrp_lrp_forward(worker, s.tiles, &err), &err);
    for (int k = 0; k < 4; k++) { /* classes 0, 1, 2, 0 */
        r[k] = room(BATCH * s.pixels, sizeof(float));
        for (int i = 0; i < BATCH * CLASSES; i++)
            start[i] = i % CLASSES == k % 3;
        check(hlrp_lrp_relevance(worker, start, NULL, NULL, r[k], &err), &err);
    }
    assert_memory_equal(r[0], r[3], (size_t)(BATCH * s.pixels) * sizeof(float));
    assert_memory_not_equal(r[0], r[1], (size_t)(BATCH * s.pixels) * sizeof(float));
    for (int k = 0; k < 4; k++)
        free(r[k]);
    end(&s, 0, worker);
    tear_down(&s);
}

/* Watching must not change what is watched. */
static void an_account_changes_nothing(void **unused) {
    (void)unused;
    scene s;
    hlrp_error err = {0};
    void *worker = NULL;
    set_up(&s);
    check(begin(&s, 0, &worker, &err), &err);
    float *with = room(BATCH * s.pixels, sizeof *with), *without = room(BATCH * s.pixels, 4);
    float start[BATCH * CLASSES];
    for (int i = 0; i < BATCH * CLASSES; i++)
        start[i] = 1 + (float)i;
    hlrp_account *account = room(s.n.g->node_count * BATCH, sizeof *account);
    const hlrp_lrp_watch watch = {.account = account};
    check(hlrp_lrp_forward(worker, s.tiles, &err), &err);
    check(hlrp_lrp_relevance(worker, start, NULL, NULL, without, &err), &err);
    check(hlrp_lrp_relevance(worker, start, NULL, &watch, with, &err), &err);
    assert_memory_equal(with, without, (size_t)(BATCH * s.pixels) * sizeof *with);
    free(with);
    free(without);
    free(account);
    end(&s, 0, worker);
    tear_down(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(place_and_company_do_not_matter),
        cmocka_unit_test(fewer_tiles_at_once_do_not_matter),
        cmocka_unit_test(a_plan_made_again_gives_the_same),
        cmocka_unit_test(classes_share_a_forward_pass),
        cmocka_unit_test(an_account_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

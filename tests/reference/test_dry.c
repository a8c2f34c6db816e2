/* The dry pass (src/lrp/dry.c) promises what the largest step takes: on random networks, under every
 * composite and every use of biases, a real pass takes no more, and not so much less that the promise
 * would mean nothing. */
#include "lrp/internal.h"
#include "versus.h"

enum { BATCH = 2, NETWORKS = 24 };

typedef struct sums {
    double promised, taken;
} sums;

static void run(net *n, hlrp_backend *backend, const hlrp_lrp_options *options, sums *all) {
    hlrp_error err = {0};
    hlrp_lrp *lrp = NULL;
    hlrp_lrp_worker *worker = NULL;
    check(hlrp_lrp_new(backend, n->g, options, &lrp, &err), &err);
    check(hlrp_lrp_worker_new(lrp, &worker, &err), &err);
    const int64_t pixels = net_count(n, n->g->input), logits = net_count(n, n->g->output);
    float *input = room(pixels, sizeof *input), *output = room(pixels, sizeof *output);
    float *start = room(logits, sizeof *start);
    hlrp_account *rows = room((int64_t)n->g->node_count * BATCH, sizeof *rows);
    const hlrp_lrp_watch watch = {.account = rows};
    net_input(n, input);
    check(hlrp_lrp_forward(worker, input, &err), &err);
    memcpy(start, hlrp_lrp_logits(worker), (size_t)logits * sizeof *start);
    check(hlrp_lrp_relevance(worker, start, NULL, &watch, output, &err), &err);
    assert_true(worker->scratch.most <= worker->scratch.room);
    all->promised += (double)worker->scratch.room;
    all->taken += (double)worker->scratch.most;
    free(input);
    free(output);
    free(start);
    free(rows);
    hlrp_lrp_worker_free(worker);
    hlrp_lrp_free(lrp);
}

static void every_way_of_a_network(uint64_t seed, hlrp_backend *backend, sums *all) {
    net n = {0};
    net_random(&n, seed, BATCH);
    for (int c = 0; hlrp_composite_name(c); c++)
        for (int bias = HLRP_BIAS_KEEP; bias <= HLRP_BIAS_SPREAD; bias++) {
            hlrp_lrp_options o = options_for(hlrp_composite_name(c));
            o.bias = (hlrp_bias)bias;
            run(&n, backend, &o, all);
        }
    net_end(&n);
}

static void a_pass_takes_what_the_dry_one_promised(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_backend *backend = NULL;
    sums all = {0};
    check(hlrp_backend_new(&backend, &err), &err);
    for (uint64_t seed = 1; seed <= NETWORKS; seed++)
        every_way_of_a_network(seed, backend, &all);
    assert_true(all.taken > 0.8 * all.promised);
    hlrp_backend_free(backend);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_pass_takes_what_the_dry_one_promised)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

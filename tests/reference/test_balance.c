/* In networks with attention: what each node hands on and what it keeps is what it got, in the engine and
 * in the reference. Guards a share that is counted twice, and a part that nobody accounts for. */
#include "net_attention.h"
#include "versus.h"

enum { NETWORKS = 20 };

static void draw(net *n, float **input, float **start) {
    *input = room(net_count(n, n->g->input), sizeof(float));
    *start = room(net_count(n, n->g->output), sizeof(float));
    net_input(n, *input);
    for (int64_t i = 0; i < net_count(n, n->g->output); i++)
        (*start)[i] = (float)net_uniform(n, 0.2, 1);
}

static void balance(const net *n, const hlrp_rule *rules, const hlrp_account *accounts,
                    double within, const char *where) {
    for (int i = 0; i < n->g->node_count; i++) {
        const hlrp_account *a = &accounts[i];
        const double kept = a->bias + a->stabilizer + a->constant + a->normalization;
        const double unit = a->out_abs + a->in_abs + fabs(a->bias) + fabs(a->stabilizer) +
                            fabs(a->constant) + fabs(a->normalization);
        if (rules[i].kind != HLRP_RULE_GRADIENT && !(fabs(a->in + kept - a->out) <= within * unit))
            fail_msg("%s, %s: out %g, in %g, bias %g, stabilizer %g, constant %g, normalization %g",
                     where, n->g->nodes[i].name, a->out, a->in, a->bias, a->stabilizer, a->constant,
                     a->normalization);
    }
}

static void every_node_balances(void **unused) {
    static const char *const composites[] = {"attnlrp", "attnlrp-gamma", "cp", "vit-gamma"};
    (void)unused;
    for (uint64_t seed = 501; seed <= 500 + NETWORKS; seed++)
        for (int k = 0; k < NET_FAMILIES * (int)HLRP_COUNT(composites); k++) {
            net n;
            float *input = NULL, *start = NULL;
            engine_result e;
            ref_result r;
            net_attention(&n, (net_family)(k % NET_FAMILIES), seed);
            draw(&n, &input, &start);
            hlrp_lrp_options o = options_for(composites[k / NET_FAMILIES]);
            o.bias = seed % 3 == 0 ? HLRP_BIAS_DROP : HLRP_BIAS_KEEP;
            engine_run(n.g, &o, input, start, &e);
            ref_run(n.g, &o, 0, input, start, &r);
            balance(&n, r.rules, e.account, 3e-5, o.rules.composite);
            balance(&n, r.rules, r.lrp.account, 1e-11, o.rules.composite);
            engine_free(&e);
            ref_free(&r);
            free(input);
            free(start);
            net_end(&n);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_balances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

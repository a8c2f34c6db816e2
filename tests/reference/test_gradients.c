/* The reference's derivative of every operator against differences of its own forward pass: what is
 * handed back by the gradient is the transpose of the derivative, for every rank, axis and broadcast.
 * Guards a lost broadcast sum, a mean over the wrong numbers, an index taken the other way. */
#include "net_rows.h"
#include "reference/lrp.h"

/* Builds upon the input; what stands last is the output. */
typedef struct subject {
    const char *name;
    hlrp_dims input;
    void (*build)(net *n, int x);
} subject;

static double differentiate(const net *n, double *x, int64_t at, const double *start) {
    const double step = 1e-5, was = x[at];
    double f[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        hlrp_error err = {0};
        hlrp_ref_values *v = NULL;
        x[at] = was + (k == 0 ? -step : step);
        check(hlrp_ref_forward(n->g, x, &v, &err), &err);
        for (int64_t i = 0; i < net_count(n, n->g->output); i++)
            f[k] += start[i] * hlrp_ref_value(v, n->g->output)[i];
        hlrp_ref_values_free(v);
    }
    x[at] = was;
    return (f[1] - f[0]) / (2 * step);
}

static double *draw(net *n, int value, double lo, double hi) {
    double *x = room(net_count(n, value), sizeof *x);
    for (int64_t i = 0; i < net_count(n, value); i++)
        x[i] = net_uniform(n, lo, hi);
    return x;
}

static void compare_with_differences(const subject *s, double lo, double hi) {
    net n;
    hlrp_error err = {0};
    hlrp_ref_values *v = NULL;
    hlrp_ref_lrp r;
    net_begin_with(&n, 17, s->input);
    s->build(&n, n.g->input);
    double *x = draw(&n, n.g->input, lo, hi), *start = draw(&n, n.g->output, -1, 1);
    double worst = 0, largest = 0;
    hlrp_rule *rules = room(n.g->node_count, sizeof *rules);
    for (int i = 0; i < n.g->node_count; i++)
        rules[i].kind = HLRP_RULE_GRADIENT;
    const hlrp_ref_lrp_options o = {.bias = HLRP_BIAS_KEEP};
    check(hlrp_ref_forward(n.g, x, &v, &err), &err);
    check(hlrp_ref_lrp_run(n.g, rules, &o, v, start, &r, &err), &err);
    for (int64_t i = 0; i < net_count(&n, n.g->input); i++) {
        const double want = differentiate(&n, x, i, start);
        worst = fmax(worst, fabs(r.relevance[n.g->input][i] - want));
        largest = fmax(largest, fabs(want));
    }
    if (!(largest > 1e-3 && worst <= 1e-7 * fmax(largest, 1)))
        fail_msg("%s: %.1e off, of %.1e", s->name, worst, largest);
    hlrp_ref_lrp_free(&r);
    hlrp_ref_values_free(v);
    free(x);
    free(start);
    free(rules);
    net_end(&n);
}

/* ---- functions ---- */

static void every_function(void **unused) {
    static const hlrp_operator *const any[] = {
        &hlrp_op_relu,      &hlrp_op_leaky_relu, &hlrp_op_elu,   &hlrp_op_clip,
        &hlrp_op_sigmoid,   &hlrp_op_tanh,       &hlrp_op_erf,   &hlrp_op_hard_sigmoid,
        &hlrp_op_gelu,      &hlrp_op_gelu_tanh,  &hlrp_op_swish, &hlrp_op_softplus,
        &hlrp_op_softsign,  &hlrp_op_mish,       &hlrp_op_selu,  &hlrp_op_celu,
        &hlrp_op_exp,       &hlrp_op_neg,        &hlrp_op_abs,   &hlrp_op_hard_swish,
        &hlrp_op_threshold, &hlrp_op_power,      &hlrp_op_log,   &hlrp_op_sqrt,
        &hlrp_op_reciprocal};
    (void)unused;
    for (size_t k = 0; k < HLRP_COUNT(any); k++) {
        net n;
        net_begin_with(&n, 5, DIMS(1, 40));
        net_function(&n, any[k], n.g->input);
        double *x = draw(&n, n.g->input, k < 22 ? -4 : 0.3, 4), *y = room(40, sizeof *y);
        for (int i = 0; i < 40; i++)
            y[i] = 1;
        hlrp_error err = {0};
        hlrp_ref_values *v = NULL;
        hlrp_ref_lrp r;
        const hlrp_rule rule = {.kind = HLRP_RULE_GRADIENT};
        const hlrp_ref_lrp_options o = {.bias = HLRP_BIAS_KEEP};
        check(hlrp_ref_forward(n.g, x, &v, &err), &err);
        check(hlrp_ref_lrp_run(n.g, &rule, &o, v, y, &r, &err), &err);
        for (int64_t i = 0; i < 40; i++) {
            const double want = differentiate(&n, x, i, y), is = r.relevance[n.g->input][i];
            if (!(fabs(is - want) <= 1e-7 * fmax(1, fabs(want))))
                fail_msg("%s at %g: %g, not %g", any[k]->name, x[i], is, want);
        }
        hlrp_ref_lrp_free(&r);
        hlrp_ref_values_free(v);
        free(x);
        free(y);
        net_end(&n);
    }
}

/* ---- operators of rows ---- */

static void linear(net *n, int x) {
    net_linear(n, x, 3, true);
}

/* One factor spread over the other's first axis. */
static void product(net *n, int x) {
    const int a = net_transpose(n, x, DIMS(0, 2, 1));
    net_of_two(n, &hlrp_op_matmul, x, net_gather(n, a, 0, DIMS(1), (int64_t[]){1}));
}

static void product_of_vectors(net *n, int x) {
    net_with(n, &hlrp_op_matmul, net_of_two(n, &hlrp_op_matmul, x, x), DIMS(4, 2), -1, 1);
}

static void product_from_the_left(net *n, int x) {
    const int w = net_parameter(n, DIMS(2, 3), -1, 1);
    net_of_two(n, &hlrp_op_matmul, w, x);
}

static void gate(net *n, int x) {
    const int per_row = net_reduce(n, &hlrp_op_reduce_sum, x, DIMS(-1), true);
    net_of_two(n, &hlrp_op_gate, net_function(n, &hlrp_op_sigmoid, per_row), x);
}

static void square(net *n, int x) {
    net_of_two(n, &hlrp_op_gate, x, x);
}

static void quotient(net *n, int x) {
    const int length = net_reduce(n, &hlrp_op_reduce_l2, x, DIMS(1), true);
    net_of_two(n, &hlrp_op_quotient, x, length);
}

static void extrema(net *n, int x) {
    const int most = net_of_two(n, &hlrp_op_maximum, x, net_scale(n, &hlrp_op_mul, x, 0.3));
    net_of_two(n, &hlrp_op_minimum, most, net_scale(n, &hlrp_op_mul, x, 1.7));
}

static void sum_of_spread(net *n, int x) {
    net_of_two(n, &hlrp_op_add, x, x);
}

static void arithmetic(net *n, int x) {
    x = net_with(n, &hlrp_op_mul, x, DIMS(4), -2, 2);
    x = net_with(n, &hlrp_op_sub, x, DIMS(3, 1), -2, 2);
    x = net_with(n, &hlrp_op_div, x, DIMS(2, 1, 4), 1, 2);
    net_with(n, &hlrp_op_add_const, x, DIMS(1), -2, 2);
}

static void softmax(net *n, int x) {
    net_softmax(n, &hlrp_op_softmax, net_softmax(n, &hlrp_op_softmax, x, -2), 2);
}

static void log_softmax(net *n, int x) {
    net_softmax(n, &hlrp_op_log_softmax, x, 1);
}

static void prelu(net *n, int x) {
    net_prelu(n, x, 4);
}

static void prelu_of_pictures(net *n, int x) {
    net_prelu(n, x, 4);
}

static void layernorm(net *n, int x) {
    net_norm(n, &hlrp_op_layernorm, net_norm(n, &hlrp_op_layernorm, x, 2, true, true), 1, true,
             false);
}

static void rmsnorm(net *n, int x) {
    net_norm(n, &hlrp_op_rmsnorm, x, 2, true, false);
}

static void groupnorm(net *n, int x) {
    net_norm(n, &hlrp_op_groupnorm, x, 2, true, true);
}

static void instancenorm(net *n, int x) {
    net_norm(n, &hlrp_op_instancenorm, x, 0, true, true);
}

static void local_response(net *n, int x) {
    net_local_response(n, x, 2);
}

static void local_response_of_three(net *n, int x) {
    net_local_response(n, x, 3);
}

static void reduced(net *n, int x) {
    const int sum = net_reduce(n, &hlrp_op_reduce_sum, x, DIMS(0, -1), false);
    const int mean = net_reduce(n, &hlrp_op_reduce_mean, x, DIMS(2, 0), false);
    const int most = net_reduce(n, &hlrp_op_reduce_max, x, DIMS(2, 0), false);
    const int length = net_reduce(n, &hlrp_op_reduce_l2, x, DIMS(0, 2), false);
    net_join(n, (int[]){sum, mean, most, length}, 4, 0);
}

static void reduced_to_one(net *n, int x) {
    net_reduce(n, &hlrp_op_reduce_mean, x, (hlrp_dims){0}, true);
}

static void moved(net *n, int x) { /* [2,3,4] */
    const int a = net_cut(n, x, 2, 3, -5, -2);
    const int b = net_gather(n, x, 1, DIMS(2, 2), (int64_t[]){0, 2, -1, 0});
    const int c = net_transpose(n, net_part(n, x, 2, 1, 2), (hlrp_dims){0});
    const int t = net_border(n, net_tile(n, a, DIMS(2, 1, 3)), DIMS(0, 2, 1), DIMS(1, 0, 3));
    const int wide = net_expand(n, net_reshape(n, c, DIMS(2, 3, 1, 2)), DIMS(4, 1, 1, 3, 2));
    const int fixed = net_parameter(n, DIMS(5), -1, 1);
    net_join(n,
             (int[]){net_reshape(n, b, DIMS(-1)), fixed, net_reshape(n, t, DIMS(-1)),
                     net_reshape(n, wide, DIMS(-1))},
             4, 0);
}

static void spread_to_another(net *n, int x) {
    const int part = net_gather(n, x, 1, DIMS(1), (int64_t[]){2});
    net_of_two(n, &hlrp_op_gate, net_of_two(n, &hlrp_op_expand_to, part, x), x);
}

static void resized(net *n, int x) {
    const int linear_half[3] = {1, 0, 0}, torch[3] = {1, 1, 0}, corners[3] = {1, 2, 0};
    x = net_resize(n, x, linear_half, 1.7, 2);
    x = net_resize(n, x, torch, 0.6, 1.3);
    net_resize(n, x, corners, 2, 0.5);
}

static void resized_by_nearest(net *n, int x) {
    const int down[3] = {0, 0, 0}, ceiling[3] = {0, 3, 3};
    net_resize(n, net_resize(n, x, down, 1.7, 2), ceiling, 0.7, 1.4);
}

static const hlrp_dims rows = {3, {2, 3, 4}}, pictures = {4, {2, 4, 3, 5}};

static void every_operator_of_rows(void **unused) {
    (void)unused;
    const subject of_rows[] = {
        {"gemm", rows, linear},
        {"matmul", rows, product},
        {"matmul of one value", DIMS(2, 4, 4), product_of_vectors},
        {"matmul by a constant from the left", rows, product_from_the_left},
        {"gate", rows, gate},
        {"gate of one value", rows, square},
        {"quotient", rows, quotient},
        {"extrema", rows, extrema},
        {"add", rows, sum_of_spread},
        {"arithmetic", rows, arithmetic},
        {"softmax", rows, softmax},
        {"log_softmax", rows, log_softmax},
        {"prelu", rows, prelu},
        {"prelu of pictures", pictures, prelu_of_pictures},
        {"layernorm", rows, layernorm},
        {"rmsnorm", rows, rmsnorm},
        {"groupnorm", pictures, groupnorm},
        {"groupnorm of rows", DIMS(2, 4, 3), groupnorm},
        {"instancenorm", pictures, instancenorm},
        {"local_response", pictures, local_response},
        {"local_response of three", pictures, local_response_of_three},
        {"reductions", rows, reduced},
        {"reduction to one", rows, reduced_to_one},
        {"movement", rows, moved},
        {"expand_to", rows, spread_to_another},
        {"resize", pictures, resized},
        {"resize by nearest", pictures, resized_by_nearest},
    };
    for (size_t k = 0; k < HLRP_COUNT(of_rows); k++)
        compare_with_differences(&of_rows[k], -2, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function),
        cmocka_unit_test(every_operator_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

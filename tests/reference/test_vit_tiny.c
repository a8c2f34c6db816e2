/* A vision transformer of the smallest size in use, ViT-Tiny/16 at 224 pixels (192 wide, 12 blocks of 3
 * heads, class token, GELU): 5.5 million random weights through the engine. Guards what small networks do
 * not show: products whose sums are long, scratch that grows with tokens², results that depend on what a
 * worker did before. */
#include "net_rows.h"
#include "testing.h"
#include "versus.h"

enum { SIDE = 224, PATCH = 16, TOKENS = 197, WIDE = 192, HEADS = 3, BLOCKS = 12 };

static int attention(net *n, int x) {
    const int qkv = net_linear(n, x, (int64_t)3 * WIDE, true);
    const int parted = net_transpose(
        n, net_reshape(n, qkv, DIMS(1, TOKENS, 3, HEADS, WIDE / HEADS)), DIMS(2, 0, 3, 1, 4));
    int part[3];
    for (int64_t k = 0; k < 3; k++)
        part[k] = net_gather(n, parted, 0, (hlrp_dims){0}, &k);
    const int turned = net_transpose(n, part[1], DIMS(0, 1, 3, 2));
    const int scores =
        net_of_two(n, &hlrp_op_matmul, net_scale(n, &hlrp_op_mul, part[0], 0.125), turned);
    const int mixed =
        net_of_two(n, &hlrp_op_matmul, net_softmax(n, &hlrp_op_softmax, scores, -1), part[2]);
    return net_linear(
        n, net_reshape(n, net_transpose(n, mixed, DIMS(0, 2, 1, 3)), DIMS(1, TOKENS, WIDE)), WIDE,
        true);
}

static int block(net *n, int x) {
    const int norm = net_norm(n, &hlrp_op_layernorm, x, 2, true, true);
    x = net_of_two(n, &hlrp_op_add, x, attention(n, norm));
    const int wide =
        net_linear(n, net_norm(n, &hlrp_op_layernorm, x, 2, true, true), (int64_t)4 * WIDE, true);
    return net_of_two(n, &hlrp_op_add, x,
                      net_linear(n, net_function(n, &hlrp_op_gelu, wide), WIDE, true));
}

static void vit_tiny(net *n) {
    net_begin(n, 16, 1, 3, SIDE, SIDE);
    const net_conv_spec patches = {.out = WIDE,
                                   .group = 1,
                                   .kernel = {PATCH, PATCH},
                                   .stride = {PATCH, PATCH},
                                   .dilation = {1, 1},
                                   .bias = true};
    const int picture = net_conv(n, n->g->input, &patches);
    const int tokens =
        net_transpose(n, net_reshape(n, picture, DIMS(1, WIDE, TOKENS - 1)), DIMS(0, 2, 1));
    const int joined[2] = {net_parameter(n, DIMS(1, 1, WIDE), -1, 1), tokens};
    int x = net_with(n, &hlrp_op_add_const, net_join(n, joined, 2, 1), DIMS(1, TOKENS, WIDE), -0.5,
                     0.5);
    for (int b = 0; b < BLOCKS; b++)
        x = block(n, x);
    x = net_gather(n, net_norm(n, &hlrp_op_layernorm, x, 2, true, true), 1, (hlrp_dims){0},
                   (int64_t[]){0});
    net_linear(n, x, 2, true);
}

static double sum_of(int64_t count, const float *x, bool magnitudes) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        assert_true(isfinite(x[i]));
        sum += magnitudes ? fabs((double)x[i]) : (double)x[i];
    }
    return sum;
}

/* The start is what arrives and all that the account names. */
static void closes(const net *n, const engine_result *e, const float *start) {
    const int64_t pixels = net_count(n, n->g->input);
    double rest = sum_of(2, start, false) - sum_of(pixels, e->relevance, false);
    for (int i = 0; i < n->g->node_count; i++)
        rest -= e->account[i].bias + e->account[i].stabilizer + e->account[i].constant +
                e->account[i].normalization;
    assert_true(fabs(rest) <= 1e-5 * (sum_of(2, start, true) + sum_of(pixels, e->relevance, true)));
}

static void relevance_closes_and_repeats(void **unused) {
    static const char *const composites[] = {"vit-gamma", "attnlrp"};
    (void)unused;
    net n;
    vit_tiny(&n);
    const int64_t pixels = net_count(&n, n.g->input);
    float *input = room(pixels, sizeof *input);
    const float start[2] = {1, 0};
    net_input(&n, input);
    for (size_t c = 0; c < HLRP_COUNT(composites); c++) {
        const hlrp_lrp_options o = options_for(composites[c]);
        engine_result first, second;
        engine_run(n.g, &o, input, start, &first);
        engine_run(n.g, &o, input, start, &second);
        closes(&n, &first, start);
        assert_memory_equal(first.relevance, second.relevance, (size_t)pixels * sizeof(float));
        engine_free(&first);
        engine_free(&second);
    }
    free(input);
    net_end(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(relevance_closes_and_repeats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

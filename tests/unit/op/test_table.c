/* The list of operators, and the table rules × operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lrp/turn.h"
#include "op/op.h"

/* A row that was copied and not renamed would answer for two operators in messages and listings. */
static void names_are_there_and_differ(void **state) {
    (void)state;
    int count = 0;
    for (const hlrp_operator *a; (a = hlrp_operator_at(count)) != NULL; count++) {
        assert_non_null(a->name);
        for (int k = 0; k < count; k++)
            assert_string_not_equal(a->name, hlrp_operator_at(k)->name);
    }
    assert_true(count > 0);
    assert_null(hlrp_operator_at(-1));
    assert_null(hlrp_operator_at(count));
}

/* Inference calls `shape` of whatever stands in a file; a plan calls `forward`, and the way back a cell:
 * one without the other would be let in by canonize and crash later. */
static void a_row_is_whole(void **state) {
    (void)state;
    for (int k = 0; hlrp_operator_at(k); k++) {
        const hlrp_operator *op = hlrp_operator_at(k);
        assert_non_null(op->shape);
        assert_true(op->least >= 1);
        assert_int_equal(op->forward != NULL, op->relevance != NULL);
        if (op->folds_dims)
            assert_non_null(op->fold);
    }
}

/* A kind that no operator is of is a word of [rules] that does nothing. */
static void every_kind_is_some_operators(void **state) {
    (void)state;
    for (hlrp_kind kind = HLRP_KIND_ATTENTION + 1; hlrp_kind_name(kind); kind++) {
        bool found = false;
        for (int k = 0; hlrp_operator_at(k); k++)
            found = found || hlrp_operator_at(k)->kind == kind;
        if (!found)
            fail_msg("%s", hlrp_kind_name(kind));
    }
    for (int k = 0; hlrp_operator_at(k); k++)
        if (hlrp_operator_at(k)->kind != HLRP_NO_KIND && !hlrp_kind_name(hlrp_operator_at(k)->kind))
            fail_msg("%s: its kind has no name", hlrp_operator_at(k)->name);
}

static void check_cell(const hlrp_operator *op, const hlrp_rule_cell *cell) {
    assert_true(cell->back != NULL || cell->unfit != NULL || op->unfit != NULL);
    if (!cell->back)
        assert_true(!cell->layer && !cell->part && !cell->fits && !cell->in_place &&
                    cell->zero == HLRP_ZERO_NEVER);
    if (cell->fits)
        assert_non_null(cell->unfit);
    assert_int_equal(cell->back == hlrp_back_part, cell->part != NULL);
    /* a layer's step needs what its rule prepared */
    assert_int_equal(cell->back == hlrp_back_layer, cell->layer != NULL);
    assert_true(op->layer != HLRP_NO_LAYER || !cell->layer);
}

/* A rule added to the enum and not to a row would call a NULL function for a [rules] line. */
static void no_cell_is_empty(void **state) {
    (void)state;
    for (int k = 0; hlrp_operator_at(k); k++) {
        const hlrp_operator *op = hlrp_operator_at(k);
        for (int rule = 0; op->relevance && rule < HLRP_RULE_COUNT; rule++)
            check_cell(op, &op->relevance[rule]);
    }
}

/* What a node gets when no composite speaks, and what gradient-x-input gives to every node. */
static void every_operator_has_a_default_and_a_gradient(void **state) {
    (void)state;
    for (int k = 0; hlrp_operator_at(k); k++) {
        const hlrp_operator *op = hlrp_operator_at(k);
        if (!op->relevance)
            continue;
        assert_non_null(op->relevance[op->otherwise].back);
        assert_non_null(op->relevance[HLRP_RULE_GRADIENT].back);
        if (op->all_to_one)
            assert_non_null(op->relevance[HLRP_RULE_PASS].back);
    }
}

/* The table as users see it: this is configs/README.md's list of what fits. */
static void what_fits(void **state) {
    (void)state;
    static const struct {
        const hlrp_operator *op;
        const char
            *rules; /* by hlrp_rule_kind: lrp0 epsilon gamma zplus alphabeta zbox wsquare flat
                              pass norm gradient constant share detach taylor */
    } fits[] = {
        {&hlrp_op_conv, "xxxxxxxxx.x...."},        {&hlrp_op_gemm, "xxxxx.xxx.x...."},
        {&hlrp_op_batchnorm, "xx......x.x...."},   {&hlrp_op_add, "xx.......xx...."},
        {&hlrp_op_avgpool, "xx.......xx...."},     {&hlrp_op_global_avgpool, "xx.......xx...."},
        {&hlrp_op_relu, "........x.x...."},        {&hlrp_op_leaky_relu, "........x.x...."},
        {&hlrp_op_clip, "........x.x...."},        {&hlrp_op_maxpool, "........x.x...."},
        {&hlrp_op_elu, "........x.x...."},         {&hlrp_op_concat, "........x.x...."},
        {&hlrp_op_pad, "........x.x...."},         {&hlrp_op_slice, "........x.x...."},
        {&hlrp_op_shuffle, "........x.x...."},     {&hlrp_op_flatten, "........x.x...."},
        {&hlrp_op_matmul, "..........xxx.."},      {&hlrp_op_gate, "..........xxx.."},
        {&hlrp_op_maximum, "........x.x...."},     {&hlrp_op_minimum, "........x.x...."},
        {&hlrp_op_quotient, "........x.x...."},    {&hlrp_op_prelu, "........x.x...."},
        {&hlrp_op_sigmoid, "........x.x...."},     {&hlrp_op_tanh, "........x.x...."},
        {&hlrp_op_erf, "........x.x...."},         {&hlrp_op_hard_sigmoid, "........x.x...."},
        {&hlrp_op_hard_swish, "........x.x...."},  {&hlrp_op_gelu, "........x.x...."},
        {&hlrp_op_gelu_tanh, "........x.x...."},   {&hlrp_op_swish, "........x.x...."},
        {&hlrp_op_softplus, "........x.x...."},    {&hlrp_op_softsign, "........x.x...."},
        {&hlrp_op_mish, "........x.x...."},        {&hlrp_op_selu, "........x.x...."},
        {&hlrp_op_celu, "........x.x...."},        {&hlrp_op_exp, "........x.x...."},
        {&hlrp_op_log, "........x.x...."},         {&hlrp_op_sqrt, "........x.x...."},
        {&hlrp_op_reciprocal, "........x.x...."},  {&hlrp_op_neg, "........x.x...."},
        {&hlrp_op_abs, "........x.x...."},         {&hlrp_op_power, "........x.x...."},
        {&hlrp_op_softmax, "..........x...x"},     {&hlrp_op_log_softmax, "........x.x...."},
        {&hlrp_op_mul, "........x.x...."},         {&hlrp_op_sub, "xx......xxx...."},
        {&hlrp_op_div, "........x.x...."},         {&hlrp_op_add_const, "xx......xxx...."},
        {&hlrp_op_border, "........x.x...."},      {&hlrp_op_layernorm, "........x.x..x."},
        {&hlrp_op_groupnorm, "........x.x..x."},   {&hlrp_op_instancenorm, "........x.x..x."},
        {&hlrp_op_rmsnorm, "........x.x...."},     {&hlrp_op_local_response, "........x.x...."},
        {&hlrp_op_resize, "xx.......xx...."},      {&hlrp_op_reduce_sum, "xx.......xx...."},
        {&hlrp_op_reduce_mean, "xx.......xx...."}, {&hlrp_op_reduce_max, "........x.x...."},
        {&hlrp_op_reduce_l2, "........x.x...."},   {&hlrp_op_reshape, "........x.x...."},
        {&hlrp_op_squeeze, "........x.x...."},     {&hlrp_op_unsqueeze, "........x.x...."},
        {&hlrp_op_identity, "........x.x...."},    {&hlrp_op_transpose, "........x.x...."},
        {&hlrp_op_expand, "........x.x...."},      {&hlrp_op_expand_to, "........x.x...."},
        {&hlrp_op_tile, "........x.x...."},        {&hlrp_op_gather, "........x.x...."},
        {&hlrp_op_threshold, "........x.x...."},
    };
    int rows = 0;
    for (int k = 0; hlrp_operator_at(k); k++)
        rows += hlrp_operator_at(k)->relevance != NULL;
    assert_int_equal(rows, HLRP_COUNT(fits));
    for (size_t k = 0; k < HLRP_COUNT(fits); k++)
        for (int rule = 0; rule < HLRP_RULE_COUNT; rule++)
            assert_int_equal(fits[k].op->relevance[rule].back != NULL, fits[k].rules[rule] == 'x');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_there_and_differ),
        cmocka_unit_test(a_row_is_whole),
        cmocka_unit_test(every_kind_is_some_operators),
        cmocka_unit_test(no_cell_is_empty),
        cmocka_unit_test(every_operator_has_a_default_and_a_gradient),
        cmocka_unit_test(what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

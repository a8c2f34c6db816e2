/* The one list of an account's fields: its columns are a file format, which nothing may rename or leave
 * out, and its numbers are those of the members. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "account/account.h"

static void columns_are_those_of_the_format(void **state) {
    static const char *const columns[] = {
        "relevance_out", "relevance_out_abs", "relevance_in", "relevance_in_abs",
        "bias",          "stabilizer",        "constant",     "normalization"};
    enum { COLUMNS = sizeof columns / sizeof columns[0] };
    (void)state;
    assert_int_equal(HLRP_ACCOUNT_FIELDS, COLUMNS);
    for (int f = 0; f < COLUMNS; f++)
        assert_string_equal(hlrp_account_fields[f].column, columns[f]);
}

/* Of results that lack a column their reader makes NaN. */
static void what_the_first_version_had_must_be_there(void **state) {
    (void)state;
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
        assert_int_equal(hlrp_account_fields[f].later, f == HLRP_ACCOUNT_IN_ABS ||
                                                           f == HLRP_ACCOUNT_CONSTANT ||
                                                           f == HLRP_ACCOUNT_NORMALIZATION);
}

static void numbers_are_the_members(void **state) {
    const hlrp_account a = {.out = 1,
                            .out_abs = 2,
                            .in = 3,
                            .in_abs = 4,
                            .bias = 5,
                            .stabilizer = 6,
                            .constant = 7,
                            .normalization = 8};
    double numbers[HLRP_ACCOUNT_FIELDS];
    (void)state;
    hlrp_account_numbers(&a, numbers);
    assert_true(numbers[HLRP_ACCOUNT_OUT] == 1 && numbers[HLRP_ACCOUNT_OUT_ABS] == 2);
    assert_true(numbers[HLRP_ACCOUNT_IN] == 3 && numbers[HLRP_ACCOUNT_IN_ABS] == 4);
    assert_true(numbers[HLRP_ACCOUNT_BIAS] == 5 && numbers[HLRP_ACCOUNT_STABILIZER] == 6);
    assert_true(numbers[HLRP_ACCOUNT_CONSTANT] == 7 && numbers[HLRP_ACCOUNT_NORMALIZATION] == 8);
    assert_int_equal(sizeof a, HLRP_ACCOUNT_FIELDS * sizeof(double));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_those_of_the_format),
        cmocka_unit_test(what_the_first_version_had_must_be_there),
        cmocka_unit_test(numbers_are_the_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

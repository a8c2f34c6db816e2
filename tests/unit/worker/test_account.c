/* A sample's account is added, node by node, to the numbers that become /layers: its own, and no other's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/account.h"

enum { NODES = 2, SAMPLES = 3 };

static void every_member_has_its_column(void **state) {
    (void)state;
    hlrp_graph graph = {.node_count = NODES};
    hlrp_network net = {.graph = &graph, .batch = SAMPLES};
    hlrp_account account[NODES * SAMPLES];
    const hlrp_worker worker = {.net = &net, .account = account};
    double layers[NODES * HLRP_ACCOUNT_FIELDS];
    memset(account, 0xff, sizeof account); /* NaN: other samples must not be looked at */
    assert_int_equal(hlrp_account_count(&net), NODES * HLRP_ACCOUNT_FIELDS);
    for (int i = 0; i < NODES * HLRP_ACCOUNT_FIELDS; i++)
        layers[i] = 1000;
    for (int node = 0; node < NODES; node++)
        account[node * SAMPLES + 1] = (hlrp_account){.out = 10 * node + 1,
                                                     .out_abs = 10 * node + 2,
                                                     .in = 10 * node + 3,
                                                     .in_abs = 10 * node + 4,
                                                     .bias = 10 * node + 5,
                                                     .stabilizer = 10 * node + 6,
                                                     .constant = 10 * node + 7,
                                                     .normalization = 10 * node + 8};
    hlrp_account_add(&worker, 1, layers);
    for (int node = 0; node < NODES; node++) {
        const double *row = layers + node * HLRP_ACCOUNT_FIELDS;
        assert_true(row[HLRP_ACCOUNT_OUT] == 1000 + 10 * node + 1);
        assert_true(row[HLRP_ACCOUNT_OUT_ABS] == 1000 + 10 * node + 2);
        assert_true(row[HLRP_ACCOUNT_IN] == 1000 + 10 * node + 3);
        assert_true(row[HLRP_ACCOUNT_IN_ABS] == 1000 + 10 * node + 4);
        assert_true(row[HLRP_ACCOUNT_BIAS] == 1000 + 10 * node + 5);
        assert_true(row[HLRP_ACCOUNT_STABILIZER] == 1000 + 10 * node + 6);
        assert_true(row[HLRP_ACCOUNT_CONSTANT] == 1000 + 10 * node + 7);
        assert_true(row[HLRP_ACCOUNT_NORMALIZATION] == 1000 + 10 * node + 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_member_has_its_column)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

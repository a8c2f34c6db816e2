/* The account's numbers go into the columns of /layers in the order of hlrp_account's members, which is
 * written down nowhere else. Guards: a member that is added or moved on one side alone. */
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
    double layers[NODES * HLRP_LAYERS_FIELDS];
    memset(account, 0xff, sizeof account); /* NaN: other samples must not be looked at */
    assert_int_equal(hlrp_account_count(&net), NODES * HLRP_LAYERS_FIELDS);
    for (int i = 0; i < NODES * HLRP_LAYERS_FIELDS; i++)
        layers[i] = 1000;
    for (int node = 0; node < NODES; node++)
        account[node * SAMPLES + 1] = (hlrp_account){.out = 10 * node + 1,
                                                     .out_abs = 10 * node + 2,
                                                     .in = 10 * node + 3,
                                                     .in_abs = 10 * node + 4,
                                                     .bias = 10 * node + 5,
                                                     .stabilizer = 10 * node + 6};
    hlrp_account_add(&worker, 1, layers);
    for (int node = 0; node < NODES; node++) {
        const double *row = layers + node * HLRP_LAYERS_FIELDS;
        assert_true(row[HLRP_LAYERS_OUT] == 1000 + 10 * node + 1);
        assert_true(row[HLRP_LAYERS_OUT_ABS] == 1000 + 10 * node + 2);
        assert_true(row[HLRP_LAYERS_IN] == 1000 + 10 * node + 3);
        assert_true(row[HLRP_LAYERS_IN_ABS] == 1000 + 10 * node + 4);
        assert_true(row[HLRP_LAYERS_BIAS] == 1000 + 10 * node + 5);
        assert_true(row[HLRP_LAYERS_STABILIZER] == 1000 + 10 * node + 6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_member_has_its_column)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

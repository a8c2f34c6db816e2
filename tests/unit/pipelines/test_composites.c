/* The composites that lrp.composite may name are those of the table of composites, in its order. Guards:
 * a new composite that no configuration can name, and a name without one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/table.h"
#include "lrp/rule.h"

static void the_key_lists_the_table(void **state) {
    (void)state;
    hlrp_str names = {0};
    const hlrp_key *key = hlrp_keys;
    while (strcmp(key->section, "lrp") != 0 || strcmp(key->name, "composite") != 0)
        key++;
    hlrp_str_add(&names, "auto");
    for (int i = 0; hlrp_composite_name(i); i++)
        hlrp_str_addf(&names, "|%s", hlrp_composite_name(i));
    assert_string_equal(key->choices, names.text);
    hlrp_str_free(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_key_lists_the_table)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

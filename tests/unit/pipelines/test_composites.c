/* The composites that lrp.composite may name are those of the table of composites, in its order, and the
 * listing of keys names all kinds of [rules]. Guards: a new composite that no configuration can name, a
 * name without one, a kind that nobody hears of. */
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

static void the_listing_names_all_kinds(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *text = NULL;
    assert_int_equal(hlrp_config_reference(&text, &err), HLRP_OK);
    for (hlrp_kind kind = HLRP_NO_KIND + 1; hlrp_kind_name(kind); kind++) {
        const char *name = hlrp_kind_name(kind), *there = strstr(text, "# kind: ");
        assert_non_null(there);
        there = strstr(there, name);
        if (!there || !strchr(",.", there[strlen(name)]))
            fail_msg("%s is not listed", name);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_key_lists_the_table),
                                       cmocka_unit_test(the_listing_names_all_kinds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How the configuration reaches tissue detection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "survey/tissue_options.h"
#include "util/util.h"

/* Every field of hlrp_tissue_options, its key, and a value that is no default. */
#define FIELD(name) offsetof(hlrp_tissue_options, name)
static const struct {
    size_t at;
    bool real;
    const char *key, *value;
} fields[] = {
    {FIELD(cell_um), true, "regions.tissue_cell_um", "7"},
    {FIELD(median_um), true, "regions.tissue_median_um", "7"},
    {FIELD(closing_um), true, "regions.tissue_closing_um", "7"},
    {FIELD(min_object_um), true, "regions.tissue_min_object_um", "7"},
    {FIELD(max_hole_um), true, "regions.tissue_max_hole_um", "7"},
    {FIELD(glass_spreads), true, "regions.tissue_glass_spreads", "7"},
    {FIELD(edge_um), true, "regions.tissue_edge_um", "7"},
    {FIELD(edge_share), true, "regions.tissue_edge_share", "0.75"},
    {FIELD(darkness), true, "regions.tissue_darkness", "0.75"},
    {FIELD(block_um), true, "regions.tissue_block_um", "7"},
    {FIELD(wall_um), true, "regions.tissue_wall_um", "7"},
    {FIELD(pen_hue_from), true, "regions.pen_hue_from", "7"},
    {FIELD(pen_hue_to), true, "regions.pen_hue_to", "300"},
    {FIELD(pen_density), true, "regions.pen_density", "0.75"},
    {FIELD(pen_share), true, "regions.pen_share", "0.75"},
    {FIELD(pen_min_um), true, "regions.pen_min_um", "7"},
    {FIELD(pen_edge_um), true, "regions.pen_edge_um", "7"},
    {FIELD(saturation_floor), false, "regions.tissue_saturation_floor", "9"},
    {FIELD(saturation_ceiling), false, "regions.tissue_saturation_ceiling", "31"},
    {FIELD(wall_depth), false, "regions.tissue_wall_depth", "9"},
    {FIELD(wall_saturation), false, "regions.tissue_wall_saturation", "9"},
    {FIELD(dark_value), false, "regions.tissue_dark_value", "9"},
    {FIELD(pen), false, "regions.pen", "drop"},
    {FIELD(pen_saturation), false, "regions.pen_saturation", "9"},
};

static double get(const hlrp_tissue_options *o, size_t i) {
    const void *p = (const char *)o + fields[i].at;
    return fields[i].real ? *(const double *)p : *(const int *)p;
}

static hlrp_tissue_options load(const char *override) {
    char path[] = "/tmp/hlrp-options-XXXXXX";
    hlrp_error err = {0};
    hlrp_config *config = NULL;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    if (hlrp_config_load(path, &override, override ? 1 : 0, &config, &err) != HLRP_OK)
        fail_msg("%s", err.what);
    unlink(path);
    const hlrp_tissue_options o = hlrp_tissue_options_of(config);
    hlrp_config_free(config);
    return o;
}

/* Guards: `inspect`, which may have no configuration, saying another share of tissue than `run`. */
static void both_have_the_same_defaults(void **state) {
    (void)state;
    hlrp_tissue_options defaults;
    hlrp_tissue_defaults(&defaults);
    const hlrp_tissue_options loaded = load(NULL);
    for (size_t i = 0; i < HLRP_COUNT(fields); i++)
        if (get(&defaults, i) != get(&loaded, i))
            fail_msg("%s: %g and %g", fields[i].key, get(&defaults, i), get(&loaded, i));
}

/* Guards: a key that is read and passed over, or moves another option. */
static void each_key_sets_its_option(void **state) {
    (void)state;
    const hlrp_tissue_options before = load(NULL);
    for (size_t i = 0; i < HLRP_COUNT(fields); i++) {
        char override[100];
        snprintf(override, sizeof override, "%s=%s", fields[i].key, fields[i].value);
        const hlrp_tissue_options after = load(override);
        for (size_t j = 0; j < HLRP_COUNT(fields); j++)
            if ((get(&before, j) != get(&after, j)) != (i == j))
                fail_msg("%s: %s is %g", override, fields[j].key, get(&after, j));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_have_the_same_defaults),
        cmocka_unit_test(each_key_sets_its_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

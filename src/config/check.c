/* Requirements that tie keys together. */
#include <math.h>
#include <string.h>

#include "config/assign.h"
#include "config/mil.h"

static hlrp_status fail_key(const hlrp_config *config, const char *key, const char *mend,
                            const char *what, hlrp_error *err) {
    char where[560];
    hlrp_config_where(config, key, where, sizeof where);
    return hlrp_fail(err, HLRP_E_CONFIG, where, mend, "%s", what);
}

/* Alpha and beta weigh the two halves of a rule that keeps the sum only if they differ by one. */
static hlrp_status check_alphabeta(const hlrp_config *config, hlrp_error *err) {
    if (fabs(config->lrp.alpha - config->lrp.beta - 1) <= 1e-9)
        return HLRP_OK;
    return fail_key(config, "lrp.beta", "give alpha and beta with alpha - beta = 1",
                    "lrp.alpha - lrp.beta is not 1", err);
}

static hlrp_status check_box(const hlrp_config *config, hlrp_error *err) {
    const hlrp_number_list *low = &config->lrp.low, *high = &config->lrp.high;
    if ((low->count == 0) != (high->count == 0))
        return fail_key(config, low->count ? "lrp.low" : "lrp.high", "give both or none",
                        "lrp.low and lrp.high belong together", err);
    for (int64_t i = 0; i < HLRP_MAX(low->count, high->count); i++) {
        const int64_t l = low->count == 1 ? 0 : i, h = high->count == 1 ? 0 : i;
        if (l >= low->count || h >= high->count)
            return fail_key(config, "lrp.high", "give one number or one per channel",
                            "lrp.low and lrp.high differ in length", err);
        if (!(low->items[l] < high->items[h]))
            return fail_key(config, "lrp.high", "exchange lrp.low and lrp.high",
                            "lrp.low is not below lrp.high", err);
    }
    return HLRP_OK;
}

static bool any_slide_has(const hlrp_config *config, bool annotation) {
    for (int64_t i = 0; i < config->slide_count; i++)
        if ((annotation ? config->slides[i].annotation : config->slides[i].mask)[0])
            return true;
    return false;
}

static hlrp_status check_source(const hlrp_config *config, hlrp_error *err) {
    const int64_t source = config->regions.source;
    if ((source & HLRP_CONFIG_SOURCE_ANNOTATION) && !config->regions.annotation[0] &&
        !any_slide_has(config, true))
        return fail_key(config, "regions.source",
                        "set regions.annotation, such as {dir}/{stem}.geojson",
                        "regions.source needs annotations, but none are named", err);
    if ((source & HLRP_CONFIG_SOURCE_MASK) && !config->regions.mask[0] &&
        !any_slide_has(config, false))
        return fail_key(config, "regions.source", "set regions.mask, such as {dir}/{stem}.png",
                        "regions.source needs masks, but none are named", err);
    return HLRP_OK;
}

static hlrp_status check_tissue(const hlrp_config *config, hlrp_error *err) {
    if (config->regions.tissue_saturation_floor > config->regions.tissue_saturation_ceiling)
        return fail_key(config, "regions.tissue_saturation_ceiling", "give floor <= ceiling",
                        "regions.tissue_saturation_floor is above the ceiling", err);
    if (config->regions.pen_hue_from > config->regions.pen_hue_to)
        return fail_key(config, "regions.pen_hue_to", "give from <= to",
                        "regions.pen_hue_from is above pen_hue_to", err);
    return HLRP_OK;
}

static hlrp_status check_names(const hlrp_config *config, const char *key,
                               const hlrp_text_list *names, hlrp_error *err) {
    char what[300];
    for (int64_t i = 0; i < names->count; i++)
        for (int64_t j = 0; j < i; j++)
            if (strcmp(names->items[i], names->items[j]) == 0) {
                snprintf(what, sizeof what, "%s names \"%.200s\" twice", key, names->items[i]);
                return fail_key(config, key, "name each class once", what, err);
            }
    return HLRP_OK;
}

static hlrp_status check_mil(const hlrp_config *config, hlrp_error *err) {
    hlrp_mil_pixels pixels = {0};
    int64_t baselines = 0;
    if (!hlrp_mil_pixels_parse(config->mil.pixels, &pixels))
        return fail_key(config, "mil.pixels", "use none, all, top P% or mass P%, such as top 5%",
                        "mil.pixels is none of the four kinds", err);
    if (!hlrp_mil_baselines_parse(&config->mil.baselines, &baselines))
        return fail_key(config, "mil.baselines",
                        "use none, or some of attention, single, drop, gradient-x-input",
                        "mil.baselines has a name that is not known", err);
    return HLRP_OK;
}

hlrp_status hlrp_config_check(const hlrp_config *config, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(check_alphabeta(config, err));
    HLRP_TRY(check_box(config, err));
    HLRP_TRY(check_source(config, err));
    HLRP_TRY(check_tissue(config, err));
    HLRP_TRY(check_names(config, "model.classes", &config->model.classes, err));
    HLRP_TRY(check_names(config, "lrp.target", &config->lrp.target, err));
    HLRP_TRY(check_mil(config, err));
out:
    return status;
}

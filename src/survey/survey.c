#include "survey/survey.h"

#include <stdlib.h>

#include "survey/scattered.h"

static hlrp_status override_of(const hlrp_survey *survey, hlrp_mpp *mpp, bool *given,
                               hlrp_error *err) {
    const hlrp_config_slide *s = hlrp_config_find_slide(survey->config, survey->path);
    *given = s && s->mpp.count > 0;
    if (!*given)
        return HLRP_OK;
    if (s->mpp.count > 2)
        return hlrp_fail(err, HLRP_E_CONFIG, s->name, "give one number, or x and y",
                         "mpp has %lld numbers", (long long)s->mpp.count);
    *mpp = (hlrp_mpp){s->mpp.items[0], s->mpp.items[s->mpp.count - 1]};
    return HLRP_OK;
}

hlrp_status hlrp_survey_open(hlrp_survey *survey, hlrp_error *err) {
    hlrp_mpp override = {0};
    bool given = false;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_open(survey->path, &survey->slide, err));
    HLRP_TRY(override_of(survey, &override, &given, err));
    status = hlrp_slide_mpp(survey->slide, given ? &override : NULL, survey->log, &survey->mpp,
                            &survey->mpp_source, err);
out:
    return status;
}

hlrp_status hlrp_survey_tiles(hlrp_survey *survey, double mpp, int64_t size, hlrp_error *err) {
    const hlrp_config *c = survey->config;
    hlrp_status status = HLRP_OK;
    if (c->mil.features[0] != '\0')
        return hlrp_survey_scattered(survey, mpp, size, err);
    HLRP_TRY(hlrp_grid_init(&survey->grid, hlrp_slide_size(survey->slide, 0), survey->mpp, mpp,
                            size, c->tiles.overlap, err));
    HLRP_TRY(hlrp_survey_regions(survey, err));
    if (survey->skipped)
        goto out;
    HLRP_TRY(hlrp_tile_list_region(&survey->grid, survey->region, c->regions.min_coverage,
                                   &survey->tiles, &survey->tile_count, err));
out:
    return status;
}

void hlrp_survey_say_empty(const hlrp_survey *survey, char *reason, size_t size) {
    const int64_t source = survey->config->regions.source;
    const bool tissue = source & HLRP_CONFIG_SOURCE_TISSUE;
    const bool drawn = source & (HLRP_CONFIG_SOURCE_ANNOTATION | HLRP_CONFIG_SOURCE_MASK);
    const double share = survey->region ? hlrp_region_share(survey->region) : 0;
    if (survey->skipped)
        snprintf(reason, size, "its annotation or mask is missing, and regions.missing = skip");
    else if (share > 0)
        snprintf(reason, size,
                 "the regions are %.2g %% of the slide, but no tile lies in them with the share "
                 "regions.min_coverage = %g",
                 100 * share, survey->config->regions.min_coverage);
    else if (tissue && drawn)
        snprintf(reason, size,
                 "what was drawn and the tissue that was found have nothing in common: see "
                 "regions.png");
    else if (tissue)
        snprintf(reason, size,
                 "no tissue was found: see regions.png and the keys regions.tissue_…");
    else
        snprintf(reason, size, "what was drawn has no area on the slide: see regions.png");
}

void hlrp_survey_close(hlrp_survey *survey) {
    hlrp_region_free(survey->region);
    hlrp_slide_close(survey->slide);
    free(survey->tiles);
    hlrp_features_close(survey->features);
    free(survey->features_path);
    free(survey->corners);
    *survey = (hlrp_survey){0};
}

/* Which parts of a slide are looked at: regions.source, with the slide's own annotation and mask. */
#include <stdlib.h>

#include "survey/survey.h"
#include "survey/tissue_options.h"

static hlrp_status tissue(const hlrp_survey *survey, hlrp_region **out, hlrp_error *err) {
    const hlrp_tissue_options options = hlrp_tissue_options_of(survey->config);
    const hlrp_status status =
        hlrp_region_new_tissue(survey->slide, survey->mpp, &options, out, err);
    char doubt[400];
    if (status == HLRP_OK && hlrp_region_doubt(*out, doubt, sizeof doubt))
        hlrp_logf(survey->log, HLRP_LOG_WARN, "%s: %s", survey->path, doubt);
    return status;
}

/* QuPath crops to the slide's bounds, so its coordinates start there. */
static hlrp_annotation_options annotation_options(const hlrp_survey *survey) {
    const hlrp_config *c = survey->config;
    hlrp_annotation_options o = {.include = (const char *const *)c->regions.include.items,
                                 .include_count = c->regions.include.count,
                                 .exclude = (const char *const *)c->regions.exclude.items,
                                 .exclude_count = c->regions.exclude.count,
                                 .skip_unreadable =
                                     c->regions.on_unreadable == HLRP_CONFIG_UNREADABLE_SKIP,
                                 .log = survey->log};
    hlrp_irect bounds = {0};
    if (c->outputs.bounds == HLRP_CONFIG_BOUNDS_AUTO && hlrp_slide_bounds(survey->slide, &bounds))
        o.bounds = bounds;
    return o;
}

/* A file that belongs to the slide: its own by [slide:NAME], else by the pattern. */
static hlrp_status own_file(const hlrp_survey *survey, const char *own, const char *pattern,
                            const char *key, char **path, hlrp_error *err) {
    if (own && own[0] != '\0')
        return hlrp_format(path, err, "%s", own);
    if (pattern[0] == '\0')
        return hlrp_fail(err, HLRP_E_CONFIG, key, "set it, or another regions.source",
                         "no path pattern is given for %s", survey->path);
    return hlrp_region_expand_pattern(pattern, survey->path, path, err);
}

/* What a slide gets whose file is not there. */
static hlrp_status missing(hlrp_survey *survey, const char *path, hlrp_region **out,
                           hlrp_error *err) {
    const hlrp_log *log = survey->log;
    const hlrp_size size = hlrp_slide_size(survey->slide, 0);
    switch (survey->config->regions.missing) {
    case HLRP_CONFIG_MISSING_ALL:
        hlrp_logf(log, HLRP_LOG_WARN, "%s: %s is missing: all of the slide is taken", survey->path,
                  path);
        return hlrp_region_new_all(size, out, err);
    case HLRP_CONFIG_MISSING_TISSUE:
        hlrp_logf(log, HLRP_LOG_WARN, "%s: %s is missing: its tissue is taken", survey->path, path);
        return tissue(survey, out, err);
    case HLRP_CONFIG_MISSING_SKIP:
        hlrp_logf(log, HLRP_LOG_WARN, "%s: %s is missing: the slide is skipped", survey->path,
                  path);
        survey->skipped = true;
        return hlrp_region_new_all(size, out, err);
    default:
        return hlrp_fail(err, HLRP_E_INPUT, path,
                         "check the path, or set regions.missing to all, tissue or skip",
                         "%s has no such file", survey->path);
    }
}

static hlrp_status drawn(hlrp_survey *survey, bool mask, hlrp_region **out, hlrp_error *err) {
    const hlrp_config *c = survey->config;
    const hlrp_config_slide *s = hlrp_config_find_slide(c, survey->path);
    const hlrp_annotation_options options = annotation_options(survey);
    const hlrp_size size = hlrp_slide_size(survey->slide, 0);
    char *path = NULL;
    hlrp_status status =
        mask ? own_file(survey, s ? s->mask : NULL, c->regions.mask, "regions.mask", &path, err)
             : own_file(survey, s ? s->annotation : NULL, c->regions.annotation,
                        "regions.annotation", &path, err);
    if (status == HLRP_OK)
        status = !hlrp_file_exists(path) ? missing(survey, path, out, err)
                 : mask ? hlrp_region_new_label_mask(path, size, &options, out, err)
                        : hlrp_region_new_annotation(path, size, &options, out, err);
    free(path);
    return status;
}

hlrp_status hlrp_survey_regions(hlrp_survey *survey, hlrp_error *err) {
    const int64_t source = survey->config->regions.source;
    enum { MOST = 3 };
    hlrp_region *parts[MOST] = {NULL};
    int64_t count = 0;
    hlrp_status status = HLRP_OK;
    if (source & HLRP_CONFIG_SOURCE_ALL)
        return hlrp_region_new_all(hlrp_slide_size(survey->slide, 0), &survey->region, err);
    if (source & HLRP_CONFIG_SOURCE_ANNOTATION) {
        HLRP_TRY(drawn(survey, false, &parts[count], err));
        count++;
    }
    if (source & HLRP_CONFIG_SOURCE_MASK) {
        HLRP_TRY(drawn(survey, true, &parts[count], err));
        count++;
    }
    if (source & HLRP_CONFIG_SOURCE_TISSUE) {
        HLRP_TRY(tissue(survey, &parts[count], err));
        count++;
    }
    if (count == 1) {
        survey->region = parts[0];
        return HLRP_OK;
    }
    return hlrp_region_new_intersection(parts, count, &survey->region, err);
out:
    for (int64_t i = 0; i < count; i++)
        hlrp_region_free(parts[i]);
    return status;
}

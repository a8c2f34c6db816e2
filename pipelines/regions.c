/* Which parts of a slide are looked at: regions.source, with the slide's own annotation and mask. */
#include <stdlib.h>

#include "pipelines/slide_run.h"
#include "pipelines/tissue_options.h"

static hlrp_status tissue(const hlrp_slide_run *run, hlrp_region **out, hlrp_error *err) {
    const hlrp_tissue_options options = hlrp_tissue_options_of(run->batch->config);
    const hlrp_status status = hlrp_region_new_tissue(run->slide, run->mpp, &options, out, err);
    char doubt[400];
    if (status == HLRP_OK && hlrp_region_doubt(*out, doubt, sizeof doubt))
        hlrp_logf(run->batch->options->log, HLRP_LOG_WARN, "%s: %s", run->path, doubt);
    return status;
}

/* QuPath crops to the slide's bounds, so its coordinates start there. */
static hlrp_annotation_options annotation_options(const hlrp_slide_run *run) {
    const hlrp_config *c = run->batch->config;
    hlrp_annotation_options o = {.include = (const char *const *)c->regions.include.items,
                                 .include_count = c->regions.include.count,
                                 .exclude = (const char *const *)c->regions.exclude.items,
                                 .exclude_count = c->regions.exclude.count,
                                 .skip_unreadable =
                                     c->regions.on_unreadable == HLRP_CONFIG_UNREADABLE_SKIP,
                                 .log = run->batch->options->log};
    hlrp_irect bounds = {0};
    if (c->outputs.bounds == HLRP_CONFIG_BOUNDS_AUTO && hlrp_slide_bounds(run->slide, &bounds))
        o.bounds = bounds;
    return o;
}

/* A file that belongs to the slide: its own by [slide:NAME], else by the pattern. */
static hlrp_status own_file(const hlrp_slide_run *run, const char *own, const char *pattern,
                            const char *key, char **path, hlrp_error *err) {
    if (own && own[0] != '\0')
        return hlrp_format(path, err, "%s", own);
    if (pattern[0] == '\0')
        return hlrp_fail(err, HLRP_E_CONFIG, key, "set it, or another regions.source",
                         "no path pattern is given for %s", run->path);
    return hlrp_region_expand_pattern(pattern, run->path, path, err);
}

/* What a slide gets whose file is not there. */
static hlrp_status missing(hlrp_slide_run *run, const char *path, hlrp_region **out,
                           hlrp_error *err) {
    const hlrp_log *log = run->batch->options->log;
    const hlrp_size size = hlrp_slide_size(run->slide, 0);
    switch (run->batch->config->regions.missing) {
    case HLRP_CONFIG_MISSING_ALL:
        hlrp_logf(log, HLRP_LOG_WARN, "%s: %s is missing: all of the slide is taken", run->path,
                  path);
        return hlrp_region_new_all(size, out, err);
    case HLRP_CONFIG_MISSING_TISSUE:
        hlrp_logf(log, HLRP_LOG_WARN, "%s: %s is missing: its tissue is taken", run->path, path);
        return tissue(run, out, err);
    case HLRP_CONFIG_MISSING_SKIP:
        hlrp_logf(log, HLRP_LOG_WARN, "%s: %s is missing: the slide is skipped", run->path, path);
        run->skipped = true;
        return hlrp_region_new_all(size, out, err);
    default:
        return hlrp_fail(err, HLRP_E_INPUT, path,
                         "check the path, or set regions.missing to all, tissue or skip",
                         "%s has no such file", run->path);
    }
}

static hlrp_status drawn(hlrp_slide_run *run, bool mask, hlrp_region **out, hlrp_error *err) {
    const hlrp_config *c = run->batch->config;
    const hlrp_config_slide *s = hlrp_config_find_slide(c, run->path);
    const hlrp_annotation_options options = annotation_options(run);
    const hlrp_size size = hlrp_slide_size(run->slide, 0);
    char *path = NULL;
    hlrp_status status =
        mask ? own_file(run, s ? s->mask : NULL, c->regions.mask, "regions.mask", &path, err)
             : own_file(run, s ? s->annotation : NULL, c->regions.annotation, "regions.annotation",
                        &path, err);
    if (status == HLRP_OK)
        status = !hlrp_file_exists(path) ? missing(run, path, out, err)
                 : mask ? hlrp_region_new_label_mask(path, size, &options, out, err)
                        : hlrp_region_new_annotation(path, size, &options, out, err);
    free(path);
    return status;
}

hlrp_status hlrp_step_regions(hlrp_slide_run *run, hlrp_error *err) {
    const int64_t source = run->batch->config->regions.source;
    enum { MOST = 3 };
    hlrp_region *parts[MOST] = {NULL};
    int64_t count = 0;
    hlrp_status status = HLRP_OK;
    if (source & HLRP_CONFIG_SOURCE_ALL)
        return hlrp_region_new_all(hlrp_slide_size(run->slide, 0), &run->region, err);
    if (source & HLRP_CONFIG_SOURCE_ANNOTATION) {
        HLRP_TRY(drawn(run, false, &parts[count], err));
        count++;
    }
    if (source & HLRP_CONFIG_SOURCE_MASK) {
        HLRP_TRY(drawn(run, true, &parts[count], err));
        count++;
    }
    if (source & HLRP_CONFIG_SOURCE_TISSUE) {
        HLRP_TRY(tissue(run, &parts[count], err));
        count++;
    }
    if (count == 1) {
        run->region = parts[0];
        return HLRP_OK;
    }
    return hlrp_region_new_intersection(parts, count, &run->region, err);
out:
    for (int64_t i = 0; i < count; i++)
        hlrp_region_free(parts[i]);
    return status;
}

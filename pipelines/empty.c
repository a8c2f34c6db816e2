#include "pipelines/empty.h"

#include <math.h>
#include <stdlib.h>

bool hlrp_is_empty(const hlrp_slide_run *run) {
    const hlrp_slide_progress *p = run->where;
    return run->survey.tile_count == 0 || (p->explained == 0 && p->gated > 0 &&
                                           p->gated + p->unreadable == run->survey.tile_count);
}

/* The highest probability of a class over all tiles, NaN where it cannot be read. */
static double highest_probability(const hlrp_slide_run *run, int64_t class) {
    const int64_t classes = run->batch->net->classes;
    char *path = NULL;
    hlrp_result *result = NULL;
    double *values = NULL, highest = NAN;
    hlrp_error ignored = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_run_path(run, "relevance.h5", &path, &ignored));
    HLRP_TRY(hlrp_result_open(path, &result, &ignored));
    HLRP_TRY(hlrp_calloc(&values, classes, sizeof *values, path, &ignored));
    for (int64_t t = 0; t < run->survey.tile_count; t++) {
        HLRP_TRY(hlrp_result_read_tiles(result, "probability", t, 1, classes, values, &ignored));
        highest = fmax(highest, values[class]);
    }
out:
    hlrp_result_close(result);
    free(values);
    free(path);
    return status == HLRP_OK ? highest : NAN;
}

static void gated_out(const hlrp_slide_run *run, char *reason, size_t size) {
    const hlrp_network *net = run->batch->net;
    snprintf(
        reason, size,
        "no tile reaches gate.probability = %g: the highest probability of %s on %lld tiles is "
        "%.3g",
        net->config->gate.probability, net->class_names[net->gate],
        (long long)run->survey.tile_count, highest_probability(run, net->gate));
}

void hlrp_empty_reason(const hlrp_slide_run *run, char *reason, size_t size) {
    const int64_t source = run->batch->config->regions.source;
    const bool tissue = source & HLRP_CONFIG_SOURCE_TISSUE;
    const bool drawn = source & (HLRP_CONFIG_SOURCE_ANNOTATION | HLRP_CONFIG_SOURCE_MASK);
    const double share = run->survey.region ? hlrp_region_share(run->survey.region) : 0;
    if (run->survey.tile_count > 0)
        gated_out(run, reason, size);
    else if (run->survey.skipped)
        snprintf(reason, size, "its annotation or mask is missing, and regions.missing = skip");
    else if (share > 0)
        snprintf(reason, size,
                 "the regions are %.2g %% of the slide, but no tile lies in them with the share "
                 "regions.min_coverage = %g",
                 100 * share, run->batch->config->regions.min_coverage);
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

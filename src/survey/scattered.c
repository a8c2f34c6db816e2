#include "survey/scattered.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Two resolutions that differ by more are not the same: pixels at 0.5 µm instead of 0.4942 are. */
#define SAME_MPP 0.03

/* Side of a tile in level-0 pixels: the file's word, else that of the network's tiles. */
static hlrp_status find_extent(const hlrp_survey *survey, double mpp, int64_t size, double *extent,
                               hlrp_error *err) {
    *extent = hlrp_features_facts(survey->features)->extent;
    if (*extent == 0 && mpp > 0 && size > 0)
        *extent = (double)size * mpp / survey->mpp.x;
    if (*extent > 0)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, survey->features_path,
                     "set tiles.size and model.mpp to what the features were made with",
                     "the file does not say how large its tiles are (no attribute "
                     "patch_size_level0 of coords)");
}

/* An encoder that is to take relevance to pixels has to see what it saw. */
static void warn_of_mpp(const hlrp_survey *survey, double mpp) {
    const double own = survey->grid.r_x * survey->mpp.x;
    if (mpp > 0 && fabs(own / mpp - 1) > SAME_MPP)
        hlrp_logf(
            survey->log, HLRP_LOG_WARN,
            "%s: its tiles of %lld pixels have %.4g um per pixel, but the network expects %.4g",
            survey->features_path, (long long)survey->grid.size, own, mpp);
}

static hlrp_status list_tiles(hlrp_survey *survey, double extent, int64_t size, hlrp_error *err) {
    const hlrp_size slide = hlrp_slide_size(survey->slide, 0);
    const int64_t count = hlrp_features_facts(survey->features)->tiles;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&survey->corners, 2 * count, sizeof *survey->corners, "tiles", err));
    HLRP_TRY(hlrp_calloc(&survey->tiles, count, sizeof *survey->tiles, "tiles", err));
    HLRP_TRY(hlrp_features_corners(survey->features, survey->corners, err));
    status = hlrp_grid_scatter(&survey->grid, slide, survey->corners, count, extent, size, err);
    if (status != HLRP_OK)
        snprintf(err->where, sizeof err->where, "%s", survey->features_path);
    HLRP_TRY(status);
    for (int64_t t = 0; t < count; t++) {
        if (hlrp_rect_outside(hlrp_grid_tile(&survey->grid, t), slide) >= 1)
            HLRP_TRY(hlrp_fail(err, HLRP_E_INPUT, survey->features_path,
                               "take the features of this very slide, with coords in its pixels",
                               "tile %lld, at %g, %g, lies off the slide of %lld x %lld pixels",
                               (long long)t, survey->corners[2 * t], survey->corners[2 * t + 1],
                               (long long)slide.w, (long long)slide.h));
        survey->tiles[t] = t;
    }
    survey->tile_count = count;
out:
    return status;
}

hlrp_status hlrp_survey_scattered(hlrp_survey *survey, double mpp, int64_t size, hlrp_error *err) {
    const hlrp_size slide = hlrp_slide_size(survey->slide, 0);
    double extent = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_region_expand_pattern(survey->config->mil.features, survey->path,
                                        &survey->features_path, err));
    HLRP_TRY(hlrp_features_open(survey->features_path, &survey->features, err));
    const hlrp_feature_facts *facts = hlrp_features_facts(survey->features);
    if (facts->width != survey->width)
        HLRP_TRY(hlrp_fail(err, HLRP_E_INPUT, survey->features_path,
                           "take the head that was trained on these features",
                           "it has %lld features of a tile, but the head takes %lld",
                           (long long)facts->width, (long long)survey->width));
    HLRP_TRY(find_extent(survey, mpp, size, &extent, err));
    if (size == 0)
        size = facts->size > 0 ? facts->size : HLRP_MAX((int64_t)round(extent), 1);
    HLRP_TRY(list_tiles(survey, extent, size, err));
    warn_of_mpp(survey, mpp);
    status = hlrp_region_new_all(slide, &survey->region, err);
out:
    return status;
}

hlrp_status hlrp_survey_features_hash(const hlrp_survey *survey, char hash[65], hlrp_error *err) {
    hash[0] = '\0';
    return survey->features ? hlrp_sha256_file(survey->features_path, hash, err) : HLRP_OK;
}

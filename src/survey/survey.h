/* The slide half of a run: a slide made ready to be explained, as the configuration says. */
#ifndef HLRP_SURVEY_H
#define HLRP_SURVEY_H

#include <histolrp/config.h>

#include "region/region.h"
#include "slide/slide.h"
#include "store/features.h"
#include "tile/tile.h"

/* Set these four, zero the rest; hlrp_survey_close releases it. */
typedef struct hlrp_survey {
    const hlrp_config *config; /* all three borrowed */
    const char *path;          /* of the slide, as listed */
    const hlrp_log *log;
    int64_t width; /* that features of a file must have */
    /* Set by hlrp_survey_open: */
    hlrp_slide *slide;
    hlrp_mpp mpp;
    const char *mpp_source;
    /* Set by hlrp_survey_tiles: */
    hlrp_grid grid;
    hlrp_region *region;
    bool skipped;   /* by regions.missing: no tile is looked at */
    int64_t *tiles; /* grid numbers, ascending */
    int64_t tile_count;
    /* Where mil.features names a file: its tiles are the slide's, whatever the regions are. */
    hlrp_feature_file *features;
    char *features_path;
    double *corners; /* the grid's */
} hlrp_survey;

/* Opens the slide and settles its resolution. */
hlrp_status hlrp_survey_open(hlrp_survey *survey, hlrp_error *err);
/* Lays the grid of tiles of `size` pixels at `mpp`, finds the regions, and lists the tiles in them. Where
 * features are in a file, which says where its tiles lie, either may be 0. */
hlrp_status hlrp_survey_tiles(hlrp_survey *survey, double mpp, int64_t size, hlrp_error *err);
/* Why there is no tile in the slide's regions, in one line for a person, cut to the size. */
void hlrp_survey_say_empty(const hlrp_survey *survey, char *reason, size_t size);
/* Only the regions: what regions.source names, with the slide's own annotation and mask. */
hlrp_status hlrp_survey_regions(hlrp_survey *survey, hlrp_error *err);
/* SHA-256 of the slide's file of features, into hash; "" where it has none. */
hlrp_status hlrp_survey_features_hash(const hlrp_survey *survey, char hash[65], hlrp_error *err);
void hlrp_survey_close(hlrp_survey *survey);

#endif

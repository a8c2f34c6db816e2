#include "survey/reading.h"

#include <stdlib.h>

enum { MOST_TRIES = 8 };

hlrp_status hlrp_survey_read_some(const hlrp_survey *survey, hlrp_survey_reading *out,
                                  hlrp_error *err) {
    const int64_t side = survey->grid.size;
    const int64_t tries = HLRP_MIN(survey->tile_count, MOST_TRIES);
    hlrp_tile_faults faults = {0};
    hlrp_tile_reader *reader = NULL;
    hlrp_slide *slide = NULL;
    uint8_t *rgb = NULL;
    hlrp_status status = HLRP_OK;
    *out = (hlrp_survey_reading){.tried = tries};
    HLRP_TRY(hlrp_calloc(&rgb, side * side, 3, "a tile", err));
    HLRP_TRY(hlrp_slide_open_again(survey->slide, &slide, err));
    HLRP_TRY(hlrp_tile_reader_open(slide, &survey->grid, NULL, &faults, &reader, err));
    const double began = hlrp_seconds();
    for (int64_t i = 0; i < tries; i++) {
        hlrp_tile_result result = HLRP_TILE_READ;
        const int64_t tile = survey->tiles[(2 * i + 1) * survey->tile_count / (2 * tries)];
        HLRP_TRY(hlrp_tile_read(reader, tile, rgb, &result, err));
    }
    out->seconds = tries > 0 ? (hlrp_seconds() - began) / (double)tries : 0;
    out->fallback = faults.fallback;
    out->unreadable = faults.unreadable;
out:
    hlrp_tile_reader_close(reader);
    free(rgb);
    return status;
}

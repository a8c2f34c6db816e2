#include "run/limit.h"

#include <stdlib.h>

#include "run/folder.h"
#include "sink/sink.h"
#include "store/bag_score.h"

/* HLRP_STATE_PENDING where it is not known. */
static hlrp_status state_of(const char *output, const char *slide, hlrp_state *state,
                            hlrp_error *err) {
    hlrp_slide_progress *progress = NULL;
    char *path = NULL;
    hlrp_error unread = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&progress, 1, sizeof *progress, "a slide's status", err));
    HLRP_TRY(hlrp_slide_file(output, slide, "status.json", &path, err));
    *state = hlrp_progress_read(path, progress, &unread) == HLRP_OK ? progress->state
                                                                    : HLRP_STATE_PENDING;
out:
    free(path);
    free(progress);
    return status;
}

hlrp_status hlrp_batch_usable(const char *output, const hlrp_strings *slides, hlrp_strings *usable,
                              bool *ended, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    *ended = true;
    for (int64_t i = 0; i < slides->count; i++) {
        hlrp_state state = HLRP_STATE_PENDING;
        HLRP_TRY(state_of(output, slides->items[i], &state, err));
        if (state == HLRP_STATE_COMPLETE)
            HLRP_TRY(hlrp_strings_add(usable, slides->items[i], err));
        else if (state != HLRP_STATE_EMPTY && state != HLRP_STATE_FAILED)
            *ended = false;
    }
out:
    return status;
}

static hlrp_status add_slide(const hlrp_config *config, const char *slide, int64_t plane,
                             hlrp_limit *limit, hlrp_error *err) {
    char *path = NULL;
    hlrp_result *result = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_file(config->batch.output, slide, "relevance.h5", &path, err));
    HLRP_TRY(hlrp_result_open(path, &result, err));
    HLRP_TRY(hlrp_bag_score_plane(result, config->outputs.class_name, plane, &plane, err));
    status = hlrp_sink_add_limit(result, plane, config->outputs.smoothing, limit, err);
out:
    hlrp_result_close(result);
    free(path);
    return status;
}

hlrp_status hlrp_batch_limit(const hlrp_config *config, const hlrp_strings *slides, int64_t plane,
                             double *out, hlrp_error *err) {
    hlrp_limit *limit = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_limit_new(config->outputs.percentile, &limit, err));
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < slides->count; i++)
            HLRP_TRY(add_slide(config, slides->items[i], plane, limit, err));
        if (pass == 0)
            hlrp_limit_second_pass(limit);
    }
    *out = hlrp_limit_value(limit);
out:
    hlrp_limit_free(limit);
    return status;
}

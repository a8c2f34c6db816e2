/* The display limit: at which value colors are full. */
#include <stdlib.h>

#include "sink/shown.h"
#include "sink/sink.h"

#define DEFAULT_PERCENTILE 99.5

hlrp_status hlrp_sink_add_limit(hlrp_result *result, int64_t plane, double smoothing,
                                hlrp_limit *limit, hlrp_error *err) {
    const hlrp_size map = hlrp_result_facts(result)->map;
    const int64_t chunk_rows = HLRP_MAX(hlrp_chunk_size(map).h, 1);
    hlrp_shown *shown = NULL;
    float *rows = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_shown_new(result, plane, smoothing, &shown, err));
    HLRP_TRY(hlrp_calloc(&rows, map.w * chunk_rows, sizeof *rows, "rows of the map", err));
    for (int64_t y = 0; y < map.h; y += chunk_rows) {
        const int64_t n = HLRP_MIN(chunk_rows, map.h - y);
        HLRP_TRY(hlrp_shown_read(shown, y, n, rows, err));
        hlrp_limit_add(limit, rows, n * map.w);
    }
out:
    hlrp_shown_free(shown);
    free(rows);
    return status;
}

const char *hlrp_sink_limit_kind(const hlrp_sink_input *in) {
    return in->limit_kind ? in->limit_kind : in->limit > 0 ? HLRP_LIMIT_GIVEN : HLRP_LIMIT_OF_SLIDE;
}

hlrp_status hlrp_sink_limit(const hlrp_sink_input *in, double *value, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_limit *limit = NULL;
    const hlrp_result_info *info = hlrp_result_facts(in->result);
    if (in->plane < 0 || in->plane >= info->planes)
        return hlrp_fail(err, HLRP_E_CONFIG, NULL, "choose outputs.class among the explained ones",
                         "class plane %lld is not in the record, which has %lld",
                         (long long)in->plane, (long long)info->planes);
    *value = in->limit;
    if (in->limit > 0)
        return HLRP_OK;
    HLRP_TRY(hlrp_limit_new(in->percentile > 0 ? in->percentile : DEFAULT_PERCENTILE, &limit, err));
    HLRP_TRY(hlrp_sink_add_limit(in->result, in->plane, in->smoothing, limit, err));
    hlrp_limit_second_pass(limit);
    HLRP_TRY(hlrp_sink_add_limit(in->result, in->plane, in->smoothing, limit, err));
    *value = hlrp_limit_value(limit);
out:
    hlrp_limit_free(limit);
    return status;
}

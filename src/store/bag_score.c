#include "store/bag_score.h"

#include <math.h>
#include <stdlib.h>

static hlrp_status read_lists(hlrp_result *r, hlrp_bag_score *s, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(r);
    double tiles = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&s->logit, info->classes, sizeof *s->logit, "a score", err));
    HLRP_TRY(hlrp_calloc(&s->probability, info->classes, sizeof *s->probability, "a score", err));
    HLRP_TRY(hlrp_calloc(&s->start, info->planes, sizeof *s->start, "a score", err));
    HLRP_TRY(hlrp_result_read_list(r, "/mil/logit", info->classes, s->logit, err));
    HLRP_TRY(hlrp_result_read_list(r, "/mil/probability", info->classes, s->probability, err));
    HLRP_TRY(hlrp_result_read_list(r, "/mil/start", info->planes, s->start, err));
    HLRP_TRY(hlrp_result_get_f64(r, "/mil", "tiles", &tiles, 1, err));
    s->tiles = tiles > 0 && tiles <= (double)info->tiles ? (int64_t)tiles : 0;
out:
    return status;
}

hlrp_status hlrp_bag_score_read(hlrp_result *r, hlrp_bag_score *s, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(r);
    hlrp_status status = HLRP_OK;
    *s = (hlrp_bag_score){0};
    if (!info->bag)
        return HLRP_OK;
    HLRP_TRY(read_lists(r, s, err));
    for (int64_t c = 1; c < info->classes; c++)
        if (s->probability[c] > s->probability[s->predicted])
            s->predicted = c;
out:
    return status;
}

void hlrp_bag_score_free(hlrp_bag_score *s) {
    free(s->logit);
    free(s->probability);
    free(s->start);
    *s = (hlrp_bag_score){0};
}

hlrp_status hlrp_bag_score_plane(hlrp_result *r, const char *asked, int64_t plane, int64_t *out,
                                 hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(r);
    hlrp_bag_score score = {0};
    hlrp_status status = HLRP_OK;
    *out = plane;
    if (!info->bag || asked[0] != '\0' || plane < 0 || plane >= info->planes)
        return HLRP_OK;
    HLRP_TRY(hlrp_bag_score_read(r, &score, err));
    for (int64_t k = 0; k < info->planes; k++)
        if (isnan(score.start[plane]) && !isnan(score.start[k]))
            *out = k;
out:
    hlrp_bag_score_free(&score);
    return status;
}

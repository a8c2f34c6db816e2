/* A slide's score in relevance.h5. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mil/score.h"

void hlrp_bag_sums_add(hlrp_bag_sums *s, bool to_pixels, double start, double sum, double outside) {
    if (isnan(start))
        return;
    if (to_pixels) {
        s->to_pixels += start;
        s->arrived += sum;
    } else {
        s->spread += sum;
    }
    s->outside += outside;
}

static const char *const columns[] = {"start",         "bias",    "stabilizer", "constant",
                                      "normalization", "encoder", "pixels",     "tiles",
                                      "rest",          "outside"};
enum { COLUMNS = HLRP_COUNT(columns) };

static void fill_row(const hlrp_slide_score *s, const hlrp_bag_sums *sums, int64_t plane,
                     double row[COLUMNS]) {
    const hlrp_score_account *taken = &s->taken[plane];
    const hlrp_bag_sums *to = &sums[plane];
    const double values[COLUMNS] = {s->start[plane],
                                    taken->bias,
                                    taken->stabilizer,
                                    taken->constant,
                                    taken->normalization,
                                    to->to_pixels - to->arrived,
                                    to->arrived,
                                    to->spread};
    double rest = s->start[plane];
    for (int c = 1; c < COLUMNS - 2; c++)
        rest -= values[c];
    memcpy(row, values, sizeof values);
    row[COLUMNS - 2] = rest;
    row[COLUMNS - 1] = to->outside;
}

static hlrp_status write_account(const hlrp_slide_score *s, const hlrp_bag_sums *sums,
                                 const hlrp_result_info *info, hlrp_result_writer *writer,
                                 hlrp_error *err) {
    const int64_t planes = info->planes;
    hlrp_column table[1 + COLUMNS];
    double *values = NULL, row[COLUMNS];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&values, planes * COLUMNS, sizeof *values, "account", err));
    for (int64_t k = 0; k < planes; k++) {
        fill_row(s, sums, k, row);
        for (int c = 0; c < COLUMNS; c++)
            values[c * planes + k] = hlrp_slide_score_explains(s, k) ? row[c] : NAN;
    }
    table[0] = (hlrp_column){"class", HLRP_COLUMN_TEXT, info->plane_names};
    for (int c = 0; c < COLUMNS; c++)
        table[1 + c] = (hlrp_column){columns[c], HLRP_COLUMN_F64, values + c * planes};
    status = hlrp_result_write_table(writer, "/mil/account", table, 1 + COLUMNS, planes, err);
out:
    free(values);
    return status;
}

hlrp_status hlrp_slide_score_write(const hlrp_slide_score *s, const hlrp_bag_sums *sums,
                                   const hlrp_result_info *info, hlrp_result_writer *writer,
                                   hlrp_error *err) {
    const hlrp_config *c = s->head->config;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_result_write_list(writer, "/mil/logit", HLRP_LIST_F32, s->logit, info->classes,
                                    err));
    HLRP_TRY(hlrp_result_write_list(writer, "/mil/probability", HLRP_LIST_F32, s->probability,
                                    info->classes, err));
    HLRP_TRY(hlrp_result_write_list(writer, "/mil/start", HLRP_LIST_F64, s->start, info->planes,
                                    err));
    HLRP_TRY(write_account(s, sums, info, writer, err));
    HLRP_TRY(hlrp_result_set_text(writer, "/mil", "head", c->mil.head, err));
    HLRP_TRY(hlrp_result_set_text(writer, "/mil", "pixels", c->mil.pixels, err));
    HLRP_TRY(hlrp_result_set_text(writer, "/mil", "composite", s->head->composite, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/mil", "tiles", &s->instances, -1, err));
    status = hlrp_result_set_i64(writer, "/mil", "features", &s->width, -1, err);
out:
    return status;
}

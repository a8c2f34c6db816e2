/* A slide's score in relevance.h5. */
#include <math.h>
#include <stdlib.h>

#include "account/account.h"
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

/* Columns of /mil/account behind those of the head's takers, and the start before them. */
static const char *const columns[] = {"encoder", "pixels", "tiles", "rest", "outside"};
enum { COLUMNS = HLRP_COUNT(columns), MOST_COLUMNS = 1 + HLRP_ACCOUNT_FIELDS + COLUMNS };

/* The row of a plane; returns how many columns it has. */
static int fill_row(const hlrp_slide_score *s, const hlrp_bag_sums *to, int64_t plane,
                    double row[MOST_COLUMNS], const char *names[MOST_COLUMNS]) {
    const double *taken = s->taken + plane * HLRP_ACCOUNT_FIELDS;
    const double behind[] = {to->to_pixels - to->arrived, to->arrived, to->spread};
    double rest = s->start[plane];
    int count = 0;
    names[count] = "start";
    row[count++] = s->start[plane];
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++) {
        if (!hlrp_account_fields[f].taker)
            continue;
        names[count] = hlrp_account_fields[f].column;
        rest -= row[count++] = taken[f];
    }
    for (size_t i = 0; i < COLUMNS; i++, count++) {
        names[count] = columns[i];
        row[count] = i < HLRP_COUNT(behind) ? behind[i] : i == COLUMNS - 1 ? to->outside : rest;
        rest -= i < HLRP_COUNT(behind) ? behind[i] : 0;
    }
    return count;
}

static hlrp_status write_account(const hlrp_slide_score *s, const hlrp_bag_sums *sums,
                                 const hlrp_result_info *info, hlrp_result_writer *writer,
                                 hlrp_error *err) {
    const int64_t planes = info->planes;
    hlrp_column table[1 + MOST_COLUMNS];
    const char *names[MOST_COLUMNS];
    double *values = NULL, row[MOST_COLUMNS];
    int count = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&values, planes * MOST_COLUMNS, sizeof *values, "account", err));
    for (int64_t k = 0; k < planes; k++) {
        count = fill_row(s, &sums[k], k, row, names);
        for (int c = 0; c < count; c++)
            values[c * planes + k] = hlrp_slide_score_explains(s, k) ? row[c] : NAN;
    }
    table[0] = (hlrp_column){"class", HLRP_COLUMN_TEXT, info->plane_names};
    for (int c = 0; c < count; c++)
        table[1 + c] = (hlrp_column){names[c], HLRP_COLUMN_F64, values + c * planes};
    status = hlrp_result_write_table(writer, "/mil/account", table, 1 + count, planes, err);
out:
    free(values);
    return status;
}

hlrp_status hlrp_slide_score_write(const hlrp_slide_score *s, const hlrp_bag_sums *sums,
                                   const hlrp_result_info *info, hlrp_result_writer *writer,
                                   hlrp_error *err) {
    const hlrp_config *c = s->head->config;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(
        hlrp_result_write_list(writer, "/mil/logit", HLRP_LIST_F32, s->logit, info->classes, err));
    HLRP_TRY(hlrp_result_write_list(writer, "/mil/probability", HLRP_LIST_F32, s->probability,
                                    info->classes, err));
    HLRP_TRY(
        hlrp_result_write_list(writer, "/mil/start", HLRP_LIST_F64, s->start, info->planes, err));
    HLRP_TRY(write_account(s, sums, info, writer, err));
    HLRP_TRY(hlrp_result_set_text(writer, "/mil", "head", c->mil.head, err));
    HLRP_TRY(hlrp_result_set_text(writer, "/mil", "pixels", c->mil.pixels, err));
    HLRP_TRY(hlrp_result_set_text(writer, "/mil", "composite", s->head->composite, err));
    HLRP_TRY(hlrp_result_set_i64(writer, "/mil", "tiles", &s->instances, -1, err));
    status = hlrp_result_set_i64(writer, "/mil", "features", &s->width, -1, err);
out:
    return status;
}

#include "image/reduce.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/shrink.h"

/* Covers less than this share of a pixel: rounding. */
#define NOTHING 1e-9

struct hlrp_reducer {
    hlrp_size from, to;
    int64_t channels;
    double step_x, step_y;
    int64_t y, out_y;
    double *row;  /* the last one, reduced along itself */
    double *sums; /* Σ height·row of the row that is being filled */
    double filled;
};

hlrp_status hlrp_reducer_new(hlrp_pixel pixel, hlrp_size from, hlrp_size to, hlrp_reducer **out,
                             hlrp_error *err) {
    hlrp_reducer *r = NULL;
    hlrp_status status = hlrp_calloc(&r, 1, sizeof *r, "a smaller picture", err);
    *out = r;
    if (status != HLRP_OK)
        return status;
    *r = (hlrp_reducer){.from = from,
                        .to = to,
                        .channels = (int64_t)hlrp_pixel_bytes(pixel),
                        .step_x = (double)from.w / (double)to.w,
                        .step_y = (double)from.h / (double)to.h};
    HLRP_TRY(hlrp_calloc(&r->row, to.w * r->channels, sizeof *r->row, "a smaller picture", err));
    HLRP_TRY(hlrp_calloc(&r->sums, to.w * r->channels, sizeof *r->sums, "a smaller picture", err));
out:
    return status;
}

void hlrp_reducer_free(hlrp_reducer *r) {
    if (!r)
        return;
    free(r->row);
    free(r->sums);
    free(r);
}

static void reduce_row(hlrp_reducer *r, const uint8_t *row) {
    for (int64_t i = 0; i < r->to.w; i++) {
        const double left = (double)i * r->step_x;
        const double right = fmin((double)(i + 1) * r->step_x, (double)r->from.w);
        double *sum = r->row + i * r->channels;
        memset(sum, 0, (size_t)r->channels * sizeof *sum);
        for (int64_t x = (int64_t)left; x < r->from.w && (double)x < right; x++) {
            const double part = fmin(right, (double)x + 1) - fmax(left, (double)x);
            for (int64_t c = 0; c < r->channels; c++)
                sum[c] += part / (right - left) * row[x * r->channels + c];
        }
    }
}

static void add_row(hlrp_reducer *r, double height) {
    for (int64_t i = 0; i < r->to.w * r->channels; i++)
        r->sums[i] += height * r->row[i];
    r->filled += height;
}

static void finish_row(hlrp_reducer *r, uint8_t *out) {
    for (int64_t i = 0; i < r->to.w * r->channels; i++)
        out[i] = (uint8_t)lround(fmin(r->sums[i] / r->filled, 255));
    memset(r->sums, 0, (size_t)(r->to.w * r->channels) * sizeof *r->sums);
    r->filled = 0;
    r->out_y++;
}

bool hlrp_reducer_push(hlrp_reducer *r, const uint8_t *row, uint8_t *out) {
    const double end = (double)(r->out_y + 1) * r->step_y, bottom = (double)r->y + 1;
    const bool whole = bottom > end - NOTHING || r->y + 1 == r->from.h;
    reduce_row(r, row);
    r->y++;
    add_row(r, whole ? fmin(end, bottom) - (bottom - 1) : 1);
    if (!whole)
        return false;
    finish_row(r, out);
    if (bottom - end > NOTHING)
        add_row(r, bottom - end);
    if (r->y == r->from.h) /* ready for another plane */
        r->y = r->out_y = 0;
    return true;
}

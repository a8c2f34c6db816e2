#include "sink/heat.h"

#include <math.h>
#include <stdlib.h>

#include "sink/shown.h"

struct hlrp_heat {
    hlrp_shown *shown;
    hlrp_size map;
    double ratio_x, ratio_y; /* map pixels per overlay pixel */
    int64_t first;           /* map row at rows */
    float *rows;
    int64_t room; /* floats */
};

hlrp_status hlrp_heat_new(hlrp_result *result, int64_t plane, double smoothing, double fx,
                          double fy, hlrp_heat **out, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(result);
    hlrp_status status = hlrp_calloc(out, 1, sizeof **out, "a heatmap", err);
    if (status != HLRP_OK)
        return status;
    hlrp_heat *h = *out;
    h->map = info->map;
    h->ratio_x = fx / (double)info->downsample;
    h->ratio_y = fy / (double)info->downsample;
    return hlrp_shown_new(result, plane, smoothing, &h->shown, err);
}

void hlrp_heat_free(hlrp_heat *h) {
    if (!h)
        return;
    hlrp_shown_free(h->shown);
    free(h->rows);
    free(h);
}

/* Map pixels of an axis of n that [a, b) touches; rounding of i·ratio touches no further one. */
static void touched(double a, double b, int64_t n, int64_t *first, int64_t *end) {
    *first = HLRP_MAX(HLRP_MIN((int64_t)floor(a + 1e-6), n - 1), 0);
    *end = HLRP_MAX(HLRP_MIN((int64_t)ceil(b - 1e-6), n), *first + 1);
}

/* Σ value·area / Σ area over the finite values in [x0,x1) × [y0,y1), map pixels. */
static float mean_of(const hlrp_heat *h, double x0, double x1, double y0, double y1) {
    int64_t i0, i1, j0, j1;
    double sum = 0, area = 0;
    touched(x0, x1, h->map.w, &i0, &i1);
    touched(y0, y1, h->map.h, &j0, &j1);
    if (i1 - i0 == 1 && j1 - j0 == 1)
        return h->rows[(j0 - h->first) * h->map.w + i0];
    for (int64_t j = j0; j < j1; j++) {
        const double height = fmin(y1, (double)j + 1) - fmax(y0, (double)j);
        const float *row = h->rows + (j - h->first) * h->map.w;
        for (int64_t i = i0; i < i1; i++)
            if (isfinite(row[i])) {
                const double part = height * (fmin(x1, (double)i + 1) - fmax(x0, (double)i));
                sum += row[i] * part;
                area += part;
            }
    }
    return area > 0 ? (float)(sum / area) : NAN;
}

hlrp_status hlrp_heat_read(hlrp_heat *h, int64_t y0, int64_t rows, int64_t width, float *values,
                           hlrp_error *err) {
    int64_t first, end;
    touched((double)y0 * h->ratio_y, (double)(y0 + rows) * h->ratio_y, h->map.h, &first, &end);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_grow(&h->rows, &h->room, (end - first) * h->map.w, sizeof *h->rows, err));
    HLRP_TRY(hlrp_shown_read(h->shown, first, end - first, h->rows, err));
    h->first = first;
    for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < width; x++)
            values[y * width + x] =
                mean_of(h, (double)x * h->ratio_x, (double)(x + 1) * h->ratio_x,
                        (double)(y0 + y) * h->ratio_y, (double)(y0 + y + 1) * h->ratio_y);
out:
    return status;
}

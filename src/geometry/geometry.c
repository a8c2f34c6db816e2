#include "geometry/geometry.h"

#include <math.h>

/* How far from an integer an edge may lie and still count as on it, in pixels. */
#define EDGE 1e-6

/* Beyond this a double no longer tells neighboring pixels apart, and casts stay defined. */
#define FAR 4503599627370496.0 /* 2^52 */

static int64_t to_pixel(double v) {
    if (!(v > -FAR))
        return -(int64_t)FAR;
    return v < FAR ? (int64_t)v : (int64_t)FAR;
}

hlrp_irect hlrp_rect_cover(hlrp_rect r) {
    hlrp_irect c = {0, 0, 0, 0};
    c.x = to_pixel(floor(r.x + EDGE));
    c.y = to_pixel(floor(r.y + EDGE));
    if (!(r.w > 0) || !(r.h > 0))
        return c;
    c.w = HLRP_MAX(to_pixel(ceil(r.x + r.w - EDGE)) - c.x, 0);
    c.h = HLRP_MAX(to_pixel(ceil(r.y + r.h - EDGE)) - c.y, 0);
    return c;
}

hlrp_irect hlrp_rect_round(hlrp_rect r) {
    int64_t x = to_pixel(floor(r.x + 0.5)), y = to_pixel(floor(r.y + 0.5));
    int64_t x1 = to_pixel(floor(r.x + r.w + 0.5)), y1 = to_pixel(floor(r.y + r.h + 0.5));
    return (hlrp_irect){x, y, x1 - x, y1 - y};
}

hlrp_rect hlrp_rect_scale(hlrp_rect r, double downsample_x, double downsample_y) {
    return (hlrp_rect){r.x / downsample_x, r.y / downsample_y, r.w / downsample_x,
                       r.h / downsample_y};
}

hlrp_rect hlrp_rect_intersect(hlrp_rect a, hlrp_rect b) {
    double x = fmax(a.x, b.x), y = fmax(a.y, b.y);
    double w = fmin(a.x + a.w, b.x + b.w) - x, h = fmin(a.y + a.h, b.y + b.h) - y;
    if (!(w > 0) || !(h > 0))
        return (hlrp_rect){x, y, 0, 0};
    return (hlrp_rect){x, y, w, h};
}

/* a + b, held at the ends of the range. */
static int64_t add_clamped(int64_t a, int64_t b) {
    int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum))
        return b > 0 ? INT64_MAX : INT64_MIN;
    return sum;
}

hlrp_irect hlrp_irect_intersect(hlrp_irect a, hlrp_irect b) {
    int64_t x = HLRP_MAX(a.x, b.x), y = HLRP_MAX(a.y, b.y);
    int64_t x1 = HLRP_MIN(add_clamped(a.x, a.w), add_clamped(b.x, b.w));
    int64_t y1 = HLRP_MIN(add_clamped(a.y, a.h), add_clamped(b.y, b.h));
    if (x1 <= x || y1 <= y)
        return (hlrp_irect){x, y, 0, 0};
    return (hlrp_irect){x, y, x1 - x, y1 - y};
}

double hlrp_rect_outside(hlrp_rect r, hlrp_size slide) {
    if (!(r.w > 0) || !(r.h > 0))
        return 1;
    double w = hlrp_overlap(r.x, r.x + r.w, 0, (double)slide.w);
    double h = hlrp_overlap(r.y, r.y + r.h, 0, (double)slide.h);
    return fmin(fmax(1 - (w / r.w) * (h / r.h), 0), 1);
}

double hlrp_overlap(double a0, double a1, double b0, double b1) {
    return fmax(fmin(a1, b1) - fmax(a0, b0), 0);
}

int64_t hlrp_ceil_div(int64_t a, int64_t b) {
    return a / b + (a % b != 0);
}

/* How many tiles a step apart start before `length`; a start within EDGE of it is past it.
 * Negative where the number does not fit. */
static int64_t count_starts(int64_t length, int64_t stride, double r) {
    double end = (double)length - EDGE;
    double guess = ceil(end / ((double)stride * r));
    if (!(guess < FAR && guess * (double)stride < 0x1p62))
        return -1;
    int64_t n = HLRP_MAX((int64_t)guess, 1);
    /* The division is rounded, and hlrp_grid_tile multiplies: it has the last word. */
    while (n > 1 && (double)((n - 1) * stride) * r >= end)
        n--;
    while ((double)(n * stride) * r < end)
        n++;
    return n;
}

static hlrp_status check_frame(const hlrp_grid *grid, hlrp_mpp mpp_slide, double mpp_model,
                               double overlap, hlrp_error *err) {
    if (!(overlap >= 0 && overlap < 1))
        return hlrp_fail(err, HLRP_E_CONFIG, "[tiles] overlap", "use 0 to less than 1",
                         "an overlap of %g cannot be used", overlap);
    if (grid->size < 1 || grid->size > INT32_MAX)
        return hlrp_fail(err, HLRP_E_CONFIG, "[tiles] size", "use at least 1, usually 224 to 1024",
                         "a tile size of %lld pixels cannot be used", (long long)grid->size);
    if (!(isfinite(mpp_model) && mpp_model > 0))
        return hlrp_fail(err, HLRP_E_CONFIG, "[model] mpp", "give µm per pixel, for example 0.5",
                         "a model resolution of %g µm per pixel cannot be used", mpp_model);
    if (!(isfinite(mpp_slide.x) && mpp_slide.x > 0 && isfinite(mpp_slide.y) && mpp_slide.y > 0))
        return hlrp_fail(
            err, HLRP_E_CONFIG, "[slide:NAME] mpp", "give µm per pixel, for example 0.25",
            "a slide resolution of %g × %g µm per pixel cannot be used", mpp_slide.x, mpp_slide.y);
    double span = (double)grid->size * fmax(grid->r_x, grid->r_y);
    if (!(span < 0x1p40))
        return hlrp_fail(err, HLRP_E_CONFIG, "[tiles] size, [model] mpp",
                         "check the size and both resolutions",
                         "a tile would cover %g level-0 pixels", span);
    return HLRP_OK;
}

hlrp_status hlrp_grid_init(hlrp_grid *grid, hlrp_size slide, hlrp_mpp mpp_slide, double mpp_model,
                           int64_t size, double overlap, hlrp_error *err) {
    *grid = (hlrp_grid){.slide = slide, .size = size};
    grid->r_x = mpp_model / mpp_slide.x;
    grid->r_y = mpp_model / mpp_slide.y;
    hlrp_status status = check_frame(grid, mpp_slide, mpp_model, overlap, err);
    if (status != HLRP_OK)
        return status;
    if (slide.w < 1 || slide.h < 1 || (double)slide.w > FAR || (double)slide.h > FAR)
        return hlrp_fail(err, HLRP_E_INPUT, NULL, "check the slide with `histolrp inspect`",
                         "a slide of %lld × %lld pixels cannot be used", (long long)slide.w,
                         (long long)slide.h);
    grid->stride = HLRP_MAX((int64_t)round((double)size * (1 - overlap)), 1);
    grid->nx = count_starts(slide.w, grid->stride, grid->r_x);
    grid->ny = count_starts(slide.h, grid->stride, grid->r_y);
    int64_t count = 0;
    if (grid->nx < 0 || grid->ny < 0 || !hlrp_mul_size(grid->nx, grid->ny, &count) ||
        count >= (int64_t)1 << 62)
        return hlrp_fail(err, HLRP_E_MEMORY, "[tiles] size, overlap", "use larger steps",
                         "the number of tiles does not fit in 62 bits");
    return HLRP_OK;
}

int64_t hlrp_grid_count(const hlrp_grid *grid) {
    return grid->nx * grid->ny;
}

hlrp_status hlrp_grid_scatter(hlrp_grid *grid, hlrp_size slide, const double *corners,
                              int64_t count, double extent, int64_t size, hlrp_error *err) {
    const double r = extent / (double)size;
    *grid = (hlrp_grid){.slide = slide,
                        .r_x = r,
                        .r_y = r,
                        .size = size,
                        .stride = size,
                        .nx = count,
                        .ny = 1,
                        .corners = corners};
    for (int64_t i = 0; i < 2 * count; i++)
        if (!(fabs(corners[i]) < 0x1p40))
            return hlrp_fail(err, HLRP_E_INPUT, NULL, "give them in pixels of level 0",
                             "tile %lld lies at %g", (long long)(i / 2), corners[i]);
    return HLRP_OK;
}

hlrp_rect hlrp_grid_tile(const hlrp_grid *grid, int64_t number) {
    if (grid->corners)
        return (hlrp_rect){grid->corners[2 * number], grid->corners[2 * number + 1],
                           (double)grid->size * grid->r_x, (double)grid->size * grid->r_y};
    int64_t i = number % grid->nx, j = number / grid->nx;
    return (hlrp_rect){(double)(i * grid->stride) * grid->r_x,
                       (double)(j * grid->stride) * grid->r_y, (double)grid->size * grid->r_x,
                       (double)grid->size * grid->r_y};
}

hlrp_patch hlrp_grid_patch(const hlrp_grid *grid, int64_t number) {
    return (hlrp_patch){hlrp_grid_tile(grid, number), {grid->size, grid->size}};
}

/* Row j of tiles covers level-0 rows from j·step on. One row of tiles to spare at either side is
 * cheaper than an argument about rounding. */
void hlrp_grid_rows(const hlrp_grid *grid, double top, double bottom, int64_t *first,
                    int64_t *end) {
    *first = 0;
    *end = hlrp_grid_count(grid);
    if (grid->corners)
        return;
    const double step = (double)grid->stride * grid->r_y, extent = (double)grid->size * grid->r_y;
    const double lo = floor((top - extent) / step) - 1.0, hi = ceil(bottom / step) + 1.0;
    *first = (lo <= 0.0 ? 0 : HLRP_MIN((int64_t)lo, grid->ny)) * grid->nx;
    *end = (hi >= (double)grid->ny ? grid->ny : (int64_t)hi) * grid->nx;
}

hlrp_size hlrp_map_size(hlrp_size slide, int64_t downsample) {
    return (hlrp_size){hlrp_ceil_div(slide.w, downsample), hlrp_ceil_div(slide.h, downsample)};
}

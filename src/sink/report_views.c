/* Pictures of a slide's fragment: small enough for hundreds of them on a page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sink/backdrop.h"
#include "sink/heat.h"
#include "sink/html.h"
#include "sink/report_parts.h"
#include "stitch/colormap.h"
#include "stitch/limit.h"

#define DEFAULT_COLORMAP "vik"
#define DEFAULT_PERCENTILE 99.5
#define VIEW_SIDE 560
#define REGIONS_SIDE 400
#define QUALITY 78
#define OPACITY 0.75
#define BAR_STOPS 20

double hlrp_report_scale(const hlrp_result_info *info) {
    const double side = (double)HLRP_MAX(info->slide.w, info->slide.h);
    return fmax(side / VIEW_SIDE, 1);
}

static hlrp_size view_size(const hlrp_result_info *info) {
    const double f = hlrp_report_scale(info);
    return (hlrp_size){HLRP_MAX((int64_t)ceil((double)info->slide.w / f - 1e-6), 1),
                       HLRP_MAX((int64_t)ceil((double)info->slide.h / f - 1e-6), 1)};
}

/* ---- the thumbnail with regions ---- */

static void mean_box(const hlrp_image *from, hlrp_irect box, uint8_t rgb[3]) {
    double sum[3] = {0, 0, 0};
    for (int64_t y = box.y; y < box.y + box.h; y++)
        for (int64_t x = box.x; x < box.x + box.w; x++)
            for (int c = 0; c < 3; c++)
                sum[c] += from->data[3 * (y * from->width + x) + c];
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lround(sum[c] / (double)(box.w * box.h));
}

/* Means of the boxes that the smaller picture's pixels cover. */
static hlrp_status shrink(const hlrp_image *from, int64_t side, hlrp_image *to, hlrp_error *err) {
    const double f = fmax((double)HLRP_MAX(from->width, from->height) / (double)side, 1);
    hlrp_status status = hlrp_image_init(to, HLRP_MAX((int64_t)((double)from->width / f), 1),
                                         HLRP_MAX((int64_t)((double)from->height / f), 1), 3, err);
    for (int64_t y = 0; status == HLRP_OK && y < to->height; y++)
        for (int64_t x = 0; x < to->width; x++) {
            const int64_t x0 = x * from->width / to->width, y0 = y * from->height / to->height;
            const int64_t x1 = (x + 1) * from->width / to->width;
            const int64_t y1 = (y + 1) * from->height / to->height;
            mean_box(from, (hlrp_irect){x0, y0, HLRP_MAX(x1 - x0, 1), HLRP_MAX(y1 - y0, 1)},
                     to->data + 3 * (y * to->width + x));
        }
    return status;
}

static hlrp_status add_regions(const hlrp_report_input *in, hlrp_str *s, hlrp_error *err) {
    hlrp_image whole = {0}, small = {0};
    hlrp_status status = HLRP_OK;
    if (!in->regions)
        return HLRP_OK;
    HLRP_TRY(hlrp_image_read(in->regions, &whole, err));
    HLRP_TRY(shrink(&whole, REGIONS_SIDE, &small, err));
    hlrp_str_add(s, "<figure class=\"regions\">");
    HLRP_TRY(hlrp_html_image(s, &small, QUALITY, "The slide with its regions and tiles", err));
    hlrp_str_add(s, "<figcaption>Regions: outlined in blue; tiles in green. What is faded was not "
                    "looked at.</figcaption></figure>");
out:
    hlrp_image_free(&whole);
    hlrp_image_free(&small);
    return status;
}

/* ---- the overlay ---- */

typedef struct view {
    hlrp_image picture;
    float *values; /* [h][w] */
    double limit;
    hlrp_colormap colors;
} view;

static hlrp_status choose_limit(const hlrp_report_input *in, view *v, hlrp_error *err) {
    const int64_t count = v->picture.width * v->picture.height;
    const double percentile = in->sink.percentile > 0 ? in->sink.percentile : DEFAULT_PERCENTILE;
    hlrp_limit *limit = NULL;
    v->limit = in->picture_limit;
    if (v->limit > 0)
        return HLRP_OK;
    const hlrp_status status = hlrp_limit_new(percentile, &limit, err);
    if (status != HLRP_OK)
        return status;
    hlrp_limit_add(limit, v->values, count);
    hlrp_limit_second_pass(limit);
    hlrp_limit_add(limit, v->values, count);
    v->limit = hlrp_limit_value(limit);
    hlrp_limit_free(limit);
    return HLRP_OK;
}

/* Bands: neither slide nor map is asked for more rows at once than it likes. */
static hlrp_status read_view(const hlrp_report_input *in, double f, view *v, hlrp_error *err) {
    const int64_t w = v->picture.width, h = v->picture.height;
    hlrp_backdrop *backdrop = NULL;
    hlrp_heat *heat = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_backdrop_new(in->sink.slide, f, f, &backdrop, err));
    HLRP_TRY(hlrp_heat_new(in->sink.result, in->sink.plane, f, f, &heat, err));
    const int64_t band = hlrp_backdrop_rows(backdrop);
    for (int64_t y = 0; y < h; y += band) {
        const int64_t rows = HLRP_MIN(band, h - y);
        HLRP_TRY(hlrp_backdrop_read(backdrop, y, rows, w, v->picture.data + 3 * y * w, err));
        HLRP_TRY(hlrp_heat_read(heat, y, rows, w, v->values + y * w, err));
    }
out:
    hlrp_heat_free(heat);
    hlrp_backdrop_free(backdrop);
    return status;
}

static void color_view(view *v) {
    for (int64_t i = 0; i < v->picture.width * v->picture.height; i++) {
        const double t = v->limit > 0 ? v->values[i] / v->limit : 0;
        const double alpha = hlrp_colormap_alpha(t, OPACITY);
        const uint8_t *color = hlrp_colormap_at(&v->colors, t);
        uint8_t *rgb = v->picture.data + 3 * i;
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)lround(rgb[c] + alpha * ((double)color[c] - rgb[c]));
    }
}

/* 1, 2 or 5 times a power of ten: at most a quarter of the width. */
static double round_length(double um) {
    const double power = pow(10, floor(log10(um / 4)));
    const double digit = um / 4 / power;
    return power * (digit >= 5 ? 5 : digit >= 2 ? 2 : 1);
}

static void add_scale_bar(hlrp_str *s, double width_um) {
    const double um = round_length(width_um);
    hlrp_str_addf(s, "<span class=\"scale\" style=\"width:%.4f%%\"><span>", 100 * um / width_um);
    hlrp_html_number(s, um >= 1000 ? um / 1000 : um);
    hlrp_str_add(s, um >= 1000 ? " mm</span></span>" : " µm</span></span>");
}

static void add_color_bar(hlrp_str *s, const view *v, const char *class_name) {
    hlrp_str_add(s, "<span class=\"colors\"><span>against ");
    hlrp_html_number(s, -v->limit);
    hlrp_str_add(s,
                 "</span><span class=\"ramp\" role=\"img\" aria-label=\"color bar: blue against, "
                 "white none, red for\" style=\"background:linear-gradient(90deg");
    for (int i = 0; i <= BAR_STOPS; i++) {
        const uint8_t *c = hlrp_colormap_at(&v->colors, 2.0 * i / BAR_STOPS - 1);
        hlrp_str_addf(s, ",#%02x%02x%02x", c[0], c[1], c[2]);
    }
    hlrp_str_add(s, ")\"></span><span>+");
    hlrp_html_number(s, v->limit);
    hlrp_str_add(s, " for ");
    hlrp_html_text(s, class_name);
    hlrp_str_add(s, "</span></span>");
}

static hlrp_status add_view(const hlrp_report_input *in, const view *v, double f, hlrp_str *s,
                            hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    const char *class_name = info->plane_names[in->sink.plane];
    hlrp_str alt = {0};
    hlrp_str_addf(&alt, "The slide under its relevance for %s", class_name);
    hlrp_str_add(s, "<figure class=\"overlay\"><span class=\"frame\">");
    const hlrp_status status =
        hlrp_html_image(s, &v->picture, QUALITY, alt.text ? alt.text : "", err);
    add_scale_bar(s, (double)v->picture.width * f * info->mpp.x);
    hlrp_str_add(s, "</span><figcaption>");
    add_color_bar(s, v, class_name);
    hlrp_str_add(s, "Mean ");
    hlrp_html_text(s, in->sink.unit ? in->sink.unit : "relevance");
    hlrp_str_add(s, " at this size; full color: ");
    hlrp_str_add(s, in->picture_limit > 0 ? HLRP_LIMIT_OF_BATCH : HLRP_LIMIT_OF_SLIDE);
    hlrp_str_add(s, ".</figcaption></figure>");
    hlrp_str_free(&alt);
    return status;
}

static hlrp_status add_overlay(const hlrp_report_input *in, hlrp_str *s, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    const double f = hlrp_report_scale(info);
    const char *colormap = in->sink.colormap ? in->sink.colormap : DEFAULT_COLORMAP;
    view v = {0};
    hlrp_status status = HLRP_OK;
    const int64_t w = view_size(info).w, h = view_size(info).h;
    HLRP_TRY(hlrp_colormap_init(&v.colors, colormap, err));
    HLRP_TRY(hlrp_image_init(&v.picture, w, h, 3, err));
    HLRP_TRY(hlrp_calloc(&v.values, w * h, sizeof *v.values, "a small map", err));
    HLRP_TRY(read_view(in, f, &v, err));
    HLRP_TRY(choose_limit(in, &v, err));
    color_view(&v);
    status = add_view(in, &v, f, s, err);
out:
    hlrp_image_free(&v.picture);
    free(v.values);
    return status;
}

hlrp_status hlrp_report_add_limit(hlrp_result *result, int64_t plane, hlrp_limit *limit,
                                  hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(result);
    const hlrp_size size = view_size(info);
    const double f = hlrp_report_scale(info);
    hlrp_heat *heat = NULL;
    float *row = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_heat_new(result, plane, f, f, &heat, err));
    HLRP_TRY(hlrp_calloc(&row, size.w, sizeof *row, "a small map", err));
    for (int64_t y = 0; y < size.h; y++) {
        HLRP_TRY(hlrp_heat_read(heat, y, 1, size.w, row, err));
        hlrp_limit_add(limit, row, size.w);
    }
out:
    hlrp_heat_free(heat);
    free(row);
    return status;
}

hlrp_status hlrp_report_views(const hlrp_report_input *in, hlrp_str *s, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_str_add(s, "<div class=\"views\">");
    HLRP_TRY(add_regions(in, s, err));
    HLRP_TRY(add_overlay(in, s, err));
    hlrp_str_add(s, "</div>\n");
out:
    return status;
}

/* Pictures of a slide's fragment: small enough for hundreds of them on a page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sink/backdrop.h"
#include "sink/heat.h"
#include "sink/html.h"
#include "sink/report_parts.h"
#include "stitch/colormap.h"

#define DEFAULT_COLORMAP "vik"
#define VIEW_SIDE 560
#define REGIONS_SIDE 400
#define QUALITY 78
#define OPACITY 0.9
#define PALE                                                                                       \
    0.55 /* share of the tissue's darkness that stays, in grey: the heat is all the color */
#define BAR_STOPS 20

static double view_scale(const hlrp_result_info *info) {
    const double side = (double)HLRP_MAX(info->slide.w, info->slide.h);
    return fmax(side / VIEW_SIDE, 1);
}

static hlrp_size view_size(const hlrp_result_info *info) {
    const double f = view_scale(info);
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
    hlrp_str_addf(s,
                  "<figcaption>Regions: outlined in blue; tiles in green%s. What is faded was not "
                  "looked at.</figcaption></figure>",
                  hlrp_result_facts(in->sink.result)->bag
                      ? ""
                      : ", hatched where they are not explained for the shown class");
out:
    hlrp_image_free(&whole);
    hlrp_image_free(&small);
    return status;
}

/* ---- the overlay, as overlay.tif looks from afar: means of its colors ---- */

typedef struct view {
    hlrp_image picture;
    double f;     /* level-0 pixels per pixel of the picture */
    int64_t fine; /* pixels that a pixel is the mean of, per axis: none is coarser than the map's */
    float *values; /* [fine][fine · width] */
    double limit;
    hlrp_colormap colors;
} view;

/* Mean of the fine pixels over the tissue in rgb, which turns pale grey. */
static void color_pixel(const view *v, int64_t x, uint8_t rgb[3]) {
    const int64_t width = v->picture.width * v->fine;
    double sum[3] = {0, 0, 0}, alphas = 0;
    for (int64_t j = 0; j < v->fine; j++)
        for (int64_t i = x * v->fine; i < (x + 1) * v->fine; i++) {
            const double t = v->limit > 0 ? v->values[j * width + i] / v->limit : 0;
            const double alpha = hlrp_colormap_alpha(t, OPACITY);
            const uint8_t *color = hlrp_colormap_at(&v->colors, t);
            alphas += alpha;
            for (int c = 0; c < 3; c++)
                sum[c] += alpha * color[c];
        }
    const double count = (double)(v->fine * v->fine);
    const double light = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2];
    const double base = 255 - PALE * (255 - light);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lround(base * (1 - alphas / count) + sum[c] / count);
}

static hlrp_status hatch_view(const hlrp_report_input *in, view *v, hlrp_error *err) {
    const hlrp_unexplained *u = &in->sink.unexplained;
    hlrp_hatch *hatch = NULL;
    hlrp_status status = HLRP_OK;
    if (!hlrp_unexplained_hatches(u))
        return HLRP_OK;
    HLRP_TRY(hlrp_hatch_new(in->sink.result, in->sink.plane, u, v->f, v->f, &hatch, err));
    status = hlrp_hatch_draw(hatch, 0, v->picture.height, v->picture.width, v->picture.data, err);
out:
    hlrp_hatch_free(hatch);
    return status;
}

static hlrp_status color_view(const hlrp_report_input *in, view *v, hlrp_error *err) {
    const int64_t w = v->picture.width;
    const double f = v->f / (double)v->fine;
    hlrp_heat *heat = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_heat_new(in->sink.result, in->sink.plane, in->sink.smoothing, f, f, &heat, err));
    for (int64_t y = 0; y < v->picture.height; y++) {
        HLRP_TRY(hlrp_heat_read(heat, y * v->fine, v->fine, w * v->fine, v->values, err));
        for (int64_t x = 0; x < w; x++)
            color_pixel(v, x, v->picture.data + 3 * (y * w + x));
    }
out:
    hlrp_heat_free(heat);
    return status;
}

static hlrp_status read_slide(hlrp_slide *slide, view *v, hlrp_error *err) {
    const int64_t w = v->picture.width, h = v->picture.height;
    hlrp_backdrop *backdrop = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_backdrop_new(slide, v->f, v->f, &backdrop, err));
    const int64_t band = hlrp_backdrop_rows(backdrop);
    for (int64_t y = 0; y < h; y += band)
        HLRP_TRY(hlrp_backdrop_read(backdrop, y, HLRP_MIN(band, h - y), w,
                                    v->picture.data + 3 * y * w, err));
out:
    hlrp_backdrop_free(backdrop);
    return status;
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
    hlrp_str_add(s, "</span><span class=\"ramp\" role=\"img\" aria-label=\"color bar: ");
    hlrp_str_addf(s, "%s against, white none, %s for\" style=\"background:linear-gradient(90deg",
                  hlrp_colormap_word(&v->colors, -1), hlrp_colormap_word(&v->colors, 1));
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

static hlrp_status add_view(const hlrp_report_input *in, const view *v, hlrp_str *s,
                            hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    const char *class_name = info->plane_names[in->sink.plane];
    hlrp_str alt = {0};
    hlrp_str_addf(&alt, "The slide under its relevance for %s", class_name);
    hlrp_str_add(s, "<figure class=\"overlay\"><span class=\"frame\">");
    const hlrp_status status =
        hlrp_html_image(s, &v->picture, QUALITY, alt.text ? alt.text : "", err);
    add_scale_bar(s, (double)v->picture.width * v->f * info->mpp.x);
    hlrp_str_add(s, "</span><figcaption>");
    if (v->limit > 0) {
        add_color_bar(s, v, class_name);
        hlrp_html_capital(s, in->sink.unit ? in->sink.unit : "relevance");
        hlrp_str_add(s, ", from afar, over pale tissue; full color: ");
        hlrp_str_add(s, hlrp_sink_limit_kind(&in->sink));
        hlrp_str_add(s, ".");
    }
    if (hlrp_unexplained_hatches(&in->sink.unexplained)) {
        hlrp_str_add(s, " Hatched: tiles that are not explained for ");
        hlrp_html_text(s, class_name);
        hlrp_str_add(s, ".");
    }
    hlrp_str_add(s, "</figcaption></figure>");
    hlrp_str_free(&alt);
    return status;
}

static hlrp_status add_overlay(const hlrp_report_input *in, hlrp_str *s, hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    const hlrp_size size = view_size(info);
    view v = {.f = view_scale(info)};
    hlrp_status status = HLRP_OK;
    v.fine = (int64_t)ceil(v.f / (double)info->downsample);
    HLRP_TRY(hlrp_colormap_init(&v.colors, in->sink.colormap ? in->sink.colormap : DEFAULT_COLORMAP,
                                err));
    HLRP_TRY(hlrp_sink_limit(&in->sink, &v.limit, err));
    HLRP_TRY(hlrp_image_init(&v.picture, size.w, size.h, 3, err));
    HLRP_TRY(hlrp_calloc(&v.values, size.w * v.fine * v.fine, sizeof *v.values, "a map", err));
    HLRP_TRY(read_slide(in->sink.slide, &v, err));
    HLRP_TRY(color_view(in, &v, err));
    HLRP_TRY(hatch_view(in, &v, err));
    status = add_view(in, &v, s, err);
out:
    hlrp_image_free(&v.picture);
    free(v.values);
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

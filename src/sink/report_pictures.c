#include "sink/report_pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sink/html.h"

#define DEFAULT_COLORMAP "vik"
#define QUALITY 80
#define OPACITY 0.9
#define PALE 0.45 /* share of the tissue's darkness that stays under the heatmap */

hlrp_status hlrp_tile_pictures_init(hlrp_tile_pictures *p, const hlrp_sink_input *in,
                                    hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    *p = (hlrp_tile_pictures){.in = in, .info = hlrp_result_facts(in->result)};
    HLRP_TRY(hlrp_sink_limit(in, &p->limit, err));
    HLRP_TRY(hlrp_colormap_init(&p->colors, in->colormap ? in->colormap : DEFAULT_COLORMAP, err));
    HLRP_TRY(hlrp_shown_new(in->result, in->plane, in->smoothing, &p->shown, err));
    HLRP_TRY(hlrp_image_init(&p->picture, HLRP_TILE_SIDE, HLRP_TILE_SIDE, 3, err));
    status = hlrp_image_init(&p->heat, HLRP_TILE_SIDE, HLRP_TILE_SIDE, 3, err);
out:
    return status;
}

void hlrp_tile_pictures_free(hlrp_tile_pictures *p) {
    hlrp_image_free(&p->picture);
    hlrp_image_free(&p->heat);
    hlrp_shown_free(p->shown);
    free(p->pixels);
    free(p->rows);
}

static int64_t clamp(double at, int64_t n) {
    return HLRP_MAX(HLRP_MIN((int64_t)floor(at), n - 1), 0);
}

/* Mean of the level's pixels under pixel (x,y) of the picture. */
static void sample(const hlrp_tile_pictures *p, const hlrp_report_tile *t, hlrp_irect rect,
                   const double down[2], int64_t x, int64_t y, uint8_t rgb[3]) {
    const double sx = t->width / HLRP_TILE_SIDE / down[0],
                 sy = t->height / HLRP_TILE_SIDE / down[1];
    const double left = t->x / down[0] - (double)rect.x, top = t->y / down[1] - (double)rect.y;
    const int64_t x0 = clamp(left + (double)x * sx, rect.w);
    const int64_t y0 = clamp(top + (double)y * sy, rect.h);
    const int64_t x1 = HLRP_MAX(clamp(left + (double)(x + 1) * sx, rect.w), x0 + 1);
    const int64_t y1 = HLRP_MAX(clamp(top + (double)(y + 1) * sy, rect.h), y0 + 1);
    double sum[3] = {0, 0, 0};
    for (int64_t j = y0; j < HLRP_MIN(y1, rect.h); j++)
        for (int64_t i = x0; i < HLRP_MIN(x1, rect.w); i++)
            for (int c = 0; c < 3; c++)
                sum[c] += p->pixels[3 * (j * rect.w + i) + c];
    const double count = (double)((HLRP_MIN(y1, rect.h) - y0) * (HLRP_MIN(x1, rect.w) - x0));
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lround(sum[c] / fmax(count, 1));
}

hlrp_status hlrp_tile_pictures_tissue(hlrp_tile_pictures *p, const hlrp_report_tile *t,
                                      hlrp_error *err) {
    hlrp_slide *slide = p->in->slide;
    const int level =
        hlrp_slide_pick_level(slide, t->width / HLRP_TILE_SIDE, t->height / HLRP_TILE_SIDE);
    double down[2] = {1, 1};
    int64_t bytes = 0;
    hlrp_error unread = {0};
    hlrp_slide_downsample(slide, level, &down[0], &down[1]);
    const hlrp_irect rect = hlrp_rect_cover(
        hlrp_rect_scale((hlrp_rect){t->x, t->y, t->width, t->height}, down[0], down[1]));
    memset(p->picture.data, 255, 3 * HLRP_TILE_SIDE * HLRP_TILE_SIDE);
    if (rect.w < 1 || rect.h < 1 || !hlrp_mul_size(3 * rect.w, rect.h, &bytes))
        return HLRP_OK;
    const hlrp_status status = hlrp_grow(&p->pixels, &p->pixel_room, bytes, 1, err);
    if (status != HLRP_OK || hlrp_slide_read(slide, level, rect, p->pixels, &unread) != HLRP_OK)
        return status;
    for (int64_t y = 0; y < HLRP_TILE_SIDE; y++)
        for (int64_t x = 0; x < HLRP_TILE_SIDE; x++)
            sample(p, t, rect, down, x, y, p->picture.data + 3 * (y * HLRP_TILE_SIDE + x));
    return HLRP_OK;
}

/* Color of a value over the tissue's pale grey. */
static void color(const hlrp_tile_pictures *p, double value, const uint8_t under[3],
                  uint8_t rgb[3]) {
    const double t = p->limit > 0 && isfinite(value) ? value / p->limit : 0;
    const double alpha = hlrp_colormap_alpha(t, OPACITY);
    const uint8_t *tint = hlrp_colormap_at(&p->colors, t);
    const double light = 0.3 * under[0] + 0.59 * under[1] + 0.11 * under[2];
    const double base = 255 - PALE * (255 - light);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lround(base + alpha * (tint[c] - base));
}

hlrp_status hlrp_tile_pictures_heat(hlrp_tile_pictures *p, const hlrp_report_tile *t,
                                    hlrp_error *err) {
    const double s = (double)p->info->downsample;
    const hlrp_size map = p->info->map;
    const int64_t first = clamp(t->y / s, map.h);
    const int64_t end = clamp((t->y + t->height) / s, map.h) + 1;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_grow(&p->rows, &p->row_room, (end - first) * map.w, sizeof *p->rows, err));
    HLRP_TRY(hlrp_shown_read(p->shown, first, end - first, p->rows, err));
    for (int64_t y = 0; y < HLRP_TILE_SIDE; y++)
        for (int64_t x = 0; x < HLRP_TILE_SIDE; x++) {
            const int64_t at = 3 * (y * HLRP_TILE_SIDE + x);
            const int64_t j =
                clamp((t->y + ((double)y + 0.5) * t->height / HLRP_TILE_SIDE) / s, map.h);
            const int64_t i =
                clamp((t->x + ((double)x + 0.5) * t->width / HLRP_TILE_SIDE) / s, map.w);
            color(p, p->rows[(j - first) * map.w + i], p->picture.data + at, p->heat.data + at);
        }
out:
    return status;
}

hlrp_status hlrp_tile_pictures_add(const hlrp_image *image, const char *alt, hlrp_str *s,
                                   hlrp_error *err) {
    return hlrp_html_image(s, image, QUALITY, alt, err);
}

void hlrp_tile_pictures_place(const hlrp_tile_pictures *p, const hlrp_report_tile *t, hlrp_str *s) {
    hlrp_irect bounds = {0};
    double x = t->x + t->width / 2, y = t->y + t->height / 2;
    if (!p->in->full && hlrp_slide_bounds(p->in->slide, &bounds)) {
        x -= (double)bounds.x;
        y -= (double)bounds.y;
    }
    hlrp_str_addf(s,
                  "<code title=\"center in level-0 pixels, as QuPath counts them\">%.0f, %.0f"
                  "</code>",
                  x, y);
}

void hlrp_tile_pictures_legend(const hlrp_tile_pictures *p, const hlrp_report_tile *t,
                               hlrp_str *s) {
    hlrp_str_add(s, "Full color at ±");
    hlrp_html_number(s, p->limit);
    hlrp_str_add(s, " ");
    hlrp_html_text(s, p->in->unit ? p->in->unit : "relevance");
    hlrp_str_addf(s, " (%s). A tile is ", hlrp_sink_limit_kind(p->in));
    hlrp_html_number(s, t->width * p->info->mpp.x);
    hlrp_str_add(s, " µm wide. In QuPath&#39;s script editor <code>getCurrentViewer()"
                    ".setCenterPixelLocation(x, y)</code> goes to a place.");
}

#include "sink/tile_overlay.h"

#include <math.h>
#include <string.h>

#include "sink/label.h"
#include "stitch/colormap.h"

/* Small tiles are enlarged to at least this; the text below needs as much. */
enum { LEAST_SIDE = 256, BAR = 14, GAP = 8, SCALE = 2, LINE = (HLRP_LABEL_HEIGHT + 2) * SCALE };
#define OPACITY 0.9
#define PALE 0.6 /* share of the tissue's darkness that stays */

static void color(const hlrp_colormap *map, const uint8_t *under, double t, uint8_t *rgb) {
    const double alpha = hlrp_colormap_alpha(t, OPACITY);
    const uint8_t *tint = hlrp_colormap_at(map, t);
    const double light = 0.3 * under[0] + 0.59 * under[1] + 0.11 * under[2];
    const double base = 255 - PALE * (255 - light);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lround(base + alpha * (tint[c] - base));
}

static void draw_legend(hlrp_image *out, int64_t top, const hlrp_colormap *map, double limit,
                        const char *label) {
    static const uint8_t ink[3] = {28, 35, 48};
    char text[64];
    for (int64_t x = 0; x < out->width; x++)
        hlrp_label_fill(out, (hlrp_irect){x, top + GAP, 1, BAR},
                        hlrp_colormap_at(map, 2.0 * (double)x / (double)(out->width - 1) - 1));
    top += 2 * GAP + BAR;
    snprintf(text, sizeof text, "-%.2g", limit);
    hlrp_label_draw(out, 4, top, SCALE, ink, text);
    snprintf(text, sizeof text, "+%.2g", limit);
    hlrp_label_draw(out, out->width - hlrp_label_width(SCALE, text) - 2, top, SCALE, ink, text);
    top += LINE;
    hlrp_label_draw(out, 4, top, SCALE, ink, label);
    hlrp_label_draw(out, 4, top + LINE, SCALE, ink, "relevance per pixel");
}

hlrp_status hlrp_tile_overlay_write(const char *path, const hlrp_image *picture,
                                    const float *relevance, double limit, const char *colormap,
                                    const char *label, hlrp_error *err) {
    const int64_t side = HLRP_MIN(picture->width, picture->height);
    const int64_t f = HLRP_MAX(hlrp_ceil_div(LEAST_SIDE, side), 1);
    const int64_t legend = 2 * GAP + BAR + 3 * LINE + GAP;
    hlrp_colormap map;
    hlrp_image out = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_colormap_init(&map, colormap, err));
    HLRP_TRY(hlrp_image_init(&out, picture->width * f, picture->height * f + legend, 3, err));
    memset(out.data, 255, (size_t)(3 * out.width * out.height));
    for (int64_t y = 0; y < picture->height * f; y++)
        for (int64_t x = 0; x < out.width; x++) {
            const int64_t at = y / f * picture->width + x / f;
            color(&map, picture->data + 3 * at, limit > 0 ? (double)relevance[at] / limit : 0,
                  out.data + 3 * (y * out.width + x));
        }
    draw_legend(&out, picture->height * f, &map, limit, label);
    status = hlrp_png_write(path, &out, err);
out:
    hlrp_image_free(&out);
    return status;
}

#include "sink/panel.h"

#include <string.h>

#include "sink/label.h"

enum { CELL = 256, GAP = 20, HEAD = 62, FOOT = 86, BAR = 14, SCALE = 2 };

static const uint8_t ink[3] = {28, 35, 48}, soft[3] = {90, 100, 115}, paper[3] = {255, 255, 255};

/* The tile's pixel under pixel i of n in a cell. */
static int64_t under(int64_t i, int64_t n, int64_t size) {
    return (2 * i + 1) * size / (2 * n);
}

/* A tile that is not square keeps its shape. */
static hlrp_size shown_size(hlrp_size tile) {
    const double f = (double)CELL / (double)HLRP_MAX(tile.w, tile.h);
    return (hlrp_size){HLRP_MAX((int64_t)((double)tile.w * f), 1),
                       HLRP_MAX((int64_t)((double)tile.h * f), 1)};
}

static int64_t left_of(const hlrp_panel *p, int cell) {
    return GAP + (int64_t)(cell % p->columns) * (CELL + GAP);
}

static int64_t top_of(const hlrp_panel *p, int cell) {
    return (int64_t)(cell / p->columns) * (HEAD + CELL + FOOT);
}

/* y: from the cell's top. */
static void draw_text(hlrp_panel *p, int cell, int64_t y, const uint8_t rgb[3], const char *text) {
    char cut[CELL / (HLRP_LABEL_WIDTH * SCALE) + 1];
    snprintf(cut, sizeof cut, "%.*s", (int)sizeof cut - 1, text);
    hlrp_label_draw(&p->image, left_of(p, cell), top_of(p, cell) + y, SCALE, rgb, cut);
}

/* How to read the others. */
static void draw_key(hlrp_panel *p) {
    const int64_t top = HEAD + CELL + 8, line = 24;
    char text[64];
    draw_text(p, 0, top, soft, "relevance per pixel:");
    snprintf(text, sizeof text, "%s for the class,", hlrp_colormap_word(&p->colors, 1));
    draw_text(p, 0, top + line, soft, text);
    snprintf(text, sizeof text, "%s against it", hlrp_colormap_word(&p->colors, -1));
    draw_text(p, 0, top + 2 * line, soft, text);
}

void hlrp_panel_draw_tile(hlrp_panel *p, const hlrp_image *tile) {
    const hlrp_size size = shown_size((hlrp_size){tile->width, tile->height});
    char text[64];
    snprintf(text, sizeof text, "%lld x %lld px", (long long)tile->width, (long long)tile->height);
    draw_text(p, 0, GAP - 4, ink, "tile");
    draw_text(p, 0, GAP + 18, soft, text);
    draw_key(p);
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++)
            memcpy(p->image.data + 3 * ((HEAD + y) * p->image.width + left_of(p, 0) + x),
                   tile->data + 3 * (under(y, size.h, tile->height) * tile->width +
                                     under(x, size.w, tile->width)),
                   3);
}

static void draw_bar(hlrp_panel *p, int cell, double limit) {
    const int64_t top = HEAD + CELL + 8, down = top_of(p, cell) + top;
    char text[64];
    for (int64_t x = 0; x < CELL; x++)
        hlrp_label_fill(&p->image, (hlrp_irect){left_of(p, cell) + x, down, 1, BAR},
                        hlrp_colormap_at(&p->colors, 2.0 * (double)x / (CELL - 1) - 1));
    snprintf(text, sizeof text, "-%.2g", limit);
    draw_text(p, cell, top + BAR + 6, soft, text);
    snprintf(text, sizeof text, "+%.2g", limit);
    hlrp_label_draw(&p->image, left_of(p, cell) + CELL - hlrp_label_width(SCALE, text),
                    down + BAR + 6, SCALE, soft, text);
}

void hlrp_panel_draw_map(hlrp_panel *p, int cell, const hlrp_panel_map *map) {
    const hlrp_size size = shown_size(map->size);
    char text[64];
    draw_text(p, cell, GAP - 4, ink, map->label);
    snprintf(text, sizeof text, "for %s", map->class_name);
    draw_text(p, cell, GAP + 18, soft, text);
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++) {
            const float value = map->plane[under(y, size.h, map->size.h) * map->size.w +
                                           under(x, size.w, map->size.w)];
            memcpy(p->image.data +
                       3 * ((top_of(p, cell) + HEAD + y) * p->image.width + left_of(p, cell) + x),
                   hlrp_colormap_at(&p->colors, map->limit > 0 ? (double)value / map->limit : 0),
                   3);
        }
    draw_bar(p, cell, map->limit);
    snprintf(text, sizeof text, "sum %.3g from %.3g", map->sum, map->from);
    draw_text(p, cell, HEAD + CELL + 8 + BAR + 34, ink, text);
}

hlrp_status hlrp_panel_init(hlrp_panel *p, int rows, int columns, const char *colormap,
                            hlrp_error *err) {
    const int64_t width = GAP + (int64_t)columns * (CELL + GAP);
    const int64_t height = (int64_t)rows * (HEAD + CELL + FOOT);
    p->columns = columns;
    hlrp_status status = hlrp_colormap_init(&p->colors, colormap, err);
    if (status == HLRP_OK)
        status = hlrp_image_init(&p->image, width, height, 3, err);
    if (status == HLRP_OK)
        hlrp_label_fill(&p->image, (hlrp_irect){0, 0, width, height}, paper);
    return status;
}

/* regions.png: what was chosen, to be judged at a glance. Outside the region the slide is faded;
 * the region has an outline, chosen tiles have thin borders, pen and padding are tinted. */
#include <math.h>
#include <stdlib.h>

#include "image/image.h"
#include "region/region.h"

enum { MOST_SIDE = 2048, HATCH_SPACING = 6 };

typedef struct rgba {
    uint8_t r, g, b;
    double opacity;
} rgba;

static const rgba FADED = {255, 255, 255, 0.55};
static const rgba OUTLINE = {0, 60, 255, 1};
static const rgba TILE = {0, 110, 60, 0.55};
static const rgba PEN = {255, 120, 0, 0.6};
/* Dark on what is light and light on what is dark: tissue is both. */
static const rgba DARK_HATCH = {40, 40, 40, 0.5}, LIGHT_HATCH = {235, 235, 235, 0.5};
enum { LIGHT_FROM = 150 };
static const rgba PADDING = {90, 90, 90, 0.6};

typedef struct canvas {
    hlrp_image image;
    hlrp_size size;
    double down_x, down_y; /* level-0 pixels per pixel */
    const hlrp_mask *mask; /* NULL: all of the slide is region */
} canvas;

static void blend(const canvas *c, int64_t x, int64_t y, rgba color) {
    if (x < 0 || y < 0 || x >= c->size.w || y >= c->size.h)
        return;
    uint8_t *p = c->image.data + 3 * (y * c->size.w + x);
    const uint8_t to[3] = {color.r, color.g, color.b};
    for (int i = 0; i < 3; i++)
        p[i] = (uint8_t)lround(p[i] + color.opacity * (to[i] - p[i]));
}

/* The kind of the cell under the middle of a pixel; glass outside. */
static int kind_at(const canvas *c, int64_t x, int64_t y) {
    const hlrp_mask *m = c->mask;
    int64_t i = (int64_t)floor(((double)x + 0.5) * c->down_x / m->cell_w);
    int64_t j = (int64_t)floor(((double)y + 0.5) * c->down_y / m->cell_h);
    return i < 0 || j < 0 || i >= m->w || j >= m->h ? HLRP_CELL_GLASS : m->kind[j * m->w + i];
}

static bool is_tissue(const canvas *c, int64_t x, int64_t y) {
    return kind_at(c, x, y) == HLRP_CELL_TISSUE;
}

/* Tissue next to anything else. */
static bool is_outline(const canvas *c, int64_t x, int64_t y) {
    return is_tissue(c, x, y) && (!is_tissue(c, x - 1, y) || !is_tissue(c, x + 1, y) ||
                                  !is_tissue(c, x, y - 1) || !is_tissue(c, x, y + 1));
}

static void draw_mask(const canvas *c) {
    for (int64_t y = 0; y < c->size.h; y++) {
        for (int64_t x = 0; x < c->size.w; x++) {
            int kind = kind_at(c, x, y);
            if (kind == HLRP_CELL_GLASS)
                blend(c, x, y, FADED);
            else if (kind == HLRP_CELL_PEN)
                blend(c, x, y, PEN);
            else if (kind == HLRP_CELL_PADDING)
                blend(c, x, y, PADDING);
            else if (is_outline(c, x, y))
                blend(c, x, y, OUTLINE);
        }
    }
}

/* The border of a tile; a tile of under 8 pixels is one dot, or the picture would be all border. */
static void draw_tile(const canvas *c, hlrp_rect tile) {
    hlrp_irect r = hlrp_rect_round(hlrp_rect_scale(tile, c->down_x, c->down_y));
    int64_t x1 = HLRP_MIN(r.x + r.w, c->size.w) - 1, y1 = HLRP_MIN(r.y + r.h, c->size.h) - 1;
    if (r.w < 8 || r.h < 8) {
        blend(c, r.x + r.w / 2, r.y + r.h / 2, TILE);
        return;
    }
    for (int64_t x = r.x; x <= x1; x++) {
        blend(c, x, r.y, TILE);
        blend(c, x, y1, TILE);
    }
    for (int64_t y = r.y + 1; y < y1; y++) {
        blend(c, r.x, y, TILE);
        blend(c, x1, y, TILE);
    }
}

static bool is_light(const canvas *c, int64_t x, int64_t y) {
    const uint8_t *p = c->image.data + 3 * (y * c->size.w + x);
    return p[0] + p[1] + p[2] > 3 * LIGHT_FROM;
}

/* Diagonal lines, which meet those of the next tile. A line that two overlapping tiles have is drawn
 * once: `drawn` says which pixels are. */
static void hatch_tile(const canvas *c, hlrp_rect tile, uint8_t *drawn) {
    const hlrp_irect r = hlrp_rect_round(hlrp_rect_scale(tile, c->down_x, c->down_y));
    for (int64_t y = HLRP_MAX(r.y, 0); y < HLRP_MIN(r.y + r.h, c->size.h); y++)
        for (int64_t x = HLRP_MAX(r.x, 0); x < HLRP_MIN(r.x + r.w, c->size.w); x++) {
            uint8_t *once = &drawn[y * c->size.w + x];
            if ((x + y) % HATCH_SPACING == 0 && !*once)
                blend(c, x, y, is_light(c, x, y) ? DARK_HATCH : LIGHT_HATCH);
            *once = 1;
        }
}

static hlrp_status hatch_tiles(const canvas *c, const hlrp_grid *grid, const int64_t *tiles,
                               int64_t count, const uint8_t *hatched, hlrp_error *err) {
    uint8_t *drawn = NULL;
    const hlrp_status status =
        hatched ? hlrp_calloc(&drawn, c->size.w * c->size.h, 1, "hatching", err) : HLRP_OK;
    for (int64_t i = 0; status == HLRP_OK && hatched && i < count; i++)
        if (hatched[i])
            hatch_tile(c, hlrp_grid_tile(grid, tiles[i]), drawn);
    free(drawn);
    return status;
}

hlrp_status hlrp_region_picture(hlrp_slide *slide, const hlrp_region *region, const hlrp_grid *grid,
                                const int64_t *tiles, int64_t tile_count, const uint8_t *hatched,
                                const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    double down = hlrp_slide_overview_factor(slide, MOST_SIDE);
    canvas c = {.down_x = down, .down_y = down, .mask = hlrp_region_mask(region)};
    HLRP_TRY(hlrp_slide_overview(slide, down, down, &c.size, &c.image.data, NULL, err));
    c.image.width = c.size.w;
    c.image.height = c.size.h;
    c.image.channels = 3;
    if (c.mask)
        draw_mask(&c);
    HLRP_TRY(hatch_tiles(&c, grid, tiles, tile_count, hatched, err));
    for (int64_t i = 0; i < tile_count; i++)
        draw_tile(&c, hlrp_grid_tile(grid, tiles[i]));
    HLRP_TRY(hlrp_png_write(path, &c.image, err));
out:
    hlrp_image_free(&c.image);
    return status;
}

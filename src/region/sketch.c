/* Rasters for pictures of regions that have none, and names of files per slide. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/layer.h"

/* The longer side of a sketch in cells: that of regions.png. */
enum { MOST_CELLS = 2048 };

typedef struct sketch {
    const hlrp_layer_ops *ops;
    const void *layer;
    hlrp_size slide;
    hlrp_mask *mask;
    uint8_t *kind;
} sketch;

static hlrp_rect place_of(const sketch *s, hlrp_irect cells) {
    const double w = s->mask->cell_w, h = s->mask->cell_h;
    const hlrp_rect all = {0, 0, (double)s->slide.w, (double)s->slide.h};
    return hlrp_rect_intersect((hlrp_rect){(double)cells.x * w, (double)cells.y * h,
                                           (double)cells.w * w, (double)cells.h * h},
                               all);
}

/* Halves blocks of cells until one is all in, all out, or a cell. */
static void fill(const sketch *s, hlrp_irect cells) {
    const hlrp_rect place = place_of(s, cells);
    const double whole = place.w * place.h;
    if (!(whole > 0))
        return;
    const double area = s->ops->area(s->layer, place), crumb = HLRP_SHARE_CRUMB * whole;
    if (area <= crumb)
        return;
    if (area >= whole - crumb || (cells.w == 1 && cells.h == 1)) {
        for (int64_t y = cells.y; 2 * area >= whole && y < cells.y + cells.h; y++)
            memset(s->kind + y * s->mask->w + cells.x, HLRP_CELL_TISSUE, (size_t)cells.w);
        return;
    }
    hlrp_irect low = cells, high = cells;
    if (cells.w >= cells.h) {
        low.w = cells.w / 2;
        high.x += low.w;
        high.w -= low.w;
    } else {
        low.h = cells.h / 2;
        high.y += low.h;
        high.h -= low.h;
    }
    fill(s, low);
    fill(s, high);
}

hlrp_status hlrp_sketch_new(hlrp_size slide, hlrp_mask *out, uint8_t **kind, hlrp_error *err) {
    const double cell = HLRP_MAX(1, (double)HLRP_MAX(slide.w, slide.h) / MOST_CELLS);
    *out = (hlrp_mask){.w = HLRP_MAX((int64_t)ceil((double)slide.w / cell - 1e-9), 1),
                       .h = HLRP_MAX((int64_t)ceil((double)slide.h / cell - 1e-9), 1),
                       .cell_w = cell,
                       .cell_h = cell};
    const hlrp_status status =
        hlrp_calloc(kind, out->w * out->h, 1, "a picture of the region", err);
    out->kind = *kind;
    return status;
}

hlrp_status hlrp_layer_sketch(const hlrp_layer_ops *ops, const void *layer, hlrp_size slide,
                              hlrp_mask *out, uint8_t **kind, hlrp_error *err) {
    const hlrp_status status = hlrp_sketch_new(slide, out, kind, err);
    const sketch s = {ops, layer, slide, out, *kind};
    if (status == HLRP_OK)
        fill(&s, (hlrp_irect){0, 0, out->w, out->h});
    return status;
}

/* ---- names ---- */

static hlrp_status folder_of(const char *path, char **out, hlrp_error *err) {
    const char *name = hlrp_path_name(path);
    size_t n = (size_t)(name - path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    return n == 0 ? hlrp_format(out, err, ".") : hlrp_format(out, err, "%.*s", (int)n, path);
}

hlrp_status hlrp_region_expand_pattern(const char *pattern, const char *slide_path, char **out,
                                       hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_str text = {0};
    char *folder = NULL, *stem = NULL;
    HLRP_TRY(folder_of(slide_path, &folder, err));
    HLRP_TRY(hlrp_path_stem(slide_path, &stem, err));
    for (const char *p = pattern; *p;) {
        const char *word = strncmp(p, "{dir}", 5) == 0    ? folder
                           : strncmp(p, "{stem}", 6) == 0 ? stem
                                                          : NULL;
        if (!word && *p == '{' && strchr(p, '}')) {
            status = hlrp_fail(err, HLRP_E_CONFIG, pattern, "use {dir} and {stem}",
                               "%.*s stands for nothing", (int)(strchr(p, '}') - p + 1), p);
            goto out;
        }
        if (word)
            hlrp_str_add(&text, word);
        else
            hlrp_str_addn(&text, p, 1);
        p += word == folder ? 5 : word ? 6 : 1;
    }
    status = hlrp_format(out, err, "%s", text.text ? text.text : "");
out:
    hlrp_str_free(&text);
    free(folder);
    free(stem);
    return status;
}

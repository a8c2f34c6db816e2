/* The region object, and its two kinds: everything, and a raster. */
#include "region/region.h"

#include <stdlib.h>

#include "region/layer.h"

/* Shares of a slide that tissue hardly ever covers: more, or less. */
#define MOST_SHARE 0.95
#define LEAST_SHARE 0.001

struct hlrp_region {
    hlrp_size slide;
    const hlrp_layer_ops *ops;
    void *layer;
    bool found, colorless; /* hlrp_region_mark_found */
};

hlrp_status hlrp_region_new(hlrp_size slide, const hlrp_layer_ops *ops, void *layer,
                            hlrp_region **out, hlrp_error *err) {
    hlrp_region *region = NULL;
    hlrp_status status = hlrp_calloc(&region, 1, sizeof *region, "a region", err);
    if (status != HLRP_OK) {
        if (ops->free)
            ops->free(layer);
        return status;
    }
    *region = (hlrp_region){.slide = slide, .ops = ops, .layer = layer};
    *out = region;
    return HLRP_OK;
}

void hlrp_region_free(hlrp_region *region) {
    if (!region)
        return;
    if (region->ops->free)
        region->ops->free(region->layer);
    free(region);
}

const hlrp_layer_ops *hlrp_region_ops(const hlrp_region *region, const void **layer,
                                      hlrp_size *slide) {
    *layer = region->layer;
    *slide = region->slide;
    return region->ops;
}

static hlrp_rect inside_slide(const hlrp_region *region, hlrp_rect level0) {
    hlrp_rect slide = {0, 0, (double)region->slide.w, (double)region->slide.h};
    return hlrp_rect_intersect(level0, slide);
}

static double clean_share(double share) {
    if (!(share > HLRP_SHARE_CRUMB))
        return 0;
    return share > 1 - HLRP_SHARE_CRUMB ? 1 : share;
}

double hlrp_region_coverage(const hlrp_region *region, hlrp_rect level0) {
    hlrp_rect inside = inside_slide(region, level0);
    if (!(inside.w > 0 && inside.h > 0))
        return 0;
    return clean_share(region->ops->area(region->layer, inside) / (inside.w * inside.h));
}

int64_t hlrp_region_class_count(const hlrp_region *region) {
    return region->ops->class_count ? region->ops->class_count(region->layer) : 0;
}

const hlrp_region_class *hlrp_region_class_at(const hlrp_region *region, int64_t i) {
    return region->ops->class_at(region->layer, i);
}

double hlrp_region_class_coverage(const hlrp_region *region, int64_t i, hlrp_rect level0) {
    hlrp_rect inside = inside_slide(region, level0);
    if (!(inside.w > 0 && inside.h > 0))
        return 0;
    return clean_share(region->ops->class_area(region->layer, i, inside) / (inside.w * inside.h));
}

hlrp_status hlrp_region_class_cells(const hlrp_region *region, int64_t i, const hlrp_mask *cells,
                                    uint8_t *half, hlrp_error *err) {
    return region->ops->class_cells(region->layer, i, region->slide, cells, half, err);
}

hlrp_status hlrp_region_describe(const hlrp_region *region, char **out, hlrp_error *err) {
    hlrp_str text = {0};
    if (region->ops->describe)
        region->ops->describe(region->layer, &text);
    else
        hlrp_str_add(&text, region->ops->mask ? "tissue" : "all");
    hlrp_status status = hlrp_format(out, err, "%s", text.text ? text.text : "");
    hlrp_str_free(&text);
    return status;
}

double hlrp_region_share(const hlrp_region *region) {
    hlrp_rect slide = {0, 0, (double)region->slide.w, (double)region->slide.h};
    return hlrp_region_coverage(region, slide);
}

bool hlrp_region_is_empty(const hlrp_region *region) {
    hlrp_rect slide = {0, 0, (double)region->slide.w, (double)region->slide.h};
    return !(slide.w > 0 && slide.h > 0) || region->ops->area(region->layer, slide) <= 0;
}

void hlrp_region_mark_found(hlrp_region *region, bool colorless) {
    region->found = true;
    region->colorless = colorless;
}

bool hlrp_region_doubt(const hlrp_region *region, char *text, size_t size) {
    const double share = hlrp_region_share(region);
    text[0] = '\0';
    if (!region->found)
        return false;
    if (region->colorless)
        snprintf(
            text, size,
            "the slide has no color, by which tissue is told from glass: set regions.source to "
            "all, annotation or mask");
    else if (share > MOST_SHARE)
        snprintf(
            text, size,
            "%.1f %% of the slide is taken for tissue: if there is glass, raise "
            "regions.tissue_saturation_floor and regions.tissue_saturation_ceiling (red ink is "
            "not told from stain)",
            100 * share);
    else if (share < LEAST_SHARE)
        snprintf(
            text, size,
            "%.2g %% of the slide is taken for tissue: if there is more, lower "
            "regions.tissue_saturation_floor (pale stain) or regions.tissue_min_object_um (small "
            "pieces)",
            100 * share);
    return text[0] != '\0';
}

bool hlrp_region_is_colorless(const hlrp_region *region) {
    return region->colorless;
}

const hlrp_mask *hlrp_region_mask(const hlrp_region *region) {
    return region->ops->mask ? region->ops->mask(region->layer) : NULL;
}

/* ---- everything ---- */

static double all_area(const void *layer, hlrp_rect rect) {
    (void)layer;
    return rect.w * rect.h;
}

hlrp_status hlrp_region_new_all(hlrp_size slide, hlrp_region **out, hlrp_error *err) {
    static const hlrp_layer_ops ops = {.area = all_area};
    return hlrp_region_new(slide, &ops, NULL, out, err);
}

/* ---- a raster ---- */

typedef struct mask_layer {
    hlrp_mask mask;
    uint8_t *kind;   /* the mask's, owned */
    uint32_t *table; /* [h+1][w+1]: tissue cells above and left of the corner */
} mask_layer;

/* Tissue cells, parts of them by area, above and left of the corner (x, y) in cells. Within a cell
 * the integral of a piecewise constant function is bilinear: interpolating the table is exact. */
static double corner(const mask_layer *m, double x, double y) {
    x = HLRP_MIN(HLRP_MAX(x, 0), (double)m->mask.w);
    y = HLRP_MIN(HLRP_MAX(y, 0), (double)m->mask.h);
    int64_t i = HLRP_MIN((int64_t)x, m->mask.w - 1), j = HLRP_MIN((int64_t)y, m->mask.h - 1);
    const uint32_t *above = m->table + j * (m->mask.w + 1) + i, *below = above + m->mask.w + 1;
    double fx = x - (double)i, fy = y - (double)j;
    double top = above[0] + fx * ((double)above[1] - above[0]);
    double bottom = below[0] + fx * ((double)below[1] - below[0]);
    return top + fy * (bottom - top);
}

static double mask_area(const void *layer, hlrp_rect rect) {
    const mask_layer *m = layer;
    double x0 = rect.x / m->mask.cell_w, x1 = (rect.x + rect.w) / m->mask.cell_w;
    double y0 = rect.y / m->mask.cell_h, y1 = (rect.y + rect.h) / m->mask.cell_h;
    double cells = corner(m, x1, y1) - corner(m, x0, y1) - corner(m, x1, y0) + corner(m, x0, y0);
    return cells * m->mask.cell_w * m->mask.cell_h;
}

static const hlrp_mask *mask_of(const void *layer) {
    return &((const mask_layer *)layer)->mask;
}

static void mask_free(void *layer) {
    mask_layer *m = layer;
    free(m->kind);
    free(m->table);
    free(m);
}

static void fill_table(mask_layer *m) {
    int64_t w = m->mask.w, wide = w + 1;
    for (int64_t y = 0; y < m->mask.h; y++) {
        uint32_t row = 0;
        for (int64_t x = 0; x < w; x++) {
            row += m->kind[y * w + x] == HLRP_CELL_TISSUE;
            m->table[(y + 1) * wide + x + 1] = m->table[y * wide + x + 1] + row;
        }
    }
}

hlrp_status hlrp_region_new_mask(hlrp_size slide, hlrp_size size, double cell_w, double cell_h,
                                 uint8_t *kind, hlrp_region **out, hlrp_error *err) {
    static const hlrp_layer_ops ops = {
        .area = mask_area, .mask = mask_of, .free = mask_free, .cells = mask_of};
    hlrp_status status = HLRP_OK;
    mask_layer *m = NULL;
    int64_t corners = 0;
    HLRP_TRY(hlrp_calloc(&m, 1, sizeof *m, "a mask", err));
    if (!hlrp_mul_size(size.w + 1, size.h + 1, &corners) || corners > UINT32_MAX) {
        status = hlrp_fail(err, HLRP_E_MEMORY, NULL, "choose larger mask cells",
                           "a mask of %lld x %lld cells is too large", (long long)size.w,
                           (long long)size.h);
        goto out;
    }
    HLRP_TRY(hlrp_calloc(&m->table, corners, sizeof *m->table, "the mask's table", err));
    m->kind = kind;
    m->mask = (hlrp_mask){size.w, size.h, cell_w, cell_h, kind};
    fill_table(m);
    return hlrp_region_new(slide, &ops, m, out, err);
out:
    free(m);
    free(kind);
    return status;
}

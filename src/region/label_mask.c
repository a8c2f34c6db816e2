/* A picture of labels as a region. */
#include <math.h>
#include <stdlib.h>

#include "image/labels.h"
#include "region/layer.h"

/* Larger pictures are gathered in cells of k × k of their pixels. */
#define MOST_CELLS (INT64_C(1) << 25)

typedef struct label_layer {
    hlrp_mask mask; /* tissue where at least half of a cell counts */
    uint8_t *kind;
    uint64_t *table;         /* [h+1][w+1]: pixels that count above and left of the corner */
    double pixel_w, pixel_h; /* level-0 pixels per pixel of the picture */
    double last_w, last_h;   /* the last cells' sizes in cells: the picture's edge cuts them */
} label_layer;

/* ---- the layer ---- */

/* Pixels above and left of a corner in cells; even within a cell, and within what there is of a
 * cell at the picture's right or lower edge. */
static double corner(const label_layer *l, double x, double y) {
    const int64_t w = l->mask.w, h = l->mask.h;
    x = HLRP_MIN(HLRP_MAX(x, 0), (double)w);
    y = HLRP_MIN(HLRP_MAX(y, 0), (double)h);
    const int64_t i = HLRP_MIN((int64_t)x, w - 1), j = HLRP_MIN((int64_t)y, h - 1);
    const uint64_t *above = l->table + j * (w + 1) + i, *below = above + w + 1;
    const double fx = HLRP_MIN((x - (double)i) / (i == w - 1 ? l->last_w : 1), 1);
    const double fy = HLRP_MIN((y - (double)j) / (j == h - 1 ? l->last_h : 1), 1);
    const double top = (double)above[0] + fx * (double)(above[1] - above[0]);
    const double bottom = (double)below[0] + fx * (double)(below[1] - below[0]);
    return top + fy * (bottom - top);
}

static double label_area(const void *layer, hlrp_rect r) {
    const label_layer *l = layer;
    const double x0 = r.x / l->mask.cell_w, x1 = (r.x + r.w) / l->mask.cell_w;
    const double y0 = r.y / l->mask.cell_h, y1 = (r.y + r.h) / l->mask.cell_h;
    const double pixels =
        corner(l, x1, y1) - corner(l, x0, y1) - corner(l, x1, y0) + corner(l, x0, y0);
    return HLRP_MIN(pixels * l->pixel_w * l->pixel_h, r.w * r.h);
}

static const hlrp_mask *label_mask(const void *layer) {
    return &((const label_layer *)layer)->mask;
}

static void describe(const void *layer, hlrp_str *out) {
    const label_layer *l = layer;
    hlrp_str_addf(out, "mask (%lld x %lld cells)", (long long)l->mask.w, (long long)l->mask.h);
}

static void label_free(void *layer) {
    label_layer *l = layer;
    if (!l)
        return;
    free(l->kind);
    free(l->table);
    free(l);
}

/* ---- from the picture ---- */

typedef struct filling {
    label_layer *layer;
    const hlrp_annotation_options *options;
    const char *path;
    hlrp_size slide, picture;
    int64_t block; /* pixels per cell, k */
    int64_t *wanted, wanted_count, *unwanted, unwanted_count;
    bool seen[256]; /* labels below 255 that occur; 255: any other */
} filling;

/* The whole numbers among texts. */
static hlrp_status take_labels(const char *const *texts, int64_t count, int64_t **out, int64_t *n,
                               hlrp_error *err) {
    hlrp_status status = hlrp_calloc(out, count, sizeof **out, "labels", err);
    for (int64_t i = 0; status == HLRP_OK && i < count; i++)
        *n += hlrp_parse_int(texts[i], &(*out)[*n]);
    return status;
}

static bool has(const int64_t *list, int64_t count, int64_t label) {
    for (int64_t i = 0; i < count; i++)
        if (list[i] == label)
            return true;
    return false;
}

static bool counts(const filling *f, int64_t label) {
    if (has(f->unwanted, f->unwanted_count, label))
        return false;
    return f->wanted_count > 0 ? has(f->wanted, f->wanted_count, label) : label != 0;
}

/* The picture is the slide scaled per axis: each side must be what the other axis' scale gives, to
 * one pixel. */
static hlrp_status check_shape(const filling *f, hlrp_error *err) {
    const double x = (double)f->slide.w / (double)f->picture.w;
    const double y = (double)f->slide.h / (double)f->picture.h;
    const double off_h = fabs((double)f->slide.h / x - (double)f->picture.h);
    const double off_w = fabs((double)f->slide.w / y - (double)f->picture.w);
    if (HLRP_MIN(off_w, off_h) <= 1 + 1e-9)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_INPUT, f->path, "make the mask of the whole slide",
                     "the mask of %lld x %lld pixels has another aspect ratio than the slide of "
                     "%lld x %lld",
                     (long long)f->picture.w, (long long)f->picture.h, (long long)f->slide.w,
                     (long long)f->slide.h);
}

static hlrp_status begin(void *user, hlrp_size size, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    filling *f = user;
    label_layer *l = f->layer;
    f->picture = size;
    HLRP_TRY(check_shape(f, err));
    f->block = 1;
    while (hlrp_ceil_div(size.w, f->block) * hlrp_ceil_div(size.h, f->block) > MOST_CELLS)
        f->block++;
    l->pixel_w = (double)f->slide.w / (double)size.w;
    l->pixel_h = (double)f->slide.h / (double)size.h;
    l->mask = (hlrp_mask){.w = hlrp_ceil_div(size.w, f->block),
                          .h = hlrp_ceil_div(size.h, f->block),
                          .cell_w = l->pixel_w * (double)f->block,
                          .cell_h = l->pixel_h * (double)f->block};
    l->last_w = (double)size.w / (double)f->block - (double)(l->mask.w - 1);
    l->last_h = (double)size.h / (double)f->block - (double)(l->mask.h - 1);
    HLRP_TRY(hlrp_calloc(&l->kind, l->mask.w * l->mask.h, 1, "a mask", err));
    HLRP_TRY(
        hlrp_calloc(&l->table, (l->mask.w + 1) * (l->mask.h + 1), sizeof *l->table, "a mask", err));
    l->mask.kind = l->kind;
out:
    return status;
}

/* Adds a row's pixels to its cells, which lie behind the table's first row and column. */
static hlrp_status add_row(void *user, int64_t y, const uint32_t *labels, hlrp_error *err) {
    filling *f = user;
    (void)err;
    const int64_t wide = f->layer->mask.w + 1;
    uint64_t *cells = f->layer->table + (y / f->block + 1) * wide + 1;
    uint32_t last = 0;
    bool in = counts(f, 0);
    for (int64_t x = 0; x < f->picture.w; x++) {
        if (labels[x] != last) {
            last = labels[x];
            in = counts(f, last);
        }
        f->seen[HLRP_MIN(last, 255)] = true;
        cells[x / f->block] += in;
    }
    return HLRP_OK;
}

static void list_labels(const filling *f, hlrp_str *out) {
    for (int k = 0; k < 256; k++)
        if (f->seen[k])
            hlrp_str_addf(out, "%s%d%s", out->length > 0 ? ", " : "", k, k == 255 ? " and up" : "");
}

/* Cells become kinds, counts become sums. */
static hlrp_status finish(filling *f, hlrp_error *err) {
    label_layer *l = f->layer;
    const int64_t w = l->mask.w, h = l->mask.h, wide = w + 1;
    for (int64_t y = 0; y < h; y++) {
        const int64_t high = HLRP_MIN(f->block, f->picture.h - y * f->block);
        uint64_t row = 0;
        for (int64_t x = 0; x < w; x++) {
            const int64_t area = high * HLRP_MIN(f->block, f->picture.w - x * f->block);
            uint64_t *cell = l->table + (y + 1) * wide + x + 1;
            l->kind[y * w + x] = 2 * *cell >= (uint64_t)area ? HLRP_CELL_TISSUE : HLRP_CELL_GLASS;
            row += *cell;
            *cell = l->table[y * wide + x + 1] + row;
        }
    }
    if (l->table[h * wide + w] > 0)
        return HLRP_OK;
    hlrp_str labels = {0};
    list_labels(f, &labels);
    hlrp_status status = hlrp_fail(
        err, HLRP_E_INPUT, f->path, "correct regions.include, or the mask",
        "no label that counts is in the mask; it has: %.200s", labels.text ? labels.text : "none");
    hlrp_str_free(&labels);
    return status;
}

hlrp_status hlrp_region_new_label_mask(const char *path, hlrp_size slide,
                                       const hlrp_annotation_options *options, hlrp_region **out,
                                       hlrp_error *err) {
    static const hlrp_layer_ops ops = {.area = label_area,
                                       .mask = label_mask,
                                       .free = label_free,
                                       .cells = label_mask,
                                       .describe = describe};
    const hlrp_annotation_options none = {0}, *o = options ? options : &none;
    hlrp_status status = HLRP_OK;
    filling f = {.options = o, .path = path, .slide = slide};
    const hlrp_label_reader reader = {begin, add_row, &f};
    HLRP_TRY(hlrp_calloc(&f.layer, 1, sizeof *f.layer, "a mask", err));
    HLRP_TRY(take_labels(o->include, o->include_count, &f.wanted, &f.wanted_count, err));
    HLRP_TRY(take_labels(o->exclude, o->exclude_count, &f.unwanted, &f.unwanted_count, err));
    HLRP_TRY(hlrp_labels_read(path, &reader, err));
    HLRP_TRY(finish(&f, err));
    status = hlrp_region_new(slide, &ops, f.layer, out, err);
    f.layer = NULL;
out:
    label_free(f.layer);
    free(f.wanted);
    free(f.unwanted);
    return status;
}

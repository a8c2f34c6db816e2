/* What belongs to each of several regions. */
#include <math.h>
#include <stdlib.h>

#include "region/layer.h"

typedef struct part {
    hlrp_region *region;
    const hlrp_layer_ops *ops;
    const void *layer;
} part;

typedef struct intersection {
    part *parts;
    int64_t count;
    hlrp_mask sketch;
    uint8_t *kind;
} intersection;

/* The first place where a cell begins inside (at, at+length), near its middle; `length` or more
 * where none does. From the beginning of the rectangle. */
static double cut_at(double at, double length, double cell, int64_t cells) {
    const double first = floor(at / cell) + 1, last = ceil((at + length) / cell) - 1;
    double line = round((at + length / 2) / cell);
    line = HLRP_MIN(HLRP_MAX(line, first), HLRP_MIN(last, (double)cells));
    const double cut = line * cell - at;
    return line < first || cut <= 1e-9 * cell || cut >= length - 1e-9 * cell ? length : cut;
}

/* Halves of a rectangle along a line between cells of any of the parts; false where it lies within
 * one cell of each. */
static bool split(const intersection *s, hlrp_rect r, hlrp_rect half[2]) {
    half[0] = half[1] = r;
    for (int64_t i = 0; i < s->count; i++) {
        const hlrp_mask *m =
            s->parts[i].ops->cells ? s->parts[i].ops->cells(s->parts[i].layer) : NULL;
        if (!m)
            continue;
        const double x = cut_at(r.x, r.w, m->cell_w, m->w);
        const double y = cut_at(r.y, r.h, m->cell_h, m->h);
        if (x < r.w && (y >= r.h || r.w / m->cell_w >= r.h / m->cell_h)) {
            half[0].w = x;
            half[1].x = r.x + x;
            half[1].w = r.w - x;
            return true;
        }
        if (y < r.h) {
            half[0].h = y;
            half[1].y = r.y + y;
            half[1].h = r.h - y;
            return true;
        }
    }
    return false;
}

/* Exact where at most one part is partial, and where the rectangle is within one cell of all but
 * one: a cell that is partly covered is covered evenly. Two layers that are both uneven (polygons)
 * would have to meet by other means: there is one annotation per slide. */
static double area(const void *layer, hlrp_rect r) {
    const intersection *s = layer;
    const double whole = r.w * r.h;
    hlrp_rect half[2];
    double product = whole;
    int64_t partial = 0;
    for (int64_t i = 0; i < s->count; i++) {
        const double share = s->parts[i].ops->area(s->parts[i].layer, r) / whole;
        if (share <= HLRP_SHARE_CRUMB)
            return 0;
        if (share < 1 - HLRP_SHARE_CRUMB) {
            partial++;
            product *= share;
        }
    }
    if (partial < 2 || !split(s, r, half))
        return product;
    return area(s, half[0]) + area(s, half[1]);
}

static const hlrp_mask *mask(const void *layer) {
    return &((const intersection *)layer)->sketch;
}

/* The part with classes, if any. */
static const part *classes_of(const void *layer) {
    const intersection *s = layer;
    for (int64_t i = 0; i < s->count; i++)
        if (hlrp_region_class_count(s->parts[i].region) > 0)
            return &s->parts[i];
    return NULL;
}

static int64_t class_count(const void *layer) {
    const part *p = classes_of(layer);
    return p ? hlrp_region_class_count(p->region) : 0;
}

static const hlrp_region_class *class_at(const void *layer, int64_t i) {
    return hlrp_region_class_at(classes_of(layer)->region, i);
}

static double class_area(const void *layer, int64_t i, hlrp_rect r) {
    const part *p = classes_of(layer);
    return p->ops->class_area(p->layer, i, r);
}

static hlrp_status class_cells(const void *layer, int64_t i, hlrp_size slide,
                               const hlrp_mask *cells, uint8_t *half, hlrp_error *err) {
    const part *p = classes_of(layer);
    return p->ops->class_cells(p->layer, i, slide, cells, half, err);
}

static void describe(const void *layer, hlrp_str *out) {
    const intersection *s = layer;
    for (int64_t i = 0; i < s->count; i++) {
        hlrp_error err = {0};
        char *text = NULL;
        if (hlrp_region_describe(s->parts[i].region, &text, &err) == HLRP_OK)
            hlrp_str_addf(out, "%s%s", i > 0 ? " & " : "", text);
        free(text);
    }
}

static void release(void *layer) {
    intersection *s = layer;
    if (!s)
        return;
    for (int64_t i = 0; i < s->count; i++)
        hlrp_region_free(s->parts[i].region);
    free(s->parts);
    free(s->kind);
    free(s);
}

static bool is_uneven(const part *p) {
    return p->ops->class_count;
}

/* One slide, and one annotation at most. */
static hlrp_status check_parts(const intersection *s, hlrp_size slide, hlrp_error *err) {
    int64_t uneven = 0;
    for (int64_t i = 0; i < s->count; i++) {
        const void *layer = NULL;
        hlrp_size size = {0, 0};
        hlrp_region_ops(s->parts[i].region, &layer, &size);
        uneven += is_uneven(&s->parts[i]);
        if (size.w != slide.w || size.h != slide.h)
            return hlrp_fail(err, HLRP_E_INTERNAL, "hlrp_region_new_intersection", NULL,
                             "regions of slides of different sizes cannot be intersected");
    }
    if (uneven > 1)
        return hlrp_fail(err, HLRP_E_CONFIG, "regions.source", "name annotation once",
                         "two annotations cannot be intersected");
    return HLRP_OK;
}

static hlrp_status take_parts(hlrp_region **parts, int64_t count, intersection **out,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    intersection *s = NULL;
    HLRP_TRY(hlrp_calloc(&s, 1, sizeof *s, "an intersection", err));
    HLRP_TRY(hlrp_calloc(&s->parts, count, sizeof *s->parts, "an intersection", err));
    for (int64_t i = 0; i < count; i++) {
        part *p = &s->parts[s->count++];
        hlrp_size size = {0, 0};
        *p = (part){.region = parts[i]};
        p->ops = hlrp_region_ops(parts[i], &p->layer, &size);
    }
    *out = s;
    return HLRP_OK;
out:
    free(s);
    for (int64_t i = 0; i < count; i++)
        hlrp_region_free(parts[i]);
    return status;
}

hlrp_status hlrp_region_new_intersection(hlrp_region **parts, int64_t count, hlrp_region **out,
                                         hlrp_error *err) {
    static const hlrp_layer_ops ops = {.area = area,
                                       .mask = mask,
                                       .free = release,
                                       .class_count = class_count,
                                       .class_at = class_at,
                                       .class_area = class_area,
                                       .class_cells = class_cells,
                                       .describe = describe};
    hlrp_status status = HLRP_OK;
    intersection *s = NULL;
    const void *layer = NULL;
    hlrp_size slide = {0, 0};
    if (count < 1)
        return hlrp_fail(err, HLRP_E_INTERNAL, "hlrp_region_new_intersection", NULL,
                         "an intersection of no regions");
    if (count == 1) {
        *out = parts[0];
        return HLRP_OK;
    }
    HLRP_TRY(take_parts(parts, count, &s, err));
    hlrp_region_ops(parts[0], &layer, &slide);
    HLRP_TRY(check_parts(s, slide, err));
    HLRP_TRY(hlrp_layer_sketch(&ops, s, slide, &s->sketch, &s->kind, err));
    return hlrp_region_new(slide, &ops, s, out, err);
out:
    release(s);
    return status;
}

/* An annotation file as a region: which classes count, their areas, and what is left after cuts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "region/layer.h"
#include "region/outline.h"

/* Areas that lie outside the slide by more than this share are another slide's. */
#define MOST_OUTSIDE 0.5
/* By less than this nobody need know: outlines are drawn a little over the edge. */
#define SLIGHTLY_OUTSIDE 0.01

typedef struct annotation_layer {
    hlrp_drawing drawing; /* its groups and format; the shapes are dropped once they are areas */
    hlrp_region_class *classes;
    hlrp_outline **outlines; /* of each class as drawn */
    hlrp_outline *region;    /* what counts; may be one of those above */
    bool shared;
    hlrp_mask sketch;
    uint8_t *kind;
} annotation_layer;

/* ---- the layer ---- */

static double layer_area(const void *layer, hlrp_rect rect) {
    return hlrp_outline_area(((const annotation_layer *)layer)->region, rect);
}

static const hlrp_mask *layer_mask(const void *layer) {
    return &((const annotation_layer *)layer)->sketch;
}

static int64_t class_count(const void *layer) {
    return ((const annotation_layer *)layer)->drawing.group_count;
}

static const hlrp_region_class *class_at(const void *layer, int64_t i) {
    return &((const annotation_layer *)layer)->classes[i];
}

static double class_area(const void *layer, int64_t i, hlrp_rect rect) {
    return hlrp_outline_area(((const annotation_layer *)layer)->outlines[i], rect);
}

static hlrp_status class_cells(const void *layer, int64_t i, hlrp_size slide,
                               const hlrp_mask *cells, uint8_t *half, hlrp_error *err) {
    return hlrp_outline_cells(((const annotation_layer *)layer)->outlines[i], slide, cells, half,
                              err);
}

static void add_count(hlrp_str *out, int64_t n, const char *one, const char *many, bool *first) {
    if (n == 0)
        return;
    hlrp_str_addf(out, "%s%lld %s", *first ? " " : ", ", (long long)n, n == 1 ? one : many);
    *first = false;
}

static void describe(const void *layer, hlrp_str *out) {
    static const char *const uses[] = {"", " (cut out)", " (not included)"};
    const annotation_layer *l = layer;
    hlrp_str_addf(out, "annotation (%s):", l->drawing.format);
    for (int64_t i = 0; i < l->drawing.group_count; i++) {
        const hlrp_region_class *c = &l->classes[i];
        bool first = true;
        hlrp_str_addf(out, "%s %s", i > 0 ? ";" : "", c->name);
        add_count(out, c->polygons, "polygon", "polygons", &first);
        add_count(out, c->multipolygons, "multipolygon", "multipolygons", &first);
        add_count(out, c->ellipses, "ellipse", "ellipses", &first);
        add_count(out, c->points, "point skipped", "points skipped", &first);
        add_count(out, c->lines, "line skipped", "lines skipped", &first);
        hlrp_str_add(out, uses[c->use]);
    }
}

static void layer_free(void *layer) {
    annotation_layer *l = layer;
    if (!l)
        return;
    for (int64_t i = 0; l->outlines && i < l->drawing.group_count; i++)
        hlrp_outline_free(l->outlines[i]);
    if (!l->shared)
        hlrp_outline_free(l->region);
    free(l->outlines);
    free(l->classes);
    free(l->kind);
    hlrp_drawing_free(&l->drawing);
    free(l);
}

/* ---- which classes count ---- */

/* Whether one of the globs fits the class, or a group around it. *used is what fitted. */
static bool is_listed(const hlrp_drawing *d, int64_t group, const char *const *globs, int64_t count,
                      bool *used) {
    bool listed = false;
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = group; i >= 0; i = d->groups[i].parent)
            if (hlrp_glob_match(globs[k], d->groups[i].name, true))
                listed = used[k] = true;
    return listed;
}

/* What the format's rule cuts out is included only where it is asked for by its exact name. */
static bool is_named(const char *name, const hlrp_annotation_options *o) {
    for (int64_t k = 0; k < o->include_count; k++)
        if (strcasecmp(o->include[k], name) == 0)
            return true;
    return false;
}

static hlrp_class_use use_of(const hlrp_drawing *d, int64_t group, const hlrp_annotation_options *o,
                             bool *include_used, bool *exclude_used) {
    const bool in = is_listed(d, group, o->include, o->include_count, include_used);
    if (is_listed(d, group, o->exclude, o->exclude_count, exclude_used))
        return HLRP_CLASS_CUT;
    if (d->groups[group].cut_out && !is_named(d->groups[group].name, o))
        return HLRP_CLASS_CUT;
    return in || o->include_count == 0 ? HLRP_CLASS_INCLUDED : HLRP_CLASS_UNUSED;
}

static bool has_area(const hlrp_region_class *c) {
    return c->polygons + c->multipolygons + c->ellipses > 0;
}

static hlrp_status nothing_included(const annotation_layer *l, const char *path, hlrp_error *err) {
    hlrp_str names = {0};
    for (int64_t i = 0; i < l->drawing.group_count; i++)
        if (has_area(&l->classes[i]))
            hlrp_str_addf(&names, "%s%s", names.length > 0 ? ", " : "", l->classes[i].name);
    hlrp_status status =
        hlrp_fail(err, HLRP_E_INPUT, path, "correct regions.include or regions.exclude",
                  "no class with an area is included; the file has: %.400s",
                  names.text ? names.text : "none");
    hlrp_str_free(&names);
    return status;
}

static void warn_of_unused(const char *const *globs, const bool *used, int64_t count,
                           const char *key, const char *path, const hlrp_log *log) {
    for (int64_t k = 0; k < count; k++)
        if (!used[k])
            hlrp_logf(log, HLRP_LOG_WARN, "%s: no class fits '%s' of regions.%s", path, globs[k],
                      key);
}

static hlrp_status choose_classes(annotation_layer *l, const hlrp_annotation_options *o,
                                  const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    bool *include_used = NULL, *exclude_used = NULL, any = false;
    HLRP_TRY(hlrp_calloc(&include_used, o->include_count, sizeof(bool), "globs", err));
    HLRP_TRY(hlrp_calloc(&exclude_used, o->exclude_count, sizeof(bool), "globs", err));
    for (int64_t i = 0; i < l->drawing.group_count; i++) {
        hlrp_region_class *c = &l->classes[i];
        c->use = use_of(&l->drawing, i, o, include_used, exclude_used);
        any = any || (c->use == HLRP_CLASS_INCLUDED && has_area(c));
    }
    if (!any) {
        status = nothing_included(l, path, err);
        goto out;
    }
    warn_of_unused(o->include, include_used, o->include_count, "include", path, o->log);
    warn_of_unused(o->exclude, exclude_used, o->exclude_count, "exclude", path, o->log);
out:
    free(include_used);
    free(exclude_used);
    return status;
}

/* ---- areas ---- */

static hlrp_status count_shapes(annotation_layer *l, hlrp_error *err) {
    const hlrp_drawing *d = &l->drawing;
    hlrp_status status =
        hlrp_calloc(&l->classes, d->group_count, sizeof *l->classes, "classes", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < d->group_count; i++)
        l->classes[i].name = d->groups[i].name;
    for (int64_t i = 0; i < d->shape_count; i++) {
        hlrp_region_class *c = &l->classes[d->shapes[i].group];
        int64_t *const counts[HLRP_SHAPE_KINDS] = {&c->polygons, &c->multipolygons, &c->ellipses,
                                                   &c->points, &c->lines};
        ++*counts[d->shapes[i].kind];
    }
    return hlrp_calloc(&l->outlines, d->group_count, sizeof *l->outlines, "classes", err);
}

/* A class as drawn: its shapes without the negative ones. */
static hlrp_status draw_class(hlrp_geos *geos, const hlrp_drawing *d, int64_t group,
                              int64_t *repaired, GEOSGeometry **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    GEOSGeometry *holes = NULL;
    HLRP_TRY(hlrp_polygon_of_group(geos, d, group, false, repaired, out, err));
    HLRP_TRY(hlrp_polygon_of_group(geos, d, d->cuts_all ? -1 : group, true, repaired, &holes, err));
    HLRP_TRY(hlrp_polygon_cut(geos, out, holes, err));
out:
    GEOSGeom_destroy_r(geos->handle, holes);
    return status;
}

/* What was added to the file's coordinates, and who is told. */
typedef struct placement {
    double x, y;
    const hlrp_log *log;
} placement;

/* Where the areas are in the file's own coordinates, and what was added to them. */
static void span_of(hlrp_geos *geos, const GEOSGeometry *g, const placement *p, char out[200]) {
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    GEOSGeom_getXMin_r(geos->handle, g, &x0);
    GEOSGeom_getXMax_r(geos->handle, g, &x1);
    GEOSGeom_getYMin_r(geos->handle, g, &y0);
    GEOSGeom_getYMax_r(geos->handle, g, &y1);
    const int n = snprintf(out, 200, "x %.0f to %.0f, y %.0f to %.0f", x0 - p->x, x1 - p->x,
                           y0 - p->y, y1 - p->y);
    if (p->x != 0 || p->y != 0)
        snprintf(out + n, (size_t)(200 - n),
                 " in the file; the slide's bounds, %.0f and %.0f, were added", p->x, p->y);
}

static hlrp_status check_place(hlrp_geos *geos, const GEOSGeometry *all, double inside,
                               hlrp_size slide, const char *path, const placement *p,
                               hlrp_error *err) {
    char span[200];
    const bool shifted = p->x != 0 || p->y != 0;
    const double whole = hlrp_polygon_area(geos, all);
    const double outside = whole > 0 ? 1 - inside / whole : 0;
    if (!(whole > 0))
        return hlrp_fail(err, HLRP_E_INPUT, path, "correct regions.exclude, or the annotations",
                         "nothing is left of the included areas after the cuts");
    span_of(geos, all, p, span);
    if (!(outside <= MOST_OUTSIDE))
        return hlrp_fail(err, HLRP_E_INPUT, path,
                         shifted
                             ? "see whether it belongs to this slide; set outputs.bounds = full "
                               "if its coordinates are those of the whole slide"
                             : "see whether it belongs to this slide, and is in its level-0 "
                               "pixels",
                         "%.0f %% of the annotated area (%s) lies outside the slide of %lld x %lld "
                         "pixels",
                         100 * outside, span, (long long)slide.w, (long long)slide.h);
    if (outside > SLIGHTLY_OUTSIDE)
        hlrp_logf(p->log, HLRP_LOG_WARN,
                  "%s: %.1f %% of the annotated area (%s) lies outside the slide of %lld x %lld "
                  "pixels",
                  path, 100 * outside, span, (long long)slide.w, (long long)slide.h);
    return HLRP_OK;
}

/* A cut that cuts nothing was meant to cut something. */
static hlrp_status warn_of_idle_cuts(hlrp_geos *geos, const hlrp_drawing *d, const char *path,
                                     const hlrp_log *log, hlrp_error *err) {
    int64_t count = 0, first = 0;
    bool any = false;
    for (int64_t i = 0; i < d->shape_count; i++)
        any = any || d->shapes[i].negative;
    const hlrp_status status = any ? hlrp_polygon_idle_cuts(geos, d, &count, &first, err) : HLRP_OK;
    if (status == HLRP_OK && count > 0)
        hlrp_logf(
            log, HLRP_LOG_WARN,
            "%s: %lld negative regions (the first at shape %lld) lie in no other region: they "
            "cut nothing",
            path, (long long)count, (long long)first);
    return status;
}

typedef struct totals {
    GEOSGeometry *in, *out; /* included, cut */
    int64_t included, cut;  /* classes with an area */
    int64_t repaired;       /* shapes */
} totals;

static hlrp_status add_class(annotation_layer *l, hlrp_geos *geos, hlrp_size slide, int64_t i,
                             totals *sum, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    GEOSGeometry *drawn = NULL;
    hlrp_region_class *c = &l->classes[i];
    HLRP_TRY(draw_class(geos, &l->drawing, i, &sum->repaired, &drawn, err));
    HLRP_TRY(hlrp_outline_new(geos, drawn, slide, &l->outlines[i], err));
    c->area = hlrp_outline_total(l->outlines[i]);
    if (has_area(c) && c->use == HLRP_CLASS_INCLUDED) {
        HLRP_TRY(hlrp_polygon_add(geos, &sum->in, drawn, err));
        sum->included++;
    } else if (has_area(c) && c->use == HLRP_CLASS_CUT) {
        HLRP_TRY(hlrp_polygon_add(geos, &sum->out, drawn, err));
        sum->cut++;
    }
out:
    GEOSGeom_destroy_r(geos->handle, drawn);
    return status;
}

/* The region itself; one class alone is an outline already. */
static hlrp_status make_region(annotation_layer *l, hlrp_geos *geos, hlrp_size slide, totals *sum,
                               hlrp_error *err) {
    for (int64_t i = 0; sum->included == 1 && sum->cut == 0 && i < l->drawing.group_count; i++)
        if (l->classes[i].use == HLRP_CLASS_INCLUDED && has_area(&l->classes[i])) {
            l->region = l->outlines[i];
            l->shared = true;
            return HLRP_OK;
        }
    hlrp_status status = hlrp_polygon_cut(geos, &sum->in, sum->out, err);
    return status == HLRP_OK ? hlrp_outline_new(geos, sum->in, slide, &l->region, err) : status;
}

static hlrp_status make_areas(annotation_layer *l, hlrp_size slide,
                              const hlrp_annotation_options *o, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const bool shifted = hlrp_drawing_is_geojson(&l->drawing);
    const placement shift = {.log = o->log,
                             .x = shifted ? (double)o->bounds.x : 0,
                             .y = shifted ? (double)o->bounds.y : 0};
    hlrp_geos geos = {0};
    totals sum = {0};
    HLRP_TRY(hlrp_geos_begin(&geos, err));
    sum.in = GEOSGeom_createEmptyPolygon_r(geos.handle);
    sum.out = GEOSGeom_createEmptyPolygon_r(geos.handle);
    if (!sum.in || !sum.out) {
        status = hlrp_geos_failed(&geos, path, err);
        goto out;
    }
    for (int64_t i = 0; i < l->drawing.group_count; i++)
        HLRP_TRY(add_class(l, &geos, slide, i, &sum, err));
    if (sum.repaired > 0)
        hlrp_logf(o->log, HLRP_LOG_WARN, "%s: %lld shapes cross themselves: repaired", path,
                  (long long)sum.repaired);
    HLRP_TRY(warn_of_idle_cuts(&geos, &l->drawing, path, o->log, err));
    HLRP_TRY(make_region(l, &geos, slide, &sum, err));
    status = check_place(&geos, sum.in, hlrp_outline_total(l->region), slide, path, &shift, err);
out:
    if (geos.handle) {
        GEOSGeom_destroy_r(geos.handle, sum.in);
        GEOSGeom_destroy_r(geos.handle, sum.out);
    }
    hlrp_geos_end(&geos);
    return status;
}

/* The shapes are areas now, and may be many. */
static void drop_shapes(hlrp_drawing *d) {
    free(d->shapes);
    free(d->rings);
    free(d->vertices);
    d->shapes = NULL;
    d->rings = NULL;
    d->vertices = NULL;
    d->shape_count = d->ring_count = d->vertex_count = 0;
}

hlrp_status hlrp_region_new_drawing(hlrp_drawing *drawing, const char *path, hlrp_size slide,
                                    const hlrp_annotation_options *o, hlrp_region **out,
                                    hlrp_error *err) {
    static const hlrp_layer_ops ops = {.area = layer_area,
                                       .mask = layer_mask,
                                       .free = layer_free,
                                       .class_count = class_count,
                                       .class_at = class_at,
                                       .class_area = class_area,
                                       .class_cells = class_cells,
                                       .describe = describe};
    hlrp_status status = HLRP_OK;
    annotation_layer *l = NULL;
    HLRP_TRY(hlrp_calloc(&l, 1, sizeof *l, "an annotation", err));
    l->drawing = *drawing;
    *drawing = (hlrp_drawing){0};
    if (hlrp_drawing_is_geojson(&l->drawing))
        hlrp_drawing_shift(&l->drawing, (double)o->bounds.x, (double)o->bounds.y);
    HLRP_TRY(count_shapes(l, err));
    HLRP_TRY(choose_classes(l, o, path, err));
    HLRP_TRY(make_areas(l, slide, o, path, err));
    drop_shapes(&l->drawing);
    HLRP_TRY(hlrp_sketch_new(slide, &l->sketch, &l->kind, err));
    HLRP_TRY(hlrp_outline_cells(l->region, slide, &l->sketch, l->kind, err));
    return hlrp_region_new(slide, &ops, l, out, err);
out:
    layer_free(l);
    hlrp_drawing_free(drawing);
    if (!err->where[0])
        snprintf(err->where, sizeof err->where, "%s", path);
    return status;
}

hlrp_status hlrp_region_new_annotation(const char *path, hlrp_size slide,
                                       const hlrp_annotation_options *options, hlrp_region **out,
                                       hlrp_error *err) {
    const hlrp_annotation_options none = {0}, *o = options ? options : &none;
    hlrp_drawing drawing = {0};
    hlrp_status status = hlrp_drawing_read(path, o->skip_unreadable, o->log, &drawing, err);
    return status == HLRP_OK ? hlrp_region_new_drawing(&drawing, path, slide, o, out, err) : status;
}

/* Shapes as valid geometries. */
#include "region/polygon.h"

#include <stdlib.h>
#include <string.h>

/* ---- the context ---- */

static void keep_message(const char *message, void *user) {
    hlrp_geos *geos = user;
    snprintf(geos->message, sizeof geos->message, "%s", message);
}

static void drop_message(const char *message, void *user) {
    (void)message;
    (void)user;
}

hlrp_status hlrp_geos_begin(hlrp_geos *geos, hlrp_error *err) {
    *geos = (hlrp_geos){.handle = GEOS_init_r()};
    if (!geos->handle)
        return hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "no memory left for GEOS");
    GEOSContext_setErrorMessageHandler_r(geos->handle, keep_message, geos);
    GEOSContext_setNoticeMessageHandler_r(geos->handle, drop_message, NULL);
    return HLRP_OK;
}

void hlrp_geos_end(hlrp_geos *geos) {
    if (geos->handle)
        GEOS_finish_r(geos->handle);
    geos->handle = NULL;
}

hlrp_status hlrp_geos_failed(const hlrp_geos *geos, const char *path, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_INPUT, path, "simplify the annotations, and export them again",
                     "the areas cannot be computed: %s",
                     geos->message[0] ? geos->message : "no reason given");
}

double hlrp_polygon_area(hlrp_geos *geos, const GEOSGeometry *a) {
    double area = 0;
    return GEOSArea_r(geos->handle, a, &area) ? area : 0;
}

/* ---- a list of geometries, owned ---- */

typedef struct geometries {
    GEOSGeometry **items;
    int64_t count, capacity;
} geometries;

/* Takes `g` over, also where it fails; NULL is a failure of GEOS's. */
static hlrp_status push(hlrp_geos *geos, geometries *list, GEOSGeometry *g, hlrp_error *err) {
    if (!g)
        return hlrp_geos_failed(geos, NULL, err);
    hlrp_status status = hlrp_grow(&list->items, &list->capacity, list->count + 1, sizeof g, err);
    if (status == HLRP_OK)
        list->items[list->count++] = g;
    else
        GEOSGeom_destroy_r(geos->handle, g);
    return status;
}

static void free_list(hlrp_geos *geos, geometries *list) {
    for (int64_t i = 0; i < list->count; i++)
        GEOSGeom_destroy_r(geos->handle, list->items[i]);
    free(list->items);
}

/* All of the list in one collection; the list is empty then. */
static GEOSGeometry *collect(hlrp_geos *geos, geometries *list, int type) {
    GEOSGeometry *all =
        GEOSGeom_createCollection_r(geos->handle, type, list->items, (unsigned)list->count);
    if (all)
        list->count = 0;
    return all;
}

/* ---- from rings ---- */

static GEOSGeometry *ring_of(hlrp_geos *geos, const hlrp_drawing *d, const hlrp_ring *ring) {
    GEOSCoordSequence *places = GEOSCoordSeq_create_r(geos->handle, (unsigned)ring->count + 1, 2);
    if (!places)
        return NULL;
    for (int64_t i = 0; i <= ring->count; i++) {
        const hlrp_vertex v = d->vertices[ring->first + i % ring->count];
        GEOSCoordSeq_setXY_r(geos->handle, places, (unsigned)i, v.x, v.y);
    }
    return GEOSGeom_createLinearRing_r(geos->handle, places); /* takes them over */
}

/* The polygon whose outer ring is `first`, with its `holes` rings behind it. */
static hlrp_status add_polygon(hlrp_geos *geos, const hlrp_drawing *d, int64_t first, int64_t holes,
                               geometries *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    geometries rings = {0};
    GEOSGeometry *polygon = NULL;
    for (int64_t i = 1; i <= holes; i++)
        HLRP_TRY(push(geos, &rings, ring_of(geos, d, &d->rings[first + i]), err));
    GEOSGeometry *shell = ring_of(geos, d, &d->rings[first]);
    if (shell)
        polygon = GEOSGeom_createPolygon_r(geos->handle, shell, rings.items, (unsigned)holes);
    if (polygon)
        rings.count = 0; /* taken over */
    status = push(geos, out, polygon, err);
out:
    free_list(geos, &rings);
    return status;
}

/* Only what has an area: repairing leaves lines and points. */
static hlrp_status keep_areas(hlrp_geos *geos, const GEOSGeometry *g, geometries *out,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int type = GEOSGeomTypeId_r(geos->handle, g);
    if (type == GEOS_POLYGON)
        return GEOSisEmpty_r(geos->handle, g) == 1
                   ? HLRP_OK
                   : push(geos, out, GEOSGeom_clone_r(geos->handle, g), err);
    if (type != GEOS_MULTIPOLYGON && type != GEOS_GEOMETRYCOLLECTION)
        return HLRP_OK;
    const int parts = GEOSGetNumGeometries_r(geos->handle, g);
    for (int i = 0; i < parts; i++)
        HLRP_TRY(keep_areas(geos, GEOSGetGeometryN_r(geos->handle, g, i), out, err));
out:
    return status;
}

/* Repairs by GEOS's structure method: both lobes of a bow-tie stay, and what a lasso went around
 * twice is inside, as the person who drew it meant. */
static hlrp_status repair(hlrp_geos *geos, GEOSGeometry **g, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    GEOSMakeValidParams *how = GEOSMakeValidParams_create_r(geos->handle);
    GEOSGeometry *valid = NULL;
    if (!how)
        return hlrp_geos_failed(geos, NULL, err);
    GEOSMakeValidParams_setMethod_r(geos->handle, how, GEOS_MAKE_VALID_STRUCTURE);
    GEOSMakeValidParams_setKeepCollapsed_r(geos->handle, how, 0);
    valid = GEOSMakeValidWithParams_r(geos->handle, *g, how);
    GEOSMakeValidParams_destroy_r(geos->handle, how);
    if (!valid)
        return hlrp_geos_failed(geos, NULL, err);
    GEOSGeom_destroy_r(geos->handle, *g);
    *g = valid;
    return status;
}

/* A shape as one valid geometry. Its polygons are joined: those of a MultiPolygon should not
 * overlap, but do in files. */
static hlrp_status add_shape(hlrp_geos *geos, const hlrp_drawing *d, const hlrp_shape *shape,
                             int64_t *repaired, geometries *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    geometries polygons = {0};
    bool mended = false;
    for (int64_t i = shape->first_ring, holes = 0; i < shape->first_ring + shape->ring_count;
         i += 1 + holes) {
        holes = 0;
        while (i + holes + 1 < shape->first_ring + shape->ring_count &&
               d->rings[i + holes + 1].hole)
            holes++;
        HLRP_TRY(add_polygon(geos, d, i, holes, &polygons, err));
        GEOSGeometry **last = &polygons.items[polygons.count - 1];
        if (GEOSisValid_r(geos->handle, *last) != 1) {
            HLRP_TRY(repair(geos, last, err));
            mended = true;
        }
        HLRP_TRY(keep_areas(geos, *last, out, err));
    }
    *repaired += mended;
out:
    free_list(geos, &polygons);
    return status;
}

/* ---- the union ---- */

typedef struct box {
    double left, top, right, bottom;
    int64_t item;
    bool meets; /* another box */
} box;

static int by_left(const void *a, const void *b) {
    const box *p = a, *q = b;
    return p->left != q->left ? (p->left > q->left) - (p->left < q->left)
                              : (p->item > q->item) - (p->item < q->item);
}

static hlrp_status box_all(hlrp_geos *geos, const geometries *parts, box **out, hlrp_error *err) {
    hlrp_status status = hlrp_calloc(out, parts->count, sizeof **out, "shapes", err);
    for (int64_t i = 0; status == HLRP_OK && i < parts->count; i++) {
        box *b = &(*out)[i];
        const GEOSGeometry *g = parts->items[i];
        b->item = i;
        if (!GEOSGeom_getXMin_r(geos->handle, g, &b->left) ||
            !GEOSGeom_getXMax_r(geos->handle, g, &b->right) ||
            !GEOSGeom_getYMin_r(geos->handle, g, &b->top) ||
            !GEOSGeom_getYMax_r(geos->handle, g, &b->bottom))
            status = hlrp_geos_failed(geos, NULL, err);
    }
    return status;
}

static void mark_meetings(box *b, int64_t count) {
    qsort(b, (size_t)count, sizeof *b, by_left);
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = i + 1; j < count && b[j].left <= b[i].right; j++)
            if (b[j].top <= b[i].bottom && b[i].top <= b[j].bottom)
                b[i].meets = b[j].meets = true;
}

/* Only what may touch is joined by GEOS: thousands of cells that lie apart are a union already. */
static hlrp_status unite(hlrp_geos *geos, geometries *parts, GEOSGeometry **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    box *boxes = NULL;
    geometries apart = {0}, close = {0};
    GEOSGeometry *all = NULL, *joined = NULL;
    HLRP_TRY(box_all(geos, parts, &boxes, err));
    mark_meetings(boxes, parts->count);
    for (int64_t i = 0; i < parts->count; i++) {
        GEOSGeometry *g = parts->items[boxes[i].item];
        parts->items[boxes[i].item] = NULL;
        HLRP_TRY(push(geos, boxes[i].meets ? &close : &apart, g, err));
    }
    if (close.count > 0) {
        all = collect(geos, &close, GEOS_GEOMETRYCOLLECTION);
        joined = all ? GEOSUnaryUnion_r(geos->handle, all) : NULL;
        HLRP_TRY(joined ? keep_areas(geos, joined, &apart, err)
                        : hlrp_geos_failed(geos, NULL, err));
    }
    *out = collect(geos, &apart, GEOS_MULTIPOLYGON);
    if (!*out)
        status = hlrp_geos_failed(geos, NULL, err);
out:
    GEOSGeom_destroy_r(geos->handle, all);
    GEOSGeom_destroy_r(geos->handle, joined);
    free_list(geos, &apart);
    free_list(geos, &close);
    free(boxes);
    return status;
}

hlrp_status hlrp_polygon_of_group(hlrp_geos *geos, const hlrp_drawing *d, int64_t group,
                                  bool negative, int64_t *repaired, GEOSGeometry **out,
                                  hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    geometries parts = {0};
    for (int64_t i = 0; i < d->shape_count; i++)
        if ((group < 0 || d->shapes[i].group == group) && d->shapes[i].negative == negative)
            HLRP_TRY(add_shape(geos, d, &d->shapes[i], repaired, &parts, err));
    if (parts.count == 1) {
        *out = parts.items[--parts.count];
        goto out;
    }
    status = unite(geos, &parts, out, err);
out:
    free_list(geos, &parts);
    return status;
}

static hlrp_status meets(hlrp_geos *geos, const hlrp_drawing *d, const hlrp_shape *shape,
                         const GEOSPreparedGeometry *all, bool *out, hlrp_error *err) {
    geometries parts = {0};
    int64_t repaired = 0;
    const hlrp_status status = add_shape(geos, d, shape, &repaired, &parts, err);
    *out = false;
    for (int64_t i = 0; status == HLRP_OK && i < parts.count; i++)
        *out = *out || GEOSPreparedIntersects_r(geos->handle, all, parts.items[i]) == 1;
    free_list(geos, &parts);
    return status;
}

hlrp_status hlrp_polygon_idle_cuts(hlrp_geos *geos, const hlrp_drawing *d, int64_t *count,
                                   int64_t *first, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    GEOSGeometry *all = NULL;
    const GEOSPreparedGeometry *prepared = NULL;
    int64_t repaired = 0;
    bool met = false;
    *count = 0;
    HLRP_TRY(hlrp_polygon_of_group(geos, d, -1, false, &repaired, &all, err));
    prepared = GEOSPrepare_r(geos->handle, all);
    if (!prepared)
        HLRP_TRY(hlrp_geos_failed(geos, NULL, err));
    for (int64_t i = 0; i < d->shape_count; i++) {
        if (!d->shapes[i].negative)
            continue;
        HLRP_TRY(meets(geos, d, &d->shapes[i], prepared, &met, err));
        if (!met && (*count)++ == 0)
            *first = d->shapes[i].number;
    }
out:
    if (prepared)
        GEOSPreparedGeom_destroy_r(geos->handle, prepared);
    GEOSGeom_destroy_r(geos->handle, all);
    return status;
}

static hlrp_status replace(hlrp_geos *geos, GEOSGeometry **a, GEOSGeometry *with, hlrp_error *err) {
    if (!with)
        return hlrp_geos_failed(geos, NULL, err);
    GEOSGeom_destroy_r(geos->handle, *a);
    *a = with;
    return HLRP_OK;
}

hlrp_status hlrp_polygon_add(hlrp_geos *geos, GEOSGeometry **a, const GEOSGeometry *b,
                             hlrp_error *err) {
    if (GEOSisEmpty_r(geos->handle, b) == 1)
        return HLRP_OK;
    if (GEOSisEmpty_r(geos->handle, *a) == 1)
        return replace(geos, a, GEOSGeom_clone_r(geos->handle, b), err);
    return replace(geos, a, GEOSUnion_r(geos->handle, *a, b), err);
}

hlrp_status hlrp_polygon_cut(hlrp_geos *geos, GEOSGeometry **a, const GEOSGeometry *b,
                             hlrp_error *err) {
    if (GEOSisEmpty_r(geos->handle, b) == 1)
        return HLRP_OK;
    return replace(geos, a, GEOSDifference_r(geos->handle, *a, b), err);
}

/* Areas inside rectangles, exactly, at the cost of the outline that crosses the rectangle's edge.
 *
 * The part of a shape inside [x0,x1] × [y0,y0+h] is the sum over the edges of its rings, each taken
 * in the direction in which a shell adds and a hole takes away, of ∫ min(max(y − y0, 0), h) dx along
 * the edge, within x0 and x1 (Green's theorem, for a height that is cut off below and above). Whole
 * chains of edges are settled at once: what lies beside or below the rectangle gives nothing, what
 * lies above it h times its run in x, which no longer depends on the way between its ends, and what
 * lies inside a sum that was kept. */
#include "region/outline_nodes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_EDGES = 8 };

/* ---- chains ---- */

static hlrp_status add_node(hlrp_outline *o, const hlrp_outline_node *n, int64_t *number,
                            hlrp_error *err) {
    const hlrp_status status =
        hlrp_grow(&o->nodes, &o->node_capacity, o->node_count + 1, sizeof *o->nodes, err);
    if (status == HLRP_OK) {
        *number = o->node_count;
        o->nodes[o->node_count++] = *n;
    }
    return status;
}

static hlrp_outline_node few_edges(const hlrp_outline *o, int64_t first, int64_t count) {
    const hlrp_vertex *v = o->vertices + first;
    hlrp_outline_node n = {v->x, v->y, v->x, v->y, 0, v->x, v[count].x, first, count, -1, -1};
    for (int64_t i = 1; i <= count; i++) {
        n.left = HLRP_MIN(n.left, v[i].x);
        n.right = HLRP_MAX(n.right, v[i].x);
        n.top = HLRP_MIN(n.top, v[i].y);
        n.bottom = HLRP_MAX(n.bottom, v[i].y);
    }
    for (int64_t i = 0; i < count; i++)
        n.sum += (v[i + 1].x - v[i].x) * ((v[i].y - n.top) + (v[i + 1].y - n.top)) / 2;
    return n;
}

/* Sums are kept above the chain's own top: they do not lose digits to where on the slide it is. */
static double sum_above(const hlrp_outline_node *n, double y) {
    return n->sum + (n->top - y) * (n->end - n->start);
}

/* Two halves as one; its ends are left to the caller. */
static hlrp_outline_node both(const hlrp_outline *o, int64_t low, int64_t high) {
    const hlrp_outline_node *a = &o->nodes[low], *b = &o->nodes[high];
    hlrp_outline_node n = {.left = HLRP_MIN(a->left, b->left),
                           .top = HLRP_MIN(a->top, b->top),
                           .right = HLRP_MAX(a->right, b->right),
                           .bottom = HLRP_MAX(a->bottom, b->bottom),
                           .low = low,
                           .high = high};
    n.sum = sum_above(a, n.top) + sum_above(b, n.top);
    return n;
}

static hlrp_status add_chain(hlrp_outline *o, int64_t first, int64_t count, int64_t *number,
                             hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t low = 0, high = 0;
    hlrp_outline_node n;
    if (count <= FEW_EDGES) {
        n = few_edges(o, first, count);
        return add_node(o, &n, number, err);
    }
    HLRP_TRY(add_chain(o, first, count / 2, &low, err));
    HLRP_TRY(add_chain(o, first + count / 2, count - count / 2, &high, err));
    n = both(o, low, high);
    n.start = o->nodes[low].start;
    n.end = o->nodes[high].end;
    status = add_node(o, &n, number, err);
out:
    return status;
}

/* ---- rings ---- */

/* Numbers of the rings' nodes, and where their middles are. */
typedef struct ring {
    int64_t number;
    double x, y;
} ring;

typedef struct rings {
    ring *items;
    int64_t count, capacity;
} rings;

static void turn(hlrp_vertex *v, int64_t count) {
    for (int64_t i = 0, j = count - 1; i < j; i++, j--) {
        const hlrp_vertex kept = v[i];
        v[i] = v[j];
        v[j] = kept;
    }
}

static hlrp_status add_ring(hlrp_outline *o, const hlrp_geos *geos, const GEOSGeometry *g,
                            bool hole, rings *all, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const GEOSCoordSequence *places = GEOSGeom_getCoordSeq_r(geos->handle, g);
    unsigned n = 0;
    if (!places || !GEOSCoordSeq_getSize_r(geos->handle, places, &n))
        return hlrp_geos_failed(geos, NULL, err);
    if (n < 4)
        return HLRP_OK;
    const int64_t first = o->vertex_count;
    HLRP_TRY(hlrp_grow(&o->vertices, &o->vertex_capacity, first + n, sizeof *o->vertices, err));
    HLRP_TRY(hlrp_grow(&all->items, &all->capacity, all->count + 1, sizeof *all->items, err));
    if (!GEOSCoordSeq_copyToBuffer_r(geos->handle, places, &o->vertices[first].x, 0, 0))
        return hlrp_geos_failed(geos, NULL, err);
    o->vertex_count += n;
    if ((few_edges(o, first, n - 1).sum < 0) != hole)
        turn(o->vertices + first, n);
    ring *r = &all->items[all->count++];
    HLRP_TRY(add_chain(o, first, n - 1, &r->number, err));
    const hlrp_outline_node *whole = &o->nodes[r->number];
    *r = (ring){r->number, (whole->left + whole->right) / 2, (whole->top + whole->bottom) / 2};
out:
    return status;
}

static hlrp_status add_rings(hlrp_outline *o, const hlrp_geos *geos, const GEOSGeometry *g,
                             rings *all, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (GEOSisEmpty_r(geos->handle, g) == 1)
        return HLRP_OK;
    if (GEOSGeomTypeId_r(geos->handle, g) == GEOS_POLYGON) {
        HLRP_TRY(add_ring(o, geos, GEOSGetExteriorRing_r(geos->handle, g), false, all, err));
        const int holes = GEOSGetNumInteriorRings_r(geos->handle, g);
        for (int i = 0; i < holes; i++)
            HLRP_TRY(add_ring(o, geos, GEOSGetInteriorRingN_r(geos->handle, g, i), true, all, err));
        return HLRP_OK;
    }
    const int parts = GEOSGetNumGeometries_r(geos->handle, g);
    const int type = GEOSGeomTypeId_r(geos->handle, g);
    for (int i = 0; i < parts && (type == GEOS_MULTIPOLYGON || type == GEOS_GEOMETRYCOLLECTION);
         i++)
        HLRP_TRY(add_rings(o, geos, GEOSGetGeometryN_r(geos->handle, g, i), all, err));
out:
    return status;
}

static int by_x(const void *a, const void *b) {
    const ring *p = a, *q = b;
    return p->x != q->x ? (p->x > q->x) - (p->x < q->x)
                        : (p->number > q->number) - (p->number < q->number);
}

static int by_y(const void *a, const void *b) {
    const ring *p = a, *q = b;
    return p->y != q->y ? (p->y > q->y) - (p->y < q->y)
                        : (p->number > q->number) - (p->number < q->number);
}

/* Neighbors stay together: halves along x and y in turn. */
static hlrp_status join(hlrp_outline *o, ring *list, int64_t count, bool along_x, int64_t *number,
                        hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t low = 0, high = 0;
    hlrp_outline_node n;
    if (count == 1) {
        *number = list->number;
        return HLRP_OK;
    }
    qsort(list, (size_t)count, sizeof *list, along_x ? by_x : by_y);
    HLRP_TRY(join(o, list, count / 2, !along_x, &low, err));
    HLRP_TRY(join(o, list + count / 2, count - count / 2, !along_x, &high, err));
    n = both(o, low, high);
    status = add_node(o, &n, number, err);
out:
    return status;
}

hlrp_status hlrp_outline_new(const hlrp_geos *geos, const GEOSGeometry *shape, hlrp_size slide,
                             hlrp_outline **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_outline *o = NULL;
    rings all = {0};
    HLRP_TRY(hlrp_calloc(&o, 1, sizeof *o, "an outline", err));
    o->root = -1;
    HLRP_TRY(add_rings(o, geos, shape, &all, err));
    if (all.count > 0)
        HLRP_TRY(join(o, all.items, all.count, true, &o->root, err));
    o->total = hlrp_outline_area(o, (hlrp_rect){0, 0, (double)slide.w, (double)slide.h});
    *out = o;
    o = NULL;
out:
    free(all.items);
    hlrp_outline_free(o);
    return status;
}

void hlrp_outline_free(hlrp_outline *o) {
    if (!o)
        return;
    free(o->vertices);
    free(o->nodes);
    free(o);
}

/* ---- questions ---- */

double hlrp_mean_height(double from, double to, double h) {
    const double low = HLRP_MIN(from, to), high = HLRP_MAX(from, to);
    if (high <= 0 || low >= h)
        return high <= 0 ? 0 : h;
    if (low >= 0 && high <= h)
        return (low + high) / 2;
    const double a = HLRP_MAX(low, 0), b = HLRP_MIN(high, h);
    return ((b - a) * (a + b) / 2 + h * HLRP_MAX(high - h, 0)) / (high - low);
}

static double edge_area(hlrp_vertex p, hlrp_vertex q, hlrp_rect r) {
    const double right = r.x + r.w;
    if (p.x == q.x || HLRP_MAX(p.x, q.x) <= r.x || HLRP_MIN(p.x, q.x) >= right)
        return 0;
    const double slope = (q.y - p.y) / (q.x - p.x);
    const double a = HLRP_MIN(HLRP_MAX(p.x, r.x), right), b = HLRP_MIN(HLRP_MAX(q.x, r.x), right);
    const double from = a == p.x ? p.y : p.y + (a - p.x) * slope;
    const double to = b == q.x ? q.y : p.y + (b - p.x) * slope;
    return (b - a) * hlrp_mean_height(from - r.y, to - r.y, r.h);
}

static double area_of(const hlrp_outline *o, const hlrp_outline_node *n, hlrp_rect r) {
    const double right = r.x + r.w, below = r.y + r.h;
    if (n->right <= r.x || n->left >= right || n->bottom <= r.y)
        return 0;
    if (n->top >= below)
        return r.h *
               (HLRP_MIN(HLRP_MAX(n->end, r.x), right) - HLRP_MIN(HLRP_MAX(n->start, r.x), right));
    if (n->left >= r.x && n->right <= right && n->top >= r.y && n->bottom <= below)
        return sum_above(n, r.y);
    double sum = 0;
    for (int64_t i = n->first; i < n->first + n->count; i++)
        sum += edge_area(o->vertices[i], o->vertices[i + 1], r);
    return n->count > 0 ? sum
                        : area_of(o, &o->nodes[n->low], r) + area_of(o, &o->nodes[n->high], r);
}

double hlrp_outline_area(const hlrp_outline *o, hlrp_rect rect) {
    if (o->root < 0 || !(rect.w > 0 && rect.h > 0))
        return 0;
    return HLRP_MIN(HLRP_MAX(area_of(o, &o->nodes[o->root], rect), 0), rect.w * rect.h);
}

double hlrp_outline_total(const hlrp_outline *o) {
    return o->total;
}

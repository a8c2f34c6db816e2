/* Areas inside rectangles, at the cost of the rectangle's edge. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "region/polygon.h"

/* Pieces of up to so many vertices are not cut further; deeper than this nothing is. */
enum { FEW_VERTICES = 128, MOST_DEPTH = 40, MANY_CROSSINGS = 2000 };

/* Areas that differ by less than this share of their rectangle are the same. */
#define SAME_SHARE 1e-9

typedef struct node {
    hlrp_rect box;
    double area;         /* of the shape inside the box */
    GEOSGeometry *piece; /* at leaves that are neither full nor empty */
    int64_t low, high;   /* numbers of the halves; −1: a leaf */
} node;

struct hlrp_pieces {
    hlrp_geos geos;
    pthread_mutex_t lock; /* a GEOS context serves one thread at a time */
    bool locked;          /* the lock was made */
    node *nodes;
    int64_t count, capacity;
};

static double area_of(hlrp_rect r) {
    return r.w * r.h;
}

static GEOSGeometry *rectangle(const hlrp_geos *geos, hlrp_rect r) {
    return GEOSGeom_createRectangle_r(geos->handle, r.x, r.y, r.x + r.w, r.y + r.h);
}

/* The slow way that does not fail: for pieces that the fast one cannot cut. */
static GEOSGeometry *intersect(const hlrp_geos *geos, const GEOSGeometry *g, hlrp_rect r) {
    GEOSGeometry *box = rectangle(geos, r);
    GEOSGeometry *out = box ? GEOSIntersection_r(geos->handle, g, box) : NULL;
    GEOSGeom_destroy_r(geos->handle, box);
    return out;
}

/* Where a place lies: strictly inside (0), or on which side or edge it is. */
static int side_of(double x, double y, hlrp_rect r) {
    const int across = x < r.x ? 1 : x == r.x ? 2 : x == r.x + r.w ? 3 : x > r.x + r.w ? 4 : 0;
    const int down = y < r.y ? 1 : y == r.y ? 2 : y == r.y + r.h ? 3 : y > r.y + r.h ? 4 : 0;
    return 5 * down + across;
}

static int64_t ring_crossings(const hlrp_geos *geos, const GEOSGeometry *ring, hlrp_rect r) {
    const GEOSCoordSequence *places = GEOSGeom_getCoordSeq_r(geos->handle, ring);
    unsigned n = 0;
    int64_t crossings = 0;
    int last = -1;
    if (!places || !GEOSCoordSeq_getSize_r(geos->handle, places, &n))
        return 0;
    for (unsigned i = 0; i < n; i++) {
        double x = 0, y = 0;
        GEOSCoordSeq_getXY_r(geos->handle, places, i, &x, &y);
        const int side = side_of(x, y, r);
        crossings += i > 0 && side != last;
        last = side;
    }
    return crossings;
}

/* Edges that lead from one side of the rectangle's edges to another: an upper bound of crossings. */
static int64_t crossings(const hlrp_geos *geos, const GEOSGeometry *g, hlrp_rect r) {
    int64_t sum = 0;
    if (GEOSGeomTypeId_r(geos->handle, g) != GEOS_POLYGON) {
        const int parts = GEOSGetNumGeometries_r(geos->handle, g);
        for (int i = 0; parts > 1 && i < parts; i++)
            sum += crossings(geos, GEOSGetGeometryN_r(geos->handle, g, i), r);
        if (parts == 1 && GEOSGetGeometryN_r(geos->handle, g, 0) != g)
            sum = crossings(geos, GEOSGetGeometryN_r(geos->handle, g, 0), r);
        return sum;
    }
    if (GEOSisEmpty_r(geos->handle, g) == 1)
        return 0;
    sum = ring_crossings(geos, GEOSGetExteriorRing_r(geos->handle, g), r);
    const int holes = GEOSGetNumInteriorRings_r(geos->handle, g);
    for (int i = 0; i < holes; i++)
        sum += ring_crossings(geos, GEOSGetInteriorRingN_r(geos->handle, g, i), r);
    return sum;
}

/* By GEOSClipByRect, whose time grows with the square of the crossings: not where there are many.
 */
static GEOSGeometry *clip(const hlrp_geos *geos, const GEOSGeometry *g, hlrp_rect r) {
    GEOSGeometry *out = NULL;
    if (crossings(geos, g, r) <= MANY_CROSSINGS)
        out = GEOSClipByRect_r(geos->handle, g, r.x, r.y, r.x + r.w, r.y + r.h);
    return out ? out : intersect(geos, g, r);
}

/* ---- the tree ---- */

static void halve(hlrp_rect box, hlrp_rect half[2]) {
    half[0] = half[1] = box;
    if (box.w >= box.h) {
        half[0].w = floor(box.w / 2);
        half[1].x = box.x + half[0].w;
        half[1].w = box.x + box.w - half[1].x;
    } else {
        half[0].h = floor(box.h / 2);
        half[1].y = box.y + half[0].h;
        half[1].h = box.y + box.h - half[1].y;
    }
}

/* Both halves of a piece; cut the slow way where the fast one lost or made area. */
static bool cut_piece(hlrp_geos *geos, const GEOSGeometry *piece, const hlrp_rect half[2],
                      GEOSGeometry *out[2]) {
    const double whole = hlrp_polygon_area(geos, piece);
    const double tolerance = SAME_SHARE * (area_of(half[0]) + area_of(half[1]));
    double sum = 0;
    for (int i = 0; i < 2; i++) {
        out[i] = clip(geos, piece, half[i]);
        sum += out[i] ? hlrp_polygon_area(geos, out[i]) : 0;
    }
    if (out[0] && out[1] && fabs(sum - whole) <= tolerance)
        return true;
    for (int i = 0; i < 2; i++) {
        GEOSGeom_destroy_r(geos->handle, out[i]);
        out[i] = intersect(geos, piece, half[i]);
    }
    return out[0] && out[1];
}

static hlrp_status grow_tree(hlrp_pieces *p, GEOSGeometry *piece, hlrp_rect box, int depth,
                             int64_t *number, hlrp_error *err);

/* Takes the piece over. */
static hlrp_status split(hlrp_pieces *p, GEOSGeometry *piece, hlrp_rect box, int depth,
                         int64_t number, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_rect half[2];
    GEOSGeometry *cut[2] = {NULL, NULL};
    int64_t low = -1, high = -1;
    halve(box, half);
    const bool done = cut_piece(&p->geos, piece, half, cut);
    GEOSGeom_destroy_r(p->geos.handle, piece);
    if (!done) {
        GEOSGeom_destroy_r(p->geos.handle, cut[0]);
        GEOSGeom_destroy_r(p->geos.handle, cut[1]);
        return hlrp_geos_failed(&p->geos, NULL, err);
    }
    status = grow_tree(p, cut[0], half[0], depth + 1, &low, err);
    if (status != HLRP_OK) {
        GEOSGeom_destroy_r(p->geos.handle, cut[1]);
        return status;
    }
    status = grow_tree(p, cut[1], half[1], depth + 1, &high, err);
    p->nodes[number].low = low;
    p->nodes[number].high = high;
    return status;
}

/* Takes the piece over, also where it fails. */
static hlrp_status grow_tree(hlrp_pieces *p, GEOSGeometry *piece, hlrp_rect box, int depth,
                             int64_t *number, hlrp_error *err) {
    const double area = hlrp_polygon_area(&p->geos, piece), edge = SAME_SHARE * area_of(box);
    hlrp_status status = hlrp_grow(&p->nodes, &p->capacity, p->count + 1, sizeof *p->nodes, err);
    if (status != HLRP_OK) {
        GEOSGeom_destroy_r(p->geos.handle, piece);
        return status;
    }
    *number = p->count++;
    node *n = &p->nodes[*number];
    *n = (node){.box = box, .area = area, .low = -1, .high = -1};
    if (area <= 0 || area >= area_of(box) - edge * 1e-3) {
        n->area = area <= 0 ? 0 : area_of(box);
        GEOSGeom_destroy_r(p->geos.handle, piece);
    } else if (GEOSGetNumCoordinates_r(p->geos.handle, piece) <= FEW_VERTICES ||
               depth >= MOST_DEPTH || HLRP_MAX(box.w, box.h) < 2) {
        n->piece = piece;
    } else {
        return split(p, piece, box, depth, *number, err);
    }
    return HLRP_OK;
}

hlrp_status hlrp_pieces_new(const GEOSGeometry *shape, hlrp_size slide, hlrp_pieces **out,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_pieces *p = NULL;
    const hlrp_rect box = {0, 0, (double)slide.w, (double)slide.h};
    int64_t root = 0;
    GEOSGeometry *inside = NULL;
    HLRP_TRY(hlrp_calloc(&p, 1, sizeof *p, "the pieces of an annotation", err));
    p->locked = pthread_mutex_init(&p->lock, NULL) == 0;
    HLRP_TRY(hlrp_geos_begin(&p->geos, err));
    inside = clip(&p->geos, shape, box);
    if (!p->locked || !inside) {
        GEOSGeom_destroy_r(p->geos.handle, inside);
        status = hlrp_geos_failed(&p->geos, NULL, err);
        goto out;
    }
    HLRP_TRY(grow_tree(p, inside, box, 0, &root, err));
    *out = p;
    return HLRP_OK;
out:
    hlrp_pieces_free(p);
    return status;
}

void hlrp_pieces_free(hlrp_pieces *p) {
    if (!p)
        return;
    for (int64_t i = 0; i < p->count; i++)
        GEOSGeom_destroy_r(p->geos.handle, p->nodes[i].piece);
    hlrp_geos_end(&p->geos);
    if (p->locked)
        pthread_mutex_destroy(&p->lock);
    free(p->nodes);
    free(p);
}

/* ---- questions ---- */

double hlrp_pieces_total(const hlrp_pieces *p) {
    double sum = 0;
    for (int64_t i = 0; i < p->count; i++)
        sum += p->nodes[i].low < 0 ? p->nodes[i].area : 0;
    return sum;
}

static double leaf_area(hlrp_pieces *p, const node *n, hlrp_rect inside) {
    if (!n->piece)
        return n->area > 0 ? area_of(inside) : 0;
    GEOSGeometry *part = clip(&p->geos, n->piece, inside);
    const double area = part ? hlrp_polygon_area(&p->geos, part) : 0;
    GEOSGeom_destroy_r(p->geos.handle, part);
    return HLRP_MIN(area, area_of(inside));
}

static double area_below(hlrp_pieces *p, int64_t number, hlrp_rect rect) {
    const node *n = &p->nodes[number];
    const hlrp_rect inside = hlrp_rect_intersect(rect, n->box);
    if (!(inside.w > 0 && inside.h > 0) || n->area <= 0)
        return 0;
    if (inside.w >= n->box.w && inside.h >= n->box.h)
        return n->area;
    if (n->low < 0)
        return leaf_area(p, n, inside);
    return area_below(p, n->low, rect) + area_below(p, n->high, rect);
}

double hlrp_pieces_area(const hlrp_pieces *pieces, hlrp_rect rect) {
    hlrp_pieces *p = (hlrp_pieces *)pieces; /* changed under the lock only */
    pthread_mutex_lock(&p->lock);
    const double area = area_below(p, 0, rect);
    pthread_mutex_unlock(&p->lock);
    return area;
}

/* Shapes as they come out of annotation files. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/annotation.h"

enum { ELLIPSE_VERTICES = 360, MOST_GROUPS = 10000 };

void hlrp_drawing_free(hlrp_drawing *d) {
    for (int64_t i = 0; i < d->group_count; i++)
        free(d->groups[i].name);
    free(d->groups);
    free(d->shapes);
    free(d->rings);
    free(d->vertices);
    *d = (hlrp_drawing){0};
}

hlrp_status hlrp_drawing_group(hlrp_drawing *d, const char *name, int64_t *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *copy = NULL;
    if (!name || !*name)
        name = HLRP_UNCLASSIFIED;
    /* from the end: neighbors in a file are mostly of one class */
    for (int64_t i = d->group_count - 1; i >= 0; i--)
        if (strcmp(d->groups[i].name, name) == 0) {
            *out = i;
            return HLRP_OK;
        }
    if (d->group_count >= MOST_GROUPS)
        return hlrp_fail(err, HLRP_E_INPUT, NULL, "give the areas fewer classes",
                         "the annotations have over %d classes", MOST_GROUPS);
    HLRP_TRY(hlrp_grow(&d->groups, &d->group_capacity, d->group_count + 1, sizeof *d->groups, err));
    copy = hlrp_strdup(name, err);
    if (!copy)
        return err->status;
    d->groups[d->group_count] = (hlrp_group){copy, -1, false};
    *out = d->group_count++;
out:
    return status;
}

hlrp_status hlrp_drawing_begin(hlrp_drawing *d, hlrp_shape_kind kind, int64_t group, int64_t number,
                               hlrp_error *err) {
    hlrp_status status =
        hlrp_grow(&d->shapes, &d->shape_capacity, d->shape_count + 1, sizeof *d->shapes, err);
    if (status != HLRP_OK)
        return status;
    d->shapes[d->shape_count] =
        (hlrp_shape){.kind = kind, .group = group, .first_ring = d->ring_count, .number = number};
    d->shape_count++;
    d->bad = d->orphans = false;
    return HLRP_OK;
}

static bool same(hlrp_vertex a, hlrp_vertex b) {
    return a.x == b.x && a.y == b.y;
}

/* Closes the open ring; takes it back where it is none, and a hole also where its outer ring was
 * taken back: it must not become another ring's. */
static void finish_ring(hlrp_drawing *d) {
    if (!d->ring_open)
        return;
    d->ring_open = false;
    hlrp_ring *ring = &d->rings[d->ring_count - 1];
    while (ring->count > 1 &&
           same(d->vertices[ring->first], d->vertices[ring->first + ring->count - 1]))
        ring->count--;
    d->vertex_count = ring->first + ring->count;
    if (ring->count >= 3 && !(ring->hole && d->orphans))
        return;
    if (ring->count < 3 && !d->bad)
        hlrp_drawing_slip(d, HLRP_SLIP_TOO_FEW, d->shapes[d->shape_count - 1].number);
    if (!ring->hole)
        d->orphans = true;
    d->vertex_count = ring->first;
    d->ring_count--;
}

hlrp_status hlrp_drawing_ring(hlrp_drawing *d, bool hole, hlrp_error *err) {
    finish_ring(d);
    hlrp_status status =
        hlrp_grow(&d->rings, &d->ring_capacity, d->ring_count + 1, sizeof *d->rings, err);
    if (status != HLRP_OK)
        return status;
    d->rings[d->ring_count++] = (hlrp_ring){d->vertex_count, 0, hole};
    d->ring_open = true;
    d->orphans = d->orphans && hole;
    return HLRP_OK;
}

hlrp_status hlrp_drawing_vertex(hlrp_drawing *d, double x, double y, hlrp_error *err) {
    hlrp_ring *ring = &d->rings[d->ring_count - 1];
    const hlrp_vertex v = {x, y};
    if (!(fabs(x) < HLRP_COORDINATE_LIMIT && fabs(y) < HLRP_COORDINATE_LIMIT)) {
        d->bad = true;
        return HLRP_OK;
    }
    if (ring->count > 0 && same(d->vertices[d->vertex_count - 1], v))
        return HLRP_OK;
    hlrp_status status =
        hlrp_grow(&d->vertices, &d->vertex_capacity, d->vertex_count + 1, sizeof *d->vertices, err);
    if (status == HLRP_OK) {
        d->vertices[d->vertex_count++] = v;
        ring->count++;
    }
    return status;
}

/* A regular polygon stretched to the box, a little larger than the ellipse's own chords so that its
 * area is the ellipse's: a·b·π = s²·a·b·(n/2)·sin(2π/n). */
hlrp_status hlrp_drawing_ellipse(hlrp_drawing *d, hlrp_vertex low, hlrp_vertex high,
                                 hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const double step = 2 * M_PI / ELLIPSE_VERTICES, s = sqrt(step / sin(step));
    HLRP_TRY(hlrp_drawing_ring(d, false, err));
    if (!(high.x > low.x && high.y > low.y))
        return HLRP_OK; /* no vertex: taken back at the end */
    for (int k = 0; k < ELLIPSE_VERTICES; k++)
        HLRP_TRY(hlrp_drawing_vertex(
            d, (low.x + high.x) / 2 + s * (high.x - low.x) / 2 * cos(k * step),
            (low.y + high.y) / 2 + s * (high.y - low.y) / 2 * sin(k * step), err));
out:
    return status;
}

void hlrp_drawing_end(hlrp_drawing *d) {
    hlrp_shape *shape = &d->shapes[d->shape_count - 1];
    finish_ring(d);
    shape->ring_count = d->ring_count - shape->first_ring;
    if (d->bad)
        hlrp_drawing_slip(d, HLRP_SLIP_NOT_FINITE, shape->number);
    if (!d->bad && shape->ring_count > 0)
        return;
    if (shape->ring_count > 0) {
        d->vertex_count = d->rings[shape->first_ring].first;
        d->ring_count = shape->first_ring;
    }
    d->shape_count--;
}

hlrp_status hlrp_drawing_skip(hlrp_drawing *d, hlrp_shape_kind kind, int64_t group, int64_t number,
                              hlrp_error *err) {
    hlrp_status status = hlrp_drawing_begin(d, kind, group, number, err);
    if (status == HLRP_OK)
        hlrp_drawing_slip(d, HLRP_SLIP_POINTS, number);
    return status;
}

void hlrp_drawing_slip(hlrp_drawing *d, hlrp_slip slip, int64_t number) {
    if (d->slips[slip].count++ == 0)
        d->slips[slip].first = number;
}

void hlrp_drawing_shift(hlrp_drawing *d, double x, double y) {
    for (int64_t i = 0; i < d->vertex_count; i++) {
        d->vertices[i].x += x;
        d->vertices[i].y += y;
    }
}

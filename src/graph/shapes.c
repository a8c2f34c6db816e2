/* What the rows of src/op are made of: errors, checks of shapes, and the arithmetic of windows. */
#include <stdarg.h>

#include "graph/internal.h"

#define MEND "check the model file and the size of the input"

static hlrp_status refuse(const hlrp_node *n, hlrp_error *err, const char *mend, const char *what,
                          va_list args) {
    char text[400], where[300];
    vsnprintf(text, sizeof text, what, args);
    snprintf(where, sizeof where, "node %s, %s", n->name, n->type);
    return hlrp_fail(err, HLRP_E_MODEL, where, mend, "%s", text);
}

hlrp_status hlrp_node_fail(const hlrp_node *n, hlrp_error *err, const char *what, ...) {
    va_list args;
    va_start(args, what);
    const hlrp_status status = refuse(n, err, MEND, what, args);
    va_end(args);
    return status;
}

hlrp_status hlrp_node_refuse(const hlrp_node *n, hlrp_error *err, const char *mend,
                             const char *what, ...) {
    va_list args;
    va_start(args, what);
    const hlrp_status status = refuse(n, err, mend, what, args);
    va_end(args);
    return status;
}

bool hlrp_axis_resolve(int64_t axis, int rank, int *out) {
    if (axis < -rank || axis >= rank)
        return false;
    *out = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

bool hlrp_dims_broadcast(const hlrp_dims *a, const hlrp_dims *b, hlrp_dims *out) {
    out->rank = HLRP_MAX(a->rank, b->rank);
    for (int k = 1; k <= out->rank; k++) { /* from the last axis */
        int64_t da = k <= a->rank ? a->d[a->rank - k] : 1;
        int64_t db = k <= b->rank ? b->d[b->rank - k] : 1;
        if (da != db && da != 1 && db != 1)
            return false;
        out->d[out->rank - k] = da == 1 ? db : da;
    }
    return true;
}

bool hlrp_dims_one_per_channel(const hlrp_dims *part, const hlrp_dims *whole) {
    return part->rank == 4 && whole->rank == 4 && part->d[0] == whole->d[0] &&
           part->d[1] == whole->d[1] && part->d[2] == 1 && part->d[3] == 1;
}

hlrp_status hlrp_shape_same(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    (void)err;
    *out = *s->in[0];
    return HLRP_OK;
}

hlrp_status hlrp_shape_rank(const hlrp_shapes *s, int rank, hlrp_error *err) {
    char text[96];
    if (s->in[0]->rank == rank)
        return HLRP_OK;
    return hlrp_node_fail(s->n, err, "its input has the shape %s, but %s was expected",
                          hlrp_dims_text(s->in[0], text, sizeof text),
                          rank == 4 ? "[N,C,H,W]" : "[N,C]");
}

hlrp_status hlrp_shape_vector(const hlrp_shapes *s, int input, int64_t length, const char *what,
                              hlrp_error *err) {
    char text[96];
    const hlrp_dims *d = s->in[input];
    if (!d || (d->rank == 1 && d->d[0] == length))
        return HLRP_OK;
    return hlrp_node_fail(s->n, err, "its %s has the shape %s, but %lld elements were expected",
                          what, hlrp_dims_text(d, text, sizeof text), (long long)length);
}

bool hlrp_all_inputs(const hlrp_node *n, const bool *is) {
    for (int k = 0; k < n->in_count; k++)
        if (n->in[k] >= 0 && !is[n->in[k]])
            return false;
    return true;
}

bool hlrp_first_input(const hlrp_node *n, const bool *is) {
    return is[n->in[0]];
}

/* ---- windows ---- */

static int64_t span(const hlrp_window *w, int axis) {
    return w->dilation[axis] * (w->kernel[axis] - 1) + 1;
}

/* Pads that auto_pad asks for at this extent of the input. */
static void resolve(hlrp_window *w, int axis, int64_t extent) {
    if (w->auto_pad == HLRP_PAD_EXPLICIT)
        return;
    int64_t total = 0;
    if (w->auto_pad != HLRP_PAD_VALID) { /* output = ceil(extent / stride) */
        int64_t windows = extent <= 0 ? 0 : (extent - 1) / w->stride[axis] + 1;
        total = HLRP_MAX((windows - 1) * w->stride[axis] + span(w, axis) - extent, 0);
    }
    /* The odd one goes to the end for SAME_UPPER, to the beginning for SAME_LOWER. */
    w->pad_lo[axis] = w->auto_pad == HLRP_PAD_SAME_LOWER ? total - total / 2 : total / 2;
    w->pad_hi[axis] = total - w->pad_lo[axis];
}

int64_t hlrp_window_extent(const hlrp_window *w, int axis, int64_t extent) {
    int64_t stride = w->stride[axis];
    int64_t room = extent + w->pad_lo[axis] + w->pad_hi[axis] - span(w, axis);
    if (room < 0 || stride < 1)
        return 0;
    int64_t count = room / stride + 1;
    /* A last, partial window counts if it starts inside the input or its lower padding: otherwise
     * it would see upper padding only. */
    if (w->ceil && w->auto_pad == HLRP_PAD_EXPLICIT && room % stride != 0 &&
        count * stride < extent + w->pad_lo[axis])
        count++;
    return count;
}

hlrp_status hlrp_shape_window(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    hlrp_window *w = &s->n->window;
    for (int a = 0; a < 2; a++) {
        int64_t extent = s->in[0]->d[2 + a];
        if (w->kernel[a] < 1 || w->stride[a] < 1 || w->dilation[a] < 1)
            return hlrp_node_fail(s->n, err, "kernel, stride and dilation must be 1 or more");
        resolve(w, a, extent);
        out->d[2 + a] = hlrp_window_extent(w, a, extent);
        if (out->d[2 + a] < 1)
            return hlrp_node_fail(s->n, err,
                                  "a window of %lld (dilation %lld, pads %lld and %lld) does not "
                                  "fit an extent of %lld",
                                  (long long)w->kernel[a], (long long)w->dilation[a],
                                  (long long)w->pad_lo[a], (long long)w->pad_hi[a],
                                  (long long)extent);
    }
    return HLRP_OK;
}

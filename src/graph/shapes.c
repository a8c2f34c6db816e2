/* Shapes of operators that only move data, and the arithmetic of windows. */
#include <stdarg.h>

#include "graph/internal.h"

hlrp_status hlrp_node_fail(const hlrp_node *n, hlrp_error *err, const char *what, ...) {
    char text[400], where[300];
    va_list args;
    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    snprintf(where, sizeof where, "node %s, %s", n->name, n->type);
    return hlrp_fail(err, HLRP_E_MODEL, where, "check the model file and the size of the input",
                     "%s", text);
}

bool hlrp_axis_resolve(int64_t axis, int rank, int *out) {
    if (axis < -rank || axis >= rank)
        return false;
    *out = (int)(axis < 0 ? axis + rank : axis);
    return true;
}

/* One requested extent: 0 copies the input's, −1 is left to the caller. */
static bool reshape_extent(const hlrp_dims *in, const hlrp_tensor *shape, int k, int64_t *d) {
    *d = shape->i[k];
    if (*d == 0 && k < in->rank)
        *d = in->d[k];
    return *d >= -1 && (shape->i[k] != 0 || k < in->rank);
}

hlrp_status hlrp_dims_reshape(const hlrp_node *n, const hlrp_dims *in, const hlrp_tensor *shape,
                              hlrp_dims *out, hlrp_error *err) {
    char from[96], to[96];
    int64_t total = 0, known = 0;
    int open = -1;

    if (shape->dtype != HLRP_I64 || shape->dims.rank != 1 || shape->dims.d[0] > HLRP_MAX_RANK)
        return hlrp_node_fail(n, err, "the shape is not a vector of at most %d integers",
                              HLRP_MAX_RANK);
    hlrp_dims fixed = {.rank = (int)shape->dims.d[0]};
    bool fits = true;
    for (int k = 0; k < fixed.rank; k++) {
        fits = fits && reshape_extent(in, shape, k, &fixed.d[k]) && (fixed.d[k] >= 0 || open < 0);
        if (fixed.d[k] == -1) {
            open = k;
            fixed.d[k] = 1;
        }
    }
    if (hlrp_dims_count(in, &total, err) != HLRP_OK)
        return err->status;
    fits = fits && hlrp_dims_count(&fixed, &known, err) == HLRP_OK;
    if (fits && open >= 0 && known > 0) {
        fixed.d[open] = total / known;
        known *= fixed.d[open];
    }
    *out = fixed;
    if (!fits || known != total) {
        hlrp_dims asked = {.rank = fixed.rank};
        for (int k = 0; k < asked.rank; k++)
            asked.d[k] = shape->i[k];
        return hlrp_node_fail(n, err, "cannot reshape %s to %s",
                              hlrp_dims_text(in, from, sizeof from),
                              hlrp_dims_text(&asked, to, sizeof to));
    }
    return HLRP_OK;
}

hlrp_status hlrp_dims_transpose(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
                                hlrp_error *err) {
    unsigned seen = 0;
    out->rank = in->rank;
    if (n->ints.rank != 0 && n->ints.rank != in->rank)
        return hlrp_node_fail(n, err, "perm has %d entries for a tensor of rank %d", n->ints.rank,
                              in->rank);
    for (int k = 0; k < in->rank; k++) {
        int64_t from = n->ints.rank == 0 ? in->rank - 1 - k : n->ints.d[k];
        if (from < 0 || from >= in->rank || (seen >> from & 1) != 0)
            return hlrp_node_fail(n, err, "perm is not a permutation of the tensor's axes");
        seen |= 1U << from;
        out->d[k] = in->d[from];
    }
    return HLRP_OK;
}

hlrp_status hlrp_dims_squeeze(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
                              hlrp_error *err) {
    unsigned drop = 0;
    int axis = 0;
    for (int k = 0; k < n->ints.rank; k++) {
        if (!hlrp_axis_resolve(n->ints.d[k], in->rank, &axis) || in->d[axis] != 1)
            return hlrp_node_fail(n, err, "axis %lld cannot be squeezed", (long long)n->ints.d[k]);
        drop |= 1U << axis;
    }
    out->rank = 0;
    for (int k = 0; k < in->rank; k++)
        if (n->ints.rank == 0 ? in->d[k] != 1 : (drop >> k & 1) == 0)
            out->d[out->rank++] = in->d[k];
    return HLRP_OK;
}

hlrp_status hlrp_dims_unsqueeze(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
                                hlrp_error *err) {
    unsigned insert = 0;
    int axis = 0, next = 0, rank = in->rank + n->ints.rank;
    if (rank > HLRP_MAX_RANK)
        return hlrp_node_fail(n, err, "a tensor of rank %d is beyond %d", rank, HLRP_MAX_RANK);
    for (int k = 0; k < n->ints.rank; k++) {
        if (!hlrp_axis_resolve(n->ints.d[k], rank, &axis) || (insert >> axis & 1) != 0)
            return hlrp_node_fail(n, err, "axis %lld cannot be inserted", (long long)n->ints.d[k]);
        insert |= 1U << axis;
    }
    out->rank = rank;
    for (int k = 0; k < rank; k++)
        out->d[k] = (insert >> k & 1) != 0 ? 1 : in->d[next++];
    return HLRP_OK;
}

hlrp_status hlrp_dims_concat(const hlrp_node *n, const hlrp_dims *const *in, hlrp_dims *out,
                             hlrp_error *err) {
    char a[96], b[96];
    int axis = 0;
    *out = *in[0];
    if (!hlrp_axis_resolve(n->axis, out->rank, &axis))
        return hlrp_node_fail(n, err, "axis %d is outside tensors of rank %d", n->axis, out->rank);
    for (int i = 1; i < n->in_count; i++) {
        bool fits = in[i]->rank == out->rank;
        for (int k = 0; fits && k < out->rank; k++)
            fits = k == axis || in[i]->d[k] == out->d[k];
        if (!fits)
            return hlrp_node_fail(n, err, "inputs of shapes %s and %s do not join along axis %d",
                                  hlrp_dims_text(out, a, sizeof a),
                                  hlrp_dims_text(in[i], b, sizeof b), axis);
        out->d[axis] += in[i]->d[axis];
    }
    return HLRP_OK;
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

/* ---- windows ---- */

static int64_t span(const hlrp_window *w, int axis) {
    return w->dilation[axis] * (w->kernel[axis] - 1) + 1;
}

void hlrp_window_resolve(hlrp_window *w, int axis, int64_t extent) {
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

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

int64_t hlrp_slice_count(int64_t *start, int64_t end, int64_t step, int64_t extent) {
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
    *start = *start < 0 ? HLRP_MAX(*start + extent, low) : HLRP_MIN(*start, high);
    end = end < 0 ? HLRP_MAX(end + extent, low) : HLRP_MIN(end, extent);
    int64_t length = step > 0 ? end - *start : *start - end;
    int64_t stride = step > 0 ? step : -step;
    return length <= 0 ? 0 : (length - 1) / stride + 1;
}

hlrp_status hlrp_slice_axes(const hlrp_node *n, const hlrp_tensor *const *known, int64_t *count,
                            hlrp_error *err) {
    if (n->in_count < 3)
        return hlrp_node_fail(n, err, "it has neither starts nor ends");
    *count = known[1] != NULL ? hlrp_tensor_count(known[1]) : 0;
    for (int k = 1; k < n->in_count; k++) {
        if (known[k] == NULL && (n->in[k] >= 0 || k < 3))
            return hlrp_node_fail(n, err, "its starts, ends, axes or steps are not constant");
        if (known[k] != NULL &&
            (known[k]->dtype != HLRP_I64 || hlrp_tensor_count(known[k]) != *count))
            return hlrp_node_fail(n, err, "starts, ends, axes and steps differ in length or type");
    }
    return HLRP_OK;
}

/* Split: the parts are equal, but for a last one that is smaller where that is allowed. */
static hlrp_status part_of(const hlrp_node *n, hlrp_dims *from, hlrp_dims *out, hlrp_error *err) {
    int axis = 0;
    if (!hlrp_axis_resolve(n->axis, out->rank, &axis) || n->group < 1)
        return hlrp_node_fail(n, err, "axis %d is outside a tensor of rank %d", n->axis, out->rank);
    const int64_t extent = out->d[axis], run = extent / n->group + (extent % n->group != 0);
    if (extent % n->group != 0 && !n->window.ceil)
        return hlrp_node_fail(n, err, "an extent of %lld has no %lld equal parts",
                              (long long)extent, (long long)n->group);
    from->d[axis] = HLRP_MIN(n->part * run, extent);
    out->d[axis] = HLRP_MIN(run, extent - from->d[axis]);
    return HLRP_OK;
}

hlrp_status hlrp_dims_slice(const hlrp_node *n, const hlrp_dims *x, const hlrp_tensor *const *known,
                            hlrp_dims *from, hlrp_dims *out, hlrp_error *err) {
    int64_t count = 0;
    unsigned seen = 0;
    *from = (hlrp_dims){.rank = x->rank};
    *out = *x;
    if (n->in_count == 1)
        return part_of(n, from, out, err);
    hlrp_status status = hlrp_slice_axes(n, known, &count, err);
    for (int64_t k = 0; status == HLRP_OK && k < count; k++) {
        const int64_t asked = n->in_count > 3 && known[3] != NULL ? known[3]->i[k] : k;
        int axis = 0;
        if (!hlrp_axis_resolve(asked, x->rank, &axis) || (seen >> axis & 1) != 0)
            return hlrp_node_fail(n, err, "axis %lld does not fit its input", (long long)asked);
        seen |= 1U << axis;
        if (n->extent > 0 && x->d[axis] != n->extent)
            return hlrp_node_fail(n, err, "its parts are those of an extent of %lld, not of %lld",
                                  (long long)n->extent, (long long)x->d[axis]);
        if (n->in_count > 4 && known[4] != NULL && known[4]->i[k] != 1)
            return hlrp_node_fail(n, err, "steps other than 1 are not supported");
        from->d[axis] = known[1]->i[k];
        out->d[axis] = hlrp_slice_count(&from->d[axis], known[2]->i[k], 1, x->d[axis]);
    }
    return status;
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

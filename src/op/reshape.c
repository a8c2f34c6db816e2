/* What gives its input's elements in their order, under other dims or in another layout. */
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"

/* One requested extent: 0 copies the input's, −1 is left to the caller. */
static bool reshape_extent(const hlrp_dims *in, const hlrp_tensor *shape, int k, int64_t *d) {
    *d = shape->i[k];
    if (*d == 0 && k < in->rank)
        *d = in->d[k];
    return *d >= -1 && (shape->i[k] != 0 || k < in->rank);
}

static hlrp_status dims_reshape(const hlrp_node *n, const hlrp_dims *in, const hlrp_tensor *shape,
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

static hlrp_status dims_squeeze(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
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

static hlrp_status dims_unsqueeze(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
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

/* ---- shapes ---- */

static hlrp_status flatten_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    const hlrp_dims *x = s->in[0];
    int axis = s->n->axis < 0 ? s->n->axis + x->rank : s->n->axis;
    if (axis < 0 || axis > x->rank)
        return hlrp_node_fail(s->n, err, "axis %d is outside a tensor of rank %d", s->n->axis,
                              x->rank);
    hlrp_dims head = {.rank = axis}, tail = {.rank = x->rank - axis};
    for (int k = 0; k < x->rank; k++)
        *(k < axis ? &head.d[k] : &tail.d[k - axis]) = x->d[k];
    out->rank = 2;
    hlrp_status status = hlrp_dims_count(&head, &out->d[0], err);
    return status == HLRP_OK ? hlrp_dims_count(&tail, &out->d[1], err) : status;
}

static hlrp_status reshape_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    if (!s->known[1])
        return hlrp_node_fail(s->n, err, "its shape is not a constant");
    return dims_reshape(s->n, s->in[0], s->known[1], out, err);
}

static hlrp_status squeeze_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return dims_squeeze(s->n, s->in[0], out, err);
}

static hlrp_status unsqueeze_shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    return dims_unsqueeze(s->n, s->in[0], out, err);
}

/* ---- of constants ---- */

static hlrp_status fold_identity(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    return hlrp_fold_reshaped(c->in[0], &c->in[0]->dims, c->most, out, err);
}

static hlrp_status fold_reshape(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    hlrp_dims dims = {0};
    const hlrp_status status = dims_reshape(c->n, &c->in[0]->dims, c->in[1], &dims, err);
    return status == HLRP_OK ? hlrp_fold_reshaped(c->in[0], &dims, c->most, out, err) : status;
}

static hlrp_status fold_squeeze(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    hlrp_dims dims = {0};
    const hlrp_status status = dims_squeeze(c->n, &c->in[0]->dims, &dims, err);
    return status == HLRP_OK ? hlrp_fold_reshaped(c->in[0], &dims, c->most, out, err) : status;
}

static hlrp_status fold_unsqueeze(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    hlrp_dims dims = {0};
    const hlrp_status status = dims_unsqueeze(c->n, &c->in[0]->dims, &dims, err);
    return status == HLRP_OK ? hlrp_fold_reshaped(c->in[0], &dims, c->most, out, err) : status;
}

/* ---- what canonize asks ---- */

static bool always(const hlrp_node *n) {
    (void)n;
    return true;
}

static bool in_order(const hlrp_node *n, const hlrp_dims *in) {
    (void)in;
    return always(n);
}

/* ---- of data ---- */

/* Element i of the plain order of a layout. */
static int64_t place(const hlrp_layout *l, int64_t i) {
    const int64_t pixels = l->h * l->w, channel = i / pixels;
    return hlrp_layout_offset(l, channel / l->c, channel % l->c) + i % pixels * l->lanes;
}

static bool is_plain(const hlrp_layout *l) {
    return l->rows || l->lanes == 1;
}

/* The same elements in the same order, under other dims and in another layout. */
static void relay(const hlrp_layout *from, const float *src, const hlrp_layout *to, float *dst) {
    const int64_t count = from->n * from->c * from->h * from->w;
    if (is_plain(from) && is_plain(to)) {
        memcpy(dst, src, (size_t)count * sizeof *dst);
    } else if (is_plain(to)) {
        const hlrp_layout plain = {from->n, from->c, from->h, from->w, 1, false};
        hlrp_repack(from, src, &plain, dst);
    } else if (is_plain(from)) {
        const hlrp_layout plain = {to->n, to->c, to->h, to->w, 1, false};
        hlrp_repack(&plain, src, to, dst);
    } else {
        memset(dst, 0, (size_t)hlrp_layout_count(to) * sizeof *dst);
        for (int64_t i = 0; i < count; i++)
            dst[place(to, i)] = src[place(from, i)];
    }
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    relay(c->in, c->x, c->out, c->y);
    return HLRP_OK;
}

static void back(const hlrp_turn *t, float *out) {
    relay(t->out, t->r, t->in, out);
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = HLRP_MOVED(back, back);

#define OF_DATA                                                                                    \
    .reshapes = in_order, .lays_out = HLRP_LAYS_FREELY, .forward = forward,                        \
    .nonnegative = hlrp_first_input, .moves = true, .otherwise = HLRP_RULE_PASS,                   \
    .relevance = relevance, .unfit = HLRP_ONLY_PASS

const hlrp_operator hlrp_op_flatten = {
    .name = "flatten", .least = 1, .shape = flatten_shape, OF_DATA};

const hlrp_operator hlrp_op_reshape = {
    .name = "reshape", .least = 2, .shape = reshape_shape, .fold = fold_reshape, OF_DATA};

const hlrp_operator hlrp_op_squeeze = {
    .name = "squeeze", .least = 1, .shape = squeeze_shape, .fold = fold_squeeze, OF_DATA};

const hlrp_operator hlrp_op_unsqueeze = {
    .name = "unsqueeze", .least = 1, .shape = unsqueeze_shape, .fold = fold_unsqueeze, OF_DATA};

const hlrp_operator hlrp_op_identity = {.name = "identity",
                                        .least = 1,
                                        .shape = hlrp_shape_same,
                                        .fold = fold_identity,
                                        .is_identity = always,
                                        OF_DATA};

#include "reference/index.h"

#include <string.h>

int64_t hlrp_ref_dims_count(const hlrp_dims *d) {
    int64_t count = 1;
    for (int k = 0; k < d->rank; k++)
        count *= d->d[k];
    return count;
}

void hlrp_ref_place_of(const hlrp_dims *d, int64_t i, int64_t *place) {
    for (int k = d->rank - 1; k >= 0; k--) {
        place[k] = i % d->d[k];
        i /= d->d[k];
    }
}

int64_t hlrp_ref_element_at(const hlrp_dims *d, const int64_t *place) {
    int64_t at = 0;
    for (int k = 0; k < d->rank; k++)
        at = at * d->d[k] + place[k];
    return at;
}

int64_t hlrp_ref_met(const hlrp_dims *whole, const hlrp_dims *small, int64_t i) {
    int64_t place[HLRP_MAX_RANK] = {0}, own[HLRP_MAX_RANK] = {0};
    hlrp_ref_place_of(whole, i, place);
    for (int k = 1; k <= small->rank; k++) /* from the last axis */
        own[small->rank - k] = small->d[small->rank - k] == 1 ? 0 : place[whole->rank - k];
    return hlrp_ref_element_at(small, own);
}

static int resolved(int64_t axis, int rank) {
    return (int)(axis < 0 ? axis + rank : axis);
}

/* ---- movement: each takes the place in the output to that in the input ---- */

typedef struct move {
    const hlrp_graph *g;
    const hlrp_node *n;
    const hlrp_dims *in, *out; /* of the first input */
    int64_t *to;               /* place in the output */
    int64_t *from;             /* place in the input, to be written; outside of it: nowhere */
} move;

static void by_transpose(const move *m) {
    const int rank = m->in->rank;
    for (int k = 0; k < rank; k++)
        m->from[m->n->ints.rank ? m->n->ints.d[k] : rank - 1 - k] = m->to[k];
}

static void by_slice(const move *m) {
    for (int k = 0; k < m->in->rank; k++)
        m->from[k] = m->n->ints.d[k] + m->to[k] * (m->n->more.rank ? m->n->more.d[k] : 1);
}

static void by_border(const move *m) {
    for (int k = 0; k < m->in->rank; k++)
        m->from[k] = m->to[k] - m->n->ints.d[k];
}

static void by_pad(const move *m) {
    for (int k = 0; k < m->in->rank; k++)
        m->from[k] = m->to[k] - (k < 2 ? 0 : m->n->window.pad_lo[k - 2]);
}

static void by_tile(const move *m) {
    for (int k = 0; k < m->in->rank; k++)
        m->from[k] = m->to[k] % m->in->d[k];
}

/* out[a…, i…, b…] = x[a…, index[i…], b…] */
static void by_gather(const move *m) {
    const hlrp_tensor *index = m->g->values[m->n->in[1]].constant;
    const int axis = resolved(m->n->axis, m->in->rank), more = index->dims.rank - 1;
    for (int k = 0; k < m->in->rank; k++)
        if (k != axis)
            m->from[k] = m->to[k < axis ? k : k + more];
    const int64_t i = index->i[hlrp_ref_element_at(&index->dims, m->to + axis)];
    m->from[axis] = i < 0 ? i + m->in->d[axis] : i;
}

static const struct {
    const hlrp_operator *op;
    void (*by)(const move *m);
} moves[] = {
    {&hlrp_op_transpose, by_transpose}, {&hlrp_op_slice, by_slice},
    {&hlrp_op_border, by_border},       {&hlrp_op_pad, by_pad},
    {&hlrp_op_tile, by_tile},           {&hlrp_op_gather, by_gather},
};

static bool is_inside(const hlrp_dims *d, const int64_t *place) {
    for (int k = 0; k < d->rank; k++)
        if (place[k] < 0 || place[k] >= d->d[k])
            return false;
    return true;
}

static hlrp_ref_source in_concat(const hlrp_graph *g, const hlrp_node *n, int64_t *place) {
    const int axis = resolved(n->axis, g->values[n->out[0]].dims.rank);
    int k = 0;
    for (; place[axis] >= g->values[n->in[k]].dims.d[axis]; k++)
        place[axis] -= g->values[n->in[k]].dims.d[axis];
    return (hlrp_ref_source){k, hlrp_ref_element_at(&g->values[n->in[k]].dims, place)};
}

hlrp_ref_source hlrp_ref_moved_from(const hlrp_graph *g, const hlrp_node *n, int64_t i) {
    int64_t to[HLRP_MAX_RANK] = {0}, from[HLRP_MAX_RANK] = {0};
    const hlrp_dims *in = &g->values[n->in[0]].dims, *out = &g->values[n->out[0]].dims;
    hlrp_ref_place_of(out, i, to);
    if (n->op == &hlrp_op_concat)
        return in_concat(g, n, to);
    if (n->op == &hlrp_op_expand || n->op == &hlrp_op_expand_to)
        return (hlrp_ref_source){0, hlrp_ref_met(out, in, i)};
    for (size_t k = 0; k < HLRP_COUNT(moves); k++) {
        if (moves[k].op != n->op)
            continue;
        moves[k].by(&(move){g, n, in, out, to, from});
        return (hlrp_ref_source){0, is_inside(in, from) ? hlrp_ref_element_at(in, from) : -1};
    }
    return (hlrp_ref_source){0, i}; /* the same elements under other dims */
}

/* ---- reductions and normalization ---- */

static bool is_reduced(const hlrp_node *n, int rank, int axis) {
    for (int k = 0; k < n->ints.rank; k++)
        if (resolved(n->ints.d[k], rank) == axis)
            return true;
    return n->ints.rank == 0;
}

int64_t hlrp_ref_reduced_to(const hlrp_node *n, const hlrp_dims *in, int64_t i) {
    int64_t place[HLRP_MAX_RANK] = {0}, at = 0;
    hlrp_ref_place_of(in, i, place);
    for (int k = 0; k < in->rank; k++)
        if (!is_reduced(n, in->rank, k))
            at = at * in->d[k] + place[k];
    return at;
}

hlrp_ref_member hlrp_ref_member_of(const hlrp_node *n, const hlrp_dims *x, int64_t i) {
    if (n->op == &hlrp_op_layernorm || n->op == &hlrp_op_rmsnorm) {
        int64_t together = 1;
        for (int k = resolved(n->axis, x->rank); k < x->rank; k++)
            together *= x->d[k];
        return (hlrp_ref_member){i / together * together, together, i % together};
    }
    int64_t pixels = 1;
    for (int k = 2; k < x->rank; k++)
        pixels *= x->d[k];
    const int64_t groups = n->op == &hlrp_op_instancenorm ? x->d[1] : n->group;
    const int64_t together = x->d[1] / groups * pixels;
    return (hlrp_ref_member){i / together * together, together, i / pixels % x->d[1]};
}

/* Evaluation of nodes on constants: what the rows' `fold` share, and one node of a graph. */
#include <stdlib.h>

#include "graph/internal.h"

/* Shapes have a handful of elements, index maps of windows some 100,000. What floats may come to is the caller's to say (`most`): a few
 * bytes of a file can ask for a lot of memory here, by broadcasts and repeated joins. */
#define MAX_INTEGERS (INT64_C(1) << 21)

static hlrp_status check_growth(int64_t count, hlrp_dtype dtype, int64_t most, hlrp_error *err) {
    if (count <= (dtype == HLRP_F32 ? most : MAX_INTEGERS))
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_MODEL, NULL, "simplify the network before exporting it",
                     "constants of the network grow to %lld elements", (long long)count);
}

hlrp_status hlrp_fold_new(const hlrp_dims *dims, hlrp_dtype dtype, int64_t most, hlrp_tensor **out,
                          hlrp_error *err) {
    int64_t count = 0;
    hlrp_status status = hlrp_dims_count(dims, &count, err);
    if (status == HLRP_OK)
        status = check_growth(count, dtype, most, err);
    return status == HLRP_OK ? hlrp_tensor_new(dims, dtype, out, err) : status;
}

void hlrp_fold_element(hlrp_tensor *to, int64_t k, const hlrp_tensor *from, int64_t j) {
    if (to->dtype == HLRP_F32)
        to->f[k] = from->f[j];
    else
        to->i[k] = from->i[j];
}

hlrp_status hlrp_fold_reshaped(const hlrp_tensor *x, const hlrp_dims *dims, int64_t most,
                               hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = check_growth(hlrp_tensor_count(x), x->dtype, most, err);
    if (status == HLRP_OK)
        status = hlrp_tensor_copy(x, out, err);
    if (status == HLRP_OK)
        (*out)->dims = *dims;
    return status;
}

hlrp_split hlrp_split_at(const hlrp_dims *d, int axis) {
    hlrp_split s = {1, d->rank > 0 ? d->d[axis] : 1, 1};
    for (int k = 0; k < axis; k++)
        s.outer *= d->d[k];
    for (int k = axis + 1; k < d->rank; k++)
        s.inner *= d->d[k];
    return s;
}

void hlrp_strides_of(const hlrp_dims *from, const hlrp_dims *to, int64_t *stride) {
    int64_t step = 1;
    for (int k = 1; k <= to->rank; k++) {
        int64_t d = k <= from->rank ? from->d[from->rank - k] : 1;
        stride[to->rank - k] = d == 1 ? 0 : step;
        step *= d;
    }
}

hlrp_places hlrp_places_of(const hlrp_dims *from, const hlrp_dims *to) {
    hlrp_places p = {.dims = *to};
    hlrp_strides_of(from, to, p.stride);
    return p;
}

int64_t hlrp_offset_of(int64_t k, const hlrp_dims *dims, const int64_t *stride) {
    int64_t offset = 0;
    for (int a = dims->rank - 1; a >= 0; a--) {
        offset += k % dims->d[a] * stride[a];
        k /= dims->d[a];
    }
    return offset;
}

/* Small results of large inputs, such as sums, take no memory, but time. */
int64_t hlrp_fold_cost(const hlrp_tensor *result, const hlrp_tensor *of) {
    const int64_t own = hlrp_tensor_count(result) * (result->dtype == HLRP_I64 ? 2 : 1);
    return of ? HLRP_MAX(own, hlrp_tensor_count(of) / 4) : own;
}

hlrp_status hlrp_fold(const hlrp_constants *c, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_node *n = c->n;
    *out = NULL;
    if (!n->op->fold)
        return HLRP_OK;
    for (int k = 0; !n->op->folds_dims && k < n->in_count; k++)
        if (!c->in[k] && (n->in[k] >= 0 || k < 2))
            return HLRP_OK;
    return n->op->fold(c, out, err);
}

hlrp_status hlrp_graph_fold_node(hlrp_graph *g, int id, hlrp_tensor **out, hlrp_error *err) {
    const hlrp_node *n = &g->nodes[id];
    const hlrp_tensor **in = NULL;
    *out = NULL;
    hlrp_status status = hlrp_calloc(&in, n->in_count, sizeof(hlrp_tensor *), "a node", err);
    if (status != HLRP_OK)
        return status;
    for (int k = 0; k < n->in_count; k++)
        in[k] = n->in[k] >= 0 ? g->values[n->in[k]].constant : NULL;
    bool known = n->in_count > 0 && n->in[0] >= 0;
    const hlrp_dims *dims = known ? &g->values[n->in[0]].dims : NULL;
    known = known && dims->rank >= 0;
    if (n->op->folds_dims)
        for (int k = 0; known && k < dims->rank; k++)
            known = dims->d[k] >= 0;

    if (known)
        status = hlrp_fold(&(hlrp_constants){n, in, dims, g->spare}, out, err);
    if (*out)
        status = hlrp_graph_spend(g, hlrp_fold_cost(*out, in[0]), err);
    if (status != HLRP_OK) {
        hlrp_tensor_free(*out);
        *out = NULL;
    }
    free(in);
    return status;
}

/* What is linear per channel: matrix products, biases, batch normalization and its likes. Sums and
 * products are in float64 and rounded to float32 once. */
#include <stdlib.h>
#include <string.h>

#include "canonize/internal.h"

/* ---- MATMUL → GEMM ---- */

static hlrp_status transposed(const hlrp_tensor *w, hlrp_tensor **out, hlrp_error *err) {
    int64_t rows = w->dims.d[0], columns = w->dims.d[1];
    hlrp_dims dims = {.rank = 2, .d = {columns, rows}};
    hlrp_status status = hlrp_tensor_new(&dims, HLRP_F32, out, err);
    for (int64_t i = 0; status == HLRP_OK && i < rows; i++)
        for (int64_t o = 0; o < columns; o++)
            (*out)->f[o * rows + i] = w->f[i * columns + o];
    return status;
}

/* The product of node k by weights [I,O] becomes a layer. turned: by value, 1 + the value that holds it
 * turned round, which others may read too; 0: none yet. */
static hlrp_status make_gemm(canon *c, int k, int *turned, hlrp_error *err) {
    hlrp_node *n = &c->g->nodes[k];
    const int weights = n->in[1];
    hlrp_tensor *w = NULL;
    int *in = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&in, 3, sizeof *in, "a node", err));
    in[0] = n->in[0];
    in[1] = turned[weights] - 1;
    in[2] = -1;
    free(n->in);
    n->in = in;
    n->in_count = 3;
    if (turned[weights] == 0) {
        HLRP_TRY(transposed(c->g->values[weights].constant, &w, err));
        HLRP_TRY(canon_set_constant(c, k, 1, w, err));
        turned[weights] = 1 + n->in[1];
    }
    n->op = &hlrp_op_gemm;
    c->changes++;
out:
    return status;
}

hlrp_status canon_linear(canon *c, hlrp_error *err) {
    int *turned = NULL;
    hlrp_status status = hlrp_calloc(&turned, c->g->value_count, sizeof *turned, "a pass", err);
    for (int k = 0; status == HLRP_OK && k < c->g->node_count; k++) {
        const hlrp_node *n = &c->g->nodes[k];
        const hlrp_tensor *w = n->op == &hlrp_op_matmul ? canon_constant(c, n, 1) : NULL;
        if (w && w->dims.rank == 2 && !canon_constant(c, n, 0))
            status = make_gemm(c, k, turned, err);
    }
    free(turned);
    return status;
}

/* ---- per-channel factors and summands ---- */

/* y = scale·x + shift per channel. */
typedef struct affine {
    double *scale, *shift; /* [channels]; shift lies behind scale in one block, owned */
    int64_t channels;
} affine;

static hlrp_status affine_new(int64_t channels, affine *a, hlrp_error *err) {
    hlrp_status status = hlrp_calloc(&a->scale, 2 * channels, sizeof *a->scale, "a layer", err);
    a->shift = status == HLRP_OK ? a->scale + channels : NULL;
    a->channels = channels;
    for (int64_t k = 0; status == HLRP_OK && k < channels; k++)
        a->scale[k] = 1;
    return status;
}

/* Floats that an affine's two doubles per channel come to. */
enum { EXACT = 4 };

static bool is_affine(const hlrp_operator *op) {
    return op->scale || op->shift;
}

/* How far apart the constant's elements for neighboring channels, which are along an axis of x, are: 0
 * for a scalar, 1 for a vector over channels, −1 where it differs within a channel. */
static int64_t channel_step(const hlrp_dims *x, int channels, const hlrp_tensor *t) {
    int64_t count = hlrp_tensor_count(t);
    if (x->rank < 1 || count == 1)
        return x->rank < 1 ? -1 : 0;
    int axis = channels - (x->rank - t->dims.rank); /* where the channels are in the constant */
    return axis >= 0 && axis < t->dims.rank && t->dims.d[axis] == count && count == x->d[channels]
               ? 1
               : -1;
}

/* n's arithmetic, or false where it is not by channels, which are along that axis. */
static bool affine_of(const canon *c, const hlrp_node *n, int channels, affine *a) {
    const hlrp_tensor *t = canon_constant(c, n, 1);
    int64_t step = channel_step(canon_in_dims(c, n, 0), channels, t);
    if (step < 0)
        return false;
    for (int64_t k = 0; k < a->channels; k++) {
        double v = t->f[k * step];
        a->scale[k] = n->op->scale ? n->op->scale(v) : 1;
        a->shift[k] = n->op->shift ? n->op->shift(v) : 0;
    }
    return true;
}

static hlrp_status vector_of(const double *from, int64_t count, hlrp_tensor **out,
                             hlrp_error *err) {
    hlrp_dims dims = {.rank = 1, .d = {count}};
    hlrp_status status = hlrp_tensor_new(&dims, HLRP_F32, out, err);
    for (int64_t k = 0; status == HLRP_OK && k < count; k++)
        (*out)->f[k] = (float)from[k];
    return status;
}

static hlrp_status set_vector(canon *c, int id, int input, const double *from, int64_t count,
                              hlrp_error *err) {
    hlrp_tensor *t = NULL;
    hlrp_status status = vector_of(from, count, &t, err);
    return status == HLRP_OK ? canon_set_constant(c, id, input, t, err) : status;
}

/* Node id becomes a BATCHNORM of a, whose block it takes. */
static hlrp_status make_batchnorm(canon *c, int id, affine *a, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_node *n = &c->g->nodes[id];
    int *in = NULL;

    HLRP_TRY(hlrp_calloc(&in, 3, sizeof *in, "a node", err));
    in[0] = n->in[0];
    in[1] = in[2] = -1;
    free(n->in);
    n->in = in;
    n->in_count = 3;
    n->op = &hlrp_op_batchnorm;
    HLRP_TRY(set_vector(c, id, 1, a->scale, a->channels, err));
    HLRP_TRY(set_vector(c, id, 2, a->shift, a->channels, err));
    free(n->exact);
    n->exact = a->scale;
    a->scale = NULL;

out:
    return status;
}

hlrp_status canon_affine(canon *c, hlrp_error *err) {
    bool *picture = NULL;
    hlrp_status status = hlrp_calloc(&picture, c->g->value_count, sizeof *picture, "a pass", err);
    if (status == HLRP_OK)
        status = hlrp_find_pictures(c->g, picture, err);
    const int nodes = c->g->node_count;
    for (int k = 0; status == HLRP_OK && k < nodes; k++) {
        hlrp_node *n = &c->g->nodes[k];
        affine a = {0};
        if (!is_affine(n->op) || !(picture[n->in[0]] || canon_in_dims(c, n, 0)->rank == 2))
            continue;
        const int64_t channels = canon_in_dims(c, n, 0)->d[1];
        if (channel_step(canon_in_dims(c, n, 0), 1, canon_constant(c, n, 1)) < 0)
            continue;
        status = hlrp_graph_spend(c->g, EXACT * channels, err);
        if (status == HLRP_OK)
            status = affine_new(channels, &a, err);
        if (status == HLRP_OK && affine_of(c, n, 1, &a)) {
            status = make_batchnorm(c, k, &a, err);
            c->changes++;
        }
        free(a.scale);
    }
    free(picture);
    return status;
}

/* ---- into the layer before ---- */

/* W and b of layer id become scale·W and scale·b + shift. Constants may be shared: new ones. */
static hlrp_status scale_layer(canon *c, int id, const affine *a, bool scaled, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_node *n = &c->g->nodes[id];
    const hlrp_tensor *w = canon_constant(c, n, 1), *b = canon_constant(c, n, 2);
    hlrp_tensor *made = NULL;
    double *bias = NULL;

    HLRP_TRY(hlrp_calloc(&bias, a->channels, sizeof *bias, "a layer", err));
    for (int64_t k = 0; k < a->channels; k++)
        bias[k] = (b ? a->scale[k] * b->f[k] : 0) + a->shift[k];
    if (scaled) {
        HLRP_TRY(hlrp_tensor_new(&w->dims, HLRP_F32, &made, err));
        int64_t row = hlrp_tensor_count(w) / HLRP_MAX(a->channels, 1);
        for (int64_t k = 0; k < a->channels * row; k++)
            made->f[k] = (float)(a->scale[k / row] * w->f[k]);
        HLRP_TRY(canon_set_constant(c, id, 1, made, err));
    }
    HLRP_TRY(set_vector(c, id, 2, bias, a->channels, err));

out:
    free(bias);
    return status;
}

/* Constants added right behind a layer are its bias, whatever becomes of batch normalization. */
hlrp_status canon_bias(canon *c, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int k = 0; status == HLRP_OK && k < c->g->node_count; k++) {
        const hlrp_node *n = &c->g->nodes[k];
        int layer = n->op->shift && !n->op->scale ? canon_sole_producer(c, n) : -1;
        affine a = {0};
        if (layer < 0 || c->g->nodes[layer].op->layer == HLRP_NO_LAYER || c->remove[layer])
            continue;
        const int last = canon_in_dims(c, n, 0)->rank - 1;
        const int channels = c->g->nodes[layer].op->layer == HLRP_FULLY_CONNECTED ? last : 1;
        status = affine_new(canon_in_dims(c, n, 0)->d[channels], &a, err);
        if (status == HLRP_OK && affine_of(c, n, channels, &a)) {
            status = scale_layer(c, layer, &a, false, err);
            canon_absorb(c, layer, k);
        }
        free(a.scale);
    }
    return status;
}

/* The exact parameters of a BATCHNORM, as a copy. */
static hlrp_status batchnorm_of(const canon *c, const hlrp_node *n, affine *a, hlrp_error *err) {
    const hlrp_tensor *scale = canon_constant(c, n, 1), *shift = canon_constant(c, n, 2);
    hlrp_status status = affine_new(hlrp_tensor_count(scale), a, err);
    for (int64_t k = 0; status == HLRP_OK && k < a->channels; k++) {
        a->scale[k] = n->exact ? n->exact[k] : scale->f[k];
        a->shift[k] = n->exact ? n->exact[a->channels + k] : shift->f[k];
    }
    return status;
}

/* second ∘ first, in `first`. */
static void compose(affine *first, const affine *second) {
    for (int64_t k = 0; k < first->channels; k++) {
        first->scale[k] *= second->scale[k];
        first->shift[k] = second->scale[k] * first->shift[k] + second->shift[k];
    }
}

hlrp_status canon_join_batchnorms(canon *c, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int k = 0; status == HLRP_OK && k < c->g->node_count; k++) {
        const hlrp_node *n = &c->g->nodes[k];
        int before = n->op == &hlrp_op_batchnorm ? canon_sole_producer(c, n) : -1;
        affine a = {0}, b = {0};
        if (before < 0 || c->g->nodes[before].op != &hlrp_op_batchnorm)
            continue;
        status = batchnorm_of(c, &c->g->nodes[before], &a, err);
        if (status == HLRP_OK)
            status = batchnorm_of(c, n, &b, err);
        if (status == HLRP_OK) {
            compose(&a, &b);
            status = make_batchnorm(c, before, &a, err);
            canon_absorb(c, before, k);
        }
        free(a.scale);
        free(b.scale);
    }
    return status;
}

hlrp_status canon_merge_batchnorms(canon *c, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (c->options->batchnorm == HLRP_BATCHNORM_PASS)
        return HLRP_OK;
    for (int k = 0; status == HLRP_OK && k < c->g->node_count; k++) {
        const hlrp_node *n = &c->g->nodes[k];
        int layer = n->op == &hlrp_op_batchnorm ? canon_sole_producer(c, n) : -1;
        affine a = {0};
        if (layer < 0 || c->g->nodes[layer].op->layer == HLRP_NO_LAYER ||
            (c->g->nodes[layer].op->layer == HLRP_FULLY_CONNECTED &&
             canon_in_dims(c, n, 0)->rank != 2))
            continue;
        status = batchnorm_of(c, n, &a, err);
        if (status == HLRP_OK) {
            status = scale_layer(c, layer, &a, true, err);
            canon_absorb(c, layer, k);
        }
        free(a.scale);
    }
    return status;
}

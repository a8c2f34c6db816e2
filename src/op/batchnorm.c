/* Batch normalization that is a node of its own: y = scale·x + shift by channel, a linear layer of
 * one input per output. By epsilon R_in = x·scale·R / stab(y), and what the shift takes is accounted as
 * bias; lrp.batchnorm = pass, and biases that may keep nothing, hand all to the input. */
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "op/op.h"

static hlrp_status shape(const hlrp_shapes *s, hlrp_dims *out, hlrp_error *err) {
    const hlrp_dims *x = s->in[0];
    *out = *x;
    if (x->rank < 2)
        return hlrp_shape_rank(s, 4, err);
    hlrp_status status = hlrp_shape_vector(s, 1, x->d[1], "scale", err);
    return status == HLRP_OK ? hlrp_shape_vector(s, 2, x->d[1], "shift", err) : status;
}

static hlrp_status forward(const hlrp_computation *c, hlrp_error *err) {
    (void)err;
    hlrp_affine(c->in, c->x, hlrp_computation_parameter(c, 1), hlrp_computation_parameter(c, 2),
                c->y);
    return HLRP_OK;
}

/* ---- relevance ---- */

/* One channel of a sample, and its parameters. */
typedef struct channel {
    int64_t at, pixels;
    float scale, shift;
} channel;

static void by_epsilon(hlrp_turn *t, const channel *c, float *out, hlrp_account *account) {
    const float e = (float)hlrp_node_epsilon(t->rule);
    const float dropped = t->bias == HLRP_BIAS_DROP ? c->shift : 0, kept = c->shift - dropped;
    for (int64_t p = 0; p < c->pixels; p++) {
        const int64_t i = c->at + p * t->in->lanes;
        const float z = t->y[i] - dropped, s = t->r[i] / hlrp_stab(z, e);
        out[i] = t->x[i] * c->scale * s;
        if (account) {
            account->bias += (double)s * kept;
            account->stabilizer += (double)s * (z >= 0 ? e : -e);
        }
    }
}

static void by_gradient(hlrp_turn *t, const channel *c, float *out, hlrp_account *account) {
    (void)account;
    for (int64_t p = 0; p < c->pixels; p++) {
        const int64_t i = c->at + p * t->in->lanes;
        out[i] = t->r[i] * c->scale;
    }
}

static void by_channel(hlrp_turn *t,
                       void (*rule)(hlrp_turn *, const channel *, float *, hlrp_account *)) {
    const hlrp_value *values = t->w->lrp->graph->values;
    const float *scale = values[t->node->in[1]].constant->f;
    const float *shift = values[t->node->in[2]].constant->f;
    float *out = hlrp_begin(t, 0);
    memset(out, 0, (size_t)hlrp_layout_count(t->in) * sizeof *out);
    for (int64_t n = 0; n < t->in->n; n++)
        for (int64_t k = 0; k < t->in->c; k++) {
            const channel c = {hlrp_layout_offset(t->in, n, k), t->in->h * t->in->w, scale[k],
                               shift[k]};
            rule(t, &c, out, t->step.account ? &t->step.account[n] : NULL);
        }
    hlrp_end(t, 0, out);
}

static hlrp_status back_epsilon(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    by_channel(t, by_epsilon);
    return HLRP_OK;
}

static hlrp_status back_gradient(hlrp_turn *t, hlrp_error *err) {
    (void)err;
    by_channel(t, by_gradient);
    return HLRP_OK;
}

static const hlrp_rule_cell relevance[HLRP_RULE_COUNT] = {
    [HLRP_RULE_LRP0] = {.back = back_epsilon, .zero = HLRP_ZERO_ALWAYS},
    [HLRP_RULE_EPSILON] = {.back = back_epsilon,
                           .fits = hlrp_fits_absolute,
                           .unfit = HLRP_NO_RMS,
                           .zero = HLRP_ZERO_ALWAYS},
    [HLRP_RULE_PASS] = {.back = hlrp_back_pass, .in_place = true},
    [HLRP_RULE_NORM] = {.unfit = HLRP_ONLY_NORM},
    [HLRP_RULE_GRADIENT] = {.back = back_gradient},
};

const hlrp_operator hlrp_op_batchnorm = {
    .name = "batchnorm",
    .kind = HLRP_KIND_BATCHNORM,
    .least = 3,
    .shape = shape,
    .lays_out = HLRP_LAYS_PICTURES,
    .forward = forward,
    .otherwise = HLRP_RULE_EPSILON,
    .all_to_one = true,
    .elementwise = true,
    .affine = true,
    .relevance = relevance,
    .unfit = HLRP_ONLY_LAYERS,
};

/* The way back: nodes in reverse order, each handing its output's relevance to its inputs. A value
 * that several nodes read collects what each of them hands it, always in the same order. */
#include <string.h>

#include "engine/kernels.h"
#include "lrp/internal.h"
#include "util/vector.h"

/* One node's turn. */
typedef struct turn {
    hlrp_lrp_worker *w;
    int id;
    const hlrp_node *node;
    const hlrp_rule *rule;
    const hlrp_layout *in, *out; /* of the first input and the output */
    const float *x, *y, *r;
    hlrp_step step; /* scratch, and the account of linear layers */
} turn;

static float *relevance_of(const hlrp_lrp_worker *w, int value) {
    return w->arena + w->lrp->offsets[value];
}

static const hlrp_layout *layout_of(const hlrp_lrp_worker *w, int value) {
    return hlrp_plan_layout(w->lrp->plan, value);
}

HLRP_VECTOR
static void add_to(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] += x[i];
}

/* Where a contribution to a value is to be written: its buffer if it is the first, else scratch. */
static float *begin(turn *t, int value) {
    return t->w->begun[value] ? hlrp_take(&t->step, layout_of(t->w, value))
                              : relevance_of(t->w, value);
}

HLRP_VECTOR
static double sum_of(int64_t count, const float *x) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += x[i];
    return sum;
}

static void end(turn *t, int value, const float *part) {
    const hlrp_layout *l = layout_of(t->w, value);
    const int64_t sample = hlrp_layout_sample(l);
    for (int64_t n = 0; t->step.account && n < l->n; n++)
        t->step.account[n].in += sum_of(sample, part + n * sample);
    if (part != relevance_of(t->w, value))
        add_to(hlrp_layout_count(l), part, relevance_of(t->w, value));
    t->w->begun[value] = true;
}

HLRP_VECTOR
static double sum_of_magnitudes(int64_t count, const float *x) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += x[i] < 0 ? -x[i] : x[i];
    return sum;
}

/* Σ s with the sign of y. */
HLRP_VECTOR
static double signed_sum_of(int64_t count, const float *s, const float *y) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < count; i++)
        sum += y[i] >= 0 ? s[i] : -s[i];
    return sum;
}

/* s = R / stab(y) of a node without parameters. */
static float *divide_by_output(turn *t, double epsilon) {
    const int64_t sample = hlrp_layout_sample(t->out);
    float *s = hlrp_take(&t->step, t->out);
    hlrp_quotient(hlrp_layout_count(t->out), t->r, t->y, (float)epsilon, s);
    for (int64_t n = 0; t->step.account && n < t->out->n; n++)
        t->step.account[n].stabilizer +=
            epsilon * signed_sum_of(sample, s + n * sample, t->y + n * sample);
    return s;
}

static double epsilon_of(const hlrp_rule *rule) {
    return rule->kind == HLRP_RULE_LRP0 || rule->epsilon == 0 ? HLRP_LRP0_EPSILON : rule->epsilon;
}

static hlrp_status back_linear(turn *t, hlrp_error *err) {
    const hlrp_layer *layer = t->w->lrp->layers[t->id];
    float *out = begin(t, t->node->in[0]);
    t->step.x = t->x;
    t->step.z = t->y;
    t->step.r = t->r;
    t->step.out = out;
    const hlrp_status status = layer->ops->relevance(layer, &t->step, err);
    end(t, t->node->in[0], out);
    return status;
}

/* Activations: relevance passes; by the gradient it goes where the slope lets it. */
static void back_activation(turn *t) {
    const int64_t count = hlrp_layout_count(t->in);
    float *out = begin(t, t->node->in[0]);
    if (t->rule->kind == HLRP_RULE_PASS) {
        if (out != t->r)
            memcpy(out, t->r, (size_t)count * sizeof *out);
    } else {
        const float below = t->node->op == HLRP_OP_LEAKY_RELU ? t->node->alpha : 0;
        const float lo = t->node->op == HLRP_OP_CLIP ? t->node->lo : 0;
        const bool capped = t->node->op == HLRP_OP_CLIP;
        for (int64_t i = 0; i < count; i++) {
            const bool open = t->x[i] > lo && !(capped && t->x[i] >= t->node->hi);
            out[i] = t->r[i] * (open ? 1 : below);
        }
    }
    end(t, t->node->in[0], out);
}

/* norm:  R_in = x · (df/dx)ᵀ( R / stab(f(x)) ), for means; by the gradient (df/dx)ᵀR. */
static void back_mean(turn *t) {
    const bool gradient = t->rule->kind == HLRP_RULE_GRADIENT;
    float *out = begin(t, t->node->in[0]);
    const float *s = gradient ? t->r : divide_by_output(t, epsilon_of(t->rule));
    if (t->node->op == HLRP_OP_AVGPOOL)
        hlrp_avgpool_adjoint(t->in, t->out, &t->node->window, s, out);
    else
        hlrp_global_avgpool_adjoint(t->in, t->out, s, out);
    if (!gradient)
        hlrp_multiply(hlrp_layout_count(t->in), t->x, out);
    end(t, t->node->in[0], out);
}

/* norm over the branches of a sum:  R_k = x_k · R / stab(Σ x). */
static void back_sum(turn *t) {
    const bool gradient = t->rule->kind == HLRP_RULE_GRADIENT;
    const int64_t count = hlrp_layout_count(t->out);
    const float *s = gradient ? t->r : divide_by_output(t, epsilon_of(t->rule));
    float *const mark = t->step.scratch;
    for (int k = 0; k < t->node->in_count; k++) {
        float *out = begin(t, t->node->in[k]);
        memcpy(out, s, (size_t)count * sizeof *out);
        if (!gradient)
            hlrp_multiply(count, hlrp_activations_value(t->w->acts, t->node->in[k]), out);
        end(t, t->node->in[k], out);
        t->step.scratch = mark;
    }
}

/* y = scale·x + shift by channel, as a linear layer of its own: pass, epsilon or gradient. */
static void back_batchnorm(turn *t) {
    const hlrp_graph *g = t->w->lrp->graph;
    const float *scale = g->values[t->node->in[1]].constant->f;
    const float *shift = g->values[t->node->in[2]].constant->f;
    const int64_t pixels = t->in->h * t->in->w;
    const float e = (float)epsilon_of(t->rule);
    const hlrp_rule_kind kind = t->rule->kind;
    float *out = begin(t, t->node->in[0]);
    memset(out, 0, (size_t)hlrp_layout_count(t->in) * sizeof *out);
    for (int64_t n = 0; n < t->in->n; n++)
        for (int64_t c = 0; c < t->in->c; c++) {
            const int64_t at = hlrp_layout_offset(t->in, n, c);
            const float dropped = t->w->lrp->drop_bias ? shift[c] : 0, kept = shift[c] - dropped;
            for (int64_t p = 0; p < pixels; p++) {
                const int64_t i = at + p * t->in->lanes;
                const float z = t->y[i] - dropped, s = t->r[i] / hlrp_stab(z, e);
                out[i] = kind == HLRP_RULE_PASS       ? t->r[i]
                         : kind == HLRP_RULE_GRADIENT ? t->r[i] * scale[c]
                                                      : t->x[i] * scale[c] * s;
                if (t->step.account && kind != HLRP_RULE_PASS && kind != HLRP_RULE_GRADIENT) {
                    t->step.account[n].bias += (double)s * kept;
                    t->step.account[n].stabilizer += (double)s * (z >= 0 ? e : -e);
                }
            }
        }
    end(t, t->node->in[0], out);
}

static void back_concat(turn *t) {
    float *const mark = t->step.scratch;
    int64_t at = 0;
    for (int k = 0; k < t->node->in_count; k++) {
        const hlrp_layout *part = layout_of(t->w, t->node->in[k]);
        float *out = begin(t, t->node->in[k]);
        hlrp_split_part(t->out, t->r, part, out, at);
        end(t, t->node->in[k], out);
        t->step.scratch = mark;
        at += part->c;
    }
}

/* Operators that only move values: relevance moves back with them. */
static void back_move(turn *t) {
    float *out = begin(t, t->node->in[0]);
    hlrp_layout plain = *t->in;
    plain.lanes = 1;
    if (t->node->op == HLRP_OP_MAXPOOL)
        hlrp_maxpool_adjoint(t->in, t->out, hlrp_activations_argmax(t->w->acts, t->id), t->r, out);
    else if (t->node->op == HLRP_OP_PAD)
        hlrp_pad_adjoint(t->in, t->out, t->node->window.pad_lo, t->r, out);
    else if (t->node->op == HLRP_OP_SLICE)
        hlrp_slice_adjoint(t->in, t->out, &t->node->ints.d[1], t->r, out);
    else if (t->node->op == HLRP_OP_SHUFFLE)
        hlrp_shuffle(t->in, t->in->c / t->node->group, t->r, out);
    else /* FLATTEN */
        hlrp_repack(&plain, t->r, t->in, out);
    end(t, t->node->in[0], out);
}

static hlrp_status back(turn *t, hlrp_error *err) {
    switch (t->node->op) {
    case HLRP_OP_CONV:
    case HLRP_OP_GEMM:
        return back_linear(t, err);
    case HLRP_OP_BATCHNORM:
        back_batchnorm(t);
        break;
    case HLRP_OP_RELU:
    case HLRP_OP_LEAKY_RELU:
    case HLRP_OP_CLIP:
        back_activation(t);
        break;
    case HLRP_OP_AVGPOOL:
    case HLRP_OP_GLOBAL_AVGPOOL:
        back_mean(t);
        break;
    case HLRP_OP_ADD:
        back_sum(t);
        break;
    case HLRP_OP_CONCAT:
        back_concat(t);
        break;
    default:
        back_move(t);
        break;
    }
    return HLRP_OK;
}

static void open_account(turn *t, hlrp_account *rows) {
    const int64_t sample = hlrp_layout_sample(t->out);
    t->step.account = rows;
    for (int64_t n = 0; n < t->out->n; n++)
        rows[n] = (hlrp_account){.out = sum_of(sample, t->r + n * sample),
                                 .out_abs = sum_of_magnitudes(sample, t->r + n * sample)};
}

static hlrp_status take_turn(hlrp_lrp_worker *w, int id, const hlrp_lrp_watch *watch,
                             hlrp_error *err) {
    const hlrp_lrp *lrp = w->lrp;
    const hlrp_node *node = &lrp->graph->nodes[id];
    const int64_t samples = layout_of(w, node->out[0])->n;
    hlrp_account *rows = watch && watch->account ? watch->account + id * samples : NULL;
    if (!w->begun[node->out[0]]) { /* leads to no output */
        if (rows)
            memset(rows, 0, (size_t)samples * sizeof *rows);
        return HLRP_OK;
    }
    turn t = {.w = w,
              .id = id,
              .node = node,
              .rule = &lrp->rules[id],
              .in = layout_of(w, node->in[0]),
              .out = layout_of(w, node->out[0]),
              .x = hlrp_activations_value(w->acts, node->in[0]),
              .y = hlrp_activations_value(w->acts, node->out[0]),
              .r = relevance_of(w, node->out[0]),
              .step = {.stream = w->stream,
                       .scratch = w->scratch,
                       .scratch_end = w->scratch + lrp->scratch_floats}};
    if (watch && watch->layer)
        watch->layer(watch->ctx, id, t.out, t.r);
    if (rows)
        open_account(&t, rows);
    if (lrp->shared[id]) {
        for (int64_t n = 0; t.step.account && n < t.out->n; n++)
            t.step.account[n].in = t.step.account[n].out;
        w->begun[node->in[0]] = true;
        return HLRP_OK;
    }
    return back(&t, err);
}

/* gradient × (input − reference). */
static void multiply_input(const hlrp_lrp *lrp, const hlrp_layout *l, const float *input,
                           float *relevance) {
    const int64_t pixels = l->h * l->w;
    for (int64_t n = 0; n < l->n; n++)
        for (int64_t c = 0; c < l->c; c++)
            for (int64_t p = 0; p < pixels; p++) {
                const int64_t i = (n * l->c + c) * pixels + p;
                const int64_t from = hlrp_layout_offset(l, n, c) + p * l->lanes;
                relevance[i] *= input[from] - lrp->reference[c];
            }
}

hlrp_status hlrp_lrp_relevance(hlrp_lrp_worker *worker, const float *start,
                               const hlrp_lrp_watch *watch, float *relevance, hlrp_error *err) {
    const hlrp_lrp *lrp = worker->lrp;
    const hlrp_graph *g = lrp->graph;
    const hlrp_layout *logits = layout_of(worker, g->output), *input = layout_of(worker, g->input);
    memset(worker->begun, 0, (size_t)g->value_count * sizeof *worker->begun);
    memcpy(relevance_of(worker, g->output), start,
           (size_t)hlrp_layout_count(logits) * sizeof *start);
    worker->begun[g->output] = true;
    hlrp_status status = HLRP_OK;
    for (int i = g->node_count - 1; status == HLRP_OK && i >= 0; i--)
        status = take_turn(worker, i, watch, err);
    hlrp_layout plain = *input;
    plain.lanes = 1;
    hlrp_repack(input, relevance_of(worker, g->input), &plain, relevance);
    if (lrp->times_input)
        multiply_input(lrp, input, hlrp_activations_value(worker->acts, g->input), relevance);
    return status;
}

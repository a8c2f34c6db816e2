/* The way back: nodes in reverse order, each handing its output's relevance to its inputs. A value
 * that several nodes read collects what each of them hands it, always in the same order. */
#include <math.h>
#include <string.h>

#include "engine/kernels.h"
#include "lrp/walk.h"
#include "util/vector.h"

static float *relevance_of(const hlrp_lrp_worker *w, int value) {
    return w->arena + w->lrp->offsets[value];
}

HLRP_VECTOR
static void add_to(int64_t count, const float *x, float *y) {
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        y[i] += x[i];
}

float *hlrp_begin(hlrp_turn *t, int value) {
    return t->w->begun[value] ? hlrp_take(&t->step, hlrp_layout_of(t->w, value))
                              : relevance_of(t->w, value);
}

void hlrp_end(hlrp_turn *t, int value, const float *part) {
    const hlrp_layout *l = hlrp_layout_of(t->w, value);
    const int64_t sample = hlrp_layout_sample(l);
    for (int64_t n = 0; t->step.account && n < l->n; n++) {
        t->step.account[n].in += hlrp_sum_of(sample, part + n * sample);
        t->step.account[n].in_abs += hlrp_sum_of_magnitudes(sample, part + n * sample);
    }
    if (part != relevance_of(t->w, value))
        add_to(hlrp_layout_count(l), part, relevance_of(t->w, value));
    t->w->begun[value] = true;
}

static hlrp_status back_linear(hlrp_turn *t, hlrp_error *err) {
    const hlrp_layer *layer = t->w->lrp->layers[t->id];
    float *out = hlrp_begin(t, t->node->in[0]);
    t->step.x = t->x;
    t->step.z = t->y;
    t->step.r = t->r;
    t->step.out = out;
    t->step.slope = t->w->slope;
    const hlrp_status status = hlrp_layer_back(layer, &t->step, err);
    hlrp_end(t, t->node->in[0], out);
    return status;
}

/* Activations: relevance passes; by the gradient it goes where the slope lets it. */
static void back_activation(hlrp_turn *t) {
    const int64_t count = hlrp_layout_count(t->in);
    float *out = hlrp_begin(t, t->node->in[0]);
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
    hlrp_end(t, t->node->in[0], out);
}

/* y = scale·x + shift by channel, as a linear layer of its own: pass, epsilon or gradient. */
static void back_batchnorm(hlrp_turn *t) {
    const hlrp_graph *g = t->w->lrp->graph;
    const float *scale = g->values[t->node->in[1]].constant->f;
    const float *shift = g->values[t->node->in[2]].constant->f;
    const int64_t pixels = t->in->h * t->in->w;
    const float e = (float)hlrp_node_epsilon(t->rule);
    const hlrp_rule_kind kind = t->rule->kind;
    float *out = hlrp_begin(t, t->node->in[0]);
    memset(out, 0, (size_t)hlrp_layout_count(t->in) * sizeof *out);
    for (int64_t n = 0; n < t->in->n; n++)
        for (int64_t c = 0; c < t->in->c; c++) {
            const int64_t at = hlrp_layout_offset(t->in, n, c);
            const float dropped = t->w->lrp->bias == HLRP_BIAS_DROP ? shift[c] : 0,
                        kept = shift[c] - dropped;
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
    hlrp_end(t, t->node->in[0], out);
}

static void back_concat(hlrp_turn *t) {
    float *const mark = t->step.scratch;
    int64_t at = 0;
    for (int k = 0; k < t->node->in_count; k++) {
        const hlrp_layout *part = hlrp_layout_of(t->w, t->node->in[k]);
        float *out = hlrp_begin(t, t->node->in[k]);
        hlrp_split_part(t->out, t->r, part, out, at);
        hlrp_end(t, t->node->in[k], out);
        t->step.scratch = mark;
        at += part->c;
    }
}

/* Operators that only move values: relevance moves back with them. */
static void back_move(hlrp_turn *t) {
    float *out = hlrp_begin(t, t->node->in[0]);
    hlrp_layout plain = *t->in;
    plain.lanes = 1;
    if (t->node->op == HLRP_OP_MAXPOOL)
        hlrp_maxpool_adjoint(t->in, t->out, hlrp_activations_argmax(t->w->acts, t->id), t->r, out);
    else if (t->node->op == HLRP_OP_PAD && hlrp_bias_conserves(t->w->lrp->bias) &&
             t->rule->kind != HLRP_RULE_GRADIENT)
        hlrp_pad_fold(t->in, t->out, t->node->window.pad_lo, t->r, out);
    else if (t->node->op == HLRP_OP_PAD)
        hlrp_pad_adjoint(t->in, t->out, t->node->window.pad_lo, t->r, out);
    else if (t->node->op == HLRP_OP_SLICE)
        hlrp_slice_adjoint(t->in, t->out, &t->node->ints.d[1], t->r, out);
    else if (t->node->op == HLRP_OP_SHUFFLE)
        hlrp_shuffle(t->in, t->in->c / t->node->group, t->r, out);
    else /* FLATTEN */
        hlrp_repack(&plain, t->r, t->in, out);
    hlrp_end(t, t->node->in[0], out);
}

static hlrp_status back(hlrp_turn *t, hlrp_error *err) {
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
        hlrp_back_mean(t);
        break;
    case HLRP_OP_ADD:
        hlrp_back_sum(t);
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

static void open_account(hlrp_turn *t, hlrp_account *rows) {
    const int64_t sample = hlrp_layout_sample(t->out);
    t->step.account = rows;
    for (int64_t n = 0; n < t->out->n; n++)
        rows[n] = (hlrp_account){.out = hlrp_sum_of(sample, t->r + n * sample),
                                 .out_abs = hlrp_sum_of_magnitudes(sample, t->r + n * sample)};
}

/* What arrives goes on as it is. */
static void hand_all(hlrp_account *a) {
    a->in = a->out;
    a->in_abs = a->out_abs;
}

static hlrp_status take_turn(hlrp_lrp_worker *w, int id, const hlrp_lrp_watch *watch,
                             hlrp_error *err) {
    const hlrp_lrp *lrp = w->lrp;
    const hlrp_node *node = &lrp->graph->nodes[id];
    const int64_t samples = hlrp_layout_of(w, node->out[0])->n;
    hlrp_account *rows = watch && watch->account ? watch->account + id * samples : NULL;
    if (!w->begun[node->out[0]]) { /* leads to no output */
        if (rows)
            memset(rows, 0, (size_t)samples * sizeof *rows);
        return HLRP_OK;
    }
    hlrp_turn t = {.w = w,
                   .id = id,
                   .node = node,
                   .rule = &lrp->rules[id],
                   .in = hlrp_layout_of(w, node->in[0]),
                   .out = hlrp_layout_of(w, node->out[0]),
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
            hand_all(&t.step.account[n]);
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

/* r += factor·|r|, each rounding made good by the next number, so that the sum is what it should be
 * however much larger the numbers are. */
static void add_by_magnitude(int64_t count, double factor, float *r) {
    double carry = 0;
    for (int64_t i = 0; i < count; i++) {
        const double wanted = r[i] + factor * fabs((double)r[i]) + carry;
        r[i] = (float)wanted;
        carry = wanted - (double)r[i];
    }
}

/* What rounding lost or made on the way, by which the sum at the input misses the start, is shared out
 * by magnitude, too. */
static void settle_rounding(const hlrp_lrp_worker *w, const float *start, float *relevance) {
    const hlrp_graph *g = w->lrp->graph;
    const hlrp_layout *logits = hlrp_layout_of(w, g->output), *input = hlrp_layout_of(w, g->input);
    const int64_t outputs = hlrp_layout_sample(logits), count = input->c * input->h * input->w;
    for (int64_t n = 0; w->lrp->conserves && n < input->n; n++) {
        float *r = relevance + n * count;
        const double rest = hlrp_sum_of(outputs, start + n * outputs) - hlrp_sum_of(count, r);
        const double whole = hlrp_sum_of_magnitudes(count, r);
        if (whole > HLRP_NO_CONTRIBUTION)
            add_by_magnitude(count, rest / whole, r);
    }
}

hlrp_status hlrp_lrp_relevance(hlrp_lrp_worker *worker, const float *start, const float *slope,
                               const hlrp_lrp_watch *watch, float *relevance, hlrp_error *err) {
    const hlrp_lrp *lrp = worker->lrp;
    const hlrp_graph *g = lrp->graph;
    const hlrp_layout *logits = hlrp_layout_of(worker, g->output),
                      *input = hlrp_layout_of(worker, g->input);
    memset(worker->begun, 0, (size_t)g->value_count * sizeof *worker->begun);
    memcpy(relevance_of(worker, g->output), start,
           (size_t)hlrp_layout_count(logits) * sizeof *start);
    worker->begun[g->output] = true;
    worker->slope = slope;
    hlrp_status status = HLRP_OK;
    for (int i = g->node_count - 1; status == HLRP_OK && i >= 0; i--)
        status = take_turn(worker, i, watch, err);
    hlrp_layout plain = *input;
    plain.lanes = 1;
    hlrp_repack(input, relevance_of(worker, g->input), &plain, relevance);
    settle_rounding(worker, start, relevance);
    if (lrp->times_input)
        multiply_input(lrp, input, hlrp_activations_value(worker->acts, g->input), relevance);
    return status;
}

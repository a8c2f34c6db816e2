/* The way back: nodes in reverse order, each handing its output's relevance to its inputs. A value
 * that several nodes read collects what each of them hands it, always in the same order. */
#include <math.h>
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "util/vector.h"

static float *relevance_of(const hlrp_lrp_worker *w, int value) {
    return w->arena + w->lrp->offsets[value];
}

float *hlrp_begin(hlrp_turn *t, int k) {
    const int value = t->node->in[k];
    return t->w->begun[value] ? hlrp_take(&t->step, hlrp_layout_of(t->w, value))
                              : relevance_of(t->w, value);
}

void hlrp_end(hlrp_turn *t, int k, const float *part) {
    const int value = t->node->in[k];
    const hlrp_layout *l = hlrp_layout_of(t->w, value);
    const int64_t sample = hlrp_layout_sample(l);
    for (int64_t n = 0; t->step.account && n < l->n; n++) {
        t->step.account[n].in += hlrp_sum_of(sample, part + n * sample);
        t->step.account[n].in_abs += hlrp_sum_of_magnitudes(sample, part + n * sample);
    }
    if (part != relevance_of(t->w, value))
        hlrp_add(hlrp_layout_count(l), part, relevance_of(t->w, value));
    t->w->begun[value] = true;
}

hlrp_status hlrp_back_layer(hlrp_turn *t, hlrp_error *err) {
    float *out = hlrp_begin(t, 0);
    t->step.x = t->x;
    t->step.z = t->y;
    t->step.r = t->r;
    t->step.out = out;
    t->step.slope = t->w->slope;
    const hlrp_status status = hlrp_layer_back(t->w->lrp->layers[t->id], &t->step, err);
    hlrp_end(t, 0, out);
    return status;
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

hlrp_status hlrp_lrp_turn(hlrp_lrp_worker *w, int id, const hlrp_lrp_watch *watch,
                          hlrp_error *err) {
    const hlrp_lrp *lrp = w->lrp;
    const hlrp_node *node = &lrp->graph->nodes[id];
    w->scratch.used = 0;
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
                   .bias = lrp->bias,
                   .in = hlrp_layout_of(w, node->in[0]),
                   .out = hlrp_layout_of(w, node->out[0]),
                   .x = hlrp_activations_value(w->acts, node->in[0]),
                   .y = hlrp_activations_value(w->acts, node->out[0]),
                   .r = relevance_of(w, node->out[0]),
                   .step = {.stream = w->stream, .scratch = &w->scratch}};
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
    return hlrp_cell_of(node, t.rule)->back(&t, err);
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
        status = hlrp_lrp_turn(worker, i, watch, err);
    hlrp_layout plain = *input;
    plain.lanes = 1;
    hlrp_repack(input, relevance_of(worker, g->input), &plain, relevance);
    settle_rounding(worker, start, relevance);
    if (lrp->times_input)
        multiply_input(lrp, input, hlrp_activations_value(worker->acts, g->input), relevance);
    return status;
}

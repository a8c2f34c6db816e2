/* The way back: nodes in reverse order, each handing its output's relevance to its inputs. A value
 * that several nodes read collects what each of them hands it, always in the same order. */
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"
#include "util/vector.h"

float *hlrp_relevance_of(const hlrp_lrp_worker *w, int value) {
    return w->arena + w->lrp->offsets[value];
}

void hlrp_forget_sums(hlrp_lrp_worker *w, int value) {
    const int64_t samples = hlrp_layout_of(w, value)->n;
    for (int64_t n = 0; n < samples; n++)
        w->sums[value * samples + n].known = false;
}

void hlrp_forget_all_sums(hlrp_lrp_worker *w) {
    const hlrp_graph *g = w->lrp->graph;
    for (int v = 0; v < g->value_count; v++)
        if (!g->values[v].constant)
            hlrp_forget_sums(w, v);
}

float *hlrp_begin(hlrp_turn *t, int k) {
    const int value = t->node->in[k];
    return t->w->begun[value] ? hlrp_take(&t->step, hlrp_layout_of(t->w, value))
                              : hlrp_relevance_of(t->w, value);
}

void hlrp_end(hlrp_turn *t, int k, const float *part) {
    const int value = t->node->in[k];
    const hlrp_layout *l = hlrp_layout_of(t->w, value);
    const int64_t sample = hlrp_layout_sample(l);
    hlrp_forget_sums(t->w, value);
    for (int64_t n = 0; t->step.account && n < l->n; n++) {
        const hlrp_sums s = hlrp_sums_of(sample, part + n * sample);
        t->step.account[n].in += s.all;
        t->step.account[n].in_abs += s.magnitudes;
        t->w->sums[value * l->n + n] = (hlrp_known_sums){!t->w->begun[value], s};
    }
    if (part != hlrp_relevance_of(t->w, value))
        hlrp_add(hlrp_layout_count(l), part, hlrp_relevance_of(t->w, value));
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

void hlrp_turn_account_rest(const hlrp_turn *t, const float *out) {
    const int64_t given = hlrp_layout_sample(t->in), arrived = hlrp_layout_sample(t->out);
    for (int64_t n = 0; t->step.account && n < t->out->n; n++)
        t->step.account[n].constant += hlrp_sums_of(arrived, t->r + n * arrived).all -
                                       hlrp_sums_of(given, out + n * given).all;
}

hlrp_status hlrp_back_part(hlrp_turn *t, hlrp_error *err) {
    float *out = hlrp_begin(t, 0);
    (void)err;
    if (!hlrp_turn_is_dry(t))
        hlrp_cell_of(t->node, t->rule)->part(t, out);
    hlrp_end(t, 0, out);
    return HLRP_OK;
}

static void open_account(hlrp_turn *t, hlrp_account *rows) {
    const int64_t sample = hlrp_layout_sample(t->out);
    t->step.account = rows;
    for (int64_t n = 0; n < t->out->n; n++) {
        hlrp_known_sums *s = &t->w->sums[t->node->out[0] * t->out->n + n];
        if (!s->known)
            *s = (hlrp_known_sums){true, hlrp_sums_of(sample, t->r + n * sample)};
        rows[n] = (hlrp_account){.out = s->of.all, .out_abs = s->of.magnitudes};
    }
}

/* What arrives goes on as it is, in the same buffer. */
static void hand_all(hlrp_turn *t) {
    const int64_t in = t->node->in[0] * t->out->n, out = t->node->out[0] * t->out->n;
    for (int64_t n = 0; n < t->out->n; n++) {
        hlrp_account *a = t->step.account ? &t->step.account[n] : NULL;
        if (a) {
            a->in = a->out;
            a->in_abs = a->out_abs;
        }
        t->w->sums[in + n] = t->w->sums[out + n];
    }
    t->w->begun[t->node->in[0]] = true;
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
                   .to = lrp->to[id],
                   .in = hlrp_layout_of(w, node->in[0]),
                   .out = hlrp_layout_of(w, node->out[0]),
                   .x = hlrp_activations_value(w->acts, node->in[0]),
                   .y = hlrp_activations_value(w->acts, node->out[0]),
                   .r = hlrp_relevance_of(w, node->out[0]),
                   .step = {.stream = w->stream, .scratch = &w->scratch}};
    if (watch && watch->layer)
        watch->layer(watch->ctx, id, t.out, t.r);
    if (rows)
        open_account(&t, rows);
    if (lrp->shared[id]) {
        hand_all(&t);
        return HLRP_OK;
    }
    return hlrp_cell_of(node, t.rule)->back(&t, err);
}

/* Forward and relevance over ranges of the graph, and over all of it. */
#include <math.h>
#include <string.h>

#include "engine/kernels.h"
#include "lrp/turn.h"

hlrp_segment hlrp_lrp_whole(const hlrp_lrp *lrp) {
    return hlrp_plan_segment(lrp->plan);
}

/* ---- one segment ---- */

void hlrp_segment_set(hlrp_lrp_worker *worker, int value, const float *x) {
    hlrp_activations_set(worker->acts, value, x);
}

hlrp_status hlrp_segment_forward(hlrp_lrp_worker *worker, hlrp_segment segment, hlrp_error *err) {
    return hlrp_forward(worker->lrp->plan, worker->acts, worker->stream, segment, err);
}

/* What lies in a value's layout, plainly. */
static void unpack(const hlrp_lrp_worker *w, int value, const float *from, float *to) {
    const hlrp_layout *layout = hlrp_layout_of(w, value);
    const hlrp_layout plain = hlrp_layout_plain(layout);
    hlrp_repack(layout, from, &plain, to);
}

void hlrp_segment_value(const hlrp_lrp_worker *worker, int value, float *x) {
    unpack(worker, value, hlrp_activations_value(worker->acts, value), x);
}

/* A worker that only goes forward has no room for relevance: hlrp_segment_back says so. */
float *hlrp_segment_place(hlrp_lrp_worker *worker, int value) {
    return hlrp_activations_place(worker->acts, value);
}

float *hlrp_segment_relevance_place(hlrp_lrp_worker *worker, int value) {
    return hlrp_relevance_of(worker, value);
}

bool hlrp_segment_reached(const hlrp_lrp_worker *worker, int value) {
    return worker->begun[value];
}

void hlrp_segment_begin(hlrp_lrp_worker *worker, const float *slope) {
    if (worker->forward_only)
        return;
    memset(worker->begun, 0, (size_t)worker->lrp->graph->value_count * sizeof *worker->begun);
    hlrp_forget_all_sums(worker);
    worker->slope = slope;
}

/* The plain r in the value's layout: where it lies, or in scratch. */
static const float *in_layout(hlrp_lrp_worker *w, const hlrp_layout *layout, const float *r) {
    hlrp_step step = {.scratch = &w->scratch};
    const hlrp_layout plain = hlrp_layout_plain(layout);
    if (layout->lanes == 1)
        return r;
    w->scratch.used = 0;
    float *packed = hlrp_take(&step, layout);
    hlrp_repack(&plain, r, layout, packed);
    return packed;
}

void hlrp_segment_add(hlrp_lrp_worker *worker, int value, const float *r) {
    if (worker->forward_only)
        return;
    const hlrp_layout *layout = hlrp_layout_of(worker, value);
    const int64_t count = hlrp_layout_count(layout);
    float *sum = hlrp_relevance_of(worker, value);
    const float *more = in_layout(worker, layout, r);
    if (worker->begun[value])
        hlrp_add(count, more, sum);
    else
        memcpy(sum, more, (size_t)count * sizeof *sum);
    worker->begun[value] = true;
    hlrp_forget_sums(worker, value);
}

hlrp_status hlrp_segment_back(hlrp_lrp_worker *worker, hlrp_segment segment,
                              const hlrp_lrp_watch *watch, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (worker->forward_only)
        return hlrp_fail(err, HLRP_E_INTERNAL, NULL, NULL, "this worker only goes forward");
    for (int i = segment.to - 1; status == HLRP_OK && i >= segment.from; i--)
        status = hlrp_lrp_turn(worker, i, watch, err);
    return status;
}

void hlrp_segment_relevance(const hlrp_lrp_worker *worker, int value, float *r) {
    unpack(worker, value, hlrp_relevance_of(worker, value), r);
}

/* ---- the whole network ---- */

hlrp_status hlrp_lrp_forward(hlrp_lrp_worker *worker, const float *input, hlrp_error *err) {
    hlrp_segment_set(worker, worker->lrp->graph->input, input);
    return hlrp_segment_forward(worker, hlrp_lrp_whole(worker->lrp), err);
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
        const hlrp_sums arrived = hlrp_sums_of(count, r);
        const double rest = hlrp_sums_of(outputs, start + n * outputs).all - arrived.all;
        if (arrived.magnitudes > HLRP_NO_CONTRIBUTION)
            add_by_magnitude(count, rest / arrived.magnitudes, r);
    }
}

hlrp_status hlrp_lrp_relevance(hlrp_lrp_worker *worker, const float *start, const float *slope,
                               const hlrp_lrp_watch *watch, float *relevance, hlrp_error *err) {
    const hlrp_lrp *lrp = worker->lrp;
    const hlrp_graph *g = lrp->graph;
    hlrp_segment_begin(worker, slope);
    hlrp_segment_add(worker, g->output, start);
    const hlrp_status status = hlrp_segment_back(worker, hlrp_lrp_whole(lrp), watch, err);
    if (status != HLRP_OK)
        return status;
    hlrp_segment_relevance(worker, g->input, relevance);
    settle_rounding(worker, start, relevance);
    if (lrp->times_input)
        multiply_input(lrp, hlrp_layout_of(worker, g->input),
                       hlrp_activations_value(worker->acts, g->input), relevance);
    return HLRP_OK;
}

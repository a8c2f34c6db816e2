#include "worker/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference/lrp.h"
#include "worker/worker.h"

/* What both looks share, and what each gives. */
typedef struct look {
    const float *input; /* [3,H,W] */
    hlrp_worker single; /* every sample is the input; the first starts for the target */
    hlrp_graph *graph;  /* inferred for one sample */
    hlrp_rule *rules;
    hlrp_ref_values *forward;
    hlrp_ref_lrp back;
} look;

static void close_look(look *l) {
    hlrp_ref_lrp_free(&l->back);
    hlrp_ref_values_free(l->forward);
    hlrp_graph_free(l->graph);
    hlrp_worker_close(&l->single);
    free(l->rules);
}

/* ---- in float32 ---- */

static hlrp_status run_single(look *l, int64_t target, hlrp_tile_check *out, hlrp_error *err) {
    hlrp_worker *w = &l->single;
    const int nodes = w->net->graph->node_count;
    const hlrp_lrp_watch watch = {.account = w->account};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&out->single, nodes, sizeof *out->single, "a second look", err));
    memcpy(w->input, l->input, (size_t)hlrp_worker_values(w) * sizeof *w->input);
    hlrp_worker_fill_up(w, 1);
    HLRP_TRY(hlrp_lrp_forward(w->lrp, w->input, err));
    hlrp_worker_start(w, 0, target);
    HLRP_TRY(hlrp_lrp_relevance(w->lrp, w->start, w->slope, &watch, w->relevance, err));
    for (int i = 0; i < nodes; i++)
        out->single[i] = w->account[i * w->net->batch];
out:
    return status;
}

/* ---- in float64 ---- */

static double *widen(int64_t count, const float *x, hlrp_error *err) {
    double *y = NULL;
    if (hlrp_calloc(&y, count, sizeof *y, "a second look", err) == HLRP_OK)
        for (int64_t i = 0; i < count; i++)
            y[i] = (double)x[i];
    return y;
}

static hlrp_status go_back(look *l, hlrp_error *err) {
    const hlrp_worker *w = &l->single;
    const hlrp_network *net = w->net;
    const bool slopes = hlrp_start_needs_lrp0_head(&net->start);
    double low[3], high[3], root[3];
    double *start = widen(net->outputs, w->start, err), *slope = widen(net->outputs, w->slope, err);
    hlrp_status status = start && slope ? HLRP_OK : HLRP_E_MEMORY;
    for (int c = 0; c < 3; c++) {
        low[c] = (double)net->low[c];
        high[c] = (double)net->high[c];
        root[c] = (double)hlrp_network_reference(net)[c];
    }
    const hlrp_ref_lrp_options options = {.low = low,
                                          .high = high,
                                          .root = root,
                                          .bias = hlrp_lrp_bias(net->lrp),
                                          .times_input = hlrp_lrp_times_input(net->lrp),
                                          .slope = slopes ? slope : NULL};
    if (status == HLRP_OK)
        status = hlrp_ref_lrp_run(l->graph, l->rules, &options, l->forward, start, &l->back, err);
    free(start);
    free(slope);
    return status;
}

static hlrp_status run_twice(look *l, hlrp_tile_check *out, hlrp_error *err) {
    const hlrp_network *net = l->single.net;
    const hlrp_dims one = {4, {1, 3, net->height, net->width}};
    double *input = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_graph_copy(net->graph, &l->graph, err));
    HLRP_TRY(hlrp_graph_infer(l->graph, &one, err));
    HLRP_TRY(hlrp_calloc(&l->rules, l->graph->node_count, sizeof *l->rules, "rules", err));
    for (int i = 0; i < l->graph->node_count; i++)
        l->rules[i] = *hlrp_lrp_rule(net->lrp, i);
    input = widen(hlrp_worker_values(&l->single), l->input, err);
    HLRP_TRY(input ? HLRP_OK : HLRP_E_MEMORY);
    HLRP_TRY(hlrp_ref_forward(l->graph, input, &l->forward, err));
    HLRP_TRY(go_back(l, err));
    HLRP_TRY(
        hlrp_calloc(&out->twice, l->graph->node_count, sizeof *out->twice, "a second look", err));
    memcpy(out->twice, l->back.account, (size_t)l->graph->node_count * sizeof *out->twice);
out:
    free(input);
    return status;
}

/* ---- beside each other ---- */

/* max|a − b| / max|b|; 0 where both are 0, infinite where a is not finite. */
static double apart(int64_t count, const float *a, const double *b) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(a[i]))
            return INFINITY;
        worst = fmax(worst, fabs((double)a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return worst == 0 ? 0 : worst / largest;
}

static void compare(const look *l, hlrp_tile_check *out) {
    const hlrp_worker *w = &l->single;
    const int64_t values = hlrp_worker_values(w);
    const double *z = hlrp_ref_value(l->forward, l->graph->output);
    const double *r = l->back.relevance[l->graph->input];
    out->logits = apart(w->net->outputs, hlrp_worker_logits(w, 0), z);
    for (int64_t i = 0; r && i < values; i++) {
        out->sum32 += (double)w->relevance[i];
        out->abs32 += fabs((double)w->relevance[i]);
        out->sum64 += r[i];
        out->abs64 += fabs(r[i]);
    }
    out->relevance = r ? apart(values, w->relevance, r) : 0;
}

hlrp_status hlrp_check_tile(const hlrp_network *net, const float *input, int64_t target,
                            hlrp_tile_check *out, hlrp_error *err) {
    look l = {.input = input};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_worker_open(&l.single, net, err));
    HLRP_TRY(run_single(&l, target, out, err));
    HLRP_TRY(run_twice(&l, out, err));
    compare(&l, out);
out:
    close_look(&l);
    return status;
}

/* ---- in words ---- */

bool hlrp_check_holds(const hlrp_tile_check *check) {
    return check->relevance <= 0.1; /* false where it is not finite */
}

static double growth(const hlrp_account *a) {
    return a->out_abs > 0 ? a->in_abs / a->out_abs : 0;
}

void hlrp_check_text(const hlrp_network *net, const hlrp_tile_check *check, hlrp_str *out) {
    char rule[64];
    hlrp_str_addf(out, "%-36s %-18s %12s %12s %10s %10s\n", "layer", "rule", "sum|R| f32",
                  "sum|R| f64", "grows f32", "grows f64");
    for (int i = net->graph->node_count - 1; i >= 0; i--) {
        const hlrp_account *a = &check->single[i], *b = &check->twice[i];
        if (hlrp_lrp_rule(net->lrp, i)->kind == HLRP_RULE_PASS)
            continue;
        hlrp_str_addf(out, "%-36s %-18s %12.5g %12.5g %10.4g %10.4g\n", net->graph->nodes[i].name,
                      hlrp_rule_text(hlrp_lrp_rule(net->lrp, i), rule, sizeof rule), a->out_abs,
                      b->out_abs, growth(a), growth(b));
    }
    hlrp_str_addf(out,
                  "logits differ by %.2g of the largest, relevance by %.2g of its peak\n"
                  "sum of the map %.7g in float32, %.7g in float64; sum of its magnitudes %.7g, "
                  "%.7g\n",
                  check->logits, check->relevance, check->sum32, check->sum64, check->abs32,
                  check->abs64);
    hlrp_str_add(out,
                 hlrp_check_holds(check)
                     ? "float32 is enough: what is large in the map is large\n"
                     : "float32 is not enough: rounding decides this map; try lrp.bias = share "
                       "or another composite\n");
}

void hlrp_tile_check_free(hlrp_tile_check *check) {
    free(check->single);
    free(check->twice);
    *check = (hlrp_tile_check){0};
}

int64_t hlrp_check_macs(const hlrp_network *net) {
    enum { WRITTEN_OUT = 3 }; /* the formulas have about three maps where the engine runs one */
    int64_t macs = 0;
    for (int i = 0; i < net->graph->node_count; i++)
        macs +=
            hlrp_plan_macs(hlrp_lrp_plan(net->lrp), i) + WRITTEN_OUT * hlrp_lrp_macs(net->lrp, i);
    return macs;
}

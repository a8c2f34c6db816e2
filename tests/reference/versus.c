#include "versus.h"

#include "sched/sched.h"

/* ---- the engine ---- */

typedef struct job {
    const hlrp_graph *g;
    const hlrp_lrp_options *o;
    const float *input, *start;
    engine_result *out; /* NULL: only make the plan */
} job;

typedef struct watcher {
    engine_result *out;
    const hlrp_graph *g;
} watcher;

static void watch_layer(void *ctx, int node, const hlrp_layout *layout, const float *relevance) {
    const watcher *w = ctx;
    const int value = w->g->nodes[node].out[0];
    const hlrp_layout plain = hlrp_layout_plain(layout);
    assert_null(w->out->layers[value]); /* each once */
    w->out->layers[value] = room(hlrp_layout_count(&plain), sizeof(float));
    hlrp_repack(layout, relevance, &plain, w->out->layers[value]);
}

static hlrp_status run_worker(const job *j, const hlrp_lrp *lrp, hlrp_error *err) {
    const hlrp_graph *g = j->g;
    const hlrp_ref_shape xs = hlrp_ref_shape_of(&g->values[g->input].dims);
    const hlrp_ref_shape ys = hlrp_ref_shape_of(&g->values[g->output].dims);
    hlrp_lrp_worker *worker = NULL;
    hlrp_status status = HLRP_OK;
    engine_result *out = j->out;
    watcher w = {out, g};
    *out = (engine_result){.value_count = g->value_count};
    out->logits = room(hlrp_ref_count(ys), sizeof(float));
    out->relevance = room(hlrp_ref_count(xs), sizeof(float));
    out->layers = room(g->value_count, sizeof(float *));
    out->account = room(g->node_count * xs.n, sizeof *out->account);
    const hlrp_lrp_watch watch = {.account = out->account, .layer = watch_layer, .ctx = &w};
    HLRP_TRY(hlrp_lrp_worker_new(lrp, &worker, err));
    HLRP_TRY(hlrp_lrp_forward(worker, j->input, err));
    memcpy(out->logits, hlrp_lrp_logits(worker), (size_t)hlrp_ref_count(ys) * sizeof(float));
    HLRP_TRY(hlrp_lrp_relevance(worker, j->start, NULL, &watch, out->relevance, err));
out:
    hlrp_lrp_worker_free(worker);
    return status;
}

static hlrp_status run_job(void *ctx, hlrp_error *err) {
    const job *j = ctx;
    hlrp_backend *backend = NULL;
    hlrp_lrp *lrp = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_backend_new(&backend, err));
    if (getenv("HLRP_KERNELS")) /* see CMakeLists.txt */
        HLRP_TRY(hlrp_backend_force(backend, getenv("HLRP_KERNELS"), err));
    HLRP_TRY(hlrp_lrp_new(backend, j->g, j->o, &lrp, err));
    if (j->out)
        HLRP_TRY(run_worker(j, lrp, err));
out:
    hlrp_lrp_free(lrp);
    hlrp_backend_free(backend);
    return status;
}

void engine_run(const hlrp_graph *g, const hlrp_lrp_options *o, const float *input,
                const float *start, engine_result *out) {
    hlrp_error err = {0};
    job j = {g, o, input, start, out};
    check(hlrp_sched_single(run_job, &j, &err), &err);
}

hlrp_status engine_try(const hlrp_graph *g, const hlrp_lrp_options *o, hlrp_error *err) {
    job j = {.g = g, .o = o};
    return hlrp_sched_single(run_job, &j, err);
}

void engine_free(engine_result *r) {
    for (int v = 0; v < r->value_count; v++)
        free(r->layers[v]);
    free(r->layers);
    free(r->logits);
    free(r->relevance);
    free(r->account);
}

/* ---- the reference ---- */

static double *widen(int64_t count, const float *x, double otherwise) {
    double *y = room(count, sizeof *y);
    for (int64_t i = 0; i < count; i++)
        y[i] = x ? (double)x[i] : otherwise;
    return y;
}

void ref_run(const hlrp_graph *g, const hlrp_lrp_options *o, double stabilizer, const float *input,
             const float *start, ref_result *out) {
    double *r = widen(hlrp_ref_count(hlrp_ref_shape_of(&g->values[g->output].dims)), start, 0);
    ref_run_from(g, o, stabilizer, input, r, out);
    free(r);
}

/* start = slope · z, as the engine has it where no slopes are given. */
static double *slopes_of(const hlrp_graph *g, const hlrp_ref_values *values, const double *start) {
    const double *z = hlrp_ref_value(values, g->output);
    const int64_t count = hlrp_ref_count(hlrp_ref_shape_of(&g->values[g->output].dims));
    double *slope = room(count, sizeof *slope);
    for (int64_t i = 0; i < count; i++)
        slope[i] = start[i] / (z[i] + (z[i] >= 0 ? 1e-9 : -1e-9));
    return slope;
}

void ref_run_from(const hlrp_graph *g, const hlrp_lrp_options *o, double stabilizer,
                  const float *input, const double *start, ref_result *out) {
    hlrp_error err = {0};
    const hlrp_ref_shape xs = hlrp_ref_shape_of(&g->values[g->input].dims);
    double *x = widen(hlrp_ref_count(xs), input, 0);
    double *low = widen(xs.c, o->low, 0), *high = widen(xs.c, o->high, 1);
    double *root = widen(xs.c, o->reference, 0);
    *out = (ref_result){0};
    out->rules = room(g->node_count, sizeof *out->rules);
    check(hlrp_assign_rules(g, &o->rules, out->rules, &err), &err);
    check(hlrp_ref_forward(g, x, &out->values, &err), &err);
    double *slope = o->rules.head_lrp0 ? slopes_of(g, out->values, start) : NULL;
    const hlrp_ref_lrp_options ro = {.slope = slope,
                                     .low = low,
                                     .high = high,
                                     .root = root,
                                     .bias = o->bias,
                                     .stabilizer = stabilizer,
                                     .lrp0 = stabilizer > 0 ? stabilizer : 0,
                                     .times_input =
                                         strcmp(o->rules.composite, "gradient-x-input") == 0};
    check(hlrp_ref_lrp_run(g, out->rules, &ro, out->values, start, &out->lrp, &err), &err);
    free(x);
    free(low);
    free(high);
    free(root);
    free(slope);
}

void ref_free(ref_result *r) {
    hlrp_ref_lrp_free(&r->lrp);
    hlrp_ref_values_free(r->values);
    free(r->rules);
}

/* ---- against each other ---- */

double apart(int64_t count, const float *a, const double *b) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(a[i]))
            return INFINITY;
        worst = fmax(worst, fabs((double)a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return worst == 0 ? 0 : worst / largest;
}

double allowed(double sensitivity) {
    return fmax(3e-5, 30 * sensitivity);
}

/* Moves every number by up to half a unit in float32's last place, as rounding would. */
static void jitter(net *n, int64_t count, float *x) {
    for (int64_t i = 0; i < count; i++)
        x[i] *= (float)(1 + net_uniform(n, -6e-8, 6e-8) * 2);
}

/* Largest |a − b| / largest |b|. */
static double shifted(int64_t count, const double *a, const double *b) {
    double worst = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        largest = fmax(largest, fabs(b[i]));
    }
    return worst == 0 ? 0 : worst / largest;
}

/* How far each sample's relevance and logits move, into moved and logits_moved [N]. */
static void measure_sensitivity(net *n, const hlrp_lrp_options *o, const float *input,
                                const float *start, const ref_result *was, double *moved,
                                double *logits_moved) {
    hlrp_error err = {0};
    hlrp_graph *other = NULL;
    const int64_t count = net_count(n, n->g->input), batch = net_dims(n, n->g->input)->d[0];
    const int64_t sample = count / batch, k = net_count(n, n->g->output) / batch;
    check(hlrp_graph_copy(n->g, &other, &err), &err);
    float *pixels = room(count, sizeof *pixels);
    memcpy(pixels, input, (size_t)count * sizeof *pixels);
    jitter(n, count, pixels);
    for (int v = 0; v < other->value_count; v++)
        if (other->values[v].constant && other->values[v].dtype == HLRP_F32)
            jitter(n, hlrp_tensor_count(other->values[v].constant), other->values[v].constant->f);
    ref_result r;
    ref_run(other, o, 0, pixels, start, &r);
    const double *is = r.lrp.relevance[other->input], *ref = was->lrp.relevance[other->input];
    const double *z = hlrp_ref_value(r.values, other->output);
    const double *z_was = hlrp_ref_value(was->values, other->output);
    for (int64_t s = 0; s < batch; s++) {
        moved[s] = fmax(moved[s], shifted(sample, is + s * sample, ref + s * sample));
        logits_moved[s] = fmax(logits_moved[s], shifted(k, z + s * k, z_was + s * k));
    }
    ref_free(&r);
    hlrp_graph_free(other);
    free(pixels);
}

static void compare_accounts(const hlrp_graph *g, int64_t batch, const hlrp_account *a,
                             const hlrp_account *b, versus *out) {
    for (int64_t i = 0; i < g->node_count * batch; i++) {
        assert_true(isfinite(a[i].constant) && isfinite(a[i].stabilizer) && isfinite(a[i].bias));
        /* a sum with a constant may have larger terms than itself */
        const double kept = fabs(b[i].constant) + fabs(b[i].normalization);
        const double unit = fmax(b[i].out_abs + (kept > 0 ? kept + b[i].in_abs : 0), 1e-30);
        out->account = fmax(out->account, fabs(a[i].out - b[i].out) / unit);
        out->account = fmax(out->account, fabs(a[i].out_abs - b[i].out_abs) / unit);
        out->account = fmax(out->account, fabs(a[i].in - b[i].in) / unit);
        out->account = fmax(out->account, fabs(a[i].in_abs - b[i].in_abs) / unit);
        out->account = fmax(out->account, fabs(a[i].bias - b[i].bias) / unit);
        out->account = fmax(out->account, fabs(a[i].stabilizer - b[i].stabilizer) / unit);
        out->account = fmax(out->account, fabs(a[i].constant - b[i].constant) / unit);
        out->account = fmax(out->account, fabs(a[i].normalization - b[i].normalization) / unit);
    }
}

static void compare_layers(const hlrp_graph *g, int64_t batch, const engine_result *e,
                           const hlrp_ref_lrp *r, versus *out) {
    for (int i = 0; i < g->node_count; i++) {
        const int v = g->nodes[i].out[0];
        assert_int_equal(e->layers[v] != NULL, r->relevance[v] != NULL);
        if (!e->layers[v])
            continue;
        const int64_t sample = hlrp_ref_count(hlrp_ref_shape_of(&g->values[v].dims)) / batch;
        for (int64_t s = 0; s < batch; s++)
            out->layers = fmax(out->layers, apart(sample, e->layers[v] + s * sample,
                                                  r->relevance[v] + s * sample));
    }
}

/* From the output down: where the error comes in. */
static void print_layers(const hlrp_graph *g, const engine_result *e, const ref_result *r) {
    char dims[96], rule[64];
    for (int i = g->node_count - 1; i >= 0; i--) {
        const int v = g->nodes[i].out[0], x = g->nodes[i].in[0];
        if (!e->layers[v])
            continue;
        const int64_t count = hlrp_ref_count(hlrp_ref_shape_of(&g->values[v].dims));
        print_message("    %-12s %-22s of %-14s R at its output is off by %.1e\n", g->nodes[i].name,
                      hlrp_rule_text(&r->rules[i], rule, sizeof rule),
                      hlrp_dims_text(&g->values[x].dims, dims, sizeof dims),
                      apart(count, e->layers[v], r->lrp.relevance[v]));
    }
}

void compare(net *n, const hlrp_lrp_options *o, const float *input, const float *start,
             versus *out) {
    const hlrp_graph *g = n->g;
    const int64_t batch = net_dims(n, g->input)->d[0];
    const int64_t sample = net_count(n, g->input) / batch, k = net_count(n, g->output) / batch;
    engine_result e;
    ref_result r;
    *out = (versus){0};
    engine_run(g, o, input, start, &e);
    ref_run(g, o, 0, input, start, &r);
    const double *want = r.lrp.relevance[g->input];
    double *moved = room(batch, sizeof *moved), *logits_moved = room(batch, sizeof *moved);
    uint64_t state = 0;
    for (int times = 0; times < 5; times++) {
        measure_sensitivity(n, o, input, start, &r, moved, logits_moved);
        state = times == 1 ? n->state : state;
    }
    n->state = state; /* what is drawn next does not depend on how often this is done */
    for (int64_t s = 0; s < batch; s++) {
        const double error = apart(sample, e.relevance + s * sample, want + s * sample);
        const double logits =
            apart(k, e.logits + s * k, hlrp_ref_value(r.values, g->output) + s * k);
        out->logits = fmax(out->logits, logits);
        out->logits_excess = fmax(out->logits_excess, logits / fmax(1e-5, 30 * logits_moved[s]));
        out->relevance = fmax(out->relevance, error);
        out->sensitivity = fmax(out->sensitivity, moved[s]);
        out->excess = fmax(out->excess, error / allowed(moved[s]));
    }
    free(logits_moved);
    if (out->excess > 1)
        print_layers(g, &e, &r);
    compare_layers(g, batch, &e, &r.lrp, out);
    compare_accounts(g, batch, e.account, r.lrp.account, out);
    free(moved);
    engine_free(&e);
    ref_free(&r);
}

hlrp_lrp_options options_for(const char *composite) {
    hlrp_lrp_options o = {.rules = hlrp_rule_options_default()};
    o.rules.composite = composite;
    return o;
}

/* `explain`: the path of one tile without the slide around it. */
#include <histolrp/explain.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/bag.h"
#include "image/image.h"
#include "model/network.h"
#include "sched/sched.h"
#include "sink/tile_overlay.h"
#include "stitch/colormap.h"
#include "stitch/limit.h"
#include "store/agreement.h"
#include "store/store.h"
#include "worker/check.h"
#include "worker/input.h"
#include "worker/worker.h"

/* Share of |relevance| that the heatmap shows in less than full color. */
#define HEATMAP_PERCENTILE 99.5

typedef struct explain {
    const hlrp_explain_options *options;
    hlrp_network *net;
    hlrp_tile_input in;
    int64_t *targets; /* [N]; −1: the predicted class */
    hlrp_worker worker;
    hlrp_explain_writer *writer;
    float *rows;            /* [2][N][C]: logits and starts by class, for a network of one output */
    hlrp_account *accounts; /* [node][N] */
    int64_t first, count;   /* the micro-batch under way */
    float *plain;           /* one layer's relevance, unpacked */
    hlrp_status layer_status;
    hlrp_error *err;
} explain;

/* ---- the input ---- */

/* Samples [first, first+count) of the input. */
static hlrp_status read_input(explain *e, hlrp_error *err) {
    const hlrp_status status =
        hlrp_tile_input_read(&e->in, e->net, e->first, e->count, e->worker.input, err);
    if (status == HLRP_OK)
        hlrp_worker_fill_up(&e->worker, e->count);
    return status;
}

/* ---- targets and starts ---- */

static hlrp_status parse_targets(explain *e, hlrp_error *err) {
    const hlrp_network *net = e->net;
    const int64_t n = e->in.dims.d[0];
    hlrp_strings names = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&e->targets, n, sizeof *e->targets, "targets", err));
    for (int64_t i = 0; i < n; i++)
        e->targets[i] =
            !net->targets.predicted && net->targets.planes == 1 ? net->targets.classes[0] : -1;
    if (!e->options->target || strcmp(e->options->target, "predicted") == 0)
        goto out;
    HLRP_TRY(hlrp_split_commas(e->options->target, &names, err));
    if (names.count != 1 && names.count != n) {
        status = hlrp_fail(err, HLRP_E_USAGE, "--target", "give one for all or one for each sample",
                           "%lld targets for %lld samples", (long long)names.count, (long long)n);
        goto out;
    }
    for (int64_t i = 0; i < n; i++)
        HLRP_TRY(hlrp_network_class(net, names.items[names.count == 1 ? 0 : i], "--target",
                                    &e->targets[i], err));
out:
    hlrp_strings_free(&names);
    return status;
}

static void fill_starts(explain *e) {
    hlrp_worker_clear_starts(&e->worker);
    for (int64_t i = 0; i < e->count; i++) {
        int64_t *target = &e->targets[e->first + i];
        if (*target < 0)
            *target = hlrp_worker_predict(&e->worker, i);
        hlrp_worker_start(&e->worker, i, *target);
    }
}

/* ---- layers ---- */

static void keep_layer(void *ctx, int node, const hlrp_layout *layout, const float *relevance) {
    explain *e = ctx;
    const hlrp_layout plain = hlrp_layout_plain(layout);
    if (e->layer_status != HLRP_OK)
        return;
    hlrp_repack(layout, relevance, &plain, e->plain);
    e->layer_status =
        hlrp_explain_write_layer(e->writer, node, e->first, e->count, e->plain, e->err);
}

/* A value's dims for all samples. One whose first axis is another, such as queries, keys and values in
 * one, gets an axis of samples before it; of a batch that the file fixes it is written flat. */
static hlrp_dims layer_dims(const explain *e, const hlrp_dims *value, int64_t count) {
    const int64_t batch = e->net->batch, samples = e->in.dims.d[0];
    hlrp_dims dims = *value;
    if (value->rank > 0 && value->d[0] == batch) {
        dims.d[0] = samples;
        return dims;
    }
    if (batch > 1 || value->rank == HLRP_MAX_RANK)
        return (hlrp_dims){2, {samples, count / batch}};
    dims.rank++;
    dims.d[0] = samples;
    for (int k = 0; k < value->rank; k++)
        dims.d[k + 1] = value->d[k];
    return dims;
}

static hlrp_status add_layers(explain *e, hlrp_error *err) {
    const hlrp_graph *g = e->net->graph;
    int64_t most = 0;
    hlrp_status status = HLRP_OK;
    for (int i = 0; status == HLRP_OK && i < g->node_count; i++) {
        const hlrp_value *v = &g->values[g->nodes[i].out[0]];
        char rule[64];
        int64_t count = 0;
        HLRP_TRY(hlrp_dims_count(&v->dims, &count, err));
        const hlrp_dims dims = layer_dims(e, &v->dims, count);
        most = HLRP_MAX(most, count);
        HLRP_TRY(hlrp_explain_add_layer(
            e->writer, i, g->nodes[i].name, v->name,
            hlrp_rule_text(hlrp_lrp_rule(e->net->lrp, i), rule, sizeof rule), &dims, err));
    }
    HLRP_TRY(hlrp_calloc(&e->plain, most, sizeof *e->plain, "a layer's relevance", err));
    status = hlrp_calloc(&e->accounts, g->node_count * e->in.dims.d[0], sizeof *e->accounts,
                         "accounts", err);
out:
    return status;
}

static void keep_accounts(explain *e) {
    for (int64_t node = 0; node < e->net->graph->node_count; node++)
        memcpy(e->accounts + node * e->in.dims.d[0] + e->first,
               e->worker.account + node * e->net->batch, (size_t)e->count * sizeof *e->accounts);
}

static hlrp_status write_accounts(explain *e, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int node = 0; status == HLRP_OK && node < e->net->graph->node_count; node++)
        status =
            hlrp_explain_layer_account(e->writer, node, e->accounts + node * e->in.dims.d[0], err);
    return status;
}

/* ---- the heatmap of a picture ---- */

static hlrp_status write_overlay(explain *e, const char *path, const float *plane, double limit,
                                 hlrp_error *err) {
    char label[200];
    snprintf(label, sizeof label, "for %s", e->net->class_names[e->targets[0]]);
    return hlrp_tile_overlay_write(path, &e->in.picture, plane, limit,
                                   e->net->config->outputs.colormap, label, err);
}

static hlrp_status write_pictures(explain *e, const char *path, const char *overlay,
                                  hlrp_error *err) {
    const float *plane = e->worker.plane;
    const int64_t pixels = e->in.dims.d[2] * e->in.dims.d[3];
    double limit = 0;
    hlrp_colormap map;
    hlrp_image picture = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_colormap_init(&map, e->net->config->outputs.colormap, err));
    HLRP_TRY(hlrp_image_init(&picture, e->in.dims.d[3], e->in.dims.d[2], 3, err));
    hlrp_worker_sum_color(&e->worker, 0);
    HLRP_TRY(hlrp_limit_of(plane, pixels, HEATMAP_PERCENTILE, &limit, err));
    for (int64_t p = 0; p < pixels; p++)
        memcpy(picture.data + 3 * p, hlrp_colormap_at(&map, limit > 0 ? plane[p] / limit : 0), 3);
    HLRP_TRY(hlrp_png_write(path, &picture, err));
    HLRP_TRY(write_overlay(e, overlay, plane, limit, err));
    hlrp_logf(e->options->log, HLRP_LOG_INFO, "%s: full color at ±%.3g", path, limit);
out:
    hlrp_image_free(&picture);
    return status;
}

/* ---- what is written ---- */

static hlrp_status picture_path(const char *output, const char *suffix, char **path,
                                hlrp_error *err) {
    const size_t stem = strlen(output) - (hlrp_glob_match("*.h5", output, true) ? 3 : 0);
    return hlrp_format(path, err, "%.*s%s.png", (int)stem, output, suffix);
}

/* Neither the numbers nor the heatmap may take the place of what is explained. */
static hlrp_status spare_input(const char *input, const char *output, const char *heatmap,
                               const char *overlay, hlrp_error *err) {
    bool is_tensor = false;
    char *path = NULL, *dataset = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tensor_spec(input, &is_tensor, &path, &dataset, err));
    const char *file = is_tensor ? path : input;
    if (hlrp_same_file(file, output) ||
        (!is_tensor && (hlrp_same_file(file, heatmap) || hlrp_same_file(file, overlay))))
        status = hlrp_fail(err, HLRP_E_USAGE, file, "give another name to -o",
                           "the %s would overwrite the input",
                           hlrp_same_file(file, output)    ? "output"
                           : hlrp_same_file(file, heatmap) ? "heatmap"
                                                           : "overlay");
out:
    free(path);
    free(dataset);
    return status;
}

/* ---- running ---- */

/* Values of the network's outputs as values of its classes, [N,C]: one output z is class 1, and class
 * 0 is −z. Relevance starts at the target alone. */
static const float *by_class(explain *e, const float *outputs, bool start) {
    const hlrp_network *net = e->net;
    float *rows = e->rows + (start ? net->batch * net->classes : 0);
    if (net->outputs > 1)
        return outputs;
    for (int64_t i = 0; i < e->count; i++) {
        const int64_t target = e->targets[e->first + i];
        rows[2 * i] = !start ? -outputs[i] : target == 0 ? outputs[i] : 0;
        rows[2 * i + 1] = start && target == 0 ? 0 : outputs[i];
    }
    return rows;
}

/* What the relevance of the sample comes to, beside its start. */
static hlrp_status write_sums(explain *e, int64_t i, hlrp_error *err) {
    const hlrp_network *net = e->net;
    const int64_t sample = e->first + i;
    static const char *const words[] = {"differ in sign", "cannot be compared", "agree in sign"};
    double start = 0;
    for (int64_t k = 0; k < net->outputs; k++)
        start += e->worker.start[i * net->outputs + k];
    hlrp_worker_sum_color(&e->worker, i);
    const double sum = hlrp_worker_sum(&e->worker), magnitude = hlrp_worker_magnitude(&e->worker);
    const int8_t agrees = (int8_t)hlrp_agrees(start, sum);
    const int64_t predicted = hlrp_worker_predict(&e->worker, i);
    hlrp_logf(
        e->options->log, HLRP_LOG_INFO,
        "sample %lld: predicted %s (probability %.4g), explained %s: start (%s) %.4g, sum of the "
        "map %.4g: they %s; Σ|relevance| / |start| %.3g",
        (long long)sample, net->class_names[predicted], (double)e->worker.probabilities[predicted],
        net->class_names[e->targets[sample]], hlrp_start_name(&net->start), start, sum,
        words[agrees + 1], hlrp_over_start(start, magnitude));
    return hlrp_explain_write_sums(e->writer, sample, 1, &sum, &magnitude, &agrees, err);
}

static hlrp_status run_batch(explain *e, hlrp_error *err) {
    hlrp_worker *w = &e->worker;
    const bool layers = e->options->layers;
    const hlrp_lrp_watch watch = {
        .account = w->account, .layer = layers ? keep_layer : NULL, .ctx = e};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(read_input(e, err));
    HLRP_TRY(hlrp_lrp_forward(w->lrp, w->input, err));
    fill_starts(e);
    HLRP_TRY(hlrp_lrp_relevance(w->lrp, w->start, w->slope, &watch, w->relevance, err));
    HLRP_TRY(e->layer_status);
    if (layers)
        keep_accounts(e);
    status = hlrp_explain_write(e->writer, e->first, e->count, w->input,
                                by_class(e, hlrp_worker_logits(w, 0), false), e->targets + e->first,
                                by_class(e, w->start, true), w->relevance, err);
    for (int64_t i = 0; status == HLRP_OK && i < e->count; i++)
        status = write_sums(e, i, err);
out:
    return status;
}

/* The first sample once more, in float32 and float64. */
static hlrp_status check_first(explain *e, hlrp_error *err) {
    hlrp_tile_check check = {0};
    hlrp_str text = {0};
    hlrp_status status = HLRP_OK;
    e->first = 0;
    e->count = HLRP_MIN(e->net->batch, e->in.dims.d[0]);
    HLRP_TRY(read_input(e, err));
    HLRP_TRY(hlrp_check_tile(e->net, e->worker.input, e->targets[0], &check, err));
    hlrp_check_text(e->net, &check, &text);
    if (!text.failed && e->options->print)
        e->options->print(e->options->print_ctx, text.text);
out:
    hlrp_str_free(&text);
    hlrp_tile_check_free(&check);
    return status;
}

/* One thread inside too: the kernels run as they were made. */
static hlrp_status run_all(void *ctx, hlrp_error *err) {
    explain *e = ctx;
    hlrp_status status = HLRP_OK;
    for (e->first = 0; status == HLRP_OK && e->first < e->in.dims.d[0]; e->first += e->net->batch) {
        e->count = HLRP_MIN(e->net->batch, e->in.dims.d[0] - e->first);
        status = run_batch(e, err);
    }
    if (status == HLRP_OK && e->options->check)
        status = check_first(e, err);
    return status;
}

static hlrp_status prepare(explain *e, const hlrp_config *config, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_input_open(&e->in, err));
    HLRP_TRY(hlrp_tile_input_network(&e->in, config, e->in.dims.d[0], &e->net, err));
    HLRP_TRY(hlrp_worker_within_limit(config, hlrp_worker_bytes(e->net), err));
    HLRP_TRY(parse_targets(e, err));
    HLRP_TRY(hlrp_worker_open(&e->worker, e->net, err));
    status =
        hlrp_calloc(&e->rows, 2 * e->net->batch * e->net->classes, sizeof(float), "starts", err);
out:
    return status;
}

static void release(explain *e) {
    hlrp_explain_abort(e->writer);
    hlrp_tile_input_close(&e->in);
    hlrp_worker_close(&e->worker);
    hlrp_network_free(e->net);
    void *const all[] = {e->targets, e->rows, e->accounts, e->plain};
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
}

hlrp_status hlrp_explain(const hlrp_config *config, const char *input, const char *output,
                         const hlrp_explain_options *options, hlrp_error *err) {
    explain e = {.options = options, .err = err};
    bool is_bag = false;
    e.in = (hlrp_tile_input){
        .name = input, .mpp = options->mpp, .start = options->start, .log = options->log};
    char *heatmap = NULL, *overlay = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(picture_path(output, "", &heatmap, err));
    HLRP_TRY(picture_path(output, "-overlay", &overlay, err));
    if (hlrp_same_file(input, heatmap)) {
        free(heatmap);
        HLRP_TRY(picture_path(output, "-heatmap", &heatmap, err));
    }
    HLRP_TRY(spare_input(input, output, heatmap, overlay, err));
    HLRP_TRY(hlrp_is_bag(config, input, &is_bag, err));
    if (is_bag) {
        status = hlrp_explain_bag(config, input, output, options, err);
        goto out;
    }
    HLRP_TRY(prepare(&e, config, err));
    HLRP_TRY(hlrp_explain_create(output, &e.in.dims, (const char *const *)e.net->class_names,
                                 e.net->classes, &e.writer, err));
    if (options->layers)
        HLRP_TRY(add_layers(&e, err));
    HLRP_TRY(hlrp_sched_single(run_all, &e, err));
    if (options->layers)
        HLRP_TRY(write_accounts(&e, err));
    status = hlrp_explain_commit(e.writer, err);
    e.writer = NULL;
    if (status == HLRP_OK && !e.in.tensor)
        status = write_pictures(&e, heatmap, overlay, err);
out:
    release(&e);
    free(heatmap);
    free(overlay);
    return status;
}

/* `compare`: one tile, forward once per rule and back, drawn as a panel. */
#include <histolrp/compare.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/network.h"
#include "sched/sched.h"
#include "sink/panel.h"
#include "stitch/limit.h"
#include "store/store.h"
#include "worker/input.h"
#include "worker/worker.h"

#define PERCENTILE 99.5

/* What is compared. */
typedef struct variant {
    const char *composite, *label; /* NULL: the configuration's own */
    double conv, linear;           /* gamma of convolutions, of linear layers; 0: the composite's */
} variant;

static const variant rules[] = {{"lrp0", "LRP-0", 0, 0},
                                {"epsilon", "epsilon", 0, 0},
                                {"gamma", "gamma", 0, 0},
                                {NULL, NULL, 0, 0},
                                {"gradient-x-input", "gradient x input", 0, 0}};

/* The grid that LXT, the reference implementation of AttnLRP, is searched over by eye: no value is right
 * for all networks. NO_GAMMA is epsilon, written as a number that the key takes. */
#define NO_GAMMA 1e-12
static const double grid_conv[] = {0.1, 0.25, 100}, grid_linear[] = {NO_GAMMA, 0.01, 0.05, 0.1, 1};
enum { RULES = HLRP_COUNT(rules), GRID_ROWS = HLRP_COUNT(grid_conv) };
enum { GRID_COLUMNS = HLRP_COUNT(grid_linear) };

typedef struct compare {
    const hlrp_config *config;
    const hlrp_compare_options *options;
    hlrp_tile_input in; /* of a tensor with its first sample's picture */
    hlrp_panel panel;
} compare;

/* One rule's result. */
typedef struct outcome {
    hlrp_network *net;
    hlrp_worker worker;
    int64_t target;
    double from, sum, limit;
} outcome;

/* ---- the input ---- */

/* A tensor is shown between its lowest and its highest value. */
static hlrp_status picture_of(compare *c, const float *input, hlrp_error *err) {
    const int64_t pixels = c->in.dims.d[2] * c->in.dims.d[3];
    float low = input[0], high = input[0];
    const hlrp_status status =
        hlrp_image_init(&c->in.picture, c->in.dims.d[3], c->in.dims.d[2], 3, err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < 3 * pixels; i++) {
        low = fminf(low, input[i]);
        high = fmaxf(high, input[i]);
    }
    for (int64_t i = 0; i < 3 * pixels; i++)
        c->in.picture.data[3 * (i % pixels) + i / pixels] =
            (uint8_t)lroundf(high > low ? 255 * (input[i] - low) / (high - low) : 128);
    return HLRP_OK;
}

static hlrp_status read_input(compare *c, outcome *o, hlrp_error *err) {
    float *input = o->worker.input;
    const hlrp_status status = hlrp_tile_input_read(&c->in, o->net, 0, 1, input, err);
    return status != HLRP_OK || c->in.picture.data ? status : picture_of(c, input, err);
}

/* ---- one rule ---- */

/* The configuration with a composite in place of its own and its rules. */
static hlrp_status vary(const hlrp_config *config, const variant *v, hlrp_config **out,
                        hlrp_error *err) {
    char *text = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_config_effective(config, &text, err));
    HLRP_TRY(hlrp_config_parse(text, config->path, out, err));
    if (!v->composite)
        goto out;
    hlrp_config *varied = *out;
    free(varied->lrp.composite);
    varied->lrp.composite = hlrp_strdup(v->composite, err);
    if (v->conv > 0) {
        varied->lrp.gamma = v->conv;
        varied->lrp.gamma_linear = v->linear;
    }
    for (int64_t i = 0; i < varied->rule_count; i++) {
        free(varied->rules[i].node);
        free(varied->rules[i].rule);
    }
    varied->rule_count = 0;
    status = varied->lrp.composite ? HLRP_OK : HLRP_E_MEMORY;
out:
    free(text);
    return status;
}

static hlrp_status choose_target(const compare *c, outcome *o, hlrp_error *err) {
    const hlrp_network *net = o->net;
    const char *name = c->options->target;
    o->target = hlrp_worker_predict(&o->worker, 0);
    if (name && strcmp(name, "predicted") != 0)
        return hlrp_network_class(net, name, "--target", &o->target, err);
    if (!name && !net->targets.predicted && net->targets.planes == 1)
        o->target = net->targets.classes[0];
    return HLRP_OK;
}

static hlrp_status explain(compare *c, const hlrp_config *config, outcome *o, hlrp_error *err) {
    hlrp_worker *w = &o->worker;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_input_network(&c->in, config, 1, &o->net, err));
    HLRP_TRY(hlrp_worker_within_limit(config, hlrp_worker_bytes(o->net), err));
    HLRP_TRY(hlrp_worker_open(w, o->net, err));
    HLRP_TRY(read_input(c, o, err));
    HLRP_TRY(hlrp_lrp_forward(w->lrp, w->input, err));
    HLRP_TRY(choose_target(c, o, err));
    o->from = hlrp_worker_start(w, 0, o->target);
    HLRP_TRY(hlrp_lrp_relevance(w->lrp, w->start, w->slope, NULL, w->relevance, err));
    hlrp_worker_sum_color(w, 0);
    o->sum = hlrp_worker_sum(w);
    status = hlrp_limit_of(w->plane, hlrp_worker_values(w) / 3, PERCENTILE, &o->limit, err);
out:
    return status;
}

/* ---- all of it ---- */

static hlrp_status run_variant(compare *c, const variant *v, int cell, hlrp_error *err) {
    hlrp_config *config = NULL;
    outcome o = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(vary(c->config, v, &config, err));
    HLRP_TRY(explain(c, config, &o, err));
    const char *label = v->label ? v->label : o.net->composite;
    const hlrp_panel_map map = {.label = label,
                                .class_name = o.net->class_names[o.target],
                                .size = {c->in.dims.d[3], c->in.dims.d[2]},
                                .plane = o.worker.plane,
                                .limit = o.limit,
                                .sum = o.sum,
                                .from = o.from};
    hlrp_panel_draw_map(&c->panel, cell, &map);
    hlrp_logf(c->options->log, HLRP_LOG_INFO,
              "%s: class %s, start %.6g, sum %.6g, full color at ±%.3g", label,
              o.net->class_names[o.target], o.from, o.sum, o.limit);
out:
    hlrp_worker_close(&o.worker);
    hlrp_network_free(o.net);
    hlrp_config_free(config);
    return status;
}

static hlrp_status run_rules(compare *c, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int i = 0; status == HLRP_OK && i < RULES; i++)
        status = run_variant(c, &rules[i], i + 1, err);
    return status;
}

/* The configuration's composite, if it has a gamma of its own for linear layers. */
static const char *grid_composite(const compare *c) {
    const char *own = c->config->lrp.composite;
    return strcmp(own, "attnlrp-gamma") == 0 || strcmp(own, "vit-gamma-box") == 0 ? own
                                                                                  : "vit-gamma";
}

static hlrp_status run_grid(compare *c, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int i = 0; status == HLRP_OK && i < GRID_ROWS * GRID_COLUMNS; i++) {
        const int row = i / GRID_COLUMNS, column = i % GRID_COLUMNS;
        char label[40];
        snprintf(label, sizeof label, "conv %g lin %g", grid_conv[row],
                 column == 0 ? 0 : grid_linear[column]);
        const variant v = {grid_composite(c), label, grid_conv[row], grid_linear[column]};
        status = run_variant(c, &v, row * (GRID_COLUMNS + 1) + column + 1, err);
    }
    return status;
}

static hlrp_status run_all(void *ctx, hlrp_error *err) {
    compare *c = ctx;
    return c->options->grid ? run_grid(c, err) : run_rules(c, err);
}

hlrp_status hlrp_compare(const hlrp_config *config, const char *input, const char *output,
                         const hlrp_compare_options *options, hlrp_error *err) {
    compare c = {.config = config, .options = options};
    c.in = (hlrp_tile_input){
        .name = input, .mpp = options->mpp, .start = options->start, .log = options->log};
    hlrp_status status = HLRP_OK;
    if (hlrp_same_file(input, output))
        return hlrp_fail(err, HLRP_E_USAGE, input, "give another name to -o",
                         "the output would overwrite the input");
    HLRP_TRY(hlrp_tile_input_open(&c.in, err));
    HLRP_TRY(hlrp_panel_init(&c.panel, options->grid ? GRID_ROWS : 1,
                             1 + (options->grid ? (int)GRID_COLUMNS : (int)RULES),
                             config->outputs.colormap, err));
    HLRP_TRY(hlrp_sched_single(run_all, &c, err));
    hlrp_panel_draw_tile(&c.panel, &c.in.picture);
    status = hlrp_png_write(output, &c.panel.image, err);
out:
    hlrp_tile_input_close(&c.in);
    hlrp_image_free(&c.panel.image);
    return status;
}

/* `compare`: one tile, forward once per rule and back, drawn as a panel. */
#include <histolrp/compare.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/network.h"
#include "pipelines/tile_input.h"
#include "pipelines/tile_job.h"
#include "sched/sched.h"
#include "sink/label.h"
#include "stitch/colormap.h"
#include "stitch/limit.h"
#include "store/store.h"

#define PERCENTILE 99.5
/* The panel: cells beside one another, each a square picture with text above and below. */
enum { CELL = 256, GAP = 20, HEAD = 62, FOOT = 86, BAR = 14, SCALE = 2 };

static const uint8_t ink[3] = {28, 35, 48}, soft[3] = {90, 100, 115}, paper[3] = {255, 255, 255};

/* What is compared; NULL: the configuration's own. */
static const struct {
    const char *composite, *label;
} variants[] = {{"lrp0", "LRP-0"},
                {"epsilon", "epsilon"},
                {"gamma", "gamma"},
                {NULL, NULL},
                {"gradient-x-input", "gradient x input"}};

enum { VARIANTS = HLRP_COUNT(variants) };

typedef struct compare {
    const hlrp_config *config;
    const hlrp_compare_options *options;
    hlrp_tile_input in; /* of a tensor with its first sample's picture */
    hlrp_image panel;
    hlrp_colormap colors;
} compare;

/* One rule's result. */
typedef struct outcome {
    hlrp_network *net;
    hlrp_lrp_worker *worker;
    float *input, *relevance, *start, *slope, *probabilities, *plane;
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
    const hlrp_status status = hlrp_tile_input_read(&c->in, o->net, 0, 1, o->input, err);
    return status != HLRP_OK || c->in.picture.data ? status : picture_of(c, o->input, err);
}

/* ---- one rule ---- */

/* The configuration with a uniform composite in place of its own and its rules. */
static hlrp_status vary(const hlrp_config *config, const char *composite, hlrp_config **out,
                        hlrp_error *err) {
    char *text = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_config_effective(config, &text, err));
    HLRP_TRY(hlrp_config_parse(text, config->path, out, err));
    if (!composite)
        goto out;
    hlrp_config *varied = *out;
    free(varied->lrp.composite);
    varied->lrp.composite = hlrp_strdup(composite, err);
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

static hlrp_status make_ready(compare *c, const hlrp_config *config, outcome *o, hlrp_error *err) {
    const hlrp_size input = hlrp_tile_input_size(&c->in);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_network_load(config, &input, c->options->log, &o->net, err));
    HLRP_TRY(hlrp_tile_input_fit(&c->in, c->options->mpp, o->net, c->options->log, err));
    const int64_t values = 3 * c->in.dims.d[2] * c->in.dims.d[3];
    if (c->options->start)
        HLRP_TRY(hlrp_network_start(o->net, c->options->start, &o->net->start, err));
    HLRP_TRY(hlrp_network_ready(o->net, 1, c->in.dims.d[2], c->in.dims.d[3], err));
    HLRP_TRY(hlrp_calloc_aligned(&o->input, values, sizeof(float), "input", err));
    HLRP_TRY(hlrp_calloc_aligned(&o->relevance, values, sizeof(float), "relevance", err));
    HLRP_TRY(
        hlrp_calloc(&o->plane, c->in.dims.d[2] * c->in.dims.d[3], sizeof(float), "relevance", err));
    HLRP_TRY(hlrp_calloc(&o->start, o->net->outputs, sizeof(float), "starts", err));
    HLRP_TRY(hlrp_calloc_aligned(&o->slope, o->net->outputs, sizeof(float), "starts", err));
    HLRP_TRY(hlrp_calloc(&o->probabilities, o->net->classes, sizeof(float), "probabilities", err));
    status = hlrp_lrp_worker_new(o->net->lrp, &o->worker, err);
out:
    return status;
}

static hlrp_status choose_target(const compare *c, outcome *o, hlrp_error *err) {
    const hlrp_network *net = o->net;
    const char *name = c->options->target;
    hlrp_probabilities(net->probability, hlrp_lrp_logits(o->worker), net->outputs,
                       o->probabilities);
    o->target = hlrp_predicted(o->probabilities, net->classes);
    if (name && strcmp(name, "predicted") != 0)
        return hlrp_network_class(net, name, "--target", &o->target, err);
    if (!name && !net->targets.predicted && net->targets.planes == 1)
        o->target = net->targets.classes[0];
    return HLRP_OK;
}

static hlrp_status explain(compare *c, outcome *o, hlrp_error *err) {
    const int64_t pixels = c->in.dims.d[2] * c->in.dims.d[3];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(read_input(c, o, err));
    HLRP_TRY(hlrp_lrp_forward(o->worker, o->input, err));
    HLRP_TRY(choose_target(c, o, err));
    hlrp_start_fill(&o->net->start, hlrp_lrp_logits(o->worker), o->net->outputs, o->target,
                    o->start, o->slope);
    HLRP_TRY(hlrp_lrp_relevance(o->worker, o->start, o->slope, NULL, o->relevance, err));
    hlrp_sum_over_color(o->relevance, pixels, o->plane);
    for (int64_t i = 0; i < o->net->outputs; i++)
        o->from += (double)o->start[i];
    for (int64_t i = 0; i < pixels; i++)
        o->sum += (double)o->plane[i];
    status = hlrp_limit_of(o->plane, pixels, PERCENTILE, &o->limit, err);
out:
    return status;
}

static void outcome_free(outcome *o) {
    void *const all[] = {o->input, o->relevance, o->start, o->slope, o->probabilities, o->plane};
    hlrp_lrp_worker_free(o->worker);
    hlrp_network_free(o->net);
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
}

/* ---- drawing ---- */

/* The tile's pixel under pixel i of n in a cell. */
static int64_t under(int64_t i, int64_t n, int64_t size) {
    return (2 * i + 1) * size / (2 * n);
}

/* A tile that is not square keeps its shape. */
static hlrp_size shown_size(const compare *c) {
    const double f = (double)CELL / (double)HLRP_MAX(c->in.dims.d[3], c->in.dims.d[2]);
    return (hlrp_size){HLRP_MAX((int64_t)((double)c->in.dims.d[3] * f), 1),
                       HLRP_MAX((int64_t)((double)c->in.dims.d[2] * f), 1)};
}

static int64_t left_of(int cell) {
    return GAP + (int64_t)cell * (CELL + GAP);
}

static void draw_text(compare *c, int cell, int64_t y, const uint8_t rgb[3], const char *text) {
    char cut[CELL / (HLRP_LABEL_WIDTH * SCALE) + 1];
    snprintf(cut, sizeof cut, "%.*s", (int)sizeof cut - 1, text);
    hlrp_label_draw(&c->panel, left_of(cell), y, SCALE, rgb, cut);
}

/* How to read the others. */
static void draw_key(compare *c) {
    const int64_t top = HEAD + CELL + 8, line = 24;
    char text[64];
    draw_text(c, 0, top, soft, "relevance per pixel:");
    snprintf(text, sizeof text, "%s for the class,", hlrp_colormap_word(&c->colors, 1));
    draw_text(c, 0, top + line, soft, text);
    snprintf(text, sizeof text, "%s against it", hlrp_colormap_word(&c->colors, -1));
    draw_text(c, 0, top + 2 * line, soft, text);
}

static void draw_tile(compare *c) {
    const hlrp_size size = shown_size(c);
    char text[64];
    snprintf(text, sizeof text, "%lld x %lld px", (long long)c->in.dims.d[3],
             (long long)c->in.dims.d[2]);
    draw_text(c, 0, GAP - 4, ink, "tile");
    draw_text(c, 0, GAP + 18, soft, text);
    draw_key(c);
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++)
            memcpy(c->panel.data + 3 * ((HEAD + y) * c->panel.width + left_of(0) + x),
                   c->in.picture.data + 3 * (under(y, size.h, c->in.dims.d[2]) * c->in.dims.d[3] +
                                             under(x, size.w, c->in.dims.d[3])),
                   3);
}

static void draw_bar(compare *c, int cell, double limit) {
    const int64_t top = HEAD + CELL + 8;
    char text[64];
    for (int64_t x = 0; x < CELL; x++)
        hlrp_label_fill(&c->panel, (hlrp_irect){left_of(cell) + x, top, 1, BAR},
                        hlrp_colormap_at(&c->colors, 2.0 * (double)x / (CELL - 1) - 1));
    snprintf(text, sizeof text, "-%.2g", limit);
    draw_text(c, cell, top + BAR + 6, soft, text);
    snprintf(text, sizeof text, "+%.2g", limit);
    hlrp_label_draw(&c->panel, left_of(cell) + CELL - hlrp_label_width(SCALE, text), top + BAR + 6,
                    SCALE, soft, text);
}

static void draw_outcome(compare *c, int cell, const char *label, const outcome *o) {
    const hlrp_size size = shown_size(c);
    char text[64];
    draw_text(c, cell, GAP - 4, ink, label);
    snprintf(text, sizeof text, "for %s", o->net->class_names[o->target]);
    draw_text(c, cell, GAP + 18, soft, text);
    for (int64_t y = 0; y < size.h; y++)
        for (int64_t x = 0; x < size.w; x++) {
            const float value = o->plane[under(y, size.h, c->in.dims.d[2]) * c->in.dims.d[3] +
                                         under(x, size.w, c->in.dims.d[3])];
            memcpy(c->panel.data + 3 * ((HEAD + y) * c->panel.width + left_of(cell) + x),
                   hlrp_colormap_at(&c->colors, o->limit > 0 ? (double)value / o->limit : 0), 3);
        }
    draw_bar(c, cell, o->limit);
    snprintf(text, sizeof text, "sum %.3g from %.3g", o->sum, o->from);
    draw_text(c, cell, HEAD + CELL + 8 + BAR + 34, ink, text);
}

/* ---- all of it ---- */

static hlrp_status run_variant(compare *c, int i, hlrp_error *err) {
    hlrp_config *config = NULL;
    outcome o = {0};
    hlrp_status status = HLRP_OK;
    const char *label = variants[i].label ? variants[i].label : c->config->lrp.composite;
    HLRP_TRY(vary(c->config, variants[i].composite, &config, err));
    HLRP_TRY(make_ready(c, config, &o, err));
    HLRP_TRY(explain(c, &o, err));
    draw_outcome(c, i + 1, label, &o);
    hlrp_logf(c->options->log, HLRP_LOG_INFO,
              "%s: class %s, start %.6g, sum %.6g, full color at ±%.3g", label,
              o.net->class_names[o.target], o.from, o.sum, o.limit);
out:
    outcome_free(&o);
    hlrp_config_free(config);
    return status;
}

static hlrp_status run_all(void *ctx, hlrp_error *err) {
    compare *c = ctx;
    hlrp_status status = HLRP_OK;
    for (int i = 0; status == HLRP_OK && i < VARIANTS; i++)
        status = run_variant(c, i, err);
    return status;
}

hlrp_status hlrp_compare(const hlrp_config *config, const char *input, const char *output,
                         const hlrp_compare_options *options, hlrp_error *err) {
    compare c = {.config = config, .options = options};
    const int64_t width = left_of(VARIANTS + 1), height = HEAD + CELL + FOOT;
    hlrp_status status = HLRP_OK;
    if (hlrp_same_file(input, output))
        return hlrp_fail(err, HLRP_E_USAGE, input, "give another name to -o",
                         "the output would overwrite the input");
    HLRP_TRY(hlrp_tile_input_open(input, &c.in, err));
    HLRP_TRY(hlrp_colormap_init(&c.colors, config->outputs.colormap, err));
    HLRP_TRY(hlrp_image_init(&c.panel, width, height, 3, err));
    hlrp_label_fill(&c.panel, (hlrp_irect){0, 0, width, height}, paper);
    HLRP_TRY(hlrp_sched_single(run_all, &c, err));
    draw_tile(&c);
    status = hlrp_png_write(output, &c.panel, err);
out:
    hlrp_tile_input_close(&c.in);
    hlrp_image_free(&c.panel);
    return status;
}

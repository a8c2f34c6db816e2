/* `histolrp inspect FILE`: a slide, a network, a result or what explain wrote. */
#include <histolrp/config.h>

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "model/network.h"
#include "pipelines/tile_worker.h"
#include "region/region.h"
#include "store/store.h"
#include "survey/tissue_options.h"

/* ---- networks ---- */

static void print_node(const hlrp_network *net, int id, bool reached, bool verbose) {
    const hlrp_graph *g = net->graph;
    const hlrp_node *n = &g->nodes[id];
    char rule[64], dims[100];
    printf("%4d  %-15s %-18s %-18s %s\n", id, n->op->name,
           hlrp_rule_text(hlrp_lrp_rule(net->lrp, id), rule, sizeof rule),
           hlrp_dims_text(&g->values[n->out[0]].dims, dims, sizeof dims), n->name);
    const int64_t macs = hlrp_plan_macs(hlrp_lrp_plan(net->lrp), id);
    if (verbose && !reached)
        printf("      no relevance comes here\n");
    else if (verbose && hlrp_lrp_why(net->lrp, id)[0] != '\0')
        printf("      %s\n", hlrp_lrp_why(net->lrp, id));
    if (!verbose || macs == 0)
        return;
    const int64_t weights = hlrp_tensor_count(g->values[n->in[1]].constant);
    printf("      %" PRId64 " weights, %.3g M multiply-adds forward, %.3g M back, kernel %s\n",
           weights, (double)macs / 1e6, (double)hlrp_lrp_macs(net->lrp, id) / 1e6,
           hlrp_plan_kernel(hlrp_lrp_plan(net->lrp), id));
}

static void print_numbers(const char *key, const double *values) {
    if (values[0] == values[1] && values[1] == values[2])
        printf("%s = %g\n", key, values[0]);
    else
        printf("%s = %g, %g, %g\n", key, values[0], values[1], values[2]);
}

enum { SOME_CLASSES = 20 };

/* What a configuration can begin with. */
static void print_section(const hlrp_network *net) {
    printf("\n[model]\npath = %s\n", net->config->model.path);
    if (net->config->model.head[0] != '\0')
        printf("head = %s\n", net->config->model.head);
    if (net->mpp > 0)
        printf("mpp = %g\n", net->mpp);
    else
        printf("; mpp = the resolution the network was trained at, in um per pixel\n");
    print_numbers("mean", net->mean);
    print_numbers("std", net->std);
    printf("classes = ");
    for (int64_t k = 0; k < HLRP_MIN(net->classes, SOME_CLASSES); k++)
        printf("%s%s", k ? ", " : "", net->class_names[k]);
    printf("%s\n\n", net->classes > SOME_CLASSES ? ", ..." : "");
}

/* What `run` counts a worker with, and takes of tiles at once. */
static void print_memory(const hlrp_network *net) {
    const int64_t bytes = hlrp_tile_job_worker_bytes(net, net->height * net->width);
    printf("memory    %.0f MB per worker, for %" PRId64 " tile%s at once\n", (double)bytes / 1e6,
           net->batch, net->batch == 1 ? "" : "s");
}

static hlrp_status print_network(const hlrp_network *net, bool verbose, hlrp_error *err) {
    const hlrp_graph *g = net->graph;
    char dims[100];
    printf("network   %s\nsha256    %s\ninput     %s%s\n", net->config->model.path, net->hash,
           hlrp_dims_text(&net->declared, dims, sizeof dims),
           g->nhwc ? " (the file's input is N,H,W,C)" : "");
    printf("mpp       ");
    if (net->mpp > 0)
        printf("%g um per pixel\n", net->mpp);
    else
        printf("not said: set model.mpp\n");
    printf("classes   ");
    for (int64_t k = 0; k < net->classes; k++)
        printf("%s%s", k ? ", " : "", net->class_names[k]);
    printf("\ncomposite %s\n", net->composite);
    print_memory(net);
    print_section(net);
    printf("node  operator        rule               output             name\n");
    bool *reached = NULL;
    hlrp_status status = hlrp_calloc(&reached, g->node_count, sizeof *reached, "rules", err);
    if (status == HLRP_OK)
        status = hlrp_lrp_find_reached(net->lrp, reached, err);
    for (int i = 0; status == HLRP_OK && i < g->node_count; i++)
        print_node(net, i, reached[i], verbose);
    free(reached);
    return status;
}

static hlrp_status inspect_network(const hlrp_call *call, const char *path, hlrp_error *err) {
    hlrp_arguments settings = {0};
    hlrp_config *config = NULL;
    hlrp_network *net = NULL;
    hlrp_str model = {0};
    hlrp_status status = HLRP_OK;
    hlrp_str_addf(&model, "model.path=%s", path);
    HLRP_TRY(hlrp_calloc(&settings.items, call->settings.count + 1, sizeof *settings.items,
                         "settings", err));
    for (int64_t i = 0; i < call->settings.count; i++)
        settings.items[settings.count++] = call->settings.items[i];
    settings.items[settings.count++] = model.text;
    HLRP_TRY(hlrp_config_load(NULL, settings.items, settings.count, &config, err));
    HLRP_TRY(hlrp_network_load(config, NULL, &call->log, &net, err));
    HLRP_TRY(hlrp_network_ready(net, 0, net->declared.d[2], net->declared.d[3], err));
    HLRP_TRY(hlrp_graph_infer(net->graph, &net->declared, err)); /* shapes of one tile are shown */
    status = print_network(net, call->verbose, err);
out:
    hlrp_network_free(net);
    hlrp_config_free(config);
    hlrp_str_free(&model);
    free(settings.items);
    return status;
}

/* ---- slides ---- */

#define LABEL "%-9s "

/* Where neither -s tiles.size nor -s model.mpp says what is asked about. */
enum { USUAL_SIZE = 224 };
static const double usual_mpp[] = {0.25, 0.5, 1, 2};

static void print_file(const hlrp_slide *slide, const char *path) {
    static const char *const said[][2] = {{"openslide.vendor", "format"},
                                          {"openslide.objective-power", "objective"}};
    uint8_t c[3];
    printf(LABEL "%s\n", "slide", path);
    for (size_t i = 0; i < HLRP_COUNT(said); i++) {
        const char *value = hlrp_slide_property(slide, said[i][0]);
        if (value)
            printf(LABEL "%s%s\n", said[i][1], value, i == 1 ? "x (not used)" : "");
    }
    hlrp_slide_background(slide, c);
    printf(LABEL "%02x%02x%02x, shows where nothing was scanned\n", "backdrop", c[0], c[1], c[2]);
}

static void print_levels(const hlrp_slide *slide, const hlrp_mpp *mpp) {
    for (int i = 0; i < hlrp_slide_levels(slide); i++) {
        const hlrp_size size = hlrp_slide_size(slide, i);
        char key[64];
        double x = 0, y = 0;
        hlrp_slide_downsample(slide, i, &x, &y);
        printf("level %d   %" PRId64 " x %" PRId64 ", downsample %.6g", i, size.w, size.h, x);
        if (x != y)
            printf(" x %.6g", y);
        if (mpp)
            printf(", %.4g um per pixel", mpp->x * x);
        snprintf(key, sizeof key, "openslide.level[%d].tile-width", i);
        const char *tile = hlrp_slide_property(slide, key);
        if (tile)
            printf(", stored in tiles %s wide", tile);
        const char *unusable = hlrp_slide_level_unusable(slide, i);
        if (unusable)
            printf("; not used: it is %s", unusable);
        printf("\n");
    }
}

/* Tiles of the slide, and those that hold enough tissue. */
static void print_tiles(const hlrp_slide *slide, hlrp_mpp mpp, double model_mpp,
                        const hlrp_config *config, const hlrp_region *tissue) {
    hlrp_error ignored = {0};
    hlrp_grid grid = {0};
    int64_t *numbers = NULL, count = 0;
    const int64_t size = config->tiles.size > 0 ? config->tiles.size : USUAL_SIZE;
    if (hlrp_grid_init(&grid, hlrp_slide_size(slide, 0), mpp, model_mpp, size,
                       config->tiles.overlap, &ignored) != HLRP_OK)
        return;
    const int level = hlrp_slide_pick_level(slide, grid.r_x, grid.r_y);
    double x = 1, y = 1;
    hlrp_slide_downsample(slide, level, &x, &y);
    const double factor = grid.r_x / x;
    printf("  %4g um  level %d, ", model_mpp, level);
    if (fabs(factor - 1) < 1e-3)
        printf("as it is");
    else
        printf("%s %.4g times", factor < 0.99 ? "ENLARGED" : "reduced",
               factor < 0.99 ? 1 / factor : factor);
    printf("; %" PRId64 " tiles of %" PRId64 " pixels", hlrp_grid_count(&grid), size);
    if (tissue && hlrp_tile_list_region(&grid, tissue, config->regions.min_coverage, &numbers,
                                        &count, &ignored) == HLRP_OK)
        printf(", %" PRId64 " of them tissue", count);
    printf("\n");
    free(numbers);
}

/* What a run would do with the slide: its tissue, the level it reads and the tiles. */
static void print_plan(hlrp_slide *slide, hlrp_mpp mpp, const hlrp_config *config) {
    const hlrp_tissue_options options = hlrp_tissue_options_of(config);
    const hlrp_size size = hlrp_slide_size(slide, 0);
    hlrp_region *tissue = NULL;
    hlrp_error why = {0};
    if (hlrp_region_new_tissue(slide, mpp, &options, &tissue, &why) == HLRP_OK) {
        const double area = (double)size.w * mpp.x * (double)size.h * mpp.y / 1e6;
        const double share = hlrp_region_share(tissue);
        printf(LABEL "%.1f %% of the slide, %.3g of %.3g mm2\n", "tissue", 100 * share,
               area * share, area);
        char doubt[400];
        if (hlrp_region_doubt(tissue, doubt, sizeof doubt))
            printf(LABEL "%s\n", "", doubt);
    } else {
        printf(LABEL "not found: %s\n", "tissue", why.what);
    }
    printf("\nWhat a network is given, by the resolution it was trained at:\n");
    for (size_t i = 0; config->model.mpp <= 0 && i < HLRP_COUNT(usual_mpp); i++)
        print_tiles(slide, mpp, usual_mpp[i], config, tissue);
    if (config->model.mpp > 0)
        print_tiles(slide, mpp, config->model.mpp, config, tissue);
    hlrp_region_free(tissue);
}

static void print_mpp(const hlrp_slide *slide, const hlrp_mpp *mpp, const char *source,
                      const hlrp_error *why) {
    if (mpp) {
        printf(LABEL "%.6g x %.6g um per pixel, from %s\n", "mpp", mpp->x, mpp->y, source);
        return;
    }
    printf(LABEL "none, so a run refuses it: %s\n", "mpp", why->what);
    printf(LABEL "%s; here and in run: -s slide:%s.mpp=UM\n", "", why->mend,
           hlrp_slide_name(slide));
}

static void print_bounds(const hlrp_slide *slide) {
    hlrp_irect b = {0};
    if (hlrp_slide_bounds(slide, &b))
        printf(LABEL "x %" PRId64 ", y %" PRId64 ", %" PRId64 " x %" PRId64
                     " pixels of level 0: QuPath shows only these\n",
               "bounds", b.x, b.y, b.w, b.h);
    else
        printf(LABEL "the whole slide\n", "bounds");
}

static void print_properties(const hlrp_slide *slide) {
    printf("\n");
    for (int64_t i = 0; i < hlrp_slide_property_count(slide); i++) {
        const char *key = NULL, *value = NULL;
        hlrp_slide_property_at(slide, i, &key, &value);
        printf("%s = %s\n", key, value);
    }
}

static hlrp_status inspect_slide(const hlrp_call *call, const char *path, hlrp_error *err) {
    hlrp_config *config = NULL;
    hlrp_slide *slide = NULL;
    hlrp_mpp mpp = {0}, override = {0};
    const char *source = "";
    hlrp_error why = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_config_load(NULL, call->settings.items, call->settings.count, &config, err));
    HLRP_TRY(hlrp_slide_open(path, &slide, err));
    const hlrp_config_slide *own = hlrp_config_find_slide(config, path);
    const bool given = own && own->mpp.count > 0;
    if (given)
        override = (hlrp_mpp){own->mpp.items[0], own->mpp.items[own->mpp.count - 1]};
    const bool scaled =
        hlrp_slide_mpp(slide, given ? &override : NULL, &call->log, &mpp, &source, &why) == HLRP_OK;
    print_file(slide, path);
    print_mpp(slide, scaled ? &mpp : NULL, source, &why);
    print_bounds(slide);
    print_levels(slide, scaled ? &mpp : NULL);
    if (scaled)
        print_plan(slide, mpp, config);
    if (call->verbose)
        print_properties(slide);
    else
        printf("\n%" PRId64 " properties: -v shows them\n", hlrp_slide_property_count(slide));
out:
    hlrp_slide_close(slide);
    hlrp_config_free(config);
    return status;
}

/* ---- results ---- */

static hlrp_status inspect_result(const hlrp_call *call, const char *path, hlrp_error *err) {
    (void)call;
    hlrp_result *result = NULL;
    hlrp_str text = {0};
    const bool explained = hlrp_explain_is(path);
    hlrp_status status =
        explained ? hlrp_explain_describe(path, &text, err) : hlrp_result_open(path, &result, err);
    if (status == HLRP_OK && !explained)
        status = hlrp_result_describe(result, &text, err);
    if (status == HLRP_OK && text.text)
        fputs(text.text, stdout);
    hlrp_str_free(&text);
    hlrp_result_close(result);
    return status;
}

/* ---- which of them ---- */

static hlrp_status run(const hlrp_call *call, hlrp_error *err) {
    const char *path = call->operands.items[0];
    if (hlrp_glob_match("*.onnx", path, true))
        return inspect_network(call, path, err);
    if (hlrp_glob_match("*.h5", path, true) || hlrp_glob_match("*.hdf5", path, true))
        return inspect_result(call, path, err);
    return inspect_slide(call, path, err);
}

const hlrp_command hlrp_command_inspect = {
    .name = "inspect",
    .summary = "shows what is in a slide, a network or a result",
    .operands = "FILE",
    .details =
        "A file .onnx is a network, .h5 a result or what explain wrote, anything else a slide.\n"
        "With -v also a slide's properties, or each node's weights and multiply-adds.\n"
        "-s lrp.composite=NAME shows the rules that another composite gives;\n"
        "-s slide:NAME.mpp=UM, model.mpp, tiles.size, tiles.overlap and the keys of tissue say\n"
        "what of a slide is asked about.",
    .least_operands = 1,
    .most_operands = 1,
    .takes_config = true,
    .run = run,
};

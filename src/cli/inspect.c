/* `histolrp inspect FILE`: a slide, a network or a result. */
#include <histolrp/config.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "pipelines/network.h"
#include "region/region.h"
#include "store/store.h"

/* ---- networks ---- */

static void print_node(const hlrp_network *net, int id, bool verbose) {
    const hlrp_graph *g = net->graph;
    const hlrp_node *n = &g->nodes[id];
    char rule[64], dims[100];
    printf("%4d  %-15s %-18s %-18s %s\n", id, hlrp_op_name(n->op),
           hlrp_rule_text(hlrp_lrp_rule(net->lrp, id), rule, sizeof rule),
           hlrp_dims_text(&g->values[n->out[0]].dims, dims, sizeof dims), n->name);
    const int64_t macs = hlrp_plan_macs(hlrp_lrp_plan(net->lrp), id);
    if (!verbose || macs == 0)
        return;
    const int64_t weights = hlrp_tensor_count(g->values[n->in[1]].constant);
    printf("      %" PRId64 " weights, %.3g M multiply-adds forward, %.3g M back, kernel %s\n",
           weights, (double)macs / 1e6, (double)hlrp_lrp_macs(net->lrp, id) / 1e6,
           hlrp_plan_kernel(hlrp_lrp_plan(net->lrp), id));
}

static void print_network(const hlrp_network *net, bool verbose) {
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
    printf("\ncomposite %s\nmemory    %.0f MB per worker\n\n", net->config->lrp.composite,
           (double)hlrp_lrp_worker_bytes(net->lrp) / 1e6);
    printf("node  operator        rule               output             name\n");
    for (int i = 0; i < g->node_count; i++)
        print_node(net, i, verbose);
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
    HLRP_TRY(hlrp_network_load(config, &call->log, &net, err));
    HLRP_TRY(hlrp_network_ready(net, 1, net->declared.d[2], net->declared.d[3], err));
    print_network(net, call->verbose);
out:
    hlrp_network_free(net);
    hlrp_config_free(config);
    hlrp_str_free(&model);
    free(settings.items);
    return status;
}

/* ---- slides ---- */

static void print_levels(const hlrp_slide *slide) {
    for (int i = 0; i < hlrp_slide_levels(slide); i++) {
        const hlrp_size size = hlrp_slide_size(slide, i);
        double x = 0, y = 0;
        hlrp_slide_downsample(slide, i, &x, &y);
        printf("level %d  %" PRId64 " x %" PRId64 ", downsample %.6g", i, size.w, size.h, x);
        if (x != y)
            printf(" x %.6g", y);
        printf("\n");
    }
}

/* What a run would do with the slide: the level it reads for usual networks, and the tissue. */
static void print_plan(hlrp_slide *slide, hlrp_mpp mpp) {
    static const double usual[] = {0.25, 0.5, 1, 2};
    hlrp_region *region = NULL;
    hlrp_error why = {0};
    for (size_t i = 0; i < HLRP_COUNT(usual); i++) {
        const double x = usual[i] / mpp.x, y = usual[i] / mpp.y;
        printf("a network at %g um per pixel: level %d is read, %.4g level-0 pixels to a pixel%s\n",
               usual[i], hlrp_slide_pick_level(slide, x, y), x,
               x < 0.99 ? " (the slide is coarser than the network)" : "");
    }
    if (hlrp_region_new_tissue(slide, mpp, NULL, &region, &why) == HLRP_OK)
        printf("tissue   %.1f %% of the slide\n", 100 * hlrp_region_share(region));
    else
        printf("tissue   not found: %s\n", why.what);
    hlrp_region_free(region);
}

static hlrp_status inspect_slide(const hlrp_call *call, const char *path, hlrp_error *err) {
    hlrp_slide *slide = NULL;
    hlrp_mpp mpp = {0};
    const char *source = "";
    hlrp_irect bounds = {0};
    hlrp_error why = {0};
    const hlrp_status status = hlrp_slide_open(path, &slide, err);
    if (status != HLRP_OK)
        return status;
    printf("slide    %s\n", path);
    const bool scaled = hlrp_slide_mpp(slide, NULL, &call->log, &mpp, &source, &why) == HLRP_OK;
    if (scaled)
        printf("mpp      %.6g x %.6g um per pixel, from %s\n", mpp.x, mpp.y, source);
    else
        printf("mpp      none, so a run refuses it: %s: %s\n", why.what, why.mend);
    if (hlrp_slide_bounds(slide, &bounds))
        printf("bounds   %" PRId64 ", %" PRId64 ", %" PRId64 " x %" PRId64 "\n", bounds.x, bounds.y,
               bounds.w, bounds.h);
    else
        printf("bounds   the whole slide\n");
    print_levels(slide);
    if (scaled)
        print_plan(slide, mpp);
    for (int64_t i = 0; call->verbose && i < hlrp_slide_property_count(slide); i++) {
        const char *key = NULL, *value = NULL;
        hlrp_slide_property_at(slide, i, &key, &value);
        printf("%s = %s\n", key, value);
    }
    hlrp_slide_close(slide);
    return HLRP_OK;
}

/* ---- results ---- */

static hlrp_status inspect_result(const hlrp_call *call, const char *path, hlrp_error *err) {
    (void)call;
    hlrp_result *result = NULL;
    hlrp_str text = {0};
    hlrp_status status = hlrp_result_open(path, &result, err);
    if (status == HLRP_OK)
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
        "A file .onnx is a network, .h5 a result, anything else a slide. With -v also a\n"
        "slide's properties, or each node's weights and multiply-adds. -s lrp.composite=NAME\n"
        "shows the rules that another composite gives.",
    .least_operands = 1,
    .most_operands = 1,
    .takes_config = true,
    .run = run,
};

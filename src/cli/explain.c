/* `histolrp explain CONFIG.ini INPUT -o OUT.h5`. */
#include <histolrp/explain.h>

#include <stdio.h>

#include "cli/cli.h"

typedef struct explain_options {
    const char *output, *target, *start;
    double mpp;
    bool layers, check;
} explain_options;

#define AT(member) offsetof(explain_options, member)

static const hlrp_option options[] = {
    {"output", 'o', HLRP_OPTION_TEXT, AT(output), "OUT.h5", "where the numbers go"},
    {"target", '\0', HLRP_OPTION_TEXT, AT(target), "T[,T]",
     "class by name or number from 0: one for all samples or one for each"},
    {"start", '\0', HLRP_OPTION_TEXT, AT(start), "S",
     "auto, logit, probability, one, logodds, pair:NAME, norm or feature:K"},
    {"mpp", '\0', HLRP_OPTION_DOUBLE, AT(mpp), "UM",
     "µm per pixel of the picture, which is resampled to the network's"},
    {"layers", '\0', HLRP_OPTION_FLAG, AT(layers), NULL,
     "also the relevance of every node's output, and its account"},
    {"check", '\0', HLRP_OPTION_FLAG, AT(check), NULL,
     "also print float32 beside a float64 reference, for the first sample (slow)"},
    {0},
};

static void to_stdout(void *ctx, const char *text) {
    (void)ctx;
    fputs(text, stdout);
}

static hlrp_status run(const hlrp_call *call, hlrp_error *err) {
    const explain_options *o = call->options;
    const hlrp_explain_options e = {.target = o->target,
                                    .start = o->start,
                                    .mpp = o->mpp,
                                    .layers = o->layers,
                                    .check = o->check,
                                    .log = &call->log,
                                    .print = to_stdout};
    hlrp_config *config = NULL;
    if (!o->output)
        return hlrp_fail(err, HLRP_E_USAGE, "explain", "add -o OUT.h5", "no output file is named");
    hlrp_status status = hlrp_config_load(call->operands.items[0], call->settings.items,
                                          call->settings.count, &config, err);
    if (status == HLRP_OK)
        status = hlrp_explain(config, call->operands.items[1], o->output, &e, err);
    hlrp_config_free(config);
    return status;
}

const hlrp_command hlrp_command_explain = {
    .name = "explain",
    .summary = "explains one picture, or a tensor of several",
    .operands = "CONFIG.ini INPUT",
    .details =
        "INPUT is a picture (PNG, JPEG, TIFF) or FILE.h5:/dataset, float32 [N,C,H,W], taken\n"
        "as it is. A picture is resampled from its resolution (--mpp, else what its file says,\n"
        "if that can be a slide's) to the network's; one of unknown resolution is taken pixel by\n"
        "pixel. Its heatmap is written beside OUT.h5 as OUT.png (OUT-heatmap.png where OUT.png is\n"
        "the picture itself), and over the picture with a color bar as OUT-overlay.png.",
    .least_operands = 2,
    .most_operands = 2,
    .takes_config = true,
    .options = options,
    .options_size = sizeof(explain_options),
    .run = run,
};

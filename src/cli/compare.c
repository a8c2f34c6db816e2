/* `histolrp compare CONFIG.ini INPUT -o OUT.png`. */
#include <histolrp/compare.h>

#include "cli/cli.h"

typedef struct compare_options {
    const char *output, *target, *start;
    double mpp;
    bool grid;
} compare_options;

#define AT(member) offsetof(compare_options, member)

static const hlrp_option options[] = {
    {"output", 'o', HLRP_OPTION_TEXT, AT(output), "OUT.png", "where the panel goes"},
    {"target", '\0', HLRP_OPTION_TEXT, AT(target), "T", "class by name or number from 0"},
    {"start", '\0', HLRP_OPTION_TEXT, AT(start), "S",
     "auto, logit, probability, one, logodds, pair:NAME, norm or feature:K"},
    {"mpp", '\0', HLRP_OPTION_DOUBLE, AT(mpp), "UM",
     "µm per pixel of the picture, which is resampled to the network's"},
    {"grid", '\0', HLRP_OPTION_FLAG, AT(grid), NULL,
     "for transformers: gamma of convolutions by gamma of linear layers"},
    {0},
};

static hlrp_status run(const hlrp_call *call, hlrp_error *err) {
    const compare_options *o = call->options;
    const hlrp_compare_options c = {
        .target = o->target, .start = o->start, .mpp = o->mpp, .grid = o->grid, .log = &call->log};
    hlrp_config *config = NULL;
    if (!o->output)
        return hlrp_fail(err, HLRP_E_USAGE, "compare", "add -o OUT.png", "no output file is named");
    hlrp_status status = hlrp_config_load(call->operands.items[0], call->settings.items,
                                          call->settings.count, &config, err);
    if (status == HLRP_OK)
        status = hlrp_compare(config, call->operands.items[1], o->output, &c, err);
    hlrp_config_free(config);
    return status;
}

const hlrp_command hlrp_command_compare = {
    .name = "compare",
    .summary = "shows one tile under several rules, side by side",
    .operands = "CONFIG.ini INPUT",
    .details =
        "INPUT is a picture, or FILE.h5:/dataset as for explain (its first sample). The panel\n"
        "shows LRP-0, epsilon, gamma, the configuration's composite and gradient x input,\n"
        "each with its sum. --grid shows vit-gamma (or the configuration's attnlrp-gamma or\n"
        "vit-gamma-box) with gamma 0.1, 0.25, 100 of convolutions by 0, 0.01, 0.05, 0.1, 1 of\n"
        "linear layers: no value is right for all networks.",
    .least_operands = 2,
    .most_operands = 2,
    .takes_config = true,
    .options = options,
    .options_size = sizeof(compare_options),
    .run = run,
};

/* `histolrp merge OUTPUT`. */
#include <histolrp/run.h>

#include "cli/cli.h"

typedef struct merge_options {
    bool any_processor;
} merge_options;

static const hlrp_option options[] = {
    {"any-processor", '\0', HLRP_OPTION_FLAG, offsetof(merge_options, any_processor), NULL,
     HLRP_ANY_PROCESSOR_HELP},
    {0},
};

static hlrp_status run(const hlrp_call *call, hlrp_error *err) {
    const merge_options *o = call->options;
    const hlrp_run_options r = {.threads = (int)call->threads,
                                .any_processor = o->any_processor,
                                .log = &call->log,
                                .stop = hlrp_signal_arrived};
    hlrp_catch_signals();
    return hlrp_merge_output(call->operands.items[0], &r, err);
}

const hlrp_command hlrp_command_merge = {
    .name = "merge",
    .summary = "joins the shards of every slide below an output folder",
    .operands = "OUTPUT",
    .details =
        "Slide and configuration are those that each slide's run.json records. Exit status: 0\n"
        "every slide is complete; 1 at least one failed; 75 shards are missing or still at\n"
        "work: run them, then merge again.",
    .least_operands = 1,
    .most_operands = 1,
    .options = options,
    .options_size = sizeof(merge_options),
    .run = run,
};

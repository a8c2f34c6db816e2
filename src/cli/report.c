/* `histolrp report OUTPUT`. */
#include <histolrp/report.h>

#include "cli/cli.h"

static hlrp_status run(const hlrp_call *call, hlrp_error *err) {
    return hlrp_report_rebuild(call->operands.items[0], &call->log, err);
}

const hlrp_command hlrp_command_report = {
    .name = "report",
    .summary = "rebuilds batch.csv and report.html from the slides' folders",
    .operands = "OUTPUT",
    .details =
        "OUTPUT is the folder that batch.output named. Neither slides nor network are needed.",
    .least_operands = 1,
    .most_operands = 1,
    .run = run,
};

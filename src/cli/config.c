/* `histolrp config [CONFIG.ini]`. */
#include <stdlib.h>

#include <histolrp/config.h>

#include "cli/cli.h"

/* Without a file (and without -s): the reference. With one: what it comes to, checked. */
static hlrp_status run_config(const hlrp_call *call, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_config *config = NULL;
    char *text = NULL;
    const char *path = call->operands.count > 0 ? call->operands.items[0] : NULL;
    if (!path && call->settings.count == 0) {
        HLRP_TRY(hlrp_config_reference(&text, err));
    } else {
        HLRP_TRY(hlrp_config_load(path, call->settings.items, call->settings.count, &config, err));
        HLRP_TRY(hlrp_config_effective(config, &text, err));
    }
    fputs(text, stdout);
out:
    free(text);
    hlrp_config_free(config);
    return status;
}

const hlrp_command hlrp_command_config = {
    .name = "config",
    .summary = "prints the reference configuration, or checks one and prints what it comes to",
    .operands = "[CONFIG.ini]",
    .details = "Without a file: every key with its type, default, range and one line of help.\n"
               "With a file: every key with the value in force, paths absolute.",
    .most_operands = 1,
    .takes_config = true,
    .run = run_config,
};

/* `histolrp help [COMMAND]`, made from the tables. */
#include <string.h>

#include "cli/cli.h"

static void print_option(FILE *out, const hlrp_option *option) {
    char left[80], letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    if (strlen(left) > 26)
        fprintf(out, "  %s\n  %-26s  %s\n", left, "", option->help);
    else
        fprintf(out, "  %-26s  %s\n", left, option->help);
}

static void print_shared(FILE *out, const hlrp_command *command) {
    for (const hlrp_option *o = hlrp_shared_options(); o->name; o++)
        if (hlrp_option_applies(o, command) && (!command || strcmp(o->name, "version") != 0))
            print_option(out, o);
}

void hlrp_print_help(FILE *out) {
    fputs("Usage: histolrp COMMAND [OPTIONS] ...\n"
          "Slide-level relevance maps of convolutional networks.\n\nCommands:\n",
          out);
    const hlrp_command *command = NULL;
    for (int i = 0; (command = hlrp_command_at(i)); i++)
        fprintf(out, "  %-26s  %s\n", command->name, command->summary);
    fputs("\nOptions:\n", out);
    print_shared(out, NULL);
    fputs("\nExit status: 0 all done, 1 something failed, 2 usage, configuration or model error,\n"
          "75 interrupted: rerun to finish. `histolrp help COMMAND` says more.\n",
          out);
}

void hlrp_print_command_help(FILE *out, const hlrp_command *command) {
    fprintf(out, "Usage: histolrp %s%s%s [OPTIONS]\n%s\n", command->name,
            command->operands[0] ? " " : "", command->operands, command->summary);
    if (command->details)
        fprintf(out, "%s\n", command->details);
    fputs("\nOptions:\n", out);
    for (const hlrp_option *o = command->options; o && o->name; o++)
        print_option(out, o);
    print_shared(out, command);
}

static hlrp_status run_help(const hlrp_call *call, hlrp_error *err) {
    char mend[200];
    if (call->operands.count == 0) {
        hlrp_print_help(stdout);
        return HLRP_OK;
    }
    const char *name = call->operands.items[0];
    const hlrp_command *command = hlrp_command_find(name);
    if (!command) {
        snprintf(mend, sizeof mend, "did you mean %s? see `histolrp help`",
                 hlrp_command_nearest(name));
        return hlrp_fail(err, HLRP_E_USAGE, NULL, mend, "unknown command \"%.100s\"", name);
    }
    hlrp_print_command_help(stdout, command);
    return HLRP_OK;
}

const hlrp_command hlrp_command_help = {
    .name = "help",
    .summary = "explains a command",
    .operands = "[COMMAND]",
    .most_operands = 1,
    .run = run_help,
};

/* The table of commands. */
#include <string.h>

#include "cli/cli.h"

#define COMMAND_ADDRESS(name) &hlrp_command_##name,

static const hlrp_command *const commands[] = {HLRP_COMMANDS(COMMAND_ADDRESS)};

const hlrp_command *hlrp_command_at(int n) {
    return n >= 0 && n < (int)HLRP_COUNT(commands) ? commands[n] : NULL;
}

const hlrp_command *hlrp_command_find(const char *name) {
    for (size_t i = 0; i < HLRP_COUNT(commands); i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

const char *hlrp_command_nearest(const char *name) {
    const char *best = commands[0]->name;
    for (size_t i = 1; i < HLRP_COUNT(commands); i++)
        if (hlrp_edit_distance(name, commands[i]->name) < hlrp_edit_distance(name, best))
            best = commands[i]->name;
    return best;
}

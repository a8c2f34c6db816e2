/* Taking a command line apart. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* Walks over argv. */
typedef struct cursor {
    int argc, at;
    const char *const *argv;
    hlrp_call *call;
    hlrp_error *err;
} cursor;

#define OF_CALL(member) offsetof(hlrp_call, member)

static const hlrp_option shared[] = {
    {"threads", 't', HLRP_OPTION_INT, OF_CALL(threads), "N", "threads, where the command computes"},
    {"set", 's', HLRP_OPTION_TEXTS, OF_CALL(settings), "SECTION.KEY=VALUE",
     "a configuration key, over the file; repeatable"},
    {"quiet", 'q', HLRP_OPTION_FLAG, OF_CALL(quiet), NULL, "say only errors"},
    {"verbose", 'v', HLRP_OPTION_FLAG, OF_CALL(verbose), NULL, "say more"},
    {"help", 'h', HLRP_OPTION_FLAG, OF_CALL(help), NULL, "this help"},
    {"version", '\0', HLRP_OPTION_FLAG, OF_CALL(version), NULL,
     "versions of the program and its libraries"},
    {0},
};

const hlrp_option *hlrp_shared_options(void) {
    return shared;
}

bool hlrp_option_applies(const hlrp_option *option, const hlrp_command *command) {
    if (option->letter == 's')
        return command && command->takes_config;
    return true;
}

static const char *see_help(const hlrp_call *call, char *buf, size_t size) {
    snprintf(buf, size, "see `histolrp help%s%s`", call->command ? " " : "",
             call->command ? call->command->name : "");
    return buf;
}

/* ---- finding an option ---- */

static bool is_option(const hlrp_option *option, const char *name, size_t n, char letter) {
    if (letter)
        return option->letter == letter;
    return strlen(option->name) == n && strncmp(option->name, name, n) == 0;
}

/* By long name, or by letter where that is not '\0'. *base is what its offset counts from. */
static const hlrp_option *find_option(hlrp_call *call, const char *name, size_t n, char letter,
                                      char **base) {
    *base = call->options;
    const hlrp_option *own = call->command ? call->command->options : NULL;
    for (; own && own->name; own++)
        if (is_option(own, name, n, letter))
            return own;
    *base = (char *)call;
    for (const hlrp_option *o = shared; o->name; o++)
        if (is_option(o, name, n, letter) && hlrp_option_applies(o, call->command))
            return o;
    return NULL;
}

static const char *nearest_option(const hlrp_call *call, const char *name) {
    const char *best = "help";
    const hlrp_option *own = call->command ? call->command->options : NULL;
    for (; own && own->name; own++)
        if (hlrp_edit_distance(name, own->name) < hlrp_edit_distance(name, best))
            best = own->name;
    for (const hlrp_option *o = shared; o->name; o++)
        if (hlrp_option_applies(o, call->command) &&
            hlrp_edit_distance(name, o->name) < hlrp_edit_distance(name, best))
            best = o->name;
    return best;
}

static hlrp_status unknown_option(const cursor *c, const char *name, size_t n, bool is_long) {
    char mend[200], help[100], text[80];
    snprintf(text, sizeof text, "%.*s", (int)HLRP_MIN(n, sizeof text - 1), name);
    see_help(c->call, help, sizeof help);
    if (is_long)
        snprintf(mend, sizeof mend, "did you mean --%s? %s", nearest_option(c->call, text), help);
    else
        snprintf(mend, sizeof mend, "%s", help);
    return hlrp_fail(c->err, HLRP_E_USAGE, c->call->command ? c->call->command->name : NULL, mend,
                     "unknown option %s%s", is_long ? "--" : "-", text);
}

/* ---- storing a value ---- */

static hlrp_status bad_value(const cursor *c, const hlrp_option *option, const char *text,
                             const char *what) {
    char help[100];
    return hlrp_fail(c->err, HLRP_E_USAGE, option->name, see_help(c->call, help, sizeof help),
                     "--%s %s: \"%.200s\" is %s", option->name, option->argument, text, what);
}

static hlrp_status add_argument(hlrp_arguments *list, const char *text, hlrp_error *err) {
    const hlrp_status status =
        hlrp_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items, err);
    if (status == HLRP_OK)
        list->items[list->count++] = text;
    return status;
}

static hlrp_status store(const cursor *c, const hlrp_option *option, char *base, const char *text) {
    void *field = base + option->offset;
    switch (option->type) {
    case HLRP_OPTION_TEXT:
        memcpy(field, &text, sizeof text);
        return HLRP_OK;
    case HLRP_OPTION_TEXTS:
        return add_argument(field, text, c->err);
    case HLRP_OPTION_INT:
        return hlrp_parse_int(text, field) ? HLRP_OK : bad_value(c, option, text, "not an integer");
    case HLRP_OPTION_DOUBLE:
        return hlrp_parse_double(text, field) ? HLRP_OK
                                              : bad_value(c, option, text, "not a number");
    default:
        return HLRP_OK;
    }
}

/* The option's value: what is attached ("=text" or "-xtext"), else the next word. */
static hlrp_status store_from(cursor *c, const hlrp_option *option, char *base,
                              const char *attached) {
    char help[100];
    if (attached)
        return store(c, option, base, attached);
    if (c->at + 1 >= c->argc)
        return hlrp_fail(c->err, HLRP_E_USAGE, NULL, see_help(c->call, help, sizeof help),
                         "option --%s needs a value (%s)", option->name, option->argument);
    return store(c, option, base, c->argv[++c->at]);
}

/* ---- words of the command line ---- */

static hlrp_status parse_long(cursor *c, const char *word) {
    char *base = NULL, help[100];
    const size_t n = strcspn(word, "=");
    const char *attached = word[n] == '=' ? word + n + 1 : NULL;
    const hlrp_option *option = find_option(c->call, word, n, '\0', &base);
    if (!option)
        return unknown_option(c, word, n, true);
    if (option->type != HLRP_OPTION_FLAG)
        return store_from(c, option, base, attached);
    if (attached)
        return hlrp_fail(c->err, HLRP_E_USAGE, NULL, see_help(c->call, help, sizeof help),
                         "option --%s takes no value", option->name);
    *(bool *)(void *)(base + option->offset) = true;
    return HLRP_OK;
}

/* "-qv", "-t4", "-t 4". */
static hlrp_status parse_letters(cursor *c, const char *letters) {
    char *base = NULL;
    for (const char *p = letters; *p; p++) {
        const hlrp_option *option = find_option(c->call, "", 0, *p, &base);
        if (!option)
            return unknown_option(c, p, 1, false);
        if (option->type != HLRP_OPTION_FLAG)
            return store_from(c, option, base, p[1] ? p + 1 : NULL);
        *(bool *)(void *)(base + option->offset) = true;
    }
    return HLRP_OK;
}

static hlrp_status start_command(cursor *c, const char *name) {
    char mend[200];
    hlrp_call *call = c->call;
    const hlrp_command *command = hlrp_command_find(name);
    if (!command) {
        snprintf(mend, sizeof mend, "did you mean %s? see `histolrp help`",
                 hlrp_command_nearest(name));
        return hlrp_fail(c->err, HLRP_E_USAGE, NULL, mend, "unknown command \"%.100s\"", name);
    }
    const hlrp_status status =
        hlrp_calloc(&call->options, 1, HLRP_MAX(command->options_size, 1), name, c->err);
    if (status != HLRP_OK)
        return status;
    call->command = command;
    if (command->init)
        command->init(call->options);
    return HLRP_OK;
}

static hlrp_status check_call(const cursor *c) {
    const hlrp_call *call = c->call;
    char help[100];
    see_help(call, help, sizeof help);
    if (call->help || call->version)
        return HLRP_OK;
    if (!call->command)
        return hlrp_fail(c->err, HLRP_E_USAGE, NULL, help, "no command is given");
    if (call->operands.count < call->command->least_operands)
        return hlrp_fail(c->err, HLRP_E_USAGE, call->command->name, help, "missing operand: %s",
                         call->command->operands);
    if (call->operands.count > call->command->most_operands)
        return hlrp_fail(c->err, HLRP_E_USAGE, call->command->name, help,
                         "too many operands, from \"%.100s\" on",
                         call->operands.items[call->command->most_operands]);
    if (call->threads < 0 || call->threads > 4096)
        return hlrp_fail(c->err, HLRP_E_USAGE, "-t", "give 1 to 4096", "%lld threads",
                         (long long)call->threads);
    return HLRP_OK;
}

hlrp_status hlrp_call_parse(int argc, const char *const *argv, hlrp_call *call, hlrp_error *err) {
    cursor c = {argc, 1, argv, call, err};
    hlrp_status status = HLRP_OK;
    bool options = true;
    *call = (hlrp_call){0};
    for (; c.at < argc && status == HLRP_OK; c.at++) {
        const char *word = argv[c.at];
        if (options && strcmp(word, "--") == 0)
            options = false;
        else if (options && word[0] == '-' && word[1] == '-')
            status = parse_long(&c, word + 2);
        else if (options && word[0] == '-' && word[1] != '\0')
            status = parse_letters(&c, word + 1);
        else if (!call->command)
            status = start_command(&c, word);
        else
            status = add_argument(&call->operands, word, err);
    }
    call->log = hlrp_terminal_log(call->quiet, call->verbose);
    return status == HLRP_OK ? check_call(&c) : status;
}

/* The lists in the command's struct belong to the call. */
void hlrp_call_free(hlrp_call *call) {
    const hlrp_option *own = call->command ? call->command->options : NULL;
    for (; own && own->name; own++)
        if (own->type == HLRP_OPTION_TEXTS)
            free(((hlrp_arguments *)(void *)((char *)call->options + own->offset))->items);
    free(call->options);
    free(call->operands.items);
    free(call->settings.items);
    *call = (hlrp_call){0};
}

bool hlrp_parse_extent(const char *text, int64_t *width, int64_t *height) {
    char left[32];
    const size_t n = strcspn(text, "xX\xc3");
    const size_t sign = strncmp(text + n, "\xc3\x97", 2) == 0 ? 2 : 1; /* × in UTF-8 */
    snprintf(left, sizeof left, "%.*s", (int)HLRP_MIN(n, sizeof left - 1), text);
    if (n >= sizeof left || !hlrp_parse_int(left, width))
        return false;
    *height = *width;
    return text[n] == '\0' || hlrp_parse_int(text + n + sign, height);
}

/* `histolrp run CONFIG.ini`. */
#include <histolrp/run.h>

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

typedef struct run_options {
    hlrp_arguments slides;
    int64_t index;
    const char *shard, *log_json;
    bool dry_run, force, any_processor;
} run_options;

#define AT(member) offsetof(run_options, member)

static const hlrp_option options[] = {
    {"slide", '\0', HLRP_OPTION_TEXTS, AT(slides), "FILE",
     "this slide in place of batch.slides; may be repeated"},
    {"index", '\0', HLRP_OPTION_INT, AT(index), "N", "only the N-th slide of the list, from 1"},
    {"shard", '\0', HLRP_OPTION_TEXT, AT(shard), "I/N", "only the I-th of N parts of each slide"},
    {"dry-run", '\0', HLRP_OPTION_FLAG, AT(dry_run), NULL, "only say what would be done"},
    {"force", '\0', HLRP_OPTION_FLAG, AT(force), NULL, "start over, whatever is there already"},
    {"any-processor", '\0', HLRP_OPTION_FLAG, AT(any_processor), NULL, HLRP_ANY_PROCESSOR_HELP},
    {"log-json", '\0', HLRP_OPTION_TEXT, AT(log_json), "FILE",
     "append what is said, and where each slide stands, as a JSON object a line"},
    {0},
};

#define NO_INDEX INT64_MIN /* --index was not given */

static void init(void *target) {
    ((run_options *)target)->index = NO_INDEX;
}

static void to_stderr(void *ctx, const char *text) {
    (void)ctx;
    fputs(text, stderr);
    fflush(stderr);
}

static void to_stdout(void *ctx, const char *text) {
    (void)ctx;
    fputs(text, stdout);
}

static int terminal_columns(void) {
    struct winsize size = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static bool parse_shard(const char *text, int64_t *shard, int64_t *shards) {
    char part[32] = "";
    const char *slash = strchr(text, '/');
    if (!slash || slash - text >= (int)sizeof part)
        return false;
    memcpy(part, text, (size_t)(slash - text));
    return hlrp_parse_int(part, shard) && hlrp_parse_int(slash + 1, shards) && *shard >= 1 &&
           *shard <= *shards;
}

static hlrp_status run(const hlrp_call *call, hlrp_error *err) {
    const run_options *o = call->options;
    hlrp_config *config = NULL;
    hlrp_json_log json = {.said = &call->log, .fd = -1};
    hlrp_run_options r = {.slides = o->slides.items,
                          .slide_count = o->slides.count,
                          .index = o->index == NO_INDEX ? 0 : o->index,
                          .threads = (int)call->threads,
                          .force = o->force,
                          .any_processor = o->any_processor,
                          .dry_run = o->dry_run,
                          .log = &call->log,
                          .progress = call->quiet ? NULL : to_stderr,
                          .terminal = isatty(STDERR_FILENO) == 1,
                          .columns = terminal_columns(),
                          .stop = hlrp_signal_arrived,
                          .print = to_stdout};
    hlrp_log both = {0};
    if (o->index < 1 && o->index != NO_INDEX)
        return hlrp_fail(err, HLRP_E_USAGE, "run", "count from 1",
                         "--index: there is no slide %lld", (long long)o->index);
    if (o->shard && !parse_shard(o->shard, &r.shard, &r.shards))
        return hlrp_fail(err, HLRP_E_USAGE, "run", "give --shard 1/4 to --shard 4/4",
                         "--shard: \"%.40s\" is not a part of a whole", o->shard);
    if (o->log_json) {
        const hlrp_status opened = hlrp_json_log_open(&json, o->log_json, &both, err);
        if (opened != HLRP_OK)
            return opened;
        r.log = &both;
        hlrp_catch_tiff(&both);
        r.event = hlrp_json_log_event;
        r.event_ctx = &json;
    }
    hlrp_status status = hlrp_config_load(call->operands.items[0], call->settings.items,
                                          call->settings.count, &config, err);
    if (status == HLRP_OK) {
        hlrp_catch_signals();
        status = hlrp_run_batch(config, &r, err);
    }
    hlrp_catch_tiff(&call->log);
    hlrp_json_log_close(&json, status, err);
    hlrp_config_free(config);
    return status;
}

const hlrp_command hlrp_command_run = {
    .name = "run",
    .summary = "explains every slide that a configuration names",
    .operands = "CONFIG.ini",
    .details = "Exit status: 0 every slide is complete; 1 at least one failed; 2 nothing was run;\n"
               "75 interrupted, or left to another run: run again to finish.",
    .least_operands = 1,
    .most_operands = 1,
    .takes_config = true,
    .options = options,
    .options_size = sizeof(run_options),
    .init = init,
    .run = run,
};

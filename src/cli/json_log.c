/* The log that programs read. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static void append(const hlrp_json_log *json, hlrp_str *line) {
    hlrp_str_add(line, "}\n");
    if (!line->failed && json->fd >= 0)
        (void)!write(json->fd, line->text, line->length); /* a log that is full stops nothing */
    hlrp_str_free(line);
}

static void begin(hlrp_str *line) {
    char now[32];
    hlrp_timestamp(now);
    hlrp_str_addf(line, "{\"time\": \"%s\", ", now);
}

static void write_message(const hlrp_json_log *json, hlrp_log_level level, const char *text) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    hlrp_str line = {0};
    begin(&line);
    hlrp_str_addf(&line, "\"level\": \"%s\", \"message\": ", names[level]);
    hlrp_str_add_json(&line, text);
    append(json, &line);
}

static void write_both(void *ctx, hlrp_log_level level, const char *text) {
    const hlrp_json_log *json = ctx;
    write_message(json, level, text);
    if (level <= json->said->level)
        json->said->write(json->said->ctx, level, text);
}

hlrp_status hlrp_json_log_open(hlrp_json_log *json, const char *path, hlrp_log *both,
                               hlrp_error *err) {
    json->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (json->fd < 0)
        return hlrp_fail(err, HLRP_E_OUTPUT, path, "check the path and its permissions",
                         "the log cannot be opened: %s", strerror(errno));
    *both = (hlrp_log){
        .level = HLRP_MAX(json->said->level, HLRP_LOG_INFO), .write = write_both, .ctx = json};
    return HLRP_OK;
}

void hlrp_json_log_event(void *ctx, const char *object) {
    hlrp_str line = {0};
    begin(&line);
    hlrp_str_addf(&line, "\"slide\": %s", object);
    append(ctx, &line);
}

void hlrp_json_log_close(hlrp_json_log *json, hlrp_status status, const hlrp_error *err) {
    char text[sizeof *err + 16];
    if (json->fd < 0)
        return;
    if (status == HLRP_OK)
        write_message(json, HLRP_LOG_INFO, "every slide is complete");
    else
        write_message(json, HLRP_LOG_ERROR, hlrp_error_line(err, text, sizeof text));
    close(json->fd);
    json->fd = -1;
}

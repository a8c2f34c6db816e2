/* What is said on stderr. */
#include <stdio.h>

#include "cli/cli.h"

void hlrp_print_error(const hlrp_error *err) {
    char line[sizeof *err + 16];
    if (err->what[0] != '\0')
        fprintf(stderr, "histolrp: error: %s\n", hlrp_error_line(err, line, sizeof line));
}

/* One call of stdio per line: lines of several threads do not mix. */
static void write_line(void *ctx, hlrp_log_level level, const char *line) {
    static const char *const names[] = {
        [HLRP_LOG_ERROR] = "error: ",
        [HLRP_LOG_WARN] = "warning: ",
        [HLRP_LOG_INFO] = "",
        [HLRP_LOG_DEBUG] = "debug: ",
    };
    (void)ctx;
    fprintf(stderr, "histolrp: %s%s\n", names[level], line);
}

hlrp_log hlrp_terminal_log(bool quiet, bool verbose) {
    const hlrp_log_level level = quiet ? HLRP_LOG_ERROR : verbose ? HLRP_LOG_DEBUG : HLRP_LOG_INFO;
    return (hlrp_log){.level = level, .write = write_line};
}

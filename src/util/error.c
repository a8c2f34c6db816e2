#include <stdarg.h>
#include <stdio.h>

#include "util/util.h"

static void copy_line(char *to, size_t size, const char *from) {
    snprintf(to, size, "%s", from ? from : "");
    for (char *p = to; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
}

hlrp_status hlrp_fail(hlrp_error *err, hlrp_status status, const char *where, const char *mend,
                      const char *what, ...) {
    /* `where` and `mend` may point into *err itself (an error being reworded): copy them first. */
    hlrp_error e = {.status = status};
    va_list args;
    va_start(args, what);
    char text[sizeof e.what];
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    copy_line(e.what, sizeof e.what, text);
    copy_line(e.where, sizeof e.where, where);
    copy_line(e.mend, sizeof e.mend, mend);
    *err = e;
    return status;
}

const char *hlrp_error_line(const hlrp_error *err, char *buf, unsigned long size) {
    const bool where = err->where[0] != '\0', mend = err->mend[0] != '\0';
    snprintf(buf, size, "%s%s%s%s%s%s", err->what, where ? " (" : "", err->where, where ? ")" : "",
             mend ? ": " : "", err->mend);
    return buf;
}

int hlrp_exit_status(hlrp_status status) {
    switch (status) {
    case HLRP_OK:
        return 0;
    case HLRP_E_USAGE:
    case HLRP_E_CONFIG:
    case HLRP_E_MODEL:
    case HLRP_E_OUTPUT:
        return 2;
    case HLRP_E_INTERRUPTED:
    case HLRP_E_BUSY:
        return 75; /* EX_TEMPFAIL of sysexits.h: schedulers know it as "try again" */
    default:
        return 1;
    }
}

void hlrp_logf(const hlrp_log *log, hlrp_log_level level, const char *format, ...) {
    if (!log || !log->write || level > log->level)
        return;
    char line[2001];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log->write(log->ctx, level, line);
}

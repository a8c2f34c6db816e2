/* histolrp: parses the command line, runs the command, reports how it ended. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static hlrp_status run(const hlrp_call *call, hlrp_error *err) {
    if (call->version)
        hlrp_print_versions(stdout);
    else if (call->help && call->command)
        hlrp_print_command_help(stdout, call->command);
    else if (call->help)
        hlrp_print_help(stdout);
    else
        return call->command->run(call, err);
    return HLRP_OK;
}

/* `… | head` has read what it wanted. */
static bool is_closed_pipe(void) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

/* What was asked for is only there once it has reached the disk or the pipe. */
static hlrp_status close_stdout(hlrp_error *err) {
    const bool failed = ferror(stdout) != 0, unread = is_closed_pipe();
    errno = 0;
    if ((fclose(stdout) == 0 && !failed) || unread)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_IO, "standard output", "make room, or write elsewhere",
                     "cannot write: %s", errno ? strerror(errno) : "disk full");
}

int main(int argc, char **argv) {
    hlrp_error err = {0};
    hlrp_call call = {0};
    /* A file size limit then fails the write, which is reported like any other; a closed pipe does not
     * end a run whose results are elsewhere. */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    hlrp_status status = hlrp_call_parse(argc, (const char *const *)argv, &call, &err);
    if (status == HLRP_OK) {
        hlrp_catch_tiff(&call.log);
        status = run(&call, &err);
        hlrp_catch_tiff(NULL);
    }
    if (status != HLRP_OK)
        hlrp_print_error(&err);
    const hlrp_status closed = close_stdout(&err);
    if (closed != HLRP_OK) {
        hlrp_print_error(&err);
        status = status == HLRP_OK ? closed : status;
    }
    hlrp_call_free(&call);
    return hlrp_exit_status(status);
}

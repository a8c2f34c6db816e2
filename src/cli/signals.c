/* Being asked to stop. Nothing is lost by an end at any moment: records are appended whole, files
 * are renamed when they are complete. */
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"

/* A batch system kills what is still there some 30 seconds after its first signal, and a
 * person at a terminal does not want to wait longer. */
enum { GRACE_SECONDS = 8, INTERRUPTED = 75 };

static volatile sig_atomic_t arrived;

static void on_signal(int number) {
    (void)number;
    if (arrived)
        _exit(INTERRUPTED);
    arrived = 1;
    alarm(GRACE_SECONDS);
}

static void on_alarm(int number) {
    static const char text[] =
        "histolrp: error: interrupted: what was under way took too long and was dropped: run again "
        "to finish\n";
    (void)number;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    _exit(INTERRUPTED);
}

bool hlrp_signal_arrived(void *ctx) {
    (void)ctx;
    return arrived != 0;
}

void hlrp_catch_signals(void) {
    const int all[] = {SIGINT, SIGTERM, SIGUSR1};
    /* Interrupted calls go on by themselves: libraries that read a slide take EINTR for damage. */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        sigaction(all[i], &action, NULL);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
}

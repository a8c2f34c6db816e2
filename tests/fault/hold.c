/* Loaded into the program by test_signals.sh (LD_PRELOAD): holds one thread at a call, so that a
 * test can say what happens meanwhile without a clock.
 *     HLRP_HOLD=compute:7          the 7th primitive that oneDNN executes
 *     HLRP_HOLD=open:overlay.tif   the first file opened for writing with that in its name
 *     HLRP_HOLD_FOLDER             the file `held` in it appears; the thread goes on once somebody
 *                                  opens the pipe `go` in it for writing */
#include <dlfcn.h>
#include <dnnl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h> /* allowed below: numbers of a test's own making */
#include <string.h>
#include <unistd.h>

static atomic_int executed, held;

/* What follows "KIND:" in HLRP_HOLD; NULL where another kind is asked for. */
static const char *asked(const char *kind) {
    const char *hold = getenv("HLRP_HOLD");
    const size_t n = strlen(kind);
    return hold && strncmp(hold, kind, n) == 0 && hold[n] == ':' ? hold + n + 1 : NULL;
}

static void wait_here(void) {
    char path[4096];
    int (*open_file)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    const char *folder = getenv("HLRP_HOLD_FOLDER");
    if (!folder || atomic_exchange(&held, 1))
        return;
    snprintf(path, sizeof path, "%s/held", folder);
    close(open_file(path, O_WRONLY | O_CREAT, 0666));
    snprintf(path, sizeof path, "%s/go", folder);
    int fd = -1;
    while (fd < 0 && (fd = open_file(path, O_RDONLY)) < 0 && errno == EINTR)
        ;
    close(fd);
}

dnnl_status_t dnnl_primitive_execute(const_dnnl_primitive_t primitive, dnnl_stream_t stream,
                                     int count, const dnnl_exec_arg_t *arguments) {
    dnnl_status_t (*next)(const_dnnl_primitive_t, dnnl_stream_t, int, const dnnl_exec_arg_t *) =
        dlsym(RTLD_NEXT, "dnnl_primitive_execute");
    const char *number = asked("compute");
    if (number && atomic_fetch_add(&executed, 1) + 1 == atoi(number)) /* allowed: as above */
        wait_here();
    return next(primitive, stream, count, arguments);
}

static int open_next(const char *name, const char *path, int flags, int mode) {
    int (*next)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
    const char *part = asked("open");
    if (part && (flags & O_ACCMODE) != O_RDONLY && strstr(path, part))
        wait_here();
    return next(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
    va_end(rest);
    return open_next("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
    va_end(rest);
    return open_next("open64", path, flags, mode);
}

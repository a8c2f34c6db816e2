#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "batch/lock.h"

/* A lock without its holder's token was left by one that died while it wrote it. */
#define UNFINISHED_SECONDS 60.0

struct hlrp_lock {
    char *path;
    char token[33];
    /* The thread that keeps it, where there is one. */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    double period;
    bool kept, over;
};

/* What a lock file says. Lines "name value". */
typedef struct holder {
    char host[80], boot[40], job[40], token[40];
    int64_t pid, start; /* start: how often the job was requeued before */
    double age;         /* seconds since the heartbeat */
} holder;

static void this_boot(char boot[40]) {
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? 0 : read(fd, boot, 39);
    boot[HLRP_MAX(n, 0)] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

static void this_host(char host[80]) {
    if (gethostname(host, 79) != 0)
        snprintf(host, 80, "unknown");
    host[79] = '\0';
    for (char *c = host; *c; c++) /* a name must stay one word */
        *c = *c == ' ' || *c == '\n' ? '_' : *c;
}

static bool make_token(char token[33]) {
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

/* "JOB.TASK" of the batch system, and how often it was started before; "" outside of one. */
static void this_job(char job[40], int64_t *start) {
    const char *id = getenv("SLURM_JOB_ID"), *task = getenv("SLURM_PROCID");
    const char *restarts = getenv("SLURM_RESTART_COUNT");
    snprintf(job, 40, "%.20s%s%.10s", id ? id : "", id ? "." : "",
             id && task ? task
             : id       ? "0"
                        : "");
    if (!id || !restarts || !hlrp_parse_int(restarts, start))
        *start = 0;
}

/* The value behind `name ` at the start of a line. */
static void field(const char *text, const char *name, char *to, size_t size) {
    const size_t n = strlen(name);
    to[0] = '\0';
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, n) == 0 && line[n] == ' ')
            snprintf(to, size, "%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
        if (!*line)
            break;
    }
}

/* False where there is no lock, and, with errno another than ENOENT, where it cannot be read. */
static bool read_holder(const char *path, holder *h) {
    char text[512] = "", pid[24], start[24];
    struct stat info;
    *h = (holder){.pid = -1};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool good = read(fd, text, sizeof text - 1) >= 0 && fstat(fd, &info) == 0;
    const int why = errno;
    close(fd);
    errno = why;
    if (!good)
        return false;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    h->age = (double)(now.tv_sec - info.st_mtim.tv_sec);
    field(text, "host", h->host, sizeof h->host);
    field(text, "boot", h->boot, sizeof h->boot);
    field(text, "job", h->job, sizeof h->job);
    field(text, "token", h->token, sizeof h->token);
    field(text, "pid", pid, sizeof pid);
    field(text, "start", start, sizeof start);
    if (!hlrp_parse_int(pid, &h->pid))
        h->pid = -1;
    if (!hlrp_parse_int(start, &h->start))
        h->start = 0;
    return true;
}

/* Also where only its entry is left: in a container nobody may be there to collect it. */
static bool is_dead(int64_t pid) {
    char path[40], text[400] = "";
    if (kill((pid_t)pid, 0) != 0)
        return errno == ESRCH;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text - 1) < 0)
        text[0] = '\0';
    if (fd >= 0)
        close(fd);
    const char *name = strrchr(text, ')'); /* "PID (NAME) STATE …" */
    return name && strlen(name) > 2 && strchr("ZX", name[2]);
}

/* Gone from this very machine, or silent for too long. A file still without its token belongs to
 * somebody who is just writing it. */
static bool is_stale(const holder *h, double timeout) {
    char host[80] = "", boot[40] = "", job[40] = "";
    int64_t start = 0;
    if (h->age > (h->token[0] == '\0' ? UNFINISHED_SECONDS : timeout))
        return true;
    this_job(job, &start);
    if (h->token[0] != '\0' && job[0] != '\0' && strcmp(h->job, job) == 0 && h->start < start)
        return true;
    this_host(host);
    this_boot(boot);
    if (h->token[0] == '\0' || strcmp(h->host, host) != 0 || h->pid <= 0)
        return false;
    if (strcmp(h->boot, boot) != 0)
        return boot[0] != '\0' && h->boot[0] != '\0';
    return is_dead(h->pid);
}

static void describe(const holder *h, char buf[256]) {
    snprintf(buf, 256, "host %s, process %lld%s%s", h->host[0] ? h->host : "unknown",
             (long long)h->pid, h->job[0] ? ", job " : "", h->job);
}

static hlrp_status busy(const char *path, const holder *h, hlrp_error *err) {
    char who[256];
    describe(h, who);
    return hlrp_fail(err, HLRP_E_BUSY, path, "wait for it, or stop it and run again",
                     "another run is working here (%s)", who);
}

static hlrp_status cannot_make(const hlrp_lock *lock, int code, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_IO, lock->path, "check the folder, its permissions and its space",
                     "cannot make the lock: %s", strerror(code));
}

static hlrp_status cannot_read(const hlrp_lock *lock, int code, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_IO, lock->path, "mend the file system, then run again",
                     "cannot read the lock: %s", strerror(code));
}

static bool write_holder(const hlrp_lock *lock, int fd) {
    char text[512], host[80] = "", boot[40] = "", job[40] = "";
    int64_t start = 0;
    this_host(host);
    this_boot(boot);
    this_job(job, &start);
    const int n =
        snprintf(text, sizeof text, "host %s\nboot %s\npid %lld\njob %s\nstart %lld\ntoken %s\n",
                 host, boot, (long long)getpid(), job, (long long)start, lock->token);
    return write(fd, text, (size_t)n) == n;
}

/* Gives the lock its name: by a link, so that it never stands there without its holder; where a
 * file system has no links, by exclusive creation. */
static hlrp_status give_name(const hlrp_lock *lock, const char *whole, bool *taken,
                             hlrp_error *err) {
    const int failed = link(whole, lock->path) == 0 ? 0 : errno;
    /* ENOENT: the run that got the lock removed our file along with those of dead runs. */
    *taken = failed == EEXIST || failed == ENOENT;
    if (failed == 0 || *taken)
        return HLRP_OK;
    if (failed != EPERM && failed != ENOTSUP && failed != ENOSYS)
        return cannot_make(lock, failed, err);
    const int fd = open(lock->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    *taken = fd < 0 && errno == EEXIST;
    if (*taken)
        return HLRP_OK;
    const bool good = fd >= 0 && write_holder(lock, fd);
    const int code = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !good)
        unlink(lock->path);
    return good ? HLRP_OK : cannot_make(lock, code, err);
}

/* Creates the lock with our token; *taken where there is one. */
static hlrp_status create(const hlrp_lock *lock, bool *taken, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *whole = NULL;
    HLRP_TRY(hlrp_format(&whole, err, "%s.%s.tmp", lock->path, lock->token));
    const int fd = open(whole, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    const bool good = fd >= 0 && write_holder(lock, fd);
    const int code = errno;
    if (fd >= 0)
        close(fd);
    status = good ? give_name(lock, whole, taken, err) : cannot_make(lock, code, err);
    if (fd >= 0)
        unlink(whole);
out:
    free(whole);
    return status;
}

/* Moves a stale lock away. Where what was moved is not what was seen (another was quicker and holds
 * the lock by now), it is put back; a run that took the lock in between finds its token gone. */
static hlrp_status take_over(const hlrp_lock *lock, const holder *seen, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *away = NULL;
    holder moved;
    HLRP_TRY(hlrp_format(&away, err, "%s.%s.tmp", lock->path, lock->token));
    if (rename(lock->path, away) != 0)
        goto out; /* gone already: try again to create it */
    if (!read_holder(away, &moved) || strcmp(moved.token, seen->token) != 0)
        (void)!link(away, lock->path);
    unlink(away);
out:
    free(away);
    return status;
}

hlrp_status hlrp_lock_acquire(const char *path, double timeout, hlrp_lock **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_lock *lock = NULL;
    holder h = {.pid = -1};
    bool taken = true;
    HLRP_TRY(hlrp_calloc(&lock, 1, sizeof *lock, "lock", err));
    HLRP_TRY(hlrp_format(&lock->path, err, "%s", path));
    if (!make_token(lock->token)) {
        status = hlrp_fail(err, HLRP_E_IO, path, NULL, "no random numbers for a lock");
        goto out;
    }
    for (int tries = 0; tries < 5 && taken; tries++) {
        HLRP_TRY(create(lock, &taken, err));
        if (!taken)
            continue;
        if (!read_holder(path, &h)) {
            if (errno == ENOENT) /* released meanwhile */
                continue;
            status = cannot_read(lock, errno, err);
            goto out;
        }
        if (!is_stale(&h, timeout)) {
            status = busy(path, &h, err);
            goto out;
        }
        HLRP_TRY(take_over(lock, &h, err));
    }
    if (taken) {
        status = busy(path, &h, err);
        goto out;
    }
    *out = lock;
    lock = NULL;
out:
    if (lock)
        free(lock->path);
    free(lock);
    return status;
}

hlrp_status hlrp_lock_check(const hlrp_lock *lock, hlrp_error *err) {
    holder h;
    const bool there = read_holder(lock->path, &h);
    if (there && strcmp(h.token, lock->token) == 0)
        return HLRP_OK;
    if (!there && errno != ENOENT) /* nobody's by that: but nothing may be written unchecked */
        return cannot_read(lock, errno, err);
    return hlrp_fail(err, HLRP_E_BUSY, lock->path, "let the other run finish, then run again",
                     "this run was suspended for too long: another has taken its place");
}

hlrp_status hlrp_lock_judge(const hlrp_lock *lock, hlrp_status status, hlrp_error *err) {
    hlrp_error lost = {0};
    if (status == HLRP_OK || !lock || hlrp_lock_check(lock, &lost) != HLRP_E_BUSY)
        return status;
    *err = lost;
    return HLRP_E_BUSY;
}

hlrp_status hlrp_lock_beat(const hlrp_lock *lock, hlrp_error *err) {
    const hlrp_status status = hlrp_lock_check(lock, err);
    if (status == HLRP_OK && utimensat(AT_FDCWD, lock->path, NULL, 0) != 0)
        return hlrp_fail(err, HLRP_E_IO, lock->path, NULL, "cannot renew the lock: %s",
                         strerror(errno));
    return status;
}

/* Until release: one beat every period. A lock that is lost shows where it is checked. */
static void *keep(void *arg) {
    hlrp_lock *lock = arg;
    hlrp_error ignored = {0};
    pthread_mutex_lock(&lock->mutex);
    while (!lock->over) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += (time_t)HLRP_MAX(lock->period, 1);
        while (!lock->over && pthread_cond_timedwait(&lock->wake, &lock->mutex, &until) == 0)
            ;
        if (!lock->over)
            hlrp_lock_beat(lock, &ignored);
    }
    pthread_mutex_unlock(&lock->mutex);
    return NULL;
}

hlrp_status hlrp_lock_keep(hlrp_lock *lock, double seconds, hlrp_error *err) {
    pthread_condattr_t clock;
    sigset_t all, before;
    lock->period = seconds;
    bool good = pthread_condattr_init(&clock) == 0;
    good = good && pthread_condattr_setclock(&clock, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(&lock->wake, &clock) == 0 &&
           pthread_mutex_init(&lock->mutex, NULL) == 0;
    sigfillset(&all); /* signals are for the program's own threads */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    lock->kept = good && pthread_create(&lock->thread, NULL, keep, lock) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_condattr_destroy(&clock);
    if (!lock->kept)
        return hlrp_fail(err, HLRP_E_MEMORY, lock->path, "raise the limit of processes",
                         "there can be no thread to keep the lock");
    return HLRP_OK;
}

static void stop_keeping(hlrp_lock *lock) {
    if (!lock->kept)
        return;
    pthread_mutex_lock(&lock->mutex);
    lock->over = true;
    pthread_cond_signal(&lock->wake);
    pthread_mutex_unlock(&lock->mutex);
    pthread_join(lock->thread, NULL);
    pthread_mutex_destroy(&lock->mutex);
    pthread_cond_destroy(&lock->wake);
}

void hlrp_lock_release(hlrp_lock *lock) {
    hlrp_error gone = {0};
    if (!lock)
        return;
    stop_keeping(lock);
    if (hlrp_lock_check(lock, &gone) == HLRP_OK)
        unlink(lock->path);
    free(lock->path);
    free(lock);
}

bool hlrp_lock_held(const char *path, double timeout, char buf[256]) {
    holder h;
    buf[0] = '\0';
    if (!read_holder(path, &h) || is_stale(&h, timeout))
        return false;
    describe(&h, buf);
    return true;
}

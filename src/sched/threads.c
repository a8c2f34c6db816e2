/* How many threads the environment grants: the user's word, the batch system's, the affinity mask's
 * and the control group's (a container sees all processors but may use the time of a few). */
#include "sched/sched.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 4096, CGROUP_LIMIT = 1 << 16 };

/* The first of a list of numbers, 1 … MOST_THREADS; 0 where text is none. */
static int first_number(const char *text) {
    char head[32] = "";
    int64_t value = 0;
    if (!text)
        return 0;
    size_t n = strcspn(text, ",");
    if (n >= sizeof head)
        return 0;
    memcpy(head, text, n);
    if (!hlrp_parse_int(head, &value) || value < 1)
        return 0;
    return (int)HLRP_MIN(value, MOST_THREADS);
}

int hlrp_sched_pick_threads(const hlrp_sched_grant *grant) {
    int wish = first_number(grant->omp_num_threads);
    int slurm = first_number(grant->slurm_cpus_per_task);
    int least = MOST_THREADS;
    if (wish > 0)
        return wish;
    if (slurm > 0)
        least = HLRP_MIN(least, slurm);
    if (grant->affinity > 0)
        least = HLRP_MIN(least, grant->affinity);
    if (grant->quota > 0 && grant->quota < MOST_THREADS)
        least = HLRP_MIN(least, (int)ceil(grant->quota));
    if (least == MOST_THREADS && slurm <= 0 && grant->affinity <= 0)
        return 1; /* nothing is known */
    return HLRP_MAX(least, 1);
}

/* Processors this process may run on. The mask is grown until the kernel's fits. */
static int count_affinity(void) {
    for (int size = 1024; size <= 1 << 18; size *= 4) {
        cpu_set_t *set = CPU_ALLOC((size_t)size);
        if (!set)
            return 0;
        size_t bytes = CPU_ALLOC_SIZE((size_t)size);
        int ok = sched_getaffinity(0, bytes, set) == 0;
        int count = ok ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (ok)
            return count;
    }
    return 0;
}

/* The file's text without its newline in buf; false where it cannot be read or is longer. */
static bool read_line(const char *folder, const char *name, char buf[64]) {
    hlrp_error ignored = {0};
    hlrp_str path = {0};
    char *text = NULL;
    int64_t size = 0;
    hlrp_str_addf(&path, "%s/%s", folder, name);
    bool ok = !path.failed && hlrp_file_exists(path.text) &&
              hlrp_read_file(path.text, 63, &text, &size, &ignored) == HLRP_OK;
    snprintf(buf, 64, "%.*s", ok ? (int)strcspn(text, "\n") : 0, ok ? text : "");
    free(text);
    hlrp_str_free(&path);
    return ok;
}

static double quotient(const char *quota, const char *period) {
    double a = 0, b = 0;
    bool ok = hlrp_parse_double(quota, &a) && hlrp_parse_double(period, &b);
    return ok && a > 0 && b > 0 ? a / b : 0;
}

/* The quota of one group's folder: version 2 writes "QUOTA PERIOD" or "max PERIOD" in one file,
 * version 1 has two files and a quota of −1 for none. 0 where there is no limit. */
static double folder_quota(const char *folder) {
    char quota[64], period[64];
    if (read_line(folder, "cpu.max", quota)) {
        char *blank = strchr(quota, ' ');
        if (!blank)
            return 0;
        *blank = 0;
        return quotient(quota, blank + 1);
    }
    if (!read_line(folder, "cpu.cfs_quota_us", quota) ||
        !read_line(folder, "cpu.cfs_period_us", period))
        return 0;
    return quotient(quota, period);
}

/* The least quota of the group `path` (of `n` bytes) below root/controller and of its parents. */
static double group_quota(const char *root, const char *controller, const char *path, size_t n) {
    double least = 0;
    for (;;) {
        hlrp_str folder = {0};
        hlrp_str_addf(&folder, "%s%s%.*s", root, controller, (int)n, path);
        double quota = folder.failed ? 0 : folder_quota(folder.text);
        hlrp_str_free(&folder);
        if (quota > 0 && (least <= 0 || quota < least))
            least = quota;
        if (n == 0)
            return least;
        while (n > 0 && path[--n] != '/')
            ;
    }
}

/* Whether the comma-separated list text[0 … n) has the word "cpu". */
static bool lists_cpu(const char *text, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t length = strcspn(text + i, ",:");
        if (length == 3 && memcmp(text + i, "cpu", 3) == 0)
            return true;
        i += length + 1;
    }
    return false;
}

/* The quota that one line, "ID:CONTROLLERS:/PATH" of n bytes, leads to; version 2 names no
 * controllers. */
static double line_quota(const char *root, const char *line, size_t n) {
    const char *end = line + n;
    const char *list = memchr(line, ':', n);
    const char *path = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;
    if (!path)
        return 0;
    size_t listed = (size_t)(path - list - 1);
    if (listed > 0 && !lists_cpu(list + 1, listed))
        return 0;
    return group_quota(root, listed > 0 ? "/cpu" : "", path + 1, (size_t)(end - path - 1));
}

/* Within a container the path may be the host's and lead nowhere: then the parents are tried up to
 * the root, which is the container's own. */
double hlrp_sched_cgroup_quota(const char *root, const char *self) {
    double least = 0;
    while (*self) {
        size_t n = strcspn(self, "\n");
        double quota = line_quota(root, self, n);
        if (quota > 0 && (least <= 0 || quota < least))
            least = quota;
        self += n + (self[n] != 0);
    }
    return least;
}

int hlrp_sched_default_threads(void) {
    hlrp_error ignored = {0};
    char *self = NULL;
    int64_t size = 0;
    hlrp_sched_grant grant = {.omp_num_threads = getenv("OMP_NUM_THREADS"),
                              .slurm_cpus_per_task = getenv("SLURM_CPUS_PER_TASK"),
                              .affinity = count_affinity()};
    if (hlrp_read_file("/proc/self/cgroup", CGROUP_LIMIT, &self, &size, &ignored) == HLRP_OK)
        grant.quota = hlrp_sched_cgroup_quota("/sys/fs/cgroup", self);
    free(self);
    return hlrp_sched_pick_threads(&grant);
}

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

/* The quota in the file(s) of one group's folder: version 2 writes "QUOTA PERIOD" or "max PERIOD"
 * in cpu.max, version 1 two files with a quota of −1 for none. 0 where there is no limit. */
static double folder_quota(const char *folder) {
    static const char *const files[] = {"cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us"};
    double v[3] = {0, 0, 0}, period = 0;
    for (int i = 0; i < 3; i++) {
        hlrp_error ignored = {0};
        hlrp_str path = {0};
        char *text = NULL;
        int64_t size = 0;
        hlrp_str_addf(&path, "%s/%s", folder, files[i]);
        /* strtod stops at "max", which leaves 0: no limit */
        if (!path.failed && hlrp_file_exists(path.text) &&
            hlrp_read_file(path.text, CGROUP_LIMIT, &text, &size, &ignored) == HLRP_OK) {
            char *end = NULL;
            v[i] = strtod(text, &end);
            if (i == 0)
                period = strtod(end, NULL);
        }
        free(text);
        hlrp_str_free(&path);
    }
    if (v[0] > 0 && period > 0)
        return v[0] / period;
    return v[1] > 0 && v[2] > 0 ? v[1] / v[2] : 0;
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

/* Lines are "ID:CONTROLLERS:/PATH"; version 2 has no controllers. Within a container the path may
 * be the host's and lead nowhere: then the parents are tried up to the root, which is its own. */
double hlrp_sched_cgroup_quota(const char *root, const char *self) {
    double least = 0;
    while (*self) {
        size_t line = strcspn(self, "\n");
        const char *end = self + line;
        const char *controllers = memchr(self, ':', line);
        const char *path =
            controllers ? memchr(controllers + 1, ':', (size_t)(end - controllers - 1)) : NULL;
        if (path) {
            size_t n = (size_t)(path - controllers - 1);
            const char *below = n == 0 ? "" : "/cpu";
            if (n == 0 || lists_cpu(controllers + 1, n)) {
                double quota = group_quota(root, below, path + 1, (size_t)(end - path - 1));
                if (quota > 0 && (least <= 0 || quota < least))
                    least = quota;
            }
        }
        self = *end ? end + 1 : end;
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

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <zlib.h>

#include "util/util.h"

double hlrp_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double hlrp_cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void hlrp_timestamp(char buf[32]) {
    const time_t now = time(NULL);
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(buf, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

int64_t hlrp_peak_memory(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)usage.ru_maxrss * 1024;
}

/* What stands behind "label : " on the first such line, in out; "" where there is none. */
static void fact_of(const char *info, const char *label, char *out, size_t size) {
    const size_t n = strlen(label);
    out[0] = '\0';
    while (*info) {
        const char *end = info + strcspn(info, "\n"), *colon = info;
        if (strncmp(info, label, n) == 0)
            colon += n + strspn(info + n, " \t");
        if (colon > info && *colon == ':') {
            const char *value = colon + 1 + strspn(colon + 1, " \t");
            snprintf(out, size, "%.*s", (int)(end - value), value);
            return;
        }
        info = *end ? end + 1 : end;
    }
}

void hlrp_processor_of(const char *info, char name[HLRP_PROCESSOR_SIZE]) {
    char model[80], family[12], number[12];
    fact_of(info, "model name", model, sizeof model);
    fact_of(info, "cpu family", family, sizeof family);
    fact_of(info, "model", number, sizeof number);
    if (model[0] == '\0')
        snprintf(name, HLRP_PROCESSOR_SIZE, "unknown");
    else
        snprintf(name, HLRP_PROCESSOR_SIZE, "%s, family %s, model %s", model, family, number);
}

void hlrp_processor(char name[HLRP_PROCESSOR_SIZE]) {
    char text[4096]; /* the first processor is enough */
    FILE *file = fopen("/proc/cpuinfo", "r");
    const size_t n = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[n] = '\0';
    if (file)
        fclose(file);
    hlrp_processor_of(text, name);
}

static void hex_of(GChecksum *sum, char hex[65]) {
    memcpy(hex, g_checksum_get_string(sum), 65);
    g_checksum_free(sum);
}

hlrp_status hlrp_sha256_file(const char *path, char hex[65], hlrp_error *err) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return hlrp_fail(err, HLRP_E_INPUT, path, "check the path and its permissions",
                         "cannot read the file: %s", strerror(errno));
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    unsigned char bytes[65536];
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0;)
        g_checksum_update(sum, bytes, (gssize)n);
    const bool failed = ferror(file);
    const int why = errno;
    fclose(file);
    hex_of(sum, hex);
    if (failed)
        return hlrp_fail(err, HLRP_E_INPUT, path, "check the disk", "cannot read the file: %s",
                         strerror(why));
    return HLRP_OK;
}

void hlrp_sha256_bytes(const void *bytes, size_t n, char hex[65]) {
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    const unsigned char *p = bytes;
    for (size_t part; n > 0; p += part, n -= part) {
        part = HLRP_MIN(n, (size_t)1 << 30);
        g_checksum_update(sum, p, (gssize)part);
    }
    hex_of(sum, hex);
}

uint32_t hlrp_crc32(uint32_t crc, const void *bytes, size_t n) {
    return (uint32_t)crc32_z(crc, bytes, n);
}

const char *hlrp_glib_version(void) {
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
    return TEXT(GLIB_MAJOR_VERSION) "." TEXT(GLIB_MINOR_VERSION) "." TEXT(GLIB_MICRO_VERSION);
}

const char *hlrp_zlib_version(void) {
    return zlibVersion();
}

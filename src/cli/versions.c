/* `histolrp --version`. */
#include <histolrp/config.h>

#include "cli/cli.h"

/* A library's header may be included only in its own module, so each module says its version. */
typedef struct library {
    const char *name;
    const char *(*version)(void);
} library;

static const library libraries[] = {
    {"libini-config", hlrp_config_ini_version},
};

static void print_cpu_features(FILE *out) {
    fputs("CPU features:", out);
#if defined(__x86_64__)
    fputs(__builtin_cpu_supports("sse4.2") ? " sse4.2" : "", out);
    fputs(__builtin_cpu_supports("avx") ? " avx" : "", out);
    fputs(__builtin_cpu_supports("avx2") ? " avx2" : "", out);
    fputs(__builtin_cpu_supports("fma") ? " fma" : "", out);
    fputs(__builtin_cpu_supports("avx512f") ? " avx512f" : "", out);
    fputs(__builtin_cpu_supports("avx512vnni") ? " avx512vnni" : "", out);
    fputs(__builtin_cpu_supports("avx512bf16") ? " avx512bf16" : "", out);
#endif
    fputs("\n", out);
}

void hlrp_print_versions(FILE *out) {
    fprintf(out, "histolrp %s\n", HLRP_VERSION);
    for (size_t i = 0; i < HLRP_COUNT(libraries); i++)
        fprintf(out, "%s %s\n", libraries[i].name, libraries[i].version());
    print_cpu_features(out);
}

/* `histolrp --version`. */
#include <histolrp/config.h>

#include "cli/cli.h"
#include "engine/linear.h"
#include "image/image.h"
#include "onnx/onnx.h"
#include "slide/slide.h"
#include "store/store.h"

/* A library's header may be included only in its own module, so each module says its version. */
typedef struct library {
    const char *name; /* with a blank behind it; "" where version() says it */
    const char *(*version)(void);
} library;

static const library libraries[] = {
    {"OpenSlide ", hlrp_slide_version},
    {"", hlrp_backend_version},
    {"protobuf-c ", hlrp_onnx_protobuf_version},
    {"libdeflate ", hlrp_deflate_version},
    {"zlib ", hlrp_zlib_version},
    {"GLib ", hlrp_glib_version},
    {"libtiff ", hlrp_tiff_version},
    {"libpng ", hlrp_png_version},
    {"", hlrp_jpeg_version},
    {"libini-config ", hlrp_config_ini_version},
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
        fprintf(out, "%s%s\n", libraries[i].name, libraries[i].version());
    char hdf5[32];
    fprintf(out, "HDF5 %s\n", hlrp_hdf5_version(hdf5));
    print_cpu_features(out);
}

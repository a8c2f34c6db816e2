#include "engine/cpu/dnnl_library.h"

#include <oneapi/dnnl/dnnl.h>

#include "engine/linear.h"

/* The instruction sets are sets of bits: a larger number is not a larger set. */
bool hlrp_dnnl_has_isa(unsigned wanted) {
    return ((unsigned)dnnl_get_effective_cpu_isa() & wanted) == wanted;
}

const char *hlrp_backend_version(void) {
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
    return "oneDNN " TEXT(DNNL_VERSION_MAJOR) "." TEXT(DNNL_VERSION_MINOR) "." TEXT(
        DNNL_VERSION_PATCH);
}

const char *hlrp_backend_isa(void) {
    if (hlrp_dnnl_has_isa(dnnl_cpu_isa_avx512_core_bf16))
        return "avx512_core_bf16";
    if (hlrp_dnnl_has_isa(dnnl_cpu_isa_avx512_core))
        return "avx512_core";
    return hlrp_dnnl_has_isa(dnnl_cpu_isa_avx2)    ? "avx2"
           : hlrp_dnnl_has_isa(dnnl_cpu_isa_sse41) ? "sse41"
                                                   : "generic";
}

hlrp_status hlrp_dnnl_failed(const char *what, int why, hlrp_error *err) {
    return hlrp_fail(err, why == dnnl_out_of_memory ? HLRP_E_MEMORY : HLRP_E_INTERNAL, what, NULL,
                     "oneDNN failed with status %d", why);
}

hlrp_status hlrp_dnnl_warm_up(hlrp_error *err) {
    enum { N = 8 };
    float a[N * N] = {0}, b[N * N] = {0}, c[N * N] = {0};
    const hlrp_status status = hlrp_memory_left(3 * HLRP_DNNL_ROOM, "oneDNN", err);
    if (status != HLRP_OK)
        return status;
    const bool made = dnnl_sgemm('N', 'N', N, N, N, 1, a, N, b, N, 0, c, N) == dnnl_success &&
                      dnnl_sgemm('N', 'T', N, N, N, 1, a, N, b, N, 1, c, N) == dnnl_success;
    return made ? HLRP_OK
                : hlrp_fail(err, HLRP_E_INTERNAL, "oneDNN", NULL, "a matrix product fails");
}

int hlrp_dnnl_lanes(void) {
    if (hlrp_dnnl_has_isa(dnnl_cpu_isa_avx512_core))
        return 16;
    return hlrp_dnnl_has_isa(dnnl_cpu_isa_sse41) ? 8 : 1;
}

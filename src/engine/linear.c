/* Linear maps: which kernel computes which, and the streams they run in. */
#include <stdlib.h>
#include <string.h>

#include "engine/cpu/dnnl_library.h"
#include "engine/kernel.h"

/* In order: the first that can is taken, by the shapes alone, so that every run makes the same choice. */
static const hlrp_kernel_ops *const kernels[] = {
#if HLRP_DNNL == 2
    &hlrp_kernel_winograd, /* where coarse rounding is allowed, and it pays */
#endif
    &hlrp_kernel_direct,    /* convolutions in the values' own layouts */
    &hlrp_kernel_reordered, /* in a layout of oneDNN's choice */
    &hlrp_kernel_sgemm,     /* fully connected layers */
    &hlrp_kernel_plain,     /* everything, slowly */
};

struct hlrp_linear {
    hlrp_kernel *forward, *adjoint;
    float *bias; /* [O] or NULL */
};

const char *hlrp_kernel_at(int index) {
    return index >= 0 && index < (int)HLRP_COUNT(kernels) ? kernels[index]->name : NULL;
}

/* ---- backend and streams ---- */

hlrp_status hlrp_backend_new(hlrp_backend **out, hlrp_error *err) {
    hlrp_backend *b = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&b, 1, sizeof *b, "backend", err));
    HLRP_TRY(hlrp_dnnl_open(&b->dnnl, err));
    b->lanes = hlrp_dnnl_lanes();
    *out = b;
    return HLRP_OK;
out:
    hlrp_backend_free(b);
    return status;
}

void hlrp_backend_allow_coarse(hlrp_backend *backend) {
    backend->coarse = true;
}

void hlrp_backend_compute_as(hlrp_backend *backend, int64_t samples) {
    backend->samples = samples;
}

bool hlrp_backend_has_coarse(void) {
    return HLRP_DNNL == 2;
}

hlrp_status hlrp_backend_force(hlrp_backend *backend, const char *name, hlrp_error *err) {
    for (size_t k = 0; k < HLRP_COUNT(kernels); k++)
        if (strcmp(kernels[k]->name, name) == 0) {
            backend->forced = kernels[k];
            return HLRP_OK;
        }
    return hlrp_fail(err, HLRP_E_USAGE, NULL, "engine/linear.c lists them", "no kernel '%.40s'",
                     name);
}

void hlrp_backend_free(hlrp_backend *backend) {
    if (!backend)
        return;
    hlrp_dnnl_close(backend->dnnl);
    free(backend);
}

int hlrp_backend_lanes(const hlrp_backend *backend) {
    return backend->lanes;
}

hlrp_status hlrp_stream_new(hlrp_backend *backend, int64_t scratch_bytes, hlrp_stream **out,
                            hlrp_error *err) {
    hlrp_stream *s = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&s, 1, sizeof *s, "stream", err));
    HLRP_TRY(hlrp_calloc_aligned(&s->scratch, scratch_bytes, 1, "scratch memory", err));
    s->bytes = scratch_bytes;
    HLRP_TRY(hlrp_dnnl_thread_open(backend->dnnl, &s->dnnl, err));
    *out = s;
    return HLRP_OK;
out:
    hlrp_stream_free(s);
    return status;
}

void hlrp_stream_free(hlrp_stream *stream) {
    if (!stream)
        return;
    hlrp_dnnl_thread_close(stream->dnnl);
    free(stream->scratch);
    free(stream);
}

/* ---- maps ---- */

static hlrp_status choose(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                          hlrp_kernel **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (backend->forced && backend->forced->can(backend, spec))
        status = backend->forced->make(backend, spec, forward, out, err);
    for (size_t k = 0; status == HLRP_OK && !*out && k < HLRP_COUNT(kernels); k++)
        if (kernels[k]->can(backend, spec))
            status = kernels[k]->make(backend, spec, forward, out, err);
    return status;
}

static hlrp_status copy_bias(hlrp_linear *m, const hlrp_linear_spec *spec, hlrp_error *err) {
    if (!spec->bias)
        return HLRP_OK;
    const hlrp_status status =
        hlrp_calloc_aligned(&m->bias, spec->dst.c, sizeof *m->bias, "bias", err);
    if (status == HLRP_OK)
        memcpy(m->bias, spec->bias, (size_t)spec->dst.c * sizeof *m->bias);
    return status;
}

hlrp_status hlrp_linear_new(hlrp_backend *backend, const hlrp_linear_spec *spec, hlrp_linear **out,
                            hlrp_error *err) {
    hlrp_linear *m = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_memory_left(HLRP_DNNL_ROOM, "linear map", err));
    HLRP_TRY(hlrp_calloc(&m, 1, sizeof *m, "linear map", err));
    HLRP_TRY(copy_bias(m, spec, err));
    if (spec->forward)
        HLRP_TRY(choose(backend, spec, true, &m->forward, err));
    if (spec->adjoint)
        HLRP_TRY(choose(backend, spec, false, &m->adjoint, err));
    *out = m;
    return HLRP_OK;
out:
    hlrp_linear_free(m);
    return status;
}

static void free_kernel(hlrp_kernel *kernel) {
    if (kernel)
        kernel->ops->free(kernel);
}

void hlrp_linear_free(hlrp_linear *map) {
    if (!map)
        return;
    free_kernel(map->forward);
    free_kernel(map->adjoint);
    free(map->bias);
    free(map);
}

static const hlrp_kernel *either(const hlrp_linear *map) {
    return map->forward ? map->forward : map->adjoint;
}

const char *hlrp_linear_kernel(const hlrp_linear *map) {
    const hlrp_kernel *kernel = either(map);
    return kernel->ops->text ? kernel->ops->text(kernel) : kernel->ops->name;
}

const char *hlrp_linear_taken(const hlrp_linear *map) {
    return either(map)->ops->name;
}

static int64_t scratch_of(const hlrp_kernel *kernel) {
    return kernel && kernel->ops->scratch ? kernel->ops->scratch(kernel) : 0;
}

int64_t hlrp_linear_scratch(const hlrp_linear *map) {
    return HLRP_MAX(scratch_of(map->forward), scratch_of(map->adjoint));
}

hlrp_status hlrp_linear_forward(const hlrp_linear *map, hlrp_stream *stream, const float *x,
                                float *z, hlrp_error *err) {
    return map->forward->ops->run(map->forward, stream, map->bias, x, z, err);
}

hlrp_status hlrp_linear_adjoint(const hlrp_linear *map, hlrp_stream *stream, const float *s,
                                float *c, hlrp_error *err) {
    return map->adjoint->ops->run(map->adjoint, stream, NULL, s, c, err);
}

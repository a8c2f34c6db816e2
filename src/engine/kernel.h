/* Kernels: the ways of computing one direction of a linear map, behind one table. linear.c chooses among
 * them; each is a file in cpu/, and adding one is a file and a line of that table. */
#ifndef HLRP_ENGINE_KERNEL_H
#define HLRP_ENGINE_KERNEL_H

#include "engine/linear.h"

typedef struct hlrp_kernel_ops hlrp_kernel_ops;

/* Begins the struct of every implementation. Immutable once made, shared by threads. */
typedef struct hlrp_kernel {
    const hlrp_kernel_ops *ops;
} hlrp_kernel;

struct hlrp_kernel_ops {
    const char *name; /* for hlrp_backend_force */
    bool (*can)(const hlrp_backend *backend, const hlrp_linear_spec *spec);
    /* forward, else adjoint. HLRP_OK with *out NULL where it has none for this shape after all. */
    hlrp_status (*make)(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                        hlrp_kernel **out, hlrp_error *err);
    /* bias [O], for a forward one; or NULL */
    hlrp_status (*run)(const hlrp_kernel *kernel, hlrp_stream *stream, const float *bias,
                       const float *in, float *out, hlrp_error *err);
    int64_t (*scratch)(
        const hlrp_kernel *kernel); /* bytes of a stream that run takes; NULL: none */
    const char *(*text)(
        const hlrp_kernel *kernel); /* for inspection: its library's name; NULL: name */
    void (*free)(hlrp_kernel *kernel);
};

extern const hlrp_kernel_ops hlrp_kernel_winograd /* oneDNN 2 only */, hlrp_kernel_direct,
    hlrp_kernel_reordered, hlrp_kernel_sgemm, hlrp_kernel_plain;

/* What oneDNN holds for all maps, and for one thread (cpu/dnnl_conv.c). */
typedef struct hlrp_dnnl hlrp_dnnl;
typedef struct hlrp_dnnl_thread hlrp_dnnl_thread;
hlrp_status hlrp_dnnl_open(hlrp_dnnl **out, hlrp_error *err);
void hlrp_dnnl_close(hlrp_dnnl *dnnl);
hlrp_status hlrp_dnnl_thread_open(hlrp_dnnl *dnnl, hlrp_dnnl_thread **out, hlrp_error *err);
void hlrp_dnnl_thread_close(hlrp_dnnl_thread *thread);

struct hlrp_backend {
    hlrp_dnnl *dnnl;
    int lanes;
    bool coarse;     /* maps may round more coarsely than direct sums do */
    int64_t samples; /* fewer than these get the bits that so many would; 0: their own */
    const hlrp_kernel_ops *forced; /* taken wherever it can; or NULL */
};

struct hlrp_stream {
    hlrp_dnnl_thread *dnnl;
    char *scratch;
    int64_t bytes;
};

#endif

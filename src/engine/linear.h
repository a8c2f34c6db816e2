/* Linear maps: z = Wx + b of a convolution or a fully connected layer, and its adjoint c = Wᵀs (the
 * gradient of z with respect to x, applied to s). Every LRP rule is made of these two and of
 * element-wise arithmetic. Computed by the first kernel that can (linear.c); a map is immutable once made and shared by threads,
 * each of which brings a stream of its own. */
#ifndef HLRP_LINEAR_H
#define HLRP_LINEAR_H

#include "engine/layout.h"
#include "graph/graph.h"

typedef struct hlrp_backend hlrp_backend; /* the library's engine: one per plan, shared */
typedef struct hlrp_stream hlrp_stream;   /* one per thread, with its scratch memory */
typedef struct hlrp_linear hlrp_linear;

/* Create it, and all maps, with OpenMP limited to one thread (hlrp_sched_single): the library
 * chooses its blocking for the number of threads it sees at creation. */
hlrp_status hlrp_backend_new(hlrp_backend **out, hlrp_error *err);
/* Maps made from then on may use kernels that are faster and round more coarsely: Winograd's F(4×3),
 * whose error against float64 is some hundred times that of direct sums and turns near-ties of max
 * pooling. Without it every convolution is a direct sum. */
void hlrp_backend_allow_coarse(hlrp_backend *backend);
/* Maps made from then on of fewer samples give each the bits that a map of so many would: matrix products
 * of a few rows add in another order. Convolutions add up each sample by itself. */
void hlrp_backend_compute_as(hlrp_backend *backend, int64_t samples);
bool hlrp_backend_has_coarse(void); /* whether there are any: oneDNN 3 has none */
/* For tests: maps made from then on take this kernel wherever it can. HLRP_E_USAGE: no such name. */
hlrp_status hlrp_backend_force(hlrp_backend *backend, const char *name, hlrp_error *err);
/* Names of kernels by index from 0, in the order in which they are asked; NULL past the last. */
const char *hlrp_kernel_at(int index);
void hlrp_backend_free(hlrp_backend *backend);
/* Channel lanes of the layout that convolutions prefer on this processor: 16, 8 or 1. */
int hlrp_backend_lanes(const hlrp_backend *backend);
const char *hlrp_backend_version(void); /* "oneDNN 2.6.3" */
const char *hlrp_backend_isa(void);     /* "avx512_core", … */

typedef struct hlrp_linear_spec {
    bool gemm;            /* false: convolution */
    hlrp_layout src, dst; /* gemm: lanes 1, h = w = 1 */
    hlrp_window window;   /* explicit pads */
    int64_t group;
    const float *weights;  /* plain: conv [O,I/g,kh,kw], gemm [O,I]. A gemm's are borrowed and must
                              outlive the map; a convolution's are packed and may go */
    const float *bias;     /* [O] or NULL; copied */
    bool forward, adjoint; /* which of the two will be called */
    bool direct; /* no kernel that rounds one output by what another sees (Winograd), though
                              allowed: where a sum of nothing must be 0 */
} hlrp_linear_spec;

hlrp_status hlrp_linear_new(hlrp_backend *backend, const hlrp_linear_spec *spec, hlrp_linear **out,
                            hlrp_error *err);
void hlrp_linear_free(hlrp_linear *map);
/* The kernel in use, for inspection, as its library calls it; borrowed. */
const char *hlrp_linear_kernel(const hlrp_linear *map);
/* The same by its name in the table. */
const char *hlrp_linear_taken(const hlrp_linear *map);

/* Bytes of scratch memory that a stream needs for the map. */
int64_t hlrp_linear_scratch(const hlrp_linear *map);
hlrp_status hlrp_stream_new(hlrp_backend *backend, int64_t scratch_bytes, hlrp_stream **out,
                            hlrp_error *err);
void hlrp_stream_free(hlrp_stream *stream);

/* x and c have the layout spec.src, z and s spec.dst; 64-byte aligned, not overlapping. */
hlrp_status hlrp_linear_forward(const hlrp_linear *map, hlrp_stream *stream, const float *x,
                                float *z, hlrp_error *err);
hlrp_status hlrp_linear_adjoint(const hlrp_linear *map, hlrp_stream *stream, const float *s,
                                float *c, hlrp_error *err);

#endif

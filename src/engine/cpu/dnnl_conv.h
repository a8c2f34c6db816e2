/* Convolutions on oneDNN: dnnl_conv.c is what its versions share, dnnl2.c and dnnl3.c what they write
 * differently. CMake takes one of the two by the version that it finds, and tells it in HLRP_DNNL. */
#ifndef HLRP_DNNL_CONV_H
#define HLRP_DNNL_CONV_H

#include <oneapi/dnnl/dnnl.h>

#include "engine/kernel.h"

/* How a value lies in memory, in oneDNN's words. Version 2 has it in the open, 3 behind a pointer that is
 * to be given back; functions of both take a hlrp_dnnl_md. All zero: nothing. */
typedef struct hlrp_dnnl_desc {
    dnnl_memory_desc_t md;
} hlrp_dnnl_desc;

#if DNNL_VERSION_MAJOR < 3
typedef const dnnl_memory_desc_t *hlrp_dnnl_md;
static inline hlrp_dnnl_md hlrp_dnnl_md_of(const hlrp_dnnl_desc *desc) {
    return &desc->md;
}
#else
typedef const_dnnl_memory_desc_t hlrp_dnnl_md;
static inline hlrp_dnnl_md hlrp_dnnl_md_of(const hlrp_dnnl_desc *desc) {
    return desc->md;
}
#endif

/* float32 of these extents; *desc is to hold nothing. */
dnnl_status_t hlrp_dnnl_describe(int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag,
                                 hlrp_dnnl_desc *desc);
dnnl_status_t hlrp_dnnl_copy(hlrp_dnnl_md from, hlrp_dnnl_desc *desc);
void hlrp_dnnl_forget(hlrp_dnnl_desc *desc);

/* One direction of a convolution. */
typedef struct hlrp_dnnl_operation {
    bool forward;
    dnnl_alg_kind_t algorithm;
    hlrp_dnnl_md src, weights, dst, bias; /* bias: or NULL */
    dnnl_dims_t strides, dilates, pad_lo, pad_hi;
} hlrp_dnnl_operation;

/* What oneDNN prefers for it; dnnl_unimplemented where that is nothing. */
dnnl_status_t hlrp_dnnl_prefer(const hlrp_dnnl_operation *operation,
                               const_dnnl_primitive_attr_t attr, dnnl_engine_t engine,
                               dnnl_primitive_desc_t *pd);

/* The functions of a kernel that is a convolution of oneDNN's. */
typedef struct hlrp_dnnl_way {
    const hlrp_kernel_ops *ops;
    dnnl_alg_kind_t algorithm;
    bool free_layout; /* values in layouts of oneDNN's choice, reordered around it */
    bool naive;       /* its naive kernels will do */
} hlrp_dnnl_way;
hlrp_status hlrp_dnnl_conv_make(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                                const hlrp_dnnl_way *way, hlrp_kernel **out, hlrp_error *err);
hlrp_status hlrp_dnnl_conv_run(const hlrp_kernel *kernel, hlrp_stream *stream, const float *bias,
                               const float *in, float *out, hlrp_error *err);
int64_t hlrp_dnnl_conv_scratch(const hlrp_kernel *kernel);
const char *hlrp_dnnl_conv_text(const hlrp_kernel *kernel);
void hlrp_dnnl_conv_free(hlrp_kernel *kernel);

#endif

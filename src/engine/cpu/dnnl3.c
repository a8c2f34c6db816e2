/* oneDNN 3: opaque memory descriptors, no operation descriptors. Its Winograd for x86 went with 3.2, so
 * that none is asked for. */
#include "engine/cpu/dnnl_conv.h"

dnnl_status_t hlrp_dnnl_describe(int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag,
                                 hlrp_dnnl_desc *desc) {
    return dnnl_memory_desc_create_with_tag(&desc->md, rank, dims, dnnl_f32, tag);
}

dnnl_status_t hlrp_dnnl_copy(hlrp_dnnl_md from, hlrp_dnnl_desc *desc) {
    return dnnl_memory_desc_clone(&desc->md, from);
}

void hlrp_dnnl_forget(hlrp_dnnl_desc *desc) {
    if (desc->md)
        dnnl_memory_desc_destroy(desc->md);
    desc->md = NULL;
}

dnnl_status_t hlrp_dnnl_prefer(const hlrp_dnnl_operation *o, const_dnnl_primitive_attr_t attr,
                               dnnl_engine_t engine, dnnl_primitive_desc_t *pd) {
    if (o->forward)
        return dnnl_convolution_forward_primitive_desc_create(
            pd, engine, dnnl_forward_inference, o->algorithm, o->src, o->weights, o->bias, o->dst,
            o->strides, o->dilates, o->pad_lo, o->pad_hi, attr);
    return dnnl_convolution_backward_data_primitive_desc_create(
        pd, engine, o->algorithm, o->src, o->weights, o->dst, o->strides, o->dilates, o->pad_lo,
        o->pad_hi, NULL, attr);
}

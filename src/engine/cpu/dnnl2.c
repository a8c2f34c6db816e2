/* oneDNN 2: operation descriptors and open memory descriptors; and Winograd, which 3.2 dropped. */
#include "engine/cpu/dnnl_conv.h"

dnnl_status_t hlrp_dnnl_describe(int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag,
                                 hlrp_dnnl_desc *desc) {
    return dnnl_memory_desc_init_by_tag(&desc->md, rank, dims, dnnl_f32, tag);
}

dnnl_status_t hlrp_dnnl_copy(hlrp_dnnl_md from, hlrp_dnnl_desc *desc) {
    desc->md = *from;
    return dnnl_success;
}

void hlrp_dnnl_forget(hlrp_dnnl_desc *desc) {
    (void)desc;
}

dnnl_status_t hlrp_dnnl_prefer(const hlrp_dnnl_operation *o, const_dnnl_primitive_attr_t attr,
                               dnnl_engine_t engine, dnnl_primitive_desc_t *pd) {
    dnnl_convolution_desc_t operation;
    dnnl_status_t status;
    if (o->forward)
        status = dnnl_dilated_convolution_forward_desc_init(
            &operation, dnnl_forward_inference, o->algorithm, o->src, o->weights, o->bias, o->dst,
            o->strides, o->dilates, o->pad_lo, o->pad_hi);
    else
        status = dnnl_dilated_convolution_backward_data_desc_init(&operation, o->algorithm, o->src,
                                                                  o->weights, o->dst, o->strides,
                                                                  o->dilates, o->pad_lo, o->pad_hi);
    return status == dnnl_success ? dnnl_primitive_desc_create(pd, &operation, attr, engine, NULL)
                                  : status;
}

/* Winograd F(4×3): two to three times the direct kernel's speed on 3×3 windows of stride 1, except
 * on small pictures with many channels, where transforming the weights' side costs more; two digits
 * coarser. Only for equal pads: oneDNN 2.6's adjoint is wrong where those above and below differ. */
static bool winograd_pays(const hlrp_backend *backend, const hlrp_linear_spec *s) {
    const hlrp_window *w = &s->window;
    const int64_t pixels = s->dst.h * s->dst.w;
    if (!backend->coarse || s->direct || s->gemm)
        return false;
    for (int a = 0; a < 2; a++)
        if (w->kernel[a] != 3 || w->stride[a] != 1 || w->dilation[a] != 1 || w->pad_lo[a] > 1 ||
            w->pad_lo[a] != w->pad_hi[a])
            return false;
    return s->group == 1 && s->src.c >= 16 && s->dst.c >= 16 &&
           (pixels > 20 * 20 || (pixels > 10 * 10 && s->src.c < 256));
}

static hlrp_status make_winograd(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                                 hlrp_kernel **out, hlrp_error *err) {
    static const hlrp_dnnl_way way = {&hlrp_kernel_winograd, dnnl_convolution_winograd,
                                      .naive = true};
    return hlrp_dnnl_conv_make(backend, spec, forward, &way, out, err);
}

const hlrp_kernel_ops hlrp_kernel_winograd = {.name = "winograd",
                                              .can = winograd_pays,
                                              .make = make_winograd,
                                              .run = hlrp_dnnl_conv_run,
                                              .scratch = hlrp_dnnl_conv_scratch,
                                              .text = hlrp_dnnl_conv_text,
                                              .free = hlrp_dnnl_conv_free};

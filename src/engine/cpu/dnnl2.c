/* Convolutions on oneDNN 2.x: the only file that knows its API of descriptors. Version 3, which dropped
 * operation descriptors and made memory descriptors opaque, would be a second file of this kind. */
#include <stdlib.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#include "engine/cpu/dnnl_library.h"
#include "engine/kernel.h"

struct hlrp_dnnl {
    dnnl_engine_t engine;
};

struct hlrp_dnnl_thread {
    dnnl_stream_t stream;
};

/* One end of a pass: the value's layout, and what the primitive reads or writes instead. */
typedef struct end {
    dnnl_memory_desc_t value, used;
    dnnl_primitive_t reorder; /* NULL where both are the same */
} end;

/* Forward or adjoint: in → primitive → out. */
typedef struct pass {
    hlrp_kernel kernel;
    dnnl_primitive_t primitive;
    int in_arg, out_arg;
    end in, out;
    dnnl_memory_desc_t weights_md, bias_md, scratch_md;
    float *weights; /* packed as weights_md says */
    char text[64];
} pass;

/* ---- engine and streams ---- */

hlrp_status hlrp_dnnl_open(hlrp_dnnl **out, hlrp_error *err) {
    hlrp_dnnl *d = NULL;
    hlrp_status status = hlrp_dnnl_warm_up(err);
    if (status == HLRP_OK)
        status = hlrp_calloc(&d, 1, sizeof *d, "backend", err);
    if (status != HLRP_OK)
        return status;
    const dnnl_status_t made = dnnl_engine_create(&d->engine, dnnl_cpu, 0);
    if (made != dnnl_success) {
        free(d);
        return hlrp_dnnl_failed("creating a processor engine", made, err);
    }
    *out = d;
    return HLRP_OK;
}

void hlrp_dnnl_close(hlrp_dnnl *dnnl) {
    if (!dnnl)
        return;
    dnnl_engine_destroy(dnnl->engine);
    free(dnnl);
}

hlrp_status hlrp_dnnl_thread_open(hlrp_dnnl *dnnl, hlrp_dnnl_thread **out, hlrp_error *err) {
    hlrp_dnnl_thread *t = NULL;
    const hlrp_status status = hlrp_calloc(&t, 1, sizeof *t, "stream", err);
    if (status != HLRP_OK)
        return status;
    const dnnl_status_t made =
        dnnl_stream_create(&t->stream, dnnl->engine, dnnl_stream_default_flags);
    if (made != dnnl_success) {
        free(t);
        return hlrp_dnnl_failed("creating a stream", made, err);
    }
    *out = t;
    return HLRP_OK;
}

void hlrp_dnnl_thread_close(hlrp_dnnl_thread *thread) {
    if (!thread)
        return;
    dnnl_stream_destroy(thread->stream);
    free(thread);
}

/* ---- running primitives ---- */

static dnnl_format_tag_t tag_of(int lanes) {
    return lanes == 16 ? dnnl_aBcd16b : lanes == 8 ? dnnl_aBcd8b : dnnl_abcd;
}

static bool describe(const hlrp_layout *l, dnnl_memory_desc_t *md) {
    const dnnl_dims_t dims = {l->n, l->c, l->h, l->w};
    return dnnl_memory_desc_init_by_tag(md, 4, dims, dnnl_f32, tag_of(l->lanes)) == dnnl_success;
}

typedef struct argument {
    int arg;
    const dnnl_memory_desc_t *md;
    void *data;
} argument;

static dnnl_status_t execute(dnnl_primitive_t primitive, dnnl_stream_t stream, argument *args,
                             int count) {
    enum { MOST = 6 };
    dnnl_exec_arg_t bound[MOST] = {{0}};
    dnnl_engine_t engine = NULL;
    dnnl_status_t status = dnnl_stream_get_engine(stream, &engine);
    int n = 0;
    for (int i = 0; status == dnnl_success && i < count && n < MOST; i++) {
        if (!args[i].data)
            continue;
        bound[n].arg = args[i].arg;
        status = dnnl_memory_create(&bound[n].memory, args[i].md, engine, args[i].data);
        n += status == dnnl_success;
    }
    if (status == dnnl_success)
        status = dnnl_primitive_execute(primitive, stream, n, bound);
    if (status == dnnl_success)
        status = dnnl_stream_wait(stream);
    for (int i = 0; i < n; i++)
        dnnl_memory_destroy(bound[i].memory);
    return status;
}

static bool make_primitive(dnnl_engine_t engine, const void *operation, dnnl_primitive_desc_t *pd) {
    dnnl_primitive_attr_t attr = NULL;
    if (dnnl_primitive_attr_create(&attr) != dnnl_success)
        return false;
    dnnl_status_t status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success)
        status = dnnl_primitive_desc_create(pd, operation, attr, engine, NULL);
    dnnl_primitive_attr_destroy(attr);
    return status == dnnl_success;
}

static bool make_reorder(dnnl_engine_t engine, const dnnl_memory_desc_t *from,
                         const dnnl_memory_desc_t *to, dnnl_primitive_t *out) {
    dnnl_primitive_desc_t pd = NULL;
    if (dnnl_reorder_primitive_desc_create(&pd, from, engine, to, engine, NULL) != dnnl_success)
        return false;
    const bool made = dnnl_primitive_create(out, pd) == dnnl_success;
    dnnl_primitive_desc_destroy(pd);
    return made;
}

static bool link_end(dnnl_engine_t engine, end *e, bool into_primitive) {
    if (dnnl_memory_desc_equal(&e->value, &e->used))
        return true;
    return into_primitive ? make_reorder(engine, &e->value, &e->used, &e->reorder)
                          : make_reorder(engine, &e->used, &e->value, &e->reorder);
}

/* ---- convolutions ---- */

/* What a convolution's descriptors share in both directions. */
typedef struct conv {
    const hlrp_linear_spec *spec;
    dnnl_memory_desc_t weights_plain, weights_any, bias;
    dnnl_dims_t strides, dilates, pad_lo, pad_hi;
} conv;

static bool conv_init(conv *c, const hlrp_linear_spec *spec) {
    *c = (conv){.spec = spec};
    const hlrp_window *w = &spec->window;
    const int64_t g = spec->group, o = spec->dst.c / g, i = spec->src.c / g;
    const dnnl_dims_t grouped = {g, o, i, w->kernel[0], w->kernel[1]};
    const dnnl_dims_t single = {o, i, w->kernel[0], w->kernel[1]};
    const dnnl_dims_t outputs = {spec->dst.c};
    const int rank = g > 1 ? 5 : 4;
    for (int a = 0; a < 2; a++) {
        c->strides[a] = w->stride[a];
        c->dilates[a] = w->dilation[a] - 1; /* oneDNN counts the gaps */
        c->pad_lo[a] = w->pad_lo[a];
        c->pad_hi[a] = w->pad_hi[a];
    }
    return dnnl_memory_desc_init_by_tag(&c->weights_plain, rank, g > 1 ? grouped : single, dnnl_f32,
                                        g > 1 ? dnnl_abcde : dnnl_abcd) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&c->weights_any, rank, g > 1 ? grouped : single, dnnl_f32,
                                        dnnl_format_tag_any) == dnnl_success &&
           dnnl_memory_desc_init_by_tag(&c->bias, 1, outputs, dnnl_f32, dnnl_a) == dnnl_success;
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

static bool conv_describe(conv *c, bool forward, dnnl_alg_kind_t alg, bool free_layout,
                          dnnl_engine_t engine, dnnl_primitive_desc_t *pd) {
    dnnl_memory_desc_t src = {0}, dst = {0};
    if (!describe(&c->spec->src, &src) || !describe(&c->spec->dst, &dst))
        return false;
    if (free_layout) {
        dnnl_memory_desc_init_by_tag(&src, 4, src.dims, dnnl_f32, dnnl_format_tag_any);
        dnnl_memory_desc_init_by_tag(&dst, 4, dst.dims, dnnl_f32, dnnl_format_tag_any);
    }
    dnnl_convolution_desc_t operation;
    dnnl_status_t status;
    if (forward)
        status = dnnl_dilated_convolution_forward_desc_init(
            &operation, dnnl_forward_inference, alg, &src, &c->weights_any,
            c->spec->bias ? &c->bias : NULL, &dst, c->strides, c->dilates, c->pad_lo, c->pad_hi);
    else
        status = dnnl_dilated_convolution_backward_data_desc_init(&operation, alg, &src,
                                                                  &c->weights_any, &dst, c->strides,
                                                                  c->dilates, c->pad_lo, c->pad_hi);
    return status == dnnl_success && make_primitive(engine, &operation, pd);
}

static const char *kernel_name(const_dnnl_primitive_desc_t pd) {
    const char *name = NULL;
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return name ? name : "";
}

static hlrp_status pack_weights(conv *c, pass *p, dnnl_engine_t engine, hlrp_error *err) {
    dnnl_primitive_t reorder = NULL;
    dnnl_stream_t stream = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc_aligned(&p->weights, (int64_t)dnnl_memory_desc_get_size(&p->weights_md), 1,
                                 "packed weights", err));
    argument args[] = {{DNNL_ARG_FROM, &c->weights_plain, NULL},
                       {DNNL_ARG_TO, &p->weights_md, p->weights}};
    memcpy(&args[0].data, &c->spec->weights, sizeof args[0].data);
    dnnl_status_t made = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    if (made == dnnl_success && !make_reorder(engine, &c->weights_plain, &p->weights_md, &reorder))
        made = dnnl_unimplemented;
    if (made == dnnl_success)
        made = execute(reorder, stream, args, 2);
    if (made != dnnl_success)
        status = hlrp_dnnl_failed("packing weights", made, err);
out:
    if (reorder)
        dnnl_primitive_destroy(reorder);
    if (stream)
        dnnl_stream_destroy(stream);
    return status;
}

static int64_t align64(int64_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static int64_t pass_scratch(const hlrp_kernel *kernel) {
    const pass *p = (const pass *)kernel;
    int64_t bytes = align64((int64_t)dnnl_memory_desc_get_size(&p->scratch_md));
    if (p->in.reorder)
        bytes += align64((int64_t)dnnl_memory_desc_get_size(&p->in.used));
    if (p->out.reorder)
        bytes += align64((int64_t)dnnl_memory_desc_get_size(&p->out.used));
    return bytes;
}

static dnnl_status_t run_reorder(dnnl_primitive_t reorder, hlrp_stream *stream,
                                 const dnnl_memory_desc_t *from, void *src,
                                 const dnnl_memory_desc_t *to, void *dst) {
    argument args[] = {{DNNL_ARG_FROM, from, src}, {DNNL_ARG_TO, to, dst}};
    return execute(reorder, stream->dnnl->stream, args, 2);
}

static hlrp_status run_pass(const hlrp_kernel *kernel, hlrp_stream *stream, const float *bias,
                            const float *in, float *out, hlrp_error *err) {
    const pass *p = (const pass *)kernel;
    if (pass_scratch(kernel) > stream->bytes)
        return hlrp_fail(err, HLRP_E_INTERNAL, NULL, NULL,
                         "a stream has too little scratch memory");
    void *used_in = NULL, *used_out = out, *bias_data = NULL;
    memcpy(&used_in, &in, sizeof used_in); /* oneDNN takes inputs without const */
    memcpy(&bias_data, &bias, sizeof bias_data);
    char *scratch = stream->scratch;
    char *next = scratch + align64((int64_t)dnnl_memory_desc_get_size(&p->scratch_md));
    dnnl_status_t status = dnnl_success;
    if (p->in.reorder) {
        status = run_reorder(p->in.reorder, stream, &p->in.value, used_in, &p->in.used, next);
        used_in = next;
        next += align64((int64_t)dnnl_memory_desc_get_size(&p->in.used));
    }
    if (p->out.reorder)
        used_out = next;
    argument args[] = {{p->in_arg, &p->in.used, used_in},
                       {DNNL_ARG_WEIGHTS, &p->weights_md, p->weights},
                       {DNNL_ARG_BIAS, &p->bias_md, bias_data},
                       {p->out_arg, &p->out.used, used_out},
                       {DNNL_ARG_SCRATCHPAD, &p->scratch_md, scratch}};
    if (status == dnnl_success)
        status = execute(p->primitive, stream->dnnl->stream, args, 5);
    if (status == dnnl_success && p->out.reorder)
        status = run_reorder(p->out.reorder, stream, &p->out.used, used_out, &p->out.value, out);
    return status == dnnl_success ? HLRP_OK
                                  : hlrp_dnnl_failed("running a convolution", status, err);
}

/* ---- making a pass ---- */

static void free_pass(hlrp_kernel *kernel) {
    pass *p = (pass *)kernel;
    dnnl_primitive_t all[] = {p->primitive, p->in.reorder, p->out.reorder};
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        if (all[i])
            dnnl_primitive_destroy(all[i]);
    free(p->weights);
    free(p);
}

/* The pass that a primitive makes; takes pd. */
static hlrp_status make_pass(conv *c, bool forward, dnnl_engine_t engine, dnnl_primitive_desc_t pd,
                             pass *p, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    end *src = forward ? &p->in : &p->out, *dst = forward ? &p->out : &p->in;
    p->in_arg = forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST;
    p->out_arg = forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC;
    src->used =
        *dnnl_primitive_desc_query_md(pd, forward ? dnnl_query_src_md : dnnl_query_diff_src_md, 0);
    dst->used =
        *dnnl_primitive_desc_query_md(pd, forward ? dnnl_query_dst_md : dnnl_query_diff_dst_md, 0);
    p->weights_md = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    p->scratch_md = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    p->bias_md = c->bias;
    snprintf(p->text, sizeof p->text, "%s", kernel_name(pd));
    const bool made = describe(&c->spec->src, &src->value) &&
                      describe(&c->spec->dst, &dst->value) && link_end(engine, &p->in, true) &&
                      link_end(engine, &p->out, false) &&
                      dnnl_primitive_create(&p->primitive, pd) == dnnl_success;
    if (!made)
        status = hlrp_dnnl_failed("creating a convolution", dnnl_unimplemented, err);
    dnnl_primitive_desc_destroy(pd);
    return status == HLRP_OK ? pack_weights(c, p, engine, err) : status;
}

/* What oneDNN has for the shape; *pd stays NULL where that is nothing, or one of its naive kernels and
 * those are not wanted. */
static void find(conv *c, bool forward, dnnl_alg_kind_t alg, bool free_layout, bool naive,
                 dnnl_engine_t engine, dnnl_primitive_desc_t *pd) {
    if (!conv_describe(c, forward, alg, free_layout, engine, pd)) {
        *pd = NULL;
    } else if (!naive && strncmp(kernel_name(*pd), "ref", 3) == 0) {
        dnnl_primitive_desc_destroy(*pd);
        *pd = NULL;
    }
}

static hlrp_status make(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                        const hlrp_kernel_ops *ops, dnnl_alg_kind_t alg, bool free_layout,
                        bool naive, hlrp_kernel **out, hlrp_error *err) {
    conv c;
    pass *p = NULL;
    dnnl_primitive_desc_t pd = NULL;
    hlrp_status status = HLRP_OK;
    *out = NULL;
    if (!conv_init(&c, spec))
        return hlrp_dnnl_failed("describing a convolution", dnnl_invalid_arguments, err);
    find(&c, forward, alg, free_layout, naive, backend->dnnl->engine, &pd);
    if (!pd)
        return HLRP_OK;
    status = hlrp_calloc(&p, 1, sizeof *p, "linear map", err);
    if (status != HLRP_OK) {
        dnnl_primitive_desc_destroy(pd);
        return status;
    }
    p->kernel.ops = ops;
    status = make_pass(&c, forward, backend->dnnl->engine, pd, p, err);
    if (status == HLRP_OK)
        *out = &p->kernel;
    else
        free_pass(&p->kernel);
    return status;
}

static const char *text(const hlrp_kernel *kernel) {
    return ((const pass *)kernel)->text;
}

static bool is_conv(const hlrp_backend *backend, const hlrp_linear_spec *spec) {
    (void)backend;
    return !spec->gemm;
}

/* ---- the three ways ---- */

static hlrp_status make_winograd(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                                 hlrp_kernel **out, hlrp_error *err) {
    return make(backend, spec, forward, &hlrp_kernel_winograd, dnnl_convolution_winograd, false,
                true, out, err);
}

/* On the values' own layouts. Naive kernels are left to the next one. */
static hlrp_status make_direct(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                               hlrp_kernel **out, hlrp_error *err) {
    return make(backend, spec, forward, &hlrp_kernel_direct, dnnl_convolution_direct, false, false,
                out, err);
}

/* On a layout of the library's choice, reordered around it. */
static hlrp_status make_reordered(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                                  hlrp_kernel **out, hlrp_error *err) {
    return make(backend, spec, forward, &hlrp_kernel_reordered, dnnl_convolution_direct, true, true,
                out, err);
}

const hlrp_kernel_ops hlrp_kernel_winograd = {"winograd",   winograd_pays, make_winograd, run_pass,
                                              pass_scratch, text,          free_pass};
const hlrp_kernel_ops hlrp_kernel_direct = {"direct",     is_conv, make_direct, run_pass,
                                            pass_scratch, text,    free_pass};
const hlrp_kernel_ops hlrp_kernel_reordered = {"reordered",  is_conv, make_reordered, run_pass,
                                               pass_scratch, text,    free_pass};

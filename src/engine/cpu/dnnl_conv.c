/* Convolutions on oneDNN, in the values' own layouts or with reorders around them: what its versions
 * have in common. */
#include "engine/cpu/dnnl_conv.h"

#include <stdlib.h>
#include <string.h>

#include "engine/cpu/dnnl_library.h"

struct hlrp_dnnl {
    dnnl_engine_t engine;
};

struct hlrp_dnnl_thread {
    dnnl_stream_t stream;
};

/* One end of a pass: the value's layout, and what the primitive reads or writes instead. */
typedef struct end {
    hlrp_dnnl_desc value, used;
    dnnl_primitive_t reorder; /* NULL where both are the same */
} end;

/* Forward or adjoint: in → primitive → out. */
typedef struct pass {
    hlrp_kernel kernel;
    dnnl_primitive_t primitive;
    int in_arg, out_arg;
    end in, out;
    hlrp_dnnl_desc weights_desc, bias_desc, scratch_desc;
    float *weights; /* packed as weights_desc says */
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

static dnnl_status_t describe(const hlrp_layout *l, dnnl_format_tag_t tag, hlrp_dnnl_desc *desc) {
    const dnnl_dims_t dims = {l->n, l->c, l->h, l->w};
    return hlrp_dnnl_describe(4, dims, tag, desc);
}

/* Bytes, in whole cache lines. */
static int64_t room_for(const hlrp_dnnl_desc *desc) {
    return ((int64_t)dnnl_memory_desc_get_size(hlrp_dnnl_md_of(desc)) + 63) / 64 * 64;
}

typedef struct argument {
    int arg;
    const hlrp_dnnl_desc *desc;
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
        status = dnnl_memory_create(&bound[n].memory, hlrp_dnnl_md_of(args[i].desc), engine,
                                    args[i].data);
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

static dnnl_status_t make_reorder(dnnl_engine_t engine, const hlrp_dnnl_desc *from,
                                  const hlrp_dnnl_desc *to, dnnl_primitive_t *out) {
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t status = dnnl_reorder_primitive_desc_create(&pd, hlrp_dnnl_md_of(from), engine,
                                                              hlrp_dnnl_md_of(to), engine, NULL);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_create(out, pd);
    dnnl_primitive_desc_destroy(pd);
    return status;
}

static dnnl_status_t link_end(dnnl_engine_t engine, end *e, bool into_primitive) {
    if (dnnl_memory_desc_equal(hlrp_dnnl_md_of(&e->value), hlrp_dnnl_md_of(&e->used)))
        return dnnl_success;
    return into_primitive ? make_reorder(engine, &e->value, &e->used, &e->reorder)
                          : make_reorder(engine, &e->used, &e->value, &e->reorder);
}

/* ---- convolutions ---- */

/* A convolution as it is asked for; what lies in a layout of oneDNN's choice has the tag any. */
typedef struct conv {
    const hlrp_linear_spec *spec;
    hlrp_dnnl_desc src, dst, weights_plain, weights_any, bias;
    hlrp_dnnl_operation operation;
} conv;

static void conv_free(conv *c) {
    hlrp_dnnl_desc *all[] = {&c->src, &c->dst, &c->weights_plain, &c->weights_any, &c->bias};
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        hlrp_dnnl_forget(all[i]);
}

static dnnl_status_t describe_parameters(conv *c) {
    const hlrp_linear_spec *s = c->spec;
    const int64_t *kernel = s->window.kernel;
    const int64_t g = s->group, o = s->dst.c / g, i = s->src.c / g;
    const dnnl_dims_t grouped = {g, o, i, kernel[0], kernel[1]};
    const dnnl_dims_t single = {o, i, kernel[0], kernel[1]};
    const dnnl_dims_t outputs = {s->dst.c};
    const int rank = g > 1 ? 5 : 4;
    const int64_t *dims = g > 1 ? grouped : single;
    dnnl_status_t status =
        hlrp_dnnl_describe(rank, dims, g > 1 ? dnnl_abcde : dnnl_abcd, &c->weights_plain);
    if (status == dnnl_success)
        status = hlrp_dnnl_describe(rank, dims, dnnl_format_tag_any, &c->weights_any);
    if (status == dnnl_success)
        status = hlrp_dnnl_describe(1, outputs, dnnl_a, &c->bias);
    return status;
}

static dnnl_status_t conv_init(conv *c, const hlrp_linear_spec *spec, bool forward,
                               const hlrp_dnnl_way *way) {
    const hlrp_window *w = &spec->window;
    const dnnl_format_tag_t any = dnnl_format_tag_any;
    *c = (conv){.spec = spec};
    dnnl_status_t status = describe_parameters(c);
    if (status == dnnl_success)
        status = describe(&spec->src, way->free_layout ? any : tag_of(spec->src.lanes), &c->src);
    if (status == dnnl_success)
        status = describe(&spec->dst, way->free_layout ? any : tag_of(spec->dst.lanes), &c->dst);
    c->operation = (hlrp_dnnl_operation){.forward = forward,
                                         .algorithm = way->algorithm,
                                         .src = hlrp_dnnl_md_of(&c->src),
                                         .weights = hlrp_dnnl_md_of(&c->weights_any),
                                         .dst = hlrp_dnnl_md_of(&c->dst),
                                         .bias = spec->bias ? hlrp_dnnl_md_of(&c->bias) : NULL};
    for (int a = 0; a < 2; a++) {
        c->operation.strides[a] = w->stride[a];
        c->operation.dilates[a] = w->dilation[a] - 1; /* oneDNN counts the gaps */
        c->operation.pad_lo[a] = w->pad_lo[a];
        c->operation.pad_hi[a] = w->pad_hi[a];
    }
    return status;
}

static const char *kernel_name(const_dnnl_primitive_desc_t pd) {
    const char *name = NULL;
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return name ? name : "";
}

static hlrp_status pack_weights(const conv *c, pass *p, dnnl_engine_t engine, hlrp_error *err) {
    dnnl_primitive_t reorder = NULL;
    dnnl_stream_t stream = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(
        hlrp_calloc_aligned(&p->weights, room_for(&p->weights_desc), 1, "packed weights", err));
    argument args[] = {{DNNL_ARG_FROM, &c->weights_plain, NULL},
                       {DNNL_ARG_TO, &p->weights_desc, p->weights}};
    memcpy(&args[0].data, &c->spec->weights, sizeof args[0].data);
    dnnl_status_t made = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    if (made == dnnl_success)
        made = make_reorder(engine, &c->weights_plain, &p->weights_desc, &reorder);
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

int64_t hlrp_dnnl_conv_scratch(const hlrp_kernel *kernel) {
    const pass *p = (const pass *)kernel;
    int64_t bytes = room_for(&p->scratch_desc);
    if (p->in.reorder)
        bytes += room_for(&p->in.used);
    if (p->out.reorder)
        bytes += room_for(&p->out.used);
    return bytes;
}

static dnnl_status_t run_reorder(dnnl_primitive_t reorder, hlrp_stream *stream,
                                 const hlrp_dnnl_desc *from, void *src, const hlrp_dnnl_desc *to,
                                 void *dst) {
    argument args[] = {{DNNL_ARG_FROM, from, src}, {DNNL_ARG_TO, to, dst}};
    return execute(reorder, stream->dnnl->stream, args, 2);
}

hlrp_status hlrp_dnnl_conv_run(const hlrp_kernel *kernel, hlrp_stream *stream, const float *bias,
                               const float *in, float *out, hlrp_error *err) {
    const pass *p = (const pass *)kernel;
    if (hlrp_dnnl_conv_scratch(kernel) > stream->bytes)
        return hlrp_fail(err, HLRP_E_INTERNAL, NULL, NULL,
                         "a stream has too little scratch memory");
    void *used_in = NULL, *used_out = out, *bias_data = NULL;
    memcpy(&used_in, &in, sizeof used_in); /* oneDNN takes inputs without const */
    memcpy(&bias_data, &bias, sizeof bias_data);
    char *scratch = stream->scratch;
    char *next = scratch + room_for(&p->scratch_desc);
    dnnl_status_t status = dnnl_success;
    if (p->in.reorder) {
        status = run_reorder(p->in.reorder, stream, &p->in.value, used_in, &p->in.used, next);
        used_in = next;
        next += room_for(&p->in.used);
    }
    if (p->out.reorder)
        used_out = next;
    argument args[] = {{p->in_arg, &p->in.used, used_in},
                       {DNNL_ARG_WEIGHTS, &p->weights_desc, p->weights},
                       {DNNL_ARG_BIAS, &p->bias_desc, bias_data},
                       {p->out_arg, &p->out.used, used_out},
                       {DNNL_ARG_SCRATCHPAD, &p->scratch_desc, scratch}};
    if (status == dnnl_success)
        status = execute(p->primitive, stream->dnnl->stream, args, 5);
    if (status == dnnl_success && p->out.reorder)
        status = run_reorder(p->out.reorder, stream, &p->out.used, used_out, &p->out.value, out);
    return status == dnnl_success ? HLRP_OK
                                  : hlrp_dnnl_failed("running a convolution", status, err);
}

/* ---- making a pass ---- */

void hlrp_dnnl_conv_free(hlrp_kernel *kernel) {
    pass *p = (pass *)kernel;
    dnnl_primitive_t primitives[] = {p->primitive, p->in.reorder, p->out.reorder};
    hlrp_dnnl_desc *descs[] = {&p->in.value,     &p->in.used,   &p->out.value,   &p->out.used,
                               &p->weights_desc, &p->bias_desc, &p->scratch_desc};
    for (size_t i = 0; i < HLRP_COUNT(primitives); i++)
        if (primitives[i])
            dnnl_primitive_destroy(primitives[i]);
    for (size_t i = 0; i < HLRP_COUNT(descs); i++)
        hlrp_dnnl_forget(descs[i]);
    free(p->weights);
    free(p);
}

/* The layouts that a primitive uses. */
static dnnl_status_t describe_pass(const conv *c, const_dnnl_primitive_desc_t pd, pass *p) {
    const bool forward = c->operation.forward;
    end *src = forward ? &p->in : &p->out, *dst = forward ? &p->out : &p->in;
    const struct {
        dnnl_query_t what;
        hlrp_dnnl_desc *desc;
    } asked[] = {{forward ? dnnl_query_src_md : dnnl_query_diff_src_md, &src->used},
                 {forward ? dnnl_query_dst_md : dnnl_query_diff_dst_md, &dst->used},
                 {dnnl_query_weights_md, &p->weights_desc},
                 {dnnl_query_scratchpad_md, &p->scratch_desc}};
    dnnl_status_t status = hlrp_dnnl_copy(hlrp_dnnl_md_of(&c->bias), &p->bias_desc);
    for (size_t i = 0; status == dnnl_success && i < HLRP_COUNT(asked); i++)
        status = hlrp_dnnl_copy(dnnl_primitive_desc_query_md(pd, asked[i].what, 0), asked[i].desc);
    if (status == dnnl_success)
        status = describe(&c->spec->src, tag_of(c->spec->src.lanes), &src->value);
    if (status == dnnl_success)
        status = describe(&c->spec->dst, tag_of(c->spec->dst.lanes), &dst->value);
    return status;
}

/* The pass that a primitive makes. */
static hlrp_status make_pass(const conv *c, dnnl_engine_t engine, const_dnnl_primitive_desc_t pd,
                             pass *p, hlrp_error *err) {
    const bool forward = c->operation.forward;
    p->in_arg = forward ? DNNL_ARG_SRC : DNNL_ARG_DIFF_DST;
    p->out_arg = forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_SRC;
    snprintf(p->text, sizeof p->text, "%s", kernel_name(pd));
    dnnl_status_t status = describe_pass(c, pd, p);
    if (status == dnnl_success)
        status = link_end(engine, &p->in, true);
    if (status == dnnl_success)
        status = link_end(engine, &p->out, false);
    if (status == dnnl_success)
        status = dnnl_primitive_create(&p->primitive, pd);
    return status == dnnl_success ? pack_weights(c, p, engine, err)
                                  : hlrp_dnnl_failed("creating a convolution", status, err);
}

/* What oneDNN has for the convolution; *pd stays NULL where that is nothing, or one of its naive kernels
 * and those are not wanted. */
static dnnl_status_t find(const conv *c, bool naive, dnnl_engine_t engine,
                          dnnl_primitive_desc_t *pd) {
    dnnl_primitive_attr_t attr = NULL;
    dnnl_status_t status = dnnl_primitive_attr_create(&attr);
    if (status != dnnl_success)
        return status;
    status = dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && hlrp_dnnl_prefer(&c->operation, attr, engine, pd) != dnnl_success)
        *pd = NULL;
    dnnl_primitive_attr_destroy(attr);
    if (*pd && !naive && strncmp(kernel_name(*pd), "ref", 3) == 0) {
        dnnl_primitive_desc_destroy(*pd);
        *pd = NULL;
    }
    return status;
}

hlrp_status hlrp_dnnl_conv_make(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                                const hlrp_dnnl_way *way, hlrp_kernel **out, hlrp_error *err) {
    const dnnl_engine_t engine = backend->dnnl->engine;
    conv c;
    pass *p = NULL;
    dnnl_primitive_desc_t pd = NULL;
    hlrp_status status = HLRP_OK;
    *out = NULL;
    dnnl_status_t found = conv_init(&c, spec, forward, way);
    if (found == dnnl_success)
        found = find(&c, way->naive, engine, &pd);
    if (found != dnnl_success)
        status = hlrp_dnnl_failed("describing a convolution", found, err);
    if (!pd)
        goto out;
    HLRP_TRY(hlrp_calloc(&p, 1, sizeof *p, "linear map", err));
    p->kernel.ops = way->ops;
    HLRP_TRY(make_pass(&c, engine, pd, p, err));
    *out = &p->kernel;
    p = NULL;
out:
    if (p)
        hlrp_dnnl_conv_free(&p->kernel);
    if (pd)
        dnnl_primitive_desc_destroy(pd);
    conv_free(&c);
    return status;
}

const char *hlrp_dnnl_conv_text(const hlrp_kernel *kernel) {
    return ((const pass *)kernel)->text;
}

/* ---- two ways ---- */

static bool is_conv(const hlrp_backend *backend, const hlrp_linear_spec *spec) {
    (void)backend;
    return !spec->gemm;
}

/* On the values' own layouts. Naive kernels are left to the next one. */
static hlrp_status make_direct(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                               hlrp_kernel **out, hlrp_error *err) {
    static const hlrp_dnnl_way way = {&hlrp_kernel_direct, dnnl_convolution_direct, false, false};
    return hlrp_dnnl_conv_make(backend, spec, forward, &way, out, err);
}

/* On a layout of the library's choice, reordered around it. */
static hlrp_status make_reordered(hlrp_backend *backend, const hlrp_linear_spec *spec, bool forward,
                                  hlrp_kernel **out, hlrp_error *err) {
    static const hlrp_dnnl_way way = {&hlrp_kernel_reordered, dnnl_convolution_direct, true, true};
    return hlrp_dnnl_conv_make(backend, spec, forward, &way, out, err);
}

const hlrp_kernel_ops hlrp_kernel_direct = {"direct",
                                            is_conv,
                                            make_direct,
                                            hlrp_dnnl_conv_run,
                                            hlrp_dnnl_conv_scratch,
                                            hlrp_dnnl_conv_text,
                                            hlrp_dnnl_conv_free};
const hlrp_kernel_ops hlrp_kernel_reordered = {"reordered",
                                               is_conv,
                                               make_reordered,
                                               hlrp_dnnl_conv_run,
                                               hlrp_dnnl_conv_scratch,
                                               hlrp_dnnl_conv_text,
                                               hlrp_dnnl_conv_free};

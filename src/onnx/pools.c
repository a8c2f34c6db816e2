/* Pooling and padding: what works on H and W without weights. */
#include "onnx/internal.h"

/* A pool along one axis is one of a picture of one row: [N,C,L] → [N,C,1,L], and back. */
static hlrp_status pool_1d(onnx_reader *r, const hlrp_operator *op, int64_t kernel, hlrp_node **n,
                           hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_node *aside = NULL;
    hlrp_window window;
    int wide = -1, out = -1, id = 0;

    HLRP_TRY(onnx_window_1d(r, kernel, &window, err));
    window.ceil = onnx_int(r, "ceil_mode", 0) != 0;
    HLRP_TRY(onnx_add_between(r, "rows", &wide, err));
    HLRP_TRY(onnx_add_between(r, "pool", &out, err));
    HLRP_TRY(onnx_emit_to(r, &hlrp_op_unsqueeze, r->in, 1, wide, &aside, err));
    aside->ints = (hlrp_dims){.rank = 1, .d = {2}};
    HLRP_TRY(onnx_emit_to(r, op, &wide, 1, out, n, err));
    (*n)->window = window;
    id = r->g->node_count - 1;
    HLRP_TRY(onnx_emit(r, &hlrp_op_squeeze, &out, 1, &aside, err));
    aside->ints = (hlrp_dims){.rank = 1, .d = {2}};
    *n = &r->g->nodes[id]; /* adding a node may have moved it */

out:
    return status;
}

static hlrp_status pool(onnx_reader *r, const hlrp_operator *op, hlrp_node **n, hlrp_error *err) {
    hlrp_window window;
    hlrp_dims kernel = {0};
    hlrp_status status = onnx_ints(r, "kernel_shape", &kernel, err);
    if (status != HLRP_OK)
        return status;
    if (kernel.rank == 1)
        return pool_1d(r, op, kernel.d[0], n, err);
    if (kernel.rank != 2)
        return onnx_refuse(r, err, "only pictures are supported", "pooling in %d dimensions",
                           kernel.rank);
    status = onnx_window(r, NULL, &window, err);
    if (status == HLRP_OK)
        status = onnx_emit(r, op, r->in, 1, n, err);
    if (status == HLRP_OK)
        (*n)->window = window;
    return status;
}

hlrp_status onnx_maxpool(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    return pool(r, &hlrp_op_maxpool, &n, err);
}

hlrp_status onnx_avgpool(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    bool count_pad = onnx_int(r, "count_include_pad", 0) != 0;
    hlrp_status status = pool(r, &hlrp_op_avgpool, &n, err);
    if (status == HLRP_OK)
        n->window.count_pad = count_pad;
    return status;
}

hlrp_status onnx_global_avgpool(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    hlrp_status status = onnx_emit(r, &hlrp_op_global_avgpool, r->in, 1, &n, err);
    if (status == HLRP_OK)
        n->keepdims = true;
    return status;
}

/* ---- Pad ---- */

/* The constant that is padded with: only 0 leaves nothing for relevance to go to. */
static hlrp_status pad_value(const onnx_reader *r, hlrp_error *err) {
    float value = r->opset < 11 ? onnx_float(r, "value", 0) : 0;
    if (!onnx_string_is(r, "mode", "constant", true))
        return onnx_refuse(r, err, "pad with zeros", "padding of another mode than constant");
    if (r->opset >= 11 && onnx_has(r, 2)) {
        const hlrp_tensor *t = onnx_constant(r, 2);
        if (!t || t->dtype != HLRP_F32 || hlrp_tensor_count(t) > 1)
            return onnx_refuse(r, err, NULL, "a padding value that is not one constant number");
        value = hlrp_tensor_count(t) == 1 ? t->f[0] : 0;
    }
    return value == 0 ? HLRP_OK
                      : onnx_refuse(r, err, "pad with zeros", "padding with %g", (double)value);
}

/* Where pads say (begins, then ends): all axes, or `axes`. */
static bool pad_window(const hlrp_dims *pads, const hlrp_dims *axes, hlrp_window *w) {
    int half = pads->rank / 2;
    if (pads->rank % 2 != 0 || (axes->rank == 0 ? half != 4 : half != axes->rank))
        return false;
    for (int k = 0; k < half; k++) {
        int64_t axis = axes->rank == 0 ? k : axes->d[k] < 0 ? axes->d[k] + 4 : axes->d[k];
        int64_t lo = pads->d[k], hi = pads->d[half + k], most = INT64_C(1) << 20;
        if (axis < 0 || axis > 3 || (axis < 2 && (lo != 0 || hi != 0)) || lo > most || hi > most ||
            lo < -most || hi < -most)
            return false;
        if (axis >= 2) {
            w->pad_lo[axis - 2] = lo;
            w->pad_hi[axis - 2] = hi;
        }
    }
    return true;
}

/* Zeros along any axis, where all of them are told. */
static hlrp_status border(onnx_reader *r, const hlrp_dims *pads, const hlrp_dims *axes,
                          hlrp_error *err) {
    hlrp_node *n = NULL;
    const int half = pads->rank / 2;
    bool fine = axes->rank == 0 && pads->rank % 2 == 0 && half > 0;
    for (int k = 0; fine && k < pads->rank; k++)
        fine = pads->d[k] >= 0 && pads->d[k] <= INT64_C(1) << 20;
    if (!fine)
        return onnx_refuse(r, err, NULL, "padding that crops, or of some axes");
    const hlrp_status status = onnx_emit(r, &hlrp_op_border, r->in, 1, &n, err);
    for (int k = 0; status == HLRP_OK && k < half; k++) {
        n->ints.d[k] = pads->d[k];
        n->more.d[k] = pads->d[half + k];
        n->ints.rank = n->more.rank = half;
    }
    return status;
}

hlrp_status onnx_pad(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_dims pads = {0}, axes = {0};
    hlrp_window window = {0};
    hlrp_node *n = NULL;

    HLRP_TRY(pad_value(r, err));
    if (r->opset < 11)
        HLRP_TRY(onnx_ints(r, "pads", &pads, err));
    else if (onnx_computed(r, 1) && onnx_dtype(r, 1) == HLRP_I64 && !onnx_has(r, 3))
        return onnx_emit(r, &hlrp_op_border, r->in, 2, NULL, err);
    else
        HLRP_TRY(onnx_int_input(r, 1, &pads, err));
    if (onnx_has(r, 3))
        HLRP_TRY(onnx_int_input(r, 3, &axes, err));
    if (!pad_window(&pads, &axes, &window))
        return border(r, &pads, &axes, err);
    HLRP_TRY(onnx_emit(r, &hlrp_op_pad, r->in, 1, &n, err));
    for (int a = 0; a < 2; a++) {
        n->window.pad_lo[a] = window.pad_lo[a];
        n->window.pad_hi[a] = window.pad_hi[a];
    }

out:
    return status;
}

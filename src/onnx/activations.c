/* Activations, and what passes its input on. */
#include <math.h>
#include <string.h>

#include "onnx/internal.h"

static hlrp_status one_to_one(onnx_reader *r, const hlrp_operator *op, hlrp_node **n,
                              hlrp_error *err) {
    return onnx_emit(r, op, r->in, 1, n, err);
}

hlrp_status onnx_leaky_relu(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    hlrp_status status = one_to_one(r, &hlrp_op_leaky_relu, &n, err);
    if (status == HLRP_OK)
        n->alpha = onnx_float(r, "alpha", 0.01F);
    return status;
}

hlrp_status onnx_elu(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    hlrp_status status = one_to_one(r, &hlrp_op_elu, &n, err);
    if (status == HLRP_OK)
        n->alpha = onnx_float(r, "alpha", 1);
    return status;
}

/* A bound: attribute before operator set 11, then a constant input. */
static hlrp_status bound(const onnx_reader *r, const char *name, int input, float otherwise,
                         float *out, hlrp_error *err) {
    *out = otherwise;
    if (r->opset < 11) {
        *out = onnx_float(r, name, otherwise);
        return HLRP_OK;
    }
    if (!onnx_has(r, input))
        return HLRP_OK;
    const hlrp_tensor *t = onnx_constant(r, input);
    if (!t || t->dtype != HLRP_F32 || hlrp_tensor_count(t) != 1)
        return onnx_refuse(r, err, NULL, "a bound %s that is not one constant number", name);
    *out = t->f[0];
    return HLRP_OK;
}

hlrp_status onnx_clip(onnx_reader *r, hlrp_error *err) {
    float lo = 0, hi = 0;
    hlrp_node *n = NULL;
    hlrp_status status = bound(r, "min", 1, -INFINITY, &lo, err);
    if (status == HLRP_OK)
        status = bound(r, "max", 2, INFINITY, &hi, err);
    if (status == HLRP_OK)
        status = one_to_one(r, &hlrp_op_clip, &n, err);
    if (status == HLRP_OK) {
        n->lo = lo;
        n->hi = hi;
    }
    return status;
}

/* Softmax and LogSoftmax: cut at the output later, which needs the axis. Before operator set 13 the
 * input counts as a matrix split at the axis (default 1), from then on it is one axis (default −1).
 */
hlrp_status onnx_softmax(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    int64_t axis = onnx_int(r, "axis", r->opset < 13 ? 1 : -1);
    if (axis < -HLRP_MAX_RANK || axis >= HLRP_MAX_RANK)
        return onnx_refuse(r, err, NULL, "axis %lld", (long long)axis);
    const bool log = strcmp(r->node->op_type, "LogSoftmax") == 0;
    hlrp_status status = one_to_one(r, log ? &hlrp_op_log_softmax : &hlrp_op_softmax, &n, err);
    if (status == HLRP_OK) {
        n->axis = (int)axis;
        n->part = r->opset < 13;
    }
    return status;
}

hlrp_status onnx_identity(onnx_reader *r, hlrp_error *err) {
    return one_to_one(r, &hlrp_op_identity, NULL, err);
}

hlrp_status onnx_dropout(onnx_reader *r, hlrp_error *err) {
    const hlrp_tensor *training = onnx_constant(r, 2);
    if (onnx_computed(r, 2) || (r->opset < 7 && onnx_int(r, "is_test", 0) == 0) ||
        (training && hlrp_tensor_count(training) > 0 &&
         (training->dtype == HLRP_I64 ? training->i[0] != 0 : training->f[0] != 0)))
        return onnx_refuse(r, err, NULL, "dropout in training mode");
    return one_to_one(r, &hlrp_op_identity, NULL, err);
}

static hlrp_status cast_constant(onnx_reader *r, const hlrp_tensor *x, bool to_float,
                                 hlrp_error *err) {
    hlrp_tensor *y = NULL;
    const int64_t count = hlrp_tensor_count(x);
    hlrp_status status = hlrp_graph_spend(r->g, count * (to_float ? 1 : 2), err);
    if (status == HLRP_OK)
        status = hlrp_tensor_new(&x->dims, to_float ? HLRP_F32 : HLRP_I64, &y, err);
    if (status != HLRP_OK)
        return status;
    for (int64_t k = 0; k < count; k++) {
        if (to_float)
            y->f[k] = x->dtype == HLRP_F32 ? x->f[k] : (float)x->i[k];
        else if (x->dtype == HLRP_I64)
            y->i[k] = x->i[k];
        else if (x->f[k] > -9e18F && x->f[k] < 9e18F)
            y->i[k] = (int64_t)x->f[k];
    }
    return onnx_emit_constant(r, y, err);
}

hlrp_status onnx_cast(onnx_reader *r, hlrp_error *err) {
    int64_t to = onnx_int(r, "to", 0);
    bool to_float = to > 0 && to < 100 && onnx_is_float((int)to);
    if (!to_float && !(to > 0 && to < 100 && onnx_is_integer((int)to)))
        return onnx_refuse(r, err, NULL, "a cast to the ONNX data type %lld", (long long)to);
    if (onnx_constant(r, 0))
        return cast_constant(r, onnx_constant(r, 0), to_float, err);
    if (to_float != (onnx_dtype(r, 0) == HLRP_F32))
        return onnx_cast_computed(r, to_float, err);
    return one_to_one(r, &hlrp_op_identity, NULL, err);
}

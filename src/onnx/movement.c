/* What moves data, and the arithmetic of shapes. */
#include <stdlib.h>

#include "onnx/internal.h"

static hlrp_status checked_axis(const onnx_reader *r, const char *name, int64_t otherwise, int *out,
                                hlrp_error *err) {
    int64_t axis = onnx_int(r, name, otherwise);
    *out = (int)axis;
    if (axis < -HLRP_MAX_RANK || axis > HLRP_MAX_RANK)
        return onnx_refuse(r, err, NULL, "axis %lld", (long long)axis);
    return HLRP_OK;
}

hlrp_status onnx_concat(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    int axis = 0;
    hlrp_dtype dtype = onnx_dtype(r, 0);
    hlrp_status status = checked_axis(r, "axis", 1, &axis, err);
    for (int k = 0; status == HLRP_OK && k < r->in_count; k++) {
        if (!onnx_has(r, k) || onnx_dtype(r, k) != dtype)
            status = onnx_refuse(r, err, NULL, "a join of different types");
    }
    if (status == HLRP_OK)
        status = onnx_emit(r, &hlrp_op_concat, r->in, r->in_count, &n, err);
    if (status == HLRP_OK)
        n->axis = axis;
    return status;
}

hlrp_status onnx_flatten(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    int axis = 0;
    hlrp_status status = checked_axis(r, "axis", 1, &axis, err);
    if (status == HLRP_OK && !onnx_computed(r, 0))
        return onnx_refuse(r, err, NULL, "a constant that is flattened");
    if (status == HLRP_OK)
        status = onnx_emit(r, &hlrp_op_flatten, r->in, 1, &n, err);
    if (status == HLRP_OK)
        n->axis = axis;
    return status;
}

hlrp_status onnx_reshape(onnx_reader *r, hlrp_error *err) {
    const hlrp_tensor *shape = onnx_constant(r, 1);
    if (!onnx_has(r, 1) || onnx_dtype(r, 1) != HLRP_I64)
        return onnx_refuse(r, err, NULL, "a shape that is not made of integers");
    if (onnx_int(r, "allowzero", 0) != 0)
        for (int64_t k = 0; !shape || k < hlrp_tensor_count(shape); k++)
            if (!shape || shape->i[k] == 0)
                return onnx_refuse(r, err, NULL, "allowzero = 1");
    return onnx_emit(r, &hlrp_op_reshape, r->in, 2, NULL, err);
}

hlrp_status onnx_transpose(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    hlrp_dims perm = {0};
    hlrp_status status = onnx_ints(r, "perm", &perm, err);
    if (status == HLRP_OK)
        status = onnx_emit(r, &hlrp_op_transpose, r->in, 1, &n, err);
    if (status == HLRP_OK)
        n->ints = perm;
    return status;
}

/* axes: an attribute before operator set 13, then an input. */
static hlrp_status with_axes(onnx_reader *r, const hlrp_operator *op, bool needed,
                             hlrp_error *err) {
    hlrp_node *n = NULL;
    hlrp_dims axes = {0};
    hlrp_status status = HLRP_OK;
    if (r->opset < 13)
        status = onnx_ints(r, "axes", &axes, err);
    else if (onnx_has(r, 1))
        status = onnx_int_input(r, 1, &axes, err);
    if (status == HLRP_OK && needed && axes.rank == 0)
        return onnx_refuse(r, err, NULL, "missing axes");
    if (status == HLRP_OK)
        status = onnx_emit(r, op, r->in, 1, &n, err);
    if (status == HLRP_OK)
        n->ints = axes;
    return status;
}

hlrp_status onnx_squeeze(onnx_reader *r, hlrp_error *err) {
    return with_axes(r, &hlrp_op_squeeze, false, err);
}

hlrp_status onnx_unsqueeze(onnx_reader *r, hlrp_error *err) {
    return with_axes(r, &hlrp_op_unsqueeze, true, err);
}

hlrp_status onnx_shape(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    hlrp_status status = onnx_emit(r, &hlrp_op_shape, r->in, 1, &n, err);
    if (status != HLRP_OK)
        return status;
    n->ints.rank = onnx_attribute(r, "end") ? 2 : 1;
    n->ints.d[0] = HLRP_MIN(HLRP_MAX(onnx_int(r, "start", 0), -64), 64);
    n->ints.d[1] = HLRP_MIN(HLRP_MAX(onnx_int(r, "end", 0), -64), 64);
    return HLRP_OK;
}

hlrp_status onnx_gather(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    int axis = 0;
    hlrp_status status = checked_axis(r, "axis", 0, &axis, err);
    if (status == HLRP_OK && (!onnx_has(r, 1) || onnx_dtype(r, 1) != HLRP_I64))
        return onnx_refuse(r, err, NULL, "indices that are not integers");
    if (status == HLRP_OK)
        status = onnx_emit(r, &hlrp_op_gather, r->in, 2, &n, err);
    if (status == HLRP_OK)
        n->axis = axis;
    return status;
}

hlrp_status onnx_expand(onnx_reader *r, hlrp_error *err) {
    if (onnx_dtype(r, 1) != HLRP_I64)
        return onnx_refuse(r, err, NULL, "a shape that is not made of integers");
    return onnx_emit(r, &hlrp_op_expand, r->in, 2, NULL, err);
}

hlrp_status onnx_tile(onnx_reader *r, hlrp_error *err) {
    if (r->opset < 6 || onnx_dtype(r, 1) != HLRP_I64)
        return onnx_refuse(r, err, NULL, "repeats that are not integers");
    return onnx_emit(r, &hlrp_op_tile, r->in, 2, NULL, err);
}

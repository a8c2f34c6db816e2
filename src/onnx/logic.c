/* Comparisons, choices and filling: the arithmetic of shapes and masks. */
#include <math.h>
#include <string.h>

#include "onnx/internal.h"

static hlrp_status emit_as(onnx_reader *r, const hlrp_operator *op, int in_count, hlrp_dtype dtype,
                           hlrp_node **n, hlrp_error *err) {
    const hlrp_status status = onnx_emit(r, op, r->in, in_count, n, err);
    if (status == HLRP_OK)
        r->g->values[r->g->nodes[r->g->node_count - 1].out[0]].dtype = dtype;
    return status;
}

static hlrp_status missing(const onnx_reader *r, int inputs, hlrp_error *err) {
    for (int k = 0; k < inputs; k++)
        if (!onnx_has(r, k))
            return onnx_refuse(r, err, NULL, "an input is missing");
    return HLRP_OK;
}

static const struct {
    const char *type;
    const hlrp_operator *op;
} pairs[] = {
    {"And", &hlrp_op_both},        {"Equal", &hlrp_op_equal},
    {"Greater", &hlrp_op_greater}, {"GreaterOrEqual", &hlrp_op_greater_or_equal},
    {"Less", &hlrp_op_less},       {"LessOrEqual", &hlrp_op_less_or_equal},
    {"Or", &hlrp_op_either},
};

hlrp_status onnx_compare(onnx_reader *r, hlrp_error *err) {
    const hlrp_status status = missing(r, 2, err);
    if (status != HLRP_OK)
        return status;
    for (size_t k = 0; k < HLRP_COUNT(pairs); k++)
        if (strcmp(r->node->op_type, pairs[k].type) == 0)
            return emit_as(r, pairs[k].op, 2, HLRP_I64, NULL, err);
    return onnx_refuse(r, err, NULL, "this comparison");
}

hlrp_status onnx_not(onnx_reader *r, hlrp_error *err) {
    return emit_as(r, &hlrp_op_not, 1, HLRP_I64, NULL, err);
}

hlrp_status onnx_whole(onnx_reader *r, hlrp_error *err) {
    const bool ceil = strcmp(r->node->op_type, "Ceil") == 0;
    return emit_as(r, ceil ? &hlrp_op_ceil : &hlrp_op_floor, 1, HLRP_F32, NULL, err);
}

hlrp_status onnx_mod(onnx_reader *r, hlrp_error *err) {
    const hlrp_status status = missing(r, 2, err);
    if (status != HLRP_OK)
        return status;
    if (onnx_int(r, "fmod", 0) != 0 || onnx_dtype(r, 0) != HLRP_I64)
        return onnx_refuse(r, err, NULL, "the remainder of real numbers");
    return emit_as(r, &hlrp_op_remainder, 2, HLRP_I64, NULL, err);
}

/* Of two integers; of data with a constant number a Clip; of several tensors their extremum. */
hlrp_status onnx_min_max(onnx_reader *r, hlrp_error *err) {
    const bool least = strcmp(r->node->op_type, "Min") == 0;
    const hlrp_status status = missing(r, 1, err);
    hlrp_node *n = NULL;
    if (status != HLRP_OK)
        return status;
    if (r->in_count == 2 && onnx_dtype(r, 0) == HLRP_I64 && onnx_dtype(r, 1) == HLRP_I64)
        return emit_as(r, least ? &hlrp_op_least : &hlrp_op_most, 2, HLRP_I64, NULL, err);
    for (int k = 0; k < r->in_count; k++)
        if (!onnx_has(r, k) || onnx_dtype(r, k) != HLRP_F32)
            return onnx_refuse(r, err, NULL, "the extremum of different types");
    const int data = onnx_computed(r, 0) ? 0 : 1;
    const hlrp_tensor *bound = r->in_count == 2 ? onnx_constant(r, 1 - data) : NULL;
    if (!bound || hlrp_tensor_count(bound) != 1)
        return onnx_emit(r, least ? &hlrp_op_minimum : &hlrp_op_maximum, r->in, r->in_count, NULL,
                         err);
    r->in[0] = r->in[data];
    const hlrp_status emitted = onnx_emit(r, &hlrp_op_clip, r->in, 1, &n, err);
    if (emitted == HLRP_OK) {
        n->lo = least ? -INFINITY : bound->f[0];
        n->hi = least ? bound->f[0] : INFINITY;
    }
    return emitted;
}

hlrp_status onnx_where(onnx_reader *r, hlrp_error *err) {
    const hlrp_status status = missing(r, 3, err);
    if (status != HLRP_OK)
        return status;
    if (onnx_dtype(r, 1) != onnx_dtype(r, 2))
        return onnx_refuse(r, err, NULL, "a choice between different types");
    return emit_as(r, &hlrp_op_where, 3, onnx_dtype(r, 1), NULL, err);
}

hlrp_status onnx_scatter(onnx_reader *r, hlrp_error *err) {
    const hlrp_status status = missing(r, 3, err);
    if (status != HLRP_OK)
        return status;
    if (onnx_dtype(r, 1) != HLRP_I64 || onnx_dtype(r, 0) != onnx_dtype(r, 2) ||
        !onnx_string_is(r, "reduction", "none", true))
        return onnx_refuse(r, err, NULL, "this way of writing into a tensor");
    return emit_as(r, &hlrp_op_scatter, 3, onnx_dtype(r, 0), NULL, err);
}

hlrp_status onnx_gather_nd(onnx_reader *r, hlrp_error *err) {
    const hlrp_status status = missing(r, 2, err);
    if (status != HLRP_OK)
        return status;
    if (onnx_dtype(r, 1) != HLRP_I64 || onnx_int(r, "batch_dims", 0) != 0)
        return onnx_refuse(r, err, NULL, "this way of picking");
    return emit_as(r, &hlrp_op_pick, 2, onnx_dtype(r, 0), NULL, err);
}

hlrp_status onnx_range(onnx_reader *r, hlrp_error *err) {
    const hlrp_status status = missing(r, 3, err);
    if (status != HLRP_OK)
        return status;
    for (int k = 0; k < 3; k++)
        if (onnx_dtype(r, k) != HLRP_I64)
            return onnx_refuse(r, err, NULL, "a range of real numbers");
    return emit_as(r, &hlrp_op_range, 3, HLRP_I64, NULL, err);
}

/* A ConstantOfShape whose shape is computed. */
hlrp_status onnx_filled(onnx_reader *r, const hlrp_tensor *fill, hlrp_error *err) {
    hlrp_node *n = NULL;
    const bool integers = fill && fill->dtype == HLRP_I64;
    if (onnx_dtype(r, 0) != HLRP_I64)
        return onnx_refuse(r, err, NULL, "a shape that is not made of integers");
    const hlrp_status status =
        emit_as(r, &hlrp_op_filled, 1, integers ? HLRP_I64 : HLRP_F32, &n, err);
    if (status != HLRP_OK)
        return status;
    n->group = integers ? 2 : 1;
    n->part = integers ? fill->i[0] : 0;
    n->alpha = fill && !integers ? fill->f[0] : 0;
    return HLRP_OK;
}

/* Of a computed value, between numbers and integers. */
hlrp_status onnx_cast_computed(onnx_reader *r, bool to_float, hlrp_error *err) {
    hlrp_node *n = NULL;
    const hlrp_status status =
        emit_as(r, &hlrp_op_cast, 1, to_float ? HLRP_F32 : HLRP_I64, &n, err);
    if (status == HLRP_OK)
        n->group = to_float ? 1 : 2;
    return status;
}

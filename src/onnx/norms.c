/* Normalization, and reductions over axes. */
#include <string.h>

#include "onnx/internal.h"

/* Further outputs, mean and deviation, get no value: a reader of theirs is refused. */
static hlrp_status normalized(onnx_reader *r, const hlrp_operator *op, hlrp_node **n,
                              hlrp_error *err) {
    const int in[3] = {r->in[0], onnx_has(r, 1) ? r->in[1] : -1, onnx_has(r, 2) ? r->in[2] : -1};
    if (onnx_computed(r, 1) || onnx_computed(r, 2))
        return onnx_refuse(r, err, NULL, "a scale or a bias that is computed");
    if (onnx_dtype(r, 1) != HLRP_F32 || onnx_dtype(r, 2) != HLRP_F32)
        return onnx_refuse(r, err, NULL, "a scale or a bias of integers");
    const hlrp_status status = onnx_emit(r, op, in, 3, n, err);
    if (status == HLRP_OK)
        (*n)->lo = onnx_float(r, "epsilon", 1e-5F);
    return status;
}

static hlrp_status along_axis(onnx_reader *r, const hlrp_operator *op, hlrp_error *err) {
    hlrp_node *n = NULL;
    const int64_t axis = onnx_int(r, "axis", -1);
    if (axis < -HLRP_MAX_RANK || axis >= HLRP_MAX_RANK)
        return onnx_refuse(r, err, NULL, "axis %lld", (long long)axis);
    const hlrp_status status = normalized(r, op, &n, err);
    if (status == HLRP_OK)
        n->axis = (int)axis;
    return status;
}

hlrp_status onnx_layernorm(onnx_reader *r, hlrp_error *err) {
    return along_axis(r, &hlrp_op_layernorm, err);
}

hlrp_status onnx_rmsnorm(onnx_reader *r, hlrp_error *err) {
    return along_axis(r, &hlrp_op_rmsnorm, err);
}

hlrp_status onnx_groupnorm(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    if (r->opset < 21)
        return onnx_refuse(r, err, "export it with operator set 17 or 21",
                           "a scale per group, as operator set 18 has it");
    const hlrp_status status = normalized(r, &hlrp_op_groupnorm, &n, err);
    if (status == HLRP_OK)
        n->group = onnx_int(r, "num_groups", 1);
    return status;
}

hlrp_status onnx_instancenorm(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    return normalized(r, &hlrp_op_instancenorm, &n, err);
}

hlrp_status onnx_lrn(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    const int64_t size = onnx_int(r, "size", 0);
    if (size < 1)
        return onnx_refuse(r, err, NULL, "a size of %lld", (long long)size);
    const hlrp_status status = onnx_emit(r, &hlrp_op_local_response, r->in, 1, &n, err);
    if (status != HLRP_OK)
        return status;
    n->group = size;
    n->alpha = onnx_float(r, "alpha", 1e-4F);
    n->lo = onnx_float(r, "beta", 0.75F);
    n->hi = onnx_float(r, "bias", 1);
    return HLRP_OK;
}

/* ---- reductions ---- */

/* The operator set from which axes are an input. */
static const struct {
    const char *type;
    const hlrp_operator *op;
    int axes_since;
} reductions[] = {
    {"ReduceMean", &hlrp_op_reduce_mean, 18},
    {"ReduceSum", &hlrp_op_reduce_sum, 13},
    {"ReduceMax", &hlrp_op_reduce_max, 18},
    {"ReduceL2", &hlrp_op_reduce_l2, 18},
};

/* H and W of [N,C,H,W], in any order, counted from either end. */
static bool spatial_axes(const hlrp_dims *axes) {
    if (axes->rank != 2)
        return false;
    int64_t a = axes->d[0] < 0 ? axes->d[0] + 4 : axes->d[0];
    int64_t b = axes->d[1] < 0 ? axes->d[1] + 4 : axes->d[1];
    return (a == 2 && b == 3) || (a == 3 && b == 2);
}

hlrp_status onnx_reduce(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_dims axes = {0};
    hlrp_node *n = NULL;
    size_t k = 0;
    while (k + 1 < HLRP_COUNT(reductions) && strcmp(r->node->op_type, reductions[k].type) != 0)
        k++;
    if (r->opset < reductions[k].axes_since)
        HLRP_TRY(onnx_ints(r, "axes", &axes, err));
    else if (onnx_has(r, 1))
        HLRP_TRY(onnx_int_input(r, 1, &axes, err));
    if (axes.rank == 0 && onnx_int(r, "noop_with_empty_axes", 0) != 0)
        return onnx_emit(r, &hlrp_op_identity, r->in, 1, NULL, err);
    const bool pool = reductions[k].op == &hlrp_op_reduce_mean && spatial_axes(&axes);
    HLRP_TRY(onnx_emit(r, pool ? &hlrp_op_global_avgpool : reductions[k].op, r->in, 1, &n, err));
    n->keepdims = onnx_int(r, "keepdims", 1) != 0;
    n->ints = pool ? (hlrp_dims){0} : axes;

out:
    return status;
}

hlrp_status onnx_global_maxpool(onnx_reader *r, hlrp_error *err) {
    hlrp_node *n = NULL;
    const hlrp_status status = onnx_emit(r, &hlrp_op_reduce_max, r->in, 1, &n, err);
    if (status == HLRP_OK) {
        n->keepdims = true;
        n->ints = (hlrp_dims){.rank = 2, .d = {2, 3}};
    }
    return status;
}

/* x / ‖x‖₂ along an axis. */
hlrp_status onnx_lp_norm(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_node *n = NULL;
    int length = -1;
    if (onnx_int(r, "p", 2) != 2)
        return onnx_refuse(r, err, NULL, "a norm other than the Euclidean one");
    HLRP_TRY(onnx_add_between(r, "length", &length, err));
    HLRP_TRY(onnx_emit_to(r, &hlrp_op_reduce_l2, r->in, 1, length, &n, err));
    n->keepdims = true;
    n->ints = (hlrp_dims){.rank = 1, .d = {onnx_int(r, "axis", -1)}};
    const int in[2] = {r->in[0], length};
    HLRP_TRY(onnx_emit(r, &hlrp_op_quotient, in, 2, NULL, err));

out:
    return status;
}

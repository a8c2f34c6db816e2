/* Elementwise arithmetic: sums of computed tensors, and computed tensors with constants. */
#include "onnx/internal.h"

/* Both constant, or both shape arithmetic: evaluated, now or once the input size is known. */
static bool evaluated(const onnx_reader *r) {
    return (onnx_constant(r, 0) && onnx_constant(r, 1)) ||
           (onnx_dtype(r, 0) == HLRP_I64 && onnx_dtype(r, 1) == HLRP_I64);
}

/* op(computed, constant), in this order in the graph, swapped where op commutes; of two computed tensors
 * `computed`. */
static hlrp_status with_constant(onnx_reader *r, const hlrp_operator *op, bool commutes,
                                 const hlrp_operator *computed, hlrp_error *err) {
    int in[2] = {r->in[0], r->in[1]};
    if (r->opset < 7 && onnx_attribute(r, "axis")) /* broadcasting that is not numpy's */
        return onnx_refuse(r, err, "export it with operator set 7 or later", "attribute axis");
    if (evaluated(r))
        return onnx_emit(r, op, in, 2, NULL, err);
    if (onnx_dtype(r, 0) != HLRP_F32 || onnx_dtype(r, 1) != HLRP_F32)
        return onnx_refuse(r, err, NULL, "inputs of different types");
    if (onnx_computed(r, 0) && onnx_computed(r, 1))
        return onnx_emit(r, computed, in, 2, NULL, err);
    if (commutes && onnx_constant(r, 0)) {
        in[0] = r->in[1];
        in[1] = r->in[0];
    }
    return onnx_emit(r, op, in, 2, NULL, err);
}

hlrp_status onnx_mul(onnx_reader *r, hlrp_error *err) {
    return with_constant(r, &hlrp_op_mul, true, &hlrp_op_gate, err);
}

/* c / x = c · (1/x). */
static hlrp_status constant_over(onnx_reader *r, hlrp_error *err) {
    int inverse = -1;
    hlrp_status status = onnx_add_between(r, "inverse", &inverse, err);
    if (status == HLRP_OK)
        status = onnx_emit_to(r, &hlrp_op_reciprocal, &r->in[1], 1, inverse, NULL, err);
    const int in[2] = {inverse, r->in[0]};
    return status == HLRP_OK ? onnx_emit(r, &hlrp_op_mul, in, 2, NULL, err) : status;
}

hlrp_status onnx_div(onnx_reader *r, hlrp_error *err) {
    const bool real = onnx_dtype(r, 0) == HLRP_F32 && onnx_dtype(r, 1) == HLRP_F32;
    if (real && onnx_constant(r, 0) && onnx_computed(r, 1))
        return constant_over(r, err);
    return with_constant(r, &hlrp_op_div, false, &hlrp_op_quotient, err);
}

/* c − x = (−1)·x + c. */
static hlrp_status constant_minus(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *minus = NULL;
    const hlrp_dims scalar = {0};
    int between = -1, factor = -1;

    HLRP_TRY(hlrp_tensor_new(&scalar, HLRP_F32, &minus, err));
    minus->f[0] = -1;
    HLRP_TRY(onnx_add_constant(r, "minus", minus, &factor, err));
    HLRP_TRY(onnx_add_between(r, "negated", &between, err));
    int negate[2] = {r->in[1], factor}, add[2] = {between, r->in[0]};
    HLRP_TRY(onnx_emit_to(r, &hlrp_op_mul, negate, 2, between, NULL, err));
    HLRP_TRY(onnx_emit(r, &hlrp_op_add_const, add, 2, NULL, err));

out:
    return status;
}

/* a − b = a + (−b). */
static hlrp_status difference(onnx_reader *r, hlrp_error *err) {
    int minus = -1;
    hlrp_status status = onnx_add_between(r, "negated", &minus, err);
    if (status == HLRP_OK)
        status = onnx_emit_to(r, &hlrp_op_neg, &r->in[1], 1, minus, NULL, err);
    const int in[2] = {r->in[0], minus};
    return status == HLRP_OK ? onnx_emit(r, &hlrp_op_add, in, 2, NULL, err) : status;
}

hlrp_status onnx_sub(onnx_reader *r, hlrp_error *err) {
    const bool real = onnx_dtype(r, 0) == HLRP_F32 && onnx_dtype(r, 1) == HLRP_F32;
    if (real && onnx_constant(r, 0) && onnx_computed(r, 1))
        return constant_minus(r, err);
    if (real && onnx_computed(r, 0) && onnx_computed(r, 1))
        return difference(r, err);
    return with_constant(r, &hlrp_op_sub, false, NULL, err);
}

hlrp_status onnx_add(onnx_reader *r, hlrp_error *err) {
    return with_constant(r, &hlrp_op_add_const, true, &hlrp_op_add, err);
}

/* A sum, and its share of each. */
hlrp_status onnx_mean(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *share = NULL;
    const hlrp_dims scalar = {0};
    int sum = -1, factor = -1;
    for (int k = 0; k < r->in_count; k++)
        if (!onnx_computed(r, k) || onnx_dtype(r, k) != HLRP_F32)
            return onnx_refuse(r, err, NULL, "a mean of anything but computed tensors");
    HLRP_TRY(hlrp_tensor_new(&scalar, HLRP_F32, &share, err));
    share->f[0] = 1 / (float)r->in_count;
    HLRP_TRY(onnx_add_constant(r, "share", share, &factor, err));
    HLRP_TRY(onnx_add_between(r, "sum", &sum, err));
    HLRP_TRY(onnx_emit_to(r, &hlrp_op_add, r->in, r->in_count, sum, NULL, err));
    const int in[2] = {sum, factor};
    HLRP_TRY(onnx_emit(r, &hlrp_op_mul, in, 2, NULL, err));

out:
    return status;
}

/* Sum of any number of inputs; the mixed case is refused but for two. */
hlrp_status onnx_sum(onnx_reader *r, hlrp_error *err) {
    int computed = 0;
    for (int k = 0; k < r->in_count; k++) {
        if (onnx_dtype(r, k) != HLRP_F32 || !onnx_has(r, k))
            return onnx_refuse(r, err, NULL, "a sum of integers or of nothing");
        computed += onnx_computed(r, k);
    }
    if (r->in_count == 1)
        return onnx_emit(r, &hlrp_op_identity, r->in, 1, NULL, err);
    if (r->in_count == 2)
        return onnx_add(r, err);
    if (computed != r->in_count && computed != 0)
        return onnx_refuse(r, err, NULL, "a sum of computed tensors and constants");
    return onnx_emit(r, &hlrp_op_add, r->in, r->in_count, NULL, err);
}

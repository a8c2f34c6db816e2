/* Functions of one number, and those with parameters of their own. */
#include <string.h>

#include "onnx/internal.h"

/* Types that become the operator of one input as it is. */
static const struct {
    const char *type;
    const hlrp_operator *op;
} plain[] = {
    {"Abs", &hlrp_op_abs},
    {"Erf", &hlrp_op_erf},
    {"Exp", &hlrp_op_exp},
    {"HardSwish", &hlrp_op_hard_swish},
    {"Log", &hlrp_op_log},
    {"Mish", &hlrp_op_mish},
    {"Reciprocal", &hlrp_op_reciprocal},
    {"Relu", &hlrp_op_relu},
    {"Sigmoid", &hlrp_op_sigmoid},
    {"Softplus", &hlrp_op_softplus},
    {"Softsign", &hlrp_op_softsign},
    {"Sqrt", &hlrp_op_sqrt},
    {"Tanh", &hlrp_op_tanh},
};

hlrp_status onnx_function(onnx_reader *r, hlrp_error *err) {
    if (onnx_dtype(r, 0) != HLRP_F32)
        return onnx_refuse(r, err, NULL, "a function of integers");
    for (size_t k = 0; k < HLRP_COUNT(plain); k++)
        if (strcmp(r->node->op_type, plain[k].type) == 0)
            return onnx_emit(r, plain[k].op, r->in, 1, NULL, err);
    return onnx_refuse(r, err, NULL, "this function");
}

hlrp_status onnx_neg(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *minus = NULL;
    const hlrp_dims scalar = {0};
    int factor = -1;
    if (onnx_dtype(r, 0) == HLRP_F32)
        return onnx_emit(r, &hlrp_op_neg, r->in, 1, NULL, err);
    HLRP_TRY(hlrp_tensor_new(&scalar, HLRP_I64, &minus, err));
    minus->i[0] = -1;
    HLRP_TRY(onnx_add_constant(r, "minus", minus, &factor, err));
    const int in[2] = {r->in[0], factor};
    HLRP_TRY(onnx_emit(r, &hlrp_op_mul, in, 2, NULL, err));

out:
    return status;
}

static hlrp_status with_parameters(onnx_reader *r, const hlrp_operator *op, float alpha, float lo,
                                   hlrp_error *err) {
    hlrp_node *n = NULL;
    const hlrp_status status = onnx_emit(r, op, r->in, 1, &n, err);
    if (status == HLRP_OK) {
        n->alpha = alpha;
        n->lo = lo;
    }
    return status;
}

hlrp_status onnx_hard_sigmoid(onnx_reader *r, hlrp_error *err) {
    return with_parameters(r, &hlrp_op_hard_sigmoid, onnx_float(r, "alpha", 0.2F),
                           onnx_float(r, "beta", 0.5F), err);
}

hlrp_status onnx_selu(onnx_reader *r, hlrp_error *err) {
    return with_parameters(r, &hlrp_op_selu, onnx_float(r, "alpha", 1.67326324F),
                           onnx_float(r, "gamma", 1.05070102F), err);
}

hlrp_status onnx_celu(onnx_reader *r, hlrp_error *err) {
    return with_parameters(r, &hlrp_op_celu, onnx_float(r, "alpha", 1), 0, err);
}

hlrp_status onnx_threshold(onnx_reader *r, hlrp_error *err) {
    return with_parameters(r, &hlrp_op_threshold, onnx_float(r, "alpha", 1), 0, err);
}

hlrp_status onnx_swish(onnx_reader *r, hlrp_error *err) {
    return with_parameters(r, &hlrp_op_swish, onnx_float(r, "alpha", 1), 0, err);
}

hlrp_status onnx_gelu(onnx_reader *r, hlrp_error *err) {
    const bool by_tanh = onnx_string_is(r, "approximate", "tanh", false);
    return onnx_emit(r, by_tanh ? &hlrp_op_gelu_tanh : &hlrp_op_gelu, r->in, 1, NULL, err);
}

/* To the power of one constant number. */
hlrp_status onnx_pow(onnx_reader *r, hlrp_error *err) {
    const hlrp_tensor *by = onnx_constant(r, 1);
    if (!by || hlrp_tensor_count(by) != 1 || onnx_dtype(r, 0) != HLRP_F32)
        return onnx_refuse(r, err, NULL, "a power that is not one constant number");
    const float exponent = by->dtype == HLRP_F32 ? by->f[0] : (float)by->i[0];
    if (exponent == 0.5F)
        return onnx_emit(r, &hlrp_op_sqrt, r->in, 1, NULL, err);
    return with_parameters(r, &hlrp_op_power, exponent, 0, err);
}

/* One slope, or one per channel. */
hlrp_status onnx_prelu(onnx_reader *r, hlrp_error *err) {
    const hlrp_tensor *slope = onnx_constant(r, 1);
    hlrp_tensor *vector = NULL;
    int in[2] = {r->in[0], -1};
    hlrp_status status = HLRP_OK;
    if (!slope || slope->dtype != HLRP_F32)
        return onnx_refuse(r, err, NULL, "slopes that are not constant");
    HLRP_TRY(hlrp_tensor_copy(slope, &vector, err));
    vector->dims = (hlrp_dims){.rank = 1, .d = {hlrp_tensor_count(slope)}};
    HLRP_TRY(onnx_add_constant(r, "slopes", vector, &in[1], err));
    HLRP_TRY(onnx_emit(r, &hlrp_op_prelu, in, 2, NULL, err));

out:
    return status;
}

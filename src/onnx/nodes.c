/* The registry of operators, and what converters share. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/internal.h"

/* 2^30 elements are 4 GiB of float32: far above networks for pictures, and a bound for what a few
 * bytes of a file can make of memory. */
#define MAX_ELEMENTS (INT64_C(1) << 30)

/* Alphabetical. Versions within HLRP_ONNX_OPSET_MIN…MAX are the converters' business. */
static const struct {
    const char *type;
    int since; /* operator set that brought it */
    onnx_convert_fn convert;
} operators[] = {
    {"Abs", 1, onnx_function},
    {"Add", 1, onnx_add},
    {"And", 1, onnx_compare},
    {"AveragePool", 1, onnx_avgpool},
    {"BatchNormalization", 1, onnx_batchnorm},
    {"Cast", 1, onnx_cast},
    {"Ceil", 1, onnx_whole},
    {"Celu", 1, onnx_celu},
    {"Clip", 1, onnx_clip},
    {"Concat", 1, onnx_concat},
    {"Constant", 1, onnx_constant_node},
    {"ConstantOfShape", 9, onnx_constant_of_shape},
    {"Conv", 1, onnx_conv},
    {"Div", 1, onnx_div},
    {"Dropout", 1, onnx_dropout},
    {"Einsum", 12, onnx_einsum},
    {"Elu", 1, onnx_elu},
    {"Equal", 1, onnx_compare},
    {"Erf", 1, onnx_function},
    {"Exp", 1, onnx_function},
    {"Expand", 1, onnx_expand},
    {"Flatten", 1, onnx_flatten},
    {"Floor", 1, onnx_whole},
    {"Gather", 1, onnx_gather},
    {"GatherND", 11, onnx_gather_nd},
    {"Gelu", 1, onnx_gelu},
    {"Gemm", 1, onnx_gemm},
    {"GlobalAveragePool", 1, onnx_global_avgpool},
    {"GlobalMaxPool", 1, onnx_global_maxpool},
    {"Greater", 1, onnx_compare},
    {"GreaterOrEqual", 1, onnx_compare},
    {"GroupNormalization", 1, onnx_groupnorm},
    {"HardSigmoid", 1, onnx_hard_sigmoid},
    {"HardSwish", 1, onnx_function},
    {"Identity", 1, onnx_identity},
    {"InstanceNormalization", 1, onnx_instancenorm},
    {"LRN", 1, onnx_lrn},
    {"LayerNormalization", 1, onnx_layernorm},
    {"LeakyRelu", 1, onnx_leaky_relu},
    {"Less", 1, onnx_compare},
    {"LessOrEqual", 1, onnx_compare},
    {"Log", 1, onnx_function},
    {"LogSoftmax", 1, onnx_softmax},
    {"LpNormalization", 1, onnx_lp_norm},
    {"MatMul", 1, onnx_matmul},
    {"Max", 1, onnx_min_max},
    {"MaxPool", 1, onnx_maxpool},
    {"Mean", 8, onnx_mean},
    {"Min", 1, onnx_min_max},
    {"Mish", 1, onnx_function},
    {"Mod", 1, onnx_mod},
    {"Mul", 1, onnx_mul},
    {"Neg", 1, onnx_neg},
    {"Not", 1, onnx_not},
    {"Or", 1, onnx_compare},
    {"PRelu", 1, onnx_prelu},
    {"Pad", 1, onnx_pad},
    {"Pow", 1, onnx_pow},
    {"RMSNormalization", 1, onnx_rmsnorm},
    {"Range", 1, onnx_range},
    {"Reciprocal", 1, onnx_function},
    {"ReduceL2", 1, onnx_reduce},
    {"ReduceMax", 1, onnx_reduce},
    {"ReduceMean", 1, onnx_reduce},
    {"ReduceSum", 1, onnx_reduce},
    {"Relu", 1, onnx_function},
    {"Reshape", 1, onnx_reshape},
    {"Resize", 1, onnx_resize},
    {"ScatterND", 11, onnx_scatter},
    {"Selu", 1, onnx_selu},
    {"Shape", 1, onnx_shape},
    {"Sigmoid", 1, onnx_function},
    {"Slice", 1, onnx_slice},
    {"Softmax", 1, onnx_softmax},
    {"Softplus", 1, onnx_function},
    {"Softsign", 1, onnx_function},
    {"Split", 2, onnx_split},
    {"Sqrt", 1, onnx_function},
    {"Squeeze", 1, onnx_squeeze},
    {"Sub", 1, onnx_sub},
    {"Sum", 1, onnx_sum},
    {"Swish", 1, onnx_swish},
    {"Tanh", 1, onnx_function},
    {"ThresholdedRelu", 1, onnx_threshold},
    {"Tile", 1, onnx_tile},
    {"Transpose", 1, onnx_transpose},
    {"Unsqueeze", 1, onnx_unsqueeze},
    {"Upsample", 1, onnx_resize},
    {"Where", 1, onnx_where},
};

const char *hlrp_onnx_operator(int index) {
    return index >= 0 && index < (int)HLRP_COUNT(operators) ? operators[index].type : NULL;
}

static hlrp_status refuse(const onnx_reader *r, hlrp_error *err, onnx_stand_in given,
                          const char *mend, const char *what, va_list args) {
    char text[400], where[300];
    vsnprintf(text, sizeof text, what, args);
    snprintf(where, sizeof where, "node %s, %s", r->node_name, r->node->op_type);
    r->refusals->pending = given;
    return hlrp_fail(err, HLRP_E_MODEL, where,
                     mend ? mend
                          : "exporting again helps only if training left it behind: "
                            "model.eval() first",
                     "not supported: %s", text);
}

hlrp_status onnx_refuse(const onnx_reader *r, hlrp_error *err, const char *mend, const char *what,
                        ...) {
    va_list args;
    va_start(args, what);
    const hlrp_status status = refuse(r, err, ONNX_GIVES_UNKNOWN, mend, what, args);
    va_end(args);
    return status;
}

hlrp_status onnx_refuse_product(const onnx_reader *r, hlrp_error *err, const char *what, ...) {
    va_list args;
    va_start(args, what);
    const hlrp_status status = refuse(r, err, ONNX_GIVES_TENSOR, NULL, what, args);
    va_end(args);
    return status;
}

/* ---- inputs ---- */

bool onnx_has(const onnx_reader *r, int input) {
    return input < r->in_count && r->in[input] >= 0;
}

const hlrp_tensor *onnx_constant(const onnx_reader *r, int input) {
    return onnx_has(r, input) ? r->g->values[r->in[input]].constant : NULL;
}

bool onnx_computed(const onnx_reader *r, int input) {
    return onnx_has(r, input) && !onnx_constant(r, input);
}

hlrp_dtype onnx_dtype(const onnx_reader *r, int input) {
    return onnx_has(r, input) ? r->g->values[r->in[input]].dtype : HLRP_F32;
}

hlrp_status onnx_int_input(const onnx_reader *r, int input, hlrp_dims *out, hlrp_error *err) {
    const hlrp_tensor *t = onnx_constant(r, input);
    if (!t || t->dtype != HLRP_I64 || t->dims.rank > 1 || hlrp_tensor_count(t) > HLRP_MAX_RANK)
        return onnx_refuse(r, err, NULL, "input %d, which is not a short constant of integers",
                           input);
    out->rank = (int)hlrp_tensor_count(t);
    for (int k = 0; k < out->rank; k++)
        out->d[k] = t->i[k];
    return HLRP_OK;
}

/* ---- outputs ---- */

static hlrp_status account(onnx_reader *r, const hlrp_tensor *constant, hlrp_error *err) {
    r->elements += hlrp_tensor_count(constant);
    if (r->elements <= MAX_ELEMENTS)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_MODEL, r->node_name, "check the model file",
                     "constants of more than %lld elements", (long long)MAX_ELEMENTS);
}

hlrp_status onnx_add_constant(onnx_reader *r, const char *suffix, hlrp_tensor *constant, int *id,
                              hlrp_error *err) {
    char *name = NULL;
    hlrp_status status = account(r, constant, err);
    if (status == HLRP_OK)
        status = hlrp_graph_spend(r->g, hlrp_tensor_count(constant), err);
    if (status == HLRP_OK)
        status = hlrp_format(&name, err, "%.300s/%s", r->node_name, suffix);
    if (status != HLRP_OK) {
        hlrp_tensor_free(constant);
        return status;
    }
    *id = hlrp_graph_add_value(r->g, name, constant, err);
    free(name);
    return *id < 0 ? err->status : HLRP_OK;
}

hlrp_status onnx_add_between(onnx_reader *r, const char *suffix, int *id, hlrp_error *err) {
    char *name = NULL;
    hlrp_status status = hlrp_format(&name, err, "%.300s/%s", r->node_name, suffix);
    if (status != HLRP_OK)
        return status;
    *id = hlrp_graph_add_value(r->g, name, NULL, err);
    free(name);
    return *id < 0 ? err->status : HLRP_OK;
}

/* The id of the file's first output, which comes to be here. */
static hlrp_status first_output(onnx_reader *r, hlrp_tensor *constant, int *id, hlrp_error *err) {
    const char *name = r->node->output[0];
    *id = hlrp_graph_add_value(r->g, name, constant, err);
    return *id < 0 ? err->status : onnx_names_add(&r->names, name, *id, err);
}

hlrp_status onnx_emit_constant(onnx_reader *r, hlrp_tensor *constant, hlrp_error *err) {
    int id = -1;
    hlrp_status status = account(r, constant, err);
    if (status != HLRP_OK) {
        hlrp_tensor_free(constant);
        return status;
    }
    return first_output(r, constant, &id, err);
}

hlrp_status onnx_emit_to(onnx_reader *r, const hlrp_operator *op, const int *in, int in_count,
                         int to, hlrp_node **out, hlrp_error *err) {
    int node =
        hlrp_graph_add_node(r->g, op, r->node_name, r->node->op_type, in, in_count, &to, 1, err);
    if (node < 0)
        return err->status;
    if (out)
        *out = &r->g->nodes[node];
    return HLRP_OK;
}

hlrp_status onnx_emit(onnx_reader *r, const hlrp_operator *op, const int *in, int in_count,
                      hlrp_node **out, hlrp_error *err) {
    int to = -1;
    hlrp_status status = first_output(r, NULL, &to, err);
    if (status != HLRP_OK)
        return status;
    if (op == &hlrp_op_shape || (in_count > 0 && r->g->values[in[0]].dtype == HLRP_I64))
        r->g->values[to].dtype = HLRP_I64;
    return onnx_emit_to(r, op, in, in_count, to, out, err);
}

/* ---- one node ---- */

static hlrp_status unknown_operator(const onnx_reader *r, hlrp_error *err) {
    char list[440] = "";
    for (size_t k = 0; k < HLRP_COUNT(operators); k++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", k > 0 ? " " : "", operators[k].type);
    }
    r->refusals->pending = ONNX_GIVES_UNKNOWN;
    r->refusals->unknown_operator = true;
    return hlrp_fail(err, HLRP_E_MODEL, NULL, "replace it when exporting the network",
                     "unsupported operator %s at node %s: histolrp has %s", r->node->op_type,
                     r->node_name, list);
}

/* Constants have no inputs; everything else needs its first one, and arithmetic its second. */
static hlrp_status check_inputs(const onnx_reader *r, hlrp_error *err) {
    static const char *const two[] = {"Add",  "Sub", "Mul",    "Div",  "MatMul", "Gemm",
                                      "Conv", "Pow", "Expand", "Tile", "PRelu"};
    bool constant = strcmp(r->node->op_type, "Constant") == 0;
    bool missing = !constant && !onnx_has(r, 0);
    for (size_t k = 0; k < HLRP_COUNT(two); k++)
        missing = missing || (strcmp(r->node->op_type, two[k]) == 0 && !onnx_has(r, 1));
    return missing ? onnx_refuse(r, err, NULL, "an input is missing") : HLRP_OK;
}

/* Whether something of the file reads the node's further outputs cannot be known yet: they get no
 * value, so that a reader of theirs is refused. */
hlrp_status onnx_convert_node(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *folded = NULL;
    const int first = r->g->node_count;

    for (size_t k = 0; k < r->node->n_attribute; k++)
        if (r->node->attribute[k]->ref_attr_name && r->node->attribute[k]->ref_attr_name[0] != '\0')
            return onnx_refuse(r, err, NULL, "attributes of functions");
    onnx_convert_fn convert = NULL;
    for (size_t k = 0; k < HLRP_COUNT(operators) && !convert; k++)
        if (strcmp(r->node->op_type, operators[k].type) == 0 && operators[k].since <= r->opset)
            convert = operators[k].convert;
    if (!convert)
        return unknown_operator(r, err);
    HLRP_TRY(check_inputs(r, err));
    HLRP_TRY(convert(r, err));
    for (int k = first; k < r->g->node_count; k++) { /* what is constant is so at once */
        HLRP_TRY(hlrp_graph_fold_node(r->g, k, &folded, err));
        if (!folded)
            continue;
        hlrp_value *v = &r->g->values[r->g->nodes[k].out[0]];
        v->constant = folded;
        v->dims = folded->dims;
        v->dtype = folded->dtype;
        HLRP_TRY(account(r, folded, err));
    }

out:
    return status;
}

/* Layers with weights. */
#include <math.h>
#include <stdlib.h>

#include "onnx/internal.h"

#define CONSTANT_MEND "freeze the network's weights when exporting"

static int input_id(const onnx_reader *r, int input) {
    return onnx_has(r, input) ? r->in[input] : -1;
}

/* Weights [O,I,k] as [O,I,1,k]. */
static hlrp_status of_one_row(onnx_reader *r, const hlrp_tensor *w, int *id, hlrp_error *err) {
    hlrp_tensor *made = NULL;
    const hlrp_status status = hlrp_tensor_copy(w, &made, err);
    if (status != HLRP_OK)
        return status;
    made->dims = (hlrp_dims){4, {w->dims.d[0], w->dims.d[1], 1, w->dims.d[2]}};
    return onnx_add_constant(r, "weights", made, id, err);
}

/* A convolution along one axis is one of a picture of one row: [N,C,L] → [N,C,1,L], and back. */
static hlrp_status conv_1d(onnx_reader *r, const hlrp_tensor *w, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_node *n = NULL;
    hlrp_window window;
    int in[3] = {r->in[0], -1, input_id(r, 2)}, wide = -1, out = -1;

    HLRP_TRY(onnx_window_1d(r, w->dims.d[2], &window, err));
    HLRP_TRY(of_one_row(r, w, &in[1], err));
    HLRP_TRY(onnx_add_between(r, "rows", &wide, err));
    HLRP_TRY(onnx_add_between(r, "conv", &out, err));
    HLRP_TRY(onnx_emit_to(r, &hlrp_op_unsqueeze, r->in, 1, wide, &n, err));
    n->ints = (hlrp_dims){.rank = 1, .d = {2}};
    in[0] = wide;
    HLRP_TRY(onnx_emit_to(r, &hlrp_op_conv, in, 3, out, &n, err));
    n->window = window;
    n->group = onnx_int(r, "group", 1);
    HLRP_TRY(onnx_emit(r, &hlrp_op_squeeze, &out, 1, &n, err));
    n->ints = (hlrp_dims){.rank = 1, .d = {2}};

out:
    return status;
}

hlrp_status onnx_conv(onnx_reader *r, hlrp_error *err) {
    const hlrp_tensor *w = onnx_constant(r, 1);
    hlrp_node *n = NULL;
    hlrp_window window;

    if (!w || w->dtype != HLRP_F32 || onnx_computed(r, 2) || onnx_dtype(r, 2) != HLRP_F32)
        return onnx_refuse(r, err, CONSTANT_MEND,
                           "weights or a bias that are computed, or integers");
    if (w->dims.rank == 3)
        return conv_1d(r, w, err);
    if (w->dims.rank != 4)
        return onnx_refuse(r, err, "only pictures are supported", "a convolution in %d dimensions",
                           w->dims.rank - 2);
    hlrp_status status = onnx_window(r, &w->dims, &window, err);
    int in[3] = {r->in[0], r->in[1], input_id(r, 2)};
    if (status == HLRP_OK)
        status = onnx_emit(r, &hlrp_op_conv, in, 3, &n, err);
    if (status == HLRP_OK) {
        n->window = window;
        n->group = onnx_int(r, "group", 1);
    }
    return status;
}

/* alpha·B as [O,I]; turned: B is [I,O]. */
static hlrp_status made_weights(onnx_reader *r, const hlrp_tensor *b, bool turned, float alpha,
                                int *id, hlrp_error *err) {
    hlrp_tensor *w = NULL;
    const int64_t rows = b->dims.d[turned ? 1 : 0], columns = b->dims.d[turned ? 0 : 1];
    const hlrp_dims dims = {.rank = 2, .d = {rows, columns}};
    const hlrp_status status = hlrp_tensor_new(&dims, HLRP_F32, &w, err);
    if (status != HLRP_OK)
        return status;
    for (int64_t o = 0; o < rows; o++)
        for (int64_t i = 0; i < columns; i++)
            w->f[o * columns + i] =
                (float)((double)alpha * b->f[turned ? i * rows + o : o * columns + i]);
    return onnx_add_constant(r, "weights", w, id, err);
}

/* Whichever way round B stands. Nodes that share it share what is made of it. */
static hlrp_status gemm_weights(onnx_reader *r, const hlrp_tensor *b, int *id, hlrp_error *err) {
    const bool turned = onnx_int(r, "transB", 0) == 0; /* B is [I,O] */
    const float alpha = onnx_float(r, "alpha", 1);
    char key[32];
    if (!turned && alpha == 1) {
        *id = r->in[1];
        return HLRP_OK;
    }
    if (alpha != 1)
        return made_weights(r, b, turned, alpha, id, err);
    snprintf(key, sizeof key, "%d", r->in[1]);
    *id = onnx_names_find(&r->turned, key);
    if (*id >= 0)
        return HLRP_OK;
    const hlrp_status status = made_weights(r, b, turned, alpha, id, err);
    return status == HLRP_OK ? onnx_names_add(&r->turned, key, *id, err) : status;
}

/* beta·C as [O]; C is a scalar, [1], [O] or [1,O]. */
static hlrp_status gemm_bias(onnx_reader *r, int64_t outputs, int *id, hlrp_error *err) {
    const hlrp_tensor *c = onnx_constant(r, 2);
    const float beta = onnx_float(r, "beta", 1);
    hlrp_tensor *bias = NULL;
    hlrp_dims dims = {.rank = 1, .d = {outputs}};

    *id = -1;
    if (!onnx_has(r, 2))
        return HLRP_OK;
    if (!c || c->dtype != HLRP_F32)
        return onnx_refuse(r, err, CONSTANT_MEND, "a bias that is computed");
    int64_t count = hlrp_tensor_count(c);
    int64_t last = c->dims.rank > 0 ? c->dims.d[c->dims.rank - 1] : 1;
    if (c->dims.rank > 2 || count != last || (count != 1 && count != outputs))
        return onnx_refuse(r, err, NULL, "a bias that is not one number per output");
    hlrp_status status = hlrp_tensor_new(&dims, HLRP_F32, &bias, err);
    if (status != HLRP_OK)
        return status;
    for (int64_t o = 0; o < outputs; o++)
        bias->f[o] = (float)((double)beta * c->f[count == 1 ? 0 : o]);
    return onnx_add_constant(r, "bias", bias, id, err);
}

/* [I,N] as [N,I], by a node before. */
static hlrp_status turned_round(onnx_reader *r, int *id, hlrp_error *err) {
    hlrp_node *n = NULL;
    hlrp_status status = onnx_add_between(r, "turned", id, err);
    if (status == HLRP_OK)
        status = onnx_emit_to(r, &hlrp_op_transpose, r->in, 1, *id, &n, err);
    if (status == HLRP_OK)
        n->ints = (hlrp_dims){.rank = 2, .d = {1, 0}};
    return status;
}

hlrp_status onnx_gemm(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_tensor *b = onnx_constant(r, 1);
    int in[3] = {r->in[0], -1, -1};

    if (!b || b->dtype != HLRP_F32 || b->dims.rank != 2 || !onnx_computed(r, 0))
        return onnx_refuse_product(
            r, err, "a product of anything but a computed tensor and a weight matrix");
    if (onnx_int(r, "transA", 0) != 0)
        HLRP_TRY(turned_round(r, &in[0], err));
    const int64_t outputs = b->dims.d[onnx_int(r, "transB", 0) != 0 ? 0 : 1];
    HLRP_TRY(gemm_weights(r, b, &in[1], err));
    HLRP_TRY(gemm_bias(r, outputs, &in[2], err));
    HLRP_TRY(onnx_emit(r, &hlrp_op_gemm, in, 3, NULL, err));

out:
    return status;
}

hlrp_status onnx_matmul(onnx_reader *r, hlrp_error *err) {
    if (onnx_dtype(r, 0) != HLRP_F32 || onnx_dtype(r, 1) != HLRP_F32)
        return onnx_refuse_product(r, err, "a product of integers");
    return onnx_emit(r, &hlrp_op_matmul, r->in, 2, NULL, err);
}

/* ---- BatchNormalization ---- */

/* gamma, beta, mean and variance as vectors of one length; its length, or -1. */
static int64_t batchnorm_parameters(const onnx_reader *r, const hlrp_tensor **p) {
    int64_t channels = -1;
    for (int k = 0; k < 4; k++) {
        p[k] = onnx_constant(r, k + 1);
        if (!p[k] || p[k]->dtype != HLRP_F32 || p[k]->dims.rank != 1)
            return -1;
        channels = k == 0 ? p[k]->dims.d[0] : channels;
        if (p[k]->dims.d[0] != channels)
            return -1;
    }
    return channels;
}

/* y = gamma·(x − mean)/sqrt(var + epsilon) + beta = scale·x + shift, in float64. */
static void batchnorm_fold(const hlrp_tensor *const *p, double epsilon, int64_t channels,
                           double *exact, float *scale, float *shift) {
    for (int64_t c = 0; c < channels; c++) {
        exact[c] = p[0]->f[c] / sqrt(p[3]->f[c] + epsilon);
        exact[channels + c] = p[1]->f[c] - p[2]->f[c] * exact[c];
        scale[c] = (float)exact[c];
        shift[c] = (float)exact[channels + c];
    }
}

hlrp_status onnx_batchnorm(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_tensor *p[4] = {NULL};
    hlrp_tensor *scale = NULL, *shift = NULL, *given = NULL;
    double *exact = NULL;
    hlrp_node *n = NULL;
    int in[3] = {r->in[0], -1, -1};

    if (onnx_int(r, "training_mode", 0) != 0 || (r->opset < 7 && onnx_int(r, "is_test", 0) == 0))
        return onnx_refuse(r, err, NULL, "batch normalization in training mode");
    if (r->opset < 9 && onnx_int(r, "spatial", 1) != 1)
        return onnx_refuse(r, err, NULL, "spatial = 0");
    hlrp_dims dims = {.rank = 1, .d = {batchnorm_parameters(r, p)}};
    if (dims.d[0] < 0)
        return onnx_refuse(r, err, CONSTANT_MEND, "parameters that are not constant vectors");
    HLRP_TRY(hlrp_calloc(&exact, 2 * dims.d[0], sizeof *exact, "a layer", err));
    HLRP_TRY(hlrp_tensor_new(&dims, HLRP_F32, &scale, err));
    HLRP_TRY(hlrp_tensor_new(&dims, HLRP_F32, &shift, err));
    batchnorm_fold(p, onnx_float(r, "epsilon", 1e-5F), dims.d[0], exact, scale->f, shift->f);
    given = scale;
    scale = NULL;
    HLRP_TRY(onnx_add_constant(r, "scale", given, &in[1], err));
    given = shift;
    shift = NULL;
    HLRP_TRY(onnx_add_constant(r, "shift", given, &in[2], err));
    HLRP_TRY(onnx_emit(r, &hlrp_op_batchnorm, in, 3, &n, err));
    n->exact = exact;
    exact = NULL;

out:
    hlrp_tensor_free(scale);
    hlrp_tensor_free(shift);
    free(exact);
    return status;
}

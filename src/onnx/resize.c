/* Resize, and Upsample before it. */
#include "op/resize.h"

#include "onnx/internal.h"

/* One of `names` by an attribute, as its index; -1: none of them. */
static int choice(const onnx_reader *r, const char *attribute, const char *const *names, int count,
                  int otherwise) {
    if (!onnx_attribute(r, attribute))
        return otherwise;
    for (int k = 0; k < count; k++)
        if (onnx_string_is(r, attribute, names[k], false))
            return k;
    return -1;
}

/* Before operator set 11 places are asymmetric and rounded down. */
static hlrp_status how(const onnx_reader *r, hlrp_dims *ints, hlrp_error *err) {
    static const char *const modes[] = {"nearest", "linear"};
    static const char *const frames[] = {"half_pixel", "pytorch_half_pixel", "align_corners",
                                         "asymmetric"};
    static const char *const nearest[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                          "ceil"};
    const bool old = r->opset < 11;
    ints->rank = HLRP_RESIZE_INTS;
    ints->d[HLRP_RESIZE_MODE] = choice(r, "mode", modes, 2, 0);
    ints->d[HLRP_RESIZE_FRAME] =
        old ? HLRP_FRAME_ASYMMETRIC : choice(r, "coordinate_transformation_mode", frames, 4, 0);
    ints->d[HLRP_RESIZE_NEAREST] =
        old ? HLRP_NEAREST_FLOOR : choice(r, "nearest_mode", nearest, 4, 0);
    for (int k = 0; k < ints->rank; k++)
        if (ints->d[k] < 0)
            return onnx_refuse(r, err, "resize by nearest or linear", "this way of resizing");
    if (onnx_int(r, "antialias", 0) != 0)
        return onnx_refuse(r, err, NULL, "antialias = 1");
    return HLRP_OK;
}

/* Four factors, those of N and C being 1; or two, where axes says that they are of H and W. */
static bool factors(const onnx_reader *r, const float *given, int64_t count, float *h, float *w) {
    const pb_attribute *axes = onnx_attribute(r, "axes");
    if (axes && (axes->n_ints != 2 || count != 2 || axes->ints[0] < 2 || axes->ints[0] > 3 ||
                 axes->ints[1] != 5 - axes->ints[0] || !(given[0] > 0) || !(given[1] > 0)))
        return false;
    if (axes) {
        *h = given[axes->ints[0] - 2];
        *w = given[3 - axes->ints[0]];
        return true;
    }
    if (count != 4 || given[0] != 1 || given[1] != 1 || !(given[2] > 0) || !(given[3] > 0))
        return false;
    *h = given[2];
    *w = given[3];
    return true;
}

hlrp_status onnx_resize(onnx_reader *r, hlrp_error *err) {
    const int scales_at = r->opset < 11 ? 1 : 2;
    const pb_attribute *a = onnx_attribute(r, "scales");
    const hlrp_tensor *scales = onnx_constant(r, scales_at);
    const bool sizes = r->opset >= 11 && onnx_has(r, 3);
    int in[2] = {r->in[0], sizes ? r->in[3] : -1};
    hlrp_dims ints = {0};
    hlrp_node *n = NULL;
    float h = 0, w = 0;
    hlrp_status status = how(r, &ints, err);
    if (status != HLRP_OK)
        return status;
    bool fine = sizes && !onnx_attribute(r, "axes");
    if (!sizes && a)
        fine = factors(r, a->floats, (int64_t)a->n_floats, &h, &w);
    else if (!sizes && scales && scales->dtype == HLRP_F32)
        fine = factors(r, scales->f, hlrp_tensor_count(scales), &h, &w);
    if (!fine)
        return onnx_refuse(r, err, NULL, "factors that are not constant, or not of H and W alone");
    status = onnx_emit(r, &hlrp_op_resize, in, 2, &n, err);
    if (status == HLRP_OK) {
        n->ints = ints;
        n->lo = h;
        n->hi = w;
    }
    return status;
}

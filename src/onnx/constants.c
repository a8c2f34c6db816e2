/* Constants written as nodes. */
#include <string.h>

#include "onnx/internal.h"

static hlrp_status vector_of(size_t count, bool scalar, hlrp_dtype dtype, hlrp_tensor **out,
                             hlrp_error *err) {
    hlrp_dims dims = {.rank = scalar ? 0 : 1, .d = {(int64_t)count}};
    return hlrp_tensor_new(&dims, dtype, out, err);
}

/* value_float, value_floats, value_int or value_ints. */
static hlrp_status plain_value(const onnx_reader *r, hlrp_tensor **out, hlrp_error *err) {
    const pb_attribute *f = onnx_attribute(r, "value_float"),
                       *fs = onnx_attribute(r, "value_floats");
    const pb_attribute *i = onnx_attribute(r, "value_int"), *is = onnx_attribute(r, "value_ints");
    const pb_attribute *list = fs ? fs : is;
    size_t count = fs ? fs->n_floats : is ? is->n_ints : 1;
    bool real = f || fs;

    if (!f && !i && !list)
        return onnx_refuse(r, err, NULL, "a constant that is sparse, made of strings, or empty");
    hlrp_status status = vector_of(count, !list, real ? HLRP_F32 : HLRP_I64, out, err);
    if (status != HLRP_OK)
        return status;
    if (fs && count > 0)
        memcpy((*out)->f, fs->floats, count * sizeof *fs->floats);
    else if (f && !fs)
        (*out)->f[0] = f->f;
    else if (is && count > 0)
        memcpy((*out)->i, is->ints, count * sizeof *is->ints);
    else if (i && !is)
        (*out)->i[0] = i->i;
    return HLRP_OK;
}

hlrp_status onnx_constant_node(onnx_reader *r, hlrp_error *err) {
    const pb_attribute *value = onnx_attribute(r, "value");
    hlrp_tensor *t = NULL;
    hlrp_status status = value && value->t ? onnx_tensor(value->t, r->folder, r->node_name, &t, err)
                                           : plain_value(r, &t, err);
    if (status != HLRP_OK)
        return status;
    r->g->spare += ONNX_TIMES_THE_FILE * hlrp_tensor_count(t);
    return onnx_emit_constant(r, t, err);
}

/* Filled with one value (default: float 0); the count is bounded before memory is taken. */
hlrp_status onnx_constant_of_shape(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const pb_attribute *value = onnx_attribute(r, "value");
    hlrp_tensor *fill = NULL, *t = NULL;
    hlrp_dims dims = {0};
    int64_t count = 0;

    if (value && value->t)
        HLRP_TRY(onnx_tensor(value->t, r->folder, r->node_name, &fill, err));
    if (fill && hlrp_tensor_count(fill) != 1)
        HLRP_TRY(onnx_refuse(r, err, NULL, "a filling of several elements"));
    if (onnx_computed(r, 0)) {
        status = onnx_filled(r, fill, err);
        goto out;
    }
    HLRP_TRY(onnx_int_input(r, 0, &dims, err));
    if (hlrp_dims_count(&dims, &count, err) != HLRP_OK)
        HLRP_TRY(onnx_refuse(r, err, NULL, "a shape with negative or too many elements"));
    const int64_t cost = fill && fill->dtype == HLRP_I64 ? 2 * count : count;
    if (cost > r->g->spare)
        HLRP_TRY(onnx_refuse(r, err, NULL, "a constant of %lld elements", (long long)count));
    r->g->spare -= cost;
    HLRP_TRY(hlrp_tensor_new(&dims, fill ? fill->dtype : HLRP_F32, &t, err));
    for (int64_t k = 0; fill && k < count; k++) {
        if (t->dtype == HLRP_F32)
            t->f[k] = fill->f[0];
        else
            t->i[k] = fill->i[0];
    }
    status = onnx_emit_constant(r, t, err);

out:
    hlrp_tensor_free(fill);
    return status;
}

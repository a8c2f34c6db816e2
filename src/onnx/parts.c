/* Parts of tensors: Slice and Split. */
#include <stdlib.h>
#include <string.h>

#include "onnx/internal.h"

/* An attribute's integers as a constant; *id stays -1 where it is absent. */
static hlrp_status ints_value(onnx_reader *r, const char *name, int *id, hlrp_error *err) {
    hlrp_tensor *t = NULL;
    hlrp_dims ints = {0};
    hlrp_status status = onnx_ints(r, name, &ints, err);
    if (status != HLRP_OK || ints.rank == 0)
        return status;
    hlrp_dims vector = {.rank = 1, .d = {ints.rank}};
    status = hlrp_tensor_new(&vector, HLRP_I64, &t, err);
    if (status != HLRP_OK)
        return status;
    for (int k = 0; k < ints.rank; k++)
        t->i[k] = ints.d[k];
    return onnx_add_constant(r, name, t, id, err);
}

/* Starts, ends and axes are attributes before operator set 10, then inputs. Those of data may come
 * from shape arithmetic; whether steps are 1 is seen when they are known. */
hlrp_status onnx_slice(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int in[5] = {r->in[0], -1, -1, -1, -1};

    if (r->opset < 10) {
        HLRP_TRY(ints_value(r, "starts", &in[1], err));
        HLRP_TRY(ints_value(r, "ends", &in[2], err));
        HLRP_TRY(ints_value(r, "axes", &in[3], err));
    } else {
        for (int k = 1; k < 5 && k < r->in_count; k++)
            in[k] = r->in[k];
    }
    if (in[1] < 0 || in[2] < 0)
        return onnx_refuse(r, err, NULL, "missing starts or ends");
    for (int k = 1; k < 5; k++)
        if (in[k] >= 0 && r->g->values[in[k]].dtype != HLRP_I64)
            return onnx_refuse(r, err, NULL, "starts, ends, axes or steps that are not integers");
    HLRP_TRY(onnx_emit(r, &hlrp_op_slice, in, 5, NULL, err));

out:
    return status;
}

/* ---- Split: one slice per output ---- */

/* The sizes of the parts, NULL for equal ones; borrowed. */
static hlrp_status split_sizes(const onnx_reader *r, const int64_t **sizes, int64_t *total,
                               hlrp_error *err) {
    const pb_attribute *a = r->opset < 13 ? onnx_attribute(r, "split") : NULL;
    const hlrp_tensor *t = r->opset < 13 ? NULL : onnx_constant(r, 1);
    int64_t count = a ? (int64_t)a->n_ints : t ? hlrp_tensor_count(t) : 0;
    *sizes = a ? a->ints : NULL;
    *total = 0;
    if (r->opset >= 13 && onnx_has(r, 1) && (!t || t->dtype != HLRP_I64))
        return onnx_refuse(r, err, NULL, "sizes of parts that are not constant integers");
    if (t)
        *sizes = t->i;
    if (!a && !t)
        return HLRP_OK;
    if (count != (int64_t)r->node->n_output)
        return onnx_refuse(r, err, NULL, "%lld sizes for %zu parts", (long long)count,
                           r->node->n_output);
    for (int64_t k = 0; k < count; k++) {
        if ((*sizes)[k] < 0 || (*sizes)[k] > INT32_MAX)
            return onnx_refuse(r, err, NULL, "a part of %lld", (long long)(*sizes)[k]);
        *total += (*sizes)[k];
    }
    return HLRP_OK;
}

static hlrp_status int_value(onnx_reader *r, const char *name, int64_t i, int *id,
                             hlrp_error *err) {
    hlrp_tensor *t = NULL;
    const hlrp_dims one = {.rank = 1, .d = {1}};
    hlrp_status status = hlrp_tensor_new(&one, HLRP_I64, &t, err);
    if (status != HLRP_OK)
        return status;
    t->i[0] = i;
    return onnx_add_constant(r, name, t, id, err);
}

/* Output k of the file's node becomes this node's. */
static hlrp_status emit_part(onnx_reader *r, size_t k, const int *in, int in_count,
                             const hlrp_node *like, hlrp_error *err) {
    const char *name = r->node->output[k];
    const int to = hlrp_graph_add_value(r->g, name, NULL, err);
    if (to < 0)
        return err->status;
    hlrp_status status = onnx_names_add(&r->names, name, to, err);
    if (status != HLRP_OK)
        return status;
    r->g->values[to].dtype = onnx_dtype(r, 0);
    const int id = hlrp_graph_add_node(r->g, &hlrp_op_slice, k == 0 ? r->node_name : name,
                                       r->node->op_type, in, in_count, &to, 1, err);
    if (id < 0)
        return err->status;
    hlrp_node *n = &r->g->nodes[id];
    n->axis = like->axis;
    n->group = like->group;
    n->part = (int64_t)k;
    n->extent = like->extent;
    n->window.ceil = like->window.ceil;
    return HLRP_OK;
}

/* Sizes are an attribute before operator set 13, then an input; without them the parts are equal,
 * and from 18 on the last may be smaller. */
hlrp_status onnx_split(onnx_reader *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t *sizes = NULL, axis = onnx_int(r, "axis", 0);
    const int64_t parts = (int64_t)r->node->n_output;
    hlrp_node like = {.axis = (int)axis, .group = parts, .window.ceil = r->opset >= 18};
    int64_t at = 0;
    int in[5] = {r->in[0], -1, -1, -1, -1};

    if (axis < -HLRP_MAX_RANK || axis >= HLRP_MAX_RANK)
        return onnx_refuse(r, err, NULL, "axis %lld", (long long)axis);
    HLRP_TRY(split_sizes(r, &sizes, &like.extent, err));
    if (r->opset >= 18 && !sizes && onnx_int(r, "num_outputs", parts) != parts)
        return onnx_refuse(r, err, NULL, "num_outputs that is not the number of outputs");
    if (sizes)
        HLRP_TRY(int_value(r, "axis", axis, &in[3], err));
    for (size_t k = 0; k < r->node->n_output; k++) {
        if (sizes) {
            HLRP_TRY(int_value(r, "start", at, &in[1], err));
            at += sizes[k];
            HLRP_TRY(int_value(r, "end", at, &in[2], err));
        }
        if (r->node->output[k] && r->node->output[k][0] != '\0')
            HLRP_TRY(emit_part(r, k, in, sizes ? 5 : 1, &like, err));
    }

out:
    return status;
}

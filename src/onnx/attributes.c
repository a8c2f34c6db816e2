/* Attributes of the node at hand, and the windows they describe. */
#include <string.h>

#include "onnx/internal.h"

/* Beyond any network; keeps window arithmetic far from overflow. */
#define MAX_WINDOW (INT64_C(1) << 20)

const pb_attribute *onnx_attribute(const onnx_reader *r, const char *name) {
    for (size_t k = 0; k < r->node->n_attribute; k++) {
        const pb_attribute *a = r->node->attribute[k];
        if (a->name && strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

int64_t onnx_int(const onnx_reader *r, const char *name, int64_t otherwise) {
    const pb_attribute *a = onnx_attribute(r, name);
    return a ? a->i : otherwise;
}

float onnx_float(const onnx_reader *r, const char *name, float otherwise) {
    const pb_attribute *a = onnx_attribute(r, name);
    return a ? a->f : otherwise;
}

bool onnx_string_is(const onnx_reader *r, const char *name, const char *text, bool otherwise) {
    const pb_attribute *a = onnx_attribute(r, name);
    if (!a)
        return otherwise;
    return a->s.len == strlen(text) && memcmp(a->s.data, text, a->s.len) == 0;
}

hlrp_status onnx_ints(const onnx_reader *r, const char *name, hlrp_dims *out, hlrp_error *err) {
    const pb_attribute *a = onnx_attribute(r, name);
    out->rank = 0;
    if (!a)
        return HLRP_OK;
    if (a->n_ints > HLRP_MAX_RANK)
        return onnx_refuse(r, err, NULL, "attribute %s has %zu entries", name, a->n_ints);
    out->rank = (int)a->n_ints;
    for (int k = 0; k < out->rank; k++)
        out->d[k] = a->ints[k];
    return HLRP_OK;
}

/* An attribute of `count` numbers from low on into out; left alone where it is absent. */
static hlrp_status window_ints(const onnx_reader *r, const char *name, int count, int64_t low,
                               int64_t *out, hlrp_error *err) {
    hlrp_dims ints = {0};
    hlrp_status status = onnx_ints(r, name, &ints, err);
    if (status != HLRP_OK || ints.rank == 0)
        return status;
    if (ints.rank != count)
        return onnx_refuse(r, err, "only two-dimensional windows are supported",
                           "attribute %s has %d entries instead of %d", name, ints.rank, count);
    for (int k = 0; k < count; k++) {
        if (ints.d[k] < low || ints.d[k] > MAX_WINDOW)
            return onnx_refuse(r, err, NULL, "attribute %s has an entry of %lld", name,
                               (long long)ints.d[k]);
        out[k] = ints.d[k];
    }
    return HLRP_OK;
}

static hlrp_status auto_pad(const onnx_reader *r, hlrp_window *w, hlrp_error *err) {
    if (onnx_string_is(r, "auto_pad", "NOTSET", true) || onnx_string_is(r, "auto_pad", "", true))
        w->auto_pad = HLRP_PAD_EXPLICIT;
    else if (onnx_string_is(r, "auto_pad", "SAME_UPPER", false))
        w->auto_pad = HLRP_PAD_SAME_UPPER;
    else if (onnx_string_is(r, "auto_pad", "SAME_LOWER", false))
        w->auto_pad = HLRP_PAD_SAME_LOWER;
    else if (onnx_string_is(r, "auto_pad", "VALID", false))
        w->auto_pad = HLRP_PAD_VALID;
    else
        return onnx_refuse(r, err, NULL, "attribute auto_pad has an unknown value");
    return HLRP_OK;
}

hlrp_status onnx_window(const onnx_reader *r, const hlrp_dims *kernel, hlrp_window *w,
                        hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t pads[4] = {0};

    *w = (hlrp_window){.stride = {1, 1}, .dilation = {1, 1}};
    if (kernel && kernel->rank == 4) {
        w->kernel[0] = kernel->d[2];
        w->kernel[1] = kernel->d[3];
    }
    HLRP_TRY(window_ints(r, "kernel_shape", 2, 1, w->kernel, err));
    HLRP_TRY(window_ints(r, "strides", 2, 1, w->stride, err));
    HLRP_TRY(window_ints(r, "dilations", 2, 1, w->dilation, err));
    HLRP_TRY(window_ints(r, "pads", 4, 0, pads, err));
    HLRP_TRY(auto_pad(r, w, err));
    for (int a = 0; a < 2; a++) {
        if (w->kernel[a] < 1 || w->kernel[a] > MAX_WINDOW)
            HLRP_TRY(onnx_refuse(r, err, NULL, "a kernel of %lld by %lld", (long long)w->kernel[0],
                                 (long long)w->kernel[1]));
        w->pad_lo[a] = w->auto_pad == HLRP_PAD_EXPLICIT ? pads[a] : 0;
        w->pad_hi[a] = w->auto_pad == HLRP_PAD_EXPLICIT ? pads[2 + a] : 0;
    }
    w->ceil = onnx_int(r, "ceil_mode", 0) != 0;

out:
    return status;
}

hlrp_status onnx_window_1d(const onnx_reader *r, int64_t kernel, hlrp_window *w, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t pads[2] = {0};

    *w = (hlrp_window){.kernel = {1, kernel}, .stride = {1, 1}, .dilation = {1, 1}};
    HLRP_TRY(window_ints(r, "kernel_shape", 1, 1, &w->kernel[1], err));
    HLRP_TRY(window_ints(r, "strides", 1, 1, &w->stride[1], err));
    HLRP_TRY(window_ints(r, "dilations", 1, 1, &w->dilation[1], err));
    HLRP_TRY(window_ints(r, "pads", 2, 0, pads, err));
    if (!onnx_string_is(r, "auto_pad", "NOTSET", true))
        HLRP_TRY(onnx_refuse(r, err, NULL, "auto_pad along one axis"));
    w->pad_lo[1] = pads[0];
    w->pad_hi[1] = pads[1];

out:
    return status;
}

/* TensorProto to float32 or int64, from whichever of its fields holds the data. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "onnx/internal.h"

#define MEND "export the network again"

bool onnx_is_float(int type) {
    return type == PB_FLOAT || type == PB_DOUBLE || type == PB_FLOAT16 || type == PB_BFLOAT16;
}

bool onnx_is_integer(int type) {
    return (type >= PB_UINT8 && type <= PB_INT64) || type == PB_BOOL || type == PB_UINT32 ||
           type == PB_UINT64;
}

static size_t type_size(int type) {
    switch (type) {
    case PB_UINT8:
    case PB_INT8:
    case PB_BOOL:
        return 1;
    case PB_UINT16:
    case PB_INT16:
    case PB_FLOAT16:
    case PB_BFLOAT16:
        return 2;
    case PB_FLOAT:
    case PB_INT32:
    case PB_UINT32:
        return 4;
    default:
        return 8;
    }
}

/* IEEE 754 binary16 bits. */
static float half_value(uint32_t bits) {
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    float v = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
              : exponent == 0 ? ldexpf((float)fraction, -24)
                              : ldexpf((float)(fraction + 1024), exponent - 25);
    return (bits >> 15 & 1) != 0 ? -v : v;
}

static float bits_value(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* `bits`: the element as it stands in the file, zero-extended. */
static float float_of(int type, uint64_t bits) {
    double d;
    switch (type) {
    case PB_FLOAT16:
        return half_value((uint32_t)bits);
    case PB_BFLOAT16:
        return bits_value((uint32_t)bits << 16);
    case PB_DOUBLE:
        memcpy(&d, &bits, sizeof d);
        return (float)d;
    default:
        return bits_value((uint32_t)bits);
    }
}

static int64_t int_of(int type, uint64_t bits) {
    switch (type) {
    case PB_INT8:
        return (int8_t)bits;
    case PB_INT16:
        return (int16_t)bits;
    case PB_INT32:
        return (int32_t)bits;
    case PB_BOOL:
        return bits != 0;
    default:
        return (int64_t)bits;
    }
}

static void from_bytes(int type, const uint8_t *bytes, hlrp_tensor *out) {
    size_t size = type_size(type);
    int64_t count = hlrp_tensor_count(out);
    for (int64_t k = 0; k < count; k++) {
        uint64_t bits = 0;
        for (size_t b = 0; b < size; b++) /* the format is little-endian */
            bits |= (uint64_t)bytes[(size_t)k * size + b] << (8 * b);
        if (out->dtype == HLRP_F32)
            out->f[k] = float_of(type, bits);
        else
            out->i[k] = int_of(type, bits);
    }
}

/* How many elements the field for this type holds. */
static size_t field_count(const pb_tensor *t) {
    switch (t->data_type) {
    case PB_FLOAT:
        return t->n_float_data;
    case PB_DOUBLE:
        return t->n_double_data;
    case PB_INT64:
        return t->n_int64_data;
    case PB_UINT32:
    case PB_UINT64:
        return t->n_uint64_data;
    default:
        return t->n_int32_data;
    }
}

static void from_fields(const pb_tensor *t, hlrp_tensor *out) {
    int64_t count = hlrp_tensor_count(out);
    for (int64_t k = 0; k < count; k++) {
        if (t->data_type == PB_FLOAT)
            out->f[k] = t->float_data[k];
        else if (t->data_type == PB_DOUBLE)
            out->f[k] = (float)t->double_data[k];
        else if (out->dtype == HLRP_F32)
            out->f[k] = float_of(t->data_type, (uint64_t)t->int32_data[k] & 0xffff);
        else if (t->data_type == PB_INT64)
            out->i[k] = t->int64_data[k];
        else if (t->data_type == PB_UINT32 || t->data_type == PB_UINT64)
            out->i[k] = (int64_t)t->uint64_data[k];
        else
            out->i[k] = int_of(t->data_type, (uint64_t)(int64_t)t->int32_data[k]);
    }
}

/* ---- external data ---- */

static const char *external_key(const pb_tensor *t, const char *key, const char *otherwise) {
    for (size_t k = 0; k < t->n_external_data; k++)
        if (t->external_data[k]->key && strcmp(t->external_data[k]->key, key) == 0)
            return t->external_data[k]->value ? t->external_data[k]->value : otherwise;
    return otherwise;
}

/* The real path of `location` in *path (the caller's), which must lie below folder. */
static hlrp_status external_path(const char *folder, const char *location, const char *where,
                                 char **path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *joined = NULL, *root = NULL, *real = NULL;

    HLRP_TRY(hlrp_path_join(folder, location, &joined, err));
    root = realpath(folder, NULL);
    real = location[0] != '/' ? realpath(joined, NULL) : NULL;
    size_t n = root ? strlen(root) : 0;
    bool inside = root && real && strncmp(root, real, n) == 0 &&
                  (real[n] == '/' || (n == 1 && root[0] == '/'));
    if (!inside)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, where, "put the file beside the model",
                           "its data are to be in the file \"%s\", which is not in the model's "
                           "folder",
                           location));
    *path = real;
    real = NULL;

out:
    free(joined);
    free(root);
    free(real);
    return status;
}

static hlrp_status read_range(const char *path, int64_t offset, int64_t length, char *bytes,
                              const char *where, hlrp_error *err) {
    FILE *file = fopen(path, "rb");
    bool fine = file && fseeko(file, (off_t)offset, SEEK_SET) == 0 &&
                fread(bytes, 1, (size_t)length, file) == (size_t)length;
    if (file)
        fclose(file);
    return fine ? HLRP_OK
                : hlrp_fail(err, HLRP_E_MODEL, where, "copy the model with its data files again",
                            "its %lld bytes from byte %lld on cannot be read from %s",
                            (long long)length, (long long)offset, path);
}

/* The tensor's `need` bytes in *bytes, the caller's. */
static hlrp_status external_bytes(const pb_tensor *t, const char *folder, const char *where,
                                  int64_t need, char **bytes, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *path = NULL;
    int64_t offset = 0, length = need;

    if (!folder)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, where, "save the network in one file",
                           "its data are in a file of their own, which is not read here"));
    HLRP_TRY(external_path(folder, external_key(t, "location", ""), where, &path, err));
    if (!hlrp_parse_int(external_key(t, "offset", "0"), &offset) || offset < 0 ||
        (external_key(t, "length", NULL) &&
         !hlrp_parse_int(external_key(t, "length", "0"), &length)) ||
        length != need)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, where, MEND,
                           "offset or length of its data file do not fit its %lld bytes",
                           (long long)need));
    HLRP_TRY(hlrp_calloc(bytes, need, 1, "external data", err));
    HLRP_TRY(read_range(path, offset, need, *bytes, where, err));

out:
    free(path);
    return status;
}

/* ---- the whole ---- */

static hlrp_status tensor_dims(const pb_tensor *t, const char *where, hlrp_dims *dims,
                               hlrp_error *err) {
    if (!onnx_is_float(t->data_type) && !onnx_is_integer(t->data_type))
        return hlrp_fail(err, HLRP_E_MODEL, where, "export the network in float32",
                         "a constant has the ONNX data type %d, which is not supported",
                         t->data_type);
    if (t->n_dims > HLRP_MAX_RANK)
        return hlrp_fail(err, HLRP_E_MODEL, where, MEND, "a constant has %zu dimensions",
                         t->n_dims);
    dims->rank = (int)t->n_dims;
    for (int k = 0; k < dims->rank; k++)
        dims->d[k] = t->dims[k];
    return HLRP_OK;
}

/* Where the elements come from is settled, and how many there are checked, before any memory for
 * them is taken. */
hlrp_status onnx_tensor(const pb_tensor *t, const char *folder, const char *where,
                        hlrp_tensor **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *made = NULL;
    hlrp_dims dims = {0};
    char *external = NULL;
    int64_t count = 0;

    *out = NULL;
    HLRP_TRY(tensor_dims(t, where, &dims, err));
    if (hlrp_dims_count(&dims, &count, err) != HLRP_OK) {
        char text[96];
        return hlrp_fail(err, HLRP_E_MODEL, where, MEND, "a constant cannot have the shape %s",
                         hlrp_dims_text(&dims, text, sizeof text));
    }
    size_t have = field_count(t), size = type_size(t->data_type);
    if (t->data_location == 1) {
        HLRP_TRY(external_bytes(t, folder, where, count * (int64_t)size, &external, err));
    } else if (t->has_raw_data ? t->raw_data.len != (size_t)count * size : have != (size_t)count) {
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, where, MEND,
                           "a constant of %lld elements comes with %zu %s", (long long)count,
                           t->has_raw_data ? t->raw_data.len : have,
                           t->has_raw_data ? "bytes" : "values"));
    }
    HLRP_TRY(hlrp_tensor_new(&dims, onnx_is_float(t->data_type) ? HLRP_F32 : HLRP_I64, &made, err));
    if (external)
        from_bytes(t->data_type, (const uint8_t *)external, made);
    else if (t->has_raw_data)
        from_bytes(t->data_type, t->raw_data.data, made);
    else
        from_fields(t, made);
    *out = made;
    made = NULL;

out:
    hlrp_tensor_free(made);
    free(external);
    return status;
}

hlrp_status hlrp_onnx_tensor_parse(const void *bytes, size_t size, hlrp_tensor **out, char **name,
                                   hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor *made = NULL;

    *out = NULL;
    pb_tensor *t = hlrp_pb__tensor_proto__unpack(NULL, size, bytes);
    if (!t)
        HLRP_TRY(hlrp_fail(err, HLRP_E_INPUT, NULL, "check the file",
                           "these bytes are not an ONNX tensor"));
    HLRP_TRY(onnx_tensor(t, NULL, t->name ? t->name : "tensor", &made, err));
    if (name) {
        *name = hlrp_strdup(t->name ? t->name : "", err);
        if (!*name)
            HLRP_TRY(HLRP_E_MEMORY);
    }
    *out = made;
    made = NULL;

out:
    hlrp_tensor_free(made);
    if (t)
        hlrp_pb__tensor_proto__free_unpacked(t, NULL);
    return status;
}

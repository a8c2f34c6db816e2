/* Attributes: text as UTF-8 of variable length, which may be longer than HDF5's 64 KiB for others.
 */
#include <stdlib.h>
#include <string.h>

#include "store/h5.h"

static hlrp_status set(hid_t at, const char *name, hid_t type, const void *values, int64_t count,
                       const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hsize_t dims[1] = {(hsize_t)HLRP_MAX(count, 0)};
    hid_t attribute = -1;
    hid_t space = count < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, dims, NULL);
    bool good = space >= 0;
    if (good && H5Aexists(at, name) > 0)
        good = H5Adelete(at, name) >= 0;
    if (good)
        attribute = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || (count != 0 && H5Awrite(attribute, type, values) < 0))
        status = hlrp_h5_fail(err, HLRP_E_IO, path, NULL, "cannot write the attribute %s", name);
    hlrp_h5_drop_attribute(&attribute);
    hlrp_h5_drop_space(&space);
    return status;
}

hlrp_status hlrp_h5_set_texts(hid_t at, const char *name, const char *const *values, int64_t count,
                              const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
        status = hlrp_h5_fail(err, HLRP_E_INTERNAL, path, NULL, "no text type");
    else
        status = set(at, name, type, values, count, path, err);
    hlrp_h5_drop_type(&type);
    return status;
}

hlrp_status hlrp_h5_set_numbers(hid_t at, const char *name, hid_t type, const void *values,
                                int64_t count, const char *path, hlrp_error *err) {
    return set(at, name, type, values, count, path, err);
}

/* An attribute opened, with its number of values; the caller drops the ids. */
typedef struct opened {
    hid_t id, type, space;
    int64_t count;
} opened;

static void drop(opened *a) {
    hlrp_h5_drop_attribute(&a->id);
    hlrp_h5_drop_type(&a->type);
    hlrp_h5_drop_space(&a->space);
}

/* At most a million values: an attribute is a small thing, whatever a file says. */
static hlrp_status open_attribute(hid_t at, const char *name, opened *a, const char *path,
                                  hlrp_error *err) {
    *a = (opened){-1, -1, -1, 0};
    a->id = H5Aopen(at, name, H5P_DEFAULT);
    if (a->id >= 0) {
        a->type = H5Aget_type(a->id);
        a->space = H5Aget_space(a->id);
    }
    if (a->type < 0 || a->space < 0)
        return hlrp_h5_fail(err, HLRP_E_INPUT, path, NULL, "the attribute %s cannot be read", name);
    a->count = (int64_t)H5Sget_simple_extent_npoints(a->space);
    if (a->count < 0 || a->count > 1000000)
        return hlrp_fail(err, HLRP_E_INPUT, path, NULL, "the attribute %s has %lld values", name,
                         (long long)a->count);
    return HLRP_OK;
}

/* Text of any cset and padding, one by one; HDF5 converts neither, so memory has the file's type.
 */
static hlrp_status read_variable(const opened *a, hlrp_strings *values, const char *path,
                                 hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char **list = NULL;
    bool got = false;
    HLRP_TRY(hlrp_calloc(&list, a->count, sizeof *list, "attribute", err));
    got = a->count == 0 || H5Aread(a->id, a->type, list) >= 0;
    if (!got) {
        status = hlrp_h5_fail(err, HLRP_E_INPUT, path, NULL, "an attribute's text is damaged");
        goto out;
    }
    for (int64_t i = 0; i < a->count; i++)
        HLRP_TRY(hlrp_strings_add(values, list[i] ? list[i] : "", err));
out:
    if (got && a->count)
        H5Dvlen_reclaim(a->type, a->space, H5P_DEFAULT, list);
    free(list);
    return status;
}

static hlrp_status read_fixed(const opened *a, hlrp_strings *values, const char *path,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const size_t width = H5Tget_size(a->type);
    char *bytes = NULL, *one = NULL;
    if (width == 0 || width > (1u << 20) || a->count * (int64_t)width > (1 << 28))
        return hlrp_fail(err, HLRP_E_INPUT, path, NULL, "an attribute's text is too long");
    HLRP_TRY(hlrp_calloc(&bytes, a->count, width, "attribute", err));
    HLRP_TRY(hlrp_calloc(&one, (int64_t)width + 1, 1, "attribute", err));
    if (H5Aread(a->id, a->type, bytes) < 0) {
        status = hlrp_h5_fail(err, HLRP_E_INPUT, path, NULL, "an attribute's text is damaged");
        goto out;
    }
    for (int64_t i = 0; i < a->count; i++) {
        memcpy(one, bytes + (size_t)i * width, width);
        HLRP_TRY(hlrp_strings_add(values, one, err));
    }
out:
    free(bytes);
    free(one);
    return status;
}

static hlrp_status read_numbers(const opened *a, bool integer, hlrp_strings *values,
                                const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    double *f = NULL;
    int64_t *i = NULL;
    char text[40];
    HLRP_TRY(hlrp_calloc(&f, a->count, sizeof *f, "attribute", err));
    HLRP_TRY(hlrp_calloc(&i, a->count, sizeof *i, "attribute", err));
    if (H5Aread(a->id, integer ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE,
                integer ? (void *)i : (void *)f) < 0) {
        status = hlrp_h5_fail(err, HLRP_E_INPUT, path, NULL, "an attribute is damaged");
        goto out;
    }
    for (int64_t k = 0; k < a->count; k++) {
        if (integer)
            snprintf(text, sizeof text, "%lld", (long long)i[k]);
        else
            snprintf(text, sizeof text, "%.10g", f[k]);
        HLRP_TRY(hlrp_strings_add(values, text, err));
    }
out:
    free(f);
    free(i);
    return status;
}

hlrp_status hlrp_h5_get_texts(hid_t at, const char *name, hlrp_strings *values, bool *found,
                              const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    opened a = {-1, -1, -1, 0};
    *found = H5Aexists(at, name) > 0;
    if (!*found)
        return HLRP_OK;
    HLRP_TRY(open_attribute(at, name, &a, path, err));
    const H5T_class_t class = H5Tget_class(a.type);
    if (class == H5T_STRING && H5Tis_variable_str(a.type) > 0)
        status = read_variable(&a, values, path, err);
    else if (class == H5T_STRING)
        status = read_fixed(&a, values, path, err);
    else if (class == H5T_INTEGER || class == H5T_FLOAT)
        status = read_numbers(&a, class == H5T_INTEGER, values, path, err);
    else
        status = hlrp_strings_add(values, "(of another type)", err);
out:
    drop(&a);
    return status;
}

hlrp_status hlrp_h5_get_f64(hid_t at, const char *name, double *values, int64_t count,
                            const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    opened a = {-1, -1, -1, 0};
    HLRP_TRY(open_attribute(at, name, &a, path, err));
    const H5T_class_t class = H5Tget_class(a.type);
    if (a.count != count || (class != H5T_INTEGER && class != H5T_FLOAT))
        status = hlrp_fail(err, HLRP_E_INPUT, path, NULL, "the attribute %s is not %lld numbers",
                           name, (long long)count);
    else if (H5Aread(a.id, H5T_NATIVE_DOUBLE, values) < 0)
        status = hlrp_h5_fail(err, HLRP_E_INPUT, path, NULL, "the attribute %s is damaged", name);
out:
    drop(&a);
    return status;
}

/* What the programs that run reference vectors share. */
#include "vectors.h"

#include <stdlib.h>
#include <string.h>

/* ---- HDF5 ---- */

float *vectors_read_floats(hid_t file, const char *name, hsize_t dims[4]) {
    hid_t data = H5Dopen(file, name, H5P_DEFAULT), space = H5Dget_space(data);
    memset(dims, 0, 4 * sizeof *dims);
    if (H5Sget_simple_extent_ndims(space) <= 4)
        H5Sget_simple_extent_dims(space, dims, NULL);
    const hssize_t count = H5Sget_simple_extent_npoints(space);
    float *out = calloc((size_t)(count > 0 ? count : 1), sizeof *out);
    if (!out || H5Dread(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) < 0) {
        fprintf(stderr, "cannot read %s\n", name);
        exit(2);
    }
    H5Sclose(space);
    H5Dclose(data);
    return out;
}

char *vectors_read_text(hid_t object, const char *name) {
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    char *text = NULL;
    if (attribute < 0 || H5Aread(attribute, type, &text) < 0)
        text = strdup("");
    H5Tclose(type);
    H5Aclose(attribute);
    return text;
}

double vectors_read_number(hid_t object, const char *name) {
    double value = 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute);
    if (H5Tget_class(type) == H5T_ENUM) { /* h5py's booleans */
        signed char flag = 0;
        H5Aread(attribute, type, &flag);
        value = flag;
    } else {
        H5Aread(attribute, H5T_NATIVE_DOUBLE, &value);
    }
    H5Tclose(type);
    H5Aclose(attribute);
    return value;
}

void vectors_rule_line(const json_t *rule, char *text, size_t size) {
    const char *kind = json_string_value(json_object_get(rule, "rule"));
    const double epsilon = json_number_value(json_object_get(rule, "epsilon"));
    if (strcmp(kind, "epsilon") == 0)
        snprintf(text, size, "epsilon(%.17g%s)", epsilon,
                 json_is_true(json_object_get(rule, "norm_scale")) ? ",rms" : "");
    else if (strcmp(kind, "gamma") == 0)
        snprintf(text, size, "gamma(%.17g)", json_number_value(json_object_get(rule, "gamma")));
    else if (strcmp(kind, "alphabeta") == 0)
        snprintf(text, size, "alphabeta(%.17g,%.17g)",
                 json_number_value(json_object_get(rule, "alpha")),
                 json_number_value(json_object_get(rule, "beta")));
    else
        snprintf(text, size, "%s", kind);
}

void vectors_stop(const char *where, const hlrp_error *err) {
    char line[2000];
    fprintf(stderr, "%s: %s\n", where, hlrp_error_line(err, line, sizeof line));
    exit(1);
}

bool vectors_has_file(const char *folder, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return hlrp_file_exists(path);
}

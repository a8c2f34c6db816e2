#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/h5.h"
#include "store/store.h"

struct hlrp_tensor_file {
    hid_t file, dataset;
    hlrp_dims dims;
    char *where; /* FILE.h5:/dataset */
};

#define SAMPLE_MOST (INT64_C(1) << 28)

hlrp_status hlrp_tensor_spec(const char *spec, bool *is_tensor, char **path, char **dataset,
                             hlrp_error *err) {
    const char *colon = NULL;
    for (const char *p = spec; (p = strstr(p, ":/")) != NULL; p++)
        colon = p;
    *is_tensor = colon && colon > spec && colon[2] != '\0';
    if (!*is_tensor)
        return HLRP_OK;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_format(path, err, "%.*s", (int)(colon - spec), spec));
    HLRP_TRY(hlrp_format(dataset, err, "%s", colon + 1));
out:
    return status;
}

static hlrp_status check(const hlrp_tensor_file *f, hlrp_error *err) {
    int64_t count = 1;
    const char *mend = "give float32 or float64 values in the shape [N,C,H,W], or [N,D] for "
                       "features";
    if (!hlrp_h5_is_type(f->dataset, H5T_FLOAT, 4) && !hlrp_h5_is_type(f->dataset, H5T_FLOAT, 8))
        return hlrp_fail(err, HLRP_E_INPUT, f->where, mend, "the values are of another type");
    for (int i = 0; i < f->dims.rank; i++)
        if (f->dims.d[i] < 1)
            return hlrp_fail(err, HLRP_E_INPUT, f->where, mend, "a side of the tensor is empty");
    for (int i = 1; i < f->dims.rank; i++)
        if (!hlrp_mul_size(count, f->dims.d[i], &count) || count > SAMPLE_MOST)
            return hlrp_fail(err, HLRP_E_INPUT, f->where, "cut it into smaller samples",
                             "a sample of over 2^28 values is too large");
    if (f->dims.d[0] > INT32_MAX)
        return hlrp_fail(err, HLRP_E_INPUT, f->where, mend, "%lld samples are too many",
                         (long long)f->dims.d[0]);
    return HLRP_OK;
}

hlrp_status hlrp_tensor_open(const char *path, const char *dataset, hlrp_tensor_file **out,
                             hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_tensor_file *f = NULL;
    hsize_t dims[4] = {0};
    HLRP_TRY(hlrp_calloc(&f, 1, sizeof *f, path, err));
    f->file = f->dataset = -1;
    HLRP_TRY(hlrp_format(&f->where, err, "%s:%s", path, dataset));
    HLRP_TRY(hlrp_h5_open(path, &f->file, err));
    f->dims.rank = hlrp_h5_rank(f->file, dataset) == 2 ? 2 : 4;
    HLRP_TRY(
        hlrp_h5_open_dataset(f->file, dataset, f->dims.rank, dims, &f->dataset, f->where, err));
    for (int i = 0; i < f->dims.rank; i++)
        f->dims.d[i] = dims[i] > INT64_MAX ? INT64_MAX : (int64_t)dims[i];
    HLRP_TRY(check(f, err));
    *out = f;
    f = NULL;
out:
    hlrp_tensor_close(f);
    return status;
}

hlrp_status hlrp_tensor_open_spec(const char *spec, hlrp_tensor_file **out, hlrp_error *err) {
    bool is_tensor = false;
    char *path = NULL, *dataset = NULL;
    hlrp_status status = hlrp_tensor_spec(spec, &is_tensor, &path, &dataset, err);
    if (status == HLRP_OK && is_tensor)
        status = hlrp_tensor_open(path, dataset, out, err);
    free(path);
    free(dataset);
    return status;
}

void hlrp_tensor_close(hlrp_tensor_file *f) {
    hlrp_error ignored = {0};
    if (!f)
        return;
    hlrp_h5_drop_dataset(&f->dataset);
    (void)hlrp_h5_close(&f->file, "", &ignored);
    free(f->where);
    free(f);
}

const hlrp_dims *hlrp_tensor_file_dims(const hlrp_tensor_file *file) {
    return &file->dims;
}

hlrp_status hlrp_tensor_read(hlrp_tensor_file *f, int64_t first, int64_t count, float *values,
                             hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t *d = f->dims.d;
    if (first < 0 || count < 1 || first > d[0] || count > d[0] - first)
        return hlrp_fail(err, HLRP_E_INTERNAL, f->where, NULL, "there are no such samples");
    const hsize_t start[4] = {(hsize_t)first, 0, 0, 0};
    hsize_t box[4] = {(hsize_t)count};
    int64_t sample = 1;
    for (int i = 1; i < f->dims.rank; i++) {
        box[i] = (hsize_t)d[i];
        sample *= d[i];
    }
    HLRP_TRY(hlrp_h5_read(f->dataset, H5T_NATIVE_FLOAT, f->dims.rank, start, box, values, f->where,
                          err));
    for (int64_t i = 0; i < count * sample; i++)
        if (!isfinite(values[i]))
            return hlrp_fail(err, HLRP_E_INPUT, f->where, "give finite values only",
                             "sample %lld has a value that is not finite",
                             (long long)(first + i / sample));
out:
    return status;
}

#include <stdlib.h>
#include <string.h>

#include "store/h5.h"
#include "store/store.h"

enum {
    INPUT,
    RELEVANCE,
    LOGITS,
    START,
    TARGET,
    SUM,
    ABS,
    AGREES,
    FEATURES,
    FEATURE_RELEVANCE,
    DATASETS
};
enum { LAYERS_MOST = 1000 };

struct hlrp_explain_writer {
    hlrp_h5_out out;
    hid_t data[DATASETS];
    hid_t layer[LAYERS_MOST];
    hlrp_dims input, layer_dims[LAYERS_MOST];
    int64_t classes;
    int64_t rows;     /* of logits: one per sample, or one for a bag of all of them */
    int64_t features; /* of a bag */
};

/* One sample (or one picture of it) per chunk. */
static hlrp_status make(hlrp_explain_writer *w, hid_t at, const char *name, hid_t type,
                        const hlrp_dims *shape, hid_t *out, hlrp_error *err) {
    hsize_t dims[HLRP_MAX_RANK], chunk[HLRP_MAX_RANK];
    for (int i = 0; i < shape->rank; i++) {
        dims[i] = (hsize_t)shape->d[i];
        chunk[i] = i < shape->rank - 2 || i == 0 ? 1 : dims[i];
    }
    return hlrp_h5_make_dataset(at, name, type, shape->rank, dims, shape->rank > 1 ? chunk : NULL,
                                NULL, out, w->out.atomic.final_path, err);
}

static hlrp_status check_dims(const char *path, const hlrp_dims *dims, hlrp_error *err) {
    int64_t count = 0;
    hlrp_status status = hlrp_dims_count(dims, &count, err);
    if (status == HLRP_OK && (dims->rank < 1 || count < 1))
        status = hlrp_fail(err, HLRP_E_INTERNAL, path, NULL, "an empty tensor cannot be written");
    return status;
}

static hlrp_status make_all(hlrp_explain_writer *w, const char *const *class_names,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_dims *in = &w->input;
    const hlrp_dims rows = {2, {w->rows, w->classes}}, one = {1, {in->d[0]}};
    const hlrp_dims row = {1, {w->rows}}, features = {2, {in->d[0], w->features}};
    HLRP_TRY(make(w, w->out.file, "input", H5T_IEEE_F32LE, in, &w->data[INPUT], err));
    HLRP_TRY(make(w, w->out.file, "relevance", H5T_IEEE_F32LE, in, &w->data[RELEVANCE], err));
    HLRP_TRY(make(w, w->out.file, "logits", H5T_IEEE_F32LE, &rows, &w->data[LOGITS], err));
    HLRP_TRY(make(w, w->out.file, "start", H5T_IEEE_F32LE, &rows, &w->data[START], err));
    HLRP_TRY(make(w, w->out.file, "target", H5T_STD_I64LE, &row, &w->data[TARGET], err));
    HLRP_TRY(make(w, w->out.file, "relevance_sum", H5T_IEEE_F64LE, &one, &w->data[SUM], err));
    HLRP_TRY(make(w, w->out.file, "relevance_abs", H5T_IEEE_F64LE, &one, &w->data[ABS], err));
    HLRP_TRY(make(w, w->out.file, "agrees", H5T_STD_I8LE, &row, &w->data[AGREES], err));
    if (w->features > 0) {
        HLRP_TRY(
            make(w, w->out.file, "features", H5T_IEEE_F32LE, &features, &w->data[FEATURES], err));
        HLRP_TRY(make(w, w->out.file, "feature_relevance", H5T_IEEE_F32LE, &features,
                      &w->data[FEATURE_RELEVANCE], err));
    }
    HLRP_TRY(hlrp_h5_set_texts(w->data[LOGITS], "classes", class_names, w->classes,
                               w->out.atomic.final_path, err));
out:
    return status;
}

static hlrp_status create(const char *path, const hlrp_dims *input, int64_t rows, int64_t features,
                          const char *const *class_names, int64_t classes,
                          hlrp_explain_writer **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_explain_writer *w = NULL;
    HLRP_TRY(check_dims(path, input, err));
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, path, err));
    w->input = *input;
    w->classes = classes;
    w->rows = rows;
    w->features = features;
    for (int i = 0; i < DATASETS; i++)
        w->data[i] = -1;
    for (int i = 0; i < LAYERS_MOST; i++)
        w->layer[i] = -1;
    HLRP_TRY(hlrp_h5_begin(&w->out, path, err));
    HLRP_TRY(make_all(w, class_names, err));
    *out = w;
    w = NULL;
out:
    hlrp_explain_abort(w);
    return status;
}

hlrp_status hlrp_explain_create(const char *path, const hlrp_dims *input,
                                const char *const *class_names, int64_t classes,
                                hlrp_explain_writer **out, hlrp_error *err) {
    if (input->rank != 4 || classes < 1)
        return hlrp_fail(err, HLRP_E_INTERNAL, path, NULL, "the input is not [N,C,H,W]");
    return create(path, input, input->d[0], 0, class_names, classes, out, err);
}

hlrp_status hlrp_explain_create_bag(const char *path, const hlrp_dims *input, int64_t features,
                                    const char *const *class_names, int64_t classes,
                                    hlrp_explain_writer **out, hlrp_error *err) {
    return create(path, input, 1, features, class_names, classes, out, err);
}

/* Samples [first, first+count) of a dataset of these dims. */
static hlrp_status put(hlrp_explain_writer *w, hid_t dataset, hid_t type, const hlrp_dims *dims,
                       int64_t first, int64_t count, const void *values, hlrp_error *err) {
    hsize_t start[HLRP_MAX_RANK] = {(hsize_t)first}, box[HLRP_MAX_RANK] = {(hsize_t)count};
    if (first < 0 || count < 1 || first > dims->d[0] || count > dims->d[0] - first)
        return hlrp_fail(err, HLRP_E_INTERNAL, w->out.atomic.final_path, NULL,
                         "there are no such samples");
    for (int i = 1; i < dims->rank; i++)
        box[i] = (hsize_t)dims->d[i];
    const hlrp_status status =
        hlrp_h5_write(dataset, type, dims->rank, start, box, values, w->out.atomic.final_path, err);
    return hlrp_h5_wrote(&w->out, status, err);
}

/* Pictures of the input's size, each a chunk: packed here, since libhdf5's own filter takes as long for
 * a tile as a tenth of its relevance. */
static hlrp_status put_pictures(hlrp_explain_writer *w, hid_t dataset, int64_t first, int64_t count,
                                const float *values, hlrp_error *err) {
    const hlrp_dims *d = &w->input;
    const int64_t size = d->d[2] * d->d[3];
    hlrp_status status = HLRP_OK;
    if (first < 0 || count < 1 || first > d->d[0] || count > d->d[0] - first)
        return hlrp_fail(err, HLRP_E_INTERNAL, w->out.atomic.final_path, NULL,
                         "there are no such samples");
    for (int64_t k = 0; status == HLRP_OK && k < count * d->d[1]; k++) {
        const hsize_t at[4] = {(hsize_t)(first + k / d->d[1]), (hsize_t)(k % d->d[1])};
        hlrp_chunk chunk = {0};
        status = hlrp_chunk_pack_whole(size, values + k * size, &chunk, err);
        if (status == HLRP_OK &&
            H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, at, chunk.size, chunk.bytes) < 0)
            status = hlrp_h5_fail(err, HLRP_E_IO, w->out.atomic.final_path,
                                  "make room on the disk and run again", "cannot write the file");
        free(chunk.bytes);
    }
    return hlrp_h5_wrote(&w->out, status, err);
}

static hlrp_status put_samples(hlrp_explain_writer *w, hid_t dataset, int64_t first, int64_t count,
                               const float *values, hlrp_error *err) {
    return w->input.rank == 4
               ? put_pictures(w, dataset, first, count, values, err)
               : put(w, dataset, H5T_NATIVE_FLOAT, &w->input, first, count, values, err);
}

hlrp_status hlrp_explain_write_samples(hlrp_explain_writer *w, int64_t first, int64_t count,
                                       const float *input, const float *relevance,
                                       hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(put_samples(w, w->data[INPUT], first, count, input, err));
    HLRP_TRY(put_samples(w, w->data[RELEVANCE], first, count, relevance, err));
out:
    return status;
}

static hlrp_status write_rows(hlrp_explain_writer *w, int64_t first, int64_t count,
                              const float *logits, const int64_t *target, const float *start,
                              hlrp_error *err) {
    const hlrp_dims rows = {2, {w->rows, w->classes}}, row = {1, {w->rows}};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(put(w, w->data[LOGITS], H5T_NATIVE_FLOAT, &rows, first, count, logits, err));
    HLRP_TRY(put(w, w->data[START], H5T_NATIVE_FLOAT, &rows, first, count, start, err));
    HLRP_TRY(put(w, w->data[TARGET], H5T_NATIVE_INT64, &row, first, count, target, err));
out:
    return status;
}

hlrp_status hlrp_explain_write_bag(hlrp_explain_writer *w, const hlrp_explained_bag *bag,
                                   hlrp_error *err) {
    const hlrp_dims features = {2, {w->input.d[0], w->features}}, row = {1, {1}};
    const hlrp_dims one = {1, {w->input.d[0]}};
    const int64_t n = w->input.d[0];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(write_rows(w, 0, 1, bag->logits, &bag->target, bag->start, err));
    HLRP_TRY(put(w, w->data[AGREES], H5T_NATIVE_INT8, &row, 0, 1, &bag->agrees, err));
    HLRP_TRY(put(w, w->data[SUM], H5T_NATIVE_DOUBLE, &one, 0, n, bag->sums, err));
    HLRP_TRY(put(w, w->data[ABS], H5T_NATIVE_DOUBLE, &one, 0, n, bag->magnitudes, err));
    if (w->features == 0)
        return HLRP_OK;
    HLRP_TRY(put(w, w->data[FEATURES], H5T_NATIVE_FLOAT, &features, 0, n, bag->features, err));
    HLRP_TRY(put(w, w->data[FEATURE_RELEVANCE], H5T_NATIVE_FLOAT, &features, 0, n,
                 bag->feature_relevance, err));
out:
    return status;
}

hlrp_status hlrp_explain_write(hlrp_explain_writer *w, int64_t first, int64_t count,
                               const float *input, const float *logits, const int64_t *target,
                               const float *start, const float *relevance, hlrp_error *err) {
    const hlrp_status status = hlrp_explain_write_samples(w, first, count, input, relevance, err);
    return status == HLRP_OK ? write_rows(w, first, count, logits, target, start, err) : status;
}

hlrp_status hlrp_explain_write_sums(hlrp_explain_writer *w, int64_t first, int64_t count,
                                    const double *sum, const double *abs, const int8_t *agrees,
                                    hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_dims one = {1, {w->input.d[0]}};
    HLRP_TRY(put(w, w->data[SUM], H5T_NATIVE_DOUBLE, &one, first, count, sum, err));
    HLRP_TRY(put(w, w->data[ABS], H5T_NATIVE_DOUBLE, &one, first, count, abs, err));
    HLRP_TRY(put(w, w->data[AGREES], H5T_NATIVE_INT8, &one, first, count, agrees, err));
out:
    return status;
}

static hlrp_status open_group(hlrp_explain_writer *w, const char *name, hid_t *id,
                              hlrp_error *err) {
    *id = H5Lexists(w->out.file, name, H5P_DEFAULT) > 0
              ? H5Gopen2(w->out.file, name, H5P_DEFAULT)
              : H5Gcreate2(w->out.file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (*id < 0)
        return hlrp_h5_fail(err, HLRP_E_IO, w->out.atomic.final_path, NULL,
                            "cannot make the group %s", name);
    return HLRP_OK;
}

static hlrp_status layer_group(hlrp_explain_writer *w, int64_t index, hid_t *id, hlrp_error *err) {
    char name[32];
    hid_t parent = -1;
    if (index < 0 || index >= LAYERS_MOST)
        return hlrp_fail(err, HLRP_E_MODEL, w->out.atomic.final_path, "leave out --layers",
                         "a network of over %d layers cannot be written layer by layer",
                         LAYERS_MOST);
    hlrp_status status = open_group(w, "layers", &parent, err);
    hlrp_h5_drop_group(&parent);
    snprintf(name, sizeof name, "layers/%03d", (int)index);
    return status == HLRP_OK ? open_group(w, name, id, err) : status;
}

hlrp_status hlrp_explain_add_layer(hlrp_explain_writer *w, int64_t index, const char *node,
                                   const char *output, const char *rule, const hlrp_dims *dims,
                                   hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t group = -1;
    const char *path = w->out.atomic.final_path;
    HLRP_TRY(check_dims(path, dims, err));
    HLRP_TRY(layer_group(w, index, &group, err));
    if (w->layer[index] >= 0 || dims->d[0] != w->input.d[0]) {
        status = hlrp_fail(err, HLRP_E_INTERNAL, path, NULL, "layer %lld is there already",
                           (long long)index);
        goto out;
    }
    HLRP_TRY(make(w, group, "relevance", H5T_IEEE_F32LE, dims, &w->layer[index], err));
    w->layer_dims[index] = *dims;
    HLRP_TRY(hlrp_h5_set_texts(w->layer[index], "node", &node, -1, path, err));
    HLRP_TRY(hlrp_h5_set_texts(w->layer[index], "output", &output, -1, path, err));
    HLRP_TRY(hlrp_h5_set_texts(w->layer[index], "rule", &rule, -1, path, err));
out:
    hlrp_h5_drop_group(&group);
    return status;
}

static hlrp_status known(const hlrp_explain_writer *w, int64_t index, hlrp_error *err) {
    if (index < 0 || index >= LAYERS_MOST || w->layer[index] < 0)
        return hlrp_fail(err, HLRP_E_INTERNAL, w->out.atomic.final_path, NULL,
                         "there is no layer %lld", (long long)index);
    return HLRP_OK;
}

hlrp_status hlrp_explain_write_layer(hlrp_explain_writer *w, int64_t index, int64_t first,
                                     int64_t count, const float *relevance, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(known(w, index, err));
    HLRP_TRY(put(w, w->layer[index], H5T_NATIVE_FLOAT, &w->layer_dims[index], first, count,
                 relevance, err));
out:
    return status;
}

/* The attribute's name of a field; "" where it has none. */
static void attribute_of(int field, char *name, size_t size) {
    if (field == HLRP_ACCOUNT_OUT)
        snprintf(name, size, "sum");
    else if (field == HLRP_ACCOUNT_OUT_ABS)
        snprintf(name, size, "magnitude");
    else if (hlrp_account_fields[field].taker)
        snprintf(name, size, "%s_share", hlrp_account_fields[field].column);
    else
        snprintf(name, size, "%s", "");
}

static double attribute_value(const hlrp_account *a, int field) {
    double numbers[HLRP_ACCOUNT_FIELDS];
    hlrp_account_numbers(a, numbers);
    if (!hlrp_account_fields[field].taker)
        return numbers[field];
    return a->out_abs > 0 ? numbers[field] * (1 / a->out_abs) : 0;
}

hlrp_status hlrp_explain_layer_account(hlrp_explain_writer *w, int64_t index,
                                       const hlrp_account *account, hlrp_error *err) {
    const int64_t samples = w->input.d[0];
    char name[64];
    double *values = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(known(w, index, err));
    HLRP_TRY(hlrp_calloc(&values, samples, sizeof *values, "accounts", err));
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++) {
        attribute_of(f, name, sizeof name);
        if (name[0] == '\0')
            continue;
        for (int64_t i = 0; i < samples; i++)
            values[i] = attribute_value(&account[i], f);
        HLRP_TRY(hlrp_h5_set_numbers(w->layer[index], name, H5T_NATIVE_DOUBLE, values, samples,
                                     w->out.atomic.final_path, err));
    }
out:
    free(values);
    return status;
}

hlrp_status hlrp_explain_set_text(hlrp_explain_writer *w, const char *name, const char *value,
                                  hlrp_error *err) {
    return hlrp_h5_set_texts(w->out.file, name, &value, -1, w->out.atomic.final_path, err);
}

static void close_all(hlrp_explain_writer *w) {
    for (int i = 0; i < DATASETS; i++)
        hlrp_h5_drop_dataset(&w->data[i]);
    for (int i = 0; i < LAYERS_MOST; i++)
        hlrp_h5_drop_dataset(&w->layer[i]);
}

hlrp_status hlrp_explain_commit(hlrp_explain_writer *w, hlrp_error *err) {
    close_all(w);
    const hlrp_status status = hlrp_h5_commit(&w->out, err);
    hlrp_explain_abort(w);
    return status;
}

void hlrp_explain_abort(hlrp_explain_writer *w) {
    if (!w)
        return;
    close_all(w);
    hlrp_h5_abort(&w->out);
    free(w);
}

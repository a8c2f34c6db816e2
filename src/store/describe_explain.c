/* explain's OUT.h5 as lines of text, for `inspect`. */
#include <stdlib.h>

#include "store/h5.h"
#include "store/store.h"

/* Samples that are read at a time. */
#define PART 256

typedef struct explained {
    const char *path;
    hid_t file, logits, start, target, sum, abs, agrees;
    hsize_t input[4], rows[2];
    hlrp_strings classes;
    double *values; /* [2][PART][classes] */
} explained;

bool hlrp_explain_is(const char *path) {
    hlrp_error ignored = {0};
    hid_t file = -1;
    if (hlrp_h5_open(path, &file, &ignored) != HLRP_OK)
        return false;
    const bool is = H5Lexists(file, "relevance", H5P_DEFAULT) > 0 &&
                    H5Lexists(file, "logits", H5P_DEFAULT) > 0 &&
                    H5Lexists(file, "target", H5P_DEFAULT) > 0;
    (void)hlrp_h5_close(&file, path, &ignored);
    return is;
}

static hlrp_status open_rows(explained *e, const char *name, int rank, hid_t *out,
                             hlrp_error *err) {
    hsize_t dims[2] = {0};
    const hlrp_status status = hlrp_h5_open_dataset(e->file, name, rank, dims, out, e->path, err);
    if (status == HLRP_OK && (dims[0] != e->input[0] || (rank == 2 && dims[1] != e->rows[1])))
        return hlrp_fail(err, HLRP_E_INPUT, e->path, "write it anew with `histolrp explain`",
                         "/%s has another shape than its neighbors", name);
    return status;
}

static hlrp_status open_all(explained *e, hlrp_error *err) {
    bool found = false;
    hid_t relevance = -1;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_h5_open(e->path, &e->file, err));
    HLRP_TRY(hlrp_h5_open_dataset(e->file, "relevance", 4, e->input, &relevance, e->path, err));
    HLRP_TRY(hlrp_h5_open_dataset(e->file, "logits", 2, e->rows, &e->logits, e->path, err));
    HLRP_TRY(open_rows(e, "start", 2, &e->start, err));
    HLRP_TRY(open_rows(e, "target", 1, &e->target, err));
    HLRP_TRY(open_rows(e, "relevance_sum", 1, &e->sum, err));
    HLRP_TRY(open_rows(e, "relevance_abs", 1, &e->abs, err));
    HLRP_TRY(open_rows(e, "agrees", 1, &e->agrees, err));
    HLRP_TRY(hlrp_h5_get_texts(e->logits, "classes", &e->classes, &found, e->path, err));
    if ((hsize_t)e->classes.count != e->rows[1] || e->rows[0] != e->input[0] || e->rows[1] < 1)
        status = hlrp_fail(err, HLRP_E_INPUT, e->path, "write it anew with `histolrp explain`",
                           "classes and logits do not fit each other");
out:
    hlrp_h5_drop_dataset(&relevance);
    return status;
}

static hlrp_status read_rows(explained *e, hid_t set, int rank, hsize_t first, hsize_t count,
                             double *out, hlrp_error *err) {
    const hsize_t start[2] = {first, 0}, box[2] = {count, e->rows[1]};
    return hlrp_h5_read(set, H5T_NATIVE_DOUBLE, rank, start, box, out, e->path, err);
}

static void sample_line(const explained *e, hsize_t sample, const double *logits,
                        const double *start, const double facts[4], hlrp_str *text) {
    static const char *const words[] = {"differ in sign", "cannot be compared", "agree in sign"};
    const int agrees = facts[3] > 0 ? 2 : facts[3] < 0 ? 0 : 1;
    const int64_t target = (int64_t)facts[0];
    double from = 0;
    hlrp_str_addf(text, "sample %lld: explained %s; logits", (long long)sample,
                  target >= 0 && target < e->classes.count ? e->classes.items[target] : "?");
    for (hsize_t k = 0; k < e->rows[1]; k++) {
        hlrp_str_addf(text, " %.6g", logits[k]);
        from += start[k];
    }
    hlrp_str_addf(text, "; start %.6g, sum of the map %.6g: they %s; sum|relevance| %.6g\n", from,
                  facts[1], words[agrees], facts[2]);
}

static hlrp_status samples(explained *e, hsize_t first, hsize_t count, hlrp_str *text,
                           hlrp_error *err) {
    const hid_t sets[4] = {e->target, e->sum, e->abs, e->agrees};
    double *logits = e->values, *start = e->values + PART * e->rows[1], facts[4][PART];
    hlrp_status status = HLRP_OK;
    HLRP_TRY(read_rows(e, e->logits, 2, first, count, logits, err));
    HLRP_TRY(read_rows(e, e->start, 2, first, count, start, err));
    for (int k = 0; k < 4; k++)
        HLRP_TRY(read_rows(e, sets[k], 1, first, count, facts[k], err));
    for (hsize_t i = 0; i < count; i++) {
        const double own[4] = {facts[0][i], facts[1][i], facts[2][i], facts[3][i]};
        sample_line(e, first + i, logits + i * e->rows[1], start + i * e->rows[1], own, text);
    }
out:
    return status;
}

static void layers(const explained *e, hlrp_str *text) {
    H5G_info_t info;
    if (H5Lexists(e->file, "layers", H5P_DEFAULT) > 0 &&
        H5Gget_info_by_name(e->file, "layers", &info, H5P_DEFAULT) >= 0)
        hlrp_str_addf(text, "layers: %lld\n", (long long)info.nlinks);
}

static void close_all(explained *e) {
    hlrp_error ignored = {0};
    hid_t *const sets[] = {&e->logits, &e->start, &e->target, &e->sum, &e->abs, &e->agrees};
    for (size_t i = 0; i < HLRP_COUNT(sets); i++)
        hlrp_h5_drop_dataset(sets[i]);
    (void)hlrp_h5_close(&e->file, e->path, &ignored);
    hlrp_strings_free(&e->classes);
    free(e->values);
}

hlrp_status hlrp_explain_describe(const char *path, hlrp_str *text, hlrp_error *err) {
    explained e = {.path = path,
                   .file = -1,
                   .logits = -1,
                   .start = -1,
                   .target = -1,
                   .sum = -1,
                   .abs = -1,
                   .agrees = -1};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(open_all(&e, err));
    HLRP_TRY(hlrp_calloc(&e.values, 2 * PART * e.classes.count, sizeof *e.values, path, err));
    hlrp_str_addf(text, "%s: %lld of %lld × %lld × %lld explained by histolrp\nclasses:", path,
                  (long long)e.input[0], (long long)e.input[1], (long long)e.input[2],
                  (long long)e.input[3]);
    for (int64_t k = 0; k < e.classes.count; k++)
        hlrp_str_addf(text, "%s %s", k ? "," : "", e.classes.items[k]);
    hlrp_str_add(text, "\n");
    for (hsize_t first = 0; first < e.input[0]; first += PART)
        HLRP_TRY(samples(&e, first, HLRP_MIN((hsize_t)PART, e.input[0] - first), text, err));
    layers(&e, text);
    if (text->failed)
        status = hlrp_fail(err, HLRP_E_MEMORY, path, NULL, "out of memory for the text");
out:
    close_all(&e);
    return status;
}

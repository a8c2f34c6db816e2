/* What the file says of itself: class names, resolution, normalization. */
#include <stdlib.h>
#include <string.h>

#include "onnx/internal.h"

static const char *metadata(const pb_model *m, const char *key) {
    static const char prefix[] = "histolrp.";
    const char *found = NULL;
    for (size_t k = 0; k < m->n_metadata_props; k++) {
        const char *name = m->metadata_props[k]->key;
        if (!name || !m->metadata_props[k]->value)
            continue;
        bool own = strncmp(name, prefix, sizeof prefix - 1) == 0;
        if (strcmp(own ? name + sizeof prefix - 1 : name, key) == 0 && (own || !found))
            found = m->metadata_props[k]->value;
    }
    return found;
}

/* A list "a,b" or a JSON array of plain strings ["a", "b"]; quotes are taken off. */
static hlrp_status read_list(const char *text, hlrp_strings *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_strings parts = {0};
    char *copy = hlrp_strdup(text + strspn(text, " \t\r\n"), err);

    if (!copy)
        return HLRP_E_MEMORY;
    char *begin = copy, *end = strrchr(copy, ']');
    if (copy[0] == '[' && end) {
        begin++;
        *end = '\0';
    }
    HLRP_TRY(hlrp_split_commas(begin, &parts, err));
    for (int64_t k = 0; k < parts.count; k++) {
        char *item = parts.items[k];
        size_t n = strlen(item);
        if (n >= 2 && (item[0] == '"' || item[0] == '\'') && item[n - 1] == item[0]) {
            item[n - 1] = '\0';
            item++;
        }
        HLRP_TRY(hlrp_strings_add(out, item, err));
    }

out:
    hlrp_strings_free(&parts);
    free(copy);
    return status;
}

/* One number for all channels, or three. */
static hlrp_status read_channels(const char *text, const char *key, double *out, hlrp_error *err) {
    hlrp_strings parts = {0};
    hlrp_status status = read_list(text, &parts, err);
    bool fine = status == HLRP_OK && (parts.count == 1 || parts.count == 3);
    for (int k = 0; fine && k < 3; k++)
        fine = hlrp_parse_double(parts.items[parts.count == 1 ? 0 : k], &out[k]);
    hlrp_strings_free(&parts);
    if (status == HLRP_OK && !fine)
        return hlrp_fail(err, HLRP_E_MODEL, key, "write one number, or three separated by commas",
                         "the model's metadata say \"%s\"", text);
    return status;
}

hlrp_status onnx_metadata(const pb_model *m, hlrp_graph *g, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *classes = metadata(m, "classes"), *mpp = metadata(m, "mpp");
    const char *mean = metadata(m, "mean"), *std = metadata(m, "std");

    if (classes)
        HLRP_TRY(read_list(classes, &g->classes, err));
    if (mpp && (!hlrp_parse_double(mpp, &g->mpp) || !(g->mpp > 0)))
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, "mpp", "write micrometers per pixel, as in 0.5",
                           "the model's metadata say \"%s\"", mpp));
    if (mean && std) {
        HLRP_TRY(read_channels(mean, "mean", g->mean, err));
        HLRP_TRY(read_channels(std, "std", g->std, err));
        g->has_norm = g->std[0] > 0 && g->std[1] > 0 && g->std[2] > 0;
    }

out:
    return status;
}

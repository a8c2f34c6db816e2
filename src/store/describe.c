/* A result file as lines of text, for `inspect`. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/layout.h"
#include "store/reader.h"

/* Share of its relevance that a layer may lose unmentioned. */
#define MENTIONED 0.05

static hlrp_status attributes(hlrp_result *r, const char *group, hlrp_str *text, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    H5O_info_t info;
    if (H5Oget_info_by_name2(r->file, group, &info, H5O_INFO_NUM_ATTRS, H5P_DEFAULT) < 0)
        return hlrp_h5_fail(err, HLRP_E_INPUT, r->path, NULL, "there is no %s in the file", group);
    for (hsize_t i = 0; i < info.num_attrs && i < 10000; i++) {
        char name[200] = "", *value = NULL;
        if (H5Aget_name_by_idx(r->file, group, H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                               H5P_DEFAULT) < 0)
            return hlrp_h5_fail(err, HLRP_E_INPUT, r->path, NULL, "attributes of %s are damaged",
                                group);
        HLRP_TRY(hlrp_result_get_text(r, group, name, &value, err));
        const bool lines = value && strchr(value, '\n');
        hlrp_str_addf(text, "%s.%s:%s%s\n", group + 1, name, lines ? "\n" : " ",
                      value ? value : "");
        free(value);
    }
out:
    return status;
}

/* Range and sum of the finite values of one plane. */
static hlrp_status plane(hlrp_result *r, hlrp_map_kind kind, int64_t k, const char *name,
                         float *row, hlrp_str *text, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_size map = r->info.map;
    double sum = 0.0, lo = INFINITY, hi = -INFINITY;
    int64_t finite = 0;
    for (int64_t y = 0; y < map.h; y++) {
        HLRP_TRY(hlrp_result_read_rows(r, kind, k, y, 1, row, err));
        for (int64_t x = 0; x < map.w; x++) {
            const double v = (double)row[x];
            if (!isfinite(v))
                continue;
            sum += v;
            lo = fmin(lo, v);
            hi = fmax(hi, v);
            finite++;
        }
    }
    hlrp_str_addf(text, "/%s[%s]: %lld of %lld pixels", hlrp_map_names[kind], name,
                  (long long)finite, (long long)(map.w * map.h));
    if (finite)
        hlrp_str_addf(text, ", %.6g to %.6g, sum %.9g", lo, hi, sum);
    hlrp_str_add(text, "\n");
out:
    return status;
}

static hlrp_status tiles(hlrp_result *r, hlrp_str *text, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    enum { PART = 4096 };
    double values[PART];
    int64_t count[4] = {0};
    for (int64_t t = 0; t < r->info.tiles; t += PART) {
        const int64_t n = HLRP_MIN(PART, r->info.tiles - t);
        HLRP_TRY(hlrp_result_read_tiles(r, "status", t, n, 1, values, err));
        for (int64_t i = 0; i < n; i++)
            count[values[i] >= 0.0 && values[i] < 3.0 ? (int)values[i] : 3]++;
    }
    hlrp_str_addf(text, "tiles: %lld, explained %lld, gated %lld, unreadable %lld\n",
                  (long long)r->info.tiles, (long long)count[0], (long long)count[1],
                  (long long)count[2]);
out:
    return status;
}

/* Of a result without an account nothing is said. */
static void account(hlrp_result *r, hlrp_str *text) {
    hlrp_layers layers = {0};
    hlrp_str sentence = {0};
    hlrp_error ignored = {0};
    if (hlrp_result_read_layers(r, &layers, &ignored) == HLRP_OK)
        hlrp_layers_sentence(&layers, MENTIONED, &sentence);
    if (sentence.length > 0)
        hlrp_str_addf(text, "account: %s\n", sentence.text);
    hlrp_str_free(&sentence);
    hlrp_layers_free(&layers);
}

hlrp_status hlrp_result_describe(hlrp_result *r, hlrp_str *text, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_result_info *info = &r->info;
    const char *const groups[] = {"/slide", "/model", "/run", "/mil"};
    char name[200];
    float *row = NULL;
    hlrp_str_addf(text, "%s: result of histolrp, format version %d\n", r->path,
                  HLRP_RESULT_VERSION);
    hlrp_str_addf(text, "map: %lld × %lld pixels of %lld level-0 pixels (%.6g × %.6g µm)\n",
                  (long long)info->map.w, (long long)info->map.h, (long long)info->downsample,
                  info->mpp.x * (double)info->downsample, info->mpp.y * (double)info->downsample);
    HLRP_TRY(tiles(r, text, err));
    account(r, text);
    HLRP_TRY(hlrp_calloc(&row, info->map.w, sizeof *row, "row of the map", err));
    for (int64_t k = 0; k < info->planes; k++)
        HLRP_TRY(plane(r, HLRP_MAP_RELEVANCE, k, info->plane_names[k], row, text, err));
    for (int64_t c = 0; c < info->classes; c++)
        HLRP_TRY(plane(r, HLRP_MAP_PROBABILITY, c, info->class_names[c], row, text, err));
    for (int64_t m = 0; m < hlrp_score_count(info); m++)
        HLRP_TRY(plane(r, HLRP_MAP_SCORES, m, hlrp_score_name(info, m, name, sizeof name), row,
                       text, err));
    for (size_t i = 0; i < HLRP_COUNT(groups) - !info->bag; i++)
        HLRP_TRY(attributes(r, groups[i], text, err));
    if (text->failed)
        status = hlrp_fail(err, HLRP_E_MEMORY, r->path, NULL, "out of memory for the text");
out:
    free(row);
    return status;
}

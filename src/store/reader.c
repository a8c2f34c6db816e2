#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/layout.h"
#include "store/reader.h"
#include "store/table.h"

static hlrp_status read_names(hid_t dataset, const char *what, int64_t count, hlrp_strings *names,
                              const char *path, hlrp_error *err) {
    bool found = false;
    hlrp_status status = hlrp_h5_get_texts(dataset, "classes", names, &found, path, err);
    if (status == HLRP_OK && names->count != count)
        status = hlrp_fail(err, HLRP_E_INPUT, path, "the file is damaged: make it again",
                           "/%s has %lld class names for %lld planes", what,
                           (long long)names->count, (long long)count);
    return status;
}

static hlrp_status check_format(const hlrp_result *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_strings format = {0};
    double version = 0.0;
    bool found = false;
    HLRP_TRY(hlrp_h5_get_texts(r->file, "format", &format, &found, r->path, err));
    if (format.count != 1 || strcmp(format.items[0], HLRP_RESULT_FORMAT) != 0) {
        status = hlrp_fail(err, HLRP_E_INPUT, r->path, "give a relevance.h5 of histolrp",
                           "the file is of another kind (no format = %s)", HLRP_RESULT_FORMAT);
        goto out;
    }
    HLRP_TRY(hlrp_h5_get_f64(r->file, "format_version", &version, 1, r->path, err));
    if (version != HLRP_RESULT_VERSION)
        status = hlrp_fail(err, HLRP_E_INPUT, r->path, "use the version of histolrp that wrote it",
                           "the file has format version %g, this program reads %d", version,
                           HLRP_RESULT_VERSION);
out:
    hlrp_strings_free(&format);
    return status;
}

/* Opens a map dataset; its dims must be [planes,H,W] with planes of `*planes`, or set it where 0.
 */
static hlrp_status open_map(hlrp_result *r, hlrp_map_kind kind, int64_t *planes, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hsize_t dims[3] = {0};
    const hsize_t most = (hsize_t)1 << 31;
    hlrp_size *map = &r->info.map;
    HLRP_TRY(
        hlrp_h5_open_dataset(r->file, hlrp_map_names[kind], 3, dims, &r->maps[kind], r->path, err));
    const bool sane = dims[0] >= 1 && dims[0] <= 1000000 && dims[1] >= 1 && dims[1] <= most &&
                      dims[2] >= 1 && dims[2] <= most;
    if (sane && map->w == 0)
        *map = (hlrp_size){(int64_t)dims[2], (int64_t)dims[1]};
    if (sane && *planes == 0)
        *planes = (int64_t)dims[0];
    if (!sane || dims[0] != (hsize_t)*planes || dims[1] != (hsize_t)map->h ||
        dims[2] != (hsize_t)map->w || !hlrp_h5_is_type(r->maps[kind], H5T_FLOAT, 4))
        status = hlrp_fail(err, HLRP_E_INPUT, r->path, "the file is damaged: make it again",
                           "/%s has a shape or type that does not fit", hlrp_map_names[kind]);
out:
    return status;
}

/* What a bag's head said of the tiles; results of tiles explained one by one have none of it. */
static hlrp_status open_scores(hlrp_result *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t dataset = -1;
    char name[40];
    hsize_t dims[2] = {0};
    int64_t planes = 0;
    r->info.bag = H5Lexists(r->file, "mil", H5P_DEFAULT) > 0;
    for (int i = 0; r->info.bag && i < HLRP_TILE_FIELDS; i++) {
        const hlrp_tile_field *f = &hlrp_tile_fields[i];
        snprintf(name, sizeof name, "tiles/%s", f->name);
        if (f->width < HLRP_WIDTH_SCORES || H5Lexists(r->file, name, H5P_DEFAULT) <= 0)
            continue;
        HLRP_TRY(hlrp_h5_open_dataset(r->file, name, 2, dims, &dataset, r->path, err));
        hlrp_h5_drop_dataset(&dataset);
        if (dims[1] < 1 || dims[1] > 1000000)
            HLRP_TRY(hlrp_fail(err, HLRP_E_INPUT, r->path, "the file is damaged: make it again",
                               "/%s has a shape that does not fit", name));
        r->info.scores[f->width - HLRP_WIDTH_SCORES] = (int64_t)dims[1];
    }
    planes = hlrp_score_count(&r->info);
    if (planes > 0)
        status = open_map(r, HLRP_MAP_SCORES, &planes, err);
out:
    hlrp_h5_drop_dataset(&dataset);
    return status;
}

static hlrp_status check_tiles(hlrp_result *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t dataset = -1;
    char name[40];
    hsize_t want[2], have[2] = {0};
    HLRP_TRY(hlrp_h5_open_dataset(r->file, "tiles/status", 1, have, &dataset, r->path, err));
    if (have[0] > (hsize_t)1 << 40) {
        status = hlrp_fail(err, HLRP_E_INPUT, r->path, NULL, "too many tiles");
        goto out;
    }
    r->info.tiles = (int64_t)have[0];
    r->has_agreement = true;
    for (int i = 0; i < HLRP_TILE_FIELDS; i++) {
        const int rank = hlrp_tile_dims(&hlrp_tile_fields[i], &r->info, want);
        snprintf(name, sizeof name, "tiles/%s", hlrp_tile_fields[i].name);
        hlrp_h5_drop_dataset(&dataset);
        if (want[1] == 0)
            continue;
        if (hlrp_tile_fields[i].newer && H5Lexists(r->file, name, H5P_DEFAULT) == 0) {
            r->has_agreement = false;
            continue;
        }
        HLRP_TRY(hlrp_h5_open_dataset(r->file, name, rank, have, &dataset, r->path, err));
        if (have[0] != want[0] || (rank == 2 && have[1] != want[1])) {
            status = hlrp_fail(err, HLRP_E_INPUT, r->path, "the file is damaged: make it again",
                               "/%s has a shape that does not fit", name);
            goto out;
        }
    }
out:
    hlrp_h5_drop_dataset(&dataset);
    return status;
}

static hlrp_status read_frame(hlrp_result *r, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    double downsample = 0.0, mpp[2] = {0}, w = 0.0, h = 0.0;
    const hid_t map = r->maps[HLRP_MAP_RELEVANCE];
    HLRP_TRY(hlrp_h5_get_f64(map, "downsample", &downsample, 1, r->path, err));
    HLRP_TRY(hlrp_h5_get_f64(map, "mpp", mpp, 2, r->path, err));
    HLRP_TRY(hlrp_result_get_f64(r, "/slide", "width", &w, 1, err));
    HLRP_TRY(hlrp_result_get_f64(r, "/slide", "height", &h, 1, err));
    if (!(downsample >= 1.0 && downsample < 1e6 && w >= 1.0 && w < 1e12 && h >= 1.0 && h < 1e12 &&
          mpp[0] > 0.0 && mpp[1] > 0.0 && isfinite(mpp[0]) && isfinite(mpp[1]))) {
        status = hlrp_fail(err, HLRP_E_INPUT, r->path, "the file is damaged: make it again",
                           "downsample, mpp or the slide's size make no sense");
        goto out;
    }
    r->info.downsample = (int64_t)downsample;
    r->info.mpp = (hlrp_mpp){mpp[0], mpp[1]};
    r->info.slide = (hlrp_size){(int64_t)w, (int64_t)h};
out:
    return status;
}

hlrp_status hlrp_result_open(const char *path, hlrp_result **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_result *r = NULL;
    HLRP_TRY(hlrp_calloc(&r, 1, sizeof *r, path, err));
    r->file = -1;
    for (int i = 0; i < HLRP_MAP_COUNT; i++)
        r->maps[i] = -1;
    r->path = hlrp_strdup(path, err);
    HLRP_TRY(r->path ? HLRP_OK : HLRP_E_MEMORY);
    HLRP_TRY(hlrp_h5_open(path, &r->file, err));
    HLRP_TRY(check_format(r, err));
    HLRP_TRY(open_map(r, HLRP_MAP_RELEVANCE, &r->info.planes, err));
    HLRP_TRY(open_map(r, HLRP_MAP_COVERAGE, &r->info.planes, err));
    HLRP_TRY(open_map(r, HLRP_MAP_PROBABILITY, &r->info.classes, err));
    HLRP_TRY(read_names(r->maps[0], "relevance", r->info.planes, &r->planes, path, err));
    HLRP_TRY(read_names(r->maps[2], "probability", r->info.classes, &r->classes, path, err));
    r->info.plane_names = (const char *const *)r->planes.items;
    r->info.class_names = (const char *const *)r->classes.items;
    HLRP_TRY(open_scores(r, err));
    HLRP_TRY(check_tiles(r, err));
    HLRP_TRY(read_frame(r, err));
    *out = r;
    r = NULL;
out:
    hlrp_result_close(r);
    return status;
}

void hlrp_result_close(hlrp_result *r) {
    hlrp_error ignored = {0};
    if (!r)
        return;
    for (int i = 0; i < HLRP_MAP_COUNT; i++)
        hlrp_h5_drop_dataset(&r->maps[i]);
    (void)hlrp_h5_close(&r->file, "", &ignored);
    hlrp_strings_free(&r->planes);
    hlrp_strings_free(&r->classes);
    free(r->path);
    free(r);
}

const hlrp_result_info *hlrp_result_facts(const hlrp_result *result) {
    return &result->info;
}

hlrp_status hlrp_result_read_rows(hlrp_result *r, hlrp_map_kind kind, int64_t plane, int64_t y0,
                                  int64_t rows, float *values, hlrp_error *err) {
    const hlrp_size map = r->info.map;
    if (plane < 0 || plane >= hlrp_map_planes(&r->info, kind) || y0 < 0 || rows < 1 || y0 > map.h ||
        rows > map.h - y0)
        return hlrp_fail(err, HLRP_E_INTERNAL, r->path, NULL, "there are no such rows");
    const hsize_t start[3] = {(hsize_t)plane, (hsize_t)y0, 0};
    const hsize_t count[3] = {1, (hsize_t)rows, (hsize_t)map.w};
    return hlrp_h5_read(r->maps[kind], H5T_NATIVE_FLOAT, 3, start, count, values, r->path, err);
}

hlrp_status hlrp_result_read_tiles(hlrp_result *r, const char *name, int64_t first, int64_t count,
                                   int64_t width, double *values, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_tile_field *field = NULL;
    hid_t dataset = -1;
    char full[40];
    hsize_t box[2] = {0}, have[2] = {0};
    for (int i = 0; i < HLRP_TILE_FIELDS; i++)
        if (strcmp(hlrp_tile_fields[i].name, name) == 0)
            field = &hlrp_tile_fields[i];
    const int rank = field ? hlrp_tile_dims(field, &r->info, box) : 0;
    if (!field || (hsize_t)width != box[1] || first < 0 || count < 0 || first > r->info.tiles ||
        count > r->info.tiles - first)
        return hlrp_fail(err, HLRP_E_INTERNAL, r->path, NULL, "there are no such tiles: %s", name);
    if (count == 0)
        return HLRP_OK;
    snprintf(full, sizeof full, "tiles/%s", name);
    HLRP_TRY(hlrp_h5_open_dataset(r->file, full, rank, have, &dataset, r->path, err));
    const hsize_t start[2] = {(hsize_t)first, 0};
    box[0] = (hsize_t)count;
    HLRP_TRY(hlrp_h5_read(dataset, H5T_NATIVE_DOUBLE, rank, start, box, values, r->path, err));
out:
    hlrp_h5_drop_dataset(&dataset);
    return status;
}

hlrp_status hlrp_result_read_list(hlrp_result *r, const char *name, int64_t count, double *values,
                                  hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t dataset = -1;
    hsize_t have = 0;
    const hsize_t start[1] = {0}, box[1] = {(hsize_t)count};
    HLRP_TRY(hlrp_h5_open_dataset(r->file, name, 1, &have, &dataset, r->path, err));
    if (have != box[0])
        HLRP_TRY(hlrp_fail(err, HLRP_E_INPUT, r->path, "the file is damaged: make it again",
                           "%s has a shape that does not fit", name));
    status = hlrp_h5_read(dataset, H5T_NATIVE_DOUBLE, 1, start, box, values, r->path, err);
out:
    hlrp_h5_drop_dataset(&dataset);
    return status;
}

bool hlrp_result_has_agreement(const hlrp_result *r) {
    return r->has_agreement;
}

hlrp_status hlrp_result_table_rows(hlrp_result *r, const char *table, int64_t *rows,
                                   hlrp_error *err) {
    return hlrp_table_rows(r->file, table, rows, r->path, err);
}

hlrp_status hlrp_result_table_f64(hlrp_result *r, const char *table, const char *column,
                                  int64_t rows, double *values, hlrp_error *err) {
    return hlrp_table_f64(r->file, table, column, rows, values, r->path, err);
}

hlrp_status hlrp_result_table_text(hlrp_result *r, const char *table, const char *column,
                                   hlrp_strings *values, hlrp_error *err) {
    return hlrp_table_text(r->file, table, column, values, r->path, err);
}

static hlrp_status open_object(hlrp_result *r, const char *name, hid_t *id, hlrp_error *err) {
    *id = H5Oopen(r->file, name, H5P_DEFAULT);
    if (*id < 0)
        return hlrp_h5_fail(err, HLRP_E_INPUT, r->path, NULL, "there is no %s in the file", name);
    return HLRP_OK;
}

hlrp_status hlrp_result_get_text(hlrp_result *r, const char *group, const char *name, char **value,
                                 hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_strings list = {0};
    hlrp_str text = {0};
    bool found = false;
    hid_t id = -1;
    *value = NULL;
    HLRP_TRY(open_object(r, group, &id, err));
    HLRP_TRY(hlrp_h5_get_texts(id, name, &list, &found, r->path, err));
    if (!found)
        goto out;
    hlrp_str_add(&text, "");
    for (int64_t i = 0; i < list.count; i++)
        hlrp_str_addf(&text, "%s%s", i ? ", " : "", list.items[i]);
    *value = text.failed ? NULL : hlrp_strdup(text.text ? text.text : "", err);
    if (!*value)
        status = hlrp_fail(err, HLRP_E_MEMORY, r->path, NULL, "out of memory for an attribute");
out:
    if (id >= 0)
        H5Oclose(id);
    hlrp_strings_free(&list);
    hlrp_str_free(&text);
    return status;
}

hlrp_status hlrp_result_get_f64(hlrp_result *r, const char *group, const char *name, double *values,
                                int64_t count, hlrp_error *err) {
    hid_t id = -1;
    hlrp_status status = open_object(r, group, &id, err);
    if (status == HLRP_OK)
        status = hlrp_h5_get_f64(id, name, values, count, r->path, err);
    if (id >= 0)
        H5Oclose(id);
    return status;
}

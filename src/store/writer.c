#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/layout.h"
#include "store/table.h"

struct hlrp_result_writer {
    hlrp_h5_out out;
    hlrp_result_info info; /* without its names */
    hid_t maps[HLRP_MAP_COUNT], tiles[HLRP_TILE_FIELDS];
};

/* The attribute `classes` of a map. */
static hlrp_status name_planes(hid_t map, hlrp_map_kind kind, const hlrp_result_info *info,
                               const char *path, hlrp_error *err) {
    enum { NAME = 200 };
    const int64_t planes = hlrp_map_planes(info, kind);
    const char **names = NULL;
    char *texts = NULL;
    hlrp_status status = HLRP_OK;
    if (kind != HLRP_MAP_SCORES)
        return hlrp_h5_set_texts(
            map, "classes", kind == HLRP_MAP_PROBABILITY ? info->class_names : info->plane_names,
            planes, path, err);
    HLRP_TRY(hlrp_calloc(&names, planes, sizeof *names, "scores", err));
    HLRP_TRY(hlrp_calloc(&texts, planes, NAME, "scores", err));
    for (int64_t m = 0; m < planes; m++)
        names[m] = hlrp_score_name(info, m, texts + m * NAME, NAME);
    status = hlrp_h5_set_texts(map, "classes", names, planes, path, err);
out:
    free(names);
    free(texts);
    return status;
}

static hlrp_status make_map(hlrp_result_writer *w, hlrp_map_kind kind, const hlrp_result_info *info,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *path = w->out.atomic.final_path;
    const hlrp_size size = hlrp_chunk_size(info->map);
    const int64_t planes = hlrp_map_planes(info, kind);
    const hsize_t dims[3] = {(hsize_t)planes, (hsize_t)info->map.h, (hsize_t)info->map.w};
    const hsize_t chunk[3] = {1, (hsize_t)size.h, (hsize_t)size.w};
    const float fill = kind == HLRP_MAP_COVERAGE ? 0.0f : NAN;
    const double mpp[2] = {info->mpp.x, info->mpp.y};
    hid_t *map = &w->maps[kind];
    if (planes == 0)
        return HLRP_OK;
    HLRP_TRY(hlrp_h5_make_dataset(w->out.file, hlrp_map_names[kind], H5T_IEEE_F32LE, 3, dims, chunk,
                                  &fill, map, path, err));
    HLRP_TRY(name_planes(*map, kind, info, path, err));
    HLRP_TRY(hlrp_h5_set_numbers(*map, "downsample", H5T_NATIVE_INT64, &info->downsample, -1, path,
                                 err));
    HLRP_TRY(hlrp_h5_set_numbers(*map, "mpp", H5T_NATIVE_DOUBLE, mpp, 2, path, err));
out:
    return status;
}

static hlrp_status make_tiles(hlrp_result_writer *w, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *path = w->out.atomic.final_path;
    const double fill = NAN;
    hid_t group = H5Gcreate2(w->out.file, "tiles", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < HLRP_TILE_FIELDS; i++) {
        const hlrp_tile_field *f = &hlrp_tile_fields[i];
        hsize_t dims[2], chunk[2];
        const int rank = hlrp_tile_dims(f, &w->info, dims);
        if (dims[1] == 0)
            continue;
        chunk[0] = HLRP_MIN(dims[0], HLRP_MAX(65536 / dims[1], 1));
        chunk[1] = dims[1];
        HLRP_TRY(hlrp_h5_make_dataset(
            group, f->name, hlrp_tile_h5_type(f->type, true), rank, dims, dims[0] ? chunk : NULL,
            f->type == HLRP_TYPE_F64 ? &fill : NULL, &w->tiles[i], path, err));
    }
    if (w->info.bag &&
        H5Lcreate_hard(group, "start", group, "mil_relevance", H5P_DEFAULT, H5P_DEFAULT) < 0)
        status = hlrp_h5_fail(err, HLRP_E_IO, path, NULL, "cannot make /tiles/mil_relevance");
out:
    hlrp_h5_drop_group(&group);
    return status;
}

static hlrp_status make_groups(hlrp_result_writer *w, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *const names[] = {"model", "slide", "run", "mil"};
    const hlrp_result_info *info = &w->info;
    const double mpp[2] = {info->mpp.x, info->mpp.y};
    const int64_t version = HLRP_RESULT_VERSION;
    for (size_t i = 0; i < HLRP_COUNT(names) - !info->bag; i++) {
        hid_t group = H5Gcreate2(w->out.file, names[i], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (group < 0)
            return hlrp_h5_fail(err, HLRP_E_IO, w->out.atomic.final_path, NULL,
                                "cannot make the group %s", names[i]);
        hlrp_h5_drop_group(&group);
    }
    HLRP_TRY(hlrp_result_set_text(w, "/", "format", HLRP_RESULT_FORMAT, err));
    HLRP_TRY(hlrp_result_set_i64(w, "/", "format_version", &version, -1, err));
    HLRP_TRY(hlrp_result_set_i64(w, "/slide", "width", &info->slide.w, -1, err));
    HLRP_TRY(hlrp_result_set_i64(w, "/slide", "height", &info->slide.h, -1, err));
    HLRP_TRY(hlrp_result_set_f64(w, "/slide", "mpp", mpp, 2, err));
out:
    return status;
}

static hlrp_status check_info(const char *path, const hlrp_result_info *info, hlrp_error *err) {
    const int64_t most = INT64_C(1) << 31;
    if (info->map.w < 1 || info->map.h < 1 || info->map.w > most || info->map.h > most ||
        info->planes < 1 || info->classes < 1 || info->tiles < 0 || info->downsample < 1)
        return hlrp_fail(err, HLRP_E_INTERNAL, path, NULL, "a map of %lld × %lld × %lld",
                         (long long)info->planes, (long long)info->map.h, (long long)info->map.w);
    return HLRP_OK;
}

hlrp_status hlrp_result_create(const char *path, const hlrp_result_info *info,
                               hlrp_result_writer **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_result_writer *w = NULL;
    HLRP_TRY(check_info(path, info, err));
    HLRP_TRY(hlrp_calloc(&w, 1, sizeof *w, path, err));
    w->info = *info;
    w->info.plane_names = w->info.class_names = NULL;
    for (int i = 0; i < HLRP_MAP_COUNT; i++)
        w->maps[i] = -1;
    for (int i = 0; i < HLRP_TILE_FIELDS; i++)
        w->tiles[i] = -1;
    HLRP_TRY(hlrp_h5_begin(&w->out, path, err));
    for (int i = 0; i < HLRP_MAP_SCORES; i++)
        HLRP_TRY(make_map(w, (hlrp_map_kind)i, info, err));
    HLRP_TRY(make_tiles(w, err));
    HLRP_TRY(make_groups(w, err));
    HLRP_TRY(make_map(w, HLRP_MAP_SCORES, info, err)); /* in a group of its own */
    *out = w;
    w = NULL;
out:
    hlrp_result_abort(w);
    return status;
}

hlrp_status hlrp_result_write_chunk(hlrp_result_writer *w, hlrp_map_kind kind, int64_t plane,
                                    int64_t y0, int64_t column, const hlrp_chunk *chunk,
                                    hlrp_error *err) {
    const hlrp_size size = hlrp_chunk_size(w->info.map);
    if (plane < 0 || plane >= hlrp_map_planes(&w->info, kind) || y0 < 0 || y0 % size.h != 0 ||
        y0 >= w->info.map.h || column < 0 || column * size.w >= w->info.map.w)
        return hlrp_fail(err, HLRP_E_INTERNAL, w->out.atomic.final_path, NULL,
                         "there is no such chunk");
    if (chunk->empty)
        return HLRP_OK;
    const hsize_t at[3] = {(hsize_t)plane, (hsize_t)y0, (hsize_t)(column * size.w)};
    if (H5Dwrite_chunk(w->maps[kind], H5P_DEFAULT, 0, at, chunk->size, chunk->bytes) >= 0)
        return hlrp_h5_wrote(&w->out, HLRP_OK, err);
    hlrp_h5_fail(err, HLRP_E_IO, w->out.atomic.final_path,
                 "make room on the disk and run again: finished tiles are kept",
                 "cannot write the map");
    return hlrp_h5_wrote(&w->out, HLRP_E_IO, err);
}

hlrp_status hlrp_result_write_rows(hlrp_result_writer *w, hlrp_map_kind kind, int64_t plane,
                                   int64_t y0, int64_t rows, const float *values, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_size map = w->info.map, size = hlrp_chunk_size(map);
    if (rows < 1 || y0 < 0 || y0 + rows > map.h || (rows % size.h != 0 && y0 + rows != map.h))
        return hlrp_fail(err, HLRP_E_INTERNAL, w->out.atomic.final_path, NULL, "rows of no band");
    for (int64_t y = 0; y < rows; y += size.h)
        for (int64_t column = 0; column * size.w < map.w; column++) {
            hlrp_chunk chunk = {0};
            HLRP_TRY(hlrp_chunk_pack(map, kind, values + y * map.w, HLRP_MIN(size.h, rows - y),
                                     column, &chunk, err));
            status = hlrp_result_write_chunk(w, kind, plane, y0 + y, column, &chunk, err);
            free(chunk.bytes);
            if (status != HLRP_OK)
                goto out;
        }
out:
    return status;
}

hlrp_status hlrp_result_write_tiles(hlrp_result_writer *w, int64_t first, int64_t count,
                                    const hlrp_tile_rows *rows, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (first < 0 || count < 0 || first > w->info.tiles || count > w->info.tiles - first)
        return hlrp_fail(err, HLRP_E_INTERNAL, w->out.atomic.final_path, NULL,
                         "there are no such tiles");
    for (int i = 0; i < HLRP_TILE_FIELDS && count > 0; i++) {
        const hlrp_tile_field *f = &hlrp_tile_fields[i];
        const void *values = NULL;
        hsize_t box[2];
        const hsize_t start[2] = {(hsize_t)first, 0};
        const int rank = hlrp_tile_dims(f, &w->info, box);
        if (box[1] == 0)
            continue;
        box[0] = (hsize_t)count;
        memcpy(&values, (const char *)rows + f->offset, sizeof values);
        HLRP_TRY(hlrp_h5_write(w->tiles[i], hlrp_tile_h5_type(f->type, false), rank, start, box,
                               values, w->out.atomic.final_path, err));
    }
out:
    return hlrp_h5_wrote(&w->out, status, err);
}

hlrp_status hlrp_result_write_table(hlrp_result_writer *w, const char *name,
                                    const hlrp_column *columns, int64_t column_count, int64_t rows,
                                    hlrp_error *err) {
    const hlrp_status status = hlrp_table_write(w->out.file, name, columns, column_count, rows,
                                                w->out.atomic.final_path, err);
    return hlrp_h5_wrote(&w->out, status, err);
}

hlrp_status hlrp_result_write_list(hlrp_result_writer *w, const char *name, hlrp_list_kind kind,
                                   const void *values, int64_t count, hlrp_error *err) {
    const char *path = w->out.atomic.final_path;
    const bool f32 = kind == HLRP_LIST_F32;
    const hsize_t dims[1] = {(hsize_t)count}, start[1] = {0};
    hid_t dataset = -1;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_h5_make_dataset(w->out.file, name, f32 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE, 1, dims,
                                  NULL, NULL, &dataset, path, err));
    status = hlrp_h5_write(dataset, f32 ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE, 1, start, dims,
                           values, path, err);
out:
    hlrp_h5_drop_dataset(&dataset);
    return hlrp_h5_wrote(&w->out, status, err);
}

hlrp_status hlrp_result_write_array(hlrp_result_writer *w, const char *name, int64_t rows,
                                    int64_t width, int64_t first, int64_t count,
                                    const float *values, hlrp_error *err) {
    const char *path = w->out.atomic.final_path;
    const hsize_t dims[2] = {(hsize_t)rows, (hsize_t)width}, start[2] = {(hsize_t)first, 0};
    const hsize_t chunk[2] = {HLRP_MIN(dims[0], HLRP_MAX(262144 / dims[1], 1)), dims[1]};
    const hsize_t box[2] = {(hsize_t)count, dims[1]};
    hid_t dataset = -1;
    hlrp_status status = HLRP_OK;
    if (first == 0)
        HLRP_TRY(hlrp_h5_make_dataset(w->out.file, name, H5T_IEEE_F32LE, 2, dims, chunk, NULL,
                                      &dataset, path, err));
    else
        dataset = H5Dopen2(w->out.file, name, H5P_DEFAULT);
    if (dataset < 0)
        HLRP_TRY(hlrp_h5_fail(err, HLRP_E_INTERNAL, path, NULL, "there is no %s", name));
    status = hlrp_h5_write(dataset, H5T_NATIVE_FLOAT, 2, start, box, values, path, err);
out:
    hlrp_h5_drop_dataset(&dataset);
    return hlrp_h5_wrote(&w->out, status, err);
}

static hlrp_status open_group(hlrp_result_writer *w, const char *group, hid_t *id,
                              hlrp_error *err) {
    *id = H5Gopen2(w->out.file, group, H5P_DEFAULT);
    if (*id < 0)
        return hlrp_h5_fail(err, HLRP_E_INTERNAL, w->out.atomic.final_path, NULL,
                            "there is no group %s", group);
    return HLRP_OK;
}

hlrp_status hlrp_result_set_text(hlrp_result_writer *w, const char *group, const char *name,
                                 const char *value, hlrp_error *err) {
    hid_t id = -1;
    hlrp_status status = open_group(w, group, &id, err);
    if (status == HLRP_OK)
        status = hlrp_h5_set_texts(id, name, &value, -1, w->out.atomic.final_path, err);
    hlrp_h5_drop_group(&id);
    return status;
}

hlrp_status hlrp_result_set_f64(hlrp_result_writer *w, const char *group, const char *name,
                                const double *values, int64_t count, hlrp_error *err) {
    hid_t id = -1;
    hlrp_status status = open_group(w, group, &id, err);
    if (status == HLRP_OK)
        status = hlrp_h5_set_numbers(id, name, H5T_NATIVE_DOUBLE, values, count,
                                     w->out.atomic.final_path, err);
    hlrp_h5_drop_group(&id);
    return status;
}

hlrp_status hlrp_result_set_i64(hlrp_result_writer *w, const char *group, const char *name,
                                const int64_t *values, int64_t count, hlrp_error *err) {
    hid_t id = -1;
    hlrp_status status = open_group(w, group, &id, err);
    if (status == HLRP_OK)
        status = hlrp_h5_set_numbers(id, name, H5T_NATIVE_INT64, values, count,
                                     w->out.atomic.final_path, err);
    hlrp_h5_drop_group(&id);
    return status;
}

static void close_all(hlrp_result_writer *w) {
    for (int i = 0; i < HLRP_MAP_COUNT; i++)
        hlrp_h5_drop_dataset(&w->maps[i]);
    for (int i = 0; i < HLRP_TILE_FIELDS; i++)
        hlrp_h5_drop_dataset(&w->tiles[i]);
}

hlrp_status hlrp_result_commit(hlrp_result_writer *w, hlrp_error *err) {
    close_all(w);
    const hlrp_status status = hlrp_h5_commit(&w->out, err);
    hlrp_result_abort(w);
    return status;
}

void hlrp_result_abort(hlrp_result_writer *w) {
    if (!w)
        return;
    close_all(w);
    hlrp_h5_abort(&w->out);
    free(w);
}

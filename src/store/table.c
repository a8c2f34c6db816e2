#include <stdlib.h>
#include <string.h>

#include "store/table.h"

#define ROWS_MOST 10000000

static const char *text_at(const hlrp_column *column, int64_t row) {
    const char *text = ((const char *const *)column->data)[row];
    return text ? text : "";
}

static size_t width_of(const hlrp_column *column, int64_t rows) {
    size_t width = 1;
    if (column->kind != HLRP_COLUMN_TEXT)
        return 8;
    for (int64_t r = 0; r < rows; r++) {
        const size_t n = strlen(text_at(column, r));
        width = HLRP_MAX(width, n);
    }
    return width;
}

static hid_t member_type(const hlrp_column *column, size_t width) {
    if (column->kind != HLRP_COLUMN_TEXT)
        return H5Tcopy(column->kind == HLRP_COLUMN_F64 ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT64);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, width);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static hlrp_status make_type(const hlrp_column *columns, int64_t count, const size_t *width,
                             hid_t *type, const char *path, hlrp_error *err) {
    size_t size = 0;
    for (int64_t c = 0; c < count; c++)
        size += width[c];
    *type = H5Tcreate(H5T_COMPOUND, HLRP_MAX(size, 1));
    size_t at = 0;
    for (int64_t c = 0; c < count; c++) {
        hid_t member = member_type(&columns[c], width[c]);
        const herr_t got = H5Tinsert(*type, columns[c].name, at, member);
        hlrp_h5_drop_type(&member);
        if (got < 0)
            return hlrp_h5_fail(err, HLRP_E_INTERNAL, path, NULL, "cannot make the column %s",
                                columns[c].name);
        at += width[c];
    }
    return HLRP_OK;
}

static void fill_row(const hlrp_column *columns, int64_t count, const size_t *width, int64_t row,
                     char *to) {
    for (int64_t c = 0; c < count; c++) {
        if (columns[c].kind == HLRP_COLUMN_TEXT)
            memcpy(to, text_at(&columns[c], row), strlen(text_at(&columns[c], row)));
        else
            memcpy(to, (const char *)columns[c].data + 8 * row, 8);
        to += width[c];
    }
}

hlrp_status hlrp_table_write(hid_t file, const char *name, const hlrp_column *columns,
                             int64_t column_count, int64_t rows, const char *path,
                             hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t type = -1, dataset = -1;
    size_t *width = NULL, size = 0;
    char *bytes = NULL;
    const hsize_t dims[1] = {(hsize_t)rows}, start[1] = {0};
    if (column_count < 1 || rows < 0 || rows > ROWS_MOST)
        return hlrp_fail(err, HLRP_E_INTERNAL, path, NULL, "a table without columns: %s", name);
    HLRP_TRY(hlrp_calloc(&width, column_count, sizeof *width, "table", err));
    for (int64_t c = 0; c < column_count; c++)
        size += width[c] = width_of(&columns[c], rows);
    HLRP_TRY(make_type(columns, column_count, width, &type, path, err));
    HLRP_TRY(hlrp_calloc(&bytes, rows, size, "table", err));
    for (int64_t r = 0; r < rows; r++)
        fill_row(columns, column_count, width, r, bytes + (size_t)r * size);
    HLRP_TRY(hlrp_h5_make_dataset(file, name, type, 1, dims, NULL, NULL, &dataset, path, err));
    if (rows > 0)
        HLRP_TRY(hlrp_h5_write(dataset, type, 1, start, dims, bytes, path, err));
out:
    hlrp_h5_drop_dataset(&dataset);
    hlrp_h5_drop_type(&type);
    free(width);
    free(bytes);
    return status;
}

static hlrp_status open_table(hid_t file, const char *name, hsize_t *rows, hid_t *dataset,
                              const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_h5_open_dataset(file, name, 1, rows, dataset, path, err));
    if (!hlrp_h5_is_type(*dataset, H5T_COMPOUND, 0) || *rows > ROWS_MOST)
        status = hlrp_fail(err, HLRP_E_INPUT, path, NULL, "%s is not a table", name);
out:
    return status;
}

hlrp_status hlrp_table_rows(hid_t file, const char *name, int64_t *rows, const char *path,
                            hlrp_error *err) {
    hid_t dataset = -1;
    hsize_t count = 0;
    const hlrp_status status = open_table(file, name, &count, &dataset, path, err);
    *rows = status == HLRP_OK ? (int64_t)count : 0;
    hlrp_h5_drop_dataset(&dataset);
    return status;
}

/* The file's type of a column, for the caller to drop. */
static hlrp_status find_column(hid_t dataset, const char *name, const char *column, hid_t *member,
                               const char *path, hlrp_error *err) {
    hid_t type = H5Dget_type(dataset);
    const int index = type < 0 ? -1 : H5Tget_member_index(type, column);
    *member = index < 0 ? -1 : H5Tget_member_type(type, (unsigned)index);
    hlrp_h5_drop_type(&type);
    if (*member >= 0)
        return HLRP_OK;
    return hlrp_h5_fail(err, HLRP_E_INPUT, path, NULL, "the table %s has no column %s", name,
                        column);
}

/* Reads one column: a compound of that member alone selects it. */
static hlrp_status read_column(hid_t dataset, const char *column, hid_t member, hsize_t rows,
                               void *values, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hsize_t start[1] = {0}, count[1] = {rows};
    hid_t type = H5Tcreate(H5T_COMPOUND, H5Tget_size(member));
    if (type < 0 || H5Tinsert(type, column, 0, member) < 0)
        status = hlrp_h5_fail(err, HLRP_E_INPUT, path, NULL, "cannot read the column %s", column);
    else if (rows > 0)
        status = hlrp_h5_read(dataset, type, 1, start, count, values, path, err);
    hlrp_h5_drop_type(&type);
    return status;
}

hlrp_status hlrp_table_f64(hid_t file, const char *name, const char *column, int64_t rows,
                           double *values, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t dataset = -1, member = -1;
    hsize_t have = 0;
    HLRP_TRY(open_table(file, name, &have, &dataset, path, err));
    HLRP_TRY(find_column(dataset, name, column, &member, path, err));
    const H5T_class_t class = H5Tget_class(member);
    if (rows != (int64_t)have || (class != H5T_FLOAT && class != H5T_INTEGER)) {
        status = hlrp_fail(err, HLRP_E_INPUT, path, NULL, "%s.%s is not %lld numbers", name, column,
                           (long long)rows);
        goto out;
    }
    HLRP_TRY(read_column(dataset, column, H5T_NATIVE_DOUBLE, have, values, path, err));
out:
    hlrp_h5_drop_type(&member);
    hlrp_h5_drop_dataset(&dataset);
    return status;
}

hlrp_status hlrp_table_text(hid_t file, const char *name, const char *column, hlrp_strings *values,
                            const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hid_t dataset = -1, member = -1;
    hsize_t rows = 0;
    char *bytes = NULL, *one = NULL;
    HLRP_TRY(open_table(file, name, &rows, &dataset, path, err));
    HLRP_TRY(find_column(dataset, name, column, &member, path, err));
    const size_t width = H5Tget_size(member);
    if (H5Tget_class(member) != H5T_STRING || H5Tis_variable_str(member) > 0 ||
        width > (1u << 20) || rows * width > (1u << 30)) {
        status = hlrp_fail(err, HLRP_E_INPUT, path, NULL, "%s.%s is not text", name, column);
        goto out;
    }
    HLRP_TRY(hlrp_calloc(&bytes, (int64_t)rows, width, "table", err));
    HLRP_TRY(hlrp_calloc(&one, (int64_t)width + 1, 1, "table", err));
    HLRP_TRY(read_column(dataset, column, member, rows, bytes, path, err));
    for (hsize_t r = 0; r < rows; r++) {
        memcpy(one, bytes + r * width, width);
        HLRP_TRY(hlrp_strings_add(values, one, err));
    }
out:
    hlrp_h5_drop_type(&member);
    hlrp_h5_drop_dataset(&dataset);
    free(bytes);
    free(one);
    return status;
}

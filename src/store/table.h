/* Tables: compound datasets with a row per record, as pandas and h5py read them. */
#ifndef HLRP_STORE_TABLE_H
#define HLRP_STORE_TABLE_H

#include "store/h5.h"
#include "store/store.h"

hlrp_status hlrp_table_write(hid_t file, const char *name, const hlrp_column *columns,
                             int64_t column_count, int64_t rows, const char *path, hlrp_error *err);
hlrp_status hlrp_table_rows(hid_t file, const char *name, int64_t *rows, const char *path,
                            hlrp_error *err);
hlrp_status hlrp_table_f64(hid_t file, const char *name, const char *column, int64_t rows,
                           double *values, const char *path, hlrp_error *err);
hlrp_status hlrp_table_text(hid_t file, const char *name, const char *column, hlrp_strings *values,
                            const char *path, hlrp_error *err);

#endif

#include "run/features.h"

#include <string.h>

bool hlrp_tile_features_has(void *ctx, int64_t tile) {
    const hlrp_tile_features *f = ctx;
    hlrp_record_status status = HLRP_RECORD_UNREADABLE;
    return f->file ||
           (hlrp_journal_has(f->journal, tile, &status) && status == HLRP_RECORD_EXPLAINED);
}

hlrp_status hlrp_tile_features_read(void *ctx, int64_t first, int64_t count, float *values,
                                    hlrp_error *err) {
    hlrp_tile_features *f = ctx;
    hlrp_status status = HLRP_OK;
    if (f->file)
        return hlrp_features_read(f->file, first, count, values, err);
    for (int64_t i = 0; i < count; i++) {
        hlrp_record record;
        HLRP_TRY(hlrp_journal_read(f->journal, first + i, &f->buffer, &record, err));
        memcpy(values + i * f->width, record.features, (size_t)f->width * sizeof *values);
    }
out:
    return status;
}

void hlrp_tile_features_free(hlrp_tile_features *f) {
    hlrp_journal_buffer_free(&f->buffer);
}

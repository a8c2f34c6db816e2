/* Records of the journal as rows of /tiles, some at a time. */
#ifndef HLRP_RUN_TILE_ROWS_H
#define HLRP_RUN_TILE_ROWS_H

#include "batch/journal.h"
#include "store/store.h"

typedef struct hlrp_tile_table hlrp_tile_table;

/* Room for `capacity` tiles of a result; info is borrowed. */
hlrp_status hlrp_tile_table_new(const hlrp_result_info *info, int64_t capacity,
                                hlrp_tile_table **out, hlrp_error *err);
void hlrp_tile_table_free(hlrp_tile_table *table); /* NULL is fine */

/* The tile's record and frame, and its scores [hlrp_score_count] (NULL where there are none), into a row
 * below the capacity. */
void hlrp_tile_table_put(hlrp_tile_table *table, int64_t row, hlrp_irect frame,
                         const hlrp_record *record, const float *scores);
/* The first `count` rows become those of tiles [first, first + count). */
hlrp_status hlrp_tile_table_write(const hlrp_tile_table *table, int64_t first, int64_t count,
                                  hlrp_result_writer *writer, hlrp_error *err);

#endif

/* Finished rows of a band into the maps of relevance.h5. */
#ifndef HLRP_RUN_MAP_ROWS_H
#define HLRP_RUN_MAP_ROWS_H

#include "stitch/stitch.h"
#include "store/store.h"

/* A band for a result's maps: its planes of relevance, and its classes with the scores behind them as
 * those of probability. One chunk high. */
hlrp_status hlrp_map_rows_band(const hlrp_result_info *info, hlrp_band **out, hlrp_error *err);

/* Writes the rows of a band that is finished, compressed on `threads` threads. */
hlrp_status hlrp_map_rows_write(hlrp_result_writer *writer, const hlrp_result_info *info,
                                const hlrp_band *band, int threads, hlrp_error *err);

#endif

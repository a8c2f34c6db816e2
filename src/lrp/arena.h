/* Where the relevance of each value lies: buffers whose lives do not overlap share memory. */
#ifndef HLRP_ARENA_H
#define HLRP_ARENA_H

#include <stdint.h>

#include "util/util.h"

/* A buffer of `floats` that is in use from step `first` to step `last`, both included. */
typedef struct hlrp_interval {
    int first, last;
    int64_t floats;
    int64_t offset; /* set by hlrp_arena_pack: floats from the start, a multiple of 16 */
} hlrp_interval;

/* Of more buffers than this, far more than networks have, none share memory. */
enum { HLRP_ARENA_MOST = 8192 };

/* Largest first, each at the lowest place that is free for its whole life. *floats: what all take.
 */
hlrp_status hlrp_arena_pack(hlrp_interval *intervals, int count, int64_t *floats, hlrp_error *err);

#endif

/* Buffers whose lives do not overlap share memory: values on a way forward that nothing looks back at, and
 * relevance on the way back. */
#ifndef HLRP_ARENA_H
#define HLRP_ARENA_H

#include <stdint.h>

#include "graph/graph.h"

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

/* lives[value].first and .last, written: of each computed value on the way forward, in steps that are
 * nodes by their place. A value lives from its producer's step, the input from -1, to its last reader's,
 * the output to the end (node_count): so it may be set before a segment that begins there, and stands
 * after one that ends there, where later nodes read it. */
void hlrp_forward_lives(const hlrp_graph *g, hlrp_interval *lives);

#endif

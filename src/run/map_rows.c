#include "run/map_rows.h"

#include <stdlib.h>

#include "sched/sched.h"

/* The chunks of one band: all planes of all maps, packed side by side. */
typedef struct packing {
    const hlrp_result_info *info;
    const hlrp_band *band;
    int64_t columns;
    hlrp_chunk *chunks; /* [planes of all maps][columns] */
} packing;

hlrp_status hlrp_map_rows_band(const hlrp_result_info *info, hlrp_band **out, hlrp_error *err) {
    return hlrp_band_new(info->slide, info->downsample, info->planes,
                         info->classes + hlrp_score_count(info), hlrp_chunk_size(info->map).h, out,
                         err);
}

static int64_t plane_count(const hlrp_result_info *info) {
    return 2 * info->planes + info->classes + hlrp_score_count(info);
}

/* Which plane of which map is number `all` of those of all maps, and its rows. */
static const float *plane_of(const packing *p, int64_t all, hlrp_map_kind *kind, int64_t *plane) {
    const int64_t k = p->info->planes, classes = p->info->classes;
    if (all < 2 * k) {
        *kind = all < k ? HLRP_MAP_RELEVANCE : HLRP_MAP_COVERAGE;
        *plane = all % k;
        return all < k ? hlrp_band_relevance(p->band, *plane) : hlrp_band_coverage(p->band, *plane);
    }
    const int64_t c = all - 2 * k;
    *kind = c < classes ? HLRP_MAP_PROBABILITY : HLRP_MAP_SCORES;
    *plane = c < classes ? c : c - classes;
    return hlrp_band_probability(p->band, c);
}

static hlrp_status pack_chunk(void *ctx, void *state, int64_t index, hlrp_error *err) {
    (void)state;
    packing *p = ctx;
    hlrp_map_kind kind = HLRP_MAP_RELEVANCE;
    int64_t plane = 0;
    const float *values = plane_of(p, index / p->columns, &kind, &plane);
    return hlrp_chunk_pack(p->info->map, kind, values, hlrp_band_rows(p->band), index % p->columns,
                           &p->chunks[index], err);
}

hlrp_status hlrp_map_rows_write(hlrp_result_writer *writer, const hlrp_result_info *info,
                                const hlrp_band *band, int threads, hlrp_error *err) {
    packing p = {.info = info,
                 .band = band,
                 .columns = hlrp_ceil_div(info->map.w, hlrp_chunk_size(info->map).w)};
    const int64_t count = plane_count(info) * p.columns;
    const hlrp_sched_job job = {.ctx = &p, .item = pack_chunk};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&p.chunks, count, sizeof *p.chunks, "chunks", err));
    HLRP_TRY(hlrp_sched_run(&job, threads, count, err));
    for (int64_t i = 0; i < count; i++) {
        hlrp_map_kind kind = HLRP_MAP_RELEVANCE;
        int64_t plane = 0;
        plane_of(&p, i / p.columns, &kind, &plane);
        HLRP_TRY(hlrp_result_write_chunk(writer, kind, plane, hlrp_band_y0(band), i % p.columns,
                                         &p.chunks[i], err));
    }
out:
    for (int64_t i = 0; p.chunks && i < count; i++)
        free(p.chunks[i].bytes);
    free(p.chunks);
    return status;
}

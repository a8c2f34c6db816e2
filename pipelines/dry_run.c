/* --dry-run: what a slide would take, in tiles, memory, disk and time, without doing it. */
#include <stdlib.h>

#include "pipelines/slide_run.h"

/* What one thread of this machine takes for one micro-batch. */
typedef struct timing {
    const hlrp_network *net;
    double seconds;
} timing;

/* A way forward and back with empty tiles; the second one counts, when memory has been touched. */
static hlrp_status time_batch(void *ctx, hlrp_error *err) {
    timing *t = ctx;
    const hlrp_network *net = t->net;
    const int64_t values = net->batch * 3 * net->height * net->width;
    hlrp_lrp_worker *worker = NULL;
    float *input = NULL, *start = NULL, *relevance = NULL;
    hlrp_account *account = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_lrp_worker_new(net->lrp, &worker, err));
    HLRP_TRY(hlrp_calloc_aligned(&input, values, sizeof *input, "tiles", err));
    HLRP_TRY(hlrp_calloc_aligned(&relevance, values, sizeof *relevance, "relevance", err));
    HLRP_TRY(hlrp_calloc(&start, net->batch * net->outputs, sizeof *start, "starts", err));
    HLRP_TRY(hlrp_calloc(&account, net->batch * net->graph->node_count, sizeof *account, "account",
                         err));
    const hlrp_lrp_watch watch = {.account = account};
    for (int i = 0; i < 2; i++) {
        const double began = hlrp_seconds();
        HLRP_TRY(hlrp_lrp_forward(worker, input, err));
        for (int64_t pass = 0; pass < (net->targets.predicted ? 1 : net->targets.planes); pass++)
            HLRP_TRY(hlrp_lrp_relevance(worker, start, &watch, relevance, err));
        t->seconds = hlrp_seconds() - began;
    }
out:
    hlrp_lrp_worker_free(worker);
    free(input);
    free(start);
    free(relevance);
    free(account);
    return status;
}

/* Bytes of the journal at most: every tile explained. */
static double journal_bytes(const hlrp_slide_run *run, int64_t parts) {
    const hlrp_network *net = run->batch->net;
    const double planes = net->targets.predicted ? 1 : (double)net->targets.planes;
    const double account = (double)net->graph->node_count * HLRP_ACCOUNT_FIELDS;
    return (double)run->tile_count * 8 * ((double)parts * planes + account);
}

/* Bytes of the map in relevance.h5 and relevance.ome.tif before compression, the pyramid with it. */
static double map_bytes(const hlrp_slide_run *run, hlrp_size map) {
    const hlrp_network *net = run->batch->net;
    const double planes = (double)(net->targets.planes + net->classes);
    return (double)map.w * (double)map.h * 4 * (planes * 7 / 3 + (double)net->targets.planes);
}

hlrp_status hlrp_step_dry_run(hlrp_slide_run *run, hlrp_error *err) {
    const hlrp_run_options *o = run->batch->options;
    const hlrp_network *net = run->batch->net;
    const hlrp_size size = hlrp_slide_size(run->slide, 0);
    const int level = hlrp_slide_pick_level(run->slide, run->grid.r_x, run->grid.r_y);
    const int64_t downsample = run->batch->config->map.downsample, threads = run->batch->threads;
    const hlrp_size map = hlrp_map_size(size, downsample);
    timing t = {.net = net};
    hlrp_pool *pool = NULL;
    char text[6000], time[32], *regions = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_pool_new(&run->grid, downsample, &pool, err));
    HLRP_TRY(hlrp_sched_single(time_batch, &t, err));
    HLRP_TRY(hlrp_region_describe(run->region, &regions, err));
    const int64_t parts = hlrp_pool_capacity(pool);
    const double memory = (double)hlrp_tile_job_worker_bytes(net, parts) * (double)threads;
    const double batches = (double)hlrp_ceil_div(run->tile_count, net->batch);
    snprintf(text, sizeof text,
             "%s\n"
             "  slide    %lld x %lld pixels, %.4g x %.4g um per pixel, from %s\n"
             "  read     level %d of %d, %.4g level-0 pixels to a pixel of the network's\n"
             "  regions  %.2000s\n"
             "  tiles    %lld of a grid of %lld x %lld, the regions are %.1f %% of the slide\n"
             "  map      %lld x %lld pixels of %.4g um, %lld planes\n"
             "  memory   %.0f MB: %lld workers\n"
             "  disk     at most %.0f MB while it runs, at most %.0f MB for its maps\n"
             "  time     about %s, if all tiles are explained\n",
             run->path, (long long)size.w, (long long)size.h, run->mpp.x, run->mpp.y,
             run->mpp_source, level, hlrp_slide_levels(run->slide), run->grid.r_x, regions,
             (long long)run->tile_count, (long long)run->grid.nx, (long long)run->grid.ny,
             100 * hlrp_region_share(run->region), (long long)map.w, (long long)map.h,
             run->mpp.x * (double)downsample, (long long)net->targets.planes, memory / 1e6,
             (long long)threads, journal_bytes(run, parts) / 1e6, map_bytes(run, map) / 1e6,
             hlrp_progress_duration(batches * t.seconds / (double)threads, time, sizeof time));
    if (o->print)
        o->print(o->print_ctx, text);
out:
    hlrp_pool_free(pool);
    free(regions);
    return status;
}

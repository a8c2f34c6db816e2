/* `explain` for a bag: features of all instances, the head once, its relevance back to the features, and
 * from there through the encoder to each instance's pixels. */
#include "explain/bag.h"

#include <stdlib.h>
#include <string.h>

#include "mil/bag.h"
#include "sched/sched.h"

typedef struct explain {
    const char *target;
    hlrp_tensor_file *file;
    hlrp_bag bag;
    hlrp_explain_writer *writer;
} explain;

hlrp_status hlrp_is_bag(const hlrp_config *config, const char *input, bool *is, hlrp_error *err) {
    hlrp_tensor_file *file = NULL;
    const hlrp_status status = hlrp_tensor_open_spec(input, &file, err);
    *is = file && (hlrp_tensor_file_dims(file)->rank == 2 || config->mil.head[0] != '\0');
    hlrp_tensor_close(file);
    return status;
}

/* Instances [first, first+count) of pictures go forward. */
static hlrp_status forward_tiles(explain *e, int64_t first, int64_t *count, hlrp_error *err) {
    hlrp_worker *w = &e->bag.tiles;
    *count = HLRP_MIN(e->bag.encoder->batch, e->bag.head.instances - first);
    const hlrp_status status = hlrp_tensor_read(e->file, first, *count, w->input, err);
    if (status != HLRP_OK)
        return status;
    hlrp_worker_fill_up(w, *count);
    return hlrp_lrp_forward(w->lrp, w->input, err);
}

static hlrp_status take_features(explain *e, hlrp_error *err) {
    const hlrp_head *head = &e->bag.head;
    const int64_t n = head->instances, width = head->width;
    int64_t count = 0;
    hlrp_status status = HLRP_OK;
    if (!e->bag.encoder)
        return hlrp_tensor_read(e->file, 0, n, e->bag.features, err);
    for (int64_t first = 0; status == HLRP_OK && first < n; first += count) {
        status = forward_tiles(e, first, &count, err);
        if (status == HLRP_OK)
            memcpy(e->bag.features + first * width, hlrp_worker_logits(&e->bag.tiles, 0),
                   (size_t)(count * width) * sizeof(float));
    }
    return status;
}

static hlrp_status explain_tiles(explain *e, hlrp_error *err) {
    const hlrp_worker *w = &e->bag.tiles;
    int64_t count = 0;
    hlrp_status status = HLRP_OK;
    for (int64_t first = 0; status == HLRP_OK && first < e->bag.head.instances; first += count) {
        HLRP_TRY(forward_tiles(e, first, &count, err));
        HLRP_TRY(hlrp_bag_back(&e->bag, first, count, err));
        status = hlrp_explain_write_samples(e->writer, first, count, w->input, w->relevance, err);
    }
out:
    return status;
}

static hlrp_status run(void *ctx, hlrp_error *err) {
    explain *e = ctx;
    hlrp_explained_bag told = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(take_features(e, err));
    HLRP_TRY(hlrp_bag_explain(&e->bag, e->target, &told, err));
    HLRP_TRY(hlrp_explain_write_bag(e->writer, &told, err));
    status = e->bag.encoder
                 ? explain_tiles(e, err)
                 : hlrp_explain_write_samples(e->writer, 0, e->bag.head.instances, told.features,
                                              told.feature_relevance, err);
out:
    return status;
}

hlrp_status hlrp_explain_bag(const hlrp_config *config, const char *input, const char *output,
                             const hlrp_explain_options *options, hlrp_error *err) {
    explain e = {.target = options->target};
    hlrp_status status = HLRP_OK;
    if (options->layers || options->check)
        return hlrp_fail(err, HLRP_E_USAGE, options->layers ? "--layers" : "--check",
                         "leave it out", "it is for tiles, not for a bag of them");
    HLRP_TRY(hlrp_tensor_open_spec(input, &e.file, err));
    const hlrp_dims *dims = hlrp_tensor_file_dims(e.file);
    HLRP_TRY(hlrp_bag_open(&e.bag, config, options->start, dims, options->log, err));
    const hlrp_network *head = e.bag.head.net;
    HLRP_TRY(hlrp_explain_create_bag(output, dims, e.bag.encoder ? e.bag.head.width : 0,
                                     (const char *const *)head->class_names, head->classes,
                                     &e.writer, err));
    HLRP_TRY(hlrp_sched_single(run, &e, err));
    status = hlrp_explain_commit(e.writer, err);
    e.writer = NULL;
out:
    hlrp_explain_abort(e.writer);
    hlrp_tensor_close(e.file);
    hlrp_bag_close(&e.bag);
    return status;
}

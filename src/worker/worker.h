/* What one thread needs to run a network forward and back: the one list of its buffers. */
#ifndef HLRP_WORKER_H
#define HLRP_WORKER_H

#include "model/network.h"

/* N samples run at once (net->batch). Fill input, run hlrp_lrp_forward, fill start and slope, run
 * hlrp_lrp_relevance. */
typedef struct hlrp_worker {
    const hlrp_network *net; /* borrowed */
    hlrp_lrp_worker *lrp;
    float *input, *relevance; /* [N,3,H,W] */
    float *start, *slope;     /* [N,outputs] */
    float *plane;             /* [H,W] of one sample */
    float *probabilities;     /* [C] of one sample */
    hlrp_account *account;    /* [node][N] */
} hlrp_worker;

/* The network is ready. Zero-initialise; hlrp_worker_close releases it, also where this fails. */
hlrp_status hlrp_worker_open(hlrp_worker *worker, const hlrp_network *net, hlrp_error *err);
/* One that only goes forward, for logits or features: input, lrp and probabilities are there, no more. Its
 * logits have the bits of the other's. The network is ready either way (model/network.h). */
hlrp_status hlrp_worker_open_forward(hlrp_worker *worker, const hlrp_network *net, hlrp_error *err);
void hlrp_worker_close(hlrp_worker *worker);
/* What it allocates. */
int64_t hlrp_worker_bytes(const hlrp_network *net);
/* HLRP_E_CONFIG where a worker that takes so many bytes is over compute.memory_limit. */
hlrp_status hlrp_worker_within_limit(const hlrp_config *config, int64_t bytes, hlrp_error *err);

/* Values of one sample's input. */
int64_t hlrp_worker_values(const hlrp_worker *worker);
/* Logits of sample i in the last forward pass; borrowed. */
const float *hlrp_worker_logits(const hlrp_worker *worker, int64_t i);
/* The class that sample i is predicted to be, by worker->probabilities, which are made its own. */
int64_t hlrp_worker_predict(hlrp_worker *worker, int64_t i);
/* Samples from `count` on become copies of the one before: the network always runs at one size. */
void hlrp_worker_fill_up(hlrp_worker *worker, int64_t count);

/* No sample starts with anything. */
void hlrp_worker_clear_starts(hlrp_worker *worker);
/* Sample i starts for the class, as the network's start has it from the logits; returns Σ start. */
double hlrp_worker_start(hlrp_worker *worker, int64_t i, int64_t target);

/* Relevance of sample i summed over color, into worker->plane. */
void hlrp_worker_sum_color(hlrp_worker *worker, int64_t i);
/* Σ plane and Σ|plane|, added up in the pixels' order: the same bits everywhere. */
double hlrp_worker_sum(const hlrp_worker *worker);
double hlrp_worker_magnitude(const hlrp_worker *worker);

#endif

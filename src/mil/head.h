/* The head of a bag: one score of the features of all its instances. Forward once, back for each class that
 * is explained. */
#ifndef HLRP_MIL_HEAD_H
#define HLRP_MIL_HEAD_H

#include "worker/worker.h"

/* Zero-initialise; hlrp_head_close releases it, also where opening fails. */
typedef struct hlrp_head {
    int64_t instances, width; /* N tiles of D features each */
    hlrp_network *net;
    hlrp_worker worker; /* its one sample is the bag: input and relevance are [N,D] */
    hlrp_config *own;
    int pooling;      /* value of the weights by which instances are summed up; -1: there are none */
    bool by_branch;   /* these lie as [branches,N], not [N,branches] */
    int64_t branches; /* 0 where there are none */
} hlrp_head;

/* The configuration of the head alone, the caller's to free: mil.head or, where that is not set,
 * model.path, with its own ways of attention and biases. start: takes the place of lrp.start; NULL: that. */
hlrp_status hlrp_head_config(const hlrp_config *config, const char *start, hlrp_config **out,
                             hlrp_error *err);

/* For bags of this many instances; features 0: as many as the file says. Takes own over, also where it
 * fails. Call on one thread of OpenMP. HLRP_E_CONFIG, HLRP_E_MODEL. */
hlrp_status hlrp_head_open(hlrp_head *head, hlrp_config *own, int64_t instances, int64_t features,
                           const hlrp_log *log, hlrp_error *err);
void hlrp_head_close(hlrp_head *head);

/* With the features in head->worker.input. */
hlrp_status hlrp_head_forward(hlrp_head *head, hlrp_error *err);
/* The pooling's weights after that, into weights [N][branches]. */
hlrp_status hlrp_head_attention(const hlrp_head *head, float *weights, hlrp_error *err);
/* The features' relevance for a class, into head->worker.relevance; *start: Σ of what it began with. */
hlrp_status hlrp_head_back(hlrp_head *head, int64_t target, double *start, hlrp_error *err);
/* Of each instance: Σ and Σ|·| over its features, in sums and magnitudes [N]; returns the sum of all. */
double hlrp_head_sums(const hlrp_head *head, double *sums, double *magnitudes);

#endif

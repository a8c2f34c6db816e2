/* The head of a bag: one score of the features of all its instances. Forward once, back for each class that
 * is explained. What treats instances one by one runs on a block of them at a time, so that neither features
 * nor their relevance need to be in memory (model/bag.c says how the network is parted). */
#ifndef HLRP_MIL_HEAD_H
#define HLRP_MIL_HEAD_H

#include "model/network.h"

/* Zero-initialise; hlrp_head_close releases it, also where opening fails. */
typedef struct hlrp_head {
    int64_t instances, width; /* N tiles of D features each */
    hlrp_network *net;
    hlrp_config *own;
    hlrp_lrp_worker *rest,
        *rows;     /* of net->lrp and net->row_lrp; rows: NULL where there are none */
    int *crossing; /* values that go from rows to rest: [crossing_count] */
    int crossing_count;
    float *block; /* [HLRP_BAG_BLOCK][D]: features */
    float *room;  /* as many floats as a block of the largest crossing value has, or features */
    float *start, *slope;  /* [outputs] */
    hlrp_account *account; /* [node_count], of one pass */
    double *layers;        /* [node_count][HLRP_ACCOUNT_FIELDS], of the last way back */
    int pooling;    /* value of the weights by which instances are summed up; -1: there are none */
    bool by_branch; /* these lie as [branches,N], not [N,branches] */
    int64_t branches; /* 0 where there are none */
} hlrp_head;

/* Where the features are: those of instances [first, first+count) into values [count][D]. They are asked
 * for in order, once on each way. */
typedef struct hlrp_head_features {
    hlrp_status (*read)(void *ctx, int64_t first, int64_t count, float *values, hlrp_error *err);
    void *ctx;
} hlrp_head_features;

/* Where their relevance goes, likewise. take NULL: only its sums are wanted. */
typedef struct hlrp_head_relevance {
    hlrp_status (*take)(void *ctx, int64_t first, int64_t count, const float *values,
                        hlrp_error *err);
    void *ctx;
    double *sums, *magnitudes; /* [N], written: Σ and Σ|·| over an instance's features */
} hlrp_head_relevance;

/* The configuration of the head alone, the caller's to free: mil.head or, where that is not set,
 * model.path, with its own ways of attention and biases. start: takes the place of lrp.start; NULL: that. */
hlrp_status hlrp_head_config(const hlrp_config *config, const char *start, hlrp_config **out,
                             hlrp_error *err);

/* For bags of this many instances; features 0: as many as the file says. Takes own over, also where it
 * fails. Call on one thread of OpenMP. HLRP_E_CONFIG, HLRP_E_MODEL. */
hlrp_status hlrp_head_open(hlrp_head *head, hlrp_config *own, int64_t instances, int64_t features,
                           const hlrp_log *log, hlrp_error *err);
void hlrp_head_close(hlrp_head *head);
/* Bytes that it allocated. */
int64_t hlrp_head_bytes(const hlrp_head *head);

hlrp_status hlrp_head_forward(hlrp_head *head, const hlrp_head_features *features, hlrp_error *err);
/* Logits [outputs] after that; borrowed. */
const float *hlrp_head_logits(const hlrp_head *head);
/* The pooling's weights, into weights [N][branches]. */
hlrp_status hlrp_head_attention(const hlrp_head *head, float *weights, hlrp_error *err);
/* What crosses from rows to rest of `count` instances of another head of the same file, from `first` on, to
 * those from `at` on; and rest alone, of what was so given. Both only where the two are parted alike, which a
 * bag of one tile, whose sums are over nothing, need not be. */
bool hlrp_head_is_parted_as(const hlrp_head *head, const hlrp_head *other);
void hlrp_head_copy(hlrp_head *head, int64_t at, const hlrp_head *from, int64_t first,
                    int64_t count);
hlrp_status hlrp_head_forward_rest(hlrp_head *head, hlrp_error *err);
/* Relevance of the features for a class; *start: Σ of what it began with. */
hlrp_status hlrp_head_back(hlrp_head *head, const hlrp_head_features *features, int64_t target,
                           const hlrp_head_relevance *relevance, double *start, hlrp_error *err);

#endif

/* The account of a tile: where its relevance went, node by node, as numbers that add up. */
#ifndef HLRP_WORKER_ACCOUNT_H
#define HLRP_WORKER_ACCOUNT_H

#include "store/store.h"
#include "worker/worker.h"

/* Doubles of all nodes: for each, in the graph's order, the fields of its account in theirs
 * (account/account.h). */
int64_t hlrp_account_count(const hlrp_network *net);

/* layers [hlrp_account_count] += the account of sample i after hlrp_lrp_relevance. */
void hlrp_account_add(const hlrp_worker *worker, int64_t i, double *layers);

/* The nodes of one network, and sums over all tiles. */
typedef struct hlrp_account_part {
    const hlrp_network *net;
    const double *layers; /* [hlrp_account_count] */
    const char *prefix;   /* of the nodes' names */
} hlrp_account_part;

/* They become the table /layers: a row per node with its name, operator and rule, in the order in which
 * relevance meets them, from the output of the first part down. */
hlrp_status hlrp_account_write(const hlrp_account_part *parts, int count,
                               hlrp_result_writer *writer, hlrp_error *err);

#endif

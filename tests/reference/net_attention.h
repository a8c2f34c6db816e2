/* Networks as transformers, gated and pooling ones are made, by seed: before canonize. */
#ifndef NET_ATTENTION_H
#define NET_ATTENTION_H

#include "net_rows.h"

typedef enum net_family {
    NET_TRANSFORMER, /* patches, tokens, attention, a head */
    NET_PICTURES,    /* convolutions with gates, norms, resizing and blocks of rows */
    NET_POOLING,     /* attention pooling over a bag of features */
    NET_FAMILIES
} net_family;

/* A network of the family; the batch has one picture. It is canonized, and its logits were compared on
 * the way. */
void net_attention(net *n, net_family family, uint64_t seed);

#endif

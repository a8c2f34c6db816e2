/* Where relevance went at a node, and the one list of what is told of it. From the list come the struct
 * that the way back fills, the columns of /layers in relevance.h5 and their reader, the attributes of
 * explain's layers, and the report's columns. */
#ifndef HLRP_ACCOUNT_H
#define HLRP_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

/* X(member, FIELD, column of /layers, who takes it: "biases", …; NULL: it is no taker's, …
 *   rare: only some networks have such takers, later: results of earlier versions lack it)
 *
 * Sums over a node's tensors: Σ R and Σ |R| at its output, and of what it hands to its inputs; and of what
 * is not handed on, by who took it. Biases: s·b, b as in the rule's denominator; the stabilizer:
 * s·(stab(z) − z); constants: what lies on tokens, position embeddings, zeros of padding; normalization:
 * what layer normalization took for its own bias, and softmax. */
#define HLRP_ACCOUNT(X)                                                                            \
    X(out, OUT, "relevance_out", NULL, false, false)                                               \
    X(out_abs, OUT_ABS, "relevance_out_abs", NULL, false, false)                                   \
    X(in, IN, "relevance_in", NULL, false, false)                                                  \
    X(in_abs, IN_ABS, "relevance_in_abs", NULL, false, true)                                       \
    X(bias, BIAS, "bias", "biases", false, false)                                                  \
    X(stabilizer, STABILIZER, "stabilizer", "the stabilizer", false, false)                        \
    X(constant, CONSTANT, "constant", "constants", true, true)                                     \
    X(normalization, NORMALIZATION, "normalization", "normalization", true, true)

#define HLRP_ACCOUNT_MEMBER(member, field, column, taker, rare, later) double member;
#define HLRP_ACCOUNT_FIELD(member, field, column, taker, rare, later) HLRP_ACCOUNT_##field,

typedef struct hlrp_account {
    HLRP_ACCOUNT(HLRP_ACCOUNT_MEMBER)
} hlrp_account;

enum { HLRP_ACCOUNT(HLRP_ACCOUNT_FIELD) HLRP_ACCOUNT_FIELDS };

typedef struct hlrp_account_field {
    const char *column, *taker;
    bool rare, later;
} hlrp_account_field;

extern const hlrp_account_field hlrp_account_fields[HLRP_ACCOUNT_FIELDS];

/* The members, by field. */
void hlrp_account_numbers(const hlrp_account *account, double numbers[HLRP_ACCOUNT_FIELDS]);

#endif

/* A second look at one tile: what the network's float32 arithmetic gives beside the float64 reference,
 * so that rounding is told from real size. */
#ifndef HLRP_CHECK_TILE_H
#define HLRP_CHECK_TILE_H

#include "model/network.h"

/* Zero-initialise; hlrp_tile_check_free releases it. */
typedef struct hlrp_tile_check {
    double logits;                     /* max|z32 − z64| / max|z64| */
    double relevance;                  /* max|R32 − R64| / max|R64| of the input's relevance */
    double sum32, sum64, abs32, abs64; /* Σ R and Σ |R| at the input */
    hlrp_account *single, *twice;      /* [node]: the accounts in float32 and float64 */
} hlrp_tile_check;

/* input [3,H,W] as the network takes it; target: a class. The network is ready. Takes about a second
 * for 10⁹ multiply-adds (hlrp_check_macs). Call with OpenMP limited to one thread
 * (hlrp_sched_single). HLRP_E_MEMORY, HLRP_E_MODEL. */
hlrp_status hlrp_check_tile(const hlrp_network *net, const float *input, int64_t target,
                            hlrp_tile_check *out, hlrp_error *err);
/* Whether float32 gives the same relevance but for rounding that nobody sees: within a tenth of its
 * peak. */
bool hlrp_check_holds(const hlrp_tile_check *check);
/* A table of the layers that change relevance, and what it comes to in words. */
void hlrp_check_text(const hlrp_network *net, const hlrp_tile_check *check, hlrp_str *out);
void hlrp_tile_check_free(hlrp_tile_check *check);

/* Multiply-adds of such a look, about: forward and back, as the reference's formulas are written. */
int64_t hlrp_check_macs(const hlrp_network *net);

#endif

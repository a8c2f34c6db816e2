/* exp, erf, tanh and what is made of them, for loops over whole tensors: no branches and no calls, so
 * that a compiler turns such a loop into vector instructions, and the same bits whichever it takes.
 * Computed in float64 and rounded once: within 0.6 units in the last place of the float32 result.
 * The coefficients are least-squares fits of ours, reweighted until the error is even. */
#ifndef HLRP_ELEMENTARY_H
#define HLRP_ELEMENTARY_H

#include <stdint.h>
#include <string.h>

/* Beyond these float32 has only 0 and infinity. */
#define HLRP_EXP_MOST 110.0

/* 2^k·exp(r) with |r| ≤ ½·ln 2, to 1e-10 of the result; a NaN stays one. */
static inline double hlrp_wide_exp(double x) {
    const double rounder = 6755399441055744.0; /* 1.5·2^52: the sum's last bits are round(k) */
    const double inside = x < -HLRP_EXP_MOST  ? -HLRP_EXP_MOST
                          : x > HLRP_EXP_MOST ? HLRP_EXP_MOST
                                              : x;
    const double sum = inside * 1.4426950408889634074 + rounder;
    const double r = inside - (sum - rounder) * 0.69314718055994530942;
    double p = 0.00019775155798687608;
    uint64_t bits = 0;
    double scale = 0;
    p = p * r + 0.0013948195143332965;
    p = p * r + 0.0083335611862608745;
    p = p * r + 0.04166622525008213;
    p = p * r + 0.16666665125189706;
    p = p * r + 0.50000001045983045;
    p = p * r + 1.0000000002432925;
    p = p * r + 0.99999999996165201;
    memcpy(&bits, &sum, sizeof bits);
    bits = (bits + 1023) << 52; /* the exponent of 2^k */
    memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

/* x·P(x²)/Q(x²), to 3e-9 of the result; beyond 4 it is 1 in float32. */
static inline double hlrp_wide_erf(double x) {
    const double inside = x < -4 ? -4 : x > 4 ? 4 : x, t = inside * inside;
    double p = -1.3202211381923613e-08, q = 6.3110477025530944e-05;
    p = p * t + 4.6847646145480119e-06;
    p = p * t + 0.00037960929301977304;
    p = p * t + 0.0038496470788128216;
    p = p * t + 0.054317022525081547;
    p = p * t + 0.18520408877561736;
    p = p * t + 1.1283791693761216;
    q = q * t + 0.0013075777883111393;
    q = q * t + 0.015462161989619614;
    q = q * t + 0.11395877107645316;
    q = q * t + 0.4974662639642205;
    q = q * t + 1;
    return inside * p / q;
}

/* (e − 1)/(e + 1) for e = exp(2x); near 0, where that cancels, by its series. */
static inline double hlrp_wide_tanh(double x) {
    const double e = hlrp_wide_exp(2 * x);
    return x < 0.01 && x > -0.01 ? x - x * x * x / 3 : (e - 1) / (e + 1);
}

static inline double hlrp_wide_sigmoid(double x) {
    return 1 / (1 + hlrp_wide_exp(-x));
}

#endif

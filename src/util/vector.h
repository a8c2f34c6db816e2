/* For loops over whole tensors: HLRP_VECTOR before a function compiles it once for each of the
 * instruction sets named here and picks at load time what the processor has. The choice changes how
 * sums are split over lanes, so results are the same bits on one processor model, as everywhere.
 * Left out where a compiler or sanitizer cannot do it. */
#ifndef HLRP_VECTOR_H
#define HLRP_VECTOR_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HLRP_VECTOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HLRP_VECTOR
#endif

#endif

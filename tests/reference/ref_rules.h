/* One step back through a linear layer, by each rule; ref_lrp.c walks. */
#ifndef REF_RULES_H
#define REF_RULES_H

#include "ref_lrp.h"

#include "reference/reference.h"

typedef struct layer {
    bool gemm;
    hlrp_ref_conv conv;
    int64_t weights, inputs, outputs;  /* how many numbers */
    int64_t samples, channels, pixels; /* of the output */
    const double *w, *x, *r;
    double *b;      /* [O], 0 where there is none */
    double *b_rule; /* the same as the rules' sums have it: 0 where biases are dropped */
    const hlrp_graph *g;
    int from; /* the value that is its input */
    double stabilizer;
    hlrp_account *account; /* [N] */
    double *out;           /* relevance of the input, starts as 0 */
    hlrp_bias bias;
    double *left; /* where bias conserves: what of r no input has yet; else NULL */
} layer;

/* y = Wx + b and c = Wᵀs; a·v⁺ + b·v⁻; a + b, which is freed; out += times · x · wᵀs. */
double *forward(const layer *l, const double *w, const double *b, const double *x);
double *adjoint(const layer *l, const double *w, const double *s);
double *signed_parts(int64_t count, const double *v, double a, double b);
double *sum(int64_t count, double *a, double *b);
void send(layer *l, double times, const double *x, const double *w, const double *s);

static inline double stab(double z, double e) {
    return z >= 0 ? z + e : z - e;
}

/* Each adds to out and to account. */
void by_epsilon(layer *l, double epsilon, bool rms);
void by_gamma(layer *l, double g);
void by_alphabeta(layer *l, double alpha, double beta);
void by_constant(layer *l, bool flat);
void by_zbox(layer *l, const ref_lrp_options *o);
void by_gradient(layer *l);

#endif

/* One step back through a linear layer, by each rule; lrp.c walks. */
#ifndef HLRP_REFERENCE_RULES_H
#define HLRP_REFERENCE_RULES_H

#include "reference/lrp.h"
#include "reference/reference.h"
#include "reference/room.h"
#include "reference/turn.h"

typedef struct hlrp_ref_layer {
    hlrp_ref_room *room;
    bool gemm;
    hlrp_ref_conv conv;
    int64_t weights, inputs, outputs; /* how many numbers */
    int64_t samples, channels,
        pixels; /* of the output; a gemm has many rows in a sample, of 1 pixel */
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
} hlrp_ref_layer;

/* y = Wx + b and c = Wᵀs; a·v⁺ + b·v⁻; a += b; out += times · x · wᵀs. */
double *hlrp_ref_map(const hlrp_ref_layer *l, const double *w, const double *b, const double *x);
double *hlrp_ref_map_back(const hlrp_ref_layer *l, const double *w, const double *s);
double *hlrp_ref_signed_parts(const hlrp_ref_layer *l, int64_t count, const double *v, double a,
                              double b);
double *hlrp_ref_add(int64_t count, double *a, const double *b);
void hlrp_ref_send(hlrp_ref_layer *l, double times, const double *x, const double *w,
                   const double *s);

/* Each adds to out and to account, and takes from left what it hands on. */
void hlrp_ref_by_epsilon(hlrp_ref_layer *l, double epsilon, bool rms);
void hlrp_ref_by_gamma(hlrp_ref_layer *l, double g);
void hlrp_ref_by_alphabeta(hlrp_ref_layer *l, double alpha, double beta);
void hlrp_ref_by_constant(hlrp_ref_layer *l, bool flat);
void hlrp_ref_by_zbox(hlrp_ref_layer *l, const hlrp_ref_lrp_options *o);
void hlrp_ref_by_gradient(hlrp_ref_layer *l);

/* left.c: after the rule's own relevance stands in l->out and what it did not hand on in l->left, the
 * rest goes to the inputs, as l->bias says. */
void hlrp_ref_give_left(hlrp_ref_layer *l, const hlrp_rule *rule);
/* left[k], evenly to what output k sees through the window: all channels of its group. c: relevance
 * of the input, added to. */
void hlrp_ref_spread_window(hlrp_ref_shape x, hlrp_ref_shape y, const hlrp_window *win,
                            int64_t groups, const double *left, double *c);

#endif

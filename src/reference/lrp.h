/* Relevance by the rules' formulas as they are written, in float64, without any of the shortcuts that
 * src/lrp takes: no inferred signs, no shared buffers, no stacked maps, each rule's sums from modified
 * weights. It shares with src/lrp the names of rules and nothing else. Slow, for tests and for a second
 * look at single tiles. */
#ifndef HLRP_REFERENCE_LRP_H
#define HLRP_REFERENCE_LRP_H

#include "lrp/lrp.h"
#include "reference/reference.h"

typedef struct hlrp_ref_lrp_options {
    const double *low, *high; /* zbox, by input channel */
    const double *root;       /* gradient-x-input's reference, by input channel; NULL: 0 */
    hlrp_bias bias;
    bool times_input;    /* gradient-x-input */
    const double *slope; /* [N,K] or NULL: the last linear layer hands on by slopes (start.h) */
    double stabilizer;   /* for every rule's own; 0: 1e-6 */
    double lrp0;         /* ε of LRP-0; 0: 1e-9 */
} hlrp_ref_lrp_options;

typedef struct hlrp_ref_lrp {
    const hlrp_graph *g;   /* borrowed */
    double **relevance;    /* per value; NULL where none arrives */
    hlrp_account *account; /* [node][N] */
} hlrp_ref_lrp;

/* Back from start [N,K] over the values of a forward pass; rules [node_count]. *out is the caller's to
 * free, also where it fails (HLRP_E_MEMORY). */
hlrp_status hlrp_ref_lrp_run(const hlrp_graph *g, const hlrp_rule *rules,
                             const hlrp_ref_lrp_options *options, const hlrp_ref_values *values,
                             const double *start, hlrp_ref_lrp *out, hlrp_error *err);
void hlrp_ref_lrp_free(hlrp_ref_lrp *r);

#endif

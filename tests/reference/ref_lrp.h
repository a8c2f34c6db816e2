/* Relevance by the rules' formulas as they are written, in float64, without any of the shortcuts
 * that src/lrp takes: no inferred signs, no shared buffers, no stacked maps, each rule's sums from
 * modified weights. It shares with src/lrp the names of rules and nothing else. */
#ifndef REF_LRP_H
#define REF_LRP_H

#include "lrp/lrp.h"
#include "reference/reference.h"

typedef struct ref_lrp_options {
    const double *low, *high; /* zbox, by input channel */
    const double *root;       /* gradient-x-input's reference, by input channel */
    hlrp_bias bias;
    bool times_input;
    const double *slope; /* [N,K] or NULL: as hlrp_lrp_relevance has it */
    double stabilizer;   /* for every rule's own; 0: 1e-6 */
    double lrp0;         /* ε of LRP-0; 0: 1e-9 */
} ref_lrp_options;

typedef struct ref_lrp {
    const hlrp_graph *g;
    double **relevance;    /* per value; NULL where none arrives */
    hlrp_account *account; /* [node][N] */
} ref_lrp;

/* start [N,K]. Fails the running test where it cannot. */
void ref_lrp_run(const hlrp_graph *g, const hlrp_rule *rules, const ref_lrp_options *options,
                 const hlrp_ref_values *values, const double *start, ref_lrp *out);
void ref_lrp_free(ref_lrp *r);

#endif

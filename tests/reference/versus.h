/* The float32 engine against the float64 reference on one network. */
#ifndef VERSUS_H
#define VERSUS_H

#include "net.h"
#include "reference/lrp.h"

/* What the engine gives for one input and start; all plain. */
typedef struct engine_result {
    float *logits, *relevance;
    float **layers;        /* per value: relevance as watched; NULL where nothing was seen */
    hlrp_account *account; /* [node][N] */
    int value_count;
} engine_result;

void engine_run(const hlrp_graph *g, const hlrp_lrp_options *o, const float *input,
                const float *start, engine_result *out);
void engine_free(engine_result *r);
/* The same call, whose refusal is the test's business. */
hlrp_status engine_try(const hlrp_graph *g, const hlrp_lrp_options *o, hlrp_error *err);

/* A reference run: forward, rules and relevance. */
typedef struct ref_result {
    hlrp_ref_values *values;
    hlrp_rule *rules;
    hlrp_ref_lrp lrp;
} ref_result;

void ref_run(const hlrp_graph *g, const hlrp_lrp_options *o, double stabilizer, const float *input,
             const float *start, ref_result *out);
void ref_run_from(const hlrp_graph *g, const hlrp_lrp_options *o, double stabilizer,
                  const float *input, const double *start, ref_result *out);
void ref_free(ref_result *r);

/* Largest |a − b| / largest |b| of one sample among `count` numbers each; 0 where b is all 0 and a
 * too, infinite where a is not finite. */
double apart(int64_t count, const float *a, const double *b);

typedef struct versus {
    double logits, relevance; /* worst over samples */
    double logits_excess;     /* error / allowed error, 1e-5 or what rounding explains */
    double sensitivity;       /* of the reference's relevance to rounding its parameters and pixels
                                 once more; worst over samples */
    double excess;            /* worst over samples of error / allowed error */
    double layers, account;   /* watched values, and accounts, relative to their |R| */
} versus;

/* What a sample's relevance may be off by. */
double allowed(double sensitivity);

/* Compares everything; what: for messages. The tests on the numbers are the caller's. */
void compare(net *n, const hlrp_lrp_options *o, const float *input, const float *start,
             versus *out);

hlrp_lrp_options options_for(const char *composite);

#endif

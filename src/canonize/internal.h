/* Shared by the files of this folder only. */
#ifndef HLRP_CANONIZE_INTERNAL_H
#define HLRP_CANONIZE_INTERNAL_H

#include "canonize/canonize.h"
#include "op/op.h"

/* A graph on its way. A pass edits nodes, marks removals and says which value stands for which;
 * these take effect together after it. */
typedef struct canon {
    hlrp_graph *g;
    const hlrp_canonize_options *options;
    bool *remove; /* per node */
    int *stands;  /* per value: the value that its readers shall read instead; itself at first */
    int *readers; /* per value, as before the pass */
    int *reader;  /* per value: a node that reads it, or −1; likewise */
    int changes;  /* made by this pass */
} canon;

typedef hlrp_status (*canon_pass)(canon *c, hlrp_error *err);

/* Node id goes, its readers read its first input. */
void canon_bypass(canon *c, int id);
/* Node `first` writes what node `second` wrote, and `second` goes. */
void canon_absorb(canon *c, int first, int second);

hlrp_dims *canon_in_dims(const canon *c, const hlrp_node *n, int input);
hlrp_dims *canon_out_dims(const canon *c, const hlrp_node *n);
const hlrp_tensor *canon_constant(const canon *c, const hlrp_node *n, int input);
/* The node whose output is n's first input and read by nothing else; -1 where there is none. */
int canon_sole_producer(const canon *c, const hlrp_node *n);
/* A new constant as input k of n: takes t. */
hlrp_status canon_set_constant(canon *c, int id, int input, hlrp_tensor *t, hlrp_error *err);

/* output.c */
hlrp_status canon_nhwc_input(canon *c, hlrp_error *err);
hlrp_status canon_cut_output(canon *c, hlrp_error *err);
hlrp_status canon_flat_output(canon *c, hlrp_error *err);
/* shapes.c */
hlrp_status canon_fold_shapes(canon *c, hlrp_error *err);
hlrp_status canon_drop_identities(canon *c, hlrp_error *err);
hlrp_status canon_shuffle(canon *c, hlrp_error *err);
hlrp_status canon_reshape(canon *c, hlrp_error *err);
hlrp_status canon_channels_last_flatten(canon *c, hlrp_error *err);
/* operands.c */
hlrp_status canon_constant_operands(canon *c, hlrp_error *err);
hlrp_status canon_quotients(canon *c, hlrp_error *err);
/* layernorm.c */
hlrp_status canon_layernorm(canon *c, hlrp_error *err);
/* activation.c */
hlrp_status canon_activations(canon *c, hlrp_error *err);
/* insert.c: they add nodes, and run on their own */
hlrp_status canon_meet_shapes(canon *c, hlrp_error *err);
hlrp_status canon_change_layouts(canon *c, hlrp_error *err);
/* check.c: HLRP_E_MODEL names all that has no relevance rule */
hlrp_status canon_check_nodes(const canon *c, hlrp_error *err);
/* affine.c */
hlrp_status canon_linear(canon *c, hlrp_error *err);
hlrp_status canon_bias(canon *c, hlrp_error *err);
hlrp_status canon_affine(canon *c, hlrp_error *err);
hlrp_status canon_join_batchnorms(canon *c, hlrp_error *err);
hlrp_status canon_merge_batchnorms(canon *c, hlrp_error *err);

#endif

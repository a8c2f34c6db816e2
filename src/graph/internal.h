/* Shared by the files of this folder only. */
#ifndef HLRP_GRAPH_INTERNAL_H
#define HLRP_GRAPH_INTERNAL_H

#include "graph/graph.h"

/* The largest published networks have a few thousand nodes; passes over a graph may be quadratic.
 */
#define HLRP_GRAPH_MAX_ITEMS 200000

/* HLRP_E_MODEL with the node's name and type as the place. */
hlrp_status hlrp_node_fail(const hlrp_node *n, hlrp_error *err, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

/* -1 → rank−1 and so on; false where axis is outside −rank…rank−1. */
bool hlrp_axis_resolve(int64_t axis, int rank, int *out);

/* Output dims of what moves data; each checks its arguments. `shape` is an int64 vector. */
hlrp_status hlrp_dims_reshape(const hlrp_node *n, const hlrp_dims *in, const hlrp_tensor *shape,
                              hlrp_dims *out, hlrp_error *err);
hlrp_status hlrp_dims_transpose(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
                                hlrp_error *err);
hlrp_status hlrp_dims_squeeze(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
                              hlrp_error *err);
hlrp_status hlrp_dims_unsqueeze(const hlrp_node *n, const hlrp_dims *in, hlrp_dims *out,
                                hlrp_error *err);
/* in: one pointer per input. */
hlrp_status hlrp_dims_concat(const hlrp_node *n, const hlrp_dims *const *in, hlrp_dims *out,
                             hlrp_error *err);
/* One axis of a Slice: start (in place) and count, as ONNX clamps them. */
int64_t hlrp_slice_count(int64_t *start, int64_t end, int64_t step, int64_t extent);
/* What a SLICE takes of x, with steps of 1: first indices and extents. known: its inputs. */
hlrp_status hlrp_dims_slice(const hlrp_node *n, const hlrp_dims *x, const hlrp_tensor *const *known,
                            hlrp_dims *from, hlrp_dims *out, hlrp_error *err);
/* How many axes a SLICE cuts; its vectors are checked against each other. */
hlrp_status hlrp_slice_axes(const hlrp_node *n, const hlrp_tensor *const *known, int64_t *count,
                            hlrp_error *err);
/* numpy's rule; false where they do not fit. */
bool hlrp_dims_broadcast(const hlrp_dims *a, const hlrp_dims *b, hlrp_dims *out);

/* Evaluates n; in[k] NULL: not known (fold gives NULL then, but for SHAPE, which reads dims0). A result
 * of over `most` floats is refused before it takes memory. */
hlrp_status hlrp_fold(const hlrp_node *n, const hlrp_tensor *const *in, const hlrp_dims *dims0,
                      int64_t most, hlrp_tensor **out, hlrp_error *err);

/* Pads that auto_pad asks for at this extent of the input. */
void hlrp_window_resolve(hlrp_window *w, int axis, int64_t extent);

#endif

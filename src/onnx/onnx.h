/* ONNX files to graphs. What is not supported is refused by name, whatever else the file says:
 * "unsupported operator OP at node NAME". Nothing of a file is trusted. */
#ifndef HLRP_ONNX_H
#define HLRP_ONNX_H

#include "graph/graph.h"

/* Operator sets of the default domain that are read. Within them an operator means what the
 * converters in this folder say for that version. */
#define HLRP_ONNX_OPSET_MIN 6
#define HLRP_ONNX_OPSET_MAX 22

/* A constant that takes the place of a graph input of that name. */
typedef struct hlrp_onnx_binding {
    const char *name;
    const hlrp_tensor *tensor; /* borrowed, copied */
} hlrp_onnx_binding;

/* The network in a file, not yet canonical: see canonize. output: the name of its logits among several
 * outputs; NULL: the only one. Data types become float32 or int64.
 * `classes`, `mpp`, `mean` and `std` come from the file's metadata (keys with or without the prefix
 * "histolrp."). The input value's dims are the file's declaration, -1 where it leaves them open,
 * rank 0 where it says nothing. Weights in files of their own (external data) are read from the
 * model's folder, never from outside it. HLRP_E_MODEL: not ONNX, not supported, or not consistent.
 * HLRP_E_INPUT: cannot be read. */
hlrp_status hlrp_onnx_load(const char *path, const char *output, hlrp_graph **out, hlrp_error *err);

/* The same from memory. `folder` is where external data may lie; NULL refuses it. */
hlrp_status hlrp_onnx_parse(const void *bytes, size_t size, const char *folder,
                            const hlrp_onnx_binding *bindings, int binding_count, hlrp_graph **out,
                            hlrp_error *err);

/* One serialized TensorProto (the .pb files of ONNX's conformance cases) in *out, its name (maybe
 * "") in *name where name is not NULL; both the caller's to free. */
hlrp_status hlrp_onnx_tensor_parse(const void *bytes, size_t size, hlrp_tensor **out, char **name,
                                   hlrp_error *err);

/* Version of protobuf-c; static. */
const char *hlrp_onnx_protobuf_version(void);

/* The operators that are read, in alphabetical order; NULL past the last. */
const char *hlrp_onnx_operator(int index);

#endif

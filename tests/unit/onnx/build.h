/* ONNX files in memory, for tests: one growing model, packed by the generated code. */
#ifndef HLRP_TEST_ONNX_BUILD_H
#define HLRP_TEST_ONNX_BUILD_H

#include <stdlib.h>
#include <string.h>

#include <onnx.pb-c.h>

#define BUILD_MOST 16

typedef HlrpPb__TensorProto pb_tensor;
typedef HlrpPb__NodeProto pb_node;
typedef HlrpPb__AttributeProto pb_attribute;

typedef struct build {
    HlrpPb__ModelProto model;
    HlrpPb__GraphProto graph;
    HlrpPb__OperatorSetIdProto opset, *opsets[1];
    HlrpPb__ValueInfoProto input, output, *inputs[1], *outputs[1];
    HlrpPb__TypeProto type;
    HlrpPb__TypeProto__Tensor tensor_type;
    HlrpPb__TensorShapeProto shape;
    HlrpPb__TensorShapeProto__Dimension dim[4], *dims[4];
    HlrpPb__StringStringEntryProto meta[BUILD_MOST], *metas[BUILD_MOST];
    pb_tensor tensor[BUILD_MOST], *tensors[BUILD_MOST];
    int64_t extents[BUILD_MOST][4];
    pb_node node[BUILD_MOST], *nodes[BUILD_MOST];
    char *names[BUILD_MOST][8];
    pb_attribute attribute[BUILD_MOST], *attributes[BUILD_MOST];
    int attribute_count;
} build;

/* Input x [1,c,h,w], output y. */
static inline void build_begin(build *b, int opset, int64_t c, int64_t h, int64_t w) {
    const int64_t extent[4] = {0, c, h, w};
    memset(b, 0, sizeof *b);
    hlrp_pb__model_proto__init(&b->model);
    hlrp_pb__graph_proto__init(&b->graph);
    hlrp_pb__operator_set_id_proto__init(&b->opset);
    hlrp_pb__value_info_proto__init(&b->input);
    hlrp_pb__value_info_proto__init(&b->output);
    hlrp_pb__type_proto__init(&b->type);
    hlrp_pb__type_proto__tensor__init(&b->tensor_type);
    hlrp_pb__tensor_shape_proto__init(&b->shape);
    for (int k = 0; k < 4; k++) {
        hlrp_pb__tensor_shape_proto__dimension__init(&b->dim[k]);
        b->dim[k].has_dim_value = extent[k] != 0;
        b->dim[k].dim_value = extent[k];
        b->dims[k] = &b->dim[k];
    }
    b->shape.n_dim = 4;
    b->shape.dim = b->dims;
    b->tensor_type.has_elem_type = 1;
    b->tensor_type.elem_type = 1;
    b->tensor_type.shape = &b->shape;
    b->type.tensor_type = &b->tensor_type;
    b->input.name = "x";
    b->input.type = &b->type;
    b->output.name = "y";
    b->inputs[0] = &b->input;
    b->outputs[0] = &b->output;
    b->graph.input = b->inputs;
    b->graph.output = b->outputs;
    b->graph.n_input = b->graph.n_output = 1;
    b->opset.has_version = 1;
    b->opset.version = opset;
    b->opsets[0] = &b->opset;
    b->model.opset_import = b->opsets;
    b->model.n_opset_import = 1;
    b->model.graph = &b->graph;
    b->graph.node = b->nodes;
    b->graph.initializer = b->tensors;
    b->model.metadata_props = b->metas;
}

/* "a b" → y; a name "-" is an absent input. */
static inline pb_node *build_node(build *b, const char *type, const char *name, const char *in,
                                  const char *out) {
    size_t k = b->graph.n_node++;
    pb_node *n = &b->node[k];
    hlrp_pb__node_proto__init(n);
    static char text[BUILD_MOST][160];
    snprintf(text[k], sizeof text[k], "%s", in);
    n->op_type = (char *)type;
    n->name = (char *)name;
    n->input = b->names[k];
    n->output = &b->names[k][7];
    b->names[k][7] = (char *)out;
    n->n_output = 1;
    char *rest = NULL;
    for (char *t = strtok_r(text[k], " ", &rest); t != NULL; t = strtok_r(NULL, " ", &rest))
        b->names[k][n->n_input++] = strcmp(t, "-") == 0 ? "" : t;
    b->nodes[k] = n;
    return n;
}

/* An attribute of the last node; consecutive calls for one node only. */
static inline pb_attribute *build_attribute(build *b, pb_node *n, const char *name) {
    pb_attribute *a = &b->attribute[b->attribute_count];
    hlrp_pb__attribute_proto__init(a);
    a->name = (char *)name;
    b->attributes[b->attribute_count] = a;
    if (n->n_attribute == 0)
        n->attribute = &b->attributes[b->attribute_count];
    n->n_attribute++;
    b->attribute_count++;
    return a;
}

static inline void build_int(build *b, pb_node *n, const char *name, int64_t i) {
    pb_attribute *a = build_attribute(b, n, name);
    a->has_i = 1;
    a->i = i;
}

static inline void build_text(build *b, pb_node *n, const char *name, const char *text) {
    pb_attribute *a = build_attribute(b, n, name);
    a->type = 3;
    a->has_type = 1;
    a->s.data = (uint8_t *)(uintptr_t)text;
    a->s.len = strlen(text);
    a->has_s = 1;
}

static inline void build_ints(build *b, pb_node *n, const char *name, int64_t *ints, size_t count) {
    pb_attribute *a = build_attribute(b, n, name);
    a->ints = ints;
    a->n_ints = count;
}

/* An initializer of these raw bytes. */
static inline pb_tensor *build_tensor(build *b, const char *name, int type, const int64_t *dims,
                                      size_t rank, const void *raw, size_t size) {
    size_t k = b->graph.n_initializer++;
    pb_tensor *t = &b->tensor[k];
    hlrp_pb__tensor_proto__init(t);
    t->name = (char *)name;
    t->has_data_type = 1;
    t->data_type = type;
    if (rank > 0)
        memcpy(b->extents[k], dims, rank * sizeof *dims);
    t->dims = b->extents[k];
    t->n_dims = rank;
    t->has_raw_data = raw != NULL;
    t->raw_data.data = (uint8_t *)raw;
    t->raw_data.len = size;
    b->tensors[k] = t;
    return t;
}

static inline void build_meta(build *b, const char *key, const char *value) {
    size_t k = b->model.n_metadata_props++;
    hlrp_pb__string_string_entry_proto__init(&b->meta[k]);
    b->meta[k].key = (char *)key;
    b->meta[k].value = (char *)value;
    b->metas[k] = &b->meta[k];
}

/* The file in *bytes, the caller's. */
static inline size_t build_pack(const build *b, uint8_t **bytes) {
    size_t size = hlrp_pb__model_proto__get_packed_size(&b->model);
    *bytes = malloc(size + 1);
    return *bytes == NULL ? 0 : hlrp_pb__model_proto__pack(&b->model, *bytes);
}

#endif

/* make_graph KIND COUNT OUT.onnx: graphs of many nodes, as hostile and large files have them, in front
 * of the head of make_network's `linear`.
 *
 * relu       COUNT activations in a row
 * double     COUNT times: a value joined with itself, of which the first three channels are taken
 * join       COUNT times a value joined with itself: 3·2^COUNT channels
 * fill       COUNT constants of 10⁸ elements each, added up
 * product    COUNT products by the same matrix of 512 × 512
 * wide       an input of COUNT × COUNT pixels */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <onnx.pb-c.h>

typedef HlrpPb__NodeProto pb_node;
typedef HlrpPb__TensorProto pb_tensor;

enum { MOST_TENSORS = 8, SIDE = 512 };

typedef struct graph {
    HlrpPb__GraphProto pb;
    pb_tensor tensor[MOST_TENSORS], *tensors[MOST_TENSORS];
    int64_t dims[MOST_TENSORS][2];
    pb_node **nodes;
} graph;

static void *room(size_t count, size_t size) {
    void *p = calloc(count, size);
    if (!p)
        exit(1);
    return p;
}

static char *text(const char *stem, int64_t number) {
    char *s = room(32, 1);
    snprintf(s, 32, "%s%" PRId64, stem, number);
    return s;
}

static pb_node *add(graph *g, const char *op, char *a, char *b, char *out) {
    pb_node *n = room(1, sizeof *n);
    hlrp_pb__node_proto__init(n);
    n->op_type = (char *)op;
    n->name = text("node", (int64_t)g->pb.n_node);
    n->input = room(4, sizeof(char *));
    n->output = room(1, sizeof(char *));
    n->input[0] = a;
    n->input[1] = b;
    n->n_input = b ? 2 : 1;
    n->output[0] = out;
    n->n_output = 1;
    g->nodes[g->pb.n_node++] = n;
    return n;
}

static void set_int(pb_node *n, const char *name, int64_t value) {
    HlrpPb__AttributeProto *a = room(1, sizeof *a);
    hlrp_pb__attribute_proto__init(a);
    a->name = (char *)name;
    a->has_i = 1;
    a->i = value;
    n->attribute = room(1, sizeof *n->attribute);
    n->attribute[0] = a;
    n->n_attribute = 1;
}

static void constant(graph *g, const char *name, int type, int64_t rows, int64_t columns,
                     const void *raw, size_t size) {
    const size_t k = g->pb.n_initializer++;
    pb_tensor *t = &g->tensor[k];
    hlrp_pb__tensor_proto__init(t);
    t->name = (char *)name;
    t->has_data_type = 1;
    t->data_type = type;
    g->dims[k][0] = rows;
    g->dims[k][1] = columns;
    t->dims = g->dims[k];
    t->n_dims = columns ? 2 : 1;
    t->has_raw_data = 1;
    t->raw_data.data = (uint8_t *)raw;
    t->raw_data.len = size;
    g->tensors[k] = t;
}

static char *body(graph *g, const char *kind, int64_t count) {
    char *v = "x", *sum = NULL;
    for (int64_t i = 0; i < count && strcmp(kind, "wide") != 0; i++) {
        char *next = text("v", i);
        if (strcmp(kind, "relu") == 0) {
            add(g, "Relu", v, NULL, next);
        } else if (strcmp(kind, "product") == 0) {
            add(g, "MatMul", v, "square", next);
        } else if (strcmp(kind, "fill") == 0) {
            add(g, "ConstantOfShape", "large", NULL, next);
            char *more = text("s", i);
            add(g, "Add", sum ? sum : "x", next, more);
            sum = more;
        } else {
            char *joined = strcmp(kind, "join") == 0 ? next : text("j", i);
            set_int(add(g, "Concat", v, v, joined), "axis", 1);
            if (joined != next) {
                pb_node *slice = add(g, "Slice", joined, "zero", next);
                slice->input[2] = "three";
                slice->input[3] = "one";
                slice->n_input = 4;
            }
        }
        v = sum ? sum : next;
    }
    return v;
}

int main(int argc, char **argv) {
    if (argc != 4)
        return 2;
    static const float weights[6] = {1, -2, 0.5F, -1, 1, 2};
    static const int64_t zero = 0, one = 1, three = 3, large = 100000000;
    const int64_t count = strtoll(argv[2], NULL, 10);
    const bool wide = strcmp(argv[1], "wide") == 0, product = strcmp(argv[1], "product") == 0;
    const int64_t side = wide ? count : product ? SIDE : 64;
    static float square[SIDE * SIDE] = {1};
    static graph g;
    hlrp_pb__graph_proto__init(&g.pb);
    g.nodes = room((size_t)(2 * count + 8) % 1000000, sizeof *g.nodes);
    constant(&g, "w", 1, 2, 3, weights, sizeof weights);
    constant(&g, "zero", 7, 1, 0, &zero, sizeof zero);
    constant(&g, "one", 7, 1, 0, &one, sizeof one);
    constant(&g, "three", 7, 1, 0, &three, sizeof three);
    constant(&g, "large", 7, 1, 0, &large, sizeof large);
    if (product)
        constant(&g, "square", 1, SIDE, SIDE, square, sizeof square);
    char *v = body(&g, argv[1], count);
    add(&g, "GlobalAveragePool", v, NULL, "p");
    add(&g, "Flatten", "p", NULL, "f");
    set_int(add(&g, "Gemm", "f", "w", "y"), "transB", 1);
    HlrpPb__TensorShapeProto__Dimension dim[4], *dims[4];
    const int64_t extent[4] = {1, 3, side, side};
    for (int k = 0; k < 4; k++) {
        hlrp_pb__tensor_shape_proto__dimension__init(&dim[k]);
        dim[k].has_dim_value = 1;
        dim[k].dim_value = extent[k];
        dims[k] = &dim[k];
    }
    HlrpPb__TensorShapeProto shape = HLRP_PB__TENSOR_SHAPE_PROTO__INIT;
    shape.n_dim = 4;
    shape.dim = dims;
    HlrpPb__TypeProto__Tensor tensor = HLRP_PB__TYPE_PROTO__TENSOR__INIT;
    tensor.has_elem_type = 1;
    tensor.elem_type = 1;
    tensor.shape = &shape;
    HlrpPb__TypeProto type = HLRP_PB__TYPE_PROTO__INIT;
    type.tensor_type = &tensor;
    HlrpPb__ValueInfoProto in = HLRP_PB__VALUE_INFO_PROTO__INIT, *ins[1] = {&in};
    HlrpPb__ValueInfoProto out = HLRP_PB__VALUE_INFO_PROTO__INIT, *outs[1] = {&out};
    in.name = "x";
    in.type = &type;
    out.name = "y";
    g.pb.input = ins;
    g.pb.output = outs;
    g.pb.n_input = g.pb.n_output = 1;
    g.pb.node = g.nodes;
    g.pb.initializer = g.tensors;
    HlrpPb__OperatorSetIdProto opset = HLRP_PB__OPERATOR_SET_ID_PROTO__INIT, *opsets[1] = {&opset};
    opset.has_version = 1;
    opset.version = 13;
    HlrpPb__ModelProto model = HLRP_PB__MODEL_PROTO__INIT;
    model.opset_import = opsets;
    model.n_opset_import = 1;
    model.graph = &g.pb;
    const size_t size = hlrp_pb__model_proto__get_packed_size(&model);
    uint8_t *bytes = room(size, 1);
    hlrp_pb__model_proto__pack(&model, bytes);
    FILE *file = fopen(argv[3], "wb");
    const bool fine = file && fwrite(bytes, 1, size, file) == size;
    return file && fclose(file) == 0 && fine ? 0 : 1;
}

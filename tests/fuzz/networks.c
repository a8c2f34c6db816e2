/* Tiny networks of every operator, from a text (seeds/networks.txt), as ONNX files that the fuzz targets
 * begin with.
 *
 *   network NAME OPSET 1x3x4x4     begins one; its input is x, its output y
 *   NAME 4x3 [INTEGER…]            a constant: of small numbers (var…: positive), or of these integers ("-": a scalar)
 *   TYPE IN… > OUT… [KEY=VALUE…]   a node; "-" is an absent input. Values: 1, 1,2 (also "1,"), 0.5, words
 *
 * usage: networks FILE FOLDER; fails where no network has an operator that is read */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx/onnx.h"

enum { MOST = 64, WORDS = 40, OPERATORS = 256 };

typedef struct network {
    char name[64];
    HlrpPb__ModelProto model;
    HlrpPb__GraphProto graph;
    HlrpPb__OperatorSetIdProto opset, *opsets[1];
    HlrpPb__ValueInfoProto ends[2], *inputs[1], *outputs[1];
    HlrpPb__TypeProto type;
    HlrpPb__TypeProto__Tensor tensor_type;
    HlrpPb__TensorShapeProto shape;
    HlrpPb__TensorShapeProto__Dimension dim[8], *dims[8];
    HlrpPb__NodeProto *nodes[MOST];
    HlrpPb__TensorProto *tensors[MOST];
} network;

/* Everything lives until the program ends: it is a few kilobytes. */
static void *room(size_t count, size_t size) {
    void *memory = calloc(count > 0 ? count : 1, size);
    if (!memory)
        exit(1);
    return memory;
}

static char *copy(const char *text) {
    const size_t size = strlen(text) + 1;
    return memcpy(room(size, 1), text, size);
}

static size_t read_dims(char *text, int64_t *dims) {
    size_t rank = 0;
    char *rest = NULL;
    if (strcmp(text, "-") == 0)
        return 0;
    for (char *t = strtok_r(text, "x", &rest); t && rank < 8; t = strtok_r(NULL, "x", &rest))
        dims[rank++] = strtoll(t, NULL, 10);
    return rank;
}

static void begin(network *n, char **words) {
    int64_t dims[8] = {0};
    memset(n, 0, sizeof *n);
    snprintf(n->name, sizeof n->name, "%s", words[1]);
    hlrp_pb__model_proto__init(&n->model);
    hlrp_pb__graph_proto__init(&n->graph);
    hlrp_pb__operator_set_id_proto__init(&n->opset);
    hlrp_pb__value_info_proto__init(&n->ends[0]);
    hlrp_pb__value_info_proto__init(&n->ends[1]);
    hlrp_pb__type_proto__init(&n->type);
    hlrp_pb__type_proto__tensor__init(&n->tensor_type);
    hlrp_pb__tensor_shape_proto__init(&n->shape);
    n->shape.n_dim = read_dims(words[3], dims);
    for (size_t k = 0; k < n->shape.n_dim; k++) {
        hlrp_pb__tensor_shape_proto__dimension__init(&n->dim[k]);
        n->dim[k].has_dim_value = 1;
        n->dim[k].dim_value = dims[k];
        n->dims[k] = &n->dim[k];
    }
    n->shape.dim = n->dims;
    n->tensor_type.has_elem_type = 1;
    n->tensor_type.elem_type = 1;
    n->tensor_type.shape = &n->shape;
    n->type.tensor_type = &n->tensor_type;
    n->ends[0].name = "x";
    n->ends[0].type = &n->type;
    n->ends[1].name = "y";
    n->inputs[0] = &n->ends[0];
    n->outputs[0] = &n->ends[1];
    n->graph.input = n->inputs;
    n->graph.output = n->outputs;
    n->graph.n_input = n->graph.n_output = 1;
    n->graph.node = n->nodes;
    n->graph.initializer = n->tensors;
    n->opset.has_version = 1;
    n->opset.version = strtoll(words[2], NULL, 10);
    n->opsets[0] = &n->opset;
    n->model.opset_import = n->opsets;
    n->model.n_opset_import = 1;
    n->model.graph = &n->graph;
}

static void add_constant(network *n, char **words, int count) {
    HlrpPb__TensorProto *t = room(1, sizeof *t);
    size_t elements = 1;
    hlrp_pb__tensor_proto__init(t);
    t->name = copy(words[0]);
    t->dims = room(8, sizeof *t->dims);
    t->n_dims = read_dims(words[1], t->dims);
    for (size_t k = 0; k < t->n_dims; k++)
        elements *= (size_t)t->dims[k];
    t->has_data_type = 1;
    t->data_type = count > 2 ? 7 : 1;
    if (count > 2) {
        t->n_int64_data = (size_t)count - 2;
        t->int64_data = room(t->n_int64_data, sizeof *t->int64_data);
        for (int k = 2; k < count; k++)
            t->int64_data[k - 2] = strtoll(words[k], NULL, 10);
    } else {
        t->n_float_data = elements;
        t->float_data = room(elements, sizeof *t->float_data);
        for (size_t k = 0; k < elements; k++)
            t->float_data[k] =
                (float)((k * 7 + 3) % 11) / 8 + (strncmp(words[0], "var", 3) == 0 ? 0.1f : -0.5f);
    }
    n->tensors[n->graph.n_initializer++] = t;
}

static HlrpPb__AttributeProto *attribute(char *word) {
    HlrpPb__AttributeProto *a = room(1, sizeof *a);
    char *value = strchr(word, '='), *rest = NULL;
    *value++ = '\0';
    hlrp_pb__attribute_proto__init(a);
    a->name = copy(word);
    if ((value[0] >= 'a' && value[0] <= 'z') || (value[0] >= 'A' && value[0] <= 'Z')) {
        a->has_s = 1;
        a->s.len = strlen(value);
        a->s.data = (uint8_t *)copy(value);
    } else if (!strchr(value, ',')) {
        a->has_f = strchr(value, '.') != NULL;
        a->has_i = !a->has_f;
        a->f = strtof(value, NULL);
        a->i = strtoll(value, NULL, 10);
    } else {
        const bool real = strchr(value, '.') != NULL;
        a->ints = room(WORDS, sizeof *a->ints);
        a->floats = room(WORDS, sizeof *a->floats);
        for (char *t = strtok_r(value, ",", &rest); t; t = strtok_r(NULL, ",", &rest)) {
            if (real)
                a->floats[a->n_floats++] = strtof(t, NULL);
            else
                a->ints[a->n_ints++] = strtoll(t, NULL, 10);
        }
    }
    return a;
}

static void mark(const char *type, bool *seen) {
    for (int i = 0; i < OPERATORS && hlrp_onnx_operator(i); i++)
        seen[i] = seen[i] || strcmp(hlrp_onnx_operator(i), type) == 0;
}

static bool all_seen(const bool *seen) {
    bool all = true;
    for (int i = 0; i < OPERATORS && hlrp_onnx_operator(i); i++)
        if (!seen[i]) {
            fprintf(stderr, "no network has the operator %s\n", hlrp_onnx_operator(i));
            all = false;
        }
    return all;
}

static void add_node(network *n, char **words, int count) {
    HlrpPb__NodeProto *node = room(1, sizeof *node);
    bool behind = false;
    hlrp_pb__node_proto__init(node);
    node->op_type = copy(words[0]);
    node->input = room(WORDS, sizeof *node->input);
    node->output = room(WORDS, sizeof *node->output);
    node->attribute = room(WORDS, sizeof(HlrpPb__AttributeProto *));
    for (int k = 1; k < count; k++) {
        if (strcmp(words[k], ">") == 0)
            behind = true;
        else if (strchr(words[k], '='))
            node->attribute[node->n_attribute++] = attribute(words[k]);
        else if (behind)
            node->output[node->n_output++] = copy(words[k]);
        else
            node->input[node->n_input++] = copy(strcmp(words[k], "-") == 0 ? "" : words[k]);
    }
    n->nodes[n->graph.n_node++] = node;
}

static bool write_network(const network *n, const char *folder) {
    char path[4096];
    const size_t size = hlrp_pb__model_proto__get_packed_size(&n->model);
    uint8_t *bytes = room(size, 1);
    hlrp_pb__model_proto__pack(&n->model, bytes);
    snprintf(path, sizeof path, "%s/%s.onnx", folder, n->name);
    FILE *file = fopen(path, "wb");
    const bool fine = file && fwrite(bytes, 1, size, file) == size;
    free(bytes);
    return file && fclose(file) == 0 && fine;
}

static int split(char *line, char **words) {
    int count = 0;
    char *rest = NULL;
    for (char *t = strtok_r(line, " \n", &rest); t && count < WORDS;
         t = strtok_r(NULL, " \n", &rest))
        words[count++] = t;
    return count;
}

static bool is_node(char **words, int count) {
    for (int k = 0; k < count; k++)
        if (strcmp(words[k], ">") == 0)
            return true;
    return false;
}

int main(int argc, char **argv) {
    static network n;
    static bool seen[OPERATORS];
    char line[1000], *words[WORDS] = {NULL};
    bool fine = true;
    FILE *file = argc == 3 ? fopen(argv[1], "r") : NULL;
    if (!file)
        return 2;
    while (fine && fgets(line, sizeof line, file)) {
        const int count = split(line, words);
        if (count == 0 || words[0][0] == '#')
            continue;
        if (strcmp(words[0], "network") == 0) {
            fine = count == 4 && (n.name[0] == '\0' || write_network(&n, argv[2]));
            if (fine)
                begin(&n, words);
        } else if (is_node(words, count) && n.graph.n_node < MOST) {
            add_node(&n, words, count);
            mark(words[0], seen);
        } else if (count > 1 && n.graph.n_initializer < MOST) {
            add_constant(&n, words, count);
        }
    }
    fclose(file);
    return fine && write_network(&n, argv[2]) && all_seen(seen) ? 0 : 1;
}

/* Damage to an ONNX file that leaves it a file: other operators, inputs, attributes, shapes and numbers.
 * Flipped bytes seldom get past the parser; these reach what stands behind it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <onnx.pb-c.h>

#include "onnx/onnx.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
/* libFuzzer's own; absent in the test that runs without it. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

typedef HlrpPb__NodeProto pb_node;
typedef HlrpPb__TensorProto pb_tensor;
typedef HlrpPb__AttributeProto pb_attribute;

/* All memory of one mutation, given back at once. */
typedef struct block {
    struct block *next;
} block;

typedef struct mutation {
    HlrpPb__ModelProto *model;
    HlrpPb__GraphProto *graph;
    ProtobufCAllocator memory;
    block *blocks;
    uint64_t state;
} mutation;

static void *take(void *ctx, size_t size) {
    mutation *m = ctx;
    block *b = size < SIZE_MAX / 2 ? calloc(1, sizeof *b + 16 + size) : NULL;
    if (!b)
        return NULL;
    b->next = m->blocks;
    m->blocks = b;
    return (char *)b + 16;
}

static void keep(void *ctx, void *pointer) {
    (void)ctx;
    (void)pointer;
}

static size_t below(mutation *m, size_t limit) { /* xorshift64 */
    m->state ^= m->state << 13;
    m->state ^= m->state >> 7;
    m->state ^= m->state << 17;
    return limit > 0 ? (size_t)(m->state % limit) : 0;
}

static int64_t some_int(mutation *m) {
    static const int64_t ints[] = {0,         1,
                                   2,         3,
                                   4,         5,
                                   6,         8,
                                   -1,        -2,
                                   -3,        -4,
                                   16,        64,
                                   1000,      -9,
                                   1 << 20,   (1 << 20) + 1,
                                   INT32_MAX, 1U << 31,
                                   INT64_MAX, INT64_MIN,
                                   INT32_MIN, 1LL << 32,
                                   1LL << 40, (1LL << 40) + 1,
                                   1LL << 62, INT64_MIN + 1};
    return ints[below(m, below(m, 3) == 0 ? sizeof ints / sizeof *ints : 12)];
}

static float some_float(mutation *m) {
    static const float floats[] = {0,        1,         -1,  0.5f,  2,      1e-38f, 1e38f,
                                   INFINITY, -INFINITY, NAN, -0.0f, 1e-45f, 1.5f,   9.3e18f};
    return floats[below(m, sizeof floats / sizeof *floats)];
}

static char *text(mutation *m, const char *from) {
    const size_t size = strlen(from) + 1;
    char *own = take(m, size);
    return own ? memcpy(own, from, size) : "";
}

/* The name of any value. */
static char *some_value(mutation *m) {
    const HlrpPb__GraphProto *g = m->graph;
    const size_t which = below(m, 4);
    if (which == 0 && g->n_initializer > 0) {
        const pb_tensor *t = g->initializer[below(m, g->n_initializer)];
        return t->name ? t->name : "";
    }
    if (which == 1 && g->n_input > 0 && g->input[0]->name)
        return g->input[0]->name;
    if (g->n_node > 0) {
        const pb_node *n = g->node[below(m, g->n_node)];
        return n->n_output > 0 ? n->output[0] : "";
    }
    return "";
}

/* One more item at the end of a list of pointers. */
static void *longer(mutation *m, void *list, size_t count) {
    void **more = take(m, (count + 1) * sizeof *more);
    if (more && count > 0)
        memcpy(more, list, count * sizeof *more);
    return more;
}

/* ---- nodes ---- */

static const char *some_operator(mutation *m) {
    int count = 0;
    while (hlrp_onnx_operator(count))
        count++;
    return hlrp_onnx_operator((int)below(m, (size_t)count));
}

static void change_inputs(mutation *m, pb_node *n) {
    if (n->n_input > 0 && below(m, 4) != 0) {
        n->input[below(m, n->n_input)] = below(m, 8) == 0 ? "" : some_value(m);
    } else if (n->n_input > 1 && below(m, 2) == 0) {
        n->n_input--;
    } else {
        char **more = longer(m, n->input, n->n_input);
        if (more) {
            more[n->n_input++] = some_value(m);
            n->input = more;
        }
    }
}

static void change_ints(mutation *m, pb_attribute *a) {
    if (a->n_ints == 0 || below(m, 4) == 0) {
        const size_t count = 1 + below(m, 9);
        a->ints = take(m, count * sizeof *a->ints);
        a->n_ints = a->ints ? count : 0;
        for (size_t k = 0; k < a->n_ints; k++)
            a->ints[k] = (int64_t)below(m, 4);
    }
    if (a->n_ints > 0)
        a->ints[below(m, a->n_ints)] = some_int(m);
}

static void change_attribute(mutation *m, pb_attribute *a) {
    switch (below(m, 3)) {
    case 0:
        a->has_i = 1;
        a->i = some_int(m);
        break;
    case 1:
        a->has_f = 1;
        a->f = some_float(m);
        if (a->n_floats > 0)
            a->floats[below(m, a->n_floats)] = some_float(m);
        break;
    default:
        change_ints(m, a);
    }
}

static void change_attributes(mutation *m, pb_node *n) {
    static const char *const names[] = {"axis",
                                        "axes",
                                        "perm",
                                        "group",
                                        "kernel_shape",
                                        "strides",
                                        "pads",
                                        "dilations",
                                        "alpha",
                                        "beta",
                                        "epsilon",
                                        "keepdims",
                                        "to",
                                        "size",
                                        "split",
                                        "starts",
                                        "ends",
                                        "ceil_mode",
                                        "num_groups",
                                        "start",
                                        "end",
                                        "scales",
                                        "transA",
                                        "transB",
                                        "value_int",
                                        "value_ints",
                                        "num_outputs",
                                        "bias",
                                        "noop_with_empty_axes",
                                        "batch_dims",
                                        "fmod",
                                        "count_include_pad",
                                        "allowzero",
                                        "min",
                                        "max"};
    if (n->n_attribute > 0 && below(m, 3) != 0) {
        change_attribute(m, n->attribute[below(m, n->n_attribute)]);
        return;
    }
    pb_attribute **more = longer(m, n->attribute, n->n_attribute);
    pb_attribute *a = take(m, sizeof *a);
    if (!more || !a)
        return;
    hlrp_pb__attribute_proto__init(a);
    a->name = (char *)names[below(m, sizeof names / sizeof *names)];
    change_attribute(m, a);
    more[n->n_attribute++] = a;
    n->attribute = more;
}

/* A node behind another one, which everything that follows reads in its place. */
static void insert_node(mutation *m) {
    HlrpPb__GraphProto *g = m->graph;
    if (g->n_node == 0 || g->n_node > 200)
        return;
    const size_t at = below(m, g->n_node);
    char name[32];
    pb_node **more = longer(m, g->node, g->n_node), *n = take(m, sizeof *n);
    if (!more || !n || g->node[at]->n_output == 0)
        return;
    char *was = g->node[at]->output[0];
    snprintf(name, sizeof name, "v%zu", below(m, 1000000));
    hlrp_pb__node_proto__init(n);
    n->op_type = text(m, some_operator(m));
    n->input = take(m, 3 * sizeof *n->input);
    n->output = take(m, sizeof *n->output);
    n->n_input = 1 + below(m, 3);
    for (size_t k = 1; k < n->n_input; k++)
        n->input[k] = some_value(m);
    n->input[0] = text(m, name);
    n->output[0] = was;
    n->n_output = 1;
    g->node[at]->output[0] = text(m, name);
    memmove(more + at + 2, more + at + 1, (g->n_node - at - 1) * sizeof *more);
    more[at + 1] = n;
    g->node = more;
    g->n_node++;
}

static void change_node(mutation *m) {
    HlrpPb__GraphProto *g = m->graph;
    if (g->n_node == 0)
        return;
    const size_t at = below(m, g->n_node);
    pb_node *n = g->node[at];
    switch (below(m, 9)) {
    case 0:
        n->op_type = text(m, some_operator(m));
        break;
    case 1:
    case 2:
    case 3:
        change_inputs(m, n);
        break;
    case 4:
        insert_node(m);
        break;
    case 5: /* its output is gone, and what reads it reads its input */
        if (n->n_input > 0 && n->n_output > 0 && below(m, 4) == 0) {
            n->op_type = "Identity";
            n->n_input = 1;
        }
        break;
    default:
        change_attributes(m, n);
    }
}

/* ---- constants and the rest ---- */

static void change_tensor(mutation *m) {
    HlrpPb__GraphProto *g = m->graph;
    if (g->n_initializer == 0)
        return;
    pb_tensor *t = g->initializer[below(m, g->n_initializer)];
    int64_t *dims = take(m, (t->n_dims + 1) * sizeof *dims);
    if (!dims)
        return;
    switch (below(m, 6)) {
    case 0: /* one more axis of 1: the count stays */
        for (size_t k = 0; k < t->n_dims; k++)
            dims[k] = t->dims[k];
        dims[t->n_dims++] = 1;
        t->dims = dims;
        break;
    case 1:
        if (t->n_dims > 1) { /* two axes change places */
            const size_t a = below(m, t->n_dims), b = below(m, t->n_dims);
            const int64_t was = t->dims[a];
            t->dims[a] = t->dims[b];
            t->dims[b] = was;
        }
        break;
    case 2:
        if (t->n_dims > 0)
            t->dims[below(m, t->n_dims)] = some_int(m);
        if (below(m, 2) == 0) { /* without elements */
            t->n_float_data = t->n_int64_data = 0;
            t->has_raw_data = 0;
        }
        break;
    case 3:
        if (t->n_float_data > 0)
            t->float_data[below(m, t->n_float_data)] = some_float(m);
        break;
    case 4: /* integers for numbers */
        if (t->data_type == 1 && t->n_float_data > 0 && t->n_float_data < 4096) {
            t->data_type = 7;
            t->int64_data = take(m, t->n_float_data * sizeof *t->int64_data);
            t->n_int64_data = t->int64_data ? t->n_float_data : 0;
            t->n_float_data = 0;
        }
        break;
    default:
        if (t->n_int64_data > 0)
            t->int64_data[below(m, t->n_int64_data)] = some_int(m);
    }
}

static void change_rest(mutation *m) {
    HlrpPb__GraphProto *g = m->graph;
    HlrpPb__TypeProto *type = g->n_input > 0 ? g->input[0]->type : NULL;
    HlrpPb__TensorShapeProto *shape = type && type->tensor_type ? type->tensor_type->shape : NULL;
    if (below(m, 3) == 0 && m->model->n_opset_import > 0)
        m->model->opset_import[0]->version = 7 + (int64_t)below(m, 16);
    else if (shape && shape->n_dim > 0)
        shape->dim[below(m, shape->n_dim)]->dim_value = some_int(m);
    else if (g->n_output > 0)
        g->output[0]->name = some_value(m);
}

static void mutate(mutation *m) {
    for (size_t edits = 1 + below(m, 4); edits > 0; edits--) {
        const size_t which = below(m, 10);
        if (which < 6)
            change_node(m);
        else if (which < 9)
            change_tensor(m);
        else
            change_rest(m);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    mutation m = {.state = UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)seed << 16 | 1)};
    size_t made = 0;
    m.memory = (ProtobufCAllocator){take, keep, &m};
    below(&m, 2);
    below(&m, 2);
    m.model = size > 0 && size < 1 << 20 && below(&m, 8) != 0
                  ? hlrp_pb__model_proto__unpack(&m.memory, size, data)
                  : NULL;
    if (m.model && m.model->graph) {
        m.graph = m.model->graph;
        mutate(&m);
        made = hlrp_pb__model_proto__get_packed_size(m.model);
        made = made <= most ? hlrp_pb__model_proto__pack(m.model, data) : 0;
    }
    while (m.blocks) {
        block *next = m.blocks->next;
        free(m.blocks);
        m.blocks = next;
    }
    if (made > 0)
        return made;
    return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, most) : size;
}

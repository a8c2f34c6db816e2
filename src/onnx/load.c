/* A whole file: version, constants, inputs, nodes in order, the output, what the metadata say. */
#include <stdlib.h>
#include <string.h>

#include "onnx/internal.h"

#define MEND "export the network again"
#define MAX_FILE (INT64_C(1) << 31) /* protobuf's own limit */

static hlrp_status refuse(hlrp_error *err, const char *where, const char *what) {
    return hlrp_fail(err, HLRP_E_MODEL, where, MEND, "%s", what);
}

static hlrp_status check_opset(onnx_reader *r, const pb_model *m, hlrp_error *err) {
    int64_t version = -1;
    for (size_t k = 0; k < m->n_opset_import; k++) {
        const HlrpPb__OperatorSetIdProto *o = m->opset_import[k];
        if (!o->domain || o->domain[0] == '\0' || strcmp(o->domain, "ai.onnx") == 0)
            version = HLRP_MAX(version, o->version);
    }
    if (version < HLRP_ONNX_OPSET_MIN || version > HLRP_ONNX_OPSET_MAX)
        return hlrp_fail(err, HLRP_E_MODEL, NULL, "export the network with operator set 17",
                         "the network uses ONNX operator set %lld, but %d to %d are supported",
                         (long long)version, HLRP_ONNX_OPSET_MIN, HLRP_ONNX_OPSET_MAX);
    r->opset = (int)version;
    if (m->n_functions > 0)
        return refuse(err, NULL, "functions inside the model file are not supported");
    if (m->graph->n_sparse_initializer > 0)
        return refuse(err, NULL, "sparse weights are not supported");
    return HLRP_OK;
}

static hlrp_status add_named(onnx_reader *r, const char *name, hlrp_tensor *constant, int *id,
                             hlrp_error *err) {
    *id = hlrp_graph_add_value(r->g, name, constant, err);
    return *id < 0 ? err->status : onnx_names_add(&r->names, name, *id, err);
}

static hlrp_status read_initializers(onnx_reader *r, const pb_graph *graph, hlrp_error *err) {
    for (size_t k = 0; k < graph->n_initializer; k++) {
        const pb_tensor *t = graph->initializer[k];
        hlrp_tensor *constant = NULL;
        int id = -1;
        if (!t->name || t->name[0] == '\0')
            return refuse(err, NULL, "a constant of the network has no name");
        hlrp_status status = onnx_tensor(t, r->folder, t->name, &constant, err);
        if (status == HLRP_OK)
            status = add_named(r, t->name, constant, &id, err);
        if (status != HLRP_OK)
            return status;
    }
    return HLRP_OK;
}

static hlrp_status bind_inputs(onnx_reader *r, const hlrp_onnx_binding *bindings, int count,
                               hlrp_error *err) {
    for (int k = 0; k < count; k++) {
        hlrp_tensor *copy = NULL;
        int id = -1;
        hlrp_status status = hlrp_tensor_copy(bindings[k].tensor, &copy, err);
        if (status == HLRP_OK)
            status = add_named(r, bindings[k].name, copy, &id, err);
        if (status != HLRP_OK)
            return status;
    }
    return HLRP_OK;
}

/* The declared dims; -1 where they are open. */
static void declared_dims(const HlrpPb__ValueInfoProto *v, hlrp_dims *dims) {
    const HlrpPb__TypeProto__Tensor *t = v->type ? v->type->tensor_type : NULL;
    if (!t || !t->shape || t->shape->n_dim > HLRP_MAX_RANK)
        return;
    dims->rank = (int)t->shape->n_dim;
    for (int k = 0; k < dims->rank; k++) {
        const HlrpPb__TensorShapeProto__Dimension *d = t->shape->dim[k];
        dims->d[k] = d->has_dim_value && d->dim_value > 0 ? d->dim_value : -1;
    }
}

/* The one input that is no constant: older files list their weights as inputs, too. */
static hlrp_status read_input(onnx_reader *r, const pb_graph *graph, hlrp_error *err) {
    for (size_t k = 0; k < graph->n_input; k++) {
        const HlrpPb__ValueInfoProto *v = graph->input[k];
        const HlrpPb__TypeProto__Tensor *t = v->type ? v->type->tensor_type : NULL;
        if (!v->name || v->name[0] == '\0')
            return refuse(err, NULL, "an input of the network has no name");
        if (onnx_names_find(&r->names, v->name) >= 0)
            continue;
        if (r->g->input >= 0)
            return hlrp_fail(err, HLRP_E_MODEL, v->name, "export it with one picture as its input",
                             "the network has more than one input");
        if (!t || (t->elem_type != 0 && !onnx_is_float(t->elem_type)))
            return hlrp_fail(err, HLRP_E_MODEL, v->name, "export it with a float32 input",
                             "the network's input is not a tensor of real numbers");
        hlrp_status status = add_named(r, v->name, NULL, &r->g->input, err);
        if (status != HLRP_OK)
            return status;
        declared_dims(v, &r->g->values[r->g->input].dims);
    }
    return r->g->input >= 0 ? HLRP_OK : refuse(err, NULL, "the network has no input");
}

/* ---- nodes ---- */

static const char *name_of(const pb_node *n) {
    if (n->name && n->name[0] != '\0')
        return n->name;
    for (size_t k = 0; k < n->n_output; k++)
        if (n->output[k][0] != '\0')
            return n->output[k];
    return "(without a name)";
}

/* Ids of the node's inputs, all of which an earlier node, a constant or the input must give. */
static hlrp_status resolve_inputs(onnx_reader *r, hlrp_error *err) {
    const pb_node *n = r->node;
    hlrp_status status = hlrp_calloc(&r->in, (int64_t)n->n_input + 1, sizeof *r->in, "a node", err);
    if (status != HLRP_OK)
        return status;
    r->in_count = (int)n->n_input;
    r->in[r->in_count] = -1;
    for (int k = 0; k < r->in_count; k++) {
        const char *name = n->input[k];
        r->in[k] = name[0] != '\0' ? onnx_names_find(&r->names, name) : -1;
        if (name[0] != '\0' && r->in[k] < 0)
            return onnx_refuse(r, err, "the file must list nodes in the order they are computed",
                               "it reads %s, which nothing before it gives", name);
    }
    return HLRP_OK;
}

/* What every converter takes for granted. */
static hlrp_status check_node(const onnx_reader *r, hlrp_error *err) {
    const pb_node *n = r->node;
    if (!n->op_type || n->n_output < 1 || n->output[0][0] == '\0')
        return refuse(err, r->node_name, "a node has no operator or no output");
    if (n->domain && n->domain[0] != '\0' && strcmp(n->domain, "ai.onnx") != 0) {
        r->refusals->pending = ONNX_GIVES_UNKNOWN;
        r->refusals->unknown_operator = true;
        return hlrp_fail(err, HLRP_E_MODEL, r->node_name, "export it with standard operators only",
                         "unsupported operator %s of the domain %s at node %s", n->op_type,
                         n->domain, r->node_name);
    }
    if (n->n_input > 4096)
        return refuse(err, r->node_name, "a node has more than 4096 inputs");
    return HLRP_OK;
}

/* Of a file with several outputs, the nodes that the chosen one depends on: others may be of kinds that
 * are not supported. */
static hlrp_status mark_needed(const pb_graph *graph, const char *output, bool *needed,
                               hlrp_error *err) {
    onnx_names wanted = {0};
    hlrp_status status = onnx_names_add(&wanted, output, 0, err);
    for (size_t k = graph->n_node; status == HLRP_OK && k-- > 0;) {
        const pb_node *n = graph->node[k];
        for (size_t o = 0; o < n->n_output; o++)
            needed[k] = needed[k] || onnx_names_find(&wanted, n->output[o]) >= 0;
        for (size_t i = 0; status == HLRP_OK && needed[k] && i < n->n_input; i++)
            if (onnx_names_find(&wanted, n->input[i]) < 0)
                status = onnx_names_add(&wanted, n->input[i], 0, err);
    }
    onnx_names_free(&wanted);
    return status;
}

static hlrp_status read_nodes(onnx_reader *r, const pb_graph *graph, const bool *needed,
                              hlrp_error *err) {
    for (size_t k = 0; k < graph->n_node; k++) {
        if (needed && !needed[k])
            continue;
        r->node = graph->node[k];
        r->node_name = name_of(r->node);
        r->in_count = 0; /* inputs of the node before are none of this one */
        hlrp_status status = check_node(r, err);
        if (status == HLRP_OK)
            status = resolve_inputs(r, err);
        if (status == HLRP_OK)
            status = onnx_convert_node(r, err);
        status = status == HLRP_OK ? onnx_refusals_follow(r, err) : onnx_refusals_take(r, err);
        free(r->in);
        r->in = NULL;
        if (status != HLRP_OK)
            return status;
    }
    return onnx_refusals_verdict(r->refusals, err);
}

/* The file's only output, or the one that was asked for. */
static hlrp_status choose_output(const onnx_reader *r, const pb_graph *graph, const char **name,
                                 hlrp_error *err) {
    char list[300] = "";
    if (graph->n_output == 0)
        return refuse(err, NULL, "the network has no output");
    for (size_t k = 0; k < graph->n_output; k++) {
        const char *own = graph->output[k]->name ? graph->output[k]->name : "";
        const size_t used = strlen(list);
        *name = own;
        if (graph->n_output == 1 && !r->output)
            return HLRP_OK;
        if (r->output && strcmp(own, r->output) == 0)
            return HLRP_OK;
        snprintf(list + used, sizeof list - used, "%s%.60s", k > 0 ? ", " : "", own);
    }
    if (r->output)
        return hlrp_fail(err, HLRP_E_MODEL, "model.output", "name one of these",
                         "the network has no output %.100s, but %s", r->output, list);
    return hlrp_fail(err, HLRP_E_MODEL, NULL, "set model.output to the one that holds the logits",
                     "the network has %zu outputs: %s", graph->n_output, list);
}

static hlrp_status read_output(onnx_reader *r, const char *name, hlrp_error *err) {
    r->g->output = onnx_names_find(&r->names, name);
    if (r->g->output < 0 || r->g->values[r->g->output].constant || r->g->output == r->g->input)
        return refuse(err, name, "the network's output is not computed by any of its nodes");
    return HLRP_OK;
}

/* Constants that were nodes, and nodes the output does not depend on. */
static hlrp_status drop_unused(hlrp_graph *g, hlrp_error *err) {
    bool *remove = NULL, *needed = NULL;
    hlrp_status status = HLRP_OK;

    HLRP_TRY(hlrp_calloc(&remove, g->node_count, sizeof *remove, "a graph", err));
    HLRP_TRY(hlrp_calloc(&needed, g->value_count, sizeof *needed, "a graph", err));
    needed[g->output] = true;
    for (int k = g->node_count - 1; k >= 0; k--) {
        const hlrp_node *n = &g->nodes[k];
        remove[k] = !needed[n->out[0]] || g->values[n->out[0]].constant;
        for (int i = 0; !remove[k] && i < n->in_count; i++)
            if (n->in[i] >= 0)
                needed[n->in[i]] = true;
    }
    if (!needed[g->input])
        HLRP_TRY(refuse(err, NULL, "the network's output does not depend on its input"));
    HLRP_TRY(hlrp_graph_compact(g, remove, err));

out:
    free(remove);
    free(needed);
    return status;
}

/* ---- the whole ---- */

/* Constants made of constants, such as a weight turned round, are at most a few times what the file
 * holds. Beyond that a few bytes may ask for as much as the weights of the largest network in use that
 * is published without its weights (VGG-19, 1.4·10⁸ elements). */
#define FREE_ELEMENTS (INT64_C(3) << 26)
enum { MOST_NODES = 50000 };

static void set_budget(hlrp_graph *g) {
    g->spare = FREE_ELEMENTS;
    for (int v = 0; v < g->value_count; v++)
        if (g->values[v].constant)
            g->spare += ONNX_TIMES_THE_FILE * hlrp_tensor_count(g->values[v].constant);
}

/* Elements that a ConstantOfShape of a shape in the file asks for; 0 for other nodes. */
static int64_t filled(const onnx_reader *r, const HlrpPb__NodeProto *n) {
    int64_t count = 1;
    if (!n->op_type || strcmp(n->op_type, "ConstantOfShape") != 0 || n->n_input < 1)
        return 0;
    const int id = onnx_names_find(&r->names, n->input[0]);
    const hlrp_tensor *shape = id >= 0 ? r->g->values[id].constant : NULL;
    if (!shape || shape->dtype != HLRP_I64)
        return 0;
    for (int64_t k = 0; k < hlrp_tensor_count(shape); k++)
        if (shape->i[k] < 0 || __builtin_mul_overflow(count, shape->i[k], &count))
            return 0; /* refused when the node is read */
    return count;
}

/* Before any of them takes memory. */
static hlrp_status check_fills(const onnx_reader *r, const pb_graph *graph, hlrp_error *err) {
    char where[200];
    int64_t all = 0;
    for (size_t k = 0; k < graph->n_node; k++) {
        const HlrpPb__NodeProto *n = graph->node[k];
        if (!__builtin_add_overflow(all, filled(r, n), &all) && all <= FREE_ELEMENTS)
            continue;
        snprintf(where, sizeof where, "node %.150s, ConstantOfShape", n->name ? n->name : "");
        return hlrp_fail(err, HLRP_E_MODEL, where, "check the model file",
                         "constants made from nothing come to over %lld elements",
                         (long long)FREE_ELEMENTS);
    }
    return HLRP_OK;
}

static hlrp_status read_model(onnx_reader *r, const pb_model *m, const hlrp_onnx_binding *bindings,
                              int binding_count, hlrp_error *err) {
    const char *output = NULL;
    bool *needed = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(check_opset(r, m, err));
    HLRP_TRY(choose_output(r, m->graph, &output, err));
    if (m->graph->n_node > MOST_NODES)
        return hlrp_fail(err, HLRP_E_MODEL, NULL, "simplify it before exporting it",
                         "the network has %zu nodes, over %d", m->graph->n_node, MOST_NODES);
    HLRP_TRY(read_initializers(r, m->graph, err));
    set_budget(r->g);
    HLRP_TRY(check_fills(r, m->graph, err));
    HLRP_TRY(bind_inputs(r, bindings, binding_count, err));
    HLRP_TRY(read_input(r, m->graph, err));
    if (m->graph->n_output > 1) {
        HLRP_TRY(hlrp_calloc(&needed, (int64_t)m->graph->n_node, sizeof *needed, "a graph", err));
        HLRP_TRY(mark_needed(m->graph, output, needed, err));
    }
    HLRP_TRY(read_nodes(r, m->graph, needed, err));
    HLRP_TRY(read_output(r, output, err));
    HLRP_TRY(drop_unused(r->g, err));
    HLRP_TRY(onnx_metadata(m, r->g, err));

out:
    free(needed);
    return status;
}

/* ---- memory for the parser ---- */

/* An item of two bytes in a file can be a hundred in memory: all of them together are held to some times
 * the file, beyond what any network's structure takes. */
typedef struct parser_memory {
    size_t left;
} parser_memory;

#define PARSER_FREE ((size_t)256 << 20)
enum { PARSER_TIMES = 8, PARSER_BLOCK = 16 /* what a block costs beside its own size */ };

static void *parser_take(void *ctx, size_t size) {
    parser_memory *m = ctx;
    if (size > m->left || m->left - size < PARSER_BLOCK)
        return NULL;
    m->left -= size + PARSER_BLOCK;
    return malloc(size); /* allowed: the library asks for it */
}

static void parser_give(void *ctx, void *block) {
    (void)ctx;
    free(block);
}

/* owned: the bytes, where they are to be freed as soon as the message has a copy of the weights: the
 * graph makes another one, and three of a large network are more than it takes to explain. Else NULL. */
static hlrp_status parse(const void *bytes, size_t size, void *owned, const char *folder,
                         const char *output, const hlrp_onnx_binding *bindings, int binding_count,
                         hlrp_graph **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    onnx_refusals refusals = {0};
    onnx_reader r = {.folder = folder, .output = output, .refusals = &refusals};

    *out = NULL;
    parser_memory memory = {.left = PARSER_FREE + size * PARSER_TIMES};
    ProtobufCAllocator allocator = {parser_take, parser_give, &memory};
    pb_model *m = hlrp_pb__model_proto__unpack(&allocator, size, bytes);
    free(owned);
    if (!m || !m->graph)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, NULL, "give an ONNX file",
                           "this is not an ONNX file, or it is damaged"));
    HLRP_TRY(hlrp_graph_new(&r.g, err));
    HLRP_TRY(read_model(&r, m, bindings, binding_count, err));
    *out = r.g;
    r.g = NULL;

out:
    hlrp_graph_free(r.g);
    onnx_names_free(&r.names);
    onnx_names_free(&r.turned);
    onnx_refusals_free(&refusals);
    if (m)
        hlrp_pb__model_proto__free_unpacked(m, &allocator);
    return status;
}

hlrp_status hlrp_onnx_parse(const void *bytes, size_t size, const char *folder,
                            const hlrp_onnx_binding *bindings, int binding_count, hlrp_graph **out,
                            hlrp_error *err) {
    return parse(bytes, size, NULL, folder, NULL, bindings, binding_count, out, err);
}

/* The part of path before its name, "." where there is none. */
static hlrp_status folder_of(const char *path, char **out, hlrp_error *err) {
    const char *name = hlrp_path_name(path);
    if (name == path)
        return hlrp_format(out, err, ".");
    return hlrp_format(out, err, "%.*s", (int)(name - path), path);
}

hlrp_status hlrp_onnx_load(const char *path, const char *output, hlrp_graph **out,
                           hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *bytes = NULL, *folder = NULL;
    int64_t size = 0;

    *out = NULL;
    HLRP_TRY(folder_of(path, &folder, err));
    HLRP_TRY(hlrp_read_file(path, MAX_FILE, &bytes, &size, err));
    status = parse(bytes, (size_t)size, bytes, folder, output, NULL, 0, out, err);

out:
    if (status != HLRP_OK && err->where[0] == '\0') /* no node: name the file at least */
        snprintf(err->where, sizeof err->where, "%s", path);
    free(folder);
    return status;
}

const char *hlrp_onnx_protobuf_version(void) {
    return protobuf_c_version();
}

/* onnx_nodes DIR…: runs ONNX's own cases and compares what comes out with what they say.
 *
 * A DIR holds folders test_*, each with model.onnx and test_data_set_0/{input,output}_K.pb. The first
 * input is the network's, further ones are bound as constants. A model of several outputs is run once
 * for each. The float64 reference runs the graph as it was read; where it has a canonical form, or is
 * one of [N,F] values, the engine runs that, too. An output may be off by 1e-6 + 1e-5 of its value.
 *
 * A line per miss, and the sums: refused are those that were refused with an operator's or a node's
 * name. HISTOLRP_VERBOSE lists them. Exit 1 on any miss, 2 on bad use. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <onnx.pb-c.h>

#include "canonize/canonize.h"
#include "engine/plan.h"
#include "onnx/onnx.h"
#include "reference/reference.h"
#include "sched/sched.h"

enum { MOST_INPUTS = 8 };

typedef struct tally {
    int run, engine, refused, missed;
} tally;

/* One model with its input; outputs are taken in turn. */
typedef struct node_case {
    const char *folder;
    HlrpPb__ModelProto *model;
    hlrp_tensor *inputs[MOST_INPUTS];
    char *names[MOST_INPUTS];
    hlrp_onnx_binding bindings[MOST_INPUTS];
    int input_count;
} node_case;

static hlrp_status read_tensor(const node_case *c, const char *what, size_t k, hlrp_tensor **out,
                               char **name, hlrp_error *err) {
    char path[1500], *bytes = NULL;
    int64_t size = 0;
    snprintf(path, sizeof path, "%s/test_data_set_0/%s_%zu.pb", c->folder, what, k);
    hlrp_status status = hlrp_read_file(path, 1 << 26, &bytes, &size, err);
    if (status == HLRP_OK)
        status = hlrp_onnx_tensor_parse(bytes, (size_t)size, out, name, err);
    free(bytes);
    return status;
}

static hlrp_status open_case(node_case *c, hlrp_error *err) {
    char path[1500], *bytes = NULL;
    int64_t size = 0;
    hlrp_status status = HLRP_OK;
    snprintf(path, sizeof path, "%s/model.onnx", c->folder);
    HLRP_TRY(hlrp_read_file(path, 1 << 26, &bytes, &size, err));
    c->model = hlrp_pb__model_proto__unpack(NULL, (size_t)size, (const uint8_t *)bytes);
    if (!c->model || !c->model->graph)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, path, NULL, "this is no ONNX file"));
    for (int k = 0; k < MOST_INPUTS; k++) {
        hlrp_error last = {0}; /* there is none, or it is of a type that is not read */
        if (read_tensor(c, "input", (size_t)k, &c->inputs[k], &c->names[k], &last) != HLRP_OK)
            break;
        c->bindings[k] = (hlrp_onnx_binding){c->names[k], c->inputs[k]};
        c->input_count++;
    }
    if (c->input_count == 0)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, path, NULL, "its first input cannot be read"));
out:
    free(bytes);
    return status;
}

static void close_case(node_case *c) {
    for (int k = 0; k < MOST_INPUTS; k++) {
        hlrp_tensor_free(c->inputs[k]);
        free(c->names[k]);
    }
    if (c->model)
        hlrp_pb__model_proto__free_unpacked(c->model, NULL);
}

/* The graph of output k alone, inferred for the input. */
static hlrp_status graph_of(const node_case *c, size_t k, hlrp_graph **out, hlrp_error *err) {
    HlrpPb__GraphProto *g = c->model->graph;
    HlrpPb__ValueInfoProto **outputs = g->output;
    const size_t count = g->n_output;
    uint8_t *bytes = NULL;
    hlrp_status status = HLRP_OK;
    g->output = &outputs[k];
    g->n_output = 1;
    const size_t size = hlrp_pb__model_proto__get_packed_size(c->model);
    HLRP_TRY(hlrp_calloc(&bytes, (int64_t)size, 1, "a model", err));
    hlrp_pb__model_proto__pack(c->model, bytes);
    HLRP_TRY(hlrp_onnx_parse(bytes, size, NULL, c->bindings + 1, c->input_count - 1, out, err));
    HLRP_TRY(hlrp_graph_infer(*out, &c->inputs[0]->dims, err));
    if (c->inputs[0]->dtype != HLRP_F32 || (*out)->values[(*out)->output].dtype != HLRP_F32)
        HLRP_TRY(hlrp_fail(err, HLRP_E_MODEL, c->folder, NULL, "it is of integers"));
out:
    g->output = outputs;
    g->n_output = count;
    free(bytes);
    return status;
}

/* ---- running ---- */

static hlrp_status run_reference(const hlrp_graph *g, const hlrp_tensor *x, double **out,
                                 hlrp_error *err) {
    hlrp_ref_values *values = NULL;
    double *wide = NULL;
    int64_t count = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&wide, hlrp_tensor_count(x), sizeof *wide, "input", err));
    for (int64_t i = 0; i < hlrp_tensor_count(x); i++)
        wide[i] = (double)x->f[i];
    HLRP_TRY(hlrp_ref_forward(g, wide, &values, err));
    HLRP_TRY(hlrp_dims_count(&g->values[g->output].dims, &count, err));
    HLRP_TRY(hlrp_calloc(out, count, sizeof **out, "output", err));
    memcpy(*out, hlrp_ref_value(values, g->output), (size_t)count * sizeof **out);
out:
    hlrp_ref_values_free(values);
    free(wide);
    return status;
}

typedef struct engine_job {
    const hlrp_graph *g;
    const hlrp_tensor *x;
    double *y;
} engine_job;

static hlrp_status run_engine(void *ctx, hlrp_error *err) {
    engine_job *job = ctx;
    hlrp_backend *backend = NULL;
    hlrp_plan *plan = NULL;
    hlrp_activations *acts = NULL;
    hlrp_stream *stream = NULL;
    float *y = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_backend_new(&backend, err));
    HLRP_TRY(hlrp_plan_new(backend, job->g, (hlrp_segment){0, job->g->node_count}, &plan, err));
    HLRP_TRY(hlrp_activations_new(plan, &acts, err));
    HLRP_TRY(hlrp_stream_new(backend, hlrp_plan_scratch(plan), &stream, err));
    hlrp_activations_set(acts, job->g->input, job->x->f);
    HLRP_TRY(hlrp_forward(plan, acts, stream, (hlrp_segment){0, job->g->node_count}, err));
    const hlrp_layout plain = hlrp_layout_plain(hlrp_plan_layout(plan, job->g->output));
    const int64_t count = hlrp_layout_count(&plain);
    HLRP_TRY(hlrp_calloc(&y, count, sizeof *y, "output", err));
    HLRP_TRY(hlrp_calloc(&job->y, count, sizeof *job->y, "output", err));
    hlrp_repack(hlrp_plan_layout(plan, job->g->output),
                hlrp_activations_value(acts, job->g->output), &plain, y);
    for (int64_t i = 0; i < count; i++)
        job->y[i] = (double)y[i];
out:
    free(y);
    hlrp_stream_free(stream);
    hlrp_activations_free(acts);
    hlrp_plan_free(plan);
    hlrp_backend_free(backend);
    return status;
}

/* A graph of pictures whose output is flat is a network to canonize. */
static hlrp_status make_canonical(hlrp_graph *g, const hlrp_dims *input, hlrp_error *err) {
    const hlrp_canonize_options options = {0};
    const int from = g->output;
    if (input->rank == 2)
        return HLRP_OK;
    if (g->values[from].dims.rank == 4) {
        const int to = hlrp_graph_add_value(g, "flat", NULL, err);
        if (to < 0 ||
            hlrp_graph_add_node(g, &hlrp_op_flatten, "flat", "Flatten", &from, 1, &to, 1, err) < 0)
            return err->status;
        g->nodes[g->node_count - 1].axis = 1;
        g->output = to;
    }
    return hlrp_canonize(g, &options, input, err);
}

/* ---- comparing ---- */

/* What an output of the case's type can say: float16 and bfloat16 are computed in float32 here. */
static double precision(const node_case *c, size_t k) {
    const HlrpPb__TypeProto *t = c->model->graph->output[k]->type;
    const int type = t && t->tensor_type ? t->tensor_type->elem_type : 1;
    return type == 10 ? 0x1p-11 : type == 16 ? 0x1p-8 : 1e-5;
}

static bool near(int64_t count, const double *is, const float *want, double relative,
                 double *worst) {
    bool fine = true;
    *worst = 0;
    for (int64_t i = 0; i < count; i++) {
        const double w = (double)want[i], apart = is[i] == w ? 0 : fabs(is[i] - w);
        if (isnan(is[i]) && isnan(w))
            continue;
        if (!(apart <= *worst))
            *worst = apart;
        fine = fine && apart <= 1e-6 + relative * fabs(w);
    }
    return fine;
}

static void judge(const node_case *c, size_t k, const char *who, int64_t count, const double *is,
                  const hlrp_tensor *want, tally *t) {
    double worst = 0;
    if (count == hlrp_tensor_count(want) && near(count, is, want->f, precision(c, k), &worst))
        return;
    t->missed++;
    printf("missed %s, output %zu: the %s is off by %.1e, %lld elements of %lld\n", c->folder, k,
           who, worst, (long long)count, (long long)hlrp_tensor_count(want));
}

static void refuse(const node_case *c, size_t k, const hlrp_error *err, tally *t) {
    t->refused++;
    if (getenv("HISTOLRP_VERBOSE"))
        printf("refused %s, output %zu: %s (%s)\n", c->folder, k, err->what, err->where);
}

static void run_output(const node_case *c, size_t k, tally *t) {
    hlrp_error err = {0}, no_engine = {0};
    hlrp_graph *g = NULL;
    hlrp_tensor *want = NULL;
    double *y = NULL;
    int64_t count = 0;
    engine_job job = {.x = c->inputs[0]};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(graph_of(c, k, &g, &err));
    HLRP_TRY(read_tensor(c, "output", k, &want, NULL, &err));
    if (want->dtype != HLRP_F32)
        HLRP_TRY(hlrp_fail(&err, HLRP_E_MODEL, c->folder, NULL, "its output is of integers"));
    HLRP_TRY(run_reference(g, c->inputs[0], &y, &err));
    t->run++;
    HLRP_TRY(hlrp_dims_count(&g->values[g->output].dims, &count, &err));
    if (!hlrp_dims_equal(&g->values[g->output].dims, &want->dims))
        count = -1;
    judge(c, k, "reference", count, y, want, t);
    job.g = g;
    if (make_canonical(g, &c->inputs[0]->dims, &no_engine) == HLRP_OK &&
        g->activation == HLRP_ACTIVATION_NONE && !g->nhwc &&
        hlrp_sched_single(run_engine, &job, &no_engine) == HLRP_OK) {
        t->engine++;
        judge(c, k, "engine", count, job.y, want, t);
    } else if (getenv("HISTOLRP_VERBOSE")) {
        printf("not canonical: %s: %s (%s)\n", c->folder, no_engine.what, no_engine.where);
    }
out:
    if (status != HLRP_OK)
        refuse(c, k, &err, t);
    hlrp_graph_free(g);
    hlrp_tensor_free(want);
    free(y);
    free(job.y);
}

static void run_case(const char *folder, tally *t) {
    node_case c = {.folder = folder};
    hlrp_error err = {0};
    if (open_case(&c, &err) != HLRP_OK)
        refuse(&c, 0, &err, t);
    else
        for (size_t k = 0; k < c.model->graph->n_output; k++)
            run_output(&c, k, t);
    close_case(&c);
}

static int is_case(const struct dirent *e) {
    return strncmp(e->d_name, "test_", 5) == 0;
}

static int run_folder(const char *folder, tally *t) {
    struct dirent **cases = NULL;
    const int count = scandir(folder, &cases, is_case, alphasort);
    for (int k = 0; k < count; k++) {
        char path[1200];
        snprintf(path, sizeof path, "%s/%s", folder, cases[k]->d_name);
        run_case(path, t);
        free(cases[k]);
    }
    free(cases);
    return count;
}

int main(int argc, char **argv) {
    tally t = {0};
    for (int k = 1; k < argc; k++)
        if (run_folder(argv[k], &t) < 1) {
            fprintf(stderr, "%s holds no cases\n", argv[k]);
            return 2;
        }
    printf("%d run, %d of them by the engine, too, %d refused by name, %d missed\n", t.run,
           t.engine, t.refused, t.missed);
    return argc < 2 ? 2 : t.missed > 0;
}

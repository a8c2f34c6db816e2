/* attn_vectors DIR…: reference vectors of networks with gates, normalization and attention.
 *
 * A DIR holds model.onnx (and maybe model_opset14.onnx) for pictures or for a bag of features, or
 * encoder.onnx and head.onnx for a bag of pictures; and vectors.h5. Of a bag of pictures the head's
 * relevance of the features is where the encoder starts. Maps are compared after dividing both by their
 * start; errors are over the peak of each picture, of bags over that of the bag. The account must close to
 * 1e-5: what is started with is what arrives and what biases, stabilizers, constants and norms took. A line per case; exit 1 on
 * any miss of max(3e-5, 30 × the error of the reference's own float32 run), 2 on bad use. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canonize/canonize.h"
#include "lrp/lrp.h"
#include "onnx/onnx.h"
#include "vectors.h"

enum { MOST_RULES = 512, MOST_TEXT = 100 };

/* Rules of one file of a case. */
typedef struct rules {
    hlrp_rule_override lines[MOST_RULES];
    int count;
    bool drop_bias;
    float low[3], high[3];
} rules;

static void add_rule(rules *r, const json_t *rule, const char *key) {
    const char *node = json_string_value(json_object_get(rule, key));
    char text[MOST_TEXT];
    vectors_rule_line(rule, text, sizeof text);
    if (node && r->count < MOST_RULES)
        r->lines[r->count++] = (hlrp_rule_override){.key = strdup(node), .rule = strdup(text)};
    r->drop_bias |= json_object_get(rule, "zero_params") != NULL;
    for (size_t k = 0; k < json_array_size(json_object_get(rule, "low")) && k < 3; k++) {
        r->low[k] = (float)json_number_value(json_array_get(json_object_get(rule, "low"), k));
        r->high[k] = (float)json_number_value(json_array_get(json_object_get(rule, "high"), k));
    }
}

static void read_rules(hid_t group, const char *file, const char *key, rules *r) {
    char *text = vectors_read_text(group, "rules");
    json_t *table = json_loads(text, 0, NULL), *rule = NULL;
    size_t i = 0;
    memset(r, 0, sizeof *r);
    json_array_foreach(table, i, rule) {
        const char *of = json_string_value(json_object_get(rule, "file"));
        if (of && strcmp(of, file) == 0)
            add_rule(r, rule, key);
    }
    json_decref(table);
    free(text);
}

static void free_rules(rules *r) {
    for (int i = 0; i < r->count; i++) {
        free((void *)(uintptr_t)r->lines[i].key);
        free((void *)(uintptr_t)r->lines[i].rule);
    }
}

static hlrp_product_option option_of(hid_t group, const char *name) {
    char *text = vectors_read_text(group, name);
    const bool share = strcmp(text, "share") == 0;
    free(text);
    return share ? HLRP_PRODUCT_SHARE : HLRP_PRODUCT_CONSTANT;
}

/* ---- one network ---- */

typedef struct network {
    hlrp_graph *graph;
    hlrp_backend *backend;
    hlrp_lrp *lrp;
    hlrp_lrp_worker *worker;
    rules rules;
} network;

static hlrp_dims dims_of(const hsize_t d[4]) {
    hlrp_dims dims = {0};
    while (dims.rank < 4 && d[dims.rank] > 0) {
        dims.d[dims.rank] = (int64_t)d[dims.rank];
        dims.rank++;
    }
    return dims;
}

static void open_network(hid_t group, const char *folder, const char *file, const hsize_t dims[4],
                         network *n) {
    char path[4096];
    hlrp_error err = {0};
    const hlrp_canonize_options canonize = {.batchnorm = HLRP_BATCHNORM_AUTO};
    const hlrp_dims input = dims_of(dims);
    char *layernorm = vectors_read_text(group, "layernorm");
    snprintf(path, sizeof path, "%s/%s", folder, file);
    const char *of = strncmp(file, "model", 5) == 0 ? "model" : file[0] == 'h' ? "head" : "encoder";
    read_rules(group, of, strstr(file, "14") ? "onnx_node_opset14" : "onnx_node", &n->rules);
    hlrp_lrp_options o = {.rules = hlrp_rule_options_default(),
                          .low = n->rules.low,
                          .high = n->rules.high,
                          .bias = n->rules.drop_bias ? HLRP_BIAS_DROP : HLRP_BIAS_KEEP};
    o.rules.composite = "cp";
    o.rules.attention = option_of(group, "attention");
    o.rules.gate = option_of(group, "gate");
    o.rules.layernorm_pass = strcmp(layernorm, "pass") == 0;
    o.rules.overrides = n->rules.lines;
    o.rules.override_count = n->rules.count;
    free(layernorm);
    if (hlrp_onnx_load(path, NULL, &n->graph, &err) ||
        hlrp_canonize(n->graph, &canonize, &input, &err) || hlrp_backend_new(&n->backend, &err) ||
        hlrp_lrp_new(n->backend, n->graph, &o, &n->lrp, &err) ||
        hlrp_lrp_worker_new(n->lrp, &n->worker, &err))
        vectors_stop(path, &err);
}

static void close_network(network *n) {
    hlrp_lrp_worker_free(n->worker);
    hlrp_lrp_free(n->lrp);
    hlrp_backend_free(n->backend);
    hlrp_graph_free(n->graph);
    free_rules(&n->rules);
    memset(n, 0, sizeof *n);
}

static void forward(network *n, const float *input) {
    hlrp_error err = {0};
    if (hlrp_lrp_forward(n->worker, input, &err))
        vectors_stop("forward", &err);
}

static double sum_of(int64_t count, const float *x, bool magnitudes) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += magnitudes ? fabs((double)x[i]) : (double)x[i];
    return sum;
}

static int64_t elements(const network *n, int value) {
    const hlrp_dims *d = &n->graph->values[value].dims;
    int64_t count = 1;
    for (int k = 0; k < d->rank; k++)
        count *= d->d[k];
    return count;
}

/* Σ start − Σ relevance − Σ of all that the account names, over the larger of Σ|start| and Σ|relevance|. */
static double back(network *n, const float *start, float *relevance) {
    hlrp_error err = {0};
    const hlrp_graph *g = n->graph;
    const int64_t samples = g->values[g->output].dims.d[0], rows = g->node_count * samples;
    const int64_t inputs = elements(n, g->input), outputs = elements(n, g->output);
    hlrp_account *account = calloc((size_t)rows, sizeof *account);
    const hlrp_lrp_watch watch = {.account = account};
    if (hlrp_lrp_relevance(n->worker, start, NULL, &watch, relevance, &err))
        vectors_stop("relevance", &err);
    double rest = sum_of(outputs, start, false) - sum_of(inputs, relevance, false);
    for (int64_t i = 0; i < rows; i++)
        rest -= account[i].bias + account[i].stabilizer + account[i].constant +
                account[i].normalization;
    free(account);
    return fabs(rest) / fmax(sum_of(outputs, start, true), sum_of(inputs, relevance, true));
}

/* ---- comparing ---- */

typedef struct compared {
    const float *got, *want;
    hsize_t each; /* of one start */
    double got_start, want_start;
} compared;

static double error_of(const compared *c) {
    double top = 0, off = 0;
    for (hsize_t i = 0; i < c->each; i++) {
        const double want = (double)c->want[i] / c->want_start;
        const double d = fabs((double)c->got[i] / c->got_start - want);
        top = fmax(top, fabs(want));
        off = d > off || d != d ? (d != d ? INFINITY : d) : off;
    }
    return off / top;
}

/* ---- a folder ---- */

typedef struct folder {
    const char *path, *model;
    hid_t file;
    float *input, *logits, *target, *features;
    hsize_t dims[4], shape[4], feature_dims[4];
    int run, missed;
    double worst;
} folder;

static hsize_t count_of(const hsize_t d[4]) {
    hsize_t count = 1;
    for (int k = 0; k < 4 && d[k] > 0; k++)
        count *= d[k];
    return count;
}

/* The start of the model or the head from its own logits: each sample's target. */
static void fill_start(const folder *f, const network *n, float *start) {
    const float *logits = hlrp_lrp_logits(n->worker);
    for (hsize_t s = 0; s < f->shape[0]; s++) {
        const hsize_t k = s * f->shape[1] + (hsize_t)f->target[s];
        start[k] = logits[k];
    }
}

/* Relevance of a case, of the pictures or features; what it started with in start. Returns by how much the
 * account does not close. */
static double explain(const folder *f, hid_t group, float *start, float *relevance) {
    network n = {0}, encoder = {0};
    double rest = 0;
    const bool bag = strcmp(f->model, "head.onnx") == 0;
    if (bag) {
        open_network(group, f->path, "encoder.onnx", f->dims, &encoder);
        forward(&encoder, f->input);
    }
    open_network(group, f->path, f->model, bag ? f->feature_dims : f->dims, &n);
    forward(&n, bag ? hlrp_lrp_logits(encoder.worker) : f->input);
    fill_start(f, &n, start);
    if (bag) {
        float *rho = calloc(count_of(f->feature_dims), sizeof *rho);
        rest = back(&n, start, rho);
        rest = fmax(rest, back(&encoder, rho, relevance));
        free(rho);
        close_network(&encoder);
    } else {
        rest = back(&n, start, relevance);
    }
    close_network(&n);
    return rest;
}

static double compare(const folder *f, const float *got, const float *want, const float *start) {
    const hsize_t samples = f->shape[0], each = count_of(f->dims) / samples;
    double worst = 0;
    for (hsize_t s = 0; s < samples; s++) {
        const hsize_t k = s * f->shape[1] + (hsize_t)f->target[s];
        const compared c = {got + s * each, want + s * each, each, (double)start[k],
                            (double)f->logits[k]};
        worst = fmax(worst, error_of(&c));
    }
    return worst;
}

static herr_t each_case(hid_t cases, const char *name, const H5L_info_t *info, void *ctx) {
    (void)info;
    folder *f = ctx;
    hid_t group = H5Gopen(cases, name, H5P_DEFAULT);
    hsize_t dims[4];
    float *want = vectors_read_floats(group, "relevance", dims);
    float *got = calloc(count_of(f->dims), sizeof *got);
    float *start = calloc(count_of(f->shape), sizeof *start);
    const double allowed =
        fmax(3e-5, 30 * vectors_read_number(group, "zennit_float32_max_error_over_abs_max"));
    const double rest = explain(f, group, start, got);
    const double error = compare(f, got, want, start);
    const bool missed = !(error <= allowed) || !(rest <= 1e-5);
    printf("%s %s/%s %s: error %.2e of %.2e, account off by %.1e\n", missed ? "MISS" : "ok  ",
           f->path, f->model, name, error, allowed, rest);
    f->run++;
    f->missed += missed;
    f->worst = fmax(f->worst, error);
    free(want);
    free(got);
    free(start);
    H5Gclose(group);
    return 0;
}

static int run_folder(const char *path, int *run) {
    static const char *const models[] = {"model.onnx", "model_opset14.onnx", "head.onnx"};
    char name[4096];
    hsize_t ignored[4];
    int missed = 0;
    snprintf(name, sizeof name, "%s/vectors.h5", path);
    folder f = {.path = path, .file = H5Fopen(name, H5F_ACC_RDONLY, H5P_DEFAULT)};
    if (f.file < 0) {
        fprintf(stderr, "cannot open %s\n", name);
        exit(2);
    }
    f.input = vectors_read_floats(f.file, "input", f.dims);
    f.logits = vectors_read_floats(f.file, "logits", f.shape);
    f.target = vectors_read_floats(f.file, "target", ignored);
    if (H5Lexists(f.file, "features", H5P_DEFAULT) > 0)
        f.features = vectors_read_floats(f.file, "features", f.feature_dims);
    for (size_t m = 0; m < HLRP_COUNT(models); m++) {
        if (!vectors_has_file(path, models[m]))
            continue;
        f.model = models[m];
        f.run = f.missed = 0;
        f.worst = 0;
        hid_t cases = H5Gopen(f.file, "cases", H5P_DEFAULT);
        H5Literate(cases, H5_INDEX_NAME, H5_ITER_INC, NULL, each_case, &f);
        H5Gclose(cases);
        printf("%s/%s: %d cases, %d missed, largest error %.2e\n", path, f.model, f.run, f.missed,
               f.worst);
        missed += f.missed;
        *run += f.run;
    }
    free(f.input);
    free(f.logits);
    free(f.target);
    free(f.features);
    H5Fclose(f.file);
    return missed;
}

int main(int argc, char **argv) {
    int missed = 0, run = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: attn_vectors DIR…\n");
        return 2;
    }
    for (int i = 1; i < argc; i++)
        missed += run_folder(argv[i], &run);
    printf("%d cases run, %d missed\n", run, missed);
    return missed > 0 || run == 0;
}

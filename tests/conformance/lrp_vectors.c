/* lrp_vectors DIR…: runs every case of reference vectors and compares relevance and logits.
 *
 * A DIR holds model.onnx, maybe model_folded.onnx and model_softmax.onnx, and vectors.h5 with
 * input, logits, starts and cases, each case with its rules per ONNX node as JSON. A line per case
 * tells the largest error over the samples, max|R − ref| / max|ref|, and what is allowed: max(3e-5,
 * 30 × the error of the reference's own float32 run). Exit 1 on any miss, 2 on bad use. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "canonize/canonize.h"
#include "lrp/lrp.h"
#include "lrp/start.h"
#include "onnx/onnx.h"
#include "vectors.h"

enum { MOST_RULES = 512 };

/* ---- a case, and what it is in [lrp] and [rules] ---- */

typedef struct test_case {
    char *rules_text, *start, *batchnorm;
    bool merged, drop_bias;
    double float32_error;
    hlrp_rule_override overrides[MOST_RULES];
    int count;
    float low[3], high[3];
} test_case;

static void add_override(test_case *c, const char *key, const char *rule) {
    if (c->count < MOST_RULES)
        c->overrides[c->count++] = (hlrp_rule_override){.key = strdup(key), .rule = strdup(rule)};
}

static void add_rules(test_case *c, const char *json, bool folded) {
    json_t *rules = json_loads(json, 0, NULL), *rule = NULL;
    size_t i = 0;
    json_array_foreach(rules, i, rule) {
        const char *node =
            json_string_value(json_object_get(rule, folded ? "onnx_node_folded" : "onnx_node"));
        char text[100];
        vectors_rule_line(rule, text, sizeof text);
        if (node)
            add_override(c, node, text);
        c->drop_bias |= json_array_size(json_object_get(rule, "zero_params")) > 0;
        for (size_t k = 0; k < json_array_size(json_object_get(rule, "low")) && k < 3; k++) {
            c->low[k] = (float)json_number_value(json_array_get(json_object_get(rule, "low"), k));
            c->high[k] = (float)json_number_value(json_array_get(json_object_get(rule, "high"), k));
        }
    }
    json_decref(rules);
}

static void read_case(hid_t group, bool folded, test_case *c) {
    memset(c, 0, sizeof *c);
    c->rules_text = vectors_read_text(group, "rules");
    c->start = vectors_read_text(group, "start");
    c->batchnorm = vectors_read_text(group, "batchnorm_rule");
    c->merged = vectors_read_number(group, "batchnorm_merged") != 0;
    c->float32_error = vectors_read_number(group, "zennit_float32_max_error_over_abs_max");
    json_t *batchnorm = json_loads(c->batchnorm, 0, NULL);
    char text[100];
    vectors_rule_line(batchnorm, text, sizeof text);
    add_override(c, "@batchnorm", text);
    json_decref(batchnorm);
    add_rules(c, c->rules_text, folded);
}

static void free_case(test_case *c) {
    for (int i = 0; i < c->count; i++) {
        free((void *)(uintptr_t)c->overrides[i].key);
        free((void *)(uintptr_t)c->overrides[i].rule);
    }
    free(c->rules_text);
    free(c->start);
    free(c->batchnorm);
}

/* ---- running one ---- */

typedef struct vectors {
    hid_t file;
    float *input, *logits, *target;
    hsize_t n, c, h, w, classes;
} vectors;

static hlrp_start start_of(const char *name) {
    static const struct {
        const char *name;
        hlrp_start_kind kind;
    } names[] = {{"logit", HLRP_START_LOGIT},
                 {"probability", HLRP_START_PROBABILITY},
                 {"one", HLRP_START_ONE},
                 {"logodds", HLRP_START_LOGODDS}};
    for (size_t i = 0; i < HLRP_COUNT(names); i++)
        if (strcmp(name, names[i].name) == 0)
            return (hlrp_start){.kind = names[i].kind};
    fprintf(stderr, "unknown start %s\n", name);
    exit(2);
}

/* Largest error over the samples, each over the largest |reference| of its own. */
static double error_of(const float *got, const float *want, hsize_t samples, hsize_t each) {
    double worst = 0;
    for (hsize_t n = 0; n < samples; n++) {
        double top = 0, off = 0;
        for (hsize_t i = n * each; i < (n + 1) * each; i++) {
            top = fmax(top, fabs((double)want[i]));
            const double d = fabs((double)got[i] - want[i]);
            off = d > off || d != d ? (d != d ? INFINITY : d) : off;
        }
        worst = fmax(worst, off / top);
    }
    return worst;
}

static hlrp_graph *load(const char *path, const vectors *v, bool merged) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    const hlrp_dims input = {4, {(int64_t)v->n, (int64_t)v->c, (int64_t)v->h, (int64_t)v->w}};
    const hlrp_canonize_options options = {.batchnorm =
                                               merged ? HLRP_BATCHNORM_AUTO : HLRP_BATCHNORM_PASS};
    if (hlrp_onnx_load(path, NULL, &g, &err) != HLRP_OK ||
        hlrp_canonize(g, &options, &input, &err) != HLRP_OK)
        vectors_stop(path, &err);
    return g;
}

/* Errors of relevance and logits. */
static void run_case(const vectors *v, const hlrp_graph *g, const test_case *c, const float *want,
                     double *relevance_error, double *logit_error) {
    hlrp_error err = {0};
    hlrp_backend *backend = NULL;
    hlrp_lrp *lrp = NULL;
    hlrp_lrp_worker *worker = NULL;
    const hlrp_start start = start_of(c->start);
    hlrp_lrp_options options = {.rules = hlrp_rule_options_default(),
                                .low = c->low,
                                .high = c->high,
                                .bias = c->drop_bias ? HLRP_BIAS_DROP : HLRP_BIAS_KEEP};
    options.rules.overrides = c->overrides;
    options.rules.override_count = c->count;
    options.rules.head_lrp0 = hlrp_start_needs_lrp0_head(&start);
    float *rows = calloc(v->n * v->classes, sizeof *rows);
    float *slopes = calloc(v->n * v->classes, sizeof *slopes);
    float *got = calloc(v->n * v->c * v->h * v->w, sizeof *got);
    if (hlrp_backend_new(&backend, &err) || hlrp_lrp_new(backend, g, &options, &lrp, &err) ||
        hlrp_lrp_worker_new(lrp, &worker, &err) || hlrp_lrp_forward(worker, v->input, &err))
        vectors_stop("running a case", &err);
    const float *logits = hlrp_lrp_logits(worker);
    *logit_error = error_of(logits, v->logits, v->n, v->classes);
    for (hsize_t n = 0; n < v->n; n++)
        hlrp_start_fill(&start, logits + n * v->classes, (int64_t)v->classes, (int64_t)v->target[n],
                        rows + n * v->classes, slopes + n * v->classes);
    if (hlrp_lrp_relevance(worker, rows, slopes, NULL, got, &err))
        vectors_stop("running a case", &err);
    *relevance_error = error_of(got, want, v->n, v->c * v->h * v->w);
    hlrp_lrp_worker_free(worker);
    hlrp_lrp_free(lrp);
    hlrp_backend_free(backend);
    free(rows);
    free(slopes);
    free(got);
}

/* ---- a folder ---- */

typedef struct tally {
    const vectors *v;
    const char *folder, *model;
    int run, missed;
    double worst, worst_share; /* largest error, and largest error over what is allowed */
} tally;

static herr_t each_case(hid_t cases, const char *name, const H5L_info_t *info, void *ctx) {
    (void)info;
    tally *t = ctx;
    const bool folded = strcmp(t->model, "model_folded.onnx") == 0;
    char path[4096];
    test_case c;
    hid_t group = H5Gopen(cases, name, H5P_DEFAULT);
    read_case(group, folded, &c);
    if (!folded || c.merged) {
        hsize_t dims[4];
        float *want = vectors_read_floats(group, "relevance", dims);
        snprintf(path, sizeof path, "%s/%s", t->folder, t->model);
        hlrp_graph *g = load(path, t->v, c.merged);
        double error = 0, logits = 0;
        run_case(t->v, g, &c, want, &error, &logits);
        const double allowed = fmax(3e-5, 30 * c.float32_error);
        const bool missed = !(error <= allowed) || !(logits <= 1e-5);
        printf("%s %s/%s %s: error %.2e of %.2e, logits %.1e\n", missed ? "MISS" : "ok  ",
               t->folder, t->model, name, error, allowed, logits);
        t->run++;
        t->missed += missed;
        t->worst = fmax(t->worst, error);
        t->worst_share = fmax(t->worst_share, error / allowed);
        hlrp_graph_free(g);
        free(want);
    }
    free_case(&c);
    H5Gclose(group);
    return 0;
}

static int run_folder(const char *folder, int *run) {
    static const char *const models[] = {"model.onnx", "model_folded.onnx", "model_softmax.onnx"};
    char path[4096];
    hsize_t dims[4], ignored[4];
    int missed = 0;
    snprintf(path, sizeof path, "%s/vectors.h5", folder);
    vectors v = {.file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT)};
    if (v.file < 0) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(2);
    }
    v.input = vectors_read_floats(v.file, "input", dims);
    v.n = dims[0];
    v.c = dims[1];
    v.h = dims[2];
    v.w = dims[3];
    v.logits = vectors_read_floats(v.file, "logits", dims);
    v.classes = dims[1];
    v.target = vectors_read_floats(v.file, "target", ignored);
    for (size_t m = 0; m < HLRP_COUNT(models); m++) {
        if (!vectors_has_file(folder, models[m]))
            continue;
        tally t = {.v = &v, .folder = folder, .model = models[m]};
        hid_t cases = H5Gopen(v.file, "cases", H5P_DEFAULT);
        H5Literate(cases, H5_INDEX_NAME, H5_ITER_INC, NULL, each_case, &t);
        H5Gclose(cases);
        printf("%s/%s: %d cases, %d missed, largest error %.2e, at most %.2f of what is allowed\n",
               folder, models[m], t.run, t.missed, t.worst, t.worst_share);
        missed += t.missed;
        *run += t.run;
    }
    free(v.input);
    free(v.logits);
    free(v.target);
    H5Fclose(v.file);
    return missed;
}

int main(int argc, char **argv) {
    int missed = 0, run = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: lrp_vectors DIR…\n");
        return 2;
    }
    for (int i = 1; i < argc; i++)
        missed += run_folder(argv[i], &run);
    printf("%d cases run, %d missed\n", run, missed);
    return missed > 0;
}

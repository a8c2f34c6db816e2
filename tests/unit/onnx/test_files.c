/* Real files: the networks with reference relevance, published ones, and ONNX's own cases. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onnx/onnx.h"

static const char *data(void) {
    const char *folder = getenv("HISTOLRP_TESTDATA");
    if (folder == NULL || !hlrp_is_folder(folder)) {
        print_message("HISTOLRP_TESTDATA is not a folder: skipped\n");
        skip();
    }
    return folder;
}

/* Loads below the data folder and infers for [n,c,h,w]. */
static hlrp_graph *loaded(const char *name, hlrp_dims dims) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", data(), name);
    if (hlrp_onnx_load(path, NULL, &g, &err) != HLRP_OK ||
        hlrp_graph_infer(g, &dims, &err) != HLRP_OK)
        fail_msg("%s: %s (%s)", name, err.what, err.where);
    return g;
}

static void networks_with_reference_relevance(void **state) {
    (void)state;
    static const char *const names[] = {"bottleneck_tiny/model", "bottleneck_tiny/model_folded",
                                        "densenet_tiny/model",   "densenet_tiny/model_folded",
                                        "inception_tiny/model",  "inception_tiny/model_folded",
                                        "mobilenet_tiny/model",  "mobilenet_tiny/model_folded",
                                        "resnet_tiny/model",     "resnet_tiny/model_folded",
                                        "vgg_bn_tiny/model",     "vgg_bn_tiny/model_folded",
                                        "vgg_tiny/model",        "vgg_tiny/model_softmax"};
    for (size_t k = 0; k < HLRP_COUNT(names); k++) {
        char name[128];
        bool wide = strncmp(names[k], "bottleneck", 10) == 0;
        snprintf(name, sizeof name, "vectors/%s.onnx", names[k]);
        for (int n = 1; n <= 3; n += 2) {
            hlrp_dims in = {.rank = 4, .d = {n, 3, wide ? 96 : 64, wide ? 80 : 64}};
            hlrp_graph *g = loaded(name, in);
            const hlrp_dims *out = &g->values[g->output].dims;
            assert_int_equal(out->rank, 2);
            assert_int_equal(out->d[0], n);
            assert_int_equal(out->d[1], 5);
            hlrp_graph_free(g);
        }
    }
}

/* Global pooling takes any size; the file says 64 by 64. */
static void other_sizes(void **state) {
    (void)state;
    hlrp_graph *g =
        loaded("vectors/resnet_tiny/model.onnx", (hlrp_dims){.rank = 4, .d = {1, 3, 200, 333}});
    hlrp_error err = {0};
    assert_int_equal(g->values[g->output].dims.d[1], 5);
    assert_int_equal(hlrp_graph_infer(g, &(hlrp_dims){.rank = 4, .d = {2, 3, 64, 64}}, &err),
                     HLRP_OK);
    assert_int_equal(g->values[g->output].dims.d[0], 2);
    assert_int_equal(hlrp_graph_infer(g, &(hlrp_dims){.rank = 4, .d = {1, 4, 64, 64}}, &err),
                     HLRP_E_MODEL);
    hlrp_graph_free(g);
}

static void published_networks(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int64_t size;
        const char *refusal; /* NULL: it loads */
    } rows[] = {
        {"models/mnist-onnx/burn-mnist.onnx", 28, NULL},
        {"models/mnist-onnx/onnxjs-demo-mnist.onnx", 28, NULL},
        {"models/mnist-onnx/wonnx-opt-mnist.onnx", 28, NULL},
        {"onnx/light/light_densenet121.onnx", 224, NULL},
        {"onnx/light/light_resnet50.onnx", 224, NULL},
        {"onnx/light/light_squeezenet.onnx", 224, NULL},
        {"onnx/light/light_inception_v2.onnx", 224, NULL},
        {"onnx/light/light_shufflenet.onnx", 224, NULL},
        {"onnx/light/light_bvlc_alexnet.onnx", 224, NULL},
        {"onnx/light/light_zfnet512.onnx", 224, NULL},
        {"models/ultraface/version-RFB-320_without_postprocessing.onnx", 240, "2 outputs"},
        {"models/ultraface/version-slim-320.onnx", 240, "2 outputs: scores, boxes"},
    };
    for (size_t k = 0; k < HLRP_COUNT(rows); k++) {
        hlrp_error err = {0};
        hlrp_graph *g = NULL;
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", data(), rows[k].name);
        hlrp_status status = hlrp_onnx_load(path, NULL, &g, &err);
        if (rows[k].refusal == NULL) {
            if (status != HLRP_OK)
                fail_msg("%s: %s", rows[k].name, err.what);
            hlrp_dims in = {.rank = 4,
                            .d = {1, strstr(path, "mnist") ? 1 : 3, rows[k].size, rows[k].size}};
            assert_int_equal(hlrp_graph_infer(g, &in, &err), HLRP_OK);
            assert_int_equal(g->values[g->output].dims.d[1], strstr(path, "mnist") ? 10 : 1000);
        } else {
            assert_int_equal(status, HLRP_E_MODEL);
            assert_non_null(strstr(err.what, rows[k].refusal));
            assert_true(err.where[0] != '\0' && err.mend[0] != '\0');
        }
        hlrp_graph_free(g);
    }
}

/* ---- the operators' own conformance cases ---- */

#define MOST_INPUTS 8

/* Reads input_1.pb … as constants in the place of the inputs they are named after. */
static int read_bindings(const char *folder, hlrp_onnx_binding *bindings, char **names,
                         hlrp_tensor **tensors) {
    int count = 0;
    for (int k = 1; k < MOST_INPUTS; k++) {
        hlrp_error err = {0};
        char path[1500], *bytes = NULL;
        int64_t size = 0;
        snprintf(path, sizeof path, "%s/test_data_set_0/input_%d.pb", folder, k);
        if (!hlrp_file_exists(path) ||
            hlrp_read_file(path, 1 << 26, &bytes, &size, &err) != HLRP_OK)
            break;
        if (hlrp_onnx_tensor_parse(bytes, (size_t)size, &tensors[count], &names[count], &err) ==
            HLRP_OK) {
            bindings[count].name = names[count];
            bindings[count].tensor = tensors[count];
            count++;
        }
        free(bytes);
    }
    return count;
}

/* Parses one case with its further inputs as constants. */
static hlrp_status parse_case(const char *folder, hlrp_error *err) {
    hlrp_onnx_binding bindings[MOST_INPUTS] = {0};
    hlrp_tensor *tensors[MOST_INPUTS] = {NULL};
    char *names[MOST_INPUTS] = {NULL}, path[1500], *bytes = NULL;
    hlrp_graph *g = NULL;
    int64_t size = 0;

    snprintf(path, sizeof path, "%s/model.onnx", folder);
    hlrp_status status = hlrp_read_file(path, 1 << 26, &bytes, &size, err);
    int count = read_bindings(folder, bindings, names, tensors);
    if (status == HLRP_OK)
        status = hlrp_onnx_parse(bytes, (size_t)size, NULL, bindings, count, &g, err);
    if (status == HLRP_OK && g->values[g->input].dims.rank == 4) {
        hlrp_error ignored = {0}; /* some cases feed what no picture network does */
        hlrp_dims in = g->values[g->input].dims;
        (void)hlrp_graph_infer(g, &in, &ignored);
    }
    hlrp_graph_free(g);
    for (int k = 0; k < MOST_INPUTS; k++) {
        hlrp_tensor_free(tensors[k]);
        free(names[k]);
    }
    free(bytes);
    return status;
}

/* Every case parses or is refused with a place and a remedy. How many of a folder parse is pinned:
 * a lower number is an operator lost. */
static void count_cases(const char *name, int want_parsed) {
    char folder[1024], path[1400];
    int parsed = 0, refused = 0, unsupported = 0;
    snprintf(folder, sizeof folder, "%s/onnx/%s", data(), name);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        hlrp_error err = {0};
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (strncmp(e->d_name, "test_", 5) != 0 || !hlrp_is_folder(path))
            continue;
        hlrp_status status = parse_case(path, &err);
        parsed += status == HLRP_OK;
        refused += status != HLRP_OK;
        if (status != HLRP_OK) {
            assert_int_equal(err.status, status);
            assert_true(err.what[0] != '\0' && err.mend[0] != '\0');
            unsupported += strstr(err.what, "unsupported operator") != NULL;
            if (getenv("HISTOLRP_VERBOSE") != NULL)
                print_message("%s: %s (%s)\n", e->d_name, err.what, err.where);
        }
    }
    closedir(dir);
    print_message("%-24s %3d parse, %3d refused (%d for their operator)\n", name, parsed, refused,
                  unsupported);
    assert_true(parsed >= want_parsed);
}

static void node_cases(void **state) {
    (void)state;
    count_cases("node-1.17", 147);
}

static void pytorch_cases(void **state) {
    (void)state;
    count_cases("pytorch/pytorch-converted", 36);
    count_cases("pytorch/pytorch-operator", 7);
    count_cases("pytorch/simple", 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_with_reference_relevance),
        cmocka_unit_test(other_sizes),
        cmocka_unit_test(published_networks),
        cmocka_unit_test(node_cases),
        cmocka_unit_test(pytorch_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

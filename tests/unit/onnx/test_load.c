/* What files may say: types, versions, defaults; and what they are refused for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "onnx/onnx.h"
#include "op/op.h"

#include "unit/onnx/build.h"

static hlrp_status parse_in(const build *b, const char *folder, hlrp_graph **g, hlrp_error *err) {
    uint8_t *bytes = NULL;
    size_t size = build_pack(b, &bytes);
    hlrp_status status = hlrp_onnx_parse(bytes, size, folder, NULL, 0, g, err);
    free(bytes);
    return status;
}

static hlrp_graph *accept(const build *b) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    if (parse_in(b, NULL, &g, &err) != HLRP_OK)
        fail_msg("%s (%s)", err.what, err.where);
    return g;
}

/* `text` is in what or where. */
static void refuse(const build *b, const char *text) {
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    assert_int_equal(parse_in(b, NULL, &g, &err), HLRP_E_MODEL);
    assert_null(g);
    if (strstr(err.what, text) == NULL && strstr(err.where, text) == NULL)
        fail_msg("\"%s (%s)\" instead of \"%s\"", err.what, err.where, text);
}

static const int64_t one_by_one[4] = {2, 3, 1, 1};

/* A convolution of 1 by 1 with weights 1 … 6. */
static void begin_conv(build *b, int opset) {
    static const float w[6] = {1, 2, 3, 4, 5, 6};
    build_begin(b, opset, 3, 8, 8);
    build_tensor(b, "w", 1, one_by_one, 4, w, sizeof w);
    build_node(b, "Conv", "conv", "x w", "y");
}

static void plain_network(void **state) {
    (void)state;
    build b;
    begin_conv(&b, 13);
    hlrp_graph *g = accept(&b);
    assert_int_equal(g->node_count, 1);
    assert_int_equal(g->nodes[0].in_count, 3);
    assert_int_equal(g->nodes[0].in[2], -1);
    assert_true(g->values[g->nodes[0].in[1]].constant->f[5] == 6);
    assert_int_equal(g->values[g->input].dims.d[0], -1);
    assert_int_equal(g->values[g->input].dims.d[3], 8);
    hlrp_graph_free(g);
}

static void operator_sets(void **state) {
    (void)state;
    build b;
    static const int fine[] = {6, 7, 13, 22}, bad[] = {0, 5, 23, 99};
    for (size_t k = 0; k < 4; k++) {
        begin_conv(&b, fine[k]);
        hlrp_graph_free(accept(&b));
        begin_conv(&b, bad[k]);
        refuse(&b, "operator set");
    }
    begin_conv(&b, 13);
    b.model.n_opset_import = 0;
    refuse(&b, "operator set");
}

/* ---- data types ---- */

static hlrp_tensor *tensor_of(pb_tensor *t, hlrp_status want) {
    hlrp_error err = {0};
    hlrp_tensor *out = NULL;
    size_t size = hlrp_pb__tensor_proto__get_packed_size(t);
    uint8_t *bytes = malloc(size + 1);
    assert_non_null(bytes);
    hlrp_pb__tensor_proto__pack(t, bytes);
    assert_int_equal(hlrp_onnx_tensor_parse(bytes, size, &out, NULL, &err), want);
    free(bytes);
    return out;
}

static void raw_types(void **state) {
    (void)state;
    static const struct {
        int type;
        uint8_t raw[8];
        size_t size;
        double want;
    } rows[] = {
        {1, {0, 0, 0xc0, 0xbf}, 4, -1.5}, /* float */
        {10, {0x00, 0x3c}, 2, 1},         /* float16 */
        {10, {0x01, 0x80}, 2, -0x1p-24},  /* its smallest, a subnormal */
        {10, {0xff, 0x7b}, 2, 65504},     /* its largest */
        {10, {0x00, 0xfc}, 2, -INFINITY},
        {16, {0x80, 0xbf}, 2, -1}, /* bfloat16 */
        {11, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 8, 1.5},
        {2, {200}, 1, 200},
        {3, {200}, 1, -56},
        {4, {0xff, 0xff}, 2, 65535},
        {5, {0xff, 0xff}, 2, -1},
        {6, {0xfe, 0xff, 0xff, 0xff}, 4, -2},
        {7, {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8, -3},
        {9, {7}, 1, 1},
        {12, {0xff, 0xff, 0xff, 0xff}, 4, 4294967295.0},
    };
    for (size_t k = 0; k < HLRP_COUNT(rows); k++) {
        pb_tensor t;
        hlrp_pb__tensor_proto__init(&t);
        t.has_data_type = t.has_raw_data = 1;
        t.data_type = rows[k].type;
        t.raw_data.data = (uint8_t *)rows[k].raw;
        t.raw_data.len = rows[k].size;
        hlrp_tensor *got = tensor_of(&t, HLRP_OK);
        double value = got->dtype == HLRP_F32 ? got->f[0] : (double)got->i[0];
        assert_true(value == rows[k].want);
        hlrp_tensor_free(got);
        t.raw_data.len--; /* one byte short */
        assert_null(tensor_of(&t, HLRP_E_MODEL));
    }
}

static void typed_fields(void **state) {
    (void)state;
    int32_t half[2] = {0x3c00, 0xc000};
    int64_t two = 2, dims = 2, longs[2] = {-5, INT64_MAX};
    pb_tensor t;
    hlrp_pb__tensor_proto__init(&t);
    t.has_data_type = 1;
    t.data_type = 10;
    t.dims = &dims;
    t.n_dims = 1;
    t.int32_data = half;
    t.n_int32_data = 2;
    hlrp_tensor *got = tensor_of(&t, HLRP_OK);
    assert_true(got->f[0] == 1 && got->f[1] == -2);
    hlrp_tensor_free(got);
    t.data_type = 7; /* the data are in the field of another type */
    assert_null(tensor_of(&t, HLRP_E_MODEL));
    t.int64_data = longs;
    t.n_int64_data = 2;
    got = tensor_of(&t, HLRP_OK);
    assert_true(got->i[1] == INT64_MAX && two == 2);
    hlrp_tensor_free(got);
    t.data_type = 8; /* strings */
    assert_null(tensor_of(&t, HLRP_E_MODEL));
}

/* ---- what hostile files say ---- */

static void sizes_that_do_not_fit(void **state) {
    (void)state;
    static const int64_t bad[][4] = {
        {2, 3, 1, 2}, {2, -3, 1, -1}, {INT64_MAX, 2, 2, 2}, {INT64_MIN, 1, 1, 1}, {0, 0, 0, 0}};
    for (size_t k = 0; k < HLRP_COUNT(bad); k++) {
        build b;
        begin_conv(&b, 13);
        memcpy(b.extents[0], bad[k], sizeof bad[k]);
        refuse(&b, k == 1 || k == 2 || k == 3 ? "shape" : "24 bytes");
    }
}

static void order_names_and_cycles(void **state) {
    (void)state;
    build b;
    build_begin(&b, 13, 3, 8, 8);
    build_node(&b, "Relu", "second", "a", "y");
    build_node(&b, "Relu", "first", "x", "a");
    refuse(&b, "node second");

    build_begin(&b, 13, 3, 8, 8);
    build_node(&b, "Add", "loop", "x y", "y");
    refuse(&b, "loop");

    build_begin(&b, 13, 3, 8, 8);
    build_node(&b, "Relu", "a", "x", "y");
    build_node(&b, "Relu", "b", "x", "y");
    refuse(&b, "same name");

    begin_conv(&b, 13);
    build_tensor(&b, "w", 1, one_by_one, 4, "123456789012345678901234", 24);
    refuse(&b, "same name");

    build_begin(&b, 13, 3, 8, 8);
    build_node(&b, "Relu", "", "missing", "y");
    refuse(&b, "missing");

    build_begin(&b, 13, 3, 8, 8);
    build_node(&b, "Relu", "r", "x", "other");
    refuse(&b, "output");
}

static void operators_that_are_refused(void **state) {
    (void)state;
    static const char *const types[] = {"If",  "Loop", "LSTM", "Attention", "ConvTranspose",
                                        "GRU", ""};
    for (size_t k = 0; k < HLRP_COUNT(types); k++) {
        char text[80];
        build b;
        build_begin(&b, 13, 3, 8, 8);
        build_node(&b, types[k], "that/one", "x", "y");
        snprintf(text, sizeof text, "unsupported operator %s at node that/one", types[k]);
        refuse(&b, text);
    }
    build b;
    build_begin(&b, 13, 3, 8, 8);
    build_node(&b, "Relu", "r", "x", "y")->domain = "com.microsoft";
    refuse(&b, "com.microsoft");
}

static void windows_out_of_bounds(void **state) {
    (void)state;
    static int64_t bad[][4] = {{0, 1}, {-1, 1}, {INT64_MAX, INT64_MAX}};
    for (size_t k = 0; k < HLRP_COUNT(bad); k++) {
        build b;
        begin_conv(&b, 13);
        build_ints(&b, &b.node[0], "strides", bad[k], 2);
        refuse(&b, "strides");
    }
    static int64_t three[] = {1, 1, 1};
    build b;
    begin_conv(&b, 13);
    build_ints(&b, &b.node[0], "dilations", three, 3);
    refuse(&b, "dilations");
}

/* 2^40 zeros in 40 bytes. */
static void constants_out_of_nothing(void **state) {
    (void)state;
    static const int64_t shape[2] = {1 << 20, 1 << 20}, rank[1] = {2};
    build b;
    build_begin(&b, 13, 3, 8, 8);
    build_tensor(&b, "shape", 7, rank, 1, shape, sizeof shape);
    build_node(&b, "ConstantOfShape", "zeros", "shape", "z");
    build_node(&b, "Add", "sum", "x z", "y");
    refuse(&b, "zeros");
}

static void every_truncation(void **state) {
    (void)state;
    build b;
    uint8_t *bytes = NULL;
    begin_conv(&b, 13);
    size_t size = build_pack(&b, &bytes);
    for (size_t n = 0; n < size; n++) {
        hlrp_error err = {0};
        hlrp_graph *g = NULL;
        uint8_t *cut = malloc(n + (n == 0)); /* of its size: reading on is seen */
        assert_non_null(cut);
        memcpy(cut, bytes, n);
        /* where a field of the model ends, what is left may be a whole, if different, file */
        if (hlrp_onnx_parse(cut, n, NULL, NULL, 0, &g, &err) != HLRP_OK)
            assert_true(err.what[0] != '\0' && g == NULL);
        hlrp_graph_free(g);
        free(cut);
    }
    free(bytes);
}

/* ---- external data ---- */

static void external_data_stay_in_the_folder(void **state) {
    (void)state;
    char folder[] = "/tmp/hlrp-onnx-XXXXXX", path[64];
    static const float w[7] = {9, 1, 2, 3, 4, 5, 6};
    hlrp_error err = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/w.bin", folder);
    assert_int_equal(hlrp_write_file(path, (const char *)w, sizeof w, &err), HLRP_OK);

    static const struct {
        const char *location, *offset, *length;
        bool fine;
    } rows[] = {
        {"w.bin", "4", "24", true},
        {"w.bin", "4", NULL, true},
        {"w.bin", "8", "24", false},
        {"w.bin", "-4", "24", false},
        {"w.bin", "4", "23", false},
        {"../../etc/passwd", "0", "24", false},
        {"/etc/passwd", "0", "24", false},
        {"none.bin", "4", "24", false},
        {"", "4", "24", false},
        {"w.bin", "9223372036854775807", "24", false},
    };
    for (size_t k = 0; k < HLRP_COUNT(rows); k++) {
        build b;
        HlrpPb__StringStringEntryProto entry[3], *entries[3];
        static char *const keys[3] = {"location", "offset", "length"};
        const char *const values[3] = {rows[k].location, rows[k].offset, rows[k].length};
        begin_conv(&b, 13);
        for (int i = 0; i < 3; i++) {
            hlrp_pb__string_string_entry_proto__init(&entry[i]);
            entry[i].key = keys[i];
            entry[i].value = (char *)values[i];
            entries[i] = &entry[i];
        }
        b.tensor[0].has_raw_data = 0;
        b.tensor[0].has_data_location = 1;
        b.tensor[0].data_location = 1;
        b.tensor[0].external_data = entries;
        b.tensor[0].n_external_data = rows[k].length != NULL ? 3 : 2;
        hlrp_graph *g = NULL;
        assert_int_equal(parse_in(&b, folder, &g, &err) == HLRP_OK, rows[k].fine);
        if (rows[k].fine)
            assert_true(g->values[g->nodes[0].in[1]].constant->f[5] == 6);
        hlrp_graph_free(g);
        refuse(&b, "file of their own"); /* without a folder */
    }
    unlink(path);
    rmdir(folder);
}

/* ---- meanings ---- */

static void gemm_folds_alpha_beta_and_transposes(void **state) {
    (void)state;
    static const float w[6] = {1, 2, 3, 4, 5, 6}, c[2] = {10, 20};
    static const int64_t dims[2] = {3, 2}, two[1] = {2};
    build b;
    build_begin(&b, 13, 3, 1, 1);
    build_tensor(&b, "w", 1, dims, 2, w, sizeof w);
    build_tensor(&b, "c", 1, two, 1, c, sizeof c);
    build_node(&b, "Flatten", "flat", "x", "f");
    pb_node *n = build_node(&b, "Gemm", "fc", "f w c", "y");
    pb_attribute *alpha = build_attribute(&b, n, "alpha"), *beta = build_attribute(&b, n, "beta");
    alpha->has_f = beta->has_f = 1;
    alpha->f = 2;
    beta->f = 0.5F;
    hlrp_graph *g = accept(&b);
    const hlrp_node *fc = &g->nodes[1];
    static const float want[6] = {2, 6, 10, 4, 8, 12};
    assert_memory_equal(g->values[fc->in[1]].constant->f, want, sizeof want);
    assert_true(g->values[fc->in[2]].constant->f[1] == 10);
    hlrp_graph_free(g);
    build_int(&b, n, "transA", 1); /* a node before it turns the input round */
    g = accept(&b);
    assert_int_equal(g->node_count, 3);
    assert_int_equal(g->nodes[1].op, &hlrp_op_transpose);
    assert_int_equal(g->nodes[2].in[0], g->nodes[1].out[0]);
    hlrp_graph_free(g);
}

/* Of the same matrix one copy is turned round, another is doubled, and the matrix itself stays. */
static void gemms_share_what_they_turn_round(void **state) {
    (void)state;
    static const float w[4] = {1, 2, 3, 4}, turned[4] = {1, 3, 2, 4}, doubled[4] = {2, 6, 4, 8};
    static const int64_t dims[2] = {2, 2};
    build b;
    build_begin(&b, 13, 2, 1, 1);
    build_tensor(&b, "w", 1, dims, 2, w, sizeof w);
    build_node(&b, "Flatten", "flat", "x", "f");
    build_node(&b, "Gemm", "one", "f w", "g");
    build_int(&b, build_node(&b, "Gemm", "plain", "g w", "h"), "transB", 1);
    pb_attribute *alpha = build_attribute(&b, build_node(&b, "Gemm", "twice", "h w", "i"), "alpha");
    alpha->has_f = 1;
    alpha->f = 2;
    build_node(&b, "Gemm", "two", "i w", "y");
    hlrp_graph *g = accept(&b);
    const float *const want[4] = {turned, w, doubled, turned};
    for (int k = 0; k < 4; k++)
        assert_memory_equal(g->values[g->nodes[k + 1].in[1]].constant->f, want[k], sizeof w);
    assert_int_equal(g->nodes[1].in[1], g->nodes[4].in[1]);
    hlrp_graph_free(g);
}

static void batchnorm_folds_in_double(void **state) {
    (void)state;
    static const float p[4] = {3, 1, 0.5F, 0.25F};
    static const int64_t one[1] = {1};
    build b;
    build_begin(&b, 13, 1, 4, 4);
    static const char *const names[4] = {"gamma", "beta", "mean", "var"};
    for (int k = 0; k < 4; k++)
        build_tensor(&b, names[k], 1, one, 1, &p[k], sizeof p[k]);
    build_node(&b, "BatchNormalization", "bn", "x gamma beta mean var", "y");
    hlrp_graph *g = accept(&b);
    const double scale = 3 / sqrt(0.25 + (double)1e-5F);
    assert_true(g->nodes[0].exact[0] == scale);
    assert_true(g->nodes[0].exact[1] == 1 - 0.5 * scale);
    assert_true(g->values[g->nodes[0].in[1]].constant->f[0] == (float)scale);
    hlrp_graph_free(g);
    build_int(&b, &b.node[0], "training_mode", 1);
    refuse(&b, "training");
}

static void clip_bounds_by_attribute_or_input(void **state) {
    (void)state;
    build b;
    build_begin(&b, 6, 1, 4, 4);
    pb_node *n = build_node(&b, "Clip", "relu6", "x", "y");
    pb_attribute *max = build_attribute(&b, n, "max");
    max->has_f = 1;
    max->f = 6;
    hlrp_graph *g = accept(&b);
    assert_true(g->nodes[0].hi == 6 && g->nodes[0].lo == -INFINITY);
    hlrp_graph_free(g);

    build_begin(&b, 13, 1, 4, 4);
    n = build_node(&b, "Constant", "six", "", "six");
    pb_attribute *value = build_attribute(&b, n, "value_float");
    value->has_f = 1;
    value->f = 6;
    build_node(&b, "Clip", "relu6", "x - six", "y");
    g = accept(&b);
    assert_int_equal(g->node_count, 1);
    assert_true(g->nodes[0].hi == 6 && g->nodes[0].lo == -INFINITY);
    hlrp_graph_free(g);
}

static void metadata(void **state) {
    (void)state;
    build b;
    begin_conv(&b, 13);
    build_meta(&b, "classes", "wrong,ones");
    build_meta(&b, "histolrp.classes", "[\"normal tissue\", \"tumor, invasive\"]");
    build_meta(&b, "mpp", "0.5");
    build_meta(&b, "mean", "0.5");
    build_meta(&b, "std", "[0.1, 0.2, 0.3]");
    hlrp_graph *g = accept(&b);
    assert_int_equal(g->classes.count, 2);
    assert_string_equal(g->classes.items[0], "normal tissue");
    assert_string_equal(g->classes.items[1], "tumor, invasive");
    assert_true(g->mpp == 0.5 && g->has_norm && g->mean[2] == 0.5 && g->std[2] == 0.3);
    hlrp_graph_free(g);
    build_meta(&b, "histolrp.mpp", "20x");
    refuse(&b, "20x");
}

/* All kinds of nodes that are not supported are named at once, with their counts, but not what fails
 * only because of them. Guards: a network exported again for every operator that its author learns of. */
static void all_refusals_at_once(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    static build b;
    build_begin(&b, 13, 3, 8, 8);
    build_node(&b, "Flutter", "f1", "x", "a");
    build_node(&b, "Relu", "r", "a", "c");
    build_node(&b, "Wobble", "w1", "x", "d");
    build_node(&b, "Wobble", "w2", "d", "w");
    build_node(&b, "Mul", "gate", "w c", "e"); /* could be read by itself */
    build_node(&b, "Flutter", "f2", "e", "s");
    build_node(&b, "Reshape", "shape", "e s", "y"); /* follows from f2 */
    assert_int_equal(parse_in(&b, NULL, &g, &err), HLRP_E_MODEL);
    assert_string_equal(err.what, "unsupported operator Flutter at node f1; in all 4 nodes are not "
                                  "supported: Flutter × 2, Wobble × 2");
}

/* Of two outputs one is asked for; what only the other needs is not looked at. */
static void one_of_two_outputs(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    char path[] = "/tmp/hlrp-onnx-file-XXXXXX";
    static build b;
    static HlrpPb__ValueInfoProto second, *both[2];
    uint8_t *bytes = NULL;
    build_begin(&b, 13, 3, 8, 8);
    build_node(&b, "Relu", "r", "x", "y");
    build_node(&b, "Flutter", "f", "x", "boxes");
    hlrp_pb__value_info_proto__init(&second);
    second.name = "boxes";
    both[0] = &b.output;
    both[1] = &second;
    b.graph.output = both;
    b.graph.n_output = 2;
    const size_t size = build_pack(&b, &bytes);
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    assert_int_equal(hlrp_write_file(path, (const char *)bytes, size, &err), HLRP_OK);
    assert_int_equal(hlrp_onnx_load(path, NULL, &g, &err), HLRP_E_MODEL);
    assert_string_equal(err.what, "the network has 2 outputs: y, boxes");
    assert_non_null(strstr(err.mend, "model.output"));
    assert_int_equal(hlrp_onnx_load(path, "scores", &g, &err), HLRP_E_MODEL);
    assert_string_equal(err.what, "the network has no output scores, but y, boxes");
    assert_int_equal(hlrp_onnx_load(path, "boxes", &g, &err), HLRP_E_MODEL);
    assert_non_null(strstr(err.what, "Flutter"));
    assert_int_equal(hlrp_onnx_load(path, "y", &g, &err), HLRP_OK);
    assert_string_equal(g->values[g->output].name, "y");
    hlrp_graph_free(g);
    free(bytes);
    unlink(path);
}

static void files(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    char path[] = "/tmp/hlrp-onnx-file-XXXXXX";
    assert_int_not_equal(hlrp_onnx_load("/nonexistent/model.onnx", NULL, &g, &err), HLRP_OK);
    assert_non_null(strstr(err.where, "/nonexistent/model.onnx"));
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(hlrp_write_file(path, "not a network", 13, &err), HLRP_OK);
    err = (hlrp_error){0};
    assert_int_equal(hlrp_onnx_load(path, NULL, &g, &err), HLRP_E_MODEL);
    assert_non_null(strstr(err.what, "not an ONNX file"));
    assert_string_equal(err.where, path);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_network),
        cmocka_unit_test(operator_sets),
        cmocka_unit_test(raw_types),
        cmocka_unit_test(typed_fields),
        cmocka_unit_test(sizes_that_do_not_fit),
        cmocka_unit_test(order_names_and_cycles),
        cmocka_unit_test(operators_that_are_refused),
        cmocka_unit_test(windows_out_of_bounds),
        cmocka_unit_test(constants_out_of_nothing),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(external_data_stay_in_the_folder),
        cmocka_unit_test(gemm_folds_alpha_beta_and_transposes),
        cmocka_unit_test(gemms_share_what_they_turn_round),
        cmocka_unit_test(batchnorm_folds_in_double),
        cmocka_unit_test(clip_bounds_by_attribute_or_input),
        cmocka_unit_test(metadata),
        cmocka_unit_test(all_refusals_at_once),
        cmocka_unit_test(one_of_two_outputs),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

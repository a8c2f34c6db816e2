/* explain's file, read back as tensors by our own reader; tensors that are refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"

enum { N = 3, CH = 2, H = 4, W = 5, SAMPLE = CH * H * W };

static char folder[64], path[96];
static const char *const CLASSES[2] = {"normal", "tumor"};
static const hlrp_dims DIMS = {4, {N, CH, H, W}};

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/hlrp-explain-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/out.h5", folder);
    return 0;
}

static int drop_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void write_file(float first) {
    hlrp_error err = {0};
    hlrp_explain_writer *w = NULL;
    float in[SAMPLE], rel[SAMPLE];
    const hlrp_dims layer = {2, {N, 7}};
    const double sum[N] = {1, 2, 3};
    const hlrp_account account[N] = {{.out = 1, .bias = 5},
                                     {.out = 2, .out_abs = 4, .bias = 1, .stabilizer = -2},
                                     {.out = 3, .out_abs = 8, .constant = 2, .normalization = 6}};
    assert_int_equal(hlrp_explain_create(path, &DIMS, CLASSES, 2, &w, &err), HLRP_OK);
    assert_int_equal(hlrp_explain_add_layer(w, 12, "fc", "fc_out", "epsilon(1e-6)", &layer, &err),
                     HLRP_OK);
    assert_int_equal(hlrp_explain_add_layer(w, 12, "fc", "o", "r", &layer, &err), HLRP_E_INTERNAL);
    for (int n = 0; n < N; n++) {
        for (int i = 0; i < SAMPLE; i++) {
            in[i] = (float)(n * SAMPLE + i);
            rel[i] = -in[i];
        }
        in[0] = n == 0 ? first : in[0];
        const float logits[2] = {(float)n, 0.5f}, start[2] = {0.0f, (float)n};
        const int64_t target = 1;
        assert_int_equal(hlrp_explain_write(w, n, 1, in, logits, &target, start, rel, &err),
                         HLRP_OK);
        assert_int_equal(hlrp_explain_write_layer(w, 12, n, 1, rel, &err), HLRP_OK);
        const double total = -n / 3.0, magnitude = n / 7.0;
        const int8_t agrees = (int8_t)(n - 1);
        assert_int_equal(hlrp_explain_write_sums(w, n, 1, &total, &magnitude, &agrees, &err),
                         HLRP_OK);
    }
    assert_int_equal(hlrp_explain_write_sums(w, N, 1, sum, sum, (const int8_t[]){0}, &err),
                     HLRP_E_INTERNAL);
    assert_int_equal(hlrp_explain_write_layer(w, 12, N, 1, rel, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_explain_write_layer(w, 3, 0, 1, rel, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_explain_layer_account(w, 12, account, &err), HLRP_OK);
    assert_int_equal(hlrp_explain_set_text(w, "composite", "epsilon-plus", &err), HLRP_OK);
    assert_false(hlrp_file_exists(path));
    assert_int_equal(hlrp_explain_commit(w, &err), HLRP_OK);
}

static void comes_back(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_tensor_file *f = NULL;
    float values[2 * SAMPLE];
    write_file(0.0f);
    for (int sign = -1; sign <= 1; sign += 2) {
        assert_int_equal(hlrp_tensor_open(path, sign < 0 ? "/relevance" : "/input", &f, &err),
                         HLRP_OK);
        assert_true(hlrp_dims_equal(hlrp_tensor_file_dims(f), &DIMS));
        assert_int_equal(hlrp_tensor_read(f, 1, 2, values, &err), HLRP_OK);
        for (int i = 0; i < 2 * SAMPLE; i++)
            assert_true(values[i] == (float)(sign * (SAMPLE + i)));
        assert_int_equal(hlrp_tensor_read(f, 2, 2, values, &err), HLRP_E_INTERNAL);
        hlrp_tensor_close(f);
        f = NULL;
    }
}

static void refused(const char *file, const char *dataset, const char *word) {
    hlrp_error err = {0};
    hlrp_tensor_file *f = NULL;
    assert_int_equal(hlrp_tensor_open(file, dataset, &f, &err), HLRP_E_INPUT);
    assert_null(f);
    if (!strstr(err.what, word))
        fail_msg("'%s' does not say '%s'", err.what, word);
}

static void others_are_refused(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_tensor_file *f = NULL;
    float values[SAMPLE];
    write_file(NAN);
    refused("/nonexistent.h5", "/input", "no such file");
    refused(path, "/nothing", "no dataset /nothing");
    refused(path, "/target", "1 dimensions instead of 4");
    refused(path, "/layers", "no dataset");
    assert_int_equal(hlrp_tensor_open(path, "/input", &f, &err), HLRP_OK);
    assert_int_equal(hlrp_tensor_read(f, 1, 1, values, &err), HLRP_OK);
    assert_int_equal(hlrp_tensor_read(f, 0, 1, values, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "not finite"));
    hlrp_tensor_close(f);
    f = NULL;
    assert_int_equal(hlrp_tensor_open(path, "/logits", &f, &err),
                     HLRP_OK); /* rows, as features are */
    assert_int_equal(hlrp_tensor_file_dims(f)->rank, 2);
    assert_int_equal(hlrp_tensor_read(f, 1, 1, values, &err), HLRP_OK);
    hlrp_tensor_close(f);
}

static void specs(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *file = NULL, *dataset = NULL;
    bool tensor = true;
    const char *const pictures[] = {"a.png", "/x/a:b.png", "a.h5:/", ":/x", ""};
    for (size_t i = 0; i < HLRP_COUNT(pictures); i++) {
        assert_int_equal(hlrp_tensor_spec(pictures[i], &tensor, &file, &dataset, &err), HLRP_OK);
        assert_false(tensor);
    }
    assert_int_equal(hlrp_tensor_spec("c:/x/a.h5:/g/input", &tensor, &file, &dataset, &err),
                     HLRP_OK);
    assert_true(tensor);
    assert_string_equal(file, "c:/x/a.h5");
    assert_string_equal(dataset, "/g/input");
    free(file);
    free(dataset);
}

static void h5py_reads_it(void **state) {
    (void)state;
    if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
        print_message("skipped: no h5py\n");
        skip();
    }
    write_file(0.0f);
    char command[2000];
    snprintf(
        command, sizeof command,
        "/usr/bin/python3 - '%s' <<'END'\n"
        "import h5py, sys\n"
        "f = h5py.File(sys.argv[1])\n"
        "assert f['input'].shape == f['relevance'].shape == (3, 2, 4, 5)\n"
        "assert f['relevance'].dtype == '<f4' and f['relevance'][1, 0, 0, 1] == -41\n"
        "assert list(f['target']) == [1, 1, 1] and f['start'][2, 1] == 2\n"
        "assert f['logits'].dtype == '<f4' and f['logits'].shape == (3, 2)\n"
        "assert f['relevance_sum'].dtype == 'f8' and f['relevance_sum'][1] == -1 / 3\n"
        "assert f['relevance_abs'].dtype == 'f8' and f['relevance_abs'][2] == 2 / 7\n"
        "assert f['agrees'].dtype == 'i1' and list(f['agrees']) == [-1, 0, 1]\n"
        "a = f['layers/012/relevance']\n"
        "assert a.shape == (3, 7) and a.attrs['node'] == 'fc' and a.attrs['sum'][2] == 3\n"
        "told = {k: list(v) for k, v in a.attrs.items() if k not in ('node', 'output', 'rule')}\n"
        "assert told == {'sum': [1, 2, 3], 'magnitude': [0, 4, 8], 'bias_share': [0, .25, 0],\n"
        "                'stabilizer_share': [0, -.5, 0], 'constant_share': [0, 0, .25],\n"
        "                'normalization_share': [0, 0, .75]}, told\n"
        "assert a.attrs['rule'] == 'epsilon(1e-6)' and f.attrs['composite'] == 'epsilon-plus'\n"
        "END\n",
        path);
    assert_int_equal(system(command), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(comes_back),
        TEST(others_are_refused),
        TEST(specs),
        TEST(h5py_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

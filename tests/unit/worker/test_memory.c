/* What a worker is said to take is what it allocates: a run is planned by it. Guards: a figure for one tile
 * where a micro-batch runs, a buffer that is not counted. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/worker.h"

/* Streams and lists, beside megabytes of buffers. */
enum { SMALL = 100000 };

/* Whether another allocator stands in for the C library's, whose figures say nothing then. */
static bool instrumented(void) {
    const struct mallinfo2 before = mallinfo2();
    void *probe = malloc(1 << 22);
    const struct mallinfo2 after = mallinfo2();
    assert_non_null(probe);
    free(probe);
    return after.hblkhd + after.uordblks < before.hblkhd + before.uordblks + (1 << 22);
}

static int64_t allocated(void) {
    const struct mallinfo2 now = mallinfo2();
    return (int64_t)(now.hblkhd + now.uordblks);
}

static void check_network(const char *name, int64_t most) {
    hlrp_str path = {0};
    hlrp_config *config = NULL;
    hlrp_network *net = NULL;
    hlrp_worker worker = {0};
    hlrp_error err = {0};
    hlrp_str_addf(&path, "model.path=%s/%s", getenv("HLRP_NETWORKS"), name);
    const char *const settings[] = {path.text};
    assert_int_equal(hlrp_config_load(NULL, settings, 1, &config, &err), HLRP_OK);
    assert_int_equal(hlrp_network_load(config, NULL, NULL, &net, &err), HLRP_OK);
    assert_int_equal(hlrp_network_ready(net, most, 128, 128, &err), HLRP_OK);
    assert_int_equal(net->batch, most > 0 ? most : 4);
    const int64_t before = allocated();
    assert_int_equal(hlrp_worker_open(&worker, net, &err), HLRP_OK);
    const int64_t taken = allocated() - before, said = hlrp_worker_bytes(net);
    if (taken > said + SMALL || said > taken)
        fail_msg("%s, %lld tiles at once: %lld bytes, said to be %lld", name, (long long)net->batch,
                 (long long)taken, (long long)said);
    hlrp_worker_close(&worker);
    hlrp_network_free(net);
    hlrp_config_free(config);
    hlrp_str_free(&path);
}

static void it_takes_what_it_says(void **state) {
    (void)state;
    if (instrumented())
        skip();
    check_network("depthwise-model.onnx", 0);
    check_network("depthwise-model.onnx", 1);
    check_network("maxpool-model.onnx", 0);
    check_network("maxpool-model.onnx", 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_takes_what_it_says)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

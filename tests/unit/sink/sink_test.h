/* A slide in memory and a finished record for it, small enough to check by hand. */
#ifndef TEST_SINK_H
#define TEST_SINK_H

#include "unit/image/scratch.h"

#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "image/image.h"
#include "sink/sink.h"
#include "slide/slide_memory.h"

#define TEST_W 603 /* level-0 pixels */
#define TEST_H 357
#define TEST_DOWN 8
#define TEST_MAP_W 76
#define TEST_MAP_H 45
#define TEST_TILES 4

typedef struct sink_test {
    scratch files; /* first, so that scratch functions take it too */
    uint8_t *rgb;
    hlrp_memory_level level;
    hlrp_memory_property properties[8];
    hlrp_memory_fault fault;
    hlrp_memory_slide source;
    float relevance[2][TEST_MAP_H * TEST_MAP_W];
    float probability[2][TEST_MAP_H * TEST_MAP_W];
    hlrp_slide *slide;
    hlrp_result *result;
    hlrp_sink_input in;
    bool bag; /* the record is one of a slide with one score: sink_test_bag_… below */
    int64_t scores[HLRP_SCORE_KINDS];
} sink_test;

static const char *const test_names[] = {"normal", "tumor, <b> \"q\" & ä"};

static inline void sink_test_tiles(hlrp_result_writer *writer, hlrp_error *err) {
    static const int64_t x[] = {0, 64, 128, 0}, y[] = {0, 0, 0, 64};
    static const int64_t side[] = {64, 64, 64, 64};
    static const float logit[] = {1.5f, -2.25f, 0.1f, 0.3f, -1, 1, NAN, NAN};
    static const float probability[] = {0.9f, 0.1f, 0.45f, 0.55f, 0.2f, 0.8f, NAN, NAN};
    static const double start[] = {1.5, -2.25, -0.1, 0.3, NAN, NAN, NAN, NAN};
    static const double sum[] = {1.0 / 3, -2, 0.125, 1e-20, NAN, NAN, NAN, NAN};
    static const double outside[] = {0, 0, 0, 0, NAN, NAN, NAN, NAN};
    static const double magnitude[] = {3, 9, 0.4, 6, NAN, NAN, NAN, NAN};
    static const int8_t agrees[] = {1, 1, -1, 1, 0, 0, 0, 0};
    static const uint8_t status[] = {0, 0, 1, 2};
    const hlrp_tile_rows rows = {x,   y,       side,      side,   logit,  probability, start,
                                 sum, outside, magnitude, agrees, status, {NULL}};
    assert_int_equal(hlrp_result_write_tiles(writer, 0, TEST_TILES, &rows, err), HLRP_OK);
}

/* Of a bag of three: what its head says of them instead of logits and probabilities. */
static inline void sink_test_bag_tiles(hlrp_result_writer *writer, hlrp_error *err) {
    static const int64_t x[] = {0, 64, 128, 0}, y[] = {0, 0, 0, 64};
    static const int64_t side[] = {64, 64, 64, 64};
    static const float none[] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    static const double start[] = {NAN, 0.5, NAN, -0.25, NAN, 0.001, NAN, NAN};
    static const double outside[] = {NAN, 0, NAN, 0, NAN, 0, NAN, NAN};
    static const double magnitude[] = {NAN, 1, NAN, 0.25, NAN, 0.001, NAN, NAN};
    static const int8_t agrees[] = {0, 1, 0, 1, 0, 1, 0, 0};
    static const uint8_t status[] = {0, 0, 0, 2};
    static const float attention[] = {0.125f, 0.75f, 0.375f, NAN};
    static const float single[] = {-1, 2.5f, 1, -3, 0.5f, 0, NAN, NAN};
    const hlrp_tile_rows rows = {.x = x,
                                 .y = y,
                                 .width = side,
                                 .height = side,
                                 .logit = none,
                                 .probability = none,
                                 .start = start,
                                 .sum = start,
                                 .outside = outside,
                                 .abs = magnitude,
                                 .agrees = agrees,
                                 .status = status,
                                 .scores = {attention, single}};
    assert_int_equal(hlrp_result_write_tiles(writer, 0, TEST_TILES, &rows, err), HLRP_OK);
}

/* The table of layers: one, which loses nothing. */
static inline void sink_test_layers(hlrp_result_writer *writer, hlrp_error *err) {
    static const char *const node[] = {"pool"}, *const rule[] = {"epsilon"};
    static const double one[] = {1}, none[] = {0};
    hlrp_column columns[2 + HLRP_ACCOUNT_FIELDS] = {{"node", HLRP_COLUMN_TEXT, node},
                                                    {"rule", HLRP_COLUMN_TEXT, rule}};
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
        columns[2 + f] = (hlrp_column){hlrp_account_fields[f].column, HLRP_COLUMN_F64,
                                       hlrp_account_fields[f].taker ? none : one};
    assert_int_equal(
        hlrp_result_write_table(writer, "/layers", columns, HLRP_COUNT(columns), 1, err), HLRP_OK);
}

/* The group /mil: the slide is called by the second class, and explained for that one alone. */
static inline void sink_test_bag_score(hlrp_result_writer *writer, hlrp_error *err) {
    static const float logit[] = {-1.5f, 2.25f}, probability[] = {0.0625f, 0.9375f};
    static const double start[] = {NAN, 2.25};
    static const char *const names[] = {"start",         "bias",    "stabilizer", "constant",
                                        "normalization", "encoder", "pixels",     "tiles",
                                        "rest",          "outside"};
    static const double row[] = {2.25, 0.5, 0, 1.25, 0, 0, 0, 0.25, 0.25, 0};
    double values[HLRP_COUNT(row)][2];
    hlrp_column account[1 + HLRP_COUNT(row)] = {{"class", HLRP_COLUMN_TEXT, test_names}};
    const int64_t tiles = 3;
    for (size_t i = 0; i < HLRP_COUNT(row); i++) {
        values[i][0] = NAN;
        values[i][1] = row[i];
        account[1 + i] = (hlrp_column){names[i], HLRP_COLUMN_F64, values[i]};
    }
    hlrp_status status = hlrp_result_write_list(writer, "/mil/logit", HLRP_LIST_F32, logit, 2, err);
    status |=
        hlrp_result_write_list(writer, "/mil/probability", HLRP_LIST_F32, probability, 2, err);
    status |= hlrp_result_write_list(writer, "/mil/start", HLRP_LIST_F64, start, 2, err);
    status |= hlrp_result_write_table(writer, "/mil/account", account, HLRP_COUNT(account), 2, err);
    status |= hlrp_result_set_text(writer, "/mil", "pixels", "none", err);
    status |= hlrp_result_set_i64(writer, "/mil", "tiles", &tiles, -1, err);
    assert_int_equal(status, HLRP_OK);
}

static inline void sink_test_record(sink_test *t) {
    hlrp_error err = {0};
    hlrp_result_writer *writer = NULL;
    const hlrp_result_info info = {.map = {TEST_MAP_W, TEST_MAP_H},
                                   .slide = {TEST_W, TEST_H},
                                   .downsample = TEST_DOWN,
                                   .mpp = {0.5, 0.25},
                                   .tiles = TEST_TILES,
                                   .planes = 2,
                                   .classes = 2,
                                   .plane_names = test_names,
                                   .class_names = test_names,
                                   .bag = t->bag,
                                   .scores = {t->scores[0], t->scores[1]}};
    const char *path = scratch_path(&t->files, "relevance.h5");
    assert_int_equal(hlrp_result_create(path, &info, &writer, &err), HLRP_OK);
    for (int k = 0; k < 2; k++) {
        assert_int_equal(hlrp_result_write_rows(writer, HLRP_MAP_RELEVANCE, k, 0, TEST_MAP_H,
                                                t->relevance[k], &err),
                         HLRP_OK);
        assert_int_equal(hlrp_result_write_rows(writer, HLRP_MAP_PROBABILITY, k, 0, TEST_MAP_H,
                                                t->probability[k], &err),
                         HLRP_OK);
    }
    for (int m = 0; m < t->scores[0] + t->scores[1]; m++)
        assert_int_equal(hlrp_result_write_rows(writer, HLRP_MAP_SCORES, m, 0, TEST_MAP_H,
                                                t->probability[m % 2], &err),
                         HLRP_OK);
    if (t->bag) {
        sink_test_bag_tiles(writer, &err);
        sink_test_bag_score(writer, &err);
        sink_test_layers(writer, &err);
    } else {
        sink_test_tiles(writer, &err);
    }
    assert_int_equal(hlrp_result_commit(writer, &err), HLRP_OK);
    assert_int_equal(hlrp_result_open(path, &t->result, &err), HLRP_OK);
}

/* Maps: plane 1 is 0 but for the marks the test sets; the left columns were not explained. */
static inline int sink_test_setup(void **state) {
    sink_test *t = calloc(1, sizeof *t);
    snprintf(t->files.folder, sizeof t->files.folder, "/tmp/hlrp-test-XXXXXX");
    *state = t;
    if (!mkdtemp(t->files.folder))
        return -1;
    t->rgb = malloc((size_t)TEST_W * TEST_H * 3);
    memset(t->rgb, 200, (size_t)TEST_W * TEST_H * 3);
    for (int i = 0; i < TEST_MAP_W * TEST_MAP_H; i++)
        for (int k = 0; k < 2; k++) {
            t->relevance[k][i] = i % TEST_MAP_W < 3 ? NAN : k ? 0 : (float)i / 7;
            t->probability[k][i] = (float)(i % (11 + k)) / 12;
        }
    t->level = (hlrp_memory_level){{TEST_W, TEST_H}, t->rgb, NULL};
    t->source = (hlrp_memory_slide){
        .level_count = 1, .levels = &t->level, .properties = t->properties, .faults = &t->fault};
    return 0;
}

/* A slide with one score, attention and single scores: before sink_test_start. */
static inline void sink_test_bag(sink_test *t) {
    t->bag = true;
    t->scores[HLRP_SCORE_ATTENTION] = 1;
    t->scores[HLRP_SCORE_SINGLE] = 2;
}

/* Called by the test once pixels, maps and properties are as it wants them. */
static inline void sink_test_start(sink_test *t) {
    hlrp_error err = {0};
    sink_test_record(t);
    assert_int_equal(hlrp_slide_open_memory(&t->source, &t->slide, &err), HLRP_OK);
    t->in = (hlrp_sink_input){.result = t->result, .slide = t->slide, .plane = 1};
}

static inline int sink_test_teardown(void **state) {
    sink_test *t = *state;
    hlrp_result_close(t->result);
    hlrp_slide_close(t->slide);
    free(t->rgb);
    return scratch_teardown(state);
}

#define SINK_TEST(name) cmocka_unit_test_setup_teardown(name, sink_test_setup, sink_test_teardown)

static inline char *sink_test_slurp(const char *path) {
    hlrp_error err = {0};
    char *bytes = NULL;
    int64_t size = 0;
    assert_int_equal(hlrp_read_file(path, 1 << 24, &bytes, &size, &err), HLRP_OK);
    return bytes;
}

/* Guards against partial outputs: a disk with room for `room` bytes per file. */
static inline void sink_test_full_disk(sink_test *t, hlrp_sink *sink, const char *name,
                                       rlim_t room) {
    hlrp_error err = {0};
    struct rlimit was;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &was);
    const struct rlimit small = {room, was.rlim_max};
    const int before = scratch_count(&t->files, 0);
    const char *path = scratch_path(&t->files, name);
    setrlimit(RLIMIT_FSIZE, &small);
    const hlrp_status status = sink(&t->in, path, &err);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(status, HLRP_E_IO);
    assert_non_null(strstr(err.where, name));
    assert_int_equal(scratch_count(&t->files, 0), before);
}

#endif

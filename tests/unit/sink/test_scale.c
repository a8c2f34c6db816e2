/* Tables of many tiles: HLRP_TEST_TILES sets how many (a million take a minute); fewer by default. */
#include "unit/sink/sink_test.h"

#include <sys/stat.h>

enum { SIDE = 64, ACROSS = 500, USUAL_TILES = 100000, AT_ONCE = 5000 };

typedef struct many {
    int64_t x[AT_ONCE], y[AT_ONCE], side[AT_ONCE];
    float values[2 * AT_ONCE];
    double sums[AT_ONCE];
    int8_t agrees[AT_ONCE];
    uint8_t status[AT_ONCE];
} many;

static void write_tiles(hlrp_result_writer *writer, int64_t tiles) {
    many *m = calloc(1, sizeof *m);
    hlrp_error err = {0};
    for (int64_t first = 0; first < tiles; first += AT_ONCE) {
        const int64_t count = HLRP_MIN(AT_ONCE, tiles - first);
        for (int64_t i = 0; i < count; i++) {
            m->x[i] = (first + i) % ACROSS * SIDE;
            m->y[i] = (first + i) / ACROSS * SIDE;
            m->side[i] = SIDE;
            m->values[2 * i] = (float)(i % 97) / 97;
            m->values[2 * i + 1] = 1 - m->values[2 * i];
            m->sums[i] = (double)(first + i) / 3;
        }
        const hlrp_tile_rows rows = {m->x,      m->y,      m->side, m->side, m->values,
                                     m->values, m->sums,   m->sums, m->sums, m->sums,
                                     m->agrees, m->status, {NULL}};
        assert_int_equal(hlrp_result_write_tiles(writer, first, count, &rows, &err), HLRP_OK);
    }
    free(m);
}

static hlrp_result *record_of(const char *path, int64_t tiles) {
    hlrp_error err = {0};
    hlrp_result_writer *writer = NULL;
    hlrp_result *result = NULL;
    const int64_t down = hlrp_ceil_div(tiles, ACROSS);
    const hlrp_result_info info = {.map = {ACROSS * SIDE / 8, down * SIDE / 8},
                                   .slide = {ACROSS * SIDE, down * SIDE},
                                   .downsample = 8,
                                   .mpp = {0.5, 0.5},
                                   .tiles = tiles,
                                   .planes = 1,
                                   .classes = 2,
                                   .plane_names = test_names,
                                   .class_names = test_names};
    assert_int_equal(hlrp_result_create(path, &info, &writer, &err), HLRP_OK);
    write_tiles(writer, tiles);
    assert_int_equal(hlrp_result_commit(writer, &err), HLRP_OK);
    assert_int_equal(hlrp_result_open(path, &result, &err), HLRP_OK);
    return result;
}

static int64_t lines_of(const char *path) {
    FILE *file = fopen(path, "rb");
    int64_t lines = 0;
    for (int c = getc(file); c != EOF; c = getc(file))
        lines += c == '\n';
    fclose(file);
    return lines;
}

/* Guards: tables that are put together in memory. */
static void tables_are_streamed(void **state) {
    static const struct {
        const char *name;
        hlrp_sink *sink;
        int64_t other_lines;
    } tables[] = {{"tiles.csv", hlrp_sink_csv, 1}, {"tiles.geojson", hlrp_sink_geojson, 2}};
#if defined(__SANITIZE_ADDRESS__)
    skip();
#endif
    sink_test *t = *state;
    hlrp_error err = {0};
    int64_t tiles = USUAL_TILES;
    const char *asked = getenv("HLRP_TEST_TILES");
    if (asked)
        assert_true(hlrp_parse_int(asked, &tiles));
    assert_int_equal(hlrp_slide_open_memory(&t->source, &t->slide, &err), HLRP_OK);
    t->result = record_of(scratch_path(&t->files, "relevance.h5"), tiles);
    t->in = (hlrp_sink_input){.result = t->result, .slide = t->slide};
    for (size_t i = 0; i < HLRP_COUNT(tables); i++) {
        const char *path = scratch_path(&t->files, tables[i].name);
        struct stat file;
        const double began = hlrp_seconds();
        assert_int_equal(tables[i].sink(&t->in, path, &err), HLRP_OK);
        assert_int_equal(stat(path, &file), 0);
        printf("%s of %lld tiles: %.1f MB, memory %.1f MB at most, %.1f s\n", tables[i].name,
               (long long)tiles, (double)file.st_size / 1e6, (double)hlrp_peak_memory() / 1e6,
               hlrp_seconds() - began);
        assert_int_equal(lines_of(path), tiles + tables[i].other_lines);
        assert_true(hlrp_peak_memory() < 40000000); /* the whole program, whatever its tiles */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {SINK_TEST(tables_are_streamed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

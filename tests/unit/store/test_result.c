/* relevance.h5: what is written is what is read, by us and by others; what is damaged is refused.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/store.h"

enum { K = 2, C = 3, T = 5, W = 700, H = 150, ROWS = 3 };

static char folder[64], path[96], other[96];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/hlrp-result-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/relevance.h5", folder);
    snprintf(other, sizeof other, "%s/other.h5", folder);
    return 0;
}

/* Fails where anything but the two files is left: a temporary name, for instance. */
static int drop_folder(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

static const char *const PLANES[K] = {"tumor", "größe, \"x\""};
static const char *const CLASSES[C] = {"normal", "tumor", "größe, \"x\""};
static const hlrp_result_info INFO = {.map = {W, H},
                                      .slide = {W * 8 - 3, H * 8 - 5},
                                      .downsample = 8,
                                      .mpp = {0.25, 0.26},
                                      .tiles = T,
                                      .planes = K,
                                      .classes = C,
                                      .plane_names = PLANES,
                                      .class_names = CLASSES};

/* The value of every pixel; relevance and probability are NaN over a whole chunk and here and
 * there. */
static float value_at(hlrp_map_kind kind, int64_t plane, int64_t y, int64_t x) {
    const bool hole = (y >= 64 && y < 128 && x < 512) || (x + y) % 11 == 0;
    if (hole)
        return kind == HLRP_MAP_COVERAGE ? 0.0f : NAN;
    return (float)((double)(1 + plane) * sin((double)(x + 1000 * y) + (double)kind));
}

static void same_float(float a, float b) {
    assert_true(a == b || (isnan(a) && isnan(b)));
}

static int64_t planes_of(int kind) {
    return kind == HLRP_MAP_PROBABILITY ? C : kind == HLRP_MAP_SCORES ? 0 : K;
}

static void write_maps(hlrp_result_writer *w) {
    hlrp_error err = {0};
    float *rows = malloc(sizeof *rows * W * H);
    for (int kind = 0; kind < HLRP_MAP_COUNT; kind++)
        for (int64_t p = 0; p < planes_of(kind); p++) {
            for (int64_t i = 0; i < W * H; i++)
                rows[i] = value_at((hlrp_map_kind)kind, p, i / W, i % W);
            assert_int_equal(hlrp_result_write_rows(w, (hlrp_map_kind)kind, p, 0, 128, rows, &err),
                             HLRP_OK);
            assert_int_equal(hlrp_result_write_rows(w, (hlrp_map_kind)kind, p, 128, H - 128,
                                                    rows + 128 * W, &err),
                             HLRP_OK);
        }
    free(rows);
}

/* Tiles in two parts: number t has x = 100·t and, in column c of anything, t + c/8. */
static void write_tiles(hlrp_result_writer *w, int64_t first, int64_t count) {
    hlrp_error err = {0};
    int64_t x[T], small[T];
    float f[T * C];
    double d[T * K];
    int8_t agrees[T * K];
    uint8_t status[T];
    for (int64_t i = 0; i < count; i++) {
        x[i] = 100 * (first + i);
        small[i] = 64;
        status[i] = (uint8_t)((first + i) % 3);
        for (int c = 0; c < C; c++)
            f[i * C + c] = (float)(first + i) + (float)c / 8.0f;
        for (int k = 0; k < K; k++)
            d[i * K + k] = k == 1 && i == 0 ? NAN : (double)(first + i) + k / 8.0;
        for (int k = 0; k < K; k++)
            agrees[i * K + k] = (int8_t)((first + i + k) % 3 - 1);
    }
    const hlrp_tile_rows rows = {x, x, small, small, f, f, d, d, d, d, agrees, status, {NULL}};
    assert_int_equal(hlrp_result_write_tiles(w, first, count, &rows, &err), HLRP_OK);
}

static const char *const NODES[ROWS] = {"conv1", "/features/größe/Conv", ""};
static const double SHARE[ROWS] = {0.5, -1e-300, 1.0 / 3.0};
static const int64_t INDEX[ROWS] = {0, 1, INT64_C(1) << 40};

static void write_rest(hlrp_result_writer *w, const char *config) {
    hlrp_error err = {0};
    const hlrp_column columns[] = {{"node", HLRP_COLUMN_TEXT, NODES},
                                   {"relevance_in", HLRP_COLUMN_F64, SHARE},
                                   {"index", HLRP_COLUMN_I64, INDEX}};
    const double list[3] = {1.5, 2.5, NAN};
    assert_int_equal(hlrp_result_write_table(w, "/layers", columns, 3, ROWS, &err), HLRP_OK);
    assert_int_equal(hlrp_result_set_text(w, "/run", "config", "first", &err), HLRP_OK);
    assert_int_equal(hlrp_result_set_text(w, "/run", "config", config, &err), HLRP_OK);
    assert_int_equal(hlrp_result_set_f64(w, "/model", "mean", list, 3, &err), HLRP_OK);
    assert_int_equal(hlrp_result_set_text(w, "/nothing", "x", "y", &err), HLRP_E_INTERNAL);
}

static char *long_config(void) {
    char *text =
        malloc(200001); /* longer than an attribute may be that is not of variable length */
    memset(text, 'c', 200000);
    memcpy(text, "[tiles]\noverlap = 0 # µm\n", 26);
    text[200000] = '\0';
    return text;
}

static void write_file(const char *name) {
    hlrp_error err = {0};
    hlrp_result_writer *w = NULL;
    char *config = long_config();
    assert_int_equal(hlrp_result_create(name, &INFO, &w, &err), HLRP_OK);
    write_maps(w);
    write_tiles(w, 0, 2);
    write_tiles(w, 2, 3);
    write_rest(w, config);
    assert_false(hlrp_file_exists(name)); /* not before it is complete */
    assert_int_equal(hlrp_result_commit(w, &err), HLRP_OK);
    assert_true(hlrp_file_exists(name));
    free(config);
}

static hlrp_result *open_ok(const char *name) {
    hlrp_error err = {0};
    hlrp_result *r = NULL;
    const hlrp_status got = hlrp_result_open(name, &r, &err);
    if (got != HLRP_OK)
        fail_msg("%s", err.what);
    return r;
}

static void maps_come_back(void **state) {
    (void)state;
    hlrp_error err = {0};
    write_file(path);
    hlrp_result *r = open_ok(path);
    float *rows = malloc(sizeof *rows * W * H);
    for (int kind = 0; kind < HLRP_MAP_COUNT; kind++)
        for (int64_t p = 0; p < planes_of(kind); p++) {
            assert_int_equal(
                hlrp_result_read_rows(r, (hlrp_map_kind)kind, p, 10, H - 10, rows, &err), HLRP_OK);
            for (int64_t i = 0; i < W * (H - 10); i++)
                same_float(rows[i], value_at((hlrp_map_kind)kind, p, 10 + i / W, i % W));
        }
    assert_int_equal(hlrp_result_read_rows(r, HLRP_MAP_RELEVANCE, K, 0, 1, rows, &err),
                     HLRP_E_INTERNAL);
    assert_int_equal(hlrp_result_read_rows(r, HLRP_MAP_RELEVANCE, 0, H, 1, rows, &err),
                     HLRP_E_INTERNAL);
    free(rows);
    hlrp_result_close(r);
}

static void facts_come_back(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *text = NULL, *config = long_config();
    double mean[3] = {0};
    write_file(path);
    hlrp_result *r = open_ok(path);
    const hlrp_result_info *info = hlrp_result_facts(r);
    assert_int_equal(info->map.w, W);
    assert_int_equal(info->map.h, H);
    assert_int_equal(info->slide.w, INFO.slide.w);
    assert_int_equal(info->slide.h, INFO.slide.h);
    assert_int_equal(info->downsample, 8);
    assert_true(info->mpp.x == 0.25 && info->mpp.y == 0.26);
    assert_int_equal(info->tiles, T);
    for (int k = 0; k < K; k++)
        assert_string_equal(info->plane_names[k], PLANES[k]);
    for (int c = 0; c < C; c++)
        assert_string_equal(info->class_names[c], CLASSES[c]);
    assert_int_equal(hlrp_result_get_text(r, "/run", "config", &text, &err), HLRP_OK);
    assert_string_equal(text, config);
    free(text);
    assert_int_equal(hlrp_result_get_text(r, "/run", "nothing", &text, &err), HLRP_OK);
    assert_null(text);
    assert_int_equal(hlrp_result_get_text(r, "/", "format", &text, &err), HLRP_OK);
    assert_string_equal(text, "histolrp-relevance");
    free(text);
    assert_int_equal(hlrp_result_get_f64(r, "/model", "mean", mean, 3, &err), HLRP_OK);
    assert_true(mean[1] == 2.5 && isnan(mean[2]));
    assert_int_equal(hlrp_result_get_f64(r, "/model", "mean", mean, 2, &err), HLRP_E_INPUT);
    hlrp_result_close(r);
    free(config);
}

static void tiles_and_table_come_back(void **state) {
    (void)state;
    hlrp_error err = {0};
    double v[T * C], share[ROWS];
    int64_t rows = 0;
    hlrp_strings nodes = {0};
    write_file(path);
    hlrp_result *r = open_ok(path);
    assert_int_equal(hlrp_result_read_tiles(r, "logit", 1, 4, C, v, &err), HLRP_OK);
    for (int i = 0; i < 4 * C; i++)
        assert_true(v[i] == 1.0 + i / C + (i % C) / 8.0);
    assert_int_equal(hlrp_result_read_tiles(r, "relevance_outside", 0, T, K, v, &err), HLRP_OK);
    assert_true(isnan(v[1]) && isnan(v[5]) && v[3] == 1.125);
    assert_true(hlrp_result_has_agreement(r));
    assert_int_equal(hlrp_result_read_tiles(r, "relevance_abs", 2, 1, K, v, &err), HLRP_OK);
    assert_true(v[0] == 2 && isnan(v[1]));
    assert_int_equal(hlrp_result_read_tiles(r, "agrees", 0, T, K, v, &err), HLRP_OK);
    for (int i = 0; i < T * K; i++)
        assert_true(v[i] == (i / K + i % K) % 3 - 1);
    assert_int_equal(hlrp_result_read_tiles(r, "status", 0, T, 1, v, &err), HLRP_OK);
    assert_true(v[1] == 1.0 && v[2] == 2.0 && v[3] == 0.0);
    assert_int_equal(hlrp_result_read_tiles(r, "x", 0, T, 1, v, &err), HLRP_OK);
    assert_true(v[4] == 400.0);
    assert_int_equal(hlrp_result_read_tiles(r, "x", 1, T, 1, v, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_result_read_tiles(r, "logit", 0, T, K, v, &err), HLRP_E_INTERNAL);
    assert_int_equal(hlrp_result_table_rows(r, "/layers", &rows, &err), HLRP_OK);
    assert_int_equal(rows, ROWS);
    assert_int_equal(hlrp_result_table_f64(r, "/layers", "relevance_in", ROWS, share, &err),
                     HLRP_OK);
    assert_memory_equal(share, SHARE, sizeof share);
    assert_int_equal(hlrp_result_table_f64(r, "/layers", "index", ROWS, share, &err), HLRP_OK);
    assert_true(share[2] == (double)INDEX[2]);
    assert_int_equal(hlrp_result_table_text(r, "/layers", "node", &nodes, &err), HLRP_OK);
    for (int i = 0; i < ROWS; i++)
        assert_string_equal(nodes.items[i], NODES[i]);
    assert_int_equal(hlrp_result_table_f64(r, "/layers", "node", ROWS, share, &err), HLRP_E_INPUT);
    assert_int_equal(hlrp_result_table_f64(r, "/layers", "nope", ROWS, share, &err), HLRP_E_INPUT);
    assert_int_equal(hlrp_result_table_rows(r, "/coverage", &rows, &err), HLRP_E_INPUT);
    hlrp_strings_free(&nodes);
    hlrp_result_close(r);
}

/* No tissue at all: no tiles, nothing but fill values. */
static void without_tiles(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_result_writer *w = NULL;
    hlrp_result_info info = INFO;
    float row[W];
    info.tiles = 0;
    assert_int_equal(hlrp_result_create(path, &info, &w, &err), HLRP_OK);
    assert_int_equal(hlrp_result_commit(w, &err), HLRP_OK);
    hlrp_result *r = open_ok(path);
    assert_int_equal(hlrp_result_facts(r)->tiles, 0);
    assert_int_equal(hlrp_result_read_rows(r, HLRP_MAP_RELEVANCE, 1, H - 1, 1, row, &err), HLRP_OK);
    assert_true(isnan(row[0]) && isnan(row[W - 1]));
    assert_int_equal(hlrp_result_read_rows(r, HLRP_MAP_PROBABILITY, 1, 0, 1, row, &err), HLRP_OK);
    assert_true(isnan(row[0]));
    assert_int_equal(hlrp_result_read_rows(r, HLRP_MAP_COVERAGE, 1, 0, 1, row, &err), HLRP_OK);
    assert_true(row[0] == 0.0f);
    hlrp_result_close(r);
}

static void empty_chunks_are_known(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_chunk chunk;
    static float rows[64 * W];
    for (int i = 0; i < 64 * W; i++)
        rows[i] = i % W < 512 ? NAN : 0.0f;
    const hlrp_size map = {W, H};
    assert_int_equal(hlrp_chunk_pack(map, HLRP_MAP_RELEVANCE, rows, 64, 0, &chunk, &err), HLRP_OK);
    assert_true(chunk.empty && !chunk.bytes);
    assert_int_equal(hlrp_chunk_pack(map, HLRP_MAP_RELEVANCE, rows, 64, 1, &chunk, &err), HLRP_OK);
    assert_true(!chunk.empty && chunk.size > 0);
    free(chunk.bytes);
    assert_int_equal(hlrp_chunk_pack(map, HLRP_MAP_COVERAGE, rows, 64, 1, &chunk, &err), HLRP_OK);
    assert_true(chunk.empty);
    assert_int_equal(hlrp_chunk_pack(map, HLRP_MAP_COVERAGE, rows, 64, 2, &chunk, &err),
                     HLRP_E_INTERNAL);
    assert_int_equal(hlrp_chunk_pack(map, HLRP_MAP_COVERAGE, rows, 65, 0, &chunk, &err),
                     HLRP_E_INTERNAL);
}

/* A file of the same name stays as it was until the new one is complete. */
static void abort_leaves_nothing(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_result_writer *w = NULL;
    assert_int_equal(hlrp_write_file(path, "old", 3, &err), HLRP_OK);
    assert_int_equal(hlrp_result_create(path, &INFO, &w, &err), HLRP_OK);
    write_tiles(w, 0, 2);
    hlrp_result_abort(w);
    hlrp_result_abort(NULL);
    char *text = NULL;
    int64_t size = 0;
    assert_int_equal(hlrp_read_file(path, 100, &text, &size, &err), HLRP_OK);
    assert_string_equal(text, "old");
    free(text);
    assert_int_equal(hlrp_result_create("/nonexistent/x/r.h5", &INFO, &w, &err), HLRP_E_IO);
}

/* In a process of its own: libhdf5 may not be at its best after a failed write. */
static int full_disk_child(void) {
    hlrp_error err = {0};
    hlrp_result_writer *w = NULL;
    hlrp_status got = HLRP_OK;
    static float rows[64 * W];
    const struct rlimit tight = {20000, 20000};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    for (int i = 0; i < 64 * W; i++)
        rows[i] = (float)sin(i * 1.7);
    got = hlrp_result_create(path, &INFO, &w, &err);
    for (int y = 0; y < 2 && got == HLRP_OK; y++)
        got = hlrp_result_write_rows(w, HLRP_MAP_RELEVANCE, 0, 64 * y, 64, rows, &err);
    if (got == HLRP_OK) {
        got = hlrp_result_commit(w, &err);
    } else {
        hlrp_result_abort(w);
    }
    return got == HLRP_E_IO && strstr(err.where, "relevance.h5") && err.mend[0] &&
                   !hlrp_file_exists(path)
               ? 0
               : 1;
}

static void disk_full(void **state) {
    (void)state;
    const pid_t child = fork();
    if (child == 0)
        exit(full_disk_child()); /* with HDF5's own clean-up at exit, which must not fail either */
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
}

/* Cut short anywhere: an error that names the file, never a crash, never half a result. */
static void truncated(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *bytes = NULL;
    int64_t size = 0;
    write_file(path);
    assert_int_equal(hlrp_read_file(path, 1 << 26, &bytes, &size, &err), HLRP_OK);
    for (int64_t n = 0; n < size; n += 1 + size / 61) {
        hlrp_result *r = NULL;
        assert_int_equal(hlrp_write_file(other, bytes, (size_t)n, &err), HLRP_OK);
        assert_int_equal(hlrp_result_open(other, &r, &err), HLRP_E_INPUT);
        assert_null(r);
        assert_string_equal(err.where, other);
    }
    free(bytes);
}

/* Reads all of `other`: 0 where it was refused with a reason, or read. */
static int read_damaged(void) {
    hlrp_error err = {0};
    hlrp_result *r = NULL;
    hlrp_str text = {0};
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    alarm(2);
    const hlrp_status got = hlrp_result_open(other, &r, &err);
    if (got != HLRP_OK)
        return err.what[0] ? 0 : 1;
    const hlrp_result_info *info = hlrp_result_facts(r);
    if (info->map.w == W && info->map.h == H)
        (void)hlrp_result_describe(r, &text, &err);
    hlrp_str_free(&text);
    hlrp_result_close(r);
    return 0;
}

/* Bytes overwritten anywhere: refused or read, never a crash. libhdf5 1.10 itself can go round for
 * ever in a damaged heap of strings; that is counted, and ended by the alarm. */
static void overwritten(void **state) {
    (void)state;
    hlrp_error err = {0};
    char *bytes = NULL;
    int64_t size = 0;
    int stuck = 0, ended = 0;
    write_file(path);
    assert_int_equal(hlrp_read_file(path, 1 << 26, &bytes, &size, &err), HLRP_OK);
    for (int64_t n = 8; n < size; n += n < 20000 ? 997 : 1 + size / 25) {
        int how = 0;
        bytes[n] = (char)~bytes[n];
        assert_int_equal(hlrp_write_file(other, bytes, (size_t)size, &err), HLRP_OK);
        bytes[n] = (char)~bytes[n];
        const pid_t child = fork();
        if (child == 0)
            _exit(read_damaged());
        assert_int_equal(waitpid(child, &how, 0), child);
        if (WIFSIGNALED(how) && WTERMSIG(how) == SIGALRM)
            stuck++;
        else
            ended += WIFEXITED(how) && WEXITSTATUS(how) == 0 ? 1 : -1000;
    }
    assert_true(ended > 20 && stuck < 5);
    free(bytes);
}

static void foreign_files(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_result *r = NULL;
    assert_int_equal(hlrp_result_open("/nonexistent/r.h5", &r, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "no such file"));
    assert_int_equal(hlrp_write_file(path, "not HDF5", 8, &err), HLRP_OK);
    assert_int_equal(hlrp_result_open(path, &r, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "signature"));
    const hlrp_dims dims = {4, {1, 1, 2, 2}};
    hlrp_explain_writer *e = NULL; /* a file of ours, but of another kind */
    assert_int_equal(hlrp_explain_create(path, &dims, CLASSES, C, &e, &err), HLRP_OK);
    assert_int_equal(hlrp_explain_commit(e, &err), HLRP_OK);
    assert_int_equal(hlrp_result_open(path, &r, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "another kind"));
    hlrp_result_writer *w = NULL;
    const int64_t version = 2;
    assert_int_equal(hlrp_result_create(path, &INFO, &w, &err), HLRP_OK);
    assert_int_equal(hlrp_result_set_i64(w, "/", "format_version", &version, -1, &err), HLRP_OK);
    assert_int_equal(hlrp_result_commit(w, &err), HLRP_OK);
    assert_int_equal(hlrp_result_open(path, &r, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "version 2"));
    assert_null(r);
}

static void describes(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_str text = {0};
    write_file(path);
    hlrp_result *r = open_ok(path);
    assert_int_equal(hlrp_result_describe(r, &text, &err), HLRP_OK);
    assert_non_null(strstr(text.text, "700 × 150 pixels of 8 level-0 pixels"));
    assert_non_null(strstr(text.text, "tiles: 5, explained 2, gated 2, unreadable 1"));
    assert_non_null(strstr(text.text, "/relevance[tumor]: "));
    assert_non_null(strstr(text.text, "model.mean: 1.5, 2.5, nan"));
    hlrp_str_free(&text);
    hlrp_result_close(r);
}

/* Other people's readers see the same numbers: the chunks we packed ourselves above all. */
static void h5py_reads_it(void **state) {
    (void)state;
    if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
        print_message("skipped: no h5py\n");
        skip();
    }
    write_file(path);
    char command[2000];
    snprintf(command, sizeof command,
             "/usr/bin/python3 - '%s' <<'END'\n"
             "import h5py, numpy as np, sys\n"
             "f = h5py.File(sys.argv[1])\n"
             "assert f.attrs['format'] == 'histolrp-relevance' and f.attrs['format_version'] == 1\n"
             "r = f['relevance']\n"
             "assert r.shape == (2, 150, 700) and r.dtype == '<f4' and np.isnan(r.fillvalue)\n"
             "assert r.compression == 'gzip' and r.shuffle and r.chunks == (1, 64, 512)\n"
             "assert list(r.attrs['classes'])[0] == 'tumor' and r.attrs['downsample'] == 8\n"
             "y, x = np.mgrid[:150, :700]\n"
             "hole = ((y >= 64) & (y < 128) & (x < 512)) | ((x + y) %% 11 == 0)\n"
             "for k, name in enumerate(['relevance', 'coverage', 'probability']):\n"
             "    for p in range(f[name].shape[0]):\n"
             "        want = np.where(hole, 0 if k == 1 else np.nan,\n"
             "                        (1 + p) * np.sin((x + 1000.0 * y) + k))\n"
             "        assert np.allclose(f[name][p], want, 1e-6, 1e-6, True)\n"
             "assert r.id.get_num_chunks() == 10\n"
             "t = f['tiles']\n"
             "assert t['logit'].shape == (5, 3) and t['logit'][4, 2] == 4.25\n"
             "assert t['status'].dtype == 'u1' and t['x'].dtype == 'i8'\n"
             "assert t['agrees'].dtype == 'i1' and t['agrees'][3, 0] == -1\n"
             "assert t['relevance_abs'].dtype == 'f8' and t['relevance_abs'].shape == (5, 2)\n"
             "assert t['relevance_sum'].dtype == 'f8' and np.isnan(t['start'][0, 1])\n"
             "assert f['layers']['node'][1].decode() == '/features/größe/Conv'\n"
             "assert f['layers']['relevance_in'][0] == 0.5\n"
             "assert len(f['run'].attrs['config'].encode()) == 200000\n"
             "END\n",
             path);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "! command -v h5dump >/dev/null || h5dump '%s' > /dev/null",
             path);
    assert_int_equal(system(command), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(maps_come_back),
        TEST(facts_come_back),
        TEST(tiles_and_table_come_back),
        TEST(without_tiles),
        TEST(empty_chunks_are_known),
        TEST(abort_leaves_nothing),
        TEST(disk_full),
        TEST(truncated),
        TEST(overwritten),
        TEST(foreign_files),
        TEST(describes),
        TEST(h5py_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The journal: nothing whole is ever lost, nothing broken is ever taken for whole. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "batch/journal.h"

enum { C = 3, K = 2, T = 6, L = 4, W = 3, H = 2, D = 5 };

static const hlrp_journal_key KEY = {.text = "model = abc\ntiles.overlap = 0\nlrp.gamma = 0.25\n"
                                             "machine.processor = P\n",
                                     .classes = C,
                                     .planes = K,
                                     .tiles = T,
                                     .layer_values = L,
                                     .parts_max = W * H};

static char folder[64], path[96], other[96];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/hlrp-journal-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/journal", folder);
    snprintf(other, sizeof other, "%s/other", folder);
    return 0;
}

static int drop_folder(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    return rmdir(folder);
}

/* What tile t found, as arrays that live as long as the struct. */
typedef struct sample {
    double start[K], sum[K], outside[K], abs[K], layers[L], parts[K * W * H];
    float logit[C], probability[C];
    int32_t plane[K];
    hlrp_record result;
} sample;

static void fill(sample *s, int64_t t) {
    for (int i = 0; i < K * W * H; i++)
        s->parts[i] = (double)(100 * t + i) / 7.0;
    for (int k = 0; k < K; k++) {
        s->start[k] = (double)t + 0.5 * k;
        s->sum[k] = (double)t - k;
        s->outside[k] = 1e-300 * (double)t;
        s->abs[k] = 3 * (double)t + 0.25 * k;
        s->plane[k] = k;
    }
    for (int i = 0; i < L; i++)
        s->layers[i] = (double)(t * i);
    for (int c = 0; c < C; c++) {
        s->logit[c] = (float)t * 0.1f + (float)c;
        s->probability[c] = 1.0f / (float)(t + c + 1);
    }
    const bool gated = t % 3 == 2;
    s->result = (hlrp_record){.tile = t,
                              .status = gated ? HLRP_RECORD_GATED : HLRP_RECORD_EXPLAINED,
                              .x = 10 * t,
                              .y = t,
                              .w = gated ? 0 : W,
                              .h = gated ? 0 : H,
                              .explained = gated ? 0 : 1 + t % K,
                              .start = s->start,
                              .sum = s->sum,
                              .outside = s->outside,
                              .abs = s->abs,
                              .layers = s->layers,
                              .parts = s->parts,
                              .logit = s->logit,
                              .probability = s->probability,
                              .plane = s->plane};
}

static void append(hlrp_journal *j, int64_t tile) {
    hlrp_error err = {0};
    sample s;
    fill(&s, tile);
    assert_int_equal(hlrp_journal_append(j, &s.result, &err), HLRP_OK);
}

static void check_tile(const hlrp_journal *j, int64_t tile) {
    hlrp_error err = {0};
    hlrp_journal_buffer buffer = {0};
    hlrp_record r = {0};
    sample s;
    fill(&s, tile);
    assert_int_equal(hlrp_journal_read(j, tile, &buffer, &r, &err), HLRP_OK);
    assert_int_equal(r.tile, tile);
    assert_int_equal(r.status, s.result.status);
    assert_int_equal(r.x, s.result.x);
    assert_int_equal(r.y, s.result.y);
    assert_int_equal(r.w, s.result.w);
    assert_int_equal(r.h, s.result.h);
    assert_int_equal(r.explained, s.result.explained);
    assert_memory_equal(r.start, s.start, sizeof s.start);
    assert_memory_equal(r.sum, s.sum, sizeof s.sum);
    assert_memory_equal(r.outside, s.outside, sizeof s.outside);
    assert_memory_equal(r.abs, s.abs, sizeof s.abs);
    assert_memory_equal(r.layers, s.layers, sizeof s.layers);
    assert_memory_equal(r.logit, s.logit, sizeof s.logit);
    assert_memory_equal(r.probability, s.probability, sizeof s.probability);
    assert_memory_equal(r.parts, s.parts, (size_t)(r.explained * r.w * r.h) * sizeof(double));
    assert_memory_equal(r.plane, s.plane, (size_t)r.explained * sizeof(int32_t));
    hlrp_journal_buffer_free(&buffer);
}

static hlrp_journal *open_ok(const char *name) {
    hlrp_error err = {0};
    hlrp_journal *j = NULL;
    assert_int_equal(hlrp_journal_open(name, &KEY, &j, &err), HLRP_OK);
    return j;
}

static void close_ok(hlrp_journal *j) {
    hlrp_error err = {0};
    assert_int_equal(hlrp_journal_close(j, &err), HLRP_OK);
}

/* The bytes of a journal with tiles 0 … n−1; ends[i]: where record i−1 ends, ends[0] the header. */
static char *make_bytes(int64_t n, int64_t *size, int64_t *ends) {
    hlrp_error err = {0};
    struct stat info;
    char *bytes = NULL;
    unlink(path);
    hlrp_journal *j = open_ok(path);
    for (int64_t t = 0; t <= n; t++) {
        assert_int_equal(stat(path, &info), 0);
        ends[t] = info.st_size;
        if (t < n)
            append(j, t);
    }
    close_ok(j);
    assert_int_equal(hlrp_read_file(path, 1 << 20, &bytes, size, &err), HLRP_OK);
    assert_int_equal(*size, ends[n]);
    return bytes;
}

static void put_bytes(const char *bytes, int64_t size) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, bytes, (size_t)size) == size);
    close(fd);
}

static void round_trip(void **state) {
    (void)state;
    hlrp_journal *j = open_ok(path);
    const int order[] = {4, 0, 5, 2, 1};
    for (size_t i = 0; i < HLRP_COUNT(order); i++)
        append(j, order[i]);
    check_tile(j, 2); /* also while it is open for appending */
    close_ok(j);
    j = open_ok(path);
    hlrp_record_status st = HLRP_RECORD_UNREADABLE;
    for (size_t i = 0; i < HLRP_COUNT(order); i++)
        check_tile(j, order[i]);
    assert_false(hlrp_journal_has(j, 3, NULL));
    assert_false(hlrp_journal_has(j, -1, NULL));
    assert_false(hlrp_journal_has(j, T, NULL));
    assert_true(hlrp_journal_has(j, 2, &st));
    assert_int_equal(st, HLRP_RECORD_GATED);
    assert_int_equal(hlrp_journal_count(j, HLRP_RECORD_GATED), 2);
    assert_int_equal(hlrp_journal_count(j, HLRP_RECORD_EXPLAINED), 3);
    assert_int_equal(hlrp_journal_torn(j), 0);
    close_ok(j);
}

/* Killed after any byte: whole records survive, and going on gives the undisturbed file. */
static void torn_at_every_byte(void **state) {
    (void)state;
    int64_t size = 0, ends[T + 1] = {0};
    char *bytes = make_bytes(4, &size, ends);
    for (int64_t n = 0; n <= size; n++) {
        int64_t whole = 0, again = 0;
        put_bytes(bytes, n);
        while (whole < 4 && ends[whole + 1] <= n)
            whole++;
        hlrp_journal *j = open_ok(path);
        assert_int_equal(hlrp_journal_torn(j), n < ends[0] ? n : n - ends[whole]);
        for (int64_t t = 0; t < 4; t++) {
            assert_int_equal(hlrp_journal_has(j, t, NULL), t < whole);
            if (t < whole)
                check_tile(j, t);
            else
                append(j, t);
        }
        close_ok(j);
        hlrp_error err = {0};
        char *now = NULL;
        assert_int_equal(hlrp_read_file(path, 1 << 20, &now, &again, &err), HLRP_OK);
        assert_int_equal(again, size);
        assert_memory_equal(now, bytes, (size_t)size);
        free(now);
    }
    free(bytes);
}

/* A flipped byte anywhere: an error in the header, else records before it survive, none is wrong.
 */
static void flipped_at_every_byte(void **state) {
    (void)state;
    int64_t size = 0, ends[T + 1] = {0};
    char *bytes = make_bytes(3, &size, ends);
    for (int64_t n = 0; n < size; n++) {
        hlrp_error err = {0};
        hlrp_journal *j = NULL;
        bytes[n] ^= 0x10;
        put_bytes(bytes, size);
        const hlrp_status got = hlrp_journal_open(path, &KEY, &j, &err);
        if (n < ends[0]) {
            assert_int_equal(got, HLRP_E_INPUT);
            assert_null(j);
        } else {
            assert_int_equal(got, HLRP_OK);
            for (int64_t t = 0; t < 3; t++) {
                assert_int_equal(hlrp_journal_has(j, t, NULL), ends[t + 1] <= n);
                if (ends[t + 1] <= n)
                    check_tile(j, t);
            }
            close_ok(j);
        }
        bytes[n] ^= 0x10;
    }
    free(bytes);
}

/* Damage after opening is found by the second look at the checksum. */
static void damaged_behind_our_back(void **state) {
    (void)state;
    int64_t size = 0, ends[T + 1] = {0};
    free(make_bytes(2, &size, ends));
    hlrp_journal *j = open_ok(path);
    const int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "x", 1, ends[1] + 40), 1);
    close(fd);
    hlrp_error err = {0};
    hlrp_journal_buffer buffer = {0};
    hlrp_record r;
    check_tile(j, 0);
    assert_int_equal(hlrp_journal_read(j, 1, &buffer, &r, &err), HLRP_E_IO);
    assert_int_equal(hlrp_journal_read(j, 3, &buffer, &r, &err), HLRP_E_INPUT);
    hlrp_journal_buffer_free(&buffer);
    close_ok(j);
}

static void refuse(hlrp_journal_key key, const char *word) {
    hlrp_error err = {0};
    hlrp_journal *j = NULL;
    assert_int_equal(hlrp_journal_open(path, &key, &j, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, word));
    assert_non_null(strstr(err.where, "journal"));
    assert_null(j);
}

static void changed_key_is_refused_by_name(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_journal_key key = KEY;
    close_ok(open_ok(path));
    key.text = "model = abc\ntiles.overlap = 0.5\nlrp.gamma = 0.25\n";
    refuse(key, "it has 'tiles.overlap = 0', now it is 'tiles.overlap = 0.5'");
    key.text = "model = abc\ntiles.overlap = 0\n";
    refuse(key, "now it is 'nothing'");
    key = KEY;
    key.tiles = 7;
    refuse(key, "begun with 6 tiles, now there are 7");
    int64_t size = 0, ends[T + 1] = {0};
    char *bytes = make_bytes(1, &size, ends);
    bytes[12] =
        1; /* records of version 1 are shorter: read as of today they would be other numbers */
    put_bytes(bytes, size);
    free(bytes);
    refuse(KEY, "version 1, this program writes 3");
    put_bytes("PK\003\004 something else entirely, and longer than any header of ours is", 66);
    refuse(KEY, "no journal");
    put_bytes("PK", 2);
    refuse(KEY, "no journal");
    char *text = NULL;
    unlink(path);
    close_ok(open_ok(path));
    assert_int_equal(hlrp_journal_peek(path, &key, &text, &err), HLRP_OK);
    assert_string_equal(key.text, KEY.text);
    assert_int_equal(key.parts_max, KEY.parts_max);
    free(text);
    assert_int_equal(
        hlrp_journal_open("/nonexistent/x/journal", &KEY, &(hlrp_journal *){NULL}, &err),
        HLRP_E_IO);
}

/* Forward first, explained later: the later record is the tile's. */
static void later_record_counts(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_journal *j = open_ok(path);
    sample s;
    fill(&s, 0);
    s.result.status = HLRP_RECORD_FORWARD;
    s.result.explained = s.result.w = s.result.h = 0;
    assert_int_equal(hlrp_journal_append(j, &s.result, &err), HLRP_OK);
    assert_int_equal(hlrp_journal_count(j, HLRP_RECORD_FORWARD), 1);
    append(j, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(hlrp_journal_count(j, HLRP_RECORD_FORWARD), 0);
        assert_int_equal(hlrp_journal_count(j, HLRP_RECORD_EXPLAINED), 1);
        check_tile(j, 0);
        close_ok(j);
        j = open_ok(path);
    }
    close_ok(j);
}

static void shards_read_as_one(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_journal *j = open_ok(path);
    append(j, 0);
    append(j, 2);
    close_ok(j);
    j = open_ok(other);
    append(j, 1);
    append(j, 2);
    append(j, 3);
    close_ok(j);
    assert_int_equal(truncate(other, 700), 0); /* a torn tail is ignored, and left alone */
    struct stat info;
    const char *const paths[] = {path, other};
    assert_int_equal(hlrp_journal_open_read(paths, 2, &KEY, &j, &err), HLRP_OK);
    for (int64_t t = 0; t < 3; t++)
        check_tile(j, t);
    assert_false(hlrp_journal_has(j, 3, NULL));
    assert_int_equal(hlrp_journal_count(j, HLRP_RECORD_EXPLAINED), 2);
    assert_int_equal(hlrp_journal_count(j, HLRP_RECORD_GATED), 1);
    assert_true(hlrp_journal_torn(j) > 0);
    sample s;
    fill(&s, 4);
    assert_int_equal(hlrp_journal_append(j, &s.result, &err), HLRP_E_INTERNAL);
    close_ok(j);
    assert_int_equal(stat(other, &info), 0);
    assert_int_equal(info.st_size, 700);
}

/* No room: the call fails naming the file, the journal stays whole and takes the record later. */
static void disk_full(void **state) {
    (void)state;
    hlrp_error err = {0};
    struct stat info;
    hlrp_journal *j = open_ok(path);
    append(j, 0);
    assert_int_equal(stat(path, &info), 0);
    struct rlimit old, tight;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    tight = old;
    tight.rlim_cur = (rlim_t)info.st_size + 50;
    setrlimit(RLIMIT_FSIZE, &tight);
    sample s;
    fill(&s, 1);
    const hlrp_status got = hlrp_journal_append(j, &s.result, &err);
    setrlimit(RLIMIT_FSIZE, &old);
    signal(SIGXFSZ, handler);
    assert_int_equal(got, HLRP_E_IO);
    assert_string_equal(err.where, path);
    assert_non_null(strstr(err.what, strerror(EFBIG)));
    assert_false(hlrp_journal_has(j, 1, NULL));
    struct stat after;
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_size, info.st_size);
    append(j, 1);
    close_ok(j);
    j = open_ok(path);
    check_tile(j, 0);
    check_tile(j, 1);
    close_ok(j);
}

static void result_must_fit(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_journal *j = open_ok(path);
    sample s;
    fill(&s, 0);
    s.result.tile = T;
    assert_int_equal(hlrp_journal_append(j, &s.result, &err), HLRP_E_INTERNAL);
    fill(&s, 0);
    s.result.w = W + 1;
    assert_int_equal(hlrp_journal_append(j, &s.result, &err), HLRP_E_INTERNAL);
    fill(&s, 0);
    s.result.explained = K + 1;
    assert_int_equal(hlrp_journal_append(j, &s.result, &err), HLRP_E_INTERNAL);
    close_ok(j);
    hlrp_journal_key key = KEY;
    key.parts_max = INT64_MAX / 4;
    assert_int_equal(hlrp_journal_open(other, &key, &j, &err), HLRP_E_MEMORY);
}

/* Guards: --any-processor that lets other settings pass, or a refusal that hides the option. */
static void another_machine_is_refused_unless_allowed(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_journal *j = NULL;
    hlrp_journal_key key = KEY;
    close_ok(open_ok(path));
    key.text = "model = abc\ntiles.overlap = 0\nlrp.gamma = 0.25\nmachine.processor = Q\n";
    assert_int_equal(hlrp_journal_open(path, &key, &j, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "on another machine: it has 'machine.processor = P', now"));
    assert_non_null(strstr(err.mend, "--any-processor"));
    key.any_machine = true;
    assert_int_equal(hlrp_journal_open(path, &key, &j, &err), HLRP_OK);
    close_ok(j);
    key.text = "model = abc\ntiles.overlap = 0\nlrp.gamma = 0.5\nmachine.processor = Q\n";
    refuse(key,
           "begun with other settings: it has 'lrp.gamma = 0.25', now it is 'lrp.gamma = 0.5'");
}

static void one_writer_at_a_time(void **state) {
    (void)state;
    hlrp_error err = {0};
    hlrp_journal *j = open_ok(path), *second = NULL;
    assert_int_equal(hlrp_journal_open(path, &KEY, &second, &err), HLRP_E_BUSY);
    close_ok(j);
    close_ok(open_ok(path));
}

static void *append_some(void *arg) {
    hlrp_journal *j = arg;
    for (int64_t n = 0; n < 50; n++)
        for (int64_t t = 0; t < T; t++) {
            sample s;
            hlrp_error err = {0};
            fill(&s, t);
            if (hlrp_journal_append(j, &s.result, &err) != HLRP_OK)
                return arg;
        }
    return NULL;
}

static void appends_from_threads(void **state) {
    (void)state;
    pthread_t thread[4];
    hlrp_journal *j = open_ok(path);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, append_some, j), 0);
    for (int i = 0; i < 4; i++) {
        void *failed = NULL;
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    close_ok(j);
    j = open_ok(path);
    assert_int_equal(hlrp_journal_torn(j), 0);
    for (int64_t t = 0; t < T; t++)
        check_tile(j, t);
    close_ok(j);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)

/* Guards: features at another's place, of a tile that has none what the last one had. */
static void features_come_back(void **state) {
    (void)state;
    hlrp_journal_key key = KEY;
    key.features = D;
    hlrp_error err = {0};
    hlrp_journal_buffer buffer = {0};
    hlrp_journal *j = NULL;
    assert_int_equal(hlrp_journal_open(path, &key, &j, &err), HLRP_OK);
    for (int64_t t = T - 1; t >= 0; t--) {
        float features[D];
        sample s;
        fill(&s, t);
        for (int d = 0; d < D; d++)
            features[d] = (float)(10 * t + d) / 7;
        s.result.features = t == 3 ? NULL : features;
        assert_int_equal(hlrp_journal_append(j, &s.result, &err), HLRP_OK);
    }
    close_ok(j);
    const char *const paths[] = {path};
    assert_int_equal(hlrp_journal_open_read(paths, 1, &key, &j, &err), HLRP_OK);
    for (int64_t t = 0; t < T; t++) {
        hlrp_record r = {0};
        sample s;
        fill(&s, t);
        assert_int_equal(hlrp_journal_read(j, t, &buffer, &r, &err), HLRP_OK);
        assert_memory_equal(r.probability, s.probability, sizeof s.probability);
        assert_memory_equal(r.plane, s.plane, (size_t)r.explained * sizeof(int32_t));
        for (int d = 0; d < D; d++)
            assert_true(r.features[d] == (t == 3 ? 0 : (float)(10 * t + d) / 7));
    }
    close_ok(j);
    hlrp_journal_buffer_free(&buffer);
    /* Features of another encoder are another journal's. */
    key.features = D + 1;
    assert_int_equal(hlrp_journal_open(path, &key, &j, &err), HLRP_E_INPUT);
    assert_non_null(strstr(err.what, "features"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(round_trip),
        TEST(torn_at_every_byte),
        TEST(flipped_at_every_byte),
        TEST(damaged_behind_our_back),
        TEST(changed_key_is_refused_by_name),
        TEST(later_record_counts),
        TEST(shards_read_as_one),
        TEST(disk_full),
        TEST(result_must_fit),
        TEST(another_machine_is_refused_unless_allowed),
        TEST(one_writer_at_a_time),
        TEST(appends_from_threads),
        TEST(features_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

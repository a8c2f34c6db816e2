#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "batch/record.h"

#define MARK 0x44434552u /* "RECD" */
#define MOST (INT64_C(1) << 30)

/* The payload: 7 int64, then doubles, floats and int32 in that order, so that all stay aligned. */
enum { INTS = 7 };

static bool payload_size(const hlrp_journal_key *key, int64_t explained, int64_t window,
                         int64_t *bytes) {
    int64_t parts = 0, doubles = 0, floats = 0;
    if (key->classes < 1 || key->planes < 1 || key->layer_values < 0 || key->parts_max < 0 ||
        key->features < 0 || key->features > MOST || key->classes > MOST || key->planes > MOST ||
        key->layer_values > MOST || key->parts_max > MOST ||
        !hlrp_mul_size(explained, window, &parts) || parts > MOST)
        return false;
    doubles = INTS + 4 * key->planes + key->layer_values + parts;
    floats = 2 * key->classes + key->features + explained;
    *bytes = 8 * doubles + 4 * floats;
    return *bytes <= MOST;
}

hlrp_status hlrp_record_most(const hlrp_journal_key *key, int64_t *bytes, hlrp_error *err) {
    if (!payload_size(key, key->planes, key->parts_max, bytes))
        return hlrp_fail(err, HLRP_E_MEMORY, "journal",
                         "explain fewer classes, or use a larger map.downsample",
                         "a tile's record would exceed 1 GiB");
    *bytes += HLRP_RECORD_HEAD + HLRP_RECORD_TAIL;
    return HLRP_OK;
}

static bool fits(const hlrp_journal_key *key, const hlrp_record *r) {
    int64_t window = 0;
    return r->tile >= 0 && r->tile < key->tiles && r->status >= HLRP_RECORD_EXPLAINED &&
           r->status <= HLRP_RECORD_FORWARD && r->explained >= 0 && r->explained <= key->planes &&
           r->x >= 0 && r->y >= 0 && r->w >= 0 && r->h >= 0 && hlrp_mul_size(r->w, r->h, &window) &&
           window <= key->parts_max;
}

static unsigned char *put(unsigned char *to, const void *from, int64_t count, size_t size) {
    const size_t bytes = (size_t)count * size;
    if (from && bytes)
        memcpy(to, from, bytes);
    else
        memset(to, 0, bytes);
    return to + bytes;
}

hlrp_status hlrp_record_encode(const hlrp_journal_key *key, const hlrp_record *r, unsigned char *to,
                               int64_t *size, hlrp_error *err) {
    int64_t payload = 0;
    if (!fits(key, r) || !payload_size(key, r->explained, r->w * r->h, &payload))
        return hlrp_fail(err, HLRP_E_INTERNAL, "journal", NULL,
                         "the result of tile %lld does not fit its journal", (long long)r->tile);
    const uint32_t head[2] = {MARK, (uint32_t)payload};
    const int64_t ints[INTS] = {r->tile, r->status, r->x, r->y, r->w, r->h, r->explained};
    unsigned char *at = put(to, head, 2, 4);
    at = put(at, ints, INTS, 8);
    at = put(at, r->start, key->planes, 8);
    at = put(at, r->sum, key->planes, 8);
    at = put(at, r->outside, key->planes, 8);
    at = put(at, r->abs, key->planes, 8);
    at = put(at, r->layers, key->layer_values, 8);
    at = put(at, r->parts, r->explained * r->w * r->h, 8);
    at = put(at, r->logit, key->classes, 4);
    at = put(at, r->probability, key->classes, 4);
    at = put(at, r->features, key->features, 4);
    at = put(at, r->plane, r->explained, 4);
    const uint32_t crc = hlrp_crc32(0, to + 4, (size_t)payload + 4);
    put(at, &crc, 1, 4);
    *size = payload + HLRP_RECORD_HEAD + HLRP_RECORD_TAIL;
    return HLRP_OK;
}

int64_t hlrp_record_size(const unsigned char head[HLRP_RECORD_HEAD], int64_t most) {
    uint32_t words[2];
    memcpy(words, head, sizeof words);
    const int64_t size = (int64_t)words[1] + HLRP_RECORD_HEAD + HLRP_RECORD_TAIL;
    return words[0] == MARK && words[1] >= 8 * INTS && size <= most ? size : 0;
}

static const void *take(const unsigned char **at, int64_t count, size_t size) {
    const unsigned char *here = *at;
    *at += (size_t)count * size;
    return here;
}

bool hlrp_record_decode(const hlrp_journal_key *key, const unsigned char *record, int64_t size,
                        hlrp_record *r) {
    const unsigned char *at = record + HLRP_RECORD_HEAD;
    int64_t ints[INTS], payload = size - HLRP_RECORD_HEAD - HLRP_RECORD_TAIL, want = 0;
    uint32_t crc = 0;
    memcpy(&crc, at + payload, sizeof crc);
    if (crc != hlrp_crc32(0, record + 4, (size_t)payload + 4))
        return false;
    memcpy(ints, take(&at, INTS, 8), sizeof ints);
    if (ints[1] < HLRP_RECORD_EXPLAINED || ints[1] > HLRP_RECORD_FORWARD)
        return false;
    *r = (hlrp_record){.tile = ints[0],
                       .status = (hlrp_record_status)ints[1],
                       .x = ints[2],
                       .y = ints[3],
                       .w = ints[4],
                       .h = ints[5],
                       .explained = ints[6]};
    if (!fits(key, r) || !payload_size(key, r->explained, r->w * r->h, &want) || want != payload)
        return false;
    r->start = take(&at, key->planes, 8);
    r->sum = take(&at, key->planes, 8);
    r->outside = take(&at, key->planes, 8);
    r->abs = take(&at, key->planes, 8);
    r->layers = take(&at, key->layer_values, 8);
    r->parts = take(&at, r->explained * r->w * r->h, 8);
    r->logit = take(&at, key->classes, 4);
    r->probability = take(&at, key->classes, 4);
    r->features = take(&at, key->features, 4);
    const unsigned char *planes = take(&at, r->explained, 4);
    r->plane = (const int32_t *)(const void *)planes;
    for (int64_t k = 0; k < r->explained; k++) {
        int32_t plane = 0;
        memcpy(&plane, planes + 4 * k, sizeof plane);
        if (plane < 0 || plane >= key->planes)
            return false;
    }
    return true;
}

int64_t hlrp_pread_all(int fd, void *to, int64_t size, int64_t at) {
    int64_t done = 0;
    while (done < size) {
        const ssize_t n = pread(fd, (char *)to + done, (size_t)(size - done), (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += n;
    }
    return done;
}

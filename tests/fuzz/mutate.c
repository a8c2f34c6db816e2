/* The fuzz target on damaged copies of real files, the same ones every time: bytes flipped, numbers
 * made extreme, ends cut off, pieces doubled. Run it under the sanitizers.
 *
 * usage: mutate_WHAT ROUNDS FILE… (exit status 77: no file is there) */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
/* Where a target has a way of its own of damaging its files, every other round goes that way. */
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                                                     unsigned seed);

static uint64_t next(uint64_t *state) { /* xorshift64 */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Most of a file is weights: half of the damage goes to its ends, where the structure is. */
static size_t place(uint64_t *state, size_t size) {
    uint64_t r = next(state);
    size_t near = HLRP_MIN(size, 4096);
    if ((r & 1) == 0)
        return (size_t)(next(state) % size);
    return (r & 2) == 0 ? (size_t)(next(state) % near) : size - 1 - (size_t)(next(state) % near);
}

/* Damages a copy in `bytes` (room for 2·size); returns its size. */
static size_t mutate(uint8_t *bytes, size_t size, uint64_t *state) {
    static const uint8_t extreme[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    for (uint64_t edits = 1 + next(state) % 6; edits > 0; edits--) {
        size_t at = place(state, size), n = 0;
        switch (next(state) % 5) {
        case 0:
            bytes[at] ^= (uint8_t)(1U << next(state) % 8);
            break;
        case 1:
            bytes[at] = extreme[next(state) % sizeof extreme];
            break;
        case 2:
            memset(bytes + at, 0xff, HLRP_MIN(size - at, 9));
            break;
        case 3: /* a piece goes */
            n = 1 + (size_t)(next(state) % 64);
            n = HLRP_MIN(size - at, n);
            memmove(bytes + at, bytes + at + n, size - at - n);
            size -= HLRP_MIN(n, size - 1);
            break;
        default: /* the end goes, now and then */
            size = next(state) % 8 == 0 ? at + 1 : size;
        }
    }
    return size;
}

static bool run_file(const char *path, int64_t rounds) {
    hlrp_error err = {0};
    char *bytes = NULL;
    uint8_t *copy = NULL;
    int64_t size = 0;
    uint64_t state = UINT64_C(0x2545f4914f6cdd1d);
    bool found = hlrp_read_file(path, 1 << 26, &bytes, &size, &err) == HLRP_OK && size > 0;
    if (found) /* as it is: it may be one that was once too much */
        LLVMFuzzerTestOneInput((const uint8_t *)bytes, (size_t)size);
    for (int64_t k = 0; found && k < rounds; k++) {
        /* of the damaged size exactly, so that reading past its end is seen */
        const size_t room = (size_t)size + 4096;
        uint8_t *work = malloc(room);
        if (work == NULL)
            abort();
        memcpy(work, bytes, (size_t)size);
        size_t n = LLVMFuzzerCustomMutator && k % 2 == 0
                       ? LLVMFuzzerCustomMutator(work, (size_t)size, room, (unsigned)next(&state))
                       : mutate(work, (size_t)size, &state);
        copy = malloc(n);
        if (copy == NULL)
            abort();
        memcpy(copy, work, n);
        LLVMFuzzerTestOneInput(copy, n);
        free(copy);
        free(work);
    }
    free(bytes);
    return found;
}

int main(int argc, char **argv) {
    int64_t rounds = 0;
    int files = 0;
    if (argc < 3 || !hlrp_parse_int(argv[1], &rounds))
        return 2;
    for (int k = 2; k < argc; k++)
        files += run_file(argv[k], rounds);
    printf("%d files, %lld rounds each\n", files, (long long)rounds);
    return files > 0 ? 0 : 77;
}

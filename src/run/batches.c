#include "run/batches.h"

#include "geometry/geometry.h"

static bool has(const hlrp_batches *b, int64_t tile, hlrp_record_status wanted) {
    hlrp_record_status status;
    return hlrp_journal_has(b->journal, tile, &status) && status == wanted;
}

static void add(hlrp_batches *b, int64_t tile) {
    b->places[b->count++] = tile;
}

/* The disk or the network may be well by now, or the file mended. */
static bool is_seen(const hlrp_batches *b, int64_t tile) {
    return hlrp_journal_has(b->journal, tile, NULL) &&
           !(b->retry && has(b, tile, HLRP_RECORD_UNREADABLE));
}

void hlrp_batches_unseen(hlrp_batches *b) {
    b->count = 0;
    for (int64_t first = b->from; first < b->to; first += b->n) {
        const int64_t end = HLRP_MIN(first + b->n, b->to);
        bool seen = true;
        for (int64_t t = first; t < end; t++)
            seen = seen && is_seen(b, t);
        for (int64_t t = first; !seen && t < end; t++)
            add(b, t);
    }
}

bool hlrp_batches_put_off(int64_t passed, int64_t count) {
    return passed > 0 && 4 * passed < 3 * count;
}

/* Drops the micro-batch that begins at `first` if nothing of it is left to explain. */
static void drop_explained(hlrp_batches *b, int64_t first) {
    for (int64_t i = first; i < b->count; i++)
        if (has(b, b->places[i], HLRP_RECORD_FORWARD))
            return;
    b->count = first;
}

/* Micro-batches stay the same, whatever of them was explained since. */
void hlrp_batches_later(hlrp_batches *b) {
    int64_t first = 0; /* of the micro-batch that is being filled */
    b->count = 0;
    for (int64_t start = b->from; start < b->to; start += b->n) {
        const int64_t end = HLRP_MIN(start + b->n, b->to);
        int64_t passed = 0;
        for (int64_t t = start; t < end; t++)
            passed += has(b, t, HLRP_RECORD_EXPLAINED) || has(b, t, HLRP_RECORD_FORWARD);
        for (int64_t t = start; hlrp_batches_put_off(passed, end - start) && t < end; t++) {
            if (!has(b, t, HLRP_RECORD_EXPLAINED) && !has(b, t, HLRP_RECORD_FORWARD))
                continue;
            add(b, t);
            if (b->count - first < b->n)
                continue;
            drop_explained(b, first);
            first = b->count;
        }
    }
    drop_explained(b, first);
}

void hlrp_batches_wanted(hlrp_batches *b, const bool *wanted, bool value) {
    b->count = 0;
    for (int64_t t = b->from; t < b->to; t++)
        if (wanted[t] == value && !hlrp_journal_has(b->journal, t, NULL))
            add(b, t);
}

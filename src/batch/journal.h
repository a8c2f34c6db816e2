/* The journal: what the compute phase found, a checksummed record per tile, appended in whatever
 * order tiles finish. A run that dies loses at most the records under way; a rerun continues where
 * the last whole record ends. Several journals (shards) of one key read as one.
 *
 * File, in the machine's byte order (little-endian; another is refused):
 *     header  "HLRPJNL1", u32 byte-order mark 0x01020304, u32 version, i64 classes, planes, tiles,
 *             layer_values, parts_max, features, i64 length of key text, key text, u32 crc32 of all before
 *     record  u32 'RECD', u32 payload length, payload, u32 crc32 of length and payload
 *     payload i64 tile, status, x, y, w, h, explained; then f64 start[K], sum[K], outside[K],
 *             abs[K], layers[layer_values], parts[explained][h·w]; f32 logit[C], probability[C],
 *             features[features]; i32 plane[explained]
 * Nothing in it tells which thread wrote it, or when.
 *
 * A record reaches the kernel before append returns (it survives the process), the disk at sync and
 * close (it survives the machine). Appending is thread-safe (a mutex inside), reading with a buffer
 * of one's own is too, both at once are not promised. Of two records of one tile the later counts;
 * of two journals the earlier in the list does. */
#ifndef HLRP_JOURNAL_H
#define HLRP_JOURNAL_H

#include "util/util.h"

/* What every record of a journal has in common. */
typedef struct hlrp_journal_key {
    const char *text; /* canonical result key: lines "name = value" of all that decides results */
    int64_t classes;  /* C ≥ 1 */
    int64_t planes;   /* K ≥ 1 */
    int64_t tiles;    /* T: tiles are 0 … T−1, in tile order */
    int64_t layer_values; /* doubles of the account per record, ≥ 0 */
    int64_t parts_max;    /* map pixels of the largest window: hlrp_pool_capacity */
    int64_t features;     /* floats that an encoder makes of a tile, ≥ 0 */
    bool any_machine;     /* journals whose key differs in its machine's lines alone will do, too */
} hlrp_journal_key;

/* Lines of a key that begin so say which machine computed: its processor and its libraries. */
#define HLRP_KEY_MACHINE "machine."

/* A key's text without those lines, the caller's to free. */
hlrp_status hlrp_key_portable(const char *text, char **out, hlrp_error *err);

/* The first three are /tiles/status. */
typedef enum hlrp_record_status {
    HLRP_RECORD_EXPLAINED = 0,
    HLRP_RECORD_GATED = 1,
    HLRP_RECORD_UNREADABLE = 2,
    HLRP_RECORD_FORWARD =
        3 /* passed the gate, relevance still to come: a later record replaces it */
} hlrp_record_status;

/* One tile. On append all pointers are the caller's; from a read they point into the buffer. Planes
 * that are not explained hold NaN in start, sum, outside and abs (the caller's task). */
typedef struct hlrp_record {
    int64_t tile;
    hlrp_record_status status;
    int64_t x, y, w, h; /* window in map pixels; w·h ≤ parts_max; 0 where nothing is explained */
    int64_t explained;  /* number of planes that have parts, 0 … K */
    const double *start;      /* [K] */
    const double *sum;        /* [K] */
    const double *outside;    /* [K] */
    const double *abs;        /* [K]: Σ|relevance of a pixel|, padding with it */
    const double *layers;     /* [layer_values]; NULL counts as zeros on append */
    const double *parts;      /* [explained][h][w] */
    const float *logit;       /* [C] */
    const float *probability; /* [C] */
    const float *features;    /* [features] of the key; NULL counts as zeros on append */
    const int32_t *plane;     /* [explained], ascending */
} hlrp_record;

typedef struct hlrp_journal hlrp_journal;

/* Creates the journal, or reopens it to go on: a torn tail (anything after the last whole record)
 * is cut off. HLRP_E_INPUT where the file is of another key, naming the first line that differs, or
 * is no journal; HLRP_E_BUSY where another process has it open for appending; HLRP_E_IO. */
hlrp_status hlrp_journal_open(const char *path, const hlrp_journal_key *key, hlrp_journal **out,
                              hlrp_error *err);

/* Opens `count` journals for reading as one; nothing on disk is changed, a torn tail is ignored. */
hlrp_status hlrp_journal_open_read(const char *const *paths, int64_t count,
                                   const hlrp_journal_key *key, hlrp_journal **out,
                                   hlrp_error *err);

/* The key of the journal in `path` (for merge and inspect): numbers in *key, whose text points to
 * *text, the caller's to free. */
hlrp_status hlrp_journal_peek(const char *path, hlrp_journal_key *key, char **text,
                              hlrp_error *err);

/* Bytes that opening had to cut off or ignore: worth a line in the log where not 0. */
int64_t hlrp_journal_torn(const hlrp_journal *journal);

/* Whether there is a record of the tile, and its status in *status (may be NULL). A tile outside
 * 0 … T−1 has none. */
bool hlrp_journal_has(const hlrp_journal *journal, int64_t tile, hlrp_record_status *status);

/* Tiles with a record of this status. */
int64_t hlrp_journal_count(const hlrp_journal *journal, hlrp_record_status status);

/* Appends one record, whole or not at all: a failed write (disk full) is undone, HLRP_E_IO names
 * path and reason. HLRP_E_INTERNAL where the result does not fit the key. */
hlrp_status hlrp_journal_append(hlrp_journal *journal, const hlrp_record *result, hlrp_error *err);

/* Makes all appended records durable (fdatasync). */
hlrp_status hlrp_journal_sync(hlrp_journal *journal, hlrp_error *err);

/* A reusable buffer for reading, one per thread. Zero-initialise. */
typedef struct hlrp_journal_buffer {
    double *bytes; /* aligned for all arrays of a record */
    int64_t capacity;
} hlrp_journal_buffer;
void hlrp_journal_buffer_free(hlrp_journal_buffer *buffer);

/* The tile's record, checked against its checksum again. *result is valid until the buffer's next
 * use. HLRP_E_INPUT where there is none, HLRP_E_IO where it cannot be read any more. */
hlrp_status hlrp_journal_read(const hlrp_journal *journal, int64_t tile,
                              hlrp_journal_buffer *buffer, hlrp_record *result, hlrp_error *err);

/* Syncs what was appended, closes and frees; frees also where it fails. NULL is fine. */
hlrp_status hlrp_journal_close(hlrp_journal *journal, hlrp_error *err);

#endif

/* Where each slide of a batch stands: status.json in its folder, batch.csv over all of them. */
#ifndef HLRP_BATCH_PROGRESS_H
#define HLRP_BATCH_PROGRESS_H

#include "util/util.h"

typedef enum hlrp_state {
    HLRP_STATE_PENDING,
    HLRP_STATE_RUNNING,
    HLRP_STATE_COMPLETE,
    HLRP_STATE_EMPTY, /* complete without a tile to look at */
    HLRP_STATE_FAILED,
    HLRP_STATE_INTERRUPTED,
    HLRP_STATE_ELSEWHERE, /* another run holds it */
    HLRP_STATE_COUNT
} hlrp_state;

/* "complete", "running elsewhere", … */
const char *hlrp_state_name(hlrp_state state);

/* All that status.json says and batch.csv lists of a slide. Zero-initialise; longer text is cut. */
typedef struct hlrp_slide_progress {
    char slide[4096]; /* path as in the list */
    hlrp_state state;
    char reason[1600]; /* of a failure or of waiting; else empty */
    int64_t tiles, done, explained, gated, unreadable;
    int64_t warnings; /* what was warned of: run.json and report.html say it */
    /* Whether the map agrees with the network, over all explained classes (store/agreement.h); unknown
     * unless `compared`: an empty cell in batch.csv, null in status.json */
    bool compared;
    int64_t disagree;            /* tiles whose map has the other sign than their start */
    double disagree_share;       /* of those that have a sign */
    double relevance_over_start; /* median of Σ|relevance| / |start| */
    /* The slide's class and its probability, where the slide has one score of all its tiles: `scored`.
     * Else an empty cell, and "" and null. */
    bool scored;
    char class[256];
    double score;
    double rate;                   /* tiles per second */
    double eta;                    /* seconds to go, negative where unknown */
    double seconds;                /* spent computing, over all runs of the slide */
    char started[32], updated[32]; /* UTC, ISO 8601 */
    bool unsaved;                  /* not in the files: this could not be written to status.json */
} hlrp_slide_progress;

/* status.json, replaced atomically. One flat JSON object with the names above. */
hlrp_status hlrp_progress_write(const char *path, const hlrp_slide_progress *progress,
                                hlrp_error *err);

/* The same object on one line, appended to out, without its end of line. */
void hlrp_progress_json(const hlrp_slide_progress *progress, hlrp_str *out);

/* Reads it back; unknown members are skipped. HLRP_E_INPUT where it is no such file. */
hlrp_status hlrp_progress_read(const char *path, hlrp_slide_progress *progress, hlrp_error *err);

/* Takes over what earlier runs of the slide spent, and how fast they were, from their status.json;
 * nothing where there is none. */
void hlrp_progress_recall(const char *path, hlrp_slide_progress *progress);

/* The text member `name` of a flat JSON object, such as run.json, in *out, the caller's to free;
 * HLRP_E_INPUT, naming `path`, where there is none. */
hlrp_status hlrp_json_text(const char *json, const char *name, const char *path, char **out,
                           hlrp_error *err);

/* What a report says of a slide from its folder alone: pending without status.json; "running" is
 * running elsewhere while `lock` (a path, see lock.h) is held, else interrupted. `slide` is the
 * path in the list, or NULL to take the one in the file. */
hlrp_status hlrp_progress_collect(const char *folder, const char *lock, double lock_timeout,
                                  const char *slide, hlrp_slide_progress *progress,
                                  hlrp_error *err);

/* batch.csv (RFC 4180, UTF-8, a header line), rows in the order given, replaced atomically. Cells
 * that a spreadsheet would run as a formula get a leading apostrophe. */
hlrp_status hlrp_batch_csv_write(const char *path, const hlrp_slide_progress *rows, int64_t count,
                                 hlrp_error *err);

#endif

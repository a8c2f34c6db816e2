/* The folders of slides below an output folder: which there are, who works in one, and a slide's folder
 * while a run works in it. */
#ifndef HLRP_RUN_FOLDER_H
#define HLRP_RUN_FOLDER_H

#include <histolrp/run.h>

#include "batch/lock.h"
#include "batch/progress.h"
#include "run/warnings.h"

/* ---- from outside ---- */

/* Names in a folder that begin with `prefix`, sorted bytewise. *out is zero-initialised, the caller frees
 * it, also where this fails. */
hlrp_status hlrp_folder_names(const char *path, const char *prefix, hlrp_strings *out,
                              hlrp_error *err);

/* The names of the folders below `output` that hold the file `name`, sorted bytewise; *out is
 * zero-initialised, the caller frees it. */
hlrp_status hlrp_slide_folders(const char *output, const char *name, hlrp_strings *out,
                               hlrp_error *err);

/* The file `name` in the folder of a slide; the caller's to free. */
hlrp_status hlrp_slide_file(const char *output, const char *slide, const char *name, char **path,
                            hlrp_error *err);

/* Seconds without a heartbeat after which another run may take a lock over. */
#define HLRP_LOCK_TIMEOUT 600.0

/* Whether anybody works in a slide's folder: on all of it, or on a shard; who, as hlrp_lock_held.
 * except: name of the caller's own lock, or NULL. */
bool hlrp_slide_is_held(const char *folder, const char *except, char who[256]);

/* ---- from inside ---- */

/* Set the first two, zero the rest; hlrp_slide_folder_close releases it. */
typedef struct hlrp_slide_folder {
    const hlrp_run_options *options; /* both borrowed */
    hlrp_slide_progress *where;      /* what status.json says */
    char *path;
    hlrp_warnings *warnings;
    const hlrp_log *log; /* whatever is said to it as a warning is kept */
    bool keeps_warnings; /* in the folder */
    hlrp_lock *lock;
    double began, written, told; /* seconds: this run; status.json; the last event */
    hlrp_state told_state;
} hlrp_slide_folder;

/* Names the folder, which need not be there, and begins to listen. */
hlrp_status hlrp_slide_folder_begin(hlrp_slide_folder *f, const char *output, const char *slide,
                                    hlrp_error *err);
/* One run at a time works here; only shards of the slide may share it. Makes the folder, takes its lock,
 * and removes what a run that was killed left under temporary names. HLRP_E_BUSY. */
hlrp_status hlrp_slide_folder_take(hlrp_slide_folder *f, hlrp_error *err);
/* Removes the journals of a complete slide, those of shards too. */
hlrp_status hlrp_slide_folder_clear(const hlrp_slide_folder *f, hlrp_error *err);
/* Lets go. Where the slide is this run's, status.json says before how it ended, unless it was only
 * looked at (`quietly`). */
void hlrp_slide_folder_close(hlrp_slide_folder *f, bool quietly);

/* FOLDER/name, of a shard FOLDER/name-I-of-N; the caller's to free. Shards have journals and locks of
 * their own: they run at the same time, on several machines. */
hlrp_status hlrp_slide_folder_own_path(const hlrp_slide_folder *f, const char *name, char **out,
                                       hlrp_error *err);
hlrp_status hlrp_slide_folder_remove(const hlrp_slide_folder *f, const char *name, hlrp_error *err);
/* Writes a file whole; HLRP_E_MEMORY where its text has failed, HLRP_E_BUSY where the lock is lost. */
hlrp_status hlrp_slide_folder_write(const hlrp_slide_folder *f, const char *name,
                                    const hlrp_str *text, hlrp_error *err);

/* ---- status.json (status.c) ---- */

/* From here on the slide is running; what earlier runs of it spent, and how fast they were, counts on. */
hlrp_status hlrp_slide_folder_start(hlrp_slide_folder *f, hlrp_error *err);
/* Every few seconds, where the slide is running and this run's. */
void hlrp_slide_folder_beat(hlrp_slide_folder *f);
/* Between two steps that take a while: HLRP_E_INTERRUPTED where the run is asked to stop, HLRP_E_BUSY
 * where it has lost its lock. status.json says that it is at `what`, such as "overlay.tif". */
hlrp_status hlrp_slide_folder_go_on(hlrp_slide_folder *f, const char *what, hlrp_error *err);
hlrp_status hlrp_slide_folder_write_status(hlrp_slide_folder *f, hlrp_error *err);

#endif

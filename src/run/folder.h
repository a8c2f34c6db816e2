/* The folders of slides below an output folder: which there are, and who works in one. */
#ifndef HLRP_RUN_FOLDER_H
#define HLRP_RUN_FOLDER_H

#include "util/util.h"

/* The names of the folders below `output` that hold the file `name`, sorted bytewise; *out is
 * zero-initialised, the caller frees it. */
hlrp_status hlrp_slide_folders(const char *output, const char *name, hlrp_strings *out,
                               hlrp_error *err);

/* Seconds without a heartbeat after which another run may take a lock over. */
#define HLRP_LOCK_TIMEOUT 600.0

/* Whether anybody works in a slide's folder: on all of it, or on a shard; who, as hlrp_lock_held.
 * except: name of the caller's own lock, or NULL. */
bool hlrp_slide_is_held(const char *folder, const char *except, char who[256]);

#endif

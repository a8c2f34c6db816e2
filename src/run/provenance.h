/* run.json: what was done with a slide, and with what. */
#ifndef HLRP_RUN_PROVENANCE_H
#define HLRP_RUN_PROVENANCE_H

#include "run/folder.h"

/* A member: text, or JSON as it is to stand there, or else a number. */
typedef struct hlrp_fact {
    const char *name, *text, *json;
    double number;
} hlrp_fact;

/* Writes them in this order. */
hlrp_status hlrp_provenance_write(const hlrp_slide_folder *f, const hlrp_fact *facts, int64_t count,
                                  hlrp_error *err);

/* Whether there is a run.json that tells of a whole run: a shard leaves one that says how it was begun. */
bool hlrp_provenance_is_whole(const hlrp_slide_folder *f);

/* The text `name` of a folder's run.json; the caller's to free. */
hlrp_status hlrp_provenance_text(const char *folder, const char *name, char **out, hlrp_error *err);

/* "outcome" of a run that is not done. */
#define HLRP_OUTCOME_BEGUN "begun"

#endif

/* What earlier runs left in a slide's folder, and whether this run may go on with it: results and
 * journals hold the key, all that decides the numbers, as text of one "name = value" a line. */
#ifndef HLRP_RUN_EARLIER_H
#define HLRP_RUN_EARLIER_H

#include "run/folder.h"

/* --force: removes result and journal, and the mark of what the outputs were made with. */
hlrp_status hlrp_earlier_forget(const hlrp_slide_folder *f, hlrp_error *err);

/* Takes over the key that journals or, where none is left, the result were made with, if *key differs
 * from it in nothing but the machine. */
hlrp_status hlrp_earlier_adopt(const hlrp_slide_folder *f, char **key, hlrp_error *err);

/* Whether relevance.h5 is there already, from the same key, and then what became of its tiles, in
 * f->where. Another key is refused, but for another machine's: nothing of a complete result is computed
 * again. */
hlrp_status hlrp_earlier_result(const hlrp_slide_folder *f, const char *key, bool *complete,
                                hlrp_error *err);

/* The highest probability of a class over all tiles of relevance.h5; NaN where it cannot be read. */
double hlrp_earlier_highest(const hlrp_slide_folder *f, int64_t class);

#endif

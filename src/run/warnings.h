/* What a slide's run warns of, kept with the slide: FOLDER/.warnings, from which run.json, batch.csv
 * and report.html have it. Whatever code logs as a warning is kept, none has to do it itself. */
#ifndef HLRP_WARNINGS_H
#define HLRP_WARNINGS_H

#include "util/util.h"

typedef struct hlrp_warnings hlrp_warnings;

/* Listens: what is said to hlrp_warnings_log goes on to `log` (borrowed, may be NULL), and warnings
 * are kept besides, also where `log` does not want them. `slide` is the path that they begin with.
 */
hlrp_status hlrp_warnings_new(const hlrp_log *log, const char *slide, hlrp_warnings **out,
                              hlrp_error *err);
void hlrp_warnings_free(hlrp_warnings *warnings); /* NULL is fine */

/* The log to hand out; borrowed. Any thread may write to it. */
const hlrp_log *hlrp_warnings_log(const hlrp_warnings *warnings);

/* From now on they are in the folder as soon as they are said. What earlier runs left there stays if
 * it was said while tiles were computed or outputs made, as that is not done again; `anew` forgets it
 * all. `shared`: shards of the slide may write beside. */
hlrp_status hlrp_warnings_keep(hlrp_warnings *warnings, const char *folder, bool anew, bool shared,
                               hlrp_error *err);

/* Outputs are made again: forgets what was said of earlier ones. */
hlrp_status hlrp_warnings_of_outputs(hlrp_warnings *warnings, hlrp_error *err);

int64_t hlrp_warnings_count(hlrp_warnings *warnings);

/* The texts as a JSON array. */
void hlrp_warnings_json(const hlrp_warnings *warnings, hlrp_str *out);

/* The texts in a slide's folder, each once; none where there is no file. */
hlrp_status hlrp_warnings_read(const char *folder, hlrp_strings *out, hlrp_error *err);

#endif

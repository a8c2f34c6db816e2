/* Text files written bit by bit, and numbers as text. */
#ifndef HLRP_SINK_TEXT_H
#define HLRP_SINK_TEXT_H

#include "util/util.h"

/* A file under a temporary name. Fill `pending` freely and flush now and then. Zero-initialise. */
typedef struct hlrp_text {
    hlrp_atomic file;
    FILE *stream;
    hlrp_str pending;
} hlrp_text;

hlrp_status hlrp_text_open(hlrp_text *text, const char *path, hlrp_error *err);
/* Writes what is pending; HLRP_E_IO, or HLRP_E_MEMORY where an append had failed. */
hlrp_status hlrp_text_flush(hlrp_text *text, hlrp_error *err);
/* Flushes and gives the file its name. */
hlrp_status hlrp_text_commit(hlrp_text *text, hlrp_error *err);
/* Drops the file unless it was committed; frees. Also for one that was never opened. */
void hlrp_text_close(hlrp_text *text);

/* The shortest decimal that reads back as the same float (or double), with a point whatever the
 * locale. Nothing for NaN and infinities; returns whether something was added. */
bool hlrp_text_float(hlrp_str *s, float value);
bool hlrp_text_double(hlrp_str *s, double value);

#endif

/* Reading reference vectors: arrays and attributes of vectors.h5, and rules as text. All stop the program
 * where the file is not as it should be. */
#ifndef VECTORS_H
#define VECTORS_H

#include <hdf5.h>
#include <jansson.h>

#include "util/util.h"

/* The caller's to free; dims [4] are 0 past the last axis. */
float *vectors_read_floats(hid_t file, const char *name, hsize_t dims[4]);
char *vectors_read_text(hid_t object, const char *name);
double vectors_read_number(hid_t object, const char *name);

/* A rule of the JSON table as [rules] writes it. */
void vectors_rule_line(const json_t *rule, char *text, size_t size);

bool vectors_has_file(const char *folder, const char *name);
void vectors_stop(const char *where, const hlrp_error *err) __attribute__((noreturn));

#endif

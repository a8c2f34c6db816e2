/* An INI file as a flat list of settings in the file's order. The only user of libini-config. */
#ifndef HLRP_CONFIG_INI_H
#define HLRP_CONFIG_INI_H

#include "util/util.h"

typedef struct hlrp_setting {
    char *section, *key, *value; /* value without blanks around it */
    int line;                    /* from 1; 0: given on the command line */
} hlrp_setting;

typedef struct hlrp_settings {
    hlrp_setting *items;
    int64_t count, capacity;
} hlrp_settings;

/* Reads path into *out (zero-initialised by the caller, freed with hlrp_settings_free also after an
 * error). A section without keys is one setting with an empty key. Continuation lines are joined
 * with a blank. HLRP_E_CONFIG names the line for: no '=', no ']', a key or a section given twice, a
 * key before the first section, text that is not UTF-8; also where the file cannot be read or has
 * over 16 MiB. */
hlrp_status hlrp_ini_read(const char *path, hlrp_settings *out, hlrp_error *err);

/* The same for a text in memory of size bytes (and a NUL behind them); name is for messages. */
hlrp_status hlrp_ini_parse(const char *name, const char *text, int64_t size, hlrp_settings *out,
                           hlrp_error *err);

/* Appends; strings are copied, blanks around the value dropped. */
hlrp_status hlrp_settings_add(hlrp_settings *list, const char *section, const char *key,
                              const char *value, int line, hlrp_error *err);
void hlrp_settings_free(hlrp_settings *list);

/* Names as libini-config can hold them: it ignores letter case and takes only printable ASCII
 * without '!' in names, so that any other byte, capitals and '%' become %XX. Node names and slide
 * names need all of them. The whole text of a file is rewritten line by line, values untouched. */
hlrp_status hlrp_ini_escape(const char *text, char **out, hlrp_error *err);
/* Undoes it for one name, in place. */
void hlrp_ini_unescape(char *name);

#endif

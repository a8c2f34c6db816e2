/* Values: from INI text to a field, and back. */
#ifndef HLRP_CONFIG_VALUE_H
#define HLRP_CONFIG_VALUE_H

#include "config/table.h"
#include "util/util.h"

/* Parses text as key's type, checks it and stores it in object (hlrp_config, or hlrp_config_slide
 * for the keys of that section), freeing what was there. Relative paths start from folder. On
 * failure err->what says what was given and err->mend what is accepted; the caller knows where. */
hlrp_status hlrp_value_set(const hlrp_key *key, void *object, const char *text, const char *folder,
                           hlrp_error *err);

/* Appends the field's value as hlrp_value_set would read it. */
void hlrp_value_print(const hlrp_key *key, const void *object, hlrp_str *out);

/* Appends what the key accepts, for a person: "number in [0, 1)", "rgb | bgr". */
void hlrp_value_describe(const hlrp_key *key, hlrp_str *out);

/* Whether the field holds no value (auto or none). */
bool hlrp_value_is_empty(const hlrp_key *key, const void *object);

void hlrp_value_free(const hlrp_key *key, void *object);

/* The shortest decimal number that reads back as value; always with a point, never a comma. */
void hlrp_print_number(double value, hlrp_str *out);

#endif

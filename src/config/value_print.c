/* Printing a field: what hlrp_value_set reads. */
#include <stdlib.h>
#include <string.h>

#include "config/choices.h"
#include "config/value.h"

void hlrp_print_number(double value, hlrp_str *out) {
    char text[40];
    double back = 0;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        char *comma = strchr(text, ','); /* the decimal point of some locales */
        if (comma)
            *comma = '.';
        if (hlrp_parse_double(text, &back) && back == value)
            break;
    }
    hlrp_str_add(out, text);
}

/* Quoted where a comma or an outer blank would be taken for the list's own. */
static void print_item(const char *item, hlrp_str *out) {
    const size_t n = strlen(item);
    const bool quote = strchr(item, ',') || (n > 0 && strchr(" \t\"", item[0])) ||
                       (n > 0 && strchr(" \t\"", item[n - 1]));
    hlrp_str_addf(out, quote ? "\"%s\"" : "%s", item);
}

static void print_texts(const hlrp_text_list *list, hlrp_str *out) {
    for (int64_t i = 0; i < list->count; i++) {
        hlrp_str_add(out, i ? ", " : "");
        print_item(list->items[i], out);
    }
}

static void print_numbers(const hlrp_number_list *list, hlrp_str *out) {
    for (int64_t i = 0; i < list->count; i++) {
        hlrp_str_add(out, i ? ", " : "");
        hlrp_print_number(list->items[i], out);
    }
}

static void print_flags(const hlrp_key *key, int64_t bits, hlrp_str *out) {
    char name[80];
    const char *joint = "";
    for (int i = 0; i < 63 && bits >> i; i++)
        if (bits >> i & 1) {
            hlrp_choice_name(key->choices, i, name, sizeof name);
            hlrp_str_addf(out, "%s%s", joint, name);
            joint = " & ";
        }
}

static void print_enum(const hlrp_key *key, const void *field, hlrp_str *out) {
    char name[80];
    unsigned choice = 0;
    memcpy(&choice, field, sizeof choice);
    hlrp_choice_name(key->choices, (int)choice, name, sizeof name);
    hlrp_str_add(out, name);
}

bool hlrp_value_is_empty(const hlrp_key *key, const void *object) {
    const char *field = (const char *)object + key->offset;
    if (key->initial[0] != '\0')
        return false;
    switch (key->type) {
    case HLRP_KEY_TEXT:
    case HLRP_KEY_PATH:
        return (*(char *const *)(const void *)field)[0] == '\0';
    case HLRP_KEY_TEXTS:
    case HLRP_KEY_PATHS:
        return ((const hlrp_text_list *)(const void *)field)->count == 0;
    case HLRP_KEY_NUMBERS:
        return ((const hlrp_number_list *)(const void *)field)->count == 0;
    case HLRP_KEY_DOUBLE:
        return *(const double *)(const void *)field == 0;
    default:
        return *(const int64_t *)(const void *)field == 0;
    }
}

void hlrp_value_print(const hlrp_key *key, const void *object, hlrp_str *out) {
    const void *field = (const char *)object + key->offset;
    if (hlrp_value_is_empty(key, object)) {
        hlrp_str_add(out, key->automatic ? "auto" : "");
        return;
    }
    switch (key->type) {
    case HLRP_KEY_INT:
    case HLRP_KEY_SIZE:
        hlrp_str_addf(out, "%lld", (long long)*(const int64_t *)field);
        break;
    case HLRP_KEY_DOUBLE:
        hlrp_print_number(*(const double *)field, out);
        break;
    case HLRP_KEY_BOOL:
        hlrp_str_add(out, *(const bool *)field ? "on" : "off");
        break;
    case HLRP_KEY_ENUM:
        print_enum(key, field, out);
        break;
    case HLRP_KEY_FLAGS:
        print_flags(key, *(const int64_t *)field, out);
        break;
    case HLRP_KEY_TEXTS:
    case HLRP_KEY_PATHS:
        print_texts(field, out);
        break;
    case HLRP_KEY_NUMBERS:
        print_numbers(field, out);
        break;
    default:
        hlrp_str_add(out, *(char *const *)field);
    }
}

static const char *const type_names[HLRP_KEY_TYPE_COUNT] = {
    [HLRP_KEY_TEXT] = "text",
    [HLRP_KEY_PATH] = "path",
    [HLRP_KEY_INT] = "integer",
    [HLRP_KEY_SIZE] = "size",
    [HLRP_KEY_DOUBLE] = "number",
    [HLRP_KEY_BOOL] = "on | off",
    [HLRP_KEY_ENUM] = "",
    [HLRP_KEY_FLAGS] = "",
    [HLRP_KEY_TEXTS] = "list of texts",
    [HLRP_KEY_PATHS] = "list of paths",
    [HLRP_KEY_NUMBERS] = "list of numbers",
};

static void describe_choices(const hlrp_key *key, hlrp_str *out) {
    char name[80];
    for (int i = 0;; i++) {
        hlrp_choice_name(key->choices, i, name, sizeof name);
        if (name[0] == '\0')
            break;
        hlrp_str_addf(out, "%s%s", i ? " | " : "", strcmp(name, "#") == 0 ? "a number" : name);
    }
}

void hlrp_value_describe(const hlrp_key *key, hlrp_str *out) {
    if (key->choices)
        describe_choices(key, out);
    else
        hlrp_str_add(out, type_names[key->type]);
    if (key->type == HLRP_KEY_FLAGS)
        hlrp_str_add(out, ", joined by &");
    if (key->range)
        hlrp_str_addf(out, " in %s", key->range);
}

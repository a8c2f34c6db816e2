/* Setting a field: one function per type. */
#include "config/value.h"

#include <stdlib.h>
#include <string.h>

#include "config/choices.h"

/* What a setter works on. */
typedef struct job {
    const hlrp_key *key;
    void *field;
    const char *text, *folder;
    hlrp_error *err;
} job;

static hlrp_status refuse(const job *j, const char *text, const char *what) {
    hlrp_str accepted = {0};
    hlrp_str_add(&accepted, "give ");
    hlrp_value_describe(j->key, &accepted);
    const hlrp_status status =
        hlrp_fail(j->err, HLRP_E_CONFIG, NULL, accepted.failed ? NULL : accepted.text,
                  "%s.%s: \"%.80s\" is %s", j->key->section, j->key->name, text, what);
    hlrp_str_free(&accepted);
    return status;
}

/* ---- numbers ---- */

static hlrp_status read_number(const job *j, const char *text, double *out) {
    if (!hlrp_parse_double(text, out))
        return refuse(j, text, "not a number");
    if (!hlrp_range_holds(j->key->range, *out))
        return refuse(j, text, "out of range");
    return HLRP_OK;
}

static hlrp_status set_double(const job *j) {
    double value = 0;
    const hlrp_status status = read_number(j, j->text, &value);
    if (status == HLRP_OK)
        memcpy(j->field, &value, sizeof value);
    return status;
}

static hlrp_status store_int(const job *j, int64_t value) {
    if (!hlrp_range_holds(j->key->range, (double)value))
        return refuse(j, j->text, "out of range");
    memcpy(j->field, &value, sizeof value);
    return HLRP_OK;
}

static hlrp_status set_int(const job *j) {
    int64_t value = 0;
    if (!hlrp_parse_int(j->text, &value))
        return refuse(j, j->text, "not an integer");
    return store_int(j, value);
}

/* Bytes with a binary unit: 8G is 8·2^30. A fraction is fine: 1.5G. */
static hlrp_status set_size(const job *j) {
    static const char units[] = "KMGT";
    char number[64];
    const size_t n = strlen(j->text);
    double value = 0, factor = 1;
    size_t digits = n;
    if (digits > 0 && (j->text[digits - 1] == 'B' || j->text[digits - 1] == 'b'))
        digits--;
    const char *unit = digits > 0 ? memchr(units, j->text[digits - 1] & ~0x20, 4) : NULL;
    for (int i = 0; unit && i <= (int)(unit - units); i++)
        factor *= 1024;
    digits -= unit ? 1 : 0;
    snprintf(number, sizeof number, "%.*s", (int)HLRP_MIN(digits, sizeof number - 1), j->text);
    if (digits >= sizeof number || !hlrp_parse_double(number, &value))
        return refuse(j, j->text, "not a size");
    if (!hlrp_range_holds(j->key->range, value * factor))
        return refuse(j, j->text, "out of range");
    return store_int(j, (int64_t)(value * factor));
}

static hlrp_status set_bool(const job *j) {
    bool value = false;
    if (!hlrp_parse_bool(j->text, &value))
        return refuse(j, j->text, "neither on nor off");
    memcpy(j->field, &value, sizeof value);
    return HLRP_OK;
}

/* ---- choices ---- */

static hlrp_status refuse_choice(const job *j, const char *text) {
    char nearest[80], what[120];
    hlrp_choice_nearest(j->key->choices, text, nearest, sizeof nearest);
    snprintf(what, sizeof what, "unknown, did you mean %s?", nearest);
    return refuse(j, text, what);
}

static hlrp_status set_enum(const job *j) {
    const int choice = hlrp_choice_find(j->key->choices, j->text, strlen(j->text));
    if (choice < 0)
        return refuse_choice(j, j->text);
    const unsigned value = (unsigned)choice; /* gcc and clang: an enum without negatives */
    memcpy(j->field, &value, sizeof value);
    return HLRP_OK;
}

/* "annotation & tissue". The first choice ("all") stands alone. */
static hlrp_status set_flags(const job *j) {
    const char *blanks = " \t";
    int64_t bits = 0;
    for (const char *p = j->text;; p++) {
        p += strspn(p, blanks);
        const char *end = p + strcspn(p, "&");
        size_t n = (size_t)(end - p);
        while (n > 0 && strchr(blanks, p[n - 1]))
            n--;
        const int choice = hlrp_choice_find(j->key->choices, p, n);
        if (choice < 0)
            return refuse_choice(j, j->text);
        bits |= INT64_C(1) << choice;
        p = end;
        if (*p == '\0')
            break;
    }
    if ((bits & 1) && bits != 1)
        return refuse(j, j->text, "an intersection with everything");
    memcpy(j->field, &bits, sizeof bits);
    return HLRP_OK;
}

/* ---- texts and paths ---- */

/* Makes *text, which hlrp_value_set has emptied, the value of a char * field. */
static hlrp_status store_text(const job *j, char *text) {
    if (!text)
        return HLRP_E_MEMORY;
    free(*(char **)j->field);
    memcpy(j->field, &text, sizeof text);
    return HLRP_OK;
}

static bool choice_or_number(const hlrp_key *key, const char *text) {
    const size_t n = strlen(key->choices);
    double value = 0;
    if (hlrp_choice_find(key->choices, text, strlen(text)) >= 0)
        return strcmp(text, "#") != 0;
    return key->choices[n - 1] == '#' && hlrp_parse_double(text, &value) &&
           hlrp_range_holds(key->range, value);
}

static hlrp_status set_text(const job *j) {
    if (j->key->choices && !choice_or_number(j->key, j->text))
        return refuse_choice(j, j->text);
    return store_text(j, hlrp_strdup(j->text, j->err));
}

/* folder/text, where text is relative. "@list" keeps its "@"; a pattern that begins with {dir}
 * follows the slide. Where text is a glob, the folder's own *, ?, [ are escaped for glob(3). */
static char *absolute_path(const char *folder, const char *text, hlrp_error *err) {
    const bool list = text[0] == '@', glob = !list && strpbrk(text, "*?[");
    const char *path = text + list;
    if (path[0] == '/' || strncmp(path, "{dir}", 5) == 0 || path[0] == '\0')
        return hlrp_strdup(text, err);
    hlrp_str s = {0};
    hlrp_str_add(&s, list ? "@" : "");
    for (const char *p = folder; *p; p++) {
        if (glob && strchr("*?[\\", *p))
            hlrp_str_add(&s, "\\");
        hlrp_str_addn(&s, p, 1);
    }
    hlrp_str_add(&s, strcmp(folder, "/") == 0 ? "" : "/");
    hlrp_str_add(&s, path);
    if (s.failed) {
        hlrp_str_free(&s);
        hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory");
        return NULL;
    }
    return s.text;
}

static hlrp_status set_path(const job *j) {
    return store_text(j, absolute_path(j->folder, j->text, j->err));
}

/* ---- lists ---- */

static hlrp_status split(const job *j, hlrp_strings *items) {
    const hlrp_status status = hlrp_split_commas(j->text, items, j->err);
    for (int64_t i = 0; status == HLRP_OK && i < items->count; i++)
        if (items->items[i][0] == '\0')
            return refuse(j, j->text, "a list with an empty item");
    for (int64_t i = 0; status == HLRP_OK && i < items->count; i++)
        if (strchr(items->items[i], '"'))
            return refuse(j, items->items[i], "an item with a stray quote");
    return status;
}

static hlrp_status set_texts(const job *j) {
    hlrp_strings items = {0};
    hlrp_text_list list = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(split(j, &items));
    for (int64_t i = 0; j->key->type == HLRP_KEY_PATHS && i < items.count; i++) {
        char *path = absolute_path(j->folder, items.items[i], j->err);
        if (!path) {
            status = HLRP_E_MEMORY;
            goto out;
        }
        free(items.items[i]);
        items.items[i] = path;
    }
    hlrp_value_free(j->key, (char *)j->field - j->key->offset);
    list = (hlrp_text_list){items.items, items.count};
    memcpy(j->field, &list, sizeof list);
    items = (hlrp_strings){0};
out:
    hlrp_strings_free(&items);
    return status;
}

static hlrp_status set_numbers(const job *j) {
    hlrp_strings items = {0};
    hlrp_number_list list = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(split(j, &items));
    HLRP_TRY(hlrp_calloc(&list.items, items.count, sizeof(double), j->key->name, j->err));
    for (list.count = 0; list.count < items.count; list.count++)
        HLRP_TRY(read_number(j, items.items[list.count], &list.items[list.count]));
    hlrp_value_free(j->key, (char *)j->field - j->key->offset);
    memcpy(j->field, &list, sizeof list);
    list = (hlrp_number_list){0};
out:
    free(list.items);
    hlrp_strings_free(&items);
    return status;
}

/* ---- all types ---- */

static hlrp_status (*const setters[HLRP_KEY_TYPE_COUNT])(const job *j) = {
    [HLRP_KEY_TEXT] = set_text,   [HLRP_KEY_PATH] = set_path,       [HLRP_KEY_INT] = set_int,
    [HLRP_KEY_SIZE] = set_size,   [HLRP_KEY_DOUBLE] = set_double,   [HLRP_KEY_BOOL] = set_bool,
    [HLRP_KEY_ENUM] = set_enum,   [HLRP_KEY_FLAGS] = set_flags,     [HLRP_KEY_TEXTS] = set_texts,
    [HLRP_KEY_PATHS] = set_texts, [HLRP_KEY_NUMBERS] = set_numbers,
};

/* Types whose field can be empty: zero for numbers, "" for texts. */
static hlrp_status set_empty(const job *j) {
    const int64_t zero = 0;
    switch (j->key->type) {
    case HLRP_KEY_TEXT:
    case HLRP_KEY_PATH:
        return store_text(j, hlrp_strdup("", j->err));
    case HLRP_KEY_TEXTS:
    case HLRP_KEY_PATHS:
    case HLRP_KEY_NUMBERS:
        hlrp_value_free(j->key, (char *)j->field - j->key->offset);
        return HLRP_OK;
    default: /* int64_t and double: all bits zero */
        memcpy(j->field, &zero, sizeof zero);
        return HLRP_OK;
    }
}

hlrp_status hlrp_value_set(const hlrp_key *key, void *object, const char *text, const char *folder,
                           hlrp_error *err) {
    const job j = {key, (char *)object + key->offset, text, folder, err};
    const bool none = text[0] == '\0', automatic = key->automatic && strcmp(text, "auto") == 0;
    const bool can_be_empty = key->initial[0] == '\0';
    if ((none || automatic) && can_be_empty)
        return set_empty(&j);
    if (none)
        return refuse(&j, text, "empty");
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 && *p != '\t')
            return refuse(&j, text, "text with a control character");
    return setters[key->type](&j);
}

void hlrp_value_free(const hlrp_key *key, void *object) {
    char *field = (char *)object + key->offset;
    if (key->type == HLRP_KEY_TEXT || key->type == HLRP_KEY_PATH) {
        free(*(char **)field);
        *(char **)field = NULL;
    } else if (key->type == HLRP_KEY_NUMBERS) {
        hlrp_number_list *list = (void *)field;
        free(list->items);
        *list = (hlrp_number_list){0};
    } else if (key->type == HLRP_KEY_TEXTS || key->type == HLRP_KEY_PATHS) {
        hlrp_text_list *list = (void *)field;
        for (int64_t i = 0; i < list->count; i++)
            free(list->items[i]);
        free(list->items);
        *list = (hlrp_text_list){0};
    }
}

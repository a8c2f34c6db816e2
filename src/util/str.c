#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/util.h"

void hlrp_str_addn(hlrp_str *s, const char *bytes, size_t n) {
    if (s->failed)
        return;
    if (n + 1 > s->capacity - s->length) {
        const size_t wanted = 2 * s->capacity + n + 64;
        char *grown = wanted > n ? realloc(s->text, wanted) : NULL;
        if (!grown) {
            s->failed = true;
            return;
        }
        s->text = grown;
        s->capacity = wanted;
    }
    memcpy(s->text + s->length, bytes, n);
    s->length += n;
    s->text[s->length] = '\0';
}

void hlrp_str_add(hlrp_str *s, const char *text) {
    hlrp_str_addn(s, text, strlen(text));
}

void hlrp_str_addf(hlrp_str *s, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    const int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0) {
        s->failed = true;
        return;
    }
    hlrp_str_addn(s, text, (size_t)n);
    free(text);
}

void hlrp_str_free(hlrp_str *s) {
    free(s->text);
    *s = (hlrp_str){0};
}

hlrp_status hlrp_strings_add(hlrp_strings *list, const char *text, hlrp_error *err) {
    hlrp_status status =
        hlrp_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items, err);
    if (status != HLRP_OK)
        return status;
    char *copy = hlrp_strdup(text, err);
    if (!copy)
        return HLRP_E_MEMORY;
    list->items[list->count++] = copy;
    return HLRP_OK;
}

static int compare_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void hlrp_strings_sort(hlrp_strings *list) {
    if (list->count > 1)
        qsort(list->items, (size_t)list->count, sizeof *list->items, compare_bytes);
}

void hlrp_strings_free(hlrp_strings *list) {
    for (int64_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (hlrp_strings){0};
}

/* One item of a comma list, [from, to), without the blanks around it and a pair of quotes. */
static hlrp_status add_trimmed(hlrp_strings *out, const char *from, const char *to,
                               hlrp_error *err) {
    while (from < to && strchr(" \t\r\n", *from))
        from++;
    while (to > from && strchr(" \t\r\n", to[-1]))
        to--;
    if (to - from >= 2 && *from == '"' && to[-1] == '"') {
        from++;
        to--;
    }
    char *text = strndup(from, (size_t)(to - from));
    if (!text)
        return hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory");
    const hlrp_status status = hlrp_strings_add(out, text, err);
    free(text);
    return status;
}

hlrp_status hlrp_split_commas(const char *text, hlrp_strings *out, hlrp_error *err) {
    if (text[strspn(text, " \t\r\n")] == '\0')
        return HLRP_OK;
    const char *from = text;
    bool quoted = false;
    for (const char *p = text;; p++) {
        if (*p == '"')
            quoted = !quoted;
        if ((*p == ',' && !quoted) || *p == '\0') {
            const hlrp_status status = add_trimmed(out, from, p, err);
            if (status != HLRP_OK || *p == '\0')
                return status;
            from = p + 1;
        }
    }
}

int hlrp_edit_distance(const char *a, const char *b) {
    enum { LONGEST = 64 };
    const size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return 2 * LONGEST;
    int row[LONGEST + 1];
    for (size_t j = 0; j <= m; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            const int replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = HLRP_MIN(replace, HLRP_MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[m];
}

bool hlrp_glob_match(const char *glob, const char *name, bool nocase) {
    return fnmatch(glob, name, nocase ? FNM_CASEFOLD : 0) == 0;
}

/* Length of the valid UTF-8 sequence at p, 0 where there is none. */
static int utf8_length(const unsigned char *p) {
    const int n = p[0] < 0x80   ? 1
                  : p[0] < 0xc2 ? 0
                  : p[0] < 0xe0 ? 2
                  : p[0] < 0xf0 ? 3
                  : p[0] < 0xf5 ? 4
                                : 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if (n == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)))
        return 0;
    if (n == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
        return 0;
    return n;
}

void hlrp_str_make_utf8(hlrp_str *s) {
    size_t valid = 0, at = 0;
    while (valid < s->length && utf8_length((const unsigned char *)s->text + valid) > 0)
        valid += (size_t)utf8_length((const unsigned char *)s->text + valid);
    if (s->failed || valid == s->length)
        return;
    hlrp_str made = {0};
    while (at < s->length) {
        const int n = utf8_length((const unsigned char *)s->text + at);
        hlrp_str_addn(&made, n ? s->text + at : "\xef\xbf\xbd", n ? (size_t)n : 3);
        at += n ? (size_t)n : 1;
    }
    hlrp_str_free(s);
    *s = made;
}

void hlrp_str_add_json(hlrp_str *s, const char *text) {
    hlrp_str_add(s, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const int n = utf8_length(p);
        if (n == 0)
            hlrp_str_add(s, "\\ufffd");
        else if (*p == '"' || *p == '\\')
            hlrp_str_addf(s, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            hlrp_str_addf(s, "\\u%04x", *p);
        else
            hlrp_str_addn(s, (const char *)p, (size_t)n);
        p += n ? n : 1;
    }
    hlrp_str_add(s, "\"");
}

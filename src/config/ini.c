/* libini-config behind one call. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <ini_configobj.h>

#include <histolrp/config.h>

#include "config/ini.h"

#ifndef HLRP_INI_VERSION /* the library cannot be asked: the build says what it found */
#define HLRP_INI_VERSION "unknown"
#endif

const char *hlrp_config_ini_version(void) {
    return HLRP_INI_VERSION;
}

enum { LARGEST_FILE = 16 << 20 };

static hlrp_status out_of_memory(hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory");
}

static char *trimmed(const char *text, hlrp_error *err) {
    const char *blanks = " \t\r\n";
    text += strspn(text, blanks);
    size_t n = strlen(text);
    while (n > 0 && strchr(blanks, text[n - 1]))
        n--;
    char *copy = strndup(text, n);
    if (!copy)
        out_of_memory(err);
    return copy;
}

hlrp_status hlrp_settings_add(hlrp_settings *list, const char *section, const char *key,
                              const char *value, int line, hlrp_error *err) {
    const hlrp_status status =
        hlrp_grow(&list->items, &list->capacity, list->count + 1, sizeof *list->items, err);
    if (status != HLRP_OK)
        return status;
    hlrp_setting *s = &list->items[list->count++];
    *s = (hlrp_setting){.section = trimmed(section, err),
                        .key = trimmed(key, err),
                        .value = trimmed(value, err),
                        .line = line};
    return s->section && s->key && s->value ? HLRP_OK : HLRP_E_MEMORY;
}

void hlrp_settings_free(hlrp_settings *list) {
    for (int64_t i = 0; i < list->count; i++) {
        free(list->items[i].section);
        free(list->items[i].key);
        free(list->items[i].value);
    }
    free(list->items);
    *list = (hlrp_settings){0};
}

static hlrp_status fail_at_line(const char *path, int line, const char *mend, const char *what,
                                hlrp_error *err) {
    char where[560];
    snprintf(where, sizeof where, "%s line %d", path, line);
    return hlrp_fail(err, HLRP_E_CONFIG, where, mend, "%s", what);
}

/* ---- what the library says about a broken file ---- */

typedef struct complaint {
    int code;
    const char *what, *mend;
} complaint;

static const complaint complaints[] = {
    {ERR_NOCLOSESEC, "the section has no closing ]",
     "write [name]; comments stand on lines of their own"},
    {ERR_NOSECTION, "the section has no name", "write [name]"},
    {ERR_SECTIONLONG, "the section's name is too long", "shorten it"},
    {ERR_NOEQUAL, "neither a section, a comment nor key = value",
     "write key = value; a continuation line starts with a blank"},
    {ERR_NOKEY, "no key before =", "write key = value"},
    {ERR_LONGKEY, "the key is too long", "shorten it; a glob can stand for a node's name"},
    {ERR_SPACE, "an indented line that continues no value", "remove the blanks before it"},
    {ERR_TAB, "an indented line that continues no value", "remove the tab before it"},
    {ERR_DUPKEY, "the key is given twice in its section", "keep one of the two lines"},
    {ERR_DUPKEYSEC, "the key is given twice in its section", "keep one of the two lines"},
    {ERR_DUPSECTION, "the section is given twice", "put its keys into one section"},
};

/* The name on a line of text ("gamma", "[lrp]"), for a message. */
static void name_on_line(const char *text, int line, char *buf, size_t size) {
    for (; line > 1 && text; line--) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    size_t n = text ? strcspn(text, text[0] == '[' ? "\r\n" : "=\r\n") : 0;
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    snprintf(buf, size, "%.*s", (int)HLRP_MIN(n, size - 1), text ? text : "");
}

/* The library hands errors out only as text, "Error (CODE) on line LINE: …" in some language. */
static void read_numbers(const char *text, int *code, int *line) {
    *code = *line = 0;
    const char *digits = "0123456789";
    text += strcspn(text, digits);
    *code = (int)strtol(text, NULL, 10);
    text += strspn(text, digits);
    text += strcspn(text, digits);
    *line = (int)strtol(text, NULL, 10);
}

static hlrp_status fail_parse(struct ini_cfgobj *ini, const char *path, const char *text,
                              hlrp_error *err) {
    char **errors = NULL, name[120] = "", what[400];
    int code = 0, line = 0;
    if (ini_config_get_errors(ini, &errors) == 0 && errors && errors[0])
        read_numbers(errors[0], &code, &line);
    ini_config_free_errors(errors);
    if (line < 1)
        return hlrp_fail(err, HLRP_E_CONFIG, path, "`histolrp config` prints one that is right",
                         "not an INI file");
    name_on_line(text, line, name, sizeof name);
    for (size_t i = 0; i < HLRP_COUNT(complaints); i++)
        if (complaints[i].code == code) {
            snprintf(what, sizeof what, "\"%s\": %s", name, complaints[i].what);
            return fail_at_line(path, line, complaints[i].mend, what, err);
        }
    return fail_at_line(path, line, "`histolrp config` prints one that is right",
                        "the line cannot be read", err);
}

/* ---- from the library's object to the list ---- */

static hlrp_status add_key(struct ini_cfgobj *ini, const char *section, const char *key,
                           hlrp_settings *out, hlrp_error *err) {
    struct value_obj *value = NULL;
    uint32_t line = 0;
    int failed = 0;
    if (ini_get_config_valueobj(section, key, ini, INI_GET_FIRST_VALUE, &value) != 0 || !value)
        return hlrp_fail(err, HLRP_E_INTERNAL, key, NULL, "libini-config lost a key");
    value_get_line(value, &line);
    char *text = ini_get_string_config_value(value, &failed);
    char *plain_section = hlrp_strdup(section, err), *plain_key = hlrp_strdup(key, err);
    hlrp_status status = HLRP_E_MEMORY;
    if (text && plain_section && plain_key) {
        hlrp_ini_unescape(plain_section);
        hlrp_ini_unescape(plain_key);
        status = hlrp_settings_add(out, plain_section, plain_key, text, (int)line, err);
    } else {
        out_of_memory(err);
    }
    free(text);
    free(plain_section);
    free(plain_key);
    return status;
}

/* The library keeps no lines of sections. */
static int line_of_section(const char *text, const char *section) {
    const size_t n = strlen(section);
    int line = 1;
    for (; text; line++) {
        if (text[0] == '[' && strncmp(text + 1, section, n) == 0 && text[n + 1] == ']')
            return line;
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return 1;
}

/* A section without keys is handed on too: its name may be wrong. */
static hlrp_status add_section(struct ini_cfgobj *ini, const char *text, const char *section,
                               hlrp_settings *out, hlrp_error *err) {
    int count = 0, failed = 0;
    hlrp_status status = HLRP_OK;
    char **keys = ini_get_attribute_list(ini, section, &count, &failed);
    if (!keys)
        return out_of_memory(err);
    if (count == 0) {
        char *plain = hlrp_strdup(section, err);
        status = HLRP_E_MEMORY;
        if (plain) {
            hlrp_ini_unescape(plain);
            status = hlrp_settings_add(out, plain, "", "", line_of_section(text, plain), err);
        }
        free(plain);
    }
    for (int i = 0; i < count && status == HLRP_OK; i++)
        status = add_key(ini, section, keys[i], out, err);
    ini_free_attribute_list(keys);
    return status;
}

static hlrp_status add_all(struct ini_cfgobj *ini, const char *text, hlrp_settings *out,
                           hlrp_error *err) {
    int count = 0, failed = 0;
    hlrp_status status = HLRP_OK;
    char **sections = ini_get_section_list(ini, &count, &failed);
    if (!sections)
        return out_of_memory(err);
    for (int i = 0; i < count && status == HLRP_OK; i++)
        status = add_section(ini, text, sections[i], out, err);
    ini_free_section_list(sections);
    return status;
}

/* The library loses the first key of a file that has no section before it: refuse it here. */
static hlrp_status check_start(const char *path, const char *text, hlrp_error *err) {
    char name[120], what[200];
    int line = 1;
    while (*text && (strchr("#;", *text) || strchr("\r\n", text[strspn(text, " \t")]))) {
        text += strcspn(text, "\n");
        text += *text == '\n';
        line++;
    }
    if (*text == '\0' || *text == '[')
        return HLRP_OK;
    name_on_line(text, 1, name, sizeof name);
    snprintf(what, sizeof what, "\"%s\" stands before the first section", name);
    return fail_at_line(path, line, "put a section such as [batch] before it", what, err);
}

static hlrp_status parse(const char *path, const char *text, hlrp_settings *out, hlrp_error *err) {
    struct ini_cfgfile *file = NULL;
    struct ini_cfgobj *ini = NULL;
    char *escaped = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(check_start(path, text, err));
    HLRP_TRY(hlrp_ini_escape(text, &escaped, err));
    if (ini_config_create(&ini) != 0) {
        status = out_of_memory(err);
        goto out;
    }
    if (ini_config_file_from_mem(escaped, (uint32_t)strlen(escaped), &file) != 0) {
        status =
            fail_at_line(path, 1, "write the configuration as UTF-8 text", "not a text file", err);
        goto out;
    }
    if (ini_config_parse(file, INI_STOP_ON_ANY, INI_MV1S_ERROR | INI_MV2S_ERROR | INI_MS_DETECT,
                         INI_PARSE_NO_C_COMMENTS, ini) != 0) {
        status = fail_parse(ini, path, text, err);
        goto out;
    }
    HLRP_TRY(add_all(ini, text, out, err));
out:
    ini_config_file_destroy(file);
    ini_config_destroy(ini);
    free(escaped);
    return status;
}

/* The line of the first byte that no UTF-8 text has, 0: none. */
static int line_of_bad_byte(const char *text, int64_t size) {
    int line = 1;
    for (int64_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        line += c == '\n';
        if ((c < 0x20 && !strchr("\t\r\n", c)) || c == 0 || c == 0x7f || c >= 0xfe)
            return line;
    }
    return 0;
}

hlrp_status hlrp_ini_parse(const char *name, const char *text, int64_t size, hlrp_settings *out,
                           hlrp_error *err) {
    const int bad = line_of_bad_byte(text, size);
    if (bad)
        return fail_at_line(name, bad, "write the configuration as UTF-8 text", "not a text file",
                            err);
    return parse(name, text + (strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0), out, err);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\0';
}

/* What looks like a comment behind a value, NULL: nothing. "..." may hold anything, "case #3.svs" and
 * "a;b" are values. */
static const char *comment_in(const char *value) {
    bool quoted = false;
    for (const char *c = value; *c; c++) {
        const char before = c > value ? c[-1] : ' ', after = c[1];
        quoted = quoted != (*c == '"');
        if (quoted || c == value)
            continue;
        if ((*c == ';' && (is_blank(before) || is_blank(after))) ||
            (*c == '#' && is_blank(before) && is_blank(after)))
            return c;
    }
    return NULL;
}

/* Comments stand on lines of their own: behind a value they would be part of it. */
static hlrp_status refuse_comments(const char *path, const hlrp_settings *settings,
                                   hlrp_error *err) {
    for (int64_t i = 0; i < settings->count; i++) {
        const hlrp_setting *s = &settings->items[i];
        const char *comment = comment_in(s->value);
        char what[300];
        if (!comment)
            continue;
        snprintf(what, sizeof what, "%.100s.%.60s: \"%.100s\" behind the value is no comment",
                 s->section, s->key, comment);
        return fail_at_line(path, s->line, "put it on a line of its own", what, err);
    }
    return HLRP_OK;
}

hlrp_status hlrp_ini_read(const char *path, hlrp_settings *out, hlrp_error *err) {
    char *text = NULL;
    int64_t size = 0;
    hlrp_status status = hlrp_read_file(path, LARGEST_FILE, &text, &size, err);
    if (status == HLRP_OK)
        status = hlrp_ini_parse(path, text, size, out, err);
    if (status == HLRP_OK)
        status = refuse_comments(path, out, err);
    if (status != HLRP_OK &&
        status != HLRP_E_MEMORY) /* a file that cannot be read is no slide that failed */
        status = err->status = HLRP_E_CONFIG;
    free(text);
    return status;
}

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "batch/lock.h"
#include "batch/progress.h"

static const char *const NAMES[HLRP_STATE_COUNT] = {
    "pending", "running", "complete", "empty", "failed", "interrupted", "running elsewhere"};

const char *hlrp_state_name(hlrp_state state) {
    return NAMES[state];
}

/* The one list of members: status.json, batch.csv and reading follow it. */
typedef enum kind { TEXT, STATE, COUNT, REAL, SCORE, MEASURED_COUNT, MEASURED } kind;
typedef struct member {
    const char *name;
    kind kind;
    size_t offset, size;
} member;

#define MEMBER(name, kind)                                                                         \
    { #name, kind, offsetof(hlrp_slide_progress, name), sizeof(((hlrp_slide_progress *)0)->name) }

static const member MEMBERS[] = {
    MEMBER(slide, TEXT),
    MEMBER(state, STATE),
    MEMBER(reason, TEXT),
    MEMBER(tiles, COUNT),
    MEMBER(done, COUNT),
    MEMBER(explained, COUNT),
    MEMBER(gated, COUNT),
    MEMBER(unreadable, COUNT),
    MEMBER(warnings, COUNT),
    MEMBER(rate, REAL),
    MEMBER(eta, REAL),
    MEMBER(seconds, REAL),
    MEMBER(started, TEXT),
    MEMBER(updated, TEXT),
    MEMBER(disagree, MEASURED_COUNT),
    MEMBER(disagree_share, MEASURED),
    MEMBER(relevance_over_start, MEASURED),
    MEMBER(class, TEXT),
    MEMBER(score, SCORE),
};

static const char *text_of(const hlrp_slide_progress *p, const member *m) {
    return m->kind == STATE ? NAMES[p->state] : (const char *)p + m->offset;
}

/* `unknown` stands for what was not measured. */
static void number_text(const hlrp_slide_progress *p, const member *m, const char *unknown,
                        char buf[40]) {
    int64_t count = 0;
    double real = 0.0;
    const char *at = (const char *)p + m->offset;
    if ((m->kind >= MEASURED_COUNT && !p->compared) || (m->kind == SCORE && !p->scored)) {
        snprintf(buf, 40, "%s", unknown);
    } else if (m->kind == COUNT || m->kind == MEASURED_COUNT) {
        memcpy(&count, at, sizeof count);
        snprintf(buf, 40, "%lld", (long long)count);
    } else {
        memcpy(&real, at, sizeof real);
        snprintf(buf, 40, m->kind == REAL ? "%.3f" : "%.6g", isfinite(real) ? real : -1.0);
    }
}

static void add_members(const hlrp_slide_progress *progress, const char *between, hlrp_str *text) {
    char number[40];
    for (size_t i = 0; i < HLRP_COUNT(MEMBERS); i++) {
        const member *m = &MEMBERS[i];
        hlrp_str_addf(text, "%s%s\"%s\": ", i ? "," : "", between, m->name);
        if (m->kind == TEXT || m->kind == STATE) {
            hlrp_str_add_json(text, text_of(progress, m));
        } else {
            number_text(progress, m, "null", number);
            hlrp_str_add(text, number);
        }
    }
}

void hlrp_progress_json(const hlrp_slide_progress *progress, hlrp_str *out) {
    hlrp_str_add(out, "{");
    add_members(progress, " ", out);
    hlrp_str_add(out, " }");
}

hlrp_status hlrp_progress_write(const char *path, const hlrp_slide_progress *progress,
                                hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_str text = {0};
    hlrp_str_add(&text, "{");
    add_members(progress, "\n  ", &text);
    hlrp_str_add(&text, "\n}\n");
    if (text.failed)
        status = hlrp_fail(err, HLRP_E_MEMORY, path, NULL, "out of memory for the status");
    else
        status = hlrp_write_file(path, text.text, text.length, err);
    hlrp_str_free(&text);
    return status;
}

/* A reader for flat objects, as above; it also steps over nested values it does not want. */
typedef struct cursor {
    const char *at;
} cursor;

static void blanks(cursor *c) {
    c->at += strspn(c->at, " \t\r\n");
}

static void put_code(unsigned code, hlrp_str *out) {
    char b[3] = {0};
    if (code < 0x80) {
        b[0] = (char)code;
        hlrp_str_addn(out, b, 1);
    } else if (code < 0x800) {
        b[0] = (char)(0xC0 | (code >> 6));
        b[1] = (char)(0x80 | (code & 63));
        hlrp_str_addn(out, b, 2);
    } else {
        b[0] = (char)(0xE0 | (code >> 12));
        b[1] = (char)(0x80 | ((code >> 6) & 63));
        b[2] = (char)(0x80 | (code & 63));
        hlrp_str_addn(out, b, 3);
    }
}

static bool escape(cursor *c, hlrp_str *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known = *c->at ? strchr(from, *c->at) : NULL;
    if (known) {
        hlrp_str_addn(out, &to[known - from], 1);
        c->at++;
        return true;
    }
    if (*c->at != 'u' || strspn(c->at + 1, "0123456789abcdefABCDEF") < 4)
        return false;
    const char digits[5] = {c->at[1], c->at[2], c->at[3], c->at[4], '\0'};
    const unsigned code = (unsigned)strtoul(digits, NULL, 16); /* allowed: hex */
    put_code(code ? code : ' ', out);
    c->at += 5;
    return true;
}

static bool string(cursor *c, hlrp_str *out) {
    blanks(c);
    if (*c->at != '"')
        return false;
    for (c->at++; *c->at != '"';) {
        if (*c->at == '\0')
            return false;
        if (*c->at == '\\') {
            c->at++;
            if (!escape(c, out))
                return false;
        } else {
            hlrp_str_addn(out, c->at++, 1);
        }
    }
    c->at++;
    return true;
}

/* Any value: text without its quotes, numbers and words as they stand, nested ones skipped. */
static bool value(cursor *c, hlrp_str *out) {
    int depth = 0;
    blanks(c);
    if (*c->at == '"')
        return string(c, out);
    do {
        if (*c->at == '\0')
            return false;
        if (*c->at == '"') {
            hlrp_str skipped = {0};
            const bool good = string(c, &skipped);
            hlrp_str_free(&skipped);
            if (!good)
                return false;
            continue;
        }
        depth += *c->at == '{' || *c->at == '[';
        depth -= *c->at == '}' || *c->at == ']';
        if (depth < 0)
            break;
        if (!isspace((unsigned char)*c->at))
            hlrp_str_addn(out, c->at, 1);
        c->at++;
    } while (depth > 0 || !strchr(",}", *c->at));
    return true;
}

static bool take(void *ctx, const char *name, const char *text) {
    hlrp_slide_progress *p = ctx;
    for (size_t i = 0; i < HLRP_COUNT(MEMBERS); i++) {
        const member *m = &MEMBERS[i];
        char *at = (char *)p + m->offset;
        double real = 0.0;
        int64_t count = 0;
        if (strcmp(m->name, name) != 0)
            continue;
        if (m->kind >= SCORE && strcmp(text, "null") == 0)
            continue;
        p->compared |= m->kind >= MEASURED_COUNT;
        p->scored |= m->kind == SCORE;
        if (m->kind == TEXT)
            snprintf(at, m->size, "%s", text);
        for (int s = 0; m->kind == STATE && s < HLRP_STATE_COUNT; s++)
            if (strcmp(NAMES[s], text) == 0)
                p->state = (hlrp_state)s;
        if (m->kind == STATE && strcmp(NAMES[p->state], text) != 0)
            return false;
        if ((m->kind == COUNT || m->kind == MEASURED_COUNT) && !hlrp_parse_int(text, &count))
            return false;
        const bool is_real = m->kind == REAL || m->kind == SCORE || m->kind == MEASURED;
        if (is_real && !hlrp_parse_double(text, &real))
            return false;
        if (m->kind == COUNT || m->kind == MEASURED_COUNT)
            memcpy(at, &count, sizeof count);
        if (is_real)
            memcpy(at, &real, sizeof real);
    }
    return true;
}

/* Calls `each` for each member of a flat object until it says false. */
static bool walk(const char *text, bool (*each)(void *ctx, const char *name, const char *value),
                 void *ctx) {
    cursor c = {text};
    bool good = true;
    blanks(&c);
    if (*c.at++ != '{')
        return false;
    while (good) {
        hlrp_str name = {0}, content = {0};
        good = string(&c, &name);
        blanks(&c);
        good = good && *c.at++ == ':' && value(&c, &content) && !name.failed && !content.failed &&
               each(ctx, name.text ? name.text : "", content.text ? content.text : "");
        hlrp_str_free(&name);
        hlrp_str_free(&content);
        if (!good)
            break;
        blanks(&c);
        if (*c.at == '}')
            return true;
        good = *c.at++ == ',';
    }
    return false;
}

typedef struct wanted {
    const char *name;
    char *value;
    hlrp_error err;
} wanted;

static bool take_text(void *ctx, const char *name, const char *value) {
    wanted *w = ctx;
    hlrp_error ignored = {0};
    if (!w->value && strcmp(name, w->name) == 0)
        w->value = hlrp_strdup(value, &ignored);
    return true;
}

hlrp_status hlrp_json_text(const char *json, const char *name, const char *path, char **out,
                           hlrp_error *err) {
    wanted w = {.name = name};
    if (walk(json, take_text, &w) && w.value) {
        *out = w.value;
        return HLRP_OK;
    }
    free(w.value);
    return hlrp_fail(err, HLRP_E_INPUT, path, "run the slide again", "\"%s\" is not in it", name);
}

hlrp_status hlrp_progress_read(const char *path, hlrp_slide_progress *progress, hlrp_error *err) {
    char *text = NULL;
    int64_t size = 0;
    *progress = (hlrp_slide_progress){.eta = -1.0};
    hlrp_status status = hlrp_read_file(path, 1 << 20, &text, &size, err);
    if (status == HLRP_OK && !walk(text, take, progress))
        status = hlrp_fail(err, HLRP_E_INPUT, path, "run the slide again",
                           "this is no status of a slide");
    free(text);
    return status;
}

void hlrp_progress_recall(const char *path, hlrp_slide_progress *progress) {
    hlrp_slide_progress before = {0};
    hlrp_error ignored = {0};
    if (hlrp_progress_read(path, &before, &ignored) != HLRP_OK)
        return;
    progress->seconds = before.seconds;
    progress->rate = before.rate;
}

hlrp_status hlrp_progress_collect(const char *folder, const char *lock, double lock_timeout,
                                  const char *slide, hlrp_slide_progress *progress,
                                  hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *path = NULL, who[256];
    HLRP_TRY(hlrp_path_join(folder, "status.json", &path, err));
    *progress = (hlrp_slide_progress){.eta = -1.0};
    if (hlrp_file_exists(path))
        HLRP_TRY(hlrp_progress_read(path, progress, err));
    if (slide)
        snprintf(progress->slide, sizeof progress->slide, "%s", slide);
    if (progress->state == HLRP_STATE_RUNNING) {
        const bool held = hlrp_lock_held(lock, lock_timeout, who);
        progress->state = held ? HLRP_STATE_ELSEWHERE : HLRP_STATE_INTERRUPTED;
        snprintf(progress->reason, sizeof progress->reason, "%s",
                 held ? who : "the run ended without a word: run again to finish");
    }
out:
    free(path);
    return status;
}

/* RFC 4180. A leading =, +, − or @ would be a formula to a spreadsheet. */
static void cell(hlrp_str *out, const char *text) {
    const bool formula = text[0] && strchr("=+-@\t\r", text[0]);
    hlrp_str_add(out, formula ? "\"'" : "\"");
    for (; *text; text++)
        hlrp_str_addn(out, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
    hlrp_str_add(out, "\"");
}

hlrp_status hlrp_batch_csv_write(const char *path, const hlrp_slide_progress *rows, int64_t count,
                                 hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_str text = {0};
    char number[40];
    for (size_t i = 0; i < HLRP_COUNT(MEMBERS); i++)
        hlrp_str_addf(&text, "%s%s", i ? "," : "", MEMBERS[i].name);
    for (int64_t r = 0; r < count; r++)
        for (size_t i = 0; i < HLRP_COUNT(MEMBERS); i++) {
            hlrp_str_add(&text, i ? "," : "\r\n");
            if (MEMBERS[i].kind == TEXT || MEMBERS[i].kind == STATE) {
                cell(&text, text_of(&rows[r], &MEMBERS[i]));
            } else {
                number_text(&rows[r], &MEMBERS[i], "", number);
                hlrp_str_add(&text, number);
            }
        }
    hlrp_str_add(&text, "\r\n");
    hlrp_str_make_utf8(&text);
    if (text.failed)
        status = hlrp_fail(err, HLRP_E_MEMORY, path, NULL, "out of memory for the table");
    else
        status = hlrp_write_file(path, text.text, text.length, err);
    hlrp_str_free(&text);
    return status;
}

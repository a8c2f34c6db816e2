#include "run/warnings.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME ".warnings"
/* A slide with more to say has one thing to say. */
enum { MOST = 100, MOST_BYTES = 1 << 20 };

/* When a warning was said: the first letter of its line. */
enum { WHILE_OPENING = 's', WHILE_COMPUTING = 't', WHILE_SHOWING = 'o' };

struct hlrp_warnings {
    const hlrp_log *log;
    hlrp_log own;
    char *slide, *path; /* path: NULL until kept */
    pthread_mutex_t mutex;
    char now;
    hlrp_strings lines; /* the letter, a TAB, the text */
};

/* ---- lines ---- */

static bool has(const hlrp_strings *list, const char *text, size_t skip) {
    for (int64_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i] + skip, text) == 0)
            return true;
    return false;
}

/* The text without the name of the slide, which its reader knows. */
static const char *without_slide(const char *line, const char *slide) {
    const char *names[] = {slide, hlrp_path_name(slide)};
    for (size_t i = 0; i < HLRP_COUNT(names); i++) {
        const size_t n = strlen(names[i]);
        if (strncmp(line, names[i], n) == 0 && strncmp(line + n, ": ", 2) == 0)
            return line + n + 2;
    }
    return line;
}

static hlrp_status add_line(hlrp_strings *lines, char when, const char *text, hlrp_error *err) {
    hlrp_str line = {0};
    hlrp_status status = HLRP_OK;
    if (lines->count >= MOST || has(lines, text, 2))
        return HLRP_OK;
    hlrp_str_addf(&line, "%c\t", when);
    for (const char *c = text; *c; c++)
        hlrp_str_addn(&line, (unsigned char)*c < ' ' ? " " : c, 1);
    status = line.failed ? hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory for a warning")
                         : hlrp_strings_add(lines, line.text, err);
    hlrp_str_free(&line);
    return status;
}

/* Lines of the file that were said at one of the times in `when`. */
static hlrp_status read_lines(const char *path, const char *when, hlrp_strings *out,
                              hlrp_error *err) {
    char *text = NULL;
    int64_t size = 0;
    hlrp_status status = HLRP_OK;
    if (!hlrp_file_exists(path))
        return HLRP_OK;
    HLRP_TRY(hlrp_read_file(path, MOST_BYTES, &text, &size, err));
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (line[0] && line[1] == '\t' && strchr(when, line[0]))
            HLRP_TRY(add_line(out, line[0], line + 2, err));
    }
out:
    free(text);
    return status;
}

/* A write of its own: shards, and a run that is killed, leave whole lines. A disk that is full
 * stops no run for want of a warning. */
static void append(const hlrp_warnings *w, const char *line) {
    hlrp_str s = {0};
    const int fd = open(w->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    hlrp_str_addf(&s, "%s\n", line);
    if (fd >= 0 && !s.failed)
        (void)!write(fd, s.text, s.length);
    if (fd >= 0)
        close(fd);
    hlrp_str_free(&s);
}

static hlrp_status rewrite(const hlrp_warnings *w, hlrp_error *err) {
    hlrp_str s = {0};
    hlrp_status status = HLRP_OK;
    if (w->lines.count == 0) {
        unlink(w->path);
        return HLRP_OK;
    }
    for (int64_t i = 0; i < w->lines.count; i++)
        hlrp_str_addf(&s, "%s\n", w->lines.items[i]);
    status = s.failed ? hlrp_fail(err, HLRP_E_MEMORY, w->path, NULL, "out of memory for warnings")
                      : hlrp_write_file(w->path, s.text, s.length, err);
    hlrp_str_free(&s);
    return status;
}

/* ---- listening ---- */

static void listen(void *ctx, hlrp_log_level level, const char *line) {
    hlrp_warnings *w = ctx;
    hlrp_error ignored = {0};
    if (w->log && w->log->write && level <= w->log->level)
        w->log->write(w->log->ctx, level, line);
    if (level != HLRP_LOG_WARN)
        return;
    pthread_mutex_lock(&w->mutex);
    const int64_t before = w->lines.count;
    add_line(&w->lines, w->now, without_slide(line, w->slide), &ignored);
    if (w->path && w->lines.count > before)
        append(w, w->lines.items[before]);
    pthread_mutex_unlock(&w->mutex);
}

hlrp_status hlrp_warnings_new(const hlrp_log *log, const char *slide, hlrp_warnings **out,
                              hlrp_error *err) {
    const hlrp_log_level level = log ? log->level : HLRP_LOG_WARN;
    hlrp_status status = hlrp_calloc(out, 1, sizeof **out, "warnings", err);
    if (status != HLRP_OK)
        return status;
    hlrp_warnings *w = *out;
    w->log = log;
    w->own = (hlrp_log){.level = HLRP_MAX(level, HLRP_LOG_WARN), .write = listen, .ctx = w};
    w->now = WHILE_OPENING;
    pthread_mutex_init(&w->mutex, NULL);
    w->slide = hlrp_strdup(slide, err);
    return w->slide ? HLRP_OK : HLRP_E_MEMORY;
}

void hlrp_warnings_free(hlrp_warnings *w) {
    if (!w)
        return;
    pthread_mutex_destroy(&w->mutex);
    hlrp_strings_free(&w->lines);
    free(w->slide);
    free(w->path);
    free(w);
}

const hlrp_log *hlrp_warnings_log(const hlrp_warnings *w) {
    return &w->own;
}

/* ---- the folder ---- */

hlrp_status hlrp_warnings_keep(hlrp_warnings *w, const char *folder, bool anew, bool shared,
                               hlrp_error *err) {
    static const char all[] = {WHILE_OPENING, WHILE_COMPUTING, WHILE_SHOWING, '\0'};
    const hlrp_strings said = w->lines;
    hlrp_strings there = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(folder, FILE_NAME, &w->path, err));
    HLRP_TRY(anew ? HLRP_OK : read_lines(w->path, shared ? all : all + 1, &there, err));
    w->now = WHILE_COMPUTING;
    if (shared) {
        for (int64_t i = 0; i < said.count; i++)
            if (!has(&there, said.items[i] + 2, 2))
                append(w, said.items[i]);
        goto out;
    }
    for (int64_t i = 0; i < there.count; i++)
        HLRP_TRY(add_line(&w->lines, there.items[i][0], there.items[i] + 2, err));
    status = w->lines.count > 0 || hlrp_file_exists(w->path) ? rewrite(w, err) : HLRP_OK;
out:
    hlrp_strings_free(&there);
    return status;
}

hlrp_status hlrp_warnings_of_outputs(hlrp_warnings *w, hlrp_error *err) {
    hlrp_strings kept = {0};
    hlrp_status status = HLRP_OK;
    const int64_t before = w->lines.count;
    w->now = WHILE_SHOWING;
    for (int64_t i = 0; i < w->lines.count; i++)
        if (w->lines.items[i][0] != WHILE_SHOWING)
            HLRP_TRY(hlrp_strings_add(&kept, w->lines.items[i], err));
    hlrp_strings_free(&w->lines);
    w->lines = kept;
    kept = (hlrp_strings){0};
    status = w->path && w->lines.count < before ? rewrite(w, err) : HLRP_OK;
out:
    hlrp_strings_free(&kept);
    return status;
}

int64_t hlrp_warnings_count(hlrp_warnings *w) {
    pthread_mutex_lock(&w->mutex); /* status.json is written while tiles are computed */
    const int64_t count = w->lines.count;
    pthread_mutex_unlock(&w->mutex);
    return count;
}

void hlrp_warnings_json(const hlrp_warnings *w, hlrp_str *out) {
    hlrp_str_add(out, "[");
    for (int64_t i = 0; i < w->lines.count; i++) {
        hlrp_str_add(out, i ? ", " : "");
        hlrp_str_add_json(out, w->lines.items[i] + 2);
    }
    hlrp_str_add(out, "]");
}

hlrp_status hlrp_warnings_read(const char *folder, hlrp_strings *out, hlrp_error *err) {
    static const char all[] = {WHILE_OPENING, WHILE_COMPUTING, WHILE_SHOWING, '\0'};
    hlrp_strings lines = {0};
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(folder, FILE_NAME, &path, err));
    HLRP_TRY(read_lines(path, all, &lines, err));
    for (int64_t i = 0; i < lines.count; i++)
        HLRP_TRY(hlrp_strings_add(out, lines.items[i] + 2, err));
out:
    hlrp_strings_free(&lines);
    free(path);
    return status;
}

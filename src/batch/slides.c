#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "batch/slides.h"

#define LIST_MOST (INT64_C(64) << 20)

/* What OpenSlide (3.4 and 4) may open. */
static const char *const EXTENSIONS[] = {".svs", ".tif",  ".tiff",    ".ndpi", ".vms", ".vmu",
                                         ".scn", ".mrxs", ".svslide", ".bif",  ".czi", ".dcm"};

/* A slide, and where it was named: a line of a list, or an item of the configuration (line 0). */
typedef struct named {
    char *path, *stem;
    const char *list; /* borrowed from the item that names it */
    int64_t line;
} named;

typedef struct entries {
    named *items;
    int64_t count, capacity;
    const char *list; /* what is being read */
    int64_t line;
} entries;

static hlrp_status add(entries *to, const char *path, hlrp_error *err) {
    named e = {.list = to->list, .line = to->line};
    hlrp_status status = HLRP_OK;
    e.path = hlrp_strdup(path, err);
    if (!e.path)
        return err->status;
    HLRP_TRY(hlrp_path_stem(path, &e.stem, err));
    HLRP_TRY(hlrp_grow(&to->items, &to->capacity, to->count + 1, sizeof e, err));
    to->items[to->count++] = e;
    return HLRP_OK;
out:
    free(e.path);
    free(e.stem);
    return status;
}

static void free_entries(entries *e) {
    for (int64_t i = 0; i < e->count; i++) {
        free(e->items[i].path);
        free(e->items[i].stem);
    }
    free(e->items);
}

static bool looks_like_slide(const char *name) {
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && dot != name && i < HLRP_COUNT(EXTENSIONS); i++)
        if (strcasecmp(dot, EXTENSIONS[i]) == 0)
            return true;
    return false;
}

static hlrp_status nothing(const char *item, const char *what, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_CONFIG, item, "check batch.slides", "%s", what);
}

static hlrp_status add_folder(const char *item, entries *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t before = out->count;
    char *path = NULL;
    DIR *dir = opendir(item);
    if (!dir)
        return hlrp_fail(err, HLRP_E_CONFIG, item, "check batch.slides and its permissions",
                         "cannot list the folder: %s", strerror(errno));
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.' || !looks_like_slide(entry->d_name))
            continue;
        HLRP_TRY(hlrp_path_join(item, entry->d_name, &path, err));
        if (!hlrp_is_folder(path))
            HLRP_TRY(add(out, path, err));
        free(path);
        path = NULL;
    }
    if (out->count == before)
        status = nothing(item, "the folder holds no slide", err);
out:
    free(path);
    closedir(dir);
    return status;
}

static hlrp_status add_glob(const char *item, entries *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t before = out->count;
    glob_t found = {0};
    const int got = glob(item, GLOB_NOSORT, NULL, &found);
    if (got == GLOB_NOSPACE) {
        status = hlrp_fail(err, HLRP_E_MEMORY, item, NULL, "out of memory for the list of slides");
        goto out;
    }
    for (size_t i = 0; got == 0 && i < found.gl_pathc; i++)
        if (!hlrp_is_folder(found.gl_pathv[i])) /* MRXS slides have a folder beside them */
            HLRP_TRY(add(out, found.gl_pathv[i], err));
    /* Brackets alone make no pattern where they match nothing: they are in many a file's name. */
    if (out->count == before)
        status = strpbrk(item, "*?") ? nothing(item, "the pattern matches no file", err)
                                     : add(out, item, err);
out:
    globfree(&found);
    return status;
}

/* A file whose name holds glob characters is that file. */
static hlrp_status add_item(const char *item, entries *out, hlrp_error *err) {
    if (hlrp_is_folder(item))
        return add_folder(item, out, err);
    if (!hlrp_file_exists(item) && strpbrk(item, "*?["))
        return add_glob(item, out, err);
    return add(out, item, err);
}

/* Cuts blanks at both ends, in place; NULL for a line without an item. */
static char *trim(char *line) {
    line += strspn(line, " \t\r");
    for (size_t n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--)
        line[n - 1] = '\0';
    return *line && *line != '#' ? line : NULL;
}

/* Relative to the folder of the list. */
static hlrp_status add_line(const char *folder, const char *item, entries *out, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    if (item[0] == '@')
        return nothing(out->list, "a list cannot name another list", err);
    if (item[0] == '/' || folder[0] == '\0')
        return add_item(item, out, err);
    HLRP_TRY(hlrp_path_join(folder, item, &path, err));
    status = add_item(path, out, err);
out:
    free(path);
    return status;
}

static hlrp_status add_list(const char *path, entries *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *text = NULL, *folder = NULL;
    int64_t size = 0;
    hlrp_error why = {0};
    if (hlrp_read_file(path, LIST_MOST, &text, &size, &why) != HLRP_OK)
        return hlrp_fail(err, HLRP_E_CONFIG, path, "check batch.slides",
                         "the list of slides cannot be read: %s", why.what);
    HLRP_TRY(hlrp_format(&folder, err, "%.*s", (int)(hlrp_path_name(path) - path), path));
    out->list = path;
    char *line = strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
    for (char *end = line; end; line = end + 1) {
        out->line++;
        end = strchr(line, '\n');
        if (end)
            *end = '\0';
        const char *item = trim(line);
        if (item)
            HLRP_TRY(add_line(folder, item, out, err));
    }
out:
    out->list = NULL;
    out->line = 0;
    free(folder);
    free(text);
    return status;
}

static int by_stem(const void *a, const void *b) {
    const named *x = a, *y = b;
    const int order = strcmp(x->stem, y->stem);
    return order != 0 ? order : x->line < y->line ? -1 : x->line > y->line;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const named *)a)->path, ((const named *)b)->path);
}

/* "line 7 of slides.txt", or batch.slides. */
static const char *place_of(const named *e, char buf[300]) {
    if (e->line > 0)
        snprintf(buf, 300, "line %lld of %.250s", (long long)e->line, e->list);
    else
        snprintf(buf, 300, "batch.slides");
    return buf;
}

static hlrp_status refuse_twins(entries *all, hlrp_error *err) {
    char here[300], there[300];
    qsort(all->items, (size_t)all->count, sizeof *all->items, by_stem);
    for (int64_t i = 1; i < all->count; i++) {
        const named *a = &all->items[i - 1], *b = &all->items[i];
        if (strcmp(a->stem, b->stem) != 0)
            continue;
        place_of(a, there);
        place_of(b, here);
        if (strcmp(a->path, b->path) == 0)
            return hlrp_fail(err, HLRP_E_CONFIG, b->path, "list it once",
                             "the slide is listed twice: in %s and %s", there, here);
        return hlrp_fail(
            err, HLRP_E_CONFIG, b->path, "rename one, or run them into different output folders",
            "its results (%s) would share a folder with those of %s (%s)", here, a->path, there);
    }
    return HLRP_OK;
}

hlrp_status hlrp_slides_expand(const hlrp_strings *items, hlrp_strings *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    entries all = {0};
    for (int64_t i = 0; i < items->count; i++) {
        const char *item = items->items[i];
        if (item[0] == '@')
            HLRP_TRY(add_list(item + 1, &all, err));
        else if (item[0] != '\0')
            HLRP_TRY(add_item(item, &all, err));
    }
    if (all.count == 0)
        HLRP_TRY(nothing("batch.slides", "there is no slide to work on", err));
    HLRP_TRY(refuse_twins(&all, err));
    qsort(all.items, (size_t)all.count, sizeof *all.items, by_path);
    for (int64_t i = 0; i < all.count; i++)
        HLRP_TRY(hlrp_strings_add(out, all.items[i].path, err));
out:
    free_entries(&all);
    return status;
}

hlrp_status hlrp_slides_folder(const char *output, const char *slide, char **folder,
                               hlrp_error *err) {
    char *stem = NULL;
    hlrp_status status = hlrp_path_stem(slide, &stem, err);
    if (status == HLRP_OK)
        status = hlrp_path_join(output, stem, folder, err);
    free(stem);
    return status;
}

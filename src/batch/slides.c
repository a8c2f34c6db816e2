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

static hlrp_status add_folder(const char *item, hlrp_strings *out, hlrp_error *err) {
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
            HLRP_TRY(hlrp_strings_add(out, path, err));
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

static hlrp_status add_glob(const char *item, hlrp_strings *out, hlrp_error *err) {
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
            HLRP_TRY(hlrp_strings_add(out, found.gl_pathv[i], err));
    if (out->count == before)
        status = nothing(item, "the pattern matches no file", err);
out:
    globfree(&found);
    return status;
}

/* A file whose name holds glob characters is that file. */
static hlrp_status add_item(const char *item, hlrp_strings *out, hlrp_error *err) {
    if (hlrp_is_folder(item))
        return add_folder(item, out, err);
    if (!hlrp_file_exists(item) && strpbrk(item, "*?["))
        return add_glob(item, out, err);
    return hlrp_strings_add(out, item, err);
}

/* Cuts blanks at both ends, in place; NULL for a line without an item. */
static char *trim(char *line) {
    line += strspn(line, " \t\r");
    for (size_t n = strlen(line); n && strchr(" \t\r", line[n - 1]); n--)
        line[n - 1] = '\0';
    return *line && *line != '#' ? line : NULL;
}

static hlrp_status add_list(const char *path, hlrp_strings *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *text = NULL, *save = NULL;
    int64_t size = 0;
    hlrp_error why = {0};
    if (hlrp_read_file(path, LIST_MOST, &text, &size, &why) != HLRP_OK)
        return hlrp_fail(err, HLRP_E_CONFIG, path, "check batch.slides",
                         "the list of slides cannot be read: %s", why.what);
    char *from = strncmp(text, "\xEF\xBB\xBF", 3) == 0 ? text + 3 : text;
    for (char *line = strtok_r(from, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *item = trim(line);
        if (item && item[0] == '@') {
            status = nothing(path, "a list cannot name another list", err);
            goto out;
        }
        if (item)
            HLRP_TRY(add_item(item, out, err));
    }
out:
    free(text);
    return status;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

typedef struct named {
    char *stem; /* first: by_text looks at it */
    const char *path;
} named;

static hlrp_status refuse_twins(const hlrp_strings *list, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    named *all = NULL;
    HLRP_TRY(hlrp_calloc(&all, list->count, sizeof *all, "list of slides", err));
    for (int64_t i = 0; i < list->count; i++) {
        all[i].path = list->items[i];
        HLRP_TRY(hlrp_path_stem(list->items[i], &all[i].stem, err));
    }
    qsort(all, (size_t)list->count, sizeof *all, by_text);
    for (int64_t i = 1; i < list->count && status == HLRP_OK; i++) {
        if (strcmp(all[i - 1].stem, all[i].stem) != 0)
            continue;
        if (strcmp(all[i - 1].path, all[i].path) == 0)
            status = hlrp_fail(err, HLRP_E_CONFIG, all[i].path, "list it once (batch.slides)",
                               "the slide is listed twice");
        else
            status =
                hlrp_fail(err, HLRP_E_CONFIG, all[i].path,
                          "rename one, or run them into different output folders",
                          "its results would share a folder with those of %s", all[i - 1].path);
    }
out:
    for (int64_t i = 0; all && i < list->count; i++)
        free(all[i].stem);
    free(all);
    return status;
}

hlrp_status hlrp_slides_expand(const hlrp_strings *items, hlrp_strings *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int64_t i = 0; i < items->count; i++) {
        const char *item = items->items[i];
        if (item[0] == '@')
            HLRP_TRY(add_list(item + 1, out, err));
        else if (item[0] != '\0')
            HLRP_TRY(add_item(item, out, err));
    }
    if (out->count == 0)
        return nothing("batch.slides", "there is no slide to work on", err);
    hlrp_strings_sort(out);
    HLRP_TRY(refuse_twins(out, err));
out:
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

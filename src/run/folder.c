#include "run/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/slides.h"
#include "run/shards.h"

/* ---- from outside ---- */

hlrp_status hlrp_folder_names(const char *path, const char *prefix, hlrp_strings *out,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    DIR *dir = opendir(path);
    if (!dir)
        return hlrp_fail(err, HLRP_E_OUTPUT, path, "check the path and its permissions",
                         "cannot list the folder: %s", strerror(errno));
    for (const struct dirent *entry = readdir(dir); status == HLRP_OK && entry;
         entry = readdir(dir))
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            status = hlrp_strings_add(out, entry->d_name, err);
    closedir(dir);
    hlrp_strings_sort(out);
    return status;
}

hlrp_status hlrp_slide_folders(const char *output, const char *name, hlrp_strings *out,
                               hlrp_error *err) {
    hlrp_strings names = {0};
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_folder_names(output, "", &names, err));
    for (int64_t i = 0; i < names.count; i++) {
        HLRP_TRY(hlrp_format(&path, err, "%s/%s/%s", output, names.items[i], name));
        if (names.items[i][0] != '.' && hlrp_file_exists(path))
            HLRP_TRY(hlrp_strings_add(out, names.items[i], err));
        free(path);
        path = NULL;
    }
out:
    free(path);
    hlrp_strings_free(&names);
    return status;
}

bool hlrp_slide_is_held(const char *folder, const char *except, char who[256]) {
    hlrp_error ignored = {0};
    hlrp_strings locks = {0};
    bool held = false;
    who[0] = '\0';
    hlrp_folder_names(folder, ".lock", &locks, &ignored);
    for (int64_t i = 0; !held && i < locks.count; i++) {
        const char *name = locks.items[i];
        char *path = NULL;
        const bool lock = name[5] == '\0' || name[5] == '-';
        const bool asked = lock && !(except && strcmp(name, except) == 0);
        if (asked && hlrp_path_join(folder, name, &path, &ignored) == HLRP_OK)
            held = hlrp_lock_held(path, HLRP_LOCK_TIMEOUT, who);
        free(path);
    }
    hlrp_strings_free(&locks);
    return held;
}

hlrp_status hlrp_slide_file(const char *output, const char *slide, const char *name, char **path,
                            hlrp_error *err) {
    char *folder = NULL;
    hlrp_status status = hlrp_slides_folder(output, slide, &folder, err);
    if (status == HLRP_OK)
        status = hlrp_path_join(folder, name, path, err);
    free(folder);
    return status;
}

/* ---- files ---- */

hlrp_status hlrp_slide_folder_own_path(const hlrp_slide_folder *f, const char *name, char **out,
                                       hlrp_error *err) {
    const hlrp_run_options *o = f->options;
    if (o->shards <= 1)
        return hlrp_path_join(f->path, name, out, err);
    return hlrp_format(out, err, "%s/%s-%lld-of-%lld", f->path, name, (long long)o->shard,
                       (long long)o->shards);
}

hlrp_status hlrp_slide_folder_remove(const hlrp_slide_folder *f, const char *name,
                                     hlrp_error *err) {
    char *path = NULL;
    const hlrp_status status = hlrp_path_join(f->path, name, &path, err);
    if (status == HLRP_OK)
        unlink(path);
    free(path);
    return status;
}

hlrp_status hlrp_slide_folder_write(const hlrp_slide_folder *f, const char *name,
                                    const hlrp_str *text, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_lock_check(f->lock, err));
    HLRP_TRY(hlrp_path_join(f->path, name, &path, err));
    status = text->failed ? hlrp_fail(err, HLRP_E_MEMORY, path, NULL, "out of memory")
                          : hlrp_write_file(path, text->text, text->length, err);
out:
    free(path);
    return status;
}

/* Whether a name is a journal's, and what follows it says which shard's; NULL: it is none. */
static const char *journal_shard(const char *name) {
    static const char *const journals[] = {HLRP_JOURNAL, HLRP_FEATURES_JOURNAL};
    for (size_t i = 0; i < HLRP_COUNT(journals); i++)
        if (strncmp(name, journals[i], strlen(journals[i])) == 0)
            return name + strlen(journals[i]);
    return NULL;
}

/* Whether somebody is computing the shard, as in ".journal-2-of-4" without ".journal". */
static bool shard_is_held(const hlrp_slide_folder *f, const char *shard) {
    hlrp_error ignored = {0};
    char who[256], *path = NULL;
    const bool held = shard[0] == '-' &&
                      hlrp_format(&path, &ignored, "%s/.lock%s", f->path, shard) == HLRP_OK &&
                      hlrp_lock_held(path, HLRP_LOCK_TIMEOUT, who);
    free(path);
    return held;
}

static bool is_temporary(const char *name) {
    const size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".tmp") == 0;
}

/* all: also journals, and the locks of shards that died. */
static void sweep(const hlrp_slide_folder *f, bool all) {
    hlrp_error ignored = {0};
    hlrp_strings names = {0};
    hlrp_folder_names(f->path, ".", &names, &ignored);
    for (int64_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        const char *shard = journal_shard(name);
        const bool journal = shard && !shard_is_held(f, shard);
        const bool lock = strncmp(name, ".lock-", 6) == 0 && !shard_is_held(f, name + 5);
        if ((all && (journal || lock)) || is_temporary(name))
            hlrp_slide_folder_remove(f, name, &ignored);
    }
    hlrp_strings_free(&names);
}

hlrp_status hlrp_slide_folder_clear(const hlrp_slide_folder *f, hlrp_error *err) {
    const hlrp_status status = hlrp_lock_check(f->lock, err);
    if (status == HLRP_OK)
        sweep(f, true);
    return status;
}

/* ---- taking it and letting go ---- */

hlrp_status hlrp_slide_folder_begin(hlrp_slide_folder *f, const char *output, const char *slide,
                                    hlrp_error *err) {
    f->began = hlrp_seconds();
    hlrp_status status = hlrp_warnings_new(f->options->log, slide, &f->warnings, err);
    f->log = status == HLRP_OK ? hlrp_warnings_log(f->warnings) : f->options->log;
    return status == HLRP_OK ? hlrp_slides_folder(output, slide, &f->path, err) : status;
}

static hlrp_status keep_warnings(hlrp_slide_folder *f, hlrp_error *err) {
    const hlrp_run_options *o = f->options;
    f->keeps_warnings = true;
    return hlrp_warnings_keep(f->warnings, f->path, o->force, o->shards > 1, err);
}

static hlrp_status refuse_other_runs(const hlrp_slide_folder *f, hlrp_error *err) {
    char *whole = NULL, who[256];
    bool held = false;
    const hlrp_status status = hlrp_path_join(f->path, ".lock", &whole, err);
    if (status == HLRP_OK)
        held = f->options->shards > 1 ? hlrp_lock_held(whole, HLRP_LOCK_TIMEOUT, who)
                                      : hlrp_slide_is_held(f->path, ".lock", who);
    free(whole);
    return held ? hlrp_fail(err, HLRP_E_BUSY, f->path, "wait for it, or stop it and run again",
                            "another run is working here (%s)", who)
                : status;
}

hlrp_status hlrp_slide_folder_take(hlrp_slide_folder *f, hlrp_error *err) {
    char *lock = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_make_folders(f->path, err));
    HLRP_TRY(hlrp_slide_folder_own_path(f, ".lock", &lock, err));
    HLRP_TRY(hlrp_lock_acquire(lock, HLRP_LOCK_TIMEOUT, &f->lock, err));
    HLRP_TRY(hlrp_lock_keep(f->lock, HLRP_LOCK_TIMEOUT / 10, err));
    HLRP_TRY(refuse_other_runs(f, err));
    if (f->options->shards <= 1)
        sweep(f, false);
    status = keep_warnings(f, err);
out:
    free(lock);
    return status;
}

/* status.json is not ours to write where another run holds the slide. */
static bool is_ours(const hlrp_slide_folder *f) {
    hlrp_error ignored = {0};
    return f->path && f->where->state != HLRP_STATE_ELSEWHERE &&
           (!f->lock || hlrp_lock_check(f->lock, &ignored) == HLRP_OK) &&
           hlrp_make_folders(f->path, &ignored) == HLRP_OK;
}

void hlrp_slide_folder_close(hlrp_slide_folder *f, bool quietly) {
    hlrp_error ignored = {0};
    if (!quietly && is_ours(f)) {
        if (!f->keeps_warnings) /* it failed before it had a folder */
            keep_warnings(f, &ignored);
        f->where->unsaved = hlrp_slide_folder_write_status(f, &ignored) != HLRP_OK;
    }
    hlrp_lock_release(f->lock);
    hlrp_warnings_free(f->warnings);
    free(f->path);
    *f = (hlrp_slide_folder){0};
}

#include "run/earlier.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "batch/journal.h"
#include "run/shards.h"
#include "sink/unexplained.h"

hlrp_status hlrp_earlier_forget(const hlrp_slide_folder *f, hlrp_error *err) {
    static const char *const journals[] = {HLRP_JOURNAL, HLRP_FEATURES_JOURNAL};
    char *journal = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_folder_remove(f, "relevance.h5", err));
    for (size_t i = 0; i < HLRP_COUNT(journals); i++) {
        HLRP_TRY(hlrp_slide_folder_own_path(f, journals[i], &journal, err));
        unlink(journal);
        free(journal);
        journal = NULL;
    }
    status = hlrp_slide_folder_remove(f, ".outputs", err);
out:
    free(journal);
    return status;
}

/* relevance.h5; *out stays NULL where there is none. */
static hlrp_status open_result(const hlrp_slide_folder *f, hlrp_result **out, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = hlrp_path_join(f->path, "relevance.h5", &path, err);
    if (status == HLRP_OK && hlrp_file_exists(path))
        status = hlrp_result_open(path, out, err);
    free(path);
    return status;
}

/* ---- keys ---- */

/* *out is NULL where nothing was begun. */
static hlrp_status key_of(const hlrp_slide_folder *f, char **out, hlrp_error *err) {
    hlrp_strings journals = {0};
    hlrp_journal_key key = {0};
    hlrp_result *result = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_shards_journals(f->path, HLRP_JOURNAL, &journals, err));
    HLRP_TRY(hlrp_shards_journals(f->path, HLRP_FEATURES_JOURNAL, &journals, err));
    if (journals.count > 0) {
        status = hlrp_journal_peek(journals.items[0], &key, out, err);
        goto out;
    }
    HLRP_TRY(open_result(f, &result, err));
    if (result)
        status = hlrp_result_get_text(result, "/run", "result_key", out, err);
out:
    hlrp_result_close(result);
    hlrp_strings_free(&journals);
    return status;
}

/* What differs but for the machine's lines, "" where nothing does. */
static hlrp_status changes(const char *before, const char *now, char **out, hlrp_error *err) {
    char *theirs = NULL, *ours = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_key_portable(before, &theirs, err));
    HLRP_TRY(hlrp_key_portable(now, &ours, err));
    status = hlrp_config_changes(theirs, ours, out, err);
out:
    free(theirs);
    free(ours);
    return status;
}

hlrp_status hlrp_earlier_adopt(const hlrp_slide_folder *f, char **key, hlrp_error *err) {
    char *before = NULL, *text = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(key_of(f, &before, err));
    if (!before)
        goto out;
    HLRP_TRY(changes(before, *key, &text, err));
    if (text[0] == '\0') {
        free(*key);
        *key = before;
        before = NULL;
    }
out:
    free(before);
    free(text);
    return status;
}

static hlrp_status refuse_changes(const hlrp_slide_folder *f, const char *before, const char *now,
                                  hlrp_error *err) {
    char *text = NULL;
    hlrp_status status = changes(before, now, &text, err);
    if (status == HLRP_OK && text[0] != '\0')
        status = hlrp_fail(err, HLRP_E_INPUT, f->path,
                           "use another output folder, or --force to start over",
                           "the results there were made with other settings: %s", text);
    free(text);
    return status;
}

/* ---- the result ---- */

static hlrp_status count_tiles(hlrp_result *result, hlrp_slide_progress *where, hlrp_error *err) {
    hlrp_unexplained u = {0};
    const hlrp_status status = hlrp_unexplained_count(result, 0, &u, err);
    where->explained += u.explained + u.other;
    where->gated += u.gated;
    where->unreadable += u.unreadable;
    where->done = u.tiles;
    return status;
}

hlrp_status hlrp_earlier_result(const hlrp_slide_folder *f, const char *key, bool *complete,
                                hlrp_error *err) {
    char *before = NULL;
    hlrp_result *result = NULL;
    hlrp_status status = HLRP_OK;
    *complete = false;
    HLRP_TRY(open_result(f, &result, err));
    if (!result)
        goto out;
    HLRP_TRY(hlrp_result_get_text(result, "/run", "result_key", &before, err));
    HLRP_TRY(refuse_changes(f, before ? before : "", key, err));
    HLRP_TRY(count_tiles(result, f->where, err));
    *complete = true;
out:
    hlrp_result_close(result);
    free(before);
    return status;
}

double hlrp_earlier_highest(const hlrp_slide_folder *f, int64_t class) {
    hlrp_result *result = NULL;
    double *values = NULL, highest = NAN;
    hlrp_error ignored = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(open_result(f, &result, &ignored));
    const hlrp_result_info *info = result ? hlrp_result_facts(result) : NULL;
    const int64_t classes = info ? info->classes : 0;
    HLRP_TRY(hlrp_calloc(&values, classes, sizeof *values, f->path, &ignored));
    for (int64_t t = 0; info && t < info->tiles; t++) {
        HLRP_TRY(hlrp_result_read_tiles(result, "probability", t, 1, classes, values, &ignored));
        highest = fmax(highest, values[class]);
    }
out:
    hlrp_result_close(result);
    free(values);
    return status == HLRP_OK ? highest : NAN;
}

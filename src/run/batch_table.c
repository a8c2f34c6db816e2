#include "run/batch_table.h"

#include <histolrp/report.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "run/agreement.h"
#include "run/folder.h"
#include "run/report.h"

/* The table takes milliseconds: a run that waits this long waits for something that hangs. */
enum { WAIT_TRIES = 600, WAIT_MILLISECONDS = 50 };

/* ---- rows ---- */

/* What this run knows of the slide and could not write into its folder. */
static void recall(const hlrp_tally *tally, hlrp_slide_progress *row) {
    for (int64_t i = 0; tally && i < tally->unsaved_count; i++)
        if (strcmp(tally->unsaved[i].slide, row->slide) == 0)
            *row = tally->unsaved[i];
}

/* slide: as listed; NULL: as the folder's status.json has it. */
static hlrp_status collect(const char *folder, const char *slide, hlrp_slide_progress *row,
                           hlrp_error *err) {
    char who[256];
    hlrp_status status = hlrp_progress_collect(folder, "", HLRP_LOCK_TIMEOUT, slide, row, err);
    const bool ours = row->state == HLRP_STATE_INTERRUPTED;
    if (status == HLRP_OK && ours && hlrp_slide_is_held(folder, NULL, who)) {
        row->state = HLRP_STATE_ELSEWHERE;
        snprintf(row->reason, sizeof row->reason, "%s", who);
    }
    return status;
}

/* Folder names of the listed slides in `listed`, and of all that are there in `found`. */
static hlrp_status list_names(const char *output, const hlrp_strings *slides, hlrp_strings *listed,
                              hlrp_strings *found, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int64_t i = 0; slides && i < slides->count; i++) {
        char *stem = NULL;
        HLRP_TRY(hlrp_path_stem(slides->items[i], &stem, err));
        status = hlrp_strings_add(listed, stem, err);
        free(stem);
        HLRP_TRY(status);
    }
    status = hlrp_slide_folders(output, "status.json", found, err);
out:
    return status;
}

static bool is_listed(const hlrp_strings *list, const char *name) {
    for (int64_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], name) == 0)
            return true;
    return false;
}

static int by_slide(const void *a, const void *b) {
    const hlrp_slide_progress *x = a, *y = b;
    return strcmp(x->slide, y->slide);
}

/* Whether another run is at one of the slides or is to come to it: that one has the last word. */
static bool goes_on(const hlrp_slide_progress *rows, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (rows[i].state == HLRP_STATE_PENDING || rows[i].state == HLRP_STATE_ELSEWHERE)
            return true;
    return false;
}

/* Where the maps' signs are not to be trusted: in the log once, when the batch is through. */
static hlrp_status warn_of_signs(const hlrp_batch_table *t, const hlrp_slide_progress *rows,
                                 int64_t count, hlrp_str *text, hlrp_error *err) {
    hlrp_agreement figures = {0};
    const hlrp_status status = hlrp_batch_agreement(t->output, rows, count, t->log, &figures, err);
    if (status != HLRP_OK)
        return status;
    hlrp_agreement_warning(&figures, text);
    if (text->failed)
        return hlrp_fail(err, HLRP_E_MEMORY, t->output, NULL, "out of memory for a warning");
    if (text->length > 0 && !goes_on(rows, count))
        hlrp_logf(t->log, HLRP_LOG_WARN, "%s", text->text);
    return HLRP_OK;
}

static hlrp_status write_files(const hlrp_batch_table *t, const hlrp_lock *lock,
                               const hlrp_slide_progress *rows, int64_t count, hlrp_error *err) {
    char *path = NULL;
    hlrp_str warning = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(t->output, "batch.csv", &path, err));
    HLRP_TRY(hlrp_lock_check(lock, err));
    HLRP_TRY(hlrp_batch_csv_write(path, rows, count, err));
    HLRP_TRY(warn_of_signs(t, rows, count, &warning, err));
    if (!t->report)
        goto out;
    HLRP_TRY(hlrp_lock_check(lock, err));
    status = hlrp_report_write(t->output, rows, count, warning.text ? warning.text : "", err);
out:
    hlrp_str_free(&warning);
    free(path);
    return status;
}

static hlrp_status write_rows(const hlrp_batch_table *t, const hlrp_lock *lock, hlrp_error *err) {
    hlrp_strings listed = {0}, found = {0};
    hlrp_slide_progress *rows = NULL;
    int64_t count = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(list_names(t->output, t->slides, &listed, &found, err));
    HLRP_TRY(hlrp_calloc(&rows, listed.count + found.count, sizeof *rows, "batch.csv", err));
    for (int64_t i = 0; i < listed.count + found.count; i++) {
        const bool known = i < listed.count;
        const char *name = known ? listed.items[i] : found.items[i - listed.count];
        char *folder = NULL;
        if (!known && is_listed(&listed, name))
            continue;
        HLRP_TRY(hlrp_path_join(t->output, name, &folder, err));
        status = collect(folder, known ? t->slides->items[i] : NULL, &rows[count], err);
        free(folder);
        if (status != HLRP_OK && known) { /* a damaged status.json: the slide's rerun mends it */
            rows[count] = (hlrp_slide_progress){.eta = -1};
            snprintf(rows[count].slide, sizeof rows->slide, "%s", t->slides->items[i]);
        }
        recall(t->tally, &rows[count]);
        count += status == HLRP_OK || known;
        status = HLRP_OK; /* a folder that is not ours has no row */
    }
    qsort(rows, (size_t)count, sizeof *rows, by_slide);
    status = write_files(t, lock, rows, count, err);
out:
    free(rows);
    hlrp_strings_free(&listed);
    hlrp_strings_free(&found);
    return status;
}

/* Waits for the lock, as long as its holder can take. */
static hlrp_status acquire(const char *path, hlrp_lock **lock, hlrp_error *err) {
    const struct timespec pause = {.tv_nsec = WAIT_MILLISECONDS * 1000000L};
    hlrp_status status = HLRP_E_BUSY;
    for (int i = 0; i < WAIT_TRIES && status == HLRP_E_BUSY; i++) {
        if (i > 0)
            nanosleep(&pause, NULL);
        status = hlrp_lock_acquire(path, HLRP_LOCK_TIMEOUT, lock, err);
    }
    return status;
}

hlrp_status hlrp_batch_table_write(const hlrp_batch_table *table, hlrp_error *err) {
    char *guard = NULL;
    hlrp_lock *lock = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(table->output, ".lock", &guard, err));
    status = acquire(guard, &lock, err);
    if (status == HLRP_OK)
        status = write_rows(table, lock, err);
    if (status == HLRP_E_BUSY) {
        hlrp_logf(table->log, HLRP_LOG_WARN,
                  "batch.csv is left to another run, which holds %s for too long", guard);
        status = HLRP_OK;
    }
out:
    hlrp_lock_release(lock);
    free(guard);
    return status;
}

hlrp_status hlrp_report_rebuild(const char *output, const hlrp_log *log, hlrp_error *err) {
    hlrp_strings folders = {0};
    hlrp_status status = HLRP_OK;
    if (!hlrp_is_folder(output))
        return hlrp_fail(err, HLRP_E_INPUT, output, "name the folder that batch.output names",
                         "there is no such folder");
    HLRP_TRY(hlrp_slide_folders(output, "status.json", &folders, err));
    if (folders.count == 0)
        status = hlrp_fail(err, HLRP_E_INPUT, output, "name the folder that batch.output names",
                           "no slide has results there");
    else
        status = hlrp_batch_table_write(
            &(hlrp_batch_table){.output = output, .report = true, .log = log}, err);
out:
    hlrp_strings_free(&folders);
    return status;
}

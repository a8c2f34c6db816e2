/* Shards to results: what several machines wrote into their journals is read as one, and from there
 * on a slide goes the way of any other. All that is needed of slide and configuration stands in the
 * run.json that each shard leaves when it begins. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "batch/journal.h"
#include "batch/record.h"
#include "pipelines/batch_table.h"
#include "pipelines/run_slide.h"
#include "pipelines/slide_run.h"
#include "pipelines/tally.h"
#include "run/folder.h"
#include "store/store.h"

enum { RECORD_MOST = 1 << 24 };

/* ---- the journals of one slide ---- */

/* Paths of those whose header is whole: one that is shorter holds no record. */
static hlrp_status list_journals(const hlrp_slide_run *run, hlrp_strings *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_strings names = {0};
    char *path = NULL;
    DIR *dir = opendir(run->folder);
    for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir))
        if (strncmp(entry->d_name, ".journal", 8) == 0)
            HLRP_TRY(hlrp_strings_add(&names, entry->d_name, err));
    hlrp_strings_sort(&names);
    for (int64_t i = 0; i < names.count; i++) {
        hlrp_journal_key key = {0};
        hlrp_error ignored = {0};
        char *text = NULL;
        HLRP_TRY(hlrp_slide_run_path(run, names.items[i], &path, err));
        if (hlrp_journal_peek(path, &key, &text, &ignored) == HLRP_OK)
            HLRP_TRY(hlrp_strings_add(out, path, err));
        free(text);
        free(path);
        path = NULL;
    }
out:
    free(path);
    if (dir)
        closedir(dir);
    hlrp_strings_free(&names);
    return status;
}

/* The key that the shards were computed with, or, where none is left, the result. */
static hlrp_status earlier_key(const hlrp_slide_run *run, char **out, hlrp_error *err) {
    hlrp_strings journals = {0};
    hlrp_journal_key key = {0};
    hlrp_result *result = NULL;
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(list_journals(run, &journals, err));
    if (journals.count > 0) {
        status = hlrp_journal_peek(journals.items[0], &key, out, err);
        goto out;
    }
    HLRP_TRY(hlrp_slide_run_path(run, "relevance.h5", &path, err));
    if (!hlrp_file_exists(path))
        goto out;
    HLRP_TRY(hlrp_result_open(path, &result, err));
    status = hlrp_result_get_text(result, "/run", "result_key", out, err);
out:
    hlrp_result_close(result);
    free(path);
    hlrp_strings_free(&journals);
    return status;
}

hlrp_status hlrp_step_adopt(hlrp_slide_run *run, hlrp_error *err) {
    char *before = NULL, *theirs = NULL, *ours = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(earlier_key(run, &before, err));
    if (!before)
        goto out;
    HLRP_TRY(hlrp_key_portable(before, &theirs, err));
    HLRP_TRY(hlrp_key_portable(run->key_text, &ours, err));
    if (strcmp(theirs, ours) == 0) {
        free(run->key_text);
        run->key_text = before;
        before = NULL;
    }
out:
    free(before);
    free(theirs);
    free(ours);
    return status;
}

/* ---- what is missing ---- */

static int64_t missing_tiles(const hlrp_slide_run *run, int64_t from, int64_t to) {
    int64_t missing = 0;
    for (int64_t t = from; t < to; t++) {
        hlrp_record_status status = HLRP_RECORD_FORWARD;
        missing += !run->journal || !hlrp_journal_has(run->journal, t, &status) ||
                   status == HLRP_RECORD_FORWARD;
    }
    return missing;
}

/* N of ".journal-I-of-N"; 1 where no shard is among them. */
static int64_t shards_of(const hlrp_strings *journals) {
    int64_t shards = 1;
    for (int64_t i = 0; i < journals->count; i++) {
        const char *of = strstr(hlrp_path_name(journals->items[i]), "-of-");
        if (of && hlrp_parse_int(of + 4, &shards))
            break;
    }
    return HLRP_MAX(shards, 1);
}

/* "shard 2 of 4 lacks 17 tiles, …" */
static hlrp_status say_missing(const hlrp_slide_run *run, const hlrp_strings *journals,
                               int64_t missing, hlrp_error *err) {
    const int64_t shards = shards_of(journals);
    hlrp_str text = {0};
    for (int64_t i = 1; i <= shards && text.length < 400; i++) {
        int64_t from = 0, to = 0;
        hlrp_shard_tiles(run, i, shards, &from, &to);
        const int64_t lacks = missing_tiles(run, from, to);
        if (lacks > 0)
            hlrp_str_addf(&text, "%s%lld/%lld lacks %lld of %lld", text.length ? ", " : "",
                          (long long)i, (long long)shards, (long long)lacks,
                          (long long)(to - from));
    }
    const hlrp_status status =
        hlrp_fail(err, HLRP_E_INTERRUPTED, run->survey.path, "run those shards, then merge again",
                  "%lld of %lld tiles are missing: shard %s", (long long)missing,
                  (long long)run->survey.tile_count, text.text ? text.text : "");
    hlrp_str_free(&text);
    return status;
}

hlrp_status hlrp_step_join(hlrp_slide_run *run, hlrp_error *err) {
    hlrp_strings journals = {0};
    hlrp_journal_key key = {0};
    int64_t missing = 0;
    hlrp_status status = HLRP_OK;
    if (run->survey.tile_count == 0)
        return HLRP_OK;
    HLRP_TRY(list_journals(run, &journals, err));
    HLRP_TRY(hlrp_slide_run_journal_key(run, &key, err));
    if (journals.count > 0)
        HLRP_TRY(hlrp_journal_open_read((const char *const *)journals.items, journals.count, &key,
                                        &run->journal, err));
    if (run->journal)
        hlrp_slide_run_count(run);
    missing = missing_tiles(run, 0, run->survey.tile_count);
    status = missing > 0 ? say_missing(run, &journals, missing, err)
                         : hlrp_slide_run_check_faults(run, err);
out:
    hlrp_strings_free(&journals);
    return status;
}

/* ---- slide by slide ---- */

/* What stays the same from slide to slide is kept: most batches have one configuration. */
typedef struct merging {
    const char *output;
    const hlrp_run_options *options;
    char *text; /* of the configuration */
    hlrp_config *config;
    hlrp_network *net;
    hlrp_tally tally;
    hlrp_cancel cancel;
} merging;

static void forget(merging *m) {
    hlrp_network_free(m->net);
    hlrp_config_free(m->config);
    free(m->text);
    m->net = NULL;
    m->config = NULL;
    m->text = NULL;
}

/* The network of the configuration that run.json holds; results go where they lie, wherever the
 * folder was mounted when it was written. */
static hlrp_status load(merging *m, char *text, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *output = NULL;
    if (m->text && strcmp(m->text, text) == 0) {
        free(text);
        return HLRP_OK;
    }
    forget(m);
    m->text = text;
    HLRP_TRY(hlrp_config_parse(text, path, &m->config, err));
    HLRP_TRY(hlrp_format(&output, err, "%s", m->output));
    free(m->config->batch.output);
    m->config->batch.output = output;
    status = hlrp_network_prepare(m->config, m->options->log, &m->net, err);
out:
    if (status != HLRP_OK)
        forget(m);
    return status;
}

/* Its folder's journals into results. */
static hlrp_status merge_slide(merging *m, const char *name, hlrp_slide_progress *where,
                               hlrp_error *err) {
    char *folder = NULL, *path = NULL, *record = NULL, *slide = NULL, *text = NULL, who[256];
    int64_t size = 0;
    hlrp_status status = HLRP_OK;
    snprintf(where->slide, sizeof where->slide, "%s", name);
    where->state = HLRP_STATE_FAILED;
    HLRP_TRY(hlrp_path_join(m->output, name, &folder, err));
    HLRP_TRY(hlrp_path_join(folder, "run.json", &path, err));
    HLRP_TRY(hlrp_read_file(path, RECORD_MOST, &record, &size, err));
    HLRP_TRY(hlrp_json_text(record, "slide", path, &slide, err));
    HLRP_TRY(hlrp_json_text(record, "config", path, &text, err));
    if (hlrp_slide_is_held(folder, NULL, who)) {
        where->state = HLRP_STATE_ELSEWHERE;
        status = hlrp_fail(err, HLRP_E_BUSY, folder, "merge again when it is done",
                           "a run is still working here (%s)", who);
        goto out;
    }
    status = load(m, text, path, err);
    text = NULL;
    HLRP_TRY(status);
    const hlrp_batch_run batch = {.config = m->config,
                                  .options = m->options,
                                  .net = m->net,
                                  .threads = m->options->threads > 0 ? m->options->threads
                                                                     : hlrp_sched_default_threads(),
                                  .cancel = &m->cancel,
                                  .merge = true};
    status = hlrp_run_slide(&batch, slide, where, err);
out:
    free(folder);
    free(path);
    free(record);
    free(slide);
    free(text);
    return status;
}

/* Whether there is nothing to join: the result is there, and no journal. */
static bool is_joined(const char *output, const char *name) {
    char *folder = NULL, *result = NULL;
    hlrp_error ignored = {0};
    hlrp_strings journals = {0};
    bool joined = hlrp_path_join(output, name, &folder, &ignored) == HLRP_OK &&
                  hlrp_path_join(folder, "relevance.h5", &result, &ignored) == HLRP_OK &&
                  hlrp_file_exists(result);
    const hlrp_slide_run run = {.folder = folder};
    joined = joined && list_journals(&run, &journals, &ignored) == HLRP_OK && journals.count == 0;
    hlrp_strings_free(&journals);
    free(folder);
    free(result);
    return joined;
}

static void merge_slides(merging *m, const hlrp_strings *names) {
    const hlrp_run_options *o = m->options;
    m->tally.asked = names->count;
    for (int64_t i = 0; i < names->count; i++) {
        hlrp_slide_progress where = {0};
        hlrp_error err = {0};
        if (o->stop && o->stop(o->stop_ctx)) {
            m->tally.interrupted = true;
            break;
        }
        if (is_joined(m->output, names->items[i])) {
            hlrp_logf(o->log, HLRP_LOG_INFO, "%s: complete already", names->items[i]);
            continue;
        }
        char line[2000];
        const hlrp_status status = merge_slide(m, names->items[i], &where, &err);
        if (status == HLRP_E_INTERRUPTED && names->count > 1)
            hlrp_logf(o->log, HLRP_LOG_WARN, "%s", hlrp_error_line(&err, line, sizeof line));
        hlrp_tally_add(&m->tally, o, &where, &err);
    }
}

static hlrp_status verdict(const merging *m, hlrp_error *err) {
    const hlrp_tally *t = &m->tally;
    if (t->failed == 0 && t->interrupted && t->asked == 1 && t->why.what[0] != '\0') {
        *err = t->why;
        return err->status;
    }
    if (t->failed == 0 && t->interrupted)
        return hlrp_fail(err, HLRP_E_INTERRUPTED, m->output,
                         "run the missing shards, then merge again",
                         "not every slide could be joined");
    return hlrp_tally_verdict(t, m->options, err);
}

hlrp_status hlrp_merge_output(const char *output, const hlrp_run_options *options,
                              hlrp_error *err) {
    hlrp_strings names = {0};
    merging m = {.output = output, .options = options};
    hlrp_error table_error = {0};
    hlrp_status status = HLRP_OK, table = HLRP_OK;
    const hlrp_batch_table rows = {
        .output = output, .tally = &m.tally, .report = true, .log = options->log};
    HLRP_TRY(hlrp_slide_folders(output, "run.json", &names, err));
    if (names.count == 0) {
        status = hlrp_fail(err, HLRP_E_CONFIG, output, "give the folder that batch.output names",
                           "no folder below it holds a run.json");
        goto out;
    }
    merge_slides(&m, &names);
    table = hlrp_batch_table_write(&rows, &table_error);
    m.tally.no_table = table != HLRP_OK;
    status = hlrp_tally_with_table(verdict(&m, err), table, &table_error, options->log, err);
out:
    hlrp_tally_free(&m.tally);
    forget(&m);
    hlrp_strings_free(&names);
    return status;
}

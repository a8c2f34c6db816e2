/* Shards to results: what several machines wrote into their journals is read as one, and from there
 * on a slide goes the way of any other. All that is needed of slide and configuration stands in the
 * run.json that each shard leaves when it begins. */
#include <stdlib.h>
#include <string.h>

#include "pipelines/run_slide.h"
#include "run/batch_table.h"
#include "run/folder.h"
#include "run/provenance.h"
#include "run/shards.h"

/* ---- slide by slide ---- */

/* What stays the same from slide to slide is kept: most batches have one configuration. */
typedef struct merging {
    const char *output;
    const hlrp_run_options *options;
    char *text; /* of the configuration */
    hlrp_config *config;
    hlrp_network *net; /* one of these two */
    hlrp_mil *mil;
    hlrp_batch_run batch; /* with the networks */
    hlrp_tally tally;
    hlrp_cancel cancel;
} merging;

static void forget(merging *m) {
    hlrp_network_free(m->net);
    hlrp_mil_free(m->mil);
    hlrp_config_free(m->config);
    free(m->text);
    m->net = NULL;
    m->mil = NULL;
    m->config = NULL;
    m->text = NULL;
}

/* The network of the configuration that run.json holds, whose text becomes m's; results go where they
 * lie, wherever the folder was mounted when it was written. */
static hlrp_status load(merging *m, char **text, const char *folder, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *output = NULL, *path = NULL;
    if (m->text && strcmp(m->text, *text) == 0)
        return HLRP_OK;
    forget(m);
    m->text = *text;
    *text = NULL;
    HLRP_TRY(hlrp_path_join(folder, "run.json", &path, err));
    HLRP_TRY(hlrp_config_parse(m->text, path, &m->config, err));
    HLRP_TRY(hlrp_format(&output, err, "%s", m->output));
    free(m->config->batch.output);
    m->config->batch.output = output;
    status = hlrp_batch_networks(&m->batch, m->config, &m->net, &m->mil, err);
out:
    free(path);
    if (status != HLRP_OK)
        forget(m);
    return status;
}

/* Its folder's journals into results. */
static hlrp_status merge_slide(merging *m, const char *name, hlrp_slide_progress *where,
                               hlrp_error *err) {
    char *folder = NULL, *slide = NULL, *text = NULL, who[256];
    hlrp_status status = HLRP_OK;
    snprintf(where->slide, sizeof where->slide, "%s", name);
    where->state = HLRP_STATE_FAILED;
    HLRP_TRY(hlrp_path_join(m->output, name, &folder, err));
    HLRP_TRY(hlrp_provenance_text(folder, "slide", &slide, err));
    HLRP_TRY(hlrp_provenance_text(folder, "config", &text, err));
    if (hlrp_slide_is_held(folder, NULL, who)) {
        where->state = HLRP_STATE_ELSEWHERE;
        status = hlrp_fail(err, HLRP_E_BUSY, folder, "merge again when it is done",
                           "a run is still working here (%s)", who);
        goto out;
    }
    HLRP_TRY(load(m, &text, folder, err));
    status = hlrp_run_slide(&m->batch, slide, where, err);
out:
    free(folder);
    free(slide);
    free(text);
    return status;
}

/* Whether there is nothing to join: the result is there, and no journal. */
static bool is_joined(const char *output, const char *name) {
    char *folder = NULL, *result = NULL;
    hlrp_error ignored = {0};
    hlrp_strings journals = {0};
    const bool joined =
        hlrp_path_join(output, name, &folder, &ignored) == HLRP_OK &&
        hlrp_path_join(folder, "relevance.h5", &result, &ignored) == HLRP_OK &&
        hlrp_file_exists(result) &&
        hlrp_shards_journals(folder, HLRP_JOURNAL, &journals, &ignored) == HLRP_OK &&
        hlrp_shards_journals(folder, HLRP_FEATURES_JOURNAL, &journals, &ignored) == HLRP_OK &&
        journals.count == 0;
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
    m.batch = (hlrp_batch_run){.options = options,
                               .threads = options->threads > 0 ? options->threads
                                                               : hlrp_sched_default_threads(),
                               .cancel = &m.cancel,
                               .merge = true};
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

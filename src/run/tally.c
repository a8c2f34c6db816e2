#include "run/tally.h"

#include <stdlib.h>

static void say(const hlrp_run_options *o, const hlrp_slide_progress *p, const hlrp_error *err) {
    char line[2000];
    hlrp_error_line(err, line, sizeof line);
    if (p->state == HLRP_STATE_FAILED)
        hlrp_logf(o->log, HLRP_LOG_ERROR, "%s", line);
    else if (p->state == HLRP_STATE_ELSEWHERE)
        hlrp_logf(o->log, HLRP_LOG_WARN, "%s is left to another run: %s", p->slide, line);
    else if (p->state == HLRP_STATE_EMPTY)
        hlrp_logf(o->log, HLRP_LOG_WARN, "%s is empty: %s", p->slide, p->reason);
    else if (o->shards > 1 && p->state == HLRP_STATE_INTERRUPTED && err->status == HLRP_OK)
        hlrp_logf(o->log, HLRP_LOG_INFO, "%s: %s, %.1f tiles/s", p->slide, p->reason, p->rate);
    else
        hlrp_logf(o->log, HLRP_LOG_INFO, "%s: %s, %lld tiles (%lld explained), %.1f tiles/s",
                  p->slide, hlrp_state_name(p->state), (long long)p->tiles, (long long)p->explained,
                  p->rate);
}

static void keep(hlrp_tally *t, const hlrp_slide_progress *p) {
    hlrp_error ignored = {0};
    if (p->unsaved && hlrp_grow(&t->unsaved, &t->unsaved_capacity, t->unsaved_count + 1,
                                sizeof *t->unsaved, &ignored) == HLRP_OK)
        t->unsaved[t->unsaved_count++] = *p;
}

void hlrp_tally_free(hlrp_tally *tally) {
    free(tally->unsaved);
    *tally = (hlrp_tally){0};
}

void hlrp_tally_add(hlrp_tally *t, const hlrp_run_options *o, const hlrp_slide_progress *p,
                    const hlrp_error *err) {
    const bool failed = p->state == HLRP_STATE_FAILED;
    t->complete += p->state == HLRP_STATE_COMPLETE;
    t->empty += p->state == HLRP_STATE_EMPTY;
    t->failed += failed;
    t->elsewhere += p->state == HLRP_STATE_ELSEWHERE;
    t->interrupted |= err->status == HLRP_E_INTERRUPTED;
    if (failed || (t->failed == 0 && err->status != HLRP_OK))
        t->why = *err;
    keep(t, p);
    if (failed ? t->asked > 1 : !o->dry_run)
        say(o, p, err);
}

void hlrp_tally_sum(const hlrp_tally *t, const hlrp_run_options *o) {
    if (t->asked < 2 || o->dry_run)
        return;
    hlrp_str s = {0};
    hlrp_str_addf(&s, "%lld slides: %lld complete", (long long)t->asked, (long long)t->complete);
    if (t->empty > 0)
        hlrp_str_addf(&s, ", %lld empty (nothing was explained; batch.csv says why)",
                      (long long)t->empty);
    if (t->elsewhere > 0)
        hlrp_str_addf(&s, ", %lld left to another run", (long long)t->elsewhere);
    if (t->failed > 0)
        hlrp_str_addf(&s, ", %lld failed", (long long)t->failed);
    if (s.text)
        hlrp_logf(o->log, t->empty > 0 ? HLRP_LOG_WARN : HLRP_LOG_INFO, "%s", s.text);
    hlrp_str_free(&s);
}

hlrp_status hlrp_tally_verdict(const hlrp_tally *t, const hlrp_run_options *o, hlrp_error *err) {
    const char *reasons = o->dry_run || t->no_table ? NULL : "batch.csv has the reasons";
    /* Slides that were not looked at yet count more than those that failed: a batch system starts
     * what was interrupted again, and the last run has the last word on the others. */
    if (t->interrupted && t->failed > 0 && t->asked > 1)
        return hlrp_fail(err, HLRP_E_INTERRUPTED, reasons, "run again to finish",
                         "interrupted, and %lld of %lld slides failed", (long long)t->failed,
                         (long long)t->asked);
    if (t->interrupted)
        return hlrp_fail(err, HLRP_E_INTERRUPTED, NULL, "run again to finish", "interrupted");
    if (t->failed > 0 && t->asked == 1)
        return hlrp_fail(err, HLRP_E_INPUT, t->why.where, t->why.mend, "%s", t->why.what);
    if (t->failed > 0)
        return hlrp_fail(err, HLRP_E_INPUT, reasons,
                         "mend them and run again: finished slides are kept",
                         "%lld of %lld slides failed", (long long)t->failed, (long long)t->asked);
    if (t->elsewhere > 0)
        return hlrp_fail(err, HLRP_E_BUSY, NULL, "run again when they are done",
                         "%lld of the slides are left to another run", (long long)t->elsewhere);
    return HLRP_OK;
}

hlrp_status hlrp_tally_with_table(hlrp_status status, hlrp_status table,
                                  const hlrp_error *table_error, const hlrp_log *log,
                                  hlrp_error *err) {
    char line[2000];
    if (table == HLRP_OK)
        return status;
    if (status == HLRP_OK) {
        *err = *table_error;
        return table;
    }
    hlrp_logf(log, HLRP_LOG_ERROR, "%s", hlrp_error_line(table_error, line, sizeof line));
    return status;
}

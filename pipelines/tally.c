#include "pipelines/tally.h"

static void say(const hlrp_run_options *o, const hlrp_slide_progress *p, const hlrp_error *err) {
    char line[2000];
    hlrp_error_line(err, line, sizeof line);
    if (p->state == HLRP_STATE_FAILED)
        hlrp_logf(o->log, HLRP_LOG_ERROR, "%s", line);
    else if (p->state == HLRP_STATE_ELSEWHERE)
        hlrp_logf(o->log, HLRP_LOG_WARN, "%s is left to another run: %s", p->slide, line);
    else if (p->state == HLRP_STATE_EMPTY)
        hlrp_logf(o->log, HLRP_LOG_WARN, "%s has no tile to look at: see its regions.png",
                  p->slide);
    else if (o->shards > 1 && p->state == HLRP_STATE_INTERRUPTED && err->status == HLRP_OK)
        hlrp_logf(o->log, HLRP_LOG_INFO, "%s: %s, %.1f tiles/s", p->slide, p->reason, p->rate);
    else
        hlrp_logf(o->log, HLRP_LOG_INFO, "%s: %s, %lld tiles (%lld explained), %.1f tiles/s",
                  p->slide, hlrp_state_name(p->state), (long long)p->tiles, (long long)p->explained,
                  p->rate);
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
    if (failed ? t->asked > 1 : !o->dry_run)
        say(o, p, err);
}

hlrp_status hlrp_tally_verdict(const hlrp_tally *t, const hlrp_run_options *o, hlrp_error *err) {
    if (t->failed > 0 && t->asked == 1)
        return hlrp_fail(err, HLRP_E_INPUT, t->why.where, t->why.mend, "%s", t->why.what);
    if (t->failed > 0)
        return hlrp_fail(err, HLRP_E_INPUT, o->dry_run ? NULL : "batch.csv has the reasons",
                         "mend them and run again: finished slides are kept",
                         "%lld of %lld slides failed", (long long)t->failed, (long long)t->asked);
    if (t->interrupted)
        return hlrp_fail(err, HLRP_E_INTERRUPTED, NULL, "run again to finish", "interrupted");
    if (t->elsewhere > 0)
        return hlrp_fail(err, HLRP_E_BUSY, NULL, "run again when they are done",
                         "%lld of the slides are left to another run", (long long)t->elsewhere);
    return HLRP_OK;
}

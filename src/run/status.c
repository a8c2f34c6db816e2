/* status.json: how far the slide is, while it runs. */
#include <stdlib.h>

#include "run/folder.h"

enum { STATUS_SECONDS = 3, EVENT_SECONDS = 60 };

/* For logs that programs read: every change, and a line a minute. */
static void tell(hlrp_slide_folder *f) {
    const hlrp_run_options *o = f->options;
    const double now = hlrp_seconds();
    hlrp_str line = {0};
    if (!o->event || (f->told_state == f->where->state && now - f->told < EVENT_SECONDS))
        return;
    f->told = now;
    f->told_state = f->where->state;
    hlrp_progress_json(f->where, &line);
    if (!line.failed)
        o->event(o->event_ctx, line.text);
    hlrp_str_free(&line);
}

hlrp_status hlrp_slide_folder_write_status(hlrp_slide_folder *f, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = hlrp_path_join(f->path, "status.json", &path, err);
    f->where->warnings = hlrp_warnings_count(f->warnings);
    hlrp_timestamp(f->where->updated);
    tell(f);
    if (status == HLRP_OK)
        status = hlrp_progress_write(path, f->where, err);
    free(path);
    return status;
}

hlrp_status hlrp_slide_folder_start(hlrp_slide_folder *f, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = hlrp_path_join(f->path, "status.json", &path, err);
    if (status == HLRP_OK && !f->options->force)
        hlrp_progress_recall(path, f->where);
    free(path);
    return status == HLRP_OK ? hlrp_slide_folder_write_status(f, err) : status;
}

void hlrp_slide_folder_beat(hlrp_slide_folder *f) {
    const double now = hlrp_seconds();
    hlrp_error ignored = {0};
    if (f->where->state != HLRP_STATE_RUNNING || now - f->written < STATUS_SECONDS ||
        hlrp_lock_check(f->lock, &ignored) != HLRP_OK)
        return;
    f->written = now;
    hlrp_slide_folder_write_status(f, &ignored);
}

hlrp_status hlrp_slide_folder_go_on(hlrp_slide_folder *f, const char *what, hlrp_error *err) {
    const hlrp_run_options *o = f->options;
    if (o->stop && o->stop(o->stop_ctx))
        return hlrp_fail(err, HLRP_E_INTERRUPTED, f->where->slide, "run again to finish",
                         "interrupted at %s", what);
    snprintf(f->where->reason, sizeof f->where->reason, "%s", what);
    hlrp_slide_folder_beat(f);
    return hlrp_lock_check(f->lock, err);
}

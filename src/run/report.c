#include "run/report.h"

#include <stdlib.h>

#include "batch/slides.h"
#include "run/warnings.h"
#include "sink/report.h"

static hlrp_status fill_row(const char *output, const hlrp_slide_progress *progress,
                            hlrp_report_row *row, hlrp_error *err) {
    char *folder = NULL;
    hlrp_status status = hlrp_slides_folder(output, progress->slide, &folder, err);
    *row = (hlrp_report_row){.slide = progress->slide,
                             .state = hlrp_state_name(progress->state),
                             .reason = progress->reason,
                             .tiles = progress->tiles,
                             .explained = progress->explained,
                             .seconds = progress->seconds};
    if (status == HLRP_OK)
        status = hlrp_path_join(folder, ".report.html", &row->fragment, err);
    if (status == HLRP_OK)
        status = hlrp_warnings_read(folder, &row->warnings, err);
    free(folder);
    return status;
}

hlrp_status hlrp_report_write(const char *output, const hlrp_slide_progress *progress,
                              int64_t count, const char *warning, hlrp_error *err) {
    hlrp_report_row *rows = NULL;
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(output, "report.html", &path, err));
    HLRP_TRY(hlrp_calloc(&rows, count, sizeof *rows, "a report", err));
    for (int64_t i = 0; i < count; i++)
        HLRP_TRY(fill_row(output, &progress[i], &rows[i], err));
    status = hlrp_report_page(path, rows, count, warning, err);
out:
    for (int64_t i = 0; rows && i < count; i++) {
        hlrp_strings_free(&rows[i].warnings);
        free(rows[i].fragment);
    }
    free(rows);
    free(path);
    return status;
}

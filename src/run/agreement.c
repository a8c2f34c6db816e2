#include "run/agreement.h"

#include <math.h>
#include <stdlib.h>

#include "run/folder.h"

/* ---- a slide ---- */

static void add_count(hlrp_str *s, const char *name, int64_t value) {
    hlrp_str_addf(s, "    \"%s\": %lld,\n", name, (long long)value);
}

void hlrp_agreement_json(const hlrp_agreement *all, const hlrp_agreement *shown,
                         const char *class_name, hlrp_str *s) {
    if (all->compared == 0) {
        hlrp_str_add(s, "null");
        return;
    }
    hlrp_str_add(s, "{\n");
    add_count(s, "compared", all->compared);
    add_count(s, "disagree", all->differ);
    hlrp_str_addf(s, "    \"disagree_share\": %.17g,\n", hlrp_agreement_share(all));
    add_count(s, "clear_tiles", all->clear);
    add_count(s, "clear_disagree", all->clear_differ);
    hlrp_str_addf(s, "    \"relevance_over_start\": %.17g,\n    \"class\": ", all->over_start);
    hlrp_str_add_json(s, class_name);
    hlrp_str_add(s, ",\n");
    add_count(s, "network_against", shown->against);
    add_count(s, "network_against_map_for", shown->turned_for);
    add_count(s, "network_for", shown->in_favor);
    hlrp_str_addf(s, "    \"network_for_map_against\": %lld\n  }",
                  (long long)shown->turned_against);
}

/* ---- a batch ---- */

static hlrp_status add_slide(const char *output, const hlrp_slide_progress *row, int pass,
                             const hlrp_log *log, hlrp_agreement_measure *m, hlrp_error *err) {
    char *path = NULL, line[2000];
    hlrp_result *result = NULL;
    hlrp_error unread = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_slide_file(output, row->slide, "relevance.h5", &path, err));
    if (!hlrp_file_exists(path))
        goto out;
    if (hlrp_result_open(path, &result, &unread) == HLRP_OK)
        status = hlrp_agreement_add(m, result, -1, err);
    else if (pass == 0)
        hlrp_logf(log, HLRP_LOG_WARN, "left out where map and network are compared: %s",
                  hlrp_error_line(&unread, line, sizeof line));
out:
    hlrp_result_close(result);
    free(path);
    return status;
}

hlrp_status hlrp_batch_agreement(const char *output, const hlrp_slide_progress *rows, int64_t count,
                                 const hlrp_log *log, hlrp_agreement *out, hlrp_error *err) {
    hlrp_agreement_measure *m = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_agreement_begin(&m, err));
    for (int pass = 0; pass < HLRP_AGREEMENT_PASSES; pass++) {
        for (int64_t i = 0; i < count; i++)
            if (rows[i].state == HLRP_STATE_COMPLETE)
                HLRP_TRY(add_slide(output, &rows[i], pass, log, m, err));
        hlrp_agreement_next_pass(m);
    }
    hlrp_agreement_end(m, out);
out:
    hlrp_agreement_free(m);
    return status;
}

/* "96 %", but "0.4 %" and "99.7 %" where whole numbers would say none or all. */
static void add_percent(hlrp_str *s, double share) {
    const double percent = 100 * share;
    const bool whole = percent == 0 || percent == 100 || (percent >= 1 && percent < 99.5);
    hlrp_str_addf(s, whole ? "%.0f %%" : "%.1f %%", percent);
}

void hlrp_agreement_warning(const hlrp_agreement *a, hlrp_str *s) {
    const bool differs = hlrp_agreement_differs(a), cancels = hlrp_agreement_cancels(a);
    if (differs) {
        hlrp_str_addf(s,
                      "map and network do not agree: on %lld of %lld tiles on which the network is "
                      "decided (",
                      (long long)a->clear_differ, (long long)a->clear);
        add_percent(s, (double)a->clear_differ / (double)a->clear);
        hlrp_str_add(s,
                     ") the map adds up to the other sign, and its colors there do not mean what "
                     "they say");
    }
    if (cancels)
        hlrp_str_addf(s,
                      "%s in the median tile Σ|relevance| is %.3g times the start: most of what "
                      "the map shows cancels out",
                      differs ? ";" : "the map is out of proportion:", a->over_start);
    if (differs || cancels)
        hlrp_str_add(s, "; lrp.bias = share, lrp.start = auto or another lrp.composite may help");
}

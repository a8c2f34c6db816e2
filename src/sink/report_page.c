/* report.html: a table of all slides, what stands out, then a section for each slide. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sink/html.h"
#include "sink/report_fragment.h"
#include "sink/report_style.h"
#include "sink/text.h"

/* A slide's row with what its fragment says. */
typedef struct entry {
    const hlrp_report_row *row;
    bool told; /* it has a fragment */
    hlrp_fragment facts;
} entry;

typedef struct page {
    const hlrp_report_row *rows;
    int64_t count;
    const char *warning; /* on the batch as a whole, or "" */
    entry *entries;
    bool bags, tiles; /* slides with one score of all tiles, and those whose tiles have one each */
    hlrp_text file;
} page;

static bool is_bag(const entry *e) {
    return e->told && e->facts.called[0];
}

static bool is_done(const hlrp_report_row *row) {
    return strcmp(row->state, "complete") == 0 || strcmp(row->state, "empty") == 0;
}

/* A slide without a fragment, or with one that cannot be read, still has its row. */
static hlrp_status read_heads(page *p, hlrp_error *err) {
    hlrp_status status =
        hlrp_calloc(&p->entries, p->count, sizeof *p->entries, "the report's slides", err);
    for (int64_t i = 0; status == HLRP_OK && i < p->count; i++) {
        entry *e = &p->entries[i];
        hlrp_error unread = {0};
        char *text = NULL;
        const char *body = NULL;
        e->row = &p->rows[i];
        if (is_done(e->row) && hlrp_file_exists(e->row->fragment)) {
            status = hlrp_fragment_read(e->row->fragment, &e->facts, &text, &body, &unread);
            e->told = status == HLRP_OK;
            if (status == HLRP_E_MEMORY)
                *err = unread;
            else
                status = HLRP_OK;
        }
        free(text);
        p->bags |= is_bag(e);
        p->tiles |= e->told && !is_bag(e);
    }
    p->tiles |= !p->bags;
    return status;
}

/* ---- the head ---- */

static int nibble(char hex) {
    return hex >= 'a' ? hex - 'a' + 10 : hex - '0';
}

static void add_policy(hlrp_str *s) {
    char hex[65];
    uint8_t digest[32];
    hlrp_sha256_bytes(hlrp_report_js, strlen(hlrp_report_js), hex);
    for (int i = 0; i < 32; i++)
        digest[i] = (uint8_t)(16 * nibble(hex[2 * i]) + nibble(hex[2 * i + 1]));
    hlrp_str_add(s,
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                 "img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
                 "script-src 'sha256-");
    hlrp_html_base64(s, digest, sizeof digest);
    hlrp_str_add(s, "'\">\n");
}

static void add_states(const page *p, hlrp_str *s) {
    static const char *const states[] = {
        "complete", "empty", "failed", "interrupted", "running", "running elsewhere", "pending"};
    hlrp_str_add(s, "<ul class=\"chips\" aria-label=\"slides by status\">");
    for (size_t k = 0; k < HLRP_COUNT(states); k++) {
        int64_t count = 0;
        for (int64_t i = 0; i < p->count; i++)
            count += strcmp(p->rows[i].state, states[k]) == 0;
        if (count > 0)
            hlrp_str_addf(s, "<li><strong>%lld</strong> %s</li>", (long long)count, states[k]);
    }
    hlrp_str_add(s, "</ul>\n");
}

static void add_head(const page *p, hlrp_str *s) {
    char now[32];
    hlrp_timestamp(now);
    hlrp_str_add(s, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    add_policy(s);
    hlrp_str_add(s, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<title>Relevance report</title>\n<style>\n");
    for (int i = 0; hlrp_report_css[i]; i++)
        hlrp_str_add(s, hlrp_report_css[i]);
    hlrp_str_addf(
        s,
        "</style>\n</head>\n<body>\n<header class=\"page\" id=\"top\">"
        "<h1>Relevance report</h1><p class=\"lead\">%lld slide%s. Made by histolrp " HLRP_VERSION
        " at <time>%s</time>.</p>\n",
        (long long)p->count, p->count == 1 ? "" : "s", now);
    add_states(p, s);
    hlrp_str_add(s, "</header>\n<main>\n");
}

/* ---- what stands out ---- */

static const char *name_of(const entry *e) {
    return hlrp_path_name(e->row->slide);
}

static void add_alarm(const page *p, int64_t accused, hlrp_str *s) {
    hlrp_str_addf(s,
                  "<div class=\"alarm\" role=\"note\"><h2><span aria-hidden=\"true\">⚠ </span>The "
                  "network looks where no tissue is, on %lld of %lld slides</h2><p>Its answer may "
                  "rest on ink or glass: do not trust it without a look at these.</p><ul>",
                  (long long)accused, (long long)p->count);
    for (int64_t i = 0; i < p->count; i++) {
        const hlrp_fragment *f = &p->entries[i].facts;
        if (!p->entries[i].told || !hlrp_fragment_accused(f))
            continue;
        hlrp_str_addf(s, "<li><a href=\"#s%lld\">", (long long)i + 1);
        hlrp_html_text(s, name_of(&p->entries[i]));
        hlrp_str_add(s, "</a>");
        for (int64_t k = 0; k < f->kind_count; k++) {
            if (!f->kinds[k].accused)
                continue;
            hlrp_str_add(s, ": ");
            hlrp_html_text(s, f->kinds[k].name);
            hlrp_str_add(s, ", ");
            hlrp_html_share(s, f->kinds[k].pixels / f->pixels);
            hlrp_str_add(s, " of the area, gets ");
            hlrp_html_share(s, f->plus > 0 ? f->kinds[k].plus / f->plus : NAN);
            hlrp_str_add(s, " of the relevance for ");
            hlrp_html_text(s, f->class_name);
        }
        hlrp_str_add(s, "</li>");
    }
    hlrp_str_add(s, "</ul></div>\n");
}

static void add_batch_warning(const page *p, hlrp_str *s) {
    if (!p->warning[0])
        return;
    hlrp_str_add(s, "<div class=\"alarm\" role=\"note\"><h2><span aria-hidden=\"true\">⚠ "
                    "</span>Read the colors with care</h2><p>");
    hlrp_html_capital(s, p->warning);
    hlrp_str_add(s, ".</p></div>\n");
}

static void add_verdict(const page *p, hlrp_str *s) {
    int64_t accused = 0, judged = 0;
    for (int64_t i = 0; i < p->count; i++) {
        const entry *e = &p->entries[i];
        judged += e->told && e->facts.kind_count > 0;
        accused += e->told && hlrp_fragment_accused(&e->facts);
    }
    add_batch_warning(p, s);
    if (accused > 0)
        add_alarm(p, accused, s);
    else if (judged > 0)
        hlrp_str_addf(s,
                      "<p class=\"calm\">On none of the slides with results (%lld) does relevance "
                      "gather on pen marks or glass.</p>\n",
                      (long long)judged);
}

/* ---- the table ---- */

static void add_columns(const page *p, hlrp_str *s) {
    const struct {
        const char *label, *title;
        bool down; /* the first click puts the largest first */
        bool left_out;
    } columns[] = {
        {"Slide", "", false, false},
        {"Status", "", false, false},
        {"Tiles", "explained of all", true, false},
        {"Class", "what the slide is called", false, !p->bags},
        {"Score", "probability of the slide&#39;s class", true, !p->bags},
        {"Probability", "of the shown class, mean over tiles", true, !p->tiles},
        {"Predicted", "tiles that predict the shown class", true, !p->tiles},
        {"Relevance", "sum for and against the shown class", true, false},
        {"On pen, glass", "share of the relevance for the class", true, false},
        {"Time", "", true, false},
        {"Remarks", "", true, false},
    };
    for (size_t i = 0; i < HLRP_COUNT(columns); i++)
        if (!columns[i].left_out)
            hlrp_str_addf(s, "<th scope=\"col\"%s%s%s%s><button type=\"button\">%s</button></th>",
                          columns[i].down ? " data-down" : "",
                          columns[i].title[0] ? " title=\"" : "", columns[i].title,
                          columns[i].title[0] ? "\"" : "", columns[i].label);
}

/* <td> that sorts by a number; an unknown one sorts last. */
static void open_cell(hlrp_str *s, const char *label, double value) {
    hlrp_str_addf(s, "<td class=\"n\" data-label=\"%s\" data-v=\"", label);
    hlrp_text_double(s, value);
    hlrp_str_add(s, "\">");
}

static void add_share_cell(hlrp_str *s, const char *label, const char *bar, double share) {
    open_cell(s, label, share);
    if (isfinite(share)) {
        hlrp_str_add(s, "<span>");
        hlrp_html_bar(s, bar, share);
        hlrp_html_share(s, share);
        hlrp_str_add(s, "</span>");
    }
    hlrp_str_add(s, "</td>");
}

static void add_balance(hlrp_str *s, const entry *e) {
    const double plus = e->facts.plus, minus = -e->facts.minus, all = plus + minus;
    open_cell(s, "Relevance", e->told ? plus - minus : NAN);
    if (e->told && all > 0) {
        hlrp_str_addf(s,
                      "<span><span class=\"balance\" aria-hidden=\"true\"><i class=\"m\" "
                      "style=\"width:%d%%\"></i><i class=\"p\" style=\"width:%d%%\"></i></span>"
                      "<span class=\"for\">+",
                      (int)lround(100 * minus / all), 100 - (int)lround(100 * minus / all));
        hlrp_html_number(s, plus);
        hlrp_str_add(s, "</span> <span class=\"against\">");
        hlrp_html_number(s, -minus);
        hlrp_str_add(s, "</span></span>");
    }
    hlrp_str_add(s, "</td>");
}

static void add_time(hlrp_str *s, const hlrp_report_row *row) {
    const int64_t seconds = llround(fmax(row->seconds, 0));
    open_cell(s, "Time", row->seconds > 0 ? row->seconds : NAN);
    if (row->seconds > 0 && seconds < 60)
        hlrp_str_addf(s, "%lld s", (long long)HLRP_MAX(seconds, 1));
    else if (row->seconds > 0 && seconds < 3600)
        hlrp_str_addf(s, "%lld min %lld s", (long long)(seconds / 60), (long long)(seconds % 60));
    else if (row->seconds > 0)
        hlrp_str_addf(s, "%lld h %lld min", (long long)(seconds / 3600),
                      (long long)(seconds % 3600 / 60));
    hlrp_str_add(s, "</td>");
}

static void add_warnings(hlrp_str *s, const hlrp_report_row *row) {
    if (row->warnings.count == 0)
        return;
    hlrp_str_add(s, "<ul class=\"warnings\" aria-label=\"warnings\">");
    for (int64_t i = 0; i < row->warnings.count; i++) {
        hlrp_str_add(s, "<li>");
        hlrp_html_text(s, row->warnings.items[i]);
        hlrp_str_add(s, "</li>");
    }
    hlrp_str_add(s, "</ul>\n");
}

/* What is looked at in a word; warnings as many as they are, where a section of the slide has them. */
static void add_remarks(hlrp_str *s, const entry *e, int64_t number) {
    const hlrp_report_row *row = e->row;
    const int64_t warnings = row->warnings.count;
    const bool differ = e->told && e->facts.signs_differ;
    const bool boxed = row->reason[0] || warnings > 0 || differ;
    hlrp_str_addf(s, "<td data-label=\"Remarks\" data-v=\"%lld\">",
                  (long long)(warnings + differ + (row->reason[0] ? 1000 : 0)));
    hlrp_str_add(s, boxed ? "<div>" : "");
    if (row->reason[0]) {
        hlrp_str_add(s, "<div class=\"why\">");
        hlrp_html_text(s, row->reason);
        hlrp_str_add(s, "</div>");
    }
    for (int64_t k = 0; e->told && k < e->facts.kind_count; k++)
        if (e->facts.kinds[k].accused) {
            hlrp_str_add(s, "<div class=\"warn\"><strong>looks at ");
            hlrp_html_text(s, e->facts.kinds[k].name);
            hlrp_str_add(s, "</strong></div>");
        }
    if (differ)
        hlrp_str_add(s, "<div class=\"warn\"><strong>map and network do not agree</strong></div>");
    if (e->told && warnings > 0)
        hlrp_str_addf(s, "<a class=\"warn\" href=\"#s%lld\">%lld warning%s</a>", (long long)number,
                      (long long)warnings, warnings == 1 ? "" : "s");
    else
        add_warnings(s, row);
    hlrp_str_add(s, boxed ? "</div></td>" : "</td>");
}

static void add_state(hlrp_str *s, const char *state) {
    hlrp_str_addf(s, "<span class=\"state %.*s\">%s</span>", (int)strcspn(state, " "), state,
                  state);
}

/* What the network says of the slide, or of its tiles. */
static void add_said(const page *p, const entry *e, hlrp_str *s) {
    if (p->bags) {
        hlrp_str_add(s, "<td data-label=\"Class\" data-v=\"");
        hlrp_html_text(s, is_bag(e) ? e->facts.called : "");
        hlrp_str_add(s, "\">");
        hlrp_html_text(s, is_bag(e) ? e->facts.called : "");
        hlrp_str_add(s, "</td>");
        open_cell(s, "Score", e->told ? e->facts.score : NAN);
        if (is_bag(e))
            hlrp_html_probability(s, e->facts.score);
        hlrp_str_add(s, "</td>");
    }
    if (p->tiles) {
        add_share_cell(s, "Probability", "", e->told ? e->facts.mean : NAN);
        add_share_cell(s, "Predicted", "", e->told ? e->facts.predicted : NAN);
    }
}

static void add_row(const page *p, const entry *e, int64_t number, hlrp_str *s) {
    const bool accused = e->told && hlrp_fragment_accused(&e->facts);
    hlrp_str_addf(s, "<tr%s><th scope=\"row\" data-v=\"", accused ? " class=\"accused\"" : "");
    hlrp_html_text(s, name_of(e));
    hlrp_str_add(s, "\">");
    if (e->told)
        hlrp_str_addf(s, "<a href=\"#s%lld\">", (long long)number);
    hlrp_html_text(s, name_of(e));
    hlrp_str_addf(s, "%s</th><td data-label=\"Status\" data-v=\"%s\">", e->told ? "</a>" : "",
                  e->row->state);
    add_state(s, e->row->state);
    hlrp_str_add(s, "</td>");
    open_cell(s, "Tiles", is_done(e->row) || e->row->tiles > 0 ? (double)e->row->tiles : NAN);
    if (e->row->explained == e->row->tiles)
        hlrp_str_addf(s, "%lld</td>", (long long)e->row->tiles);
    else
        hlrp_str_addf(s, "%lld of %lld</td>", (long long)e->row->explained,
                      (long long)e->row->tiles);
    add_said(p, e, s);
    add_balance(s, e);
    add_share_cell(s, "On pen, glass", "suspect", e->told ? hlrp_fragment_suspect(&e->facts) : NAN);
    add_time(s, e->row);
    add_remarks(s, e, number);
    hlrp_str_add(s, "</tr>\n");
}

/* "" where there is none, or not the same of all. */
static const char *class_shown(const page *p) {
    const char *shown = "";
    for (int64_t i = 0; i < p->count; i++) {
        const entry *e = &p->entries[i];
        if (e->told && shown[0] && strcmp(shown, e->facts.class_name) != 0)
            return "";
        if (e->told)
            shown = e->facts.class_name;
    }
    return shown;
}

static void add_table(const page *p, hlrp_str *s) {
    const char *shown = class_shown(p);
    hlrp_str_add(s, "<div class=\"scroll\"><table class=\"batch\"><caption>All slides");
    if (shown[0]) {
        hlrp_str_add(s, "; shown class: <strong>");
        hlrp_html_text(s, shown);
        hlrp_str_add(s, "</strong>");
    } else if (p->bags) {
        hlrp_str_add(s, "; shown of each: its own class");
    }
    hlrp_str_add(s, ". A click on a column sorts by it.</caption><thead><tr>");
    add_columns(p, s);
    hlrp_str_add(s, "</tr></thead><tbody>\n");
    for (int64_t i = 0; i < p->count; i++)
        add_row(p, &p->entries[i], i + 1, s);
    hlrp_str_add(s, "</tbody></table></div>\n");
}

/* ---- the sections ---- */

static hlrp_status add_section(page *p, int64_t i, hlrp_error *err) {
    const entry *e = &p->entries[i];
    hlrp_str *s = &p->file.pending;
    hlrp_fragment again = {0};
    char *text = NULL;
    const char *body = NULL;
    hlrp_status status = hlrp_fragment_read(e->row->fragment, &again, &text, &body, err);
    if (status == HLRP_OK) {
        hlrp_str_addf(s, "<section class=\"slide\" id=\"s%lld\"><div class=\"title\"><h2>",
                      (long long)i + 1);
        hlrp_html_text(s, name_of(e));
        hlrp_str_add(s, "</h2>");
        add_state(s, e->row->state);
        hlrp_str_add(s, "<a class=\"top\" href=\"#top\">to the table</a></div>\n");
        add_warnings(s, e->row);
        hlrp_str_add(s, body);
        hlrp_str_add(s, "</section>\n");
        status = hlrp_text_flush(&p->file, err);
    }
    free(text);
    return status;
}

static hlrp_status write_page(page *p, hlrp_error *err) {
    hlrp_str *s = &p->file.pending;
    hlrp_status status = HLRP_OK;
    add_head(p, s);
    add_verdict(p, s);
    add_table(p, s);
    for (int64_t i = 0; i < p->count; i++)
        if (p->entries[i].told)
            HLRP_TRY(add_section(p, i, err));
    hlrp_str_add(s, "</main>\n<footer>The bar under each overlay says which color speaks for the "
                    "class. The numbers behind "
                    "every picture are in each slide&#39;s relevance.h5.</footer>\n<script>");
    hlrp_str_add(s, hlrp_report_js);
    hlrp_str_add(s, "</script>\n</body>\n</html>\n");
    status = hlrp_text_commit(&p->file, err);
out:
    return status;
}

hlrp_status hlrp_report_page(const char *path, const hlrp_report_row *rows, int64_t count,
                             const char *warning, hlrp_error *err) {
    page p = {.rows = rows, .count = count, .warning = warning};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(read_heads(&p, err));
    HLRP_TRY(hlrp_text_open(&p.file, path, err));
    status = write_page(&p, err);
out:
    hlrp_text_close(&p.file);
    free(p.entries);
    return status;
}

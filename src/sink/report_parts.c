/* Tables and charts of a slide's fragment. */
#include "sink/report_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sink/html.h"

#define LAYERS_SHOWN 8
#define LEAST_LOSS 5e-4 /* share of its relevance */

/* ---- by ground ---- */

static void add_cell(hlrp_str *s, const char *css_class, double share) {
    hlrp_str_add(s, "<td>");
    hlrp_html_bar(s, css_class, share);
    hlrp_html_share(s, share);
    hlrp_str_add(s, "</td>");
}

static void add_kind(const hlrp_report_input *in, const hlrp_report_numbers *n, int64_t k,
                     hlrp_str *s) {
    const hlrp_ground_kind *kind = &in->ground->kinds[k];
    const hlrp_report_sums *own = &n->by_kind[k];
    const double excess = hlrp_report_excess(in->ground, n, k);
    const bool accused = hlrp_report_accuses(in->ground, n, k);
    hlrp_str_addf(s, "<tr%s><th scope=\"row\">%s", accused ? " class=\"accused\"" : "",
                  accused ? "<span aria-hidden=\"true\">⚠ </span>" : "");
    hlrp_html_text(s, kind->name);
    hlrp_str_add(s, "</th>");
    add_cell(s, "area", own->pixels / n->all.pixels);
    add_cell(s, "plus", n->all.plus > 0 ? own->plus / n->all.plus : 0);
    add_cell(s, "minus", n->all.minus < 0 ? own->minus / n->all.minus : 0);
    hlrp_str_add(s, "<td>");
    if (kind->suspect) {
        hlrp_html_number(s, excess < 1 ? round(100 * excess) / 100 : excess);
        hlrp_str_add(s, " ×");
    } else {
        hlrp_str_add(s, "<span aria-hidden=\"true\">·</span>");
    }
    hlrp_str_add(s, accused ? " <strong>looked at</strong></td></tr>\n" : "</td></tr>\n");
}

void hlrp_report_by_ground(const hlrp_report_input *in, const hlrp_report_numbers *n, hlrp_str *s) {
    if (!in->ground || n->all.pixels <= 0)
        return;
    hlrp_str_add(s, "<div class=\"card\"><h3>Where the relevance lies</h3>"
                    "<table class=\"ground\"><thead><tr><th scope=\"col\">ground</th>"
                    "<th scope=\"col\">of the area</th><th scope=\"col\">of relevance for</th>"
                    "<th scope=\"col\">against</th><th scope=\"col\" title=\"relevance for the "
                    "class on an area of this ground, compared with tissue\">per area, tissue = "
                    "1</th></tr></thead><tbody>\n");
    for (int64_t k = 0; k < in->ground->count; k++)
        if (n->by_kind[k].pixels > 0)
            add_kind(in, n, k, s);
    hlrp_str_add(s, "</tbody></table></div>\n");
}

/* ---- the histogram ---- */

void hlrp_report_histogram(const hlrp_report_input *in, const hlrp_report_numbers *n, hlrp_str *s) {
    int64_t most = 1;
    if (n->with_probability == 0)
        return;
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    for (int i = 0; i < HLRP_REPORT_BINS; i++)
        most = HLRP_MAX(most, n->histogram[i]);
    hlrp_str_add(s, "<div class=\"card\"><h3>Probability of ");
    hlrp_html_text(s, info->class_names[n->of_class]);
    hlrp_str_add(s, "</h3><svg class=\"histogram\" viewBox=\"-2 0 204 84\" role=\"img\" "
                    "aria-label=\"histogram over tiles, from 0 to 1:");
    for (int i = 0; i < HLRP_REPORT_BINS; i++)
        hlrp_str_addf(s, " %lld", (long long)n->histogram[i]);
    hlrp_str_add(s, "\"><line x1=\"0\" y1=\"70\" x2=\"200\" y2=\"70\"/>");
    for (int i = 0; i < HLRP_REPORT_BINS; i++) {
        double height = 60.0 * (double)n->histogram[i] / (double)most;
        height = n->histogram[i] > 0 ? fmax(height, 1) : 0;
        hlrp_str_addf(s,
                      "<rect x=\"%d\" y=\"%.1f\" width=\"9\" height=\"%.1f\"><title>%.2f to %.2f: "
                      "%lld tiles</title></rect>",
                      10 * i, 70 - height, height, (double)i / HLRP_REPORT_BINS,
                      (double)(i + 1) / HLRP_REPORT_BINS, (long long)n->histogram[i]);
    }
    hlrp_str_addf(s,
                  "<text x=\"0\" y=\"81\">0</text><text x=\"100\" y=\"81\" text-anchor=\"middle\">"
                  "0.5</text><text x=\"200\" y=\"81\" text-anchor=\"end\">1</text>"
                  "<text x=\"0\" y=\"8\">%lld tiles</text></svg>",
                  (long long)most);
    hlrp_str_addf(s, "<p class=\"note\">%lld tiles, mean ", (long long)n->with_probability);
    hlrp_html_share(s, n->mean_probability);
    hlrp_str_addf(s, "; %lld predict it.</p></div>\n", (long long)n->predicted);
}

/* ---- the account ---- */

/* The layer with the next smaller loss than those before: layers are few, and shown ones fewer. */
static int64_t next_worst(const hlrp_layers *l, bool *taken) {
    int64_t worst = -1;
    for (int64_t i = 0; i < l->count; i++)
        if (!taken[i] && fabs(hlrp_layers_loss(l, i)) >= LEAST_LOSS &&
            (worst < 0 || fabs(hlrp_layers_loss(l, i)) > fabs(hlrp_layers_loss(l, worst))))
            worst = i;
    if (worst >= 0)
        taken[worst] = true;
    return worst;
}

static bool any_loss(const hlrp_layers *l) {
    for (int64_t i = 0; i < l->count; i++)
        if (fabs(hlrp_layers_loss(l, i)) >= LEAST_LOSS)
            return true;
    return false;
}

static bool took(const hlrp_layers *l, int field) {
    for (int64_t i = 0; i < l->count; i++)
        if (fabs(l->values[field][i]) > 1e-9 * l->values[HLRP_ACCOUNT_OUT_ABS][i])
            return true;
    return false;
}

/* Whether a field has a column: takers have, and rare ones where any of those took anything. In most
 * convolutional networks none does. */
static bool shows(const hlrp_layers *l, int field) {
    bool any = !hlrp_account_fields[field].rare;
    for (int f = 0; !any && f < HLRP_ACCOUNT_FIELDS; f++)
        any = hlrp_account_fields[f].rare && took(l, f);
    return hlrp_account_fields[field].taker && any;
}

static void add_layer(const hlrp_layers *l, int64_t i, hlrp_str *s) {
    const double scale = l->values[HLRP_ACCOUNT_OUT_ABS][i];
    hlrp_str_add(s, "<tr><th scope=\"row\">");
    hlrp_html_text(s, l->nodes.items[i]);
    hlrp_str_add(s, "</th><td>");
    hlrp_html_text(s, l->rules.items[i]);
    hlrp_str_add(s, "</td><td>");
    hlrp_html_share(s, hlrp_layers_loss(l, i));
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++) {
        if (!shows(l, f))
            continue;
        hlrp_str_add(s, "</td><td>");
        hlrp_html_share(s, l->values[f][i] / scale);
    }
    hlrp_str_add(s, "</td></tr>\n");
}

static void add_totals(const hlrp_report_numbers *n, hlrp_str *s) {
    hlrp_str_add(s, "<p>Started with <strong>");
    hlrp_html_number(s, n->start);
    hlrp_str_add(s, "</strong>, arrived at the pixels <strong>");
    hlrp_html_number(s, n->arrived);
    hlrp_str_add(s, "</strong>");
    if (n->arrived / n->start > 0) { /* of another sign it is no share */
        hlrp_str_add(s, " (");
        hlrp_html_share(s, n->arrived / n->start);
        hlrp_str_add(s, ")");
    }
    hlrp_str_add(s, ", of it outside the slide ");
    hlrp_html_number(s, n->outside);
    hlrp_str_add(s, ".</p>");
}

static hlrp_status add_layers(const hlrp_layers *l, hlrp_str *s, hlrp_error *err) {
    bool *taken = NULL;
    const hlrp_status status = hlrp_calloc(&taken, l->count, sizeof *taken, "layers", err);
    if (status != HLRP_OK)
        return status;
    hlrp_str_add(s, "<table class=\"layers\"><thead><tr><th scope=\"col\">layer</th>"
                    "<th scope=\"col\">rule</th><th scope=\"col\" title=\"share of the relevance "
                    "that reaches the layer; negative: created\">lost</th>");
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
        if (shows(l, f))
            hlrp_str_addf(s, "<th scope=\"col\">to %s</th>", hlrp_account_fields[f].taker);
    hlrp_str_add(s, "</tr></thead><tbody>\n");
    for (int i = 0; i < LAYERS_SHOWN; i++) {
        const int64_t worst = next_worst(l, taken);
        if (worst < 0)
            break;
        add_layer(l, worst, s);
    }
    hlrp_str_add(s, "</tbody></table>\n");
    free(taken);
    return HLRP_OK;
}

hlrp_status hlrp_report_account(const hlrp_report_input *in, const hlrp_report_numbers *n,
                                hlrp_str *s, hlrp_error *err) {
    hlrp_layers l = {0};
    hlrp_str sentence = {0};
    hlrp_status status = HLRP_OK;
    if (n->explained == 0)
        return HLRP_OK;
    HLRP_TRY(hlrp_result_read_layers(in->sink.result, &l, err));
    hlrp_str_add(s, "<div class=\"card wide\"><h3>Conservation account</h3>");
    if (!hlrp_result_facts(in->sink.result)->bag)
        add_totals(n, s);
    hlrp_layers_sentence(&l, in->loss_named, &sentence);
    if (sentence.length > 0) {
        hlrp_str_add(s, "<p>The ");
        hlrp_html_text(s, sentence.text);
        hlrp_str_add(s, ".</p>");
    }
    if (any_loss(&l))
        HLRP_TRY(add_layers(&l, s, err));
    else
        hlrp_str_add(s, "<p class=\"note\">No layer loses or creates relevance.</p>\n");
    hlrp_str_add(s, "</div>\n");
out:
    hlrp_str_free(&sentence);
    hlrp_layers_free(&l);
    return status;
}

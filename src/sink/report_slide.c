/* The fragment of a slide: a head that the page's table is made from, then its section. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sink/html.h"
#include "sink/report_bag.h"
#include "sink/report_parts.h"
#include "sink/text.h"

/* ---- the head: key, TAB, values separated by TABs ---- */

/* Values must not look like separators. */
static void add_value(hlrp_str *s, const char *text) {
    for (const char *c = text; *c; c++)
        hlrp_str_addn(s, (unsigned char)*c < ' ' ? " " : c, 1);
}

static void add_text(hlrp_str *s, const char *key, const char *value) {
    hlrp_str_addf(s, "%s\t", key);
    add_value(s, value);
    hlrp_str_add(s, "\n");
}

static void add_real(hlrp_str *s, const char *key, double value) {
    hlrp_str_addf(s, "%s\t", key);
    hlrp_text_double(s, value);
    hlrp_str_add(s, "\n");
}

static void add_kinds(hlrp_str *s, const hlrp_report_input *in, const hlrp_report_numbers *n) {
    for (int64_t k = 0; in->ground && k < in->ground->count; k++) {
        const hlrp_report_sums *own = &n->by_kind[k];
        if (own->pixels <= 0)
            continue;
        hlrp_str_addf(s, "kind\t%s\t",
                      hlrp_report_accuses(in->ground, n, k) ? "accused"
                      : in->ground->kinds[k].suspect        ? "suspect"
                                                            : "proper");
        const double values[] = {own->pixels, own->plus, own->minus};
        for (size_t i = 0; i < HLRP_COUNT(values); i++) {
            hlrp_text_double(s, values[i]);
            hlrp_str_add(s, "\t");
        }
        add_value(s, in->ground->kinds[k].name);
        hlrp_str_add(s, "\n");
    }
}

static void warn_of_ground(const hlrp_report_input *in, const hlrp_report_numbers *n) {
    for (int64_t k = 0; in->ground && k < in->ground->count; k++) {
        const hlrp_report_sums *own = &n->by_kind[k];
        hlrp_str s = {0};
        if (!hlrp_report_accuses(in->ground, n, k))
            continue;
        hlrp_str_addf(&s, "%s: the network looks at %s: ", hlrp_slide_name(in->sink.slide),
                      in->ground->kinds[k].name);
        hlrp_html_share(&s, own->pixels / n->all.pixels);
        hlrp_str_add(&s, " of the area gets ");
        hlrp_html_share(&s, n->all.plus > 0 ? own->plus / n->all.plus : 0);
        hlrp_str_add(&s, " of the relevance for the class and ");
        hlrp_html_share(&s, n->all.minus < 0 ? own->minus / n->all.minus : 0);
        hlrp_str_add(&s, " of that against it");
        if (!s.failed)
            hlrp_logf(in->sink.log, HLRP_LOG_WARN, "%s", s.text);
        hlrp_str_free(&s);
    }
}

/* ---- head and body ---- */

/* A fragment under way. bag is empty where the slide has no score of all tiles. */
typedef struct fragment {
    const hlrp_report_input *in;
    hlrp_report_numbers numbers;
    hlrp_report_bag bag;
    hlrp_str account;
} fragment;

static void add_score(hlrp_str *s, const hlrp_report_input *in, const hlrp_bag_score *score) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    if (!info->bag)
        return;
    add_text(s, "called", info->class_names[score->predicted]);
    add_real(s, "score", score->probability[score->predicted]);
}

static void add_head(hlrp_str *s, const fragment *f) {
    const hlrp_report_input *in = f->in;
    const hlrp_report_numbers *n = &f->numbers;
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    add_text(s, "histolrp-report", "1");
    add_text(s, "class", info->plane_names[in->sink.plane]);
    add_real(s, "plus", n->all.plus);
    add_real(s, "minus", n->all.minus);
    add_real(s, "pixels", n->all.pixels);
    add_real(s, "mean", n->mean_probability);
    add_real(s, "predicted",
             n->with_probability > 0 ? (double)n->predicted / (double)n->with_probability : NAN);
    add_score(s, in, &f->bag.score);
    add_text(s, "signs", hlrp_agreement_differs(&n->agreement) ? "differ" : "");
    add_kinds(s, in, n);
    hlrp_str_add(s, "\n");
}

static void add_counts(hlrp_str *s, const hlrp_report_input *in, const hlrp_report_numbers *n) {
    if (hlrp_result_facts(in->sink.result)->bag)
        hlrp_str_addf(s, "%lld tiles scored together, %lld unreadable", (long long)n->explained,
                      (long long)n->unreadable);
    else
        hlrp_str_addf(s, "%lld tiles explained, %lld gated out, %lld unreadable",
                      (long long)n->explained, (long long)n->gated, (long long)n->unreadable);
}

static void add_facts(hlrp_str *s, const hlrp_report_input *in, const hlrp_report_numbers *n) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    hlrp_str_addf(s, "<p class=\"facts\">%lld × %lld pixels of %.4g µm; ", (long long)info->slide.w,
                  (long long)info->slide.h, info->mpp.x);
    add_counts(s, in, n);
    hlrp_str_add(s, "; relevance for ");
    hlrp_html_text(s, info->plane_names[in->sink.plane]);
    if (n->all.pixels == 0) {
        hlrp_str_add(s, " nowhere.</p>\n");
        return;
    }
    hlrp_str_add(s, " <strong class=\"for\">+");
    hlrp_html_number(s, n->all.plus);
    hlrp_str_add(s, "</strong>, against <strong class=\"against\">");
    hlrp_html_number(s, n->all.minus);
    hlrp_str_add(s, "</strong>.</p>\n");
}

/* Which tiles have no relevance for the class, and why. */
static void add_unexplained(hlrp_str *s, const hlrp_report_input *in) {
    const hlrp_unexplained *u = &in->sink.unexplained;
    hlrp_str text = {0};
    hlrp_unexplained_text(u, hlrp_result_facts(in->sink.result)->plane_names[in->sink.plane],
                          &text);
    if (text.length > 0) {
        hlrp_str_add(s, u->explained == 0 ? "<p class=\"facts\"><strong>" : "<p class=\"facts\">");
        hlrp_html_capital(s, text.text);
        hlrp_str_add(s, u->explained == 0 ? "</strong>.</p>\n" : ".</p>\n");
    }
    hlrp_str_free(&text);
}

static hlrp_status add_body(hlrp_str *s, const fragment *f, hlrp_error *err) {
    const hlrp_report_input *in = f->in;
    const hlrp_report_numbers *n = &f->numbers;
    const bool bag = hlrp_result_facts(in->sink.result)->bag;
    hlrp_status status = HLRP_OK;
    if (bag)
        hlrp_report_bag_verdict(in, &f->bag, s);
    hlrp_report_agreement(in, n, s);
    add_facts(s, in, n);
    add_unexplained(s, in);
    HLRP_TRY(hlrp_report_views(in, s, err));
    hlrp_str_add(s, "<div class=\"cards\">\n");
    hlrp_report_by_ground(in, n, s);
    hlrp_report_histogram(in, n, s);
    if (bag)
        HLRP_TRY(hlrp_report_bag_account(in, s, err));
    if (f->account.text)
        hlrp_str_addn(s, f->account.text, f->account.length);
    hlrp_str_add(s, "</div>\n");
    status = bag ? hlrp_report_bag_tiles(in, &f->bag, s, err) : hlrp_report_pairs(in, n, s, err);
out:
    return status;
}

hlrp_status hlrp_report_slide(const hlrp_report_input *in, const char *path, hlrp_error *err) {
    fragment *f = NULL;
    hlrp_text text = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&f, 1, sizeof *f, "a report", err));
    f->in = in;
    HLRP_TRY(hlrp_report_count(&in->sink, in->ground, &f->numbers, err));
    if (hlrp_result_facts(in->sink.result)->bag)
        HLRP_TRY(hlrp_report_bag_count(&in->sink, &f->bag, err));
    HLRP_TRY(hlrp_report_account(in, &f->numbers, &f->account, err));
    HLRP_TRY(hlrp_text_open(&text, path, err));
    warn_of_ground(in, &f->numbers);
    add_head(&text.pending, f);
    HLRP_TRY(add_body(&text.pending, f, err));
    text.pending.failed |= f->account.failed;
    HLRP_TRY(hlrp_text_commit(&text, err));
out:
    hlrp_text_close(&text);
    if (f) {
        hlrp_str_free(&f->account);
        hlrp_report_bag_free(&f->bag);
    }
    free(f);
    return status;
}

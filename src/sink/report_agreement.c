/* Whether the map agrees with the network, in words: what is to be read before its colors. All
 * colormaps go from blue (against) to red (for). */
#include "sink/html.h"
#include "sink/report_parts.h"

/* "The network says normal" only where that is what it predicts: the logit of one class among several
 * may be negative where it is the highest, and then its sign is no prediction. */
static void add_side(const hlrp_report_input *in, const hlrp_report_numbers *n, bool against,
                     hlrp_str *s) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    const char *name = info->plane_names[in->sink.plane];
    const bool predicts =
        !info->bag && n->of_class >= 0 && n->against_yet_predicted == 0 && n->in_favor_yet_not == 0;
    if (predicts && against && info->classes == 2) {
        hlrp_str_add(s, "The network says ");
        hlrp_html_text(s, info->class_names[1 - n->of_class]);
        return;
    }
    if (predicts)
        hlrp_str_add(s, against ? "The network says not " : "The network says ");
    else
        hlrp_str_addf(s, "The %s speaks %s ", info->bag ? "head" : "network",
                      against ? "against" : "for");
    hlrp_html_text(s, name);
}

static void add_turned(const hlrp_report_input *in, const hlrp_report_numbers *n, bool against,
                       hlrp_str *s) {
    const hlrp_agreement *a = &n->agreement;
    const char *name = hlrp_result_facts(in->sink.result)->plane_names[in->sink.plane];
    add_side(in, n, against, s);
    hlrp_str_addf(s, " on %lld tiles; on %lld of them the map speaks %s ",
                  (long long)(against ? a->against : a->in_favor),
                  (long long)(against ? a->turned_for : a->turned_against),
                  against ? "for" : "against");
    hlrp_html_text(s, name);
    hlrp_str_add(s, against ? ": do not read red as " : ": do not read blue as absence of ");
    hlrp_html_text(s, name);
    hlrp_str_add(s, " there.");
}

static void add_proportion(const hlrp_agreement *a, bool bag, hlrp_str *s) {
    if (!hlrp_agreement_cancels(a))
        return;
    hlrp_str_add(s, " In the median tile Σ|relevance| is ");
    hlrp_html_number(s, a->over_start);
    hlrp_str_addf(s, " times %s: most of what the map shows cancels out.",
                  bag ? "what the head gave it" : "the start");
}

void hlrp_report_agreement(const hlrp_report_input *in, const hlrp_report_numbers *n, hlrp_str *s) {
    const hlrp_agreement *a = &n->agreement;
    const bool bag = hlrp_result_facts(in->sink.result)->bag;
    const bool bad = hlrp_agreement_differs(a) || hlrp_agreement_cancels(a);
    if (a->compared == 0)
        return;
    hlrp_str_add(s, bad ? "<div class=\"alarm\" role=\"note\">" : "<p class=\"facts\">");
    if (hlrp_agreement_differs(a)) {
        if (a->turned_for > 0)
            add_turned(in, n, true, s);
        hlrp_str_add(s, a->turned_for > 0 && a->turned_against > 0 ? " " : "");
        if (a->turned_against > 0)
            add_turned(in, n, false, s);
    } else {
        hlrp_str_addf(s, "Map and %s agree on %lld of %lld tiles.", bag ? "head" : "network",
                      (long long)(a->compared - a->differ), (long long)a->compared);
    }
    add_proportion(a, bag, s);
    hlrp_str_add(s, bad ? "</div>\n" : "</p>\n");
}

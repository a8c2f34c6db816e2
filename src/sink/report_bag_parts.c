/* A slide's score in its fragment: verdict, account, tables of tiles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "account/account.h"
#include "sink/html.h"
#include "sink/report_bag.h"
#include "sink/report_pictures.h"

/* Of those on which attention and relevance differ: as many either way. */
#define DIFFERING_SHOWN 4

/* ---- the verdict ---- */

static void add_class(const hlrp_report_input *in, const hlrp_bag_score *score, int64_t c,
                      hlrp_str *s) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    hlrp_str_add(s, c == score->predicted ? "<tr class=\"called\"><th scope=\"row\">"
                                          : "<tr><th scope=\"row\">");
    hlrp_html_text(s, info->class_names[c]);
    hlrp_str_add(s, "</th><td>");
    hlrp_html_bar(s, "", score->probability[c]);
    hlrp_html_probability(s, score->probability[c]);
    hlrp_str_add(s, "</td><td>");
    hlrp_html_number(s, score->logit[c]);
    hlrp_str_add(s, "</td></tr>\n");
}

void hlrp_report_bag_verdict(const hlrp_report_input *in, const hlrp_report_bag *b, hlrp_str *s) {
    const hlrp_result_info *info = hlrp_result_facts(in->sink.result);
    const hlrp_bag_score *score = &b->score;
    const char *called = info->class_names[score->predicted];
    const char *shown = info->plane_names[in->sink.plane];
    hlrp_str_add(s, "<p class=\"verdict\">The slide is called <strong>");
    hlrp_html_text(s, called);
    hlrp_str_add(s, "</strong>: probability ");
    hlrp_html_probability(s, score->probability[score->predicted]);
    hlrp_str_addf(s, ", from %lld tiles together.", (long long)score->tiles);
    if (strcmp(called, shown) != 0) {
        hlrp_str_add(s, " What follows is about <strong>");
        hlrp_html_text(s, shown);
        hlrp_str_add(s, "</strong>.");
    }
    hlrp_str_add(s, "</p>\n<table class=\"classes\"><thead><tr><th scope=\"col\">class</th>"
                    "<th scope=\"col\">probability</th><th scope=\"col\">logit</th></tr></thead>"
                    "<tbody>\n");
    for (int64_t c = 0; c < info->classes; c++)
        add_class(in, score, c, s);
    hlrp_str_add(s, "</tbody></table>\n");
}

/* ---- the account ---- */

static void add_term(const char *what, double value, double start, hlrp_str *s) {
    hlrp_str_addf(s, "<tr><th scope=\"row\">%s</th><td>", what);
    hlrp_html_number(s, value);
    hlrp_str_add(s, "</td><td>");
    hlrp_html_share(s, value / start);
    hlrp_str_add(s, "</td></tr>\n");
}

/* A column of the shown class's row. */
static hlrp_status read_term(const hlrp_report_input *in, const char *column, double *value,
                             hlrp_error *err) {
    const int64_t planes = hlrp_result_facts(in->sink.result)->planes;
    double *values = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&values, planes, sizeof *values, "account", err));
    HLRP_TRY(hlrp_result_table_f64(in->sink.result, "/mil/account", column, planes, values, err));
    *value = values[in->sink.plane];
out:
    free(values);
    return status;
}

/* What nothing took has no row. */
static hlrp_status add_taken(const hlrp_report_input *in, const char *column, const char *what,
                             double start, hlrp_str *s, hlrp_error *err) {
    double value = 0;
    const hlrp_status status = read_term(in, column, &value, err);
    if (status == HLRP_OK && value != 0)
        add_term(what, value, start, s);
    return status;
}

static hlrp_status add_terms(const hlrp_report_input *in, double start, hlrp_str *s,
                             hlrp_error *err) {
    static const struct {
        const char *column, *what;
    } behind[] = {{"encoder", "kept by the encoder"},
                  {"pixels", "arrived at pixels of tiles"},
                  {"tiles", "spread evenly over tiles"},
                  {"rest", "not accounted for"},
                  {"outside", "of what arrived: off the slide"}};
    char what[80];
    hlrp_status status = HLRP_OK;
    for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++) {
        const hlrp_account_field *field = &hlrp_account_fields[f];
        if (!field->taker)
            continue;
        snprintf(what, sizeof what, "kept by %s of the head", field->taker);
        HLRP_TRY(add_taken(in, field->column, what, start, s, err));
    }
    for (size_t i = 0; i < HLRP_COUNT(behind); i++)
        HLRP_TRY(add_taken(in, behind[i].column, behind[i].what, start, s, err));
out:
    return status;
}

hlrp_status hlrp_report_bag_account(const hlrp_report_input *in, hlrp_str *s, hlrp_error *err) {
    double start = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(read_term(in, "start", &start, err));
    if (isnan(start))
        return HLRP_OK;
    hlrp_str_add(s, "<div class=\"card\"><h3>Where the score went</h3><table "
                    "class=\"account\"><thead><tr><th scope=\"col\">relevance of the score"
                    "</th><th scope=\"col\">sum</th><th scope=\"col\">of the start</th></tr>"
                    "</thead><tbody>\n");
    add_term("started with", start, start, s);
    HLRP_TRY(add_terms(in, start, s, err));
    hlrp_str_add(s, "</tbody></table></div>\n");
out:
    return status;
}

/* ---- tables of tiles ---- */

typedef struct table {
    const hlrp_report_input *in;
    const hlrp_report_bag *bag;
    hlrp_tile_pictures pictures;
    bool heat;  /* some tiles have more than one value on the map */
    bool ranks; /* in the cells of relevance and attention */
} table;

static const char *const headings[HLRP_SCORE_KINDS] = {"attention", "alone", "without it",
                                                       "gradient × input"};
static const char *const titles[HLRP_SCORE_KINDS] = {
    "its weight in the pooling", "the class's logit of this tile alone",
    "how much the class's logit falls without the tile", "over its features"};

static void add_value(double value, const double *rank, hlrp_str *s) {
    hlrp_str_add(s, "<td>");
    hlrp_html_number(s, value);
    if (rank && !isnan(*rank)) {
        hlrp_str_add(s, "<br><span class=\"note\">rank ");
        hlrp_html_number(s, *rank);
        hlrp_str_add(s, "</span>");
    }
    hlrp_str_add(s, "</td>");
}

static hlrp_status add_row(table *t, const hlrp_report_tile *tile, hlrp_str *s, hlrp_error *err) {
    const hlrp_bag_values *v = &t->bag->values;
    const double *attention = v->attention_rank ? v->attention_rank + tile->number : NULL;
    const double *relevance = t->ranks ? v->relevance_rank + tile->number : NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_pictures_tissue(&t->pictures, tile, err));
    hlrp_str_add(s, "<tr><td class=\"tile\">");
    HLRP_TRY(hlrp_tile_pictures_add(&t->pictures.picture, "Tile", s, err));
    if (t->heat) {
        HLRP_TRY(hlrp_tile_pictures_heat(&t->pictures, tile, err));
        HLRP_TRY(hlrp_tile_pictures_add(&t->pictures.heat, "Its relevance", s, err));
    }
    hlrp_str_addf(s, "<span class=\"note\">tile %lld at ", (long long)tile->number);
    hlrp_tile_pictures_place(&t->pictures, tile, s);
    hlrp_str_add(s, "</span></td>");
    add_value(tile->relevance, relevance, s);
    for (int k = 0; k < HLRP_SCORE_KINDS; k++)
        if (v->scores[k])
            add_value(v->scores[k][tile->number],
                      k == HLRP_SCORE_ATTENTION && t->ranks ? attention : NULL, s);
    hlrp_str_add(s, "</tr>\n");
out:
    return status;
}

static hlrp_status add_table(table *t, const char *title, const char *class_name,
                             const hlrp_report_best *best, int most, hlrp_str *s, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_str_addf(s, "<div class=\"card\"><h3>%s ", title);
    hlrp_html_text(s, class_name);
    hlrp_str_add(s, "</h3>");
    if (best->count == 0) {
        hlrp_str_add(s, "<p class=\"note\">There is none.</p></div>\n");
        return HLRP_OK;
    }
    hlrp_str_add(s, "<table class=\"bag\"><thead><tr><th scope=\"col\">tile</th><th scope=\"col\" "
                    "title=\"its part of the slide&#39;s score\">relevance</th>");
    for (int k = 0; k < HLRP_SCORE_KINDS; k++)
        if (t->bag->values.scores[k])
            hlrp_str_addf(s, "<th scope=\"col\" title=\"%s\">%s</th>", titles[k], headings[k]);
    hlrp_str_add(s, "</tr></thead><tbody>\n");
    for (int i = 0; i < HLRP_MIN(best->count, most); i++)
        HLRP_TRY(add_row(t, &best->tiles[i], s, err));
    hlrp_str_add(s, "</tbody></table></div>\n");
out:
    return status;
}

static hlrp_status add_deciding(table *t, hlrp_str *s, hlrp_error *err) {
    const hlrp_report_bag *b = t->bag;
    const char *name = t->pictures.info->plane_names[t->in->sink.plane];
    const hlrp_report_tile *any =
        b->in_favor.count > 0 ? &b->in_favor.tiles[0] : &b->against.tiles[0];
    hlrp_status status = HLRP_OK;
    hlrp_str_add(s, "<h3>Tiles that decide</h3><p class=\"note\">Relevance: a tile&#39;s part of "
                    "the slide&#39;s score. ");
    hlrp_tile_pictures_legend(&t->pictures, any, s);
    hlrp_str_add(s, "</p><div class=\"two\">\n");
    HLRP_TRY(add_table(t, "Most for", name, &b->in_favor, HLRP_REPORT_TOP, s, err));
    HLRP_TRY(add_table(t, "Most against", name, &b->against, HLRP_REPORT_TOP, s, err));
    hlrp_str_add(s, "</div>\n");
out:
    return status;
}

static hlrp_status add_differing(table *t, hlrp_str *s, hlrp_error *err) {
    const hlrp_report_bag *b = t->bag;
    const char *name = t->pictures.info->plane_names[t->in->sink.plane];
    hlrp_status status = HLRP_OK;
    if (!b->values.attention_rank)
        return HLRP_OK;
    t->heat = false;
    t->ranks = true;
    hlrp_str_add(
        s, "<h3>Where attention and relevance disagree most</h3><p class=\"note\">Of all "
           "tiles in order, the most first. Attention says what the head looks at, "
           "relevance whether it speaks for the class or against it. Listed: ranks that differ "
           "by over a tenth of all tiles.");
    if (!isnan(b->rank_correlation)) {
        hlrp_str_add(s, " Rank correlation of the two: ");
        hlrp_html_number(s, round(100 * b->rank_correlation) / 100);
        hlrp_str_add(s, ".");
    }
    hlrp_str_add(s, "</p><div class=\"two\">\n");
    HLRP_TRY(add_table(t, "Much attention, little that speaks for", name, &b->attended,
                       DIFFERING_SHOWN, s, err));
    HLRP_TRY(add_table(t, "Little attention, much that speaks for", name, &b->overlooked,
                       DIFFERING_SHOWN, s, err));
    hlrp_str_add(s, "</div>\n");
out:
    return status;
}

hlrp_status hlrp_report_bag_tiles(const hlrp_report_input *in, const hlrp_report_bag *b,
                                  hlrp_str *s, hlrp_error *err) {
    table t = {.in = in, .bag = b, .ranks = false};
    char *pixels = NULL;
    hlrp_status status = HLRP_OK;
    if (b->in_favor.count + b->against.count == 0)
        return HLRP_OK;
    HLRP_TRY(hlrp_result_get_text(in->sink.result, "/mil", "pixels", &pixels, err));
    HLRP_TRY(hlrp_tile_pictures_init(&t.pictures, &in->sink, err));
    t.heat = pixels && strcmp(pixels, "none") != 0;
    HLRP_TRY(add_deciding(&t, s, err));
    status = add_differing(&t, s, err);
out:
    hlrp_tile_pictures_free(&t.pictures);
    free(pixels);
    return status;
}

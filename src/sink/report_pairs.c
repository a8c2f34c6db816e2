/* Tiles with the most relevance, each as a picture beside its heatmap. */
#include <math.h>

#include "sink/html.h"
#include "sink/report_parts.h"
#include "sink/report_pictures.h"

static hlrp_status add_pair(hlrp_tile_pictures *p, const hlrp_report_tile *t, hlrp_str *s,
                            hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_tile_pictures_tissue(p, t, err));
    HLRP_TRY(hlrp_tile_pictures_heat(p, t, err));
    hlrp_str_add(s, "<figure class=\"pair\">");
    HLRP_TRY(hlrp_tile_pictures_add(&p->picture, "Tile", s, err));
    HLRP_TRY(hlrp_tile_pictures_add(&p->heat, "Its relevance", s, err));
    hlrp_str_addf(s, "<figcaption>tile %lld at ", (long long)t->number);
    hlrp_tile_pictures_place(p, t, s);
    hlrp_str_add(s, "<br>relevance ");
    hlrp_html_number(s, t->relevance);
    if (isfinite(t->probability)) {
        hlrp_str_add(s, ", probability ");
        hlrp_html_share(s, t->probability);
    }
    hlrp_str_add(s, "</figcaption></figure>\n");
out:
    return status;
}

hlrp_status hlrp_report_pairs(const hlrp_report_input *in, const hlrp_report_numbers *n,
                              hlrp_str *s, hlrp_error *err) {
    hlrp_tile_pictures p = {0};
    hlrp_status status = HLRP_OK;
    if (n->top.count == 0)
        return HLRP_OK;
    HLRP_TRY(hlrp_tile_pictures_init(&p, &in->sink, err));
    hlrp_str_add(s, "<h3>Tiles with the most relevance for ");
    hlrp_html_text(s, p.info->plane_names[in->sink.plane]);
    hlrp_str_add(s, "</h3><p class=\"note\">");
    hlrp_tile_pictures_legend(&p, &n->top.tiles[0], s);
    hlrp_str_add(s, "</p><div class=\"pairs\">\n");
    for (int i = 0; i < n->top.count; i++)
        HLRP_TRY(add_pair(&p, &n->top.tiles[i], s, err));
    hlrp_str_add(s, "</div>\n");
out:
    hlrp_tile_pictures_free(&p);
    return status;
}

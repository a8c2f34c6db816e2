#include "survey/ground.h"

#include <stdlib.h>

#include "survey/tissue_options.h"

/* Kinds after the annotated classes. */
enum { TISSUE, GLASS, PEN, PADDING, PLAIN_KINDS };
enum { CLASSES_MOST = HLRP_GROUND_MOST - PLAIN_KINDS };

static void name_kinds(hlrp_ground *g, int64_t classes) {
    g->kinds[classes + TISSUE] = (hlrp_ground_kind){classes > 0 ? "other tissue" : "tissue", false};
    g->kinds[classes + GLASS] = (hlrp_ground_kind){"glass", true};
    g->kinds[classes + PEN] = (hlrp_ground_kind){"pen mark", true};
    g->kinds[classes + PADDING] = (hlrp_ground_kind){"padding or shadow", true};
    g->count = classes + PLAIN_KINDS;
}

static hlrp_status copy_mask(const hlrp_mask *mask, int64_t classes, hlrp_slide_ground *out,
                             hlrp_error *err) {
    static const uint8_t kind_of[] = {[HLRP_CELL_GLASS] = GLASS,
                                      [HLRP_CELL_TISSUE] = TISSUE,
                                      [HLRP_CELL_PEN] = PEN,
                                      [HLRP_CELL_PADDING] = PADDING};
    const hlrp_status status = hlrp_calloc(&out->kind, mask->w * mask->h, 1, "a report", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < mask->w * mask->h; i++)
        out->kind[i] = (uint8_t)(classes + kind_of[mask->kind[i] & 3]);
    out->ground.w = mask->w;
    out->ground.h = mask->h;
    out->ground.cell_w = mask->cell_w;
    out->ground.cell_h = mask->cell_h;
    out->ground.kind = out->kind;
    return HLRP_OK;
}

/* A drawn class takes the cells of which it covers half, but for pen marks: ink on a tumor is ink. */
static hlrp_status paint_class(const hlrp_region *region, int64_t index, hlrp_slide_ground *g,
                               uint8_t pen, uint8_t *half, hlrp_error *err) {
    const hlrp_mask cells = {g->ground.w, g->ground.h, g->ground.cell_w, g->ground.cell_h, NULL};
    const hlrp_status status = hlrp_region_class_cells(region, index, &cells, half, err);
    for (int64_t i = 0; status == HLRP_OK && i < cells.w * cells.h; i++)
        if (half[i] && g->kind[i] != pen)
            g->kind[i] = (uint8_t)index;
    return status;
}

/* The largest class first: where classes overlap, the smaller one says more. */
static hlrp_status paint_classes(const hlrp_region *region, int64_t classes, hlrp_slide_ground *g,
                                 hlrp_error *err) {
    bool painted[CLASSES_MOST] = {false};
    uint8_t *half = NULL;
    hlrp_status status =
        classes > 0 ? hlrp_calloc(&half, g->ground.w * g->ground.h, 1, "a report", err) : HLRP_OK;
    for (int64_t n = 0; status == HLRP_OK && n < classes; n++) {
        int64_t next = -1;
        for (int64_t i = 0; i < classes; i++)
            if (!painted[i] && (next < 0 || hlrp_region_class_at(region, i)->area >
                                                hlrp_region_class_at(region, next)->area))
                next = i;
        painted[next] = true;
        g->ground.kinds[next] = (hlrp_ground_kind){hlrp_region_class_at(region, next)->name, false};
        status = paint_class(region, next, g, (uint8_t)(classes + PEN), half, err);
    }
    free(half);
    return status;
}

hlrp_status hlrp_slide_ground_find(const hlrp_survey *survey, hlrp_slide_ground *out,
                                   hlrp_error *err) {
    hlrp_tissue_options options = hlrp_tissue_options_of(survey->config);
    const int64_t classes = HLRP_MIN(hlrp_region_class_count(survey->region), CLASSES_MOST);
    hlrp_region *tissue = NULL;
    hlrp_status status = HLRP_OK;
    options.pen = HLRP_PEN_DROP;
    HLRP_TRY(hlrp_region_new_tissue(survey->slide, survey->mpp, &options, &tissue, err));
    /* where tissue is looked at, this was said when it was found */
    if (hlrp_region_is_colorless(tissue) &&
        !(survey->config->regions.source & HLRP_CONFIG_SOURCE_TISSUE))
        hlrp_logf(survey->log, HLRP_LOG_WARN,
                  "%s: the slide has no color: a network for stained slides does not know its like",
                  survey->path);
    HLRP_TRY(copy_mask(hlrp_region_mask(tissue), classes, out, err));
    name_kinds(&out->ground, classes);
    status = paint_classes(survey->region, classes, out, err);
out:
    hlrp_region_free(tissue);
    return status;
}

void hlrp_slide_ground_free(hlrp_slide_ground *ground) {
    free(ground->kind);
    *ground = (hlrp_slide_ground){0};
}

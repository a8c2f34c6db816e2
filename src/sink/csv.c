#include <string.h>

#include "sink/sink.h"
#include "sink/text.h"
#include "sink/tiles.h"

static void add_cell_text(hlrp_str *s, const char *prefix, const char *name) {
    if (!strpbrk(name, ",\"\r\n")) {
        hlrp_str_addf(s, ",%s%s", prefix, name);
        return;
    }
    hlrp_str_addf(s, ",\"%s", prefix);
    for (const char *c = name; *c; c++)
        hlrp_str_addn(s, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
    hlrp_str_add(s, "\"");
}

static void add_names(hlrp_str *s, const char *prefix, const char *const *names, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        add_cell_text(s, prefix, names[i]);
}

/* What the network says of the tile; of a bag's tile, what its head does. */
static void add_first_names(hlrp_str *s, const hlrp_result_info *info) {
    char name[400];
    if (!info->bag) {
        hlrp_str_add(s, ",predicted");
        add_names(s, "logit:", info->class_names, info->classes);
        add_names(s, "probability:", info->class_names, info->classes);
        add_names(s, "start:", info->plane_names, info->planes);
        return;
    }
    add_names(s, "mil_relevance:", info->plane_names, info->planes);
    for (int64_t m = 0; m < hlrp_score_count(info); m++)
        add_cell_text(s, "", hlrp_score_name(info, m, name, sizeof name));
}

static void add_header(hlrp_str *s, const hlrp_result_info *info) {
    hlrp_str_add(s, "tile,x,y,width,height,status");
    add_first_names(s, info);
    add_names(s, "relevance:", info->plane_names, info->planes);
    add_names(s, "outside:", info->plane_names, info->planes);
    add_names(s, "density:", info->plane_names, info->planes);
    add_names(s, "for:", info->plane_names, info->planes);
    add_names(s, "against:", info->plane_names, info->planes);
    add_names(s, "agrees:", info->plane_names, info->planes);
    add_names(s, info->bag ? "abs_over_mil_relevance:" : "abs_over_start:", info->plane_names,
              info->planes);
    hlrp_str_add(s, "\r\n");
}

static void add_floats(hlrp_str *s, const double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        hlrp_str_add(s, ",");
        hlrp_text_float(s, (float)values[i]);
    }
}

static void add_doubles(hlrp_str *s, const double *values, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        hlrp_str_add(s, ",");
        hlrp_text_double(s, values[i]);
    }
}

static void add_first(hlrp_str *s, const hlrp_tiles *t, int64_t i) {
    const int64_t c = t->info->classes, k = t->info->planes;
    const int64_t predicted = hlrp_tiles_predicted(t, i);
    if (!t->info->bag) {
        add_cell_text(s, "", predicted < 0 ? "" : t->info->class_names[predicted]);
        add_floats(s, t->logit + i * c, c);
        add_floats(s, t->probability + i * c, c);
    }
    add_doubles(s, t->start + i * k, k);
    for (int64_t m = 0; m < hlrp_score_count(t->info); m++) {
        const double score = hlrp_tiles_score(t, i, m);
        add_floats(s, &score, 1);
    }
}

static void add_tile(hlrp_str *s, const hlrp_tiles *t, int64_t i) {
    const int64_t k = t->info->planes;
    hlrp_str_addf(s, "%lld,%.0f,%.0f,%.0f,%.0f,%s", (long long)(t->first + i), t->x[i], t->y[i],
                  t->width[i], t->height[i], hlrp_tiles_status(t, i));
    add_first(s, t, i);
    add_doubles(s, t->sum + i * k, k);
    add_doubles(s, t->outside + i * k, k);
    for (int64_t plane = 0; plane < k; plane++) {
        const double density = hlrp_tiles_density(t, i, plane);
        add_doubles(s, &density, 1);
    }
    add_doubles(s, t->plus + i * k, k);
    add_doubles(s, t->minus + i * k, k);
    for (int64_t plane = 0; plane < k; plane++) {
        const double agrees = t->agrees[i * k + plane];
        hlrp_str_add(s, agrees > 0 ? ",1" : agrees < 0 ? ",0" : ",");
    }
    for (int64_t plane = 0; plane < k; plane++) {
        const double over = hlrp_tiles_over_start(t, i, plane);
        add_doubles(s, &over, 1);
    }
    hlrp_str_add(s, "\r\n");
}

hlrp_status hlrp_sink_csv(const hlrp_sink_input *in, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_text text = {0};
    hlrp_tiles tiles = {0};
    HLRP_TRY(hlrp_tiles_init(&tiles, in->result, err));
    HLRP_TRY(hlrp_text_open(&text, path, err));
    add_header(&text.pending, tiles.info);
    for (int64_t first = 0; first < tiles.info->tiles; first += HLRP_TILES_BATCH) {
        HLRP_TRY(hlrp_tiles_read(&tiles, in->result, first, err));
        for (int64_t i = 0; i < tiles.count; i++)
            add_tile(&text.pending, &tiles, i);
        HLRP_TRY(hlrp_text_flush(&text, err));
    }
    HLRP_TRY(hlrp_text_commit(&text, err));
out:
    hlrp_text_close(&text);
    hlrp_tiles_free(&tiles);
    return status;
}

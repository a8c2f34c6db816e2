/* tiles.geojson as QuPath 0.4 and later reads it. A classification without a color makes QuPath
 * throw, NaN is no JSON, and the identifiers are made from slide and tile so that a rerun is the
 * same file. */
#include <math.h>
#include <string.h>

#include "sink/sink.h"
#include "sink/text.h"
#include "sink/tiles.h"

typedef struct frame {
    hlrp_slide_identity identity;
    int64_t dx, dy; /* subtracted from level-0 coordinates */
    int64_t plane;  /* the shown one */
    double
        least; /* of a bag: tiles with less of its score than this speak neither for nor against */
} frame;

/* Share of the most that a tile has of a bag's score: as little is transparent in the overlay. */
#define LEAST_SHARE 0.02

/* Distinct, and none of them QuPath's own defaults for annotations. */
static const uint8_t palette[][3] = {
    {58, 124, 186}, {200, 72, 56},  {76, 160, 92},   {150, 92, 178},
    {222, 148, 44}, {64, 172, 176}, {196, 104, 152}, {132, 116, 84},
};
static const uint8_t grey[3] = {128, 128, 128};

static void add_named_class(hlrp_str *s, const char *name, const uint8_t rgb[3]) {
    hlrp_str_add(s, "\"classification\":{\"name\":");
    hlrp_str_add_json(s, name[0] ? name : "unnamed");
    hlrp_str_addf(s, ",\"color\":[%d,%d,%d]}", rgb[0], rgb[1], rgb[2]);
}

/* The network calls no tile of a bag anything: its class says which way it speaks. */
static void add_side(hlrp_str *s, const frame *f, const hlrp_tiles *t, int64_t i) {
    const double start = t->start[i * t->info->planes + f->plane];
    hlrp_str name = {0};
    hlrp_str_addf(&name, "%s %s", start > 0 ? "for" : "against", t->info->plane_names[f->plane]);
    if (t->status[i] != 0)
        add_named_class(s, hlrp_tiles_status(t, i), grey);
    else if (!(fabs(start) > f->least))
        add_named_class(s, "neither for nor against", grey);
    else
        add_named_class(s, name.text ? name.text : "", palette[start > 0]);
    s->failed |= name.failed;
    hlrp_str_free(&name);
}

static void add_class(hlrp_str *s, const frame *f, const hlrp_tiles *t, int64_t i) {
    const int64_t predicted = hlrp_tiles_predicted(t, i);
    if (t->info->bag)
        add_side(s, f, t, i);
    else if (predicted < 0)
        add_named_class(s, "unreadable", grey);
    else
        add_named_class(s, t->info->class_names[predicted],
                        palette[(size_t)predicted % HLRP_COUNT(palette)]);
}

/* ,"prefix: name": value – or nothing where there is no value. */
static void add_measure(hlrp_str *s, const char *prefix, const char *name, double value,
                        bool single) {
    hlrp_str number = {0}, key = {0};
    const bool some =
        single ? hlrp_text_float(&number, (float)value) : hlrp_text_double(&number, value);
    if (some) {
        hlrp_str_addf(&key, "%s%s%s", prefix, prefix[0] ? ": " : "", name);
        s->failed |= key.failed || number.failed;
        hlrp_str_add(s, ",");
        hlrp_str_add_json(s, key.text ? key.text : "");
        hlrp_str_addf(s, ":%s", number.text ? number.text : "");
    }
    hlrp_str_free(&number);
    hlrp_str_free(&key);
}

/* What else a bag's head says of the tile. */
static void add_scores(hlrp_str *s, const hlrp_tiles *t, int64_t i) {
    char name[400];
    for (int64_t m = 0; m < hlrp_score_count(t->info); m++) {
        hlrp_score_name(t->info, m, name, sizeof name);
        char *rest = strchr(name, ':');
        if (rest)
            *rest = '\0';
        add_measure(s, rest ? name : "", rest ? rest + 1 : name, hlrp_tiles_score(t, i, m), true);
    }
}

static void add_measures(hlrp_str *s, const hlrp_tiles *t, int64_t i) {
    const hlrp_result_info *info = t->info;
    hlrp_str_addf(s, "\"measurements\":{\"tile\":%lld,\"status\":%.0f", (long long)(t->first + i),
                  t->status[i]);
    for (int64_t c = 0; c < info->classes; c++) {
        const int64_t at = i * info->classes + c;
        add_measure(s, "probability", info->class_names[c], t->probability[at], true);
        add_measure(s, "logit", info->class_names[c], t->logit[at], true);
    }
    for (int64_t k = 0; k < info->planes; k++) {
        const int64_t at = i * info->planes + k;
        add_measure(s, info->bag ? "relevance for the slide's score" : "start",
                    info->plane_names[k], t->start[at], false);
        add_measure(s, "relevance", info->plane_names[k], t->sum[at], false);
        add_measure(s, "relevance per mm^2", info->plane_names[k], hlrp_tiles_density(t, i, k),
                    false);
        add_measure(s, "relevance for", info->plane_names[k], t->plus[at], false);
        add_measure(s, "relevance against", info->plane_names[k], t->minus[at], false);
        if (t->agrees[at] != 0)
            add_measure(s, "agrees", info->plane_names[k], t->agrees[at] > 0, false);
        add_measure(s, info->bag ? "abs over relevance for the slide's score" : "abs over start",
                    info->plane_names[k], hlrp_tiles_over_start(t, i, k), false);
    }
    add_scores(s, t, i);
    hlrp_str_add(s, "}");
}

/* Shaped as a name-based UUID (RFC 4122, version 5), from SHA-256 of slide, number and frame. */
static void add_uuid(hlrp_str *s, const frame *f, const hlrp_tiles *t, int64_t i) {
    char name[400], hex[65];
    snprintf(name, sizeof name, "histolrp tile|%s|%lld|%lld|%.0f|%.0f|%.0f|%.0f", f->identity.hash,
             (long long)f->identity.bytes, (long long)(t->first + i), t->x[i], t->y[i], t->width[i],
             t->height[i]);
    hlrp_sha256_bytes(name, strlen(name), hex);
    const int variant = hex[16] >= 'a' ? hex[16] - 'a' + 10 : hex[16] - '0';
    hlrp_str_addf(s, "\"%.8s-%.4s-5%.3s-%c%.3s-%.12s\"", hex, hex + 8, hex + 13,
                  "89ab"[variant & 3], hex + 17, hex + 20);
}

static void add_tile(hlrp_str *s, const frame *f, const hlrp_tiles *t, int64_t i) {
    const double x0 = t->x[i] - (double)f->dx, y0 = t->y[i] - (double)f->dy;
    const double x1 = x0 + t->width[i], y1 = y0 + t->height[i];
    hlrp_str_add(s, t->first + i ? ",\n" : "\n");
    hlrp_str_add(s, "{\"type\":\"Feature\",\"id\":");
    add_uuid(s, f, t, i);
    hlrp_str_addf(s,
                  ",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[%.0f,%.0f],[%.0f,%.0f],"
                  "[%.0f,%.0f],[%.0f,%.0f],[%.0f,%.0f]]]}",
                  x0, y0, x1, y0, x1, y1, x0, y1, x0, y0);
    hlrp_str_add(s, ",\"properties\":{\"objectType\":\"tile\",");
    add_class(s, f, t, i);
    hlrp_str_add(s, ",");
    add_measures(s, t, i);
    hlrp_str_add(s, "}}");
}

static hlrp_status find_frame(const hlrp_sink_input *in, frame *f, hlrp_error *err) {
    hlrp_irect bounds = {0};
    if (!in->full && hlrp_slide_bounds(in->slide, &bounds)) {
        f->dx = bounds.x;
        f->dy = bounds.y;
    }
    return hlrp_slide_identify(in->slide, &f->identity, err);
}

static hlrp_status find_least(const hlrp_sink_input *in, hlrp_tiles *t, frame *f, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int64_t first = 0; t->info->bag && first < t->info->tiles; first += HLRP_TILES_BATCH) {
        const int64_t n = HLRP_MIN(HLRP_TILES_BATCH, t->info->tiles - first);
        HLRP_TRY(
            hlrp_result_read_tiles(in->result, "start", first, n, t->info->planes, t->start, err));
        for (int64_t i = 0; i < n; i++)
            f->least = fmax(f->least, LEAST_SHARE * fabs(t->start[i * t->info->planes + f->plane]));
    }
out:
    return status;
}

hlrp_status hlrp_sink_geojson(const hlrp_sink_input *in, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_text text = {0};
    hlrp_tiles tiles = {0};
    frame f = {.plane = in->plane};
    HLRP_TRY(find_frame(in, &f, err));
    HLRP_TRY(hlrp_tiles_init(&tiles, in->result, err));
    HLRP_TRY(find_least(in, &tiles, &f, err));
    HLRP_TRY(hlrp_text_open(&text, path, err));
    hlrp_str_add(&text.pending, "{\"type\":\"FeatureCollection\",\"features\":[");
    for (int64_t first = 0; first < tiles.info->tiles; first += HLRP_TILES_BATCH) {
        HLRP_TRY(hlrp_tiles_read(&tiles, in->result, first, err));
        for (int64_t i = 0; i < tiles.count; i++)
            add_tile(&text.pending, &f, &tiles, i);
        HLRP_TRY(hlrp_text_flush(&text, err));
    }
    hlrp_str_add(&text.pending, "\n]}\n");
    HLRP_TRY(hlrp_text_commit(&text, err));
out:
    hlrp_text_close(&text);
    hlrp_tiles_free(&tiles);
    return status;
}

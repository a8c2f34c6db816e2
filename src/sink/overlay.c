/* overlay.tif: bands of the slide, colored by the map, pushed into a pyramid. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "sink/backdrop.h"
#include "sink/heat.h"
#include "sink/sink.h"
#include "stitch/colormap.h"

#define DEFAULT_COLORMAP "vik"
#define DEFAULT_OPACITY 0.6
#define DEFAULT_PERCENTILE 99.5
#define JPEG_QUALITY 87
#define MOST_BETWEEN 8

typedef struct overlay {
    const hlrp_sink_input *in;
    const hlrp_result_info *info;
    double fx, fy; /* level-0 pixels per overlay pixel */
    hlrp_size size;
    double limit, opacity;
    hlrp_colormap colors;
    hlrp_backdrop *backdrop;
    hlrp_heat *heat;
    hlrp_hatch *hatch; /* NULL: every tile is explained */
    hlrp_pyramid *pyramid;
    uint8_t *rgb;  /* a band */
    float *values; /* a band */
} overlay;

/* ---- set-up ---- */

/* Scales this close to a level's are that level's: its pixels are then copied. */
#define NEARLY 0.05

/* A scale that a level of the slide all but has. */
static void take_level(overlay *o) {
    for (int k = 0; k < hlrp_slide_levels(o->in->slide); k++) {
        double dx = 1, dy = 1;
        hlrp_slide_downsample(o->in->slide, k, &dx, &dy);
        if (fabs(o->fx / dx - 1) < NEARLY && fabs(o->fy / dy - 1) < NEARLY) {
            o->fx = dx;
            o->fy = dy;
            return;
        }
    }
}

/* The default is half the map's pixel; nothing finer than the slide's pixel is made up. */
static void choose_scale(overlay *o) {
    const hlrp_mpp mpp = o->info->mpp;
    const double half = (double)o->info->downsample / 2, asked = o->in->overlay_mpp;
    o->fx = fmax(asked > 0 ? asked / mpp.x : half, 1);
    o->fy = fmax(asked > 0 ? asked / mpp.y : half, 1);
    take_level(o);
    o->size.w = HLRP_MAX((int64_t)ceil((double)o->info->slide.w / o->fx - 1e-6), 1);
    o->size.h = HLRP_MAX((int64_t)ceil((double)o->info->slide.h / o->fy - 1e-6), 1);
}

/* Bio-Formats takes a description with "<OME" in it for OME-TIFF. */
static void add_line(hlrp_str *text, const char *key, const char *value) {
    hlrp_str_addf(text, "\n%s: ", key);
    for (const char *c = value; *c; c++)
        hlrp_str_addn(text, *c == '<' ? "(" : (unsigned char)*c < ' ' ? " " : c, 1);
}

static void describe(const overlay *o, hlrp_str *text) {
    const hlrp_sink_input *in = o->in;
    const double percentile = in->percentile > 0 ? in->percentile : DEFAULT_PERCENTILE;
    hlrp_str_add(text, "histolrp overlay");
    add_line(text, "class", o->info->plane_names[in->plane]);
    hlrp_str_addf(text, "\nlimit: %.7g", o->limit);
    add_line(text, "unit", in->unit ? in->unit : "relevance");
    if (strcmp(hlrp_sink_limit_kind(in), HLRP_LIMIT_GIVEN) == 0)
        hlrp_str_add(text, "\npercentile: none (the limit was given)");
    else
        hlrp_str_addf(text, "\npercentile: %.9g", percentile);
    add_line(text, "limit from", hlrp_sink_limit_kind(in));
    hlrp_str_addf(text, "\nsmoothing: %.9g map pixels", in->smoothing);
    add_line(text, "colormap", in->colormap ? in->colormap : DEFAULT_COLORMAP);
    hlrp_str_addf(text, "\nopacity: %.9g", o->opacity);
    hlrp_str_addf(text, "\nlevel-0 pixels per pixel: %.17g, %.17g", o->fx, o->fy);
}

static bool near_size(hlrp_size a, hlrp_size b) {
    return llabs(a.w - b.w) <= 1 && llabs(a.h - b.h) <= 1;
}

/* OpenSlide sorts levels by width and opens no file where that is not their order by scale, too: the
 * mean of both axes, which can differ where overlay pixels are square and the slide's are not. */
static bool in_order(hlrp_size base, hlrp_size a, hlrp_size b) {
    const double scale_a = (double)base.w / (double)a.w + (double)base.h / (double)a.h;
    const double scale_b = (double)base.w / (double)b.w + (double)base.h / (double)b.h;
    return a.w != b.w && (a.w < b.w) == (scale_a > scale_b);
}

/* Every level of the slide that is coarser than the overlay has one of its size there: viewers that
 * show both change levels together. Halving gives those of most slides, others are put between. */
static int levels_between(const overlay *o, const hlrp_pyramid_spec *spec,
                          hlrp_size out[MOST_BETWEEN]) {
    const int halvings = hlrp_pyramid_levels(spec);
    int count = 0;
    for (int k = 1; k < hlrp_slide_levels(o->in->slide) && count < MOST_BETWEEN; k++) {
        const hlrp_size size = hlrp_slide_size(o->in->slide, k);
        bool there = size.w >= o->size.w || size.h >= o->size.h || size.w < 1 || size.h < 1;
        for (int i = 0; i < halvings; i++)
            there = there || near_size(size, hlrp_pyramid_level_size(spec, i)) ||
                    !in_order(o->size, size, hlrp_pyramid_level_size(spec, i));
        if (!there)
            out[count++] = size;
    }
    return count;
}

static hlrp_status open_pyramid(overlay *o, const char *path, hlrp_error *err) {
    hlrp_str text = {0};
    const char *descriptions[64] = {NULL};
    describe(o, &text);
    descriptions[0] = text.text;
    hlrp_size between[MOST_BETWEEN];
    hlrp_pyramid_spec spec = {
        .width = o->size.w,
        .height = o->size.h,
        .pixel = HLRP_PIXEL_RGB8,
        .codec = HLRP_CODEC_JPEG_YCC444, /* thin colored structures smear at 4:2:0 */
        .quality = JPEG_QUALITY,
        .mpp = {o->info->mpp.x * o->fx, o->info->mpp.y * o->fy},
        .software = o->in->software ? o->in->software : "histolrp",
        .descriptions = descriptions,
    };
    spec.between_count = levels_between(o, &spec, between);
    spec.between = between;
    hlrp_status status = HLRP_E_MEMORY;
    if (text.failed)
        hlrp_fail(err, status, path, NULL, "no memory left for a description");
    else
        status = hlrp_pyramid_open(path, &spec, &o->pyramid, err);
    hlrp_str_free(&text);
    return status;
}

/* ---- bands ---- */

static void color_band(const overlay *o, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++) {
        const double t = o->limit > 0 ? o->values[i] / o->limit : 0;
        const double alpha = hlrp_colormap_alpha(t, o->opacity);
        if (!(alpha > 0))
            continue;
        const uint8_t *color = hlrp_colormap_at(&o->colors, t);
        uint8_t *rgb = o->rgb + 3 * i;
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)lround(rgb[c] + alpha * ((double)color[c] - rgb[c]));
    }
}

static hlrp_status write_bands(overlay *o, int64_t band, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int64_t y = 0; y < o->size.h; y += band) {
        const int64_t rows = HLRP_MIN(band, o->size.h - y);
        HLRP_TRY(hlrp_backdrop_read(o->backdrop, y, rows, o->size.w, o->rgb, err));
        HLRP_TRY(hlrp_heat_read(o->heat, y, rows, o->size.w, o->values, err));
        color_band(o, rows * o->size.w);
        if (o->hatch)
            HLRP_TRY(hlrp_hatch_draw(o->hatch, y, rows, o->size.w, o->rgb, err));
        HLRP_TRY(hlrp_pyramid_rows(o->pyramid, o->rgb, rows, (size_t)o->size.w * 3, err));
    }
    HLRP_TRY(hlrp_pyramid_finish(o->pyramid, err));
    if (hlrp_backdrop_lost(o->backdrop) > 0)
        hlrp_logf(o->in->log, HLRP_LOG_WARN,
                  "overlay: %lld of %lld pixels of the slide could not be read and are background",
                  (long long)hlrp_backdrop_lost(o->backdrop), (long long)(o->size.w * o->size.h));
out:
    return status;
}

hlrp_status hlrp_sink_overlay(const hlrp_sink_input *in, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    overlay o = {.in = in, .info = hlrp_result_facts(in->result)};
    int64_t band = 0;
    o.opacity = in->opacity > 0 ? fmin(in->opacity, 1) : DEFAULT_OPACITY;
    choose_scale(&o);
    HLRP_TRY(hlrp_colormap_init(&o.colors, in->colormap ? in->colormap : DEFAULT_COLORMAP, err));
    HLRP_TRY(hlrp_sink_limit(in, &o.limit, err));
    HLRP_TRY(hlrp_heat_new(in->result, in->plane, in->smoothing, o.fx, o.fy, &o.heat, err));
    if (hlrp_unexplained_hatches(&in->unexplained))
        HLRP_TRY(
            hlrp_hatch_new(in->result, in->plane, &in->unexplained, o.fx, o.fy, &o.hatch, err));
    HLRP_TRY(hlrp_backdrop_new(in->slide, o.fx, o.fy, &o.backdrop, err));
    band = hlrp_backdrop_rows(o.backdrop);
    HLRP_TRY(hlrp_calloc(&o.rgb, 3 * band * o.size.w, 1, "a band of the overlay", err));
    HLRP_TRY(hlrp_calloc(&o.values, band * o.size.w, sizeof(float), "a band of the map", err));
    HLRP_TRY(open_pyramid(&o, path, err));
    HLRP_TRY(write_bands(&o, band, err));
out:
    hlrp_pyramid_free(o.pyramid);
    hlrp_heat_free(o.heat);
    hlrp_hatch_free(o.hatch);
    hlrp_backdrop_free(o.backdrop);
    free(o.rgb);
    free(o.values);
    return status;
}

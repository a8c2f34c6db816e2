/* Writes the slide and its truth band by band, from the top. */
#include <stdlib.h>

#include "image/image.h"
#include "phantom/paint.h"

/* Aperio's own levels are 4 times smaller each. */
enum { TILE = 256, STEP = 4, SMALLEST = 1024, MAX_LEVELS = 16 };

typedef struct slide_writer {
    const hlrp_phantom *phantom;
    char *descriptions[MAX_LEVELS];
    char *thumbnail;
    hlrp_pyramid *slide, *truth; /* truth: NULL where none is asked for */
    uint8_t *rgb, *mask;         /* one band: [HLRP_BLOCK][width] */
} slide_writer;

/* OpenSlide and Bio-Formats know the vendor by the first words, and read "key = value" after '|'.
 */
static hlrp_status describe(char **out, const hlrp_phantom_options *o, hlrp_size level,
                            hlrp_error *err) {
    hlrp_str s = {0};
    hlrp_str_addf(&s, "Aperio Image Library layout, histolrp phantom " HLRP_VERSION "\r\n");
    hlrp_str_addf(&s, "%lldx%lld [0,0 %lldx%lld] (%dx%d)", (long long)o->width,
                  (long long)o->height, (long long)o->width, (long long)o->height, TILE, TILE);
    if (level.w != o->width || level.h != o->height)
        hlrp_str_addf(&s, " -> %lldx%lld", (long long)level.w, (long long)level.h);
    hlrp_str_addf(&s, " JPEG/RGB Q=%d", o->jpeg_quality);
    hlrp_str_addf(&s, "|AppMag = %.4g|MPP = %.6g|Seed = %llu|Synthetic = yes", 10 / o->mpp, o->mpp,
                  (unsigned long long)o->seed);
    if (s.failed) {
        hlrp_str_free(&s);
        return hlrp_fail(err, HLRP_E_MEMORY, "phantom description", NULL, "out of memory");
    }
    *out = s.text;
    return HLRP_OK;
}

static hlrp_pyramid_spec common_spec(const hlrp_phantom_options *o) {
    return (hlrp_pyramid_spec){.width = o->width,
                               .height = o->height,
                               .tile = TILE,
                               .step = STEP,
                               .min_size = SMALLEST,
                               .mpp = {o->mpp, o->mpp},
                               .software = "histolrp " HLRP_VERSION};
}

static hlrp_status open_slide(slide_writer *s, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_phantom_options *o = &s->phantom->options;
    hlrp_pyramid_spec spec = common_spec(o);
    spec.pixel = HLRP_PIXEL_RGB8;
    spec.codec = HLRP_CODEC_JPEG;
    spec.quality = o->jpeg_quality;
    spec.layout = HLRP_LAYOUT_APERIO;
    int levels = hlrp_pyramid_levels(&spec);
    if (levels < 1 || levels > MAX_LEVELS)
        return hlrp_fail(err, HLRP_E_INTERNAL, path, NULL, "%d levels", levels);
    for (int i = 0; i < levels; i++)
        HLRP_TRY(describe(&s->descriptions[i], o, hlrp_pyramid_level_size(&spec, i), err));
    HLRP_TRY(describe(&s->thumbnail, o, hlrp_pyramid_level_size(&spec, levels - 1), err));
    spec.descriptions = (const char *const *)s->descriptions;
    spec.thumbnail = s->thumbnail;
    HLRP_TRY(hlrp_pyramid_open(path, &spec, &s->slide, err));
out:
    return status;
}

static hlrp_status open_truth(slide_writer *s, const char *path, hlrp_error *err) {
    hlrp_pyramid_spec spec = common_spec(&s->phantom->options);
    spec.pixel = HLRP_PIXEL_GREY8;
    spec.codec = HLRP_CODEC_DEFLATE;
    spec.layout = HLRP_LAYOUT_PAGES;
    return hlrp_pyramid_open(path, &spec, &s->truth, err);
}

static hlrp_status open_writer(slide_writer *s, const char *path, const char *truth_path,
                               hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t width = s->phantom->options.width;
    HLRP_TRY(hlrp_calloc(&s->rgb, width * HLRP_BLOCK, 3, "phantom band", err));
    HLRP_TRY(open_slide(s, path, err));
    if (truth_path) {
        HLRP_TRY(hlrp_calloc(&s->mask, width * HLRP_BLOCK, 1, "phantom band", err));
        HLRP_TRY(open_truth(s, truth_path, err));
    }
out:
    return status;
}

static hlrp_status write_band(slide_writer *s, int64_t y, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_phantom_options *o = &s->phantom->options;
    hlrp_irect band = {0, y, o->width, HLRP_MIN(HLRP_BLOCK, o->height - y)};
    HLRP_TRY(hlrp_phantom_paint(s->phantom, band, s->rgb, s->mask, err));
    HLRP_TRY(hlrp_pyramid_rows(s->slide, s->rgb, band.h, (size_t)(3 * o->width), err));
    if (s->truth)
        HLRP_TRY(hlrp_pyramid_rows(s->truth, s->mask, band.h, (size_t)o->width, err));
out:
    return status;
}

static hlrp_status write_bands(slide_writer *s, const char *path,
                               const hlrp_phantom_progress *progress, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t height = s->phantom->options.height;
    for (int64_t y = 0; y < height; y += HLRP_BLOCK) {
        HLRP_TRY(write_band(s, y, err));
        int64_t done = HLRP_MIN(y + HLRP_BLOCK, height);
        if (progress && progress->report && !progress->report(progress->ctx, done, height))
            return hlrp_fail(err, HLRP_E_INTERRUPTED, path, NULL, "stopped at row %lld of %lld",
                             (long long)done, (long long)height);
    }
out:
    return status;
}

static void close_writer(slide_writer *s) {
    hlrp_pyramid_free(s->truth);
    hlrp_pyramid_free(s->slide);
    for (int i = 0; i < MAX_LEVELS; i++)
        free(s->descriptions[i]);
    free(s->thumbnail);
    free(s->rgb);
    free(s->mask);
}

/* The truth is finished first: a slide that is there has its truth. */
hlrp_status hlrp_phantom_write(const hlrp_phantom_options *options, const char *path,
                               const char *truth_path, const hlrp_log *log,
                               const hlrp_phantom_progress *progress, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_phantom *phantom = NULL;
    slide_writer s = {0};
    double start = hlrp_seconds();
    HLRP_TRY(hlrp_phantom_new(options, &phantom, err));
    s.phantom = phantom;
    HLRP_TRY(open_writer(&s, path, truth_path, err));
    HLRP_TRY(write_bands(&s, path, progress, err));
    if (s.truth)
        HLRP_TRY(hlrp_pyramid_finish(s.truth, err));
    HLRP_TRY(hlrp_pyramid_finish(s.slide, err));
    hlrp_logf(log, HLRP_LOG_INFO, "%s: %lld x %lld pixels at %g um per pixel in %.1f s", path,
              (long long)options->width, (long long)options->height, options->mpp,
              hlrp_seconds() - start);
out:
    close_writer(&s);
    hlrp_phantom_free(phantom);
    return status;
}

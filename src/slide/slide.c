#include "slide/slide.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "slide/slide_private.h"

/* ---- opening ---- */

static bool fits(hlrp_size base, hlrp_size size, double factor) {
    return fabs((double)base.w / factor - (double)size.w) < 1 &&
           fabs((double)base.h / factor - (double)size.h) < 1;
}

/* See hlrp_slide_downsample. Tiny levels fit several factors: a power of two is preferred, then an
 * integer; fractions are told apart by large ones only. */
static void measure_downsample(hlrp_size base, slide_level *level) {
    enum { MOST_PARTS = 10, LARGE = 1000 };
    level->x = (double)base.w / (double)level->size.w;
    level->y = (double)base.h / (double)level->size.h;
    /* the longer side knows it best */
    const double guess = level->size.w > level->size.h ? level->x : level->y;
    const double power = exp2(round(log2(guess)));
    const bool large = HLRP_MAX(level->size.w, level->size.h) >= LARGE;
    if (fits(base, level->size, power) && power >= 1) {
        level->x = level->y = power;
        return;
    }
    for (int parts = 1; parts <= (large ? MOST_PARTS : 1); parts++) {
        const double factor = fmax(round(guess * parts) / parts, 1);
        if (fits(base, level->size, factor)) {
            level->x = level->y = factor;
            return;
        }
    }
}

static hlrp_status copy_levels(hlrp_slide *slide, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    slide->level_count = slide->backend->level_count(slide->state);
    if (slide->level_count < 1)
        return hlrp_fail(err, HLRP_E_INPUT, slide->path, "check the file", "the slide is empty");
    HLRP_TRY(hlrp_calloc(&slide->levels, slide->level_count, sizeof *slide->levels, "levels", err));
    for (int i = 0; i < slide->level_count; i++) {
        slide_level *level = &slide->levels[i];
        level->size = slide->backend->level_size(slide->state, i);
        level->step = slide->backend->level_step(slide->state, i);
        if (level->size.w < 1 || level->size.h < 1 || !(level->step > 0) || !isfinite(level->step))
            return hlrp_fail(err, HLRP_E_INPUT, slide->path, "check the file",
                             "level %d has no usable size", i);
        measure_downsample(slide->levels[0].size, level);
    }
out:
    return status;
}

static hlrp_status copy_properties(hlrp_slide *slide, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *const *names = slide->backend->property_names(slide->state);
    for (int64_t i = 0; names && names[i]; i++) {
        const char *value = slide->backend->property(slide->state, names[i]);
        if (!value)
            continue;
        HLRP_TRY(hlrp_strings_add(&slide->keys, names[i], err));
        HLRP_TRY(hlrp_strings_add(&slide->values, value, err));
    }
out:
    return status;
}

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* "RRGGBB", a '#' before it allowed. */
static void find_background(hlrp_slide *slide) {
    memset(slide->background, 255, 3);
    const char *text = hlrp_slide_property(slide, "openslide.background-color");
    if (!text)
        return;
    text += *text == '#';
    if (strlen(text) != 6)
        return;
    uint8_t rgb[3] = {0};
    for (int i = 0; i < 3; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return;
        rgb[i] = (uint8_t)(high * 16 + low);
    }
    memcpy(slide->background, rgb, 3);
}

hlrp_status hlrp_slide_open_backend(const hlrp_slide_backend *backend, const void *source,
                                    void *owned_source, const char *path, hlrp_slide **out,
                                    hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_slide *slide = NULL;
    *out = NULL;
    status = hlrp_calloc(&slide, 1, sizeof *slide, "a slide", err);
    if (status != HLRP_OK) {
        free(owned_source);
        return status;
    }
    slide->backend = backend;
    slide->source = source;
    slide->owned_source = owned_source;
    slide->path = hlrp_strdup(path, err);
    if (!slide->path) {
        status = HLRP_E_MEMORY;
        goto out;
    }
    HLRP_TRY(backend->open(source, &slide->state, err));
    HLRP_TRY(copy_levels(slide, err));
    HLRP_TRY(copy_properties(slide, err));
    HLRP_TRY(hlrp_slide_read_ome(slide, err));
    hlrp_slide_find_small_levels(slide);
    find_background(slide);
    *out = slide;
    slide = NULL;
out:
    hlrp_slide_close(slide);
    return status;
}

static hlrp_status open_file(const char *path, const hlrp_slide *like, hlrp_slide **out,
                             hlrp_error *err) {
    *out = NULL;
    char *source = hlrp_strdup(path, err);
    if (!source)
        return HLRP_E_MEMORY;
    hlrp_status status =
        hlrp_slide_open_backend(&hlrp_backend_openslide, source, source, path, out, err);
    if (status == HLRP_OK)
        status = hlrp_slide_confirm(*out, like, err);
    if (status != HLRP_OK) {
        hlrp_slide_close(*out);
        *out = NULL;
    }
    return status;
}

hlrp_status hlrp_slide_open(const char *path, hlrp_slide **out, hlrp_error *err) {
    return open_file(path, NULL, out, err);
}

hlrp_status hlrp_slide_open_again(const hlrp_slide *slide, hlrp_slide **out, hlrp_error *err) {
    if (slide->owned_source)
        return open_file(slide->path, slide, out, err);
    return hlrp_slide_open_backend(slide->backend, slide->source, NULL, slide->path, out, err);
}

void hlrp_slide_close(hlrp_slide *slide) {
    if (!slide)
        return;
    if (slide->state)
        slide->backend->close(slide->state);
    hlrp_direct_close(slide->direct);
    hlrp_strings_free(&slide->keys);
    hlrp_strings_free(&slide->values);
    free(slide->levels);
    free(slide->argb);
    free(slide->path);
    free(slide->owned_source);
    free(slide);
}

/* ---- what is known without reading ---- */

const char *hlrp_slide_path(const hlrp_slide *slide) {
    return slide->path;
}

const char *hlrp_slide_name(const hlrp_slide *slide) {
    return hlrp_path_name(slide->path);
}

int hlrp_slide_levels(const hlrp_slide *slide) {
    return slide->level_count;
}

hlrp_size hlrp_slide_size(const hlrp_slide *slide, int level) {
    return slide->levels[level].size;
}

void hlrp_slide_downsample(const hlrp_slide *slide, int level, double *x, double *y) {
    *x = slide->levels[level].x;
    *y = slide->levels[level].y;
}

int hlrp_slide_pick_level(const hlrp_slide *slide, double downsample_x, double downsample_y) {
    int best = 0;
    for (int i = 1; i < slide->level_count; i++) {
        const slide_level *level = &slide->levels[i];
        if (!level->unusable && level->x <= downsample_x * 1.01 &&
            level->y <= downsample_y * 1.01 && level->x > slide->levels[best].x)
            best = i;
    }
    return best;
}

int hlrp_slide_next_level(const hlrp_slide *slide, int level) {
    for (int i = level + 1; i < slide->level_count; i++)
        if (!slide->levels[i].unusable)
            return i;
    return -1;
}

const char *hlrp_slide_level_unusable(const hlrp_slide *slide, int level) {
    return slide->levels[level].unusable;
}

const char *hlrp_slide_property(const hlrp_slide *slide, const char *key) {
    for (int64_t i = 0; i < slide->keys.count; i++)
        if (strcmp(slide->keys.items[i], key) == 0)
            return slide->values.items[i];
    return NULL;
}

bool hlrp_slide_has_vendor(const hlrp_slide *slide, const char *name) {
    const char *vendor = hlrp_slide_property(slide, "openslide.vendor");
    return vendor && strcmp(vendor, name) == 0;
}

int64_t hlrp_slide_property_count(const hlrp_slide *slide) {
    return slide->keys.count;
}

void hlrp_slide_property_at(const hlrp_slide *slide, int64_t index, const char **key,
                            const char **value) {
    *key = slide->keys.items[index];
    *value = slide->values.items[index];
}

void hlrp_slide_background(const hlrp_slide *slide, uint8_t rgb[3]) {
    memcpy(rgb, slide->background, 3);
}

bool hlrp_slide_bounds(const hlrp_slide *slide, hlrp_irect *bounds) {
    static const char *const keys[4] = {"openslide.bounds-x", "openslide.bounds-y",
                                        "openslide.bounds-width", "openslide.bounds-height"};
    hlrp_irect whole = {0, 0, slide->levels[0].size.w, slide->levels[0].size.h};
    int64_t v[4] = {0};
    *bounds = whole;
    for (int i = 0; i < 4; i++) {
        const char *text = hlrp_slide_property(slide, keys[i]);
        if (!text || !hlrp_parse_int(text, &v[i]))
            return false;
    }
    hlrp_irect cut = hlrp_irect_intersect((hlrp_irect){v[0], v[1], v[2], v[3]}, whole);
    if (cut.w == 0)
        return false;
    *bounds = cut;
    return true;
}

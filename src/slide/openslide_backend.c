/* Slides in files, by OpenSlide. */
#include <openslide.h>
#include <stdlib.h>
#include <string.h>

#include "slide/slide_private.h"

/* Bytes that OpenSlide may take for a stored tile and what it makes of it; without, it ends the
 * program. */
#define ROOM (INT64_C(32) << 20)

static hlrp_status file_open(const void *source, void **state, hlrp_error *err) {
    const char *path = source;
    *state = NULL;
    if (hlrp_memory_left(ROOM, path, err) != HLRP_OK)
        return HLRP_E_MEMORY;
    openslide_t *osr = openslide_open(path);
    if (!osr)
        return hlrp_slide_explain_refusal(path, NULL, err);
    const char *words = openslide_get_error(osr);
    if (words) {
        hlrp_status status = hlrp_slide_explain_refusal(path, words, err);
        openslide_close(osr);
        return status;
    }
    *state = osr;
    return HLRP_OK;
}

static void file_close(void *state) {
    openslide_close(state);
}

static int file_level_count(void *state) {
    return openslide_get_level_count(state);
}

static hlrp_size file_level_size(void *state, int level) {
    hlrp_size size = {0, 0};
    openslide_get_level_dimensions(state, level, &size.w, &size.h);
    return size;
}

static double file_level_step(void *state, int level) {
    return openslide_get_level_downsample(state, level);
}

static const char *const *file_property_names(void *state) {
    return openslide_get_property_names(state);
}

static const char *file_property(void *state, const char *name) {
    return openslide_get_property_value(state, name);
}

static hlrp_status file_read(void *state, int level, int64_t x0, int64_t y0, int64_t w, int64_t h,
                             uint32_t *argb, hlrp_error *err) {
    if (hlrp_memory_left(ROOM, "OpenSlide", err) != HLRP_OK)
        return HLRP_E_MEMORY;
    openslide_read_region(state, argb, x0, y0, level, w, h);
    const char *words = openslide_get_error(state);
    if (!words)
        return HLRP_OK;
    char where[200] = "";
    snprintf(where, sizeof where, "in %lld × %lld pixels of level %d at level-0 (%lld, %lld)",
             (long long)w, (long long)h, level, (long long)x0, (long long)y0);
    return hlrp_fail(err, HLRP_E_INPUT, where, "the file is damaged there: copy it anew",
                     "OpenSlide: %s", words);
}

static hlrp_status file_head(const void *source, uint8_t *bytes, int64_t capacity, int64_t *count,
                             int64_t *size, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *path = source;
    FILE *file = fopen(path, "rb");
    *count = *size = 0;
    if (!file || fseeko(file, 0, SEEK_END) != 0 || (*size = ftello(file)) < 0 ||
        fseeko(file, 0, SEEK_SET) != 0) {
        status = hlrp_fail(err, HLRP_E_INPUT, path, "check the file", "the file cannot be read");
        goto out;
    }
    *count = (int64_t)fread(bytes, 1, (size_t)capacity, file);
    if (ferror(file))
        status = hlrp_fail(err, HLRP_E_INPUT, path, "check the disk", "the file cannot be read");
out:
    if (file)
        fclose(file);
    return status;
}

const hlrp_slide_backend hlrp_backend_openslide = {
    .open = file_open,
    .close = file_close,
    .level_count = file_level_count,
    .level_size = file_level_size,
    .level_step = file_level_step,
    .property_names = file_property_names,
    .property = file_property,
    .read = file_read,
    .head = file_head,
};

const char *hlrp_slide_version(void) {
    return openslide_get_version();
}

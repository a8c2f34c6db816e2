/* Slides in arrays, for tests. */
#include "slide/slide_memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "slide/slide_private.h"

typedef struct memory_state {
    const hlrp_memory_slide *source;
    const char **names; /* NULL-terminated */
    bool failed;
} memory_state;

static hlrp_status memory_open(const void *source, void **state, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    memory_state *s = NULL;
    *state = NULL;
    HLRP_TRY(hlrp_calloc(&s, 1, sizeof *s, "a slide in memory", err));
    s->source = source;
    HLRP_TRY(hlrp_calloc(&s->names, s->source->property_count + 1, sizeof *s->names, "names", err));
    for (int64_t i = 0; i < s->source->property_count; i++)
        s->names[i] = s->source->properties[i].key;
    *state = s;
    s = NULL;
out:
    free(s);
    return status;
}

static void memory_close(void *state) {
    memory_state *s = state;
    free(s->names);
    free(s);
}

static int memory_level_count(void *state) {
    return ((memory_state *)state)->source->level_count;
}

static hlrp_size memory_level_size(void *state, int level) {
    return ((memory_state *)state)->source->levels[level].size;
}

static double memory_level_step(void *state, int level) {
    const hlrp_memory_level *levels = ((memory_state *)state)->source->levels;
    return ((double)levels[0].size.w / (double)levels[level].size.w +
            (double)levels[0].size.h / (double)levels[level].size.h) /
           2;
}

static const char *const *memory_property_names(void *state) {
    return ((memory_state *)state)->names;
}

static const char *memory_property(void *state, const char *name) {
    const hlrp_memory_slide *source = ((memory_state *)state)->source;
    for (int64_t i = 0; i < source->property_count; i++)
        if (strcmp(source->properties[i].key, name) == 0)
            return source->properties[i].value;
    return NULL;
}

static bool hits_fault(const hlrp_memory_slide *source, int level, hlrp_irect rect) {
    for (int64_t i = 0; i < source->fault_count; i++)
        if (source->faults[i].level == level &&
            hlrp_irect_intersect(source->faults[i].rect, rect).w > 0)
            return !source->faults_left || (*source->faults_left)-- > 0;
    return false;
}

/* Premultiplied A, R, G, B of one pixel; transparent outside the level. */
static void fetch(const hlrp_memory_level *level, int64_t x, int64_t y, double argb[4]) {
    memset(argb, 0, 4 * sizeof *argb);
    if (x < 0 || y < 0 || x >= level->size.w || y >= level->size.h)
        return;
    int64_t at = y * level->size.w + x;
    double alpha = level->alpha ? level->alpha[at] : 255;
    argb[0] = alpha;
    for (int c = 0; c < 3; c++)
        argb[c + 1] = floor(level->rgb[3 * at + c] * alpha / 255 + 0.5);
}

static uint32_t sample(const hlrp_memory_level *level, double x, double y) {
    int64_t left = (int64_t)floor(x), top = (int64_t)floor(y);
    double fx = x - (double)left, fy = y - (double)top, sum[4] = {0};
    for (int k = 0; k < 4; k++) {
        double argb[4], weight = (k & 1 ? fx : 1 - fx) * (k & 2 ? fy : 1 - fy);
        if (weight == 0)
            continue;
        fetch(level, left + (k & 1), top + (k >> 1), argb);
        for (int c = 0; c < 4; c++)
            sum[c] += weight * argb[c];
    }
    uint32_t packed = 0;
    for (int c = 0; c < 4; c++)
        packed = packed << 8 | (uint32_t)floor(sum[c] + 0.5);
    return packed;
}

static hlrp_status memory_read(void *state, int level, int64_t x0, int64_t y0, int64_t w, int64_t h,
                               uint32_t *argb, hlrp_error *err) {
    memory_state *s = state;
    double step = memory_level_step(state, level);
    double x = (double)x0 / step, y = (double)y0 / step;
    hlrp_irect rect = hlrp_rect_cover((hlrp_rect){x, y, (double)w, (double)h});
    s->failed = s->failed || hits_fault(s->source, level, rect);
    if (s->failed)
        return hlrp_fail(err, HLRP_E_INPUT, "a slide in memory", "remove the fault",
                         "level %d is damaged", level);
    for (int64_t j = 0; j < h; j++)
        for (int64_t i = 0; i < w; i++)
            argb[j * w + i] = sample(&s->source->levels[level], x + (double)i, y + (double)j);
    return HLRP_OK;
}

static hlrp_status memory_head(const void *source, uint8_t *bytes, int64_t capacity, int64_t *count,
                               int64_t *size, hlrp_error *err) {
    (void)err;
    const hlrp_memory_level *level = ((const hlrp_memory_slide *)source)->levels;
    *size = level->size.w * level->size.h * 3;
    *count = HLRP_MIN(capacity, *size);
    memcpy(bytes, level->rgb, (size_t)*count);
    return HLRP_OK;
}

static const hlrp_slide_backend backend_memory = {
    .open = memory_open,
    .close = memory_close,
    .level_count = memory_level_count,
    .level_size = memory_level_size,
    .level_step = memory_level_step,
    .property_names = memory_property_names,
    .property = memory_property,
    .read = memory_read,
    .head = memory_head,
};

hlrp_status hlrp_slide_open_memory(const hlrp_memory_slide *source, hlrp_slide **out,
                                   hlrp_error *err) {
    return hlrp_slide_open_backend(&backend_memory, source, NULL,
                                   source->path ? source->path : "memory", out, err);
}

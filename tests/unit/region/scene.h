/* Painted slides with known truth, 4 µm per pixel. Nothing is random: noise is a hash of place. */
#ifndef HLRP_TEST_SCENE_H
#define HLRP_TEST_SCENE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/region.h"
#include "slide/slide_memory.h"

#define SCENE_MPP 4.0

typedef struct scene {
    hlrp_size size;
    uint8_t *rgb;
    uint8_t *truth; /* what was painted last: a hlrp_cell */
    hlrp_memory_level level;
    hlrp_memory_slide source;
    hlrp_slide *slide;
} scene;

static const uint8_t GLASS[3] = {243, 242, 244}, EOSIN[3] = {226, 160, 196},
                     NUCLEUS[3] = {96, 66, 140}, PALE[3] = {238, 214, 228},
                     BLUE_PEN[3] = {52, 78, 176}, GREEN_PEN[3] = {40, 130, 90},
                     BLACK[3] = {0, 0, 0};

static inline uint32_t scene_hash(int64_t x, int64_t y) {
    uint32_t h = (uint32_t)x * 2654435761u ^ (uint32_t)y * 2246822519u;
    h ^= h >> 15;
    h *= 2246822519u;
    return h ^ h >> 13;
}

static inline void scene_put(scene *s, int64_t x, int64_t y, const uint8_t color[3], int kind) {
    int noise = (int)(scene_hash(x, y) % 5) - 2;
    uint8_t *p = s->rgb + 3 * (y * s->size.w + x);
    for (int c = 0; c < 3; c++) {
        int v = color[c] + (color[c] ? noise : 0);
        p[c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    s->truth[y * s->size.w + x] = (uint8_t)kind;
}

/* A rectangle of level-0 pixels, cut to the slide. */
static inline void scene_rect(scene *s, hlrp_irect r, const uint8_t color[3], int kind) {
    for (int64_t y = HLRP_MAX(r.y, 0); y < HLRP_MIN(r.y + r.h, s->size.h); y++)
        for (int64_t x = HLRP_MAX(r.x, 0); x < HLRP_MIN(r.x + r.w, s->size.w); x++)
            scene_put(s, x, y, color, kind);
}

/* A disk; where nuclei, every fifth pixel or so is one. */
static inline void scene_disk(scene *s, double cx, double cy, double radius, const uint8_t color[3],
                              int kind, bool nuclei) {
    for (int64_t y = 0; y < s->size.h; y++)
        for (int64_t x = 0; x < s->size.w; x++)
            if (hypot((double)x + 0.5 - cx, (double)y + 0.5 - cy) < radius)
                scene_put(s, x, y, nuclei && scene_hash(y, x) % 5 == 0 ? NUCLEUS : color, kind);
}

static inline scene *scene_new(int64_t w, int64_t h, const uint8_t color[3], int kind) {
    scene *s = calloc(1, sizeof *s);
    s->size = (hlrp_size){w, h};
    s->rgb = calloc((size_t)(w * h), 3);
    s->truth = calloc((size_t)(w * h), 1);
    scene_rect(s, (hlrp_irect){0, 0, w, h}, color, kind);
    return s;
}

static inline hlrp_slide *scene_open(scene *s) {
    hlrp_error err = {0};
    s->level = (hlrp_memory_level){.size = s->size, .rgb = s->rgb};
    s->source = (hlrp_memory_slide){.level_count = 1, .levels = &s->level};
    return hlrp_slide_open_memory(&s->source, &s->slide, &err) == HLRP_OK ? s->slide : NULL;
}

static inline void scene_free(scene *s) {
    hlrp_slide_close(s->slide);
    free(s->rgb);
    free(s->truth);
    free(s);
}

#endif

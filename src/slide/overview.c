/* The whole slide in one small picture: mean over squares of level-0 pixels, block by block. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "slide/slide_private.h"

/* Pixels of a level that are read at once, per axis; the result's blocks follow from it. */
#define BLOCK 1024

typedef struct overview {
    hlrp_slide *slide;
    double down_x, down_y;
    hlrp_size size;   /* of the result */
    hlrp_size block;  /* pixels of the result per block */
    uint8_t *rgb;     /* the result */
    uint8_t *pixels;  /* what was read, [rect.h, rect.w, 3] */
    int64_t capacity; /* bytes of pixels */
    float *row;       /* [block.w, 3]: one row of the level, reduced in x */
    float *sum;       /* [block.h, block.w, 3] */
} overview;

/* The pixels of a level under a block: real-valued frame and what of it is read. */
typedef struct block_source {
    hlrp_irect rect;
    double x, y;           /* of the block in pixels, relative to rect */
    double step_x, step_y; /* pixels of the level per pixel of the result */
} block_source;

static block_source find_source(const overview *o, int level, hlrp_irect block) {
    double ds_x = 1, ds_y = 1, shift_x = 0, shift_y = 0;
    hlrp_slide_downsample(o->slide, level, &ds_x, &ds_y);
    block_source s = {.step_x = o->down_x / ds_x, .step_y = o->down_y / ds_y};
    hlrp_rect r = {(double)block.x * s.step_x, (double)block.y * s.step_y,
                   (double)block.w * s.step_x, (double)block.h * s.step_y};
    s.rect = hlrp_rect_cover(r);
    hlrp_slide_shift(o->slide, level, s.rect, &shift_x, &shift_y);
    s.x = r.x - (double)s.rect.x - shift_x;
    s.y = r.y - (double)s.rect.y - shift_y;
    return s;
}

/* out[i] = Σ over pixels of (length of the pixel under [start + i·step, start + (i+1)·step)) ×
 * pixel, divided by step. What falls beside the row counts as its outermost pixel. */
static void reduce_row(const uint8_t *row, int64_t n, double start, double step, int64_t count,
                       float *out) {
    for (int64_t i = 0; i < count; i++) {
        double a = start + (double)i * step, b = a + step;
        int64_t first = HLRP_MAX((int64_t)floor(a), 0), last = HLRP_MIN((int64_t)ceil(b), n) - 1;
        first = HLRP_MIN(first, n - 1);
        last = HLRP_MAX(last, first);
        float sum[3] = {0, 0, 0}, total = 0;
        for (int64_t p = first; p <= last; p++) {
            double w = hlrp_overlap(a, b, (double)p, (double)p + 1);
            float weight = (float)(first == last ? 1 : w);
            total += weight;
            for (int c = 0; c < 3; c++)
                sum[c] += weight * (float)row[3 * p + c];
        }
        for (int c = 0; c < 3; c++)
            out[3 * i + c] = sum[c] / total;
    }
}

/* Adds a reduced row to the rows of the result that it lies under. `weights` of them: [block.h]. */
static void add_row(const overview *o, const block_source *s, int64_t y, hlrp_irect block,
                    float *weights) {
    double top = y == 0 ? -1 : (double)y, bottom = y + 1 == s->rect.h ? 1e18 : (double)y + 1;
    int64_t first = (int64_t)floor((top - s->y) / s->step_y) - 1;
    int64_t last = (int64_t)ceil(fmin(bottom - s->y, 1e9) / s->step_y) + 1;
    for (int64_t j = HLRP_MAX(first, 0); j < HLRP_MIN(last, block.h); j++) {
        double a = s->y + (double)j * s->step_y;
        float weight = (float)hlrp_overlap(a, a + s->step_y, top, bottom);
        if (!(weight > 0))
            continue;
        weights[j] += weight;
        float *sum = o->sum + j * block.w * 3;
        for (int64_t i = 0; i < block.w * 3; i++)
            sum[i] += weight * o->row[i];
    }
}

static hlrp_status reduce_block(overview *o, const block_source *s, hlrp_irect block,
                                hlrp_error *err) {
    float *weights = NULL;
    hlrp_status status = hlrp_calloc(&weights, block.h, sizeof *weights, "weights", err);
    if (status != HLRP_OK)
        return status;
    memset(o->sum, 0, (size_t)(block.w * block.h * 3) * sizeof *o->sum);
    for (int64_t y = 0; y < s->rect.h; y++) {
        reduce_row(o->pixels + y * s->rect.w * 3, s->rect.w, s->x, s->step_x, block.w, o->row);
        add_row(o, s, y, block, weights);
    }
    for (int64_t j = 0; j < block.h; j++) {
        uint8_t *to = o->rgb + ((block.y + j) * o->size.w + block.x) * 3;
        const float *sum = o->sum + j * block.w * 3;
        for (int64_t i = 0; i < block.w * 3; i++)
            to[i] = (uint8_t)HLRP_MIN(sum[i] / weights[j] + 0.5f, 255.0f);
    }
    free(weights);
    return HLRP_OK;
}

/* Pixels of a level that are read at once at most, where a finer one has to stand in. */
#define MOST_PIXELS (INT64_C(4096) * 4096)

/* HLRP_E_INPUT: this level cannot be read there. */
static hlrp_status do_block(overview *o, int level, hlrp_irect block, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    block_source s = find_source(o, level, block);
    HLRP_TRY(hlrp_grow(&o->pixels, &o->capacity, s.rect.w * s.rect.h * 3, 1, err));
    HLRP_TRY(hlrp_slide_read(o->slide, level, s.rect, o->pixels, err));
    HLRP_TRY(reduce_block(o, &s, block, err));
out:
    return status;
}

static void blank_block(overview *o, hlrp_irect block) {
    uint8_t color[3];
    hlrp_slide_background(o->slide, color);
    for (int64_t j = 0; j < block.h; j++)
        for (int64_t i = 0; i < block.w; i++)
            memcpy(o->rgb + ((block.y + j) * o->size.w + block.x + i) * 3, color, 3);
}

/* The level asked for, then the coarser ones, then finer ones that are not too large; what none can
 * give is blank and counted. */
static hlrp_status do_block_somehow(overview *o, int level, hlrp_irect block, int64_t *lost,
                                    hlrp_error *err) {
    hlrp_status status = HLRP_E_INPUT;
    for (int i = level; i >= 0 && status == HLRP_E_INPUT; i = hlrp_slide_next_level(o->slide, i))
        status = do_block(o, i, block, err);
    for (int i = level - 1; i >= 0 && status == HLRP_E_INPUT; i--) {
        const block_source s = find_source(o, i, block);
        if (s.rect.w * s.rect.h > MOST_PIXELS)
            break;
        if (!o->slide->levels[i].unusable)
            status = do_block(o, i, block, err);
    }
    if (status != HLRP_E_INPUT)
        return status;
    blank_block(o, block);
    *lost += block.w * block.h;
    return HLRP_OK;
}

/* Sizes and buffers. The block is such that about BLOCK pixels a side are read for it. */
static hlrp_status prepare(overview *o, int level, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_size slide = o->slide->levels[0].size;
    double ds_x = 1, ds_y = 1;
    int64_t pixels = 0;
    hlrp_slide_downsample(o->slide, level, &ds_x, &ds_y);
    o->size.w = (int64_t)ceil((double)slide.w / o->down_x - 1e-9);
    o->size.h = (int64_t)ceil((double)slide.h / o->down_y - 1e-9);
    o->block.w = HLRP_MAX((int64_t)(BLOCK * ds_x / o->down_x), 1);
    o->block.h = HLRP_MAX((int64_t)(BLOCK * ds_y / o->down_y), 1);
    if (!hlrp_mul_size(o->size.w, o->size.h, &pixels))
        return hlrp_fail(err, HLRP_E_MEMORY, o->slide->path, "use a coarser overview",
                         "an overview of this size does not fit");
    HLRP_TRY(hlrp_calloc(&o->rgb, pixels, 3, "an overview", err));
    HLRP_TRY(hlrp_calloc(&o->row, o->block.w * 3, sizeof *o->row, "an overview", err));
    HLRP_TRY(hlrp_calloc(&o->sum, o->block.w * o->block.h * 3, sizeof *o->sum, "an overview", err));
out:
    return status;
}

hlrp_status hlrp_slide_overview(hlrp_slide *slide, double down_x, double down_y, hlrp_size *size,
                                uint8_t **rgb, int64_t *lost, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    overview o = {.slide = slide, .down_x = down_x, .down_y = down_y};
    int64_t missing = 0;
    *rgb = NULL;
    if (!(down_x >= 1 && down_y >= 1 && down_x < 1e9 && down_y < 1e9))
        return hlrp_fail(err, HLRP_E_INTERNAL, slide->path, "report this",
                         "an overview cannot be %g × %g times smaller", down_x, down_y);
    int level = hlrp_slide_pick_level(slide, down_x, down_y);
    HLRP_TRY(prepare(&o, level, err));
    for (int64_t y = 0; y < o.size.h; y += o.block.h) {
        for (int64_t x = 0; x < o.size.w; x += o.block.w) {
            hlrp_irect block = {x, y, HLRP_MIN(o.block.w, o.size.w - x),
                                HLRP_MIN(o.block.h, o.size.h - y)};
            HLRP_TRY(do_block_somehow(&o, level, block, &missing, err));
        }
    }
    if (missing == o.size.w * o.size.h) {
        status = HLRP_E_INPUT; /* err says why the last block could not be read */
        goto out;
    }
    *size = o.size;
    *rgb = o.rgb;
    o.rgb = NULL;
    if (lost)
        *lost = missing;
out:
    free(o.rgb);
    free(o.pixels);
    free(o.row);
    free(o.sum);
    return status;
}

double hlrp_slide_overview_factor(const hlrp_slide *slide, int64_t max_side) {
    hlrp_size size = slide->levels[0].size;
    return fmax((double)HLRP_MAX(size.w, size.h) / (double)HLRP_MAX(max_side, 1), 1);
}

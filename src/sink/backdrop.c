#include "sink/backdrop.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BAND_ROWS 64
/* Level pixels a side of what is read at once; leaves room for the margin. */
#define PIECE (HLRP_SLIDE_PIECE - 8)

struct hlrp_backdrop {
    hlrp_slide *slide;
    double fx, fy;
    int level;
    int64_t rows;
    uint8_t background[3];
    int64_t lost;
    uint8_t *pixels; /* of the level */
    int64_t pixels_room;
    float *sums; /* a row of the level, weighted over rows */
    int64_t sums_room;
};

/* Where a piece of the overlay lies on a level: pixel k of the rect covers
 * [x + k, x + k + 1) in units of the level's pixels, and the piece's pixel i
 * [(i0 + i)·ratio_x, …). */
typedef struct placement {
    hlrp_irect rect;
    double x, y, ratio_x, ratio_y;
} placement;

static int64_t pixels_per_piece(double f, double downsample) {
    return HLRP_MAX((int64_t)(PIECE / (f / downsample)), 1);
}

hlrp_status hlrp_backdrop_new(hlrp_slide *slide, double fx, double fy, hlrp_backdrop **out,
                              hlrp_error *err) {
    double dx = 1, dy = 1;
    hlrp_status status = hlrp_calloc(out, 1, sizeof **out, "the overlay's backdrop", err);
    if (status != HLRP_OK)
        return status;
    hlrp_backdrop *b = *out;
    b->slide = slide;
    b->fx = fx;
    b->fy = fy;
    b->level = hlrp_slide_pick_level(slide, fx, fy);
    hlrp_slide_downsample(slide, b->level, &dx, &dy);
    b->rows = HLRP_MIN(BAND_ROWS, pixels_per_piece(fy, dy));
    hlrp_slide_background(slide, b->background);
    return HLRP_OK;
}

void hlrp_backdrop_free(hlrp_backdrop *b) {
    if (!b)
        return;
    free(b->pixels);
    free(b->sums);
    free(b);
}

int64_t hlrp_backdrop_rows(const hlrp_backdrop *b) {
    return b->rows;
}

int64_t hlrp_backdrop_lost(const hlrp_backdrop *b) {
    return b->lost;
}

/* The covering rect with a pixel around it for the shift, cut at the level's edges. */
static placement place(const hlrp_backdrop *b, int level, hlrp_irect piece) {
    placement p = {0};
    double dx = 1, dy = 1;
    hlrp_slide_downsample(b->slide, level, &dx, &dy);
    const hlrp_size size = hlrp_slide_size(b->slide, level);
    p.ratio_x = b->fx / dx;
    p.ratio_y = b->fy / dy;
    const hlrp_rect exact = {(double)piece.x * p.ratio_x - 1, (double)piece.y * p.ratio_y - 1,
                             (double)piece.w * p.ratio_x + 2, (double)piece.h * p.ratio_y + 2};
    p.rect = hlrp_irect_intersect(hlrp_rect_cover(exact), (hlrp_irect){0, 0, size.w, size.h});
    hlrp_slide_shift(b->slide, level, p.rect, &p.x, &p.y);
    p.x += (double)p.rect.x;
    p.y += (double)p.rect.y;
    return p;
}

/* The indices of an axis' pixels (from `from`, n of them) that touch [a, b), at least one. */
static void touched(double a, double b, double from, int64_t n, int64_t *first, int64_t *end) {
    *first = HLRP_MAX(HLRP_MIN((int64_t)floor(a - from), n - 1), 0);
    *end = HLRP_MAX(HLRP_MIN((int64_t)ceil(b - from), n), *first + 1);
}

/* sums = Σ_rows weight · pixels, weights being the overlap with [a, b) over their total. */
static void sum_rows(const hlrp_backdrop *b, const placement *p, double from, double to) {
    int64_t first, end;
    const int64_t n = 3 * p->rect.w;
    double total = 0;
    touched(from, to, p->y, p->rect.h, &first, &end);
    memset(b->sums, 0, (size_t)n * sizeof *b->sums);
    for (int64_t y = first; y < end; y++)
        total += hlrp_overlap(from, to, p->y + (double)y, p->y + (double)y + 1);
    for (int64_t y = first; y < end; y++) {
        const double part = hlrp_overlap(from, to, p->y + (double)y, p->y + (double)y + 1);
        const float weight = total > 0 ? (float)(part / total) : 1.0f / (float)(end - first);
        const uint8_t *row = b->pixels + y * n;
        for (int64_t i = 0; i < n; i++)
            b->sums[i] += weight * row[i];
    }
}

static void sum_columns(const hlrp_backdrop *b, const placement *p, double from, double to,
                        uint8_t rgb[3]) {
    int64_t first, end;
    double total = 0, sum[3] = {0, 0, 0};
    touched(from, to, p->x, p->rect.w, &first, &end);
    for (int64_t x = first; x < end; x++) {
        const double left = p->x + (double)x;
        const double part = fmin(to, left + 1) - fmax(from, left);
        const double weight = end - first == 1 ? 1 : fmax(part, 0);
        total += weight;
        for (int c = 0; c < 3; c++)
            sum[c] += weight * b->sums[3 * x + c];
    }
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lround(fmin(sum[c] / total, 255));
}

/* Whether the piece's pixels are the level's own: the usual case, as scales are often a level's. */
static bool is_one_to_one(const placement *p) {
    return p->ratio_x == 1 && p->ratio_y == 1 && p->x == (double)p->rect.x &&
           p->y == (double)p->rect.y;
}

static void copy(const hlrp_backdrop *b, const placement *p, hlrp_irect piece, uint8_t *rgb,
                 int64_t stride) {
    for (int64_t y = 0; y < piece.h; y++) {
        const int64_t row = HLRP_MIN(piece.y + y - p->rect.y, p->rect.h - 1);
        for (int64_t x = 0; x < piece.w; x++) {
            const int64_t column = HLRP_MIN(piece.x + x - p->rect.x, p->rect.w - 1);
            memcpy(rgb + y * stride + 3 * x, b->pixels + 3 * (row * p->rect.w + column), 3);
        }
    }
}

/* rgb points at the piece's first pixel in rows of `stride` bytes. */
static void reduce(const hlrp_backdrop *b, const placement *p, hlrp_irect piece, uint8_t *rgb,
                   int64_t stride) {
    for (int64_t y = 0; y < piece.h; y++) {
        sum_rows(b, p, (double)(piece.y + y) * p->ratio_y, (double)(piece.y + y + 1) * p->ratio_y);
        for (int64_t x = 0; x < piece.w; x++)
            sum_columns(b, p, (double)(piece.x + x) * p->ratio_x,
                        (double)(piece.x + x + 1) * p->ratio_x, rgb + y * stride + 3 * x);
    }
}

static void paint_background(const hlrp_backdrop *b, hlrp_irect piece, uint8_t *rgb,
                             int64_t stride) {
    for (int64_t y = 0; y < piece.h; y++)
        for (int64_t x = 0; x < piece.w; x++)
            memcpy(rgb + y * stride + 3 * x, b->background, 3);
}

static hlrp_status read_piece(hlrp_backdrop *b, hlrp_irect piece, uint8_t *rgb, int64_t stride,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int level = b->level; level < hlrp_slide_levels(b->slide); level++) {
        const placement p = place(b, level, piece);
        int64_t bytes = 0;
        if (p.rect.w < 1 || p.rect.h < 1)
            continue;
        if (!hlrp_mul_size(3 * p.rect.w, p.rect.h, &bytes))
            return hlrp_fail(err, HLRP_E_MEMORY, NULL, "choose a finer outputs.overlay_mpp",
                             "a piece of the slide does not fit in memory");
        HLRP_TRY(hlrp_grow(&b->pixels, &b->pixels_room, bytes, 1, err));
        HLRP_TRY(hlrp_grow(&b->sums, &b->sums_room, 3 * p.rect.w, sizeof *b->sums, err));
        hlrp_error unread = {0};
        if (hlrp_slide_read(b->slide, level, p.rect, b->pixels, &unread) == HLRP_OK) {
            (is_one_to_one(&p) ? copy : reduce)(b, &p, piece, rgb, stride);
            return HLRP_OK;
        }
        if (unread.status == HLRP_E_MEMORY) {
            *err = unread;
            return unread.status;
        }
    }
    paint_background(b, piece, rgb, stride);
    b->lost += piece.w * piece.h;
out:
    return status;
}

hlrp_status hlrp_backdrop_read(hlrp_backdrop *b, int64_t y0, int64_t rows, int64_t width,
                               uint8_t *rgb, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    double dx = 1, dy = 1;
    hlrp_slide_downsample(b->slide, b->level, &dx, &dy);
    const int64_t step = pixels_per_piece(b->fx, dx);
    for (int64_t x = 0; x < width; x += step) {
        const hlrp_irect piece = {x, y0, HLRP_MIN(step, width - x), rows};
        HLRP_TRY(read_piece(b, piece, rgb + 3 * x, 3 * width, err));
    }
out:
    return status;
}

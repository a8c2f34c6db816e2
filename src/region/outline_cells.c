/* An outline on a raster: the covered area of each cell, band by band, by the sums of outline.c taken
 * for all cells of a column at once. Each edge costs the cells it passes through; a chain that lies
 * wholly below a band costs the columns between its ends. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "region/outline_nodes.h"

/* Cells of one band: two numbers each. */
enum { BAND_CELLS = 1 << 20 };

typedef struct band {
    const hlrp_outline *outline;
    const hlrp_mask *cells;
    int64_t rows;
    double top; /* of the band, level-0 pixels */
    double *cover,
        *below; /* [rows][w]: area; runs in x of what lies below the row and those above */
} band;

/* A piece of an edge inside one column: a run of dx from height `from` to `to` below the band's top. */
static void add_piece(const band *b, int64_t column, double dx, double from, double to) {
    const double h = b->cells->cell_h;
    const double last = floor(HLRP_MAX(from, to) / h), first = floor(HLRP_MIN(from, to) / h);
    if (last < 0)
        return;
    const int64_t low = first < 0 ? 0 : first < (double)b->rows ? (int64_t)first : b->rows;
    const int64_t end = last < (double)b->rows ? (int64_t)last + 1 : b->rows;
    if (low > 0)
        b->below[(low - 1) * b->cells->w + column] += dx;
    for (int64_t row = low; row < end; row++)
        b->cover[row * b->cells->w + column] +=
            dx * hlrp_mean_height(from - (double)row * h, to - (double)row * h, h);
}

static void add_edge(const band *b, hlrp_vertex p, hlrp_vertex q) {
    const double w = b->cells->cell_w, left = HLRP_MIN(p.x, q.x), right = HLRP_MAX(p.x, q.x);
    const double width = w * (double)b->cells->w;
    if (p.x == q.x || right <= 0 || left >= width)
        return;
    const double slope = (q.y - p.y) / (q.x - p.x), sign = q.x > p.x ? 1 : -1;
    const int64_t first = (int64_t)(HLRP_MAX(left, 0) / w);
    const int64_t end = HLRP_MIN((int64_t)ceil(HLRP_MIN(right, width) / w), b->cells->w);
    for (int64_t column = first; column < end; column++) {
        const double a = HLRP_MAX(left, (double)column * w);
        const double c = HLRP_MIN(right, (double)(column + 1) * w);
        if (c > a)
            add_piece(b, column, sign * (c - a), p.y + (a - p.x) * slope - b->top,
                      p.y + (c - p.x) * slope - b->top);
    }
}

static void add_node(const band *b, const hlrp_outline_node *n) {
    const hlrp_outline *o = b->outline;
    const double bottom = b->top + (double)b->rows * b->cells->cell_h;
    if (n->bottom <= b->top)
        return;
    if (n->top >= bottom) {
        add_edge(b, (hlrp_vertex){n->start, n->top}, (hlrp_vertex){n->end, n->top});
        return;
    }
    for (int64_t i = n->first; i < n->first + n->count; i++)
        add_edge(b, o->vertices[i], o->vertices[i + 1]);
    if (n->count > 0)
        return;
    add_node(b, &o->nodes[n->low]);
    add_node(b, &o->nodes[n->high]);
}

/* Of each cell, or of its part on the slide, at least half. */
static void decide(const band *b, hlrp_size slide, int64_t y, uint8_t *half) {
    const int64_t w = b->cells->w;
    for (int64_t row = b->rows - 1; row >= 0; row--)
        for (int64_t x = 0; x < w; x++) {
            if (row + 1 < b->rows)
                b->below[row * w + x] += b->below[(row + 1) * w + x];
            const double right = HLRP_MIN((double)(x + 1) * b->cells->cell_w, (double)slide.w);
            const double bottom =
                HLRP_MIN((double)(y + row + 1) * b->cells->cell_h, (double)slide.h);
            const double whole = (right - (double)x * b->cells->cell_w) *
                                 (bottom - (double)(y + row) * b->cells->cell_h);
            const double area = b->cover[row * w + x] + b->below[row * w + x] * b->cells->cell_h;
            half[(y + row) * w + x] = area > 0 && 2 * area >= whole * (1 - 1e-9);
        }
}

hlrp_status hlrp_outline_cells(const hlrp_outline *outline, hlrp_size slide, const hlrp_mask *cells,
                               uint8_t *half, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const int64_t most = HLRP_MIN(HLRP_MAX(BAND_CELLS / cells->w, 1), cells->h);
    band b = {.outline = outline, .cells = cells};
    HLRP_TRY(hlrp_calloc(&b.cover, most * cells->w, sizeof *b.cover, "an outline's cells", err));
    HLRP_TRY(hlrp_calloc(&b.below, most * cells->w, sizeof *b.below, "an outline's cells", err));
    for (int64_t y = 0; y < cells->h; y += most) {
        b.rows = HLRP_MIN(most, cells->h - y);
        b.top = (double)y * cells->cell_h;
        memset(b.cover, 0, (size_t)(b.rows * cells->w) * sizeof *b.cover);
        memset(b.below, 0, (size_t)(b.rows * cells->w) * sizeof *b.below);
        if (outline->root >= 0)
            add_node(&b, &outline->nodes[outline->root]);
        decide(&b, slide, y, half);
    }
out:
    free(b.cover);
    free(b.below);
    return status;
}

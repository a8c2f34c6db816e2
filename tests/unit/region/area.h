/* Areas by other means than the program's, and small files to read. */
#ifndef HLRP_TEST_AREA_H
#define HLRP_TEST_AREA_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "region/region.h"

/* The area under the edge (from the rectangle's lower side) within the rectangle, signed: the
 * integral over x of y clamped to the rectangle. Summed over a polygon's edges it is the area of
 * polygon ∩ rectangle, by Green's theorem. */
static inline double area_under(double ax, double ay, double bx, double by, hlrp_rect r) {
    double cuts[6], sum = 0;
    int n = 0;
    const double lines[2] = {r.x, r.x + r.w}, levels[2] = {r.y, r.y + r.h};
    if (ax == bx)
        return 0;
    cuts[n++] = 0;
    cuts[n++] = 1;
    for (int i = 0; i < 2; i++) {
        const double t = (lines[i] - ax) / (bx - ax);
        if (t > 0 && t < 1)
            cuts[n++] = t;
        const double u = ay == by ? -1 : (levels[i] - ay) / (by - ay);
        if (u > 0 && u < 1)
            cuts[n++] = u;
    }
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && cuts[k - 1] > cuts[k]; k--) {
            const double swap = cuts[k];
            cuts[k] = cuts[k - 1];
            cuts[k - 1] = swap;
        }
    for (int i = 1; i < n; i++) {
        const double x0 = ax + cuts[i - 1] * (bx - ax), x1 = ax + cuts[i] * (bx - ax);
        const double y0 = ay + cuts[i - 1] * (by - ay), y1 = ay + cuts[i] * (by - ay);
        const double middle = (x0 + x1) / 2;
        if (middle <= r.x || middle >= r.x + r.w)
            continue;
        const double low = fmin(fmax(y0, r.y), r.y + r.h), high = fmin(fmax(y1, r.y), r.y + r.h);
        sum += (x1 - x0) * ((low + high) / 2 - r.y);
    }
    return sum;
}

/* Area of a simple polygon (n places, open, any orientation) inside the rectangle. */
static inline double area_of_ring(const double (*p)[2], int n, hlrp_rect r) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double *a = p[i], *b = p[(i + 1) % n];
        sum += area_under(a[0], a[1], b[0], b[1], r);
    }
    return fabs(sum);
}

static inline uint64_t area_next(uint64_t *state) { /* xorshift64 */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline double area_random(uint64_t *state, double low, double high) {
    return low + (high - low) * (double)(area_next(state) % 1000001) / 1e6;
}

/* Warnings are counted; the last one is kept. */
typedef struct area_log {
    int warnings;
    char last[2048];
} area_log;

static inline void area_note(void *ctx, hlrp_log_level level, const char *line) {
    area_log *log = ctx;
    log->warnings += level == HLRP_LOG_WARN;
    snprintf(log->last, sizeof log->last, "%s", line);
}

/* A file in a folder of its own. */
typedef struct area_file {
    char folder[64], path[128];
} area_file;

static inline void area_write(area_file *f, const char *name, const void *bytes, size_t n) {
    hlrp_error err = {0};
    snprintf(f->folder, sizeof f->folder, "/tmp/hlrp-area-XXXXXX");
    if (!mkdtemp(f->folder))
        abort();
    snprintf(f->path, sizeof f->path, "%s/%s", f->folder, name);
    if (hlrp_write_file(f->path, bytes, n, &err) != HLRP_OK)
        abort();
}

static inline void area_remove(area_file *f) {
    unlink(f->path);
    rmdir(f->folder);
}

/* The text as an annotation file of a slide of 1000 × 1000; options may be NULL. */
static inline hlrp_status area_read(const char *text, const hlrp_annotation_options *options,
                                    hlrp_region **out, hlrp_error *err) {
    area_file f;
    area_write(&f, "annotation", text, strlen(text));
    const hlrp_status status =
        hlrp_region_new_annotation(f.path, (hlrp_size){1000, 1000}, options, out, err);
    area_remove(&f);
    return status;
}

#endif

/* For the fuzz targets of the annotation readers: any bytes as a file of one format, read for a slide
 * of 20,000 pixels: a region with shares between 0 and 1, or refused with a reason. */
#ifndef HLRP_FUZZ_DRAWING_H
#define HLRP_FUZZ_DRAWING_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "region/layer.h"

typedef hlrp_status (*fuzz_reader)(char *bytes, int64_t size, const char *path, hlrp_drawing *out,
                                   hlrp_error *err);

static void demand(bool fine) {
    if (!fine)
        abort();
}

static char *copy_of(const uint8_t *bytes, size_t size) {
    char *copy = malloc(size + 1);
    demand(copy != NULL);
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

/* What a reader leaves points into itself. */
static void check_drawing(const hlrp_drawing *d) {
    for (int64_t i = 0; i < d->shape_count; i++) {
        const hlrp_shape *s = &d->shapes[i];
        demand(s->group >= 0 && s->group < d->group_count && s->ring_count >= 0 &&
               s->first_ring + s->ring_count <= d->ring_count);
    }
    for (int64_t i = 0; i < d->ring_count; i++)
        demand(d->rings[i].count >= 3 && d->rings[i].first + d->rings[i].count <= d->vertex_count);
    for (int64_t i = 0; i < d->vertex_count; i++)
        demand(fabs(d->vertices[i].x) < HLRP_COORDINATE_LIMIT &&
               fabs(d->vertices[i].y) < HLRP_COORDINATE_LIMIT);
}

static void check_region(const hlrp_region *region) {
    hlrp_error err = {0};
    char *words = NULL;
    const hlrp_rect rects[] = {{0, 0, 20000, 20000}, {11826, 12804, 32, 70}, {0, 0, 5000, 5000}};
    for (size_t r = 0; r < HLRP_COUNT(rects); r++) {
        const double share = hlrp_region_coverage(region, rects[r]);
        demand(share >= 0 && share <= 1);
        for (int64_t i = 0; i < hlrp_region_class_count(region); i++) {
            const double part = hlrp_region_class_coverage(region, i, rects[r]);
            demand(part >= 0 && part <= 1);
        }
    }
    demand(hlrp_region_describe(region, &words, &err) == HLRP_OK);
    free(words);
}

/* The reader itself, then the way that a file takes. */
static void fuzz_drawing(fuzz_reader reader, const uint8_t *bytes, size_t size) {
    const hlrp_annotation_options options = {0};
    hlrp_error err = {0};
    hlrp_drawing drawing = {0};
    hlrp_region *region = NULL;
    char *copy = copy_of(bytes, size);
    if (reader(copy, (int64_t)size, "file", &drawing, &err) == HLRP_OK)
        check_drawing(&drawing);
    else
        demand(err.what[0] != '\0');
    hlrp_drawing_free(&drawing);
    free(copy);
    copy = copy_of(bytes, size);
    err = (hlrp_error){0};
    hlrp_status status =
        hlrp_drawing_parse(copy, (int64_t)size, "file", true, NULL, &drawing, &err);
    free(copy);
    if (status == HLRP_OK)
        status = hlrp_region_new_drawing(&drawing, "file", (hlrp_size){20000, 20000}, &options,
                                         &region, &err);
    demand((status == HLRP_OK) == (region != NULL));
    if (region)
        check_region(region);
    else
        demand(err.status == status && err.what[0] != '\0');
    hlrp_region_free(region);
}

#endif

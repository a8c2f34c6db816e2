/* A slide made of arrays, for tests: no file, faults on demand. It behaves like OpenSlide where
 * that is awkward: reads are addressed in whole level-0 pixels by the mean of both axes'
 * downsamples, and what falls between two pixels of a level is interpolated. */
#ifndef HLRP_SLIDE_MEMORY_H
#define HLRP_SLIDE_MEMORY_H

#include "slide/slide.h"

typedef struct hlrp_memory_level {
    hlrp_size size;
    const uint8_t *rgb;   /* [h, w, 3], not premultiplied */
    const uint8_t *alpha; /* [h, w]; NULL: opaque */
} hlrp_memory_level;

typedef struct hlrp_memory_property {
    const char *key, *value;
} hlrp_memory_property;

/* A read that touches rect (pixels of the level) fails, and so does every later read of that
 * handle until it is opened anew, as OpenSlide does it. */
typedef struct hlrp_memory_fault {
    int level;
    hlrp_irect rect;
} hlrp_memory_fault;

/* Zero-initialise. */
typedef struct hlrp_memory_slide {
    const char *path; /* only a name; NULL: "memory" */
    int level_count;
    const hlrp_memory_level *levels;
    int64_t property_count;
    const hlrp_memory_property *properties;
    int64_t fault_count;
    const hlrp_memory_fault *faults;
    int *faults_left; /* reads that fail before all is well, for one thread; NULL: no end */
} hlrp_memory_slide;

/* Everything in *source is borrowed and must outlive the handle. */
hlrp_status hlrp_slide_open_memory(const hlrp_memory_slide *source, hlrp_slide **out,
                                   hlrp_error *err);

#endif

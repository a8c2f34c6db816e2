/* Which taps of a window lie inside the picture. */
#ifndef HLRP_ENGINE_WINDOW_H
#define HLRP_ENGINE_WINDOW_H

#include "graph/graph.h"

/* Taps [from, to) of a window along one axis that lie inside the input, and where tap 0 lies. */
typedef struct hlrp_span {
    int64_t from, to, start, step;
} hlrp_span;

static inline hlrp_span hlrp_span_at(const hlrp_window *w, int axis, int64_t extent, int64_t out) {
    const int64_t step = w->dilation[axis], start = out * w->stride[axis] - w->pad_lo[axis];
    hlrp_span s = {.from = 0, .to = w->kernel[axis], .start = start, .step = step};
    if (start < 0)
        s.from = (-start + step - 1) / step;
    if (start + (s.to - 1) * step >= extent)
        s.to = extent > start ? (extent - start + step - 1) / step : 0;
    s.to = HLRP_MAX(s.to, s.from);
    return s;
}

#endif

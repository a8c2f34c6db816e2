#include "engine/layout.h"

#include <string.h>

void hlrp_repack(const hlrp_layout *from, const float *src, const hlrp_layout *to, float *dst) {
    if (from->lanes == to->lanes) {
        memcpy(dst, src, (size_t)hlrp_layout_count(from) * sizeof *dst);
        return;
    }
    if (to->c % to->lanes != 0)
        memset(dst, 0, (size_t)hlrp_layout_count(to) * sizeof *dst);
    const int64_t pixels = from->h * from->w;
    for (int64_t n = 0; n < from->n; n++)
        for (int64_t c = 0; c < from->c; c++) {
            const float *in = src + hlrp_layout_offset(from, n, c);
            float *out = dst + hlrp_layout_offset(to, n, c);
            for (int64_t p = 0; p < pixels; p++)
                out[p * to->lanes] = in[p * from->lanes];
        }
}

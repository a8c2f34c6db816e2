/* From bytes to what the network was trained on. */
#include <math.h>

#include "tile/tile.h"

hlrp_status hlrp_normalizer_init(hlrp_normalizer *normalizer, double scale, const double mean[3],
                                 const double std[3], bool bgr, hlrp_error *err) {
    for (int c = 0; c < 3; c++) {
        if (!isfinite(scale) || !isfinite(mean[c]) || !isfinite(std[c]) || std[c] == 0)
            return hlrp_fail(err, HLRP_E_CONFIG, "[model] scale, mean, std",
                             "give finite numbers, std other than 0",
                             "scale %g, mean %g and std %g cannot be used", scale, mean[c], std[c]);
        normalizer->source[c] = bgr ? 2 - c : c;
        for (int v = 0; v < 256; v++)
            normalizer->value[c][v] = (float)((v * scale - mean[c]) / std[c]);
    }
    return HLRP_OK;
}

void hlrp_normalize(const hlrp_normalizer *normalizer, const uint8_t *rgb, int64_t pixels,
                    float *planes) {
    for (int c = 0; c < 3; c++) {
        const float *value = normalizer->value[c];
        const uint8_t *from = rgb + normalizer->source[c];
        float *to = planes + c * pixels;
        for (int64_t i = 0; i < pixels; i++)
            to[i] = value[from[3 * i]];
    }
}

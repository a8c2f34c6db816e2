/* Any bytes as GeoJSON: drawing.h. */
#include "fuzz/drawing.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    fuzz_drawing(hlrp_read_geojson, bytes, size);
    return 0;
}

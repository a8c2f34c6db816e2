/* Any bytes as ASAP, ImageScope and HALO XML: drawing.h. */
#include "fuzz/drawing.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    fuzz_drawing(hlrp_read_annotation_xml, bytes, size);
    return 0;
}

/* Any bytes as vertex CSV: drawing.h. */
#include "fuzz/drawing.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    fuzz_drawing(hlrp_read_vertex_csv, bytes, size);
    return 0;
}

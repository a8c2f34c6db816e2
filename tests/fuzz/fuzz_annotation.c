/* Any bytes as an annotation file (GeoJSON, XML, CSV: told by content) of a slide of 20,000 pixels:
 * a region with shares between 0 and 1, or refused with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "region/layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_share(double share) {
    if (!(share >= 0 && share <= 1))
        abort();
}

static void check(const hlrp_region *region) {
    hlrp_error err = {0};
    char *words = NULL;
    check_share(hlrp_region_share(region));
    check_share(hlrp_region_coverage(region, (hlrp_rect){11826, 12804, 32, 70}));
    for (int64_t i = 0; i < hlrp_region_class_count(region); i++)
        check_share(hlrp_region_class_coverage(region, i, (hlrp_rect){0, 0, 5000, 5000}));
    if (hlrp_region_describe(region, &words, &err) != HLRP_OK)
        abort();
    free(words);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const hlrp_annotation_options options = {0};
    hlrp_error err = {0};
    hlrp_drawing drawing = {0};
    hlrp_region *region = NULL;
    char *copy = malloc(size + 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    hlrp_status status = hlrp_drawing_parse(copy, (int64_t)size, "file", NULL, &drawing, &err);
    free(copy);
    if (status == HLRP_OK)
        status = hlrp_region_new_drawing(&drawing, "file", (hlrp_size){20000, 20000}, &options,
                                         &region, &err);
    if ((status == HLRP_OK) != (region != NULL))
        abort();
    if (region)
        check(region);
    else if (err.status != status || err.what[0] == '\0')
        abort();
    hlrp_region_free(region);
    return 0;
}

/* Any bytes as a label mask (PNG or TIFF) of a square slide: a region, or refused with a reason. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region/region.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    hlrp_error err = {0};
    hlrp_region *region = NULL;
    char path[64];
    const int fd = memfd_create("mask", 0);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const hlrp_status status =
        hlrp_region_new_label_mask(path, (hlrp_size){1000, 1000}, NULL, &region, &err);
    if ((status == HLRP_OK) != (region != NULL) || (!region && err.what[0] == '\0'))
        abort();
    if (region && !(hlrp_region_share(region) > 0 && hlrp_region_share(region) <= 1))
        abort();
    hlrp_region_free(region);
    close(fd);
    return 0;
}

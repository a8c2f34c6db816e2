/* What tells one slide from another, whatever it is called and wherever it lies. */
#include <stdlib.h>
#include <string.h>

#include "slide/slide_private.h"

#define HEAD_BYTES (1 << 20)

hlrp_status hlrp_slide_identify(const hlrp_slide *slide, hlrp_slide_identity *out,
                                hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    uint8_t *head = NULL;
    int64_t count = 0;
    *out = (hlrp_slide_identity){.kind = "openslide.quickhash-1"};
    HLRP_TRY(hlrp_calloc(&head, HEAD_BYTES, 1, "the head of a slide", err));
    HLRP_TRY(slide->backend->head(slide->source, head, HEAD_BYTES, &count, &out->bytes, err));
    const char *quickhash = hlrp_slide_property(slide, "openslide.quickhash-1");
    if (quickhash && *quickhash && strlen(quickhash) < sizeof out->hash) {
        snprintf(out->hash, sizeof out->hash, "%s", quickhash);
    } else {
        out->kind = "sha256-of-first-MiB";
        char hex[65] = "";
        hlrp_sha256_bytes(head, (size_t)count, hex);
        memcpy(out->hash, hex, sizeof hex);
    }
out:
    free(head);
    return status;
}

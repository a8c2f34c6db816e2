#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/read.h"

hlrp_status hlrp_image_bad(const char *path, const char *why, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_INPUT, path, "save it again as an 8-bit PNG",
                     "cannot read the picture: %s", why);
}

hlrp_status hlrp_image_init(hlrp_image *out, int64_t width, int64_t height, int channels,
                            hlrp_error *err) {
    *out = (hlrp_image){0};
    if (width < 1 || height < 1 || width > HLRP_IMAGE_MAX_SIDE || height > HLRP_IMAGE_MAX_SIDE ||
        width * height > HLRP_IMAGE_MAX_PIXELS)
        return hlrp_fail(
            err, HLRP_E_INPUT, NULL, "cut it into tiles, or use a slide format",
            "a picture of %lld × %lld is beyond the limit of %d a side and %lld pixels",
            (long long)width, (long long)height, HLRP_IMAGE_MAX_SIDE,
            (long long)HLRP_IMAGE_MAX_PIXELS);
    const hlrp_status status =
        hlrp_calloc(&out->data, width * height, (size_t)channels, "a picture", err);
    if (status == HLRP_OK) {
        out->width = width;
        out->height = height;
        out->channels = channels;
    }
    return status;
}

void hlrp_image_free(hlrp_image *image) {
    free(image->data);
    *image = (hlrp_image){0};
}

static bool begins_with(const uint8_t *head, size_t n, const char *magic, size_t length) {
    return n >= length && memcmp(head, magic, length) == 0;
}

static bool is_tiff(const uint8_t *head, size_t n) {
    return begins_with(head, n, "II\x2a\0", 4) || begins_with(head, n, "MM\0\x2a", 4) ||
           begins_with(head, n, "II\x2b\0", 4) || begins_with(head, n, "MM\0\x2b", 4);
}

hlrp_status hlrp_image_read(const char *path, hlrp_image *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    uint8_t head[8] = {0};
    *out = (hlrp_image){0};
    FILE *stream = fopen(path, "rbe");
    if (!stream)
        return hlrp_fail(err, HLRP_E_INPUT, path, "check the path and its permissions",
                         "cannot open the picture: %s", strerror(errno));
    errno = 0;
    const size_t n = fread(head, 1, sizeof head, stream);
    const bool unreadable = n < sizeof head && ferror(stream);
    rewind(stream);
    if (unreadable)
        status = hlrp_image_bad(path, strerror(errno), err);
    else if (begins_with(head, n, "\x89PNG\r\n\x1a\n", 8))
        status = hlrp_image_read_png(path, stream, out, err);
    else if (begins_with(head, n, "\xff\xd8\xff", 3))
        status = hlrp_image_read_jpeg(path, stream, out, err);
    else if (is_tiff(head, n))
        status = hlrp_image_read_tiff(path, out, err);
    else
        status = hlrp_image_bad(path, n ? "it is neither PNG, JPEG nor TIFF" : "it is empty", err);
    fclose(stream);
    if (status != HLRP_OK)
        hlrp_image_free(out);
    if (status != HLRP_OK && err->where[0] == '\0')
        snprintf(err->where, sizeof err->where, "%s", path);
    return status;
}

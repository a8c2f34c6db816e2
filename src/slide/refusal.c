/* Why a file could not be opened: one clear line each for missing, unreadable, empty, truncated,
 * unknown and damaged ones. OpenSlide itself says "no" without a word to the first five. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "slide/slide_private.h"

static uint64_t number(const uint8_t *bytes, int count, bool big_endian) {
    uint64_t v = 0;
    for (int i = 0; i < count; i++)
        v = v << 8 | bytes[big_endian ? i : count - 1 - i];
    return v;
}

/* Where the first directory of a TIFF lies, by its header (TIFF 6.0 section 2; BigTIFF has 64-bit
 * offsets). 0: not a TIFF. */
static uint64_t first_directory(const uint8_t *head, int64_t count) {
    if (count < 8 || (memcmp(head, "II", 2) != 0 && memcmp(head, "MM", 2) != 0))
        return 0;
    bool big_endian = head[0] == 'M';
    uint64_t magic = number(head + 2, 2, big_endian);
    if (magic == 42)
        return number(head + 4, 4, big_endian);
    return magic == 43 && count >= 16 ? number(head + 8, 8, big_endian) : 0;
}

static hlrp_status explain_contents(const char *path, hlrp_error *err) {
    uint8_t head[16] = {0};
    int64_t count = 0, size = 0;
    hlrp_status status =
        hlrp_backend_openslide.head(path, head, (int64_t)sizeof head, &count, &size, err);
    if (status != HLRP_OK)
        return status;
    if (size == 0)
        return hlrp_fail(err, HLRP_E_INPUT, path, "copy it anew", "the file is empty");
    uint64_t directory = first_directory(head, count);
    if (directory >= (uint64_t)size)
        return hlrp_fail(err, HLRP_E_INPUT, path, "copy it anew and compare the sizes",
                         "the file is truncated: its directory lies at byte %llu, but it has %lld",
                         (unsigned long long)directory, (long long)size);
    if (directory > 0)
        return hlrp_fail(err, HLRP_E_INPUT, path,
                         "check the file with tiffinfo; slides are tiled TIFFs",
                         "OpenSlide does not know this TIFF as a slide, or it is damaged");
    return hlrp_fail(err, HLRP_E_INPUT, path,
                     "give a whole-slide image (openslide.org/formats lists the formats)",
                     "OpenSlide does not know this format");
}

hlrp_status hlrp_slide_explain_refusal(const char *path, const char *own_words, hlrp_error *err) {
    struct stat info;
    if (own_words)
        return hlrp_fail(err, HLRP_E_INPUT, path,
                         "the file is damaged or truncated: copy it anew and compare the sizes",
                         "OpenSlide: %s", own_words);
    if (stat(path, &info) != 0)
        return hlrp_fail(err, HLRP_E_INPUT, path, "check the path", "the slide cannot be found: %s",
                         strerror(errno));
    if (S_ISDIR(info.st_mode))
        return hlrp_fail(err, HLRP_E_INPUT, path, "give the slide's file",
                         "this is a folder, not a slide");
    FILE *file = fopen(path, "rb");
    if (!file)
        return hlrp_fail(err, HLRP_E_INPUT, path, "check its permissions",
                         "the file cannot be read: %s", strerror(errno));
    fclose(file);
    return explain_contents(path, err);
}

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

/* A TIFF (TIFF 6.0 section 2; BigTIFF has 64-bit offsets) as far as it takes to see it cut short. */
typedef struct tiff_file {
    FILE *file;
    uint64_t size; /* bytes there are */
    bool big_endian, big;
} tiff_file;

/* False past the end. */
static bool read_number(const tiff_file *t, uint64_t at, int count, uint64_t *out) {
    uint8_t bytes[8];
    if (at > t->size || t->size - at < (uint64_t)count ||
        fseeko(t->file, (off_t)at, SEEK_SET) != 0 ||
        fread(bytes, 1, (size_t)count, t->file) != (size_t)count)
        return false;
    *out = number(bytes, count, t->big_endian);
    return true;
}

/* Whether the values of the entry at `at` lie in the file; *end is where they would end. */
static bool has_values(const tiff_file *t, uint64_t at, uint64_t *end) {
    static const uint8_t sizes[] = {1, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 1, 1, 8, 8, 8};
    const int width = t->big ? 8 : 4;
    uint64_t type = 0, count = 0, value = 0;
    *end = at + (t->big ? 20 : 12);
    if (!read_number(t, at + 2, 2, &type) || !read_number(t, at + 4, width, &count) ||
        !read_number(t, at + 4 + (uint64_t)width, width, &value))
        return false;
    const uint64_t size = type < sizeof sizes ? sizes[type] : 1;
    if (count <= (uint64_t)width / size)
        return true;
    *end = value + count * size;
    return value <= t->size && count <= (t->size - value) / size;
}

/* The byte at which something begins or ends that the file does not have; 0: none, or no TIFF. */
static uint64_t find_lack(tiff_file *t) {
    enum { MOST_DIRECTORIES = 1000 /* they may go round in circles */, MOST_ENTRIES = 65535 };
    uint8_t head[4] = {0};
    uint64_t directory = 0, entries = 0, end = 0;
    if (fseeko(t->file, 0, SEEK_SET) != 0 || fread(head, 1, 4, t->file) != 4 ||
        (memcmp(head, "II", 2) != 0 && memcmp(head, "MM", 2) != 0))
        return 0;
    t->big_endian = head[0] == 'M';
    const uint64_t magic = number(head + 2, 2, t->big_endian);
    t->big = magic == 43;
    const int width = t->big ? 8 : 4;
    if (magic != 42 && magic != 43)
        return 0;
    bool known = read_number(t, t->big ? 8 : 4, width, &directory);
    for (int i = 0; known && directory != 0 && i < MOST_DIRECTORIES; i++) {
        uint64_t at = directory + (t->big ? 8 : 2);
        if (!read_number(t, directory, t->big ? 8 : 2, &entries))
            return directory;
        for (uint64_t k = 0; k < HLRP_MIN(entries, MOST_ENTRIES); k++, at += t->big ? 20 : 12)
            if (!has_values(t, at, &end))
                return end;
        known = read_number(t, at, width, &directory);
        end = at + (uint64_t)width;
    }
    return known ? 0 : end;
}

static hlrp_status explain_tiff(const char *path, hlrp_error *err) {
    hlrp_tiff_kind kind;
    if (hlrp_tiff_first_kind(path, &kind) && !kind.tiled)
        return hlrp_fail(err, HLRP_E_INPUT, path, hlrp_tiff_conversion(&kind),
                         "this TIFF is stored in strips, and slides are in tiles");
    return hlrp_fail(err, HLRP_E_INPUT, path,
                     "check the file with tiffinfo; slides are tiled TIFFs",
                     "OpenSlide does not know this TIFF as a slide, or it is damaged");
}

/* OpenSlide knows the file, and says what is wrong with it. */
static hlrp_status pass_on(const char *path, const char *words, hlrp_error *err) {
    hlrp_tiff_kind kind;
    const bool compression =
        strstr(words, "Unsupported TIFF compression") && hlrp_tiff_first_kind(path, &kind);
    if (!compression)
        return hlrp_fail(
            err, HLRP_E_INPUT, path,
            "copy it anew and compare the sizes; if they agree, OpenSlide cannot read its kind",
            "OpenSlide: %s", words);
    const char *name = hlrp_tiff_compression_name(&kind);
    return hlrp_fail(err, HLRP_E_INPUT, path, hlrp_tiff_conversion(&kind), "OpenSlide: %s%s%s%s",
                     words, name ? " (" : "", name ? name : "", name ? ")" : "");
}

static hlrp_status explain_contents(const char *path, FILE *file, hlrp_error *err) {
    tiff_file t = {.file = file};
    uint8_t head[4] = {0};
    if (fseeko(file, 0, SEEK_END) != 0 || ftello(file) < 0)
        return hlrp_fail(err, HLRP_E_INPUT, path, "check the file", "the file cannot be read");
    t.size = (uint64_t)ftello(file);
    if (t.size == 0)
        return hlrp_fail(err, HLRP_E_INPUT, path, "copy it anew", "the file is empty");
    const uint64_t lack = find_lack(&t);
    if (lack > 0)
        return hlrp_fail(
            err, HLRP_E_INPUT, path, "copy it anew and compare the sizes",
            "the file is truncated: its directories speak of byte %llu, but it has %llu",
            (unsigned long long)lack, (unsigned long long)t.size);
    rewind(file);
    if (fread(head, 1, 2, file) == 2 && (memcmp(head, "II", 2) == 0 || memcmp(head, "MM", 2) == 0))
        return explain_tiff(path, err);
    return hlrp_fail(err, HLRP_E_INPUT, path,
                     "give a whole-slide image (openslide.org/formats lists the formats)",
                     "OpenSlide does not know this format");
}

hlrp_status hlrp_slide_explain_refusal(const char *path, const char *own_words, hlrp_error *err) {
    struct stat info;
    if (own_words)
        return pass_on(path, own_words, err);
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
    const hlrp_status status = explain_contents(path, file, err);
    fclose(file);
    return status;
}

/* How a TIFF stores its pixels: what OpenSlide would read wrongly or not at all is refused here, with
 * the command that mends it. All commands are libvips's. */
#include <string.h>

#include "slide/slide_private.h"

#define CONVERT "convert it: vips tiffsave IN OUT.tif --tile --pyramid --compression jpeg --Q 90"
/* tiffsave alone would keep grey and CMYK as they are */
#define CONVERT_COLORS                                                                             \
    "convert it: vips colourspace IN 'OUT.tif[tile,pyramid,compression=jpeg,Q=90]' srgb"
#define TURN "turn it: vips autorot IN 'OUT.tif[tile,pyramid,compression=jpeg,Q=90]'"
#define WRITE_ANEW                                                                                 \
    "write it anew as JPEG by the program that made it: libvips cannot read it either"

/* Compressions that OpenSlide refuses, or reads of some vendors only. */
typedef struct codec {
    int number;
    const char *name;
    bool by_vips; /* though libtiff has no decoder */
} codec;

static const codec codecs[] = {{33003, "JPEG 2000", true}, {33004, "JPEG 2000", true},
                               {33005, "JPEG 2000", true}, {34712, "JPEG 2000", true},
                               {50002, "JPEG XL", false},  {52546, "JPEG XL", false}};

static const codec *find_codec(int number) {
    for (size_t i = 0; i < HLRP_COUNT(codecs); i++)
        if (codecs[i].number == number)
            return &codecs[i];
    return NULL;
}

const char *hlrp_tiff_compression_name(const hlrp_tiff_kind *kind) {
    const codec *c = find_codec(kind->compression);
    return c ? c->name : NULL;
}

const char *hlrp_tiff_conversion(const hlrp_tiff_kind *kind) {
    const codec *c = find_codec(kind->compression);
    if (!kind->has_decoder && !(c && c->by_vips))
        return WRITE_ANEW;
    return kind->samples < 3 || kind->inks ? CONVERT_COLORS : CONVERT;
}

bool hlrp_tiff_first_kind(const char *path, hlrp_tiff_kind *out) {
    hlrp_error ignored = {0};
    hlrp_tiff_tiles *tiff = NULL;
    if (hlrp_tiff_tiles_open(path, &tiff, &ignored) != HLRP_OK)
        return false;
    const bool found = hlrp_tiff_tiles_kind(tiff, (hlrp_size){0, 0}, out);
    hlrp_tiff_tiles_close(tiff);
    return found;
}

/* What makes a page unusable, to go on after "it is "; NULL: nothing. OpenSlide lays tiles out as
 * if all were upright, but has libtiff mirror what is in them; JPEG it leaves as it is. Pages whose compression only OpenSlide
 * knows (Aperio's JPEG 2000) are its own matter. */
static const char *fault_of(const hlrp_tiff_kind *kind) {
    if (kind->orientation != 1)
        return "not stored upright, and OpenSlide would not turn it as a whole";
    return kind->has_decoder && kind->lacking[0] ? "stored as pixels that OpenSlide cannot read"
                                                 : NULL;
}

static hlrp_status refuse(const hlrp_slide *slide, const hlrp_tiff_kind *kind, hlrp_error *err) {
    if (kind->orientation != 1)
        return hlrp_fail(
            err, HLRP_E_INPUT, slide->path, TURN,
            "the TIFF's orientation is %d, not 1 (upright): OpenSlide would not turn the "
            "picture as a whole",
            kind->orientation);
    return hlrp_fail(err, HLRP_E_INPUT, slide->path, hlrp_tiff_conversion(kind),
                     "OpenSlide cannot read its pixels: %s", kind->lacking);
}

hlrp_status hlrp_slide_check_stored(hlrp_slide *slide, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_error ignored = {0};
    hlrp_tiff_tiles *tiff = NULL;
    slide->conversion = CONVERT;
    if ((!hlrp_slide_has_vendor(slide, "aperio") &&
         !hlrp_slide_has_vendor(slide, "generic-tiff")) ||
        hlrp_tiff_tiles_open(slide->path, &tiff, &ignored) != HLRP_OK)
        return HLRP_OK;
    for (int i = 0; i < slide->level_count && status == HLRP_OK; i++) {
        slide_level *level = &slide->levels[i];
        hlrp_tiff_kind kind;
        if (!hlrp_tiff_tiles_kind(tiff, level->size, &kind))
            continue;
        const char *fault = fault_of(&kind);
        if (fault)
            level->unusable = fault;
        if (i == 0) {
            slide->conversion = hlrp_tiff_conversion(&kind);
            status = fault ? refuse(slide, &kind, err) : HLRP_OK;
        }
    }
    hlrp_tiff_tiles_close(tiff);
    return status;
}

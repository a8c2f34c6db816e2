/* level_pixels SLIDE: the slide's levels, a line "LEVEL WIDTH HEIGHT used|shifted|unused" each;
 * shifted: not the stored pixels, but what OpenSlide interpolates beside them.
 * level_pixels SLIDE LEVEL OUT.ppm: the level's pixels as the program reads them, background where
 * the slide has none. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "image/image.h"
#include "slide/slide.h"

enum { ROWS = 256 };

static int complain(const hlrp_error *err) {
    char line[2000];
    fprintf(stderr, "%s\n", hlrp_error_line(err, line, sizeof line));
    return 1;
}

static bool is_shifted(const hlrp_slide *slide, int level) {
    const hlrp_size size = hlrp_slide_size(slide, level);
    double x = 0, y = 0, most = 0;
    for (int64_t at = 0; at < HLRP_MAX(size.w, size.h); at++) {
        hlrp_slide_shift(slide, level, (hlrp_irect){at, at, 1, 1}, &x, &y);
        most = fmax(most, fmax(fabs(x), fabs(y)));
    }
    return most > 0;
}

static void list(const hlrp_slide *slide) {
    for (int i = 0; i < hlrp_slide_levels(slide); i++) {
        const hlrp_size size = hlrp_slide_size(slide, i);
        printf("%d %" PRId64 " %" PRId64 " %s\n", i, size.w, size.h,
               hlrp_slide_level_unusable(slide, i) ? "unused"
               : is_shifted(slide, i)              ? "shifted"
                                                   : "used");
    }
}

static hlrp_status write_level(hlrp_slide *slide, int level, FILE *out, hlrp_error *err) {
    const hlrp_size size = hlrp_slide_size(slide, level);
    hlrp_status status = HLRP_OK;
    uint8_t *rgb = NULL;
    HLRP_TRY(hlrp_calloc(&rgb, size.w * ROWS, 3, "pixels", err));
    fprintf(out, "P6\n%" PRId64 " %" PRId64 "\n255\n", size.w, size.h);
    for (int64_t y = 0; y < size.h; y += ROWS) {
        const int64_t rows = HLRP_MIN(ROWS, size.h - y);
        HLRP_TRY(hlrp_slide_read(slide, level, (hlrp_irect){0, y, size.w, rows}, rgb, err));
        fwrite(rgb, 3, (size_t)(size.w * rows), out);
    }
out:
    free(rgb);
    return status;
}

int main(int argc, char **argv) {
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    if (argc != 2 && argc != 4)
        return 2;
    hlrp_tiff_redirect(NULL, NULL); /* errors are reported by name */
    if (hlrp_slide_open(argv[1], &slide, &err) != HLRP_OK)
        return complain(&err);
    if (argc == 2) {
        list(slide);
        hlrp_slide_close(slide);
        return 0;
    }
    const int level = (int)strtol(argv[2], NULL, 10);
    FILE *out = level >= 0 && level < hlrp_slide_levels(slide) ? fopen(argv[3], "wb") : NULL;
    hlrp_status status = out ? write_level(slide, level, out, &err) : HLRP_E_INPUT;
    if (out && fclose(out) != 0)
        status = HLRP_E_IO;
    hlrp_slide_close(slide);
    return status == HLRP_OK ? 0 : complain(&err);
}

/* check_overlay OVERLAY.tif SLIDE: OpenSlide opens the overlay, which is not finer than the slide,
 * showing the same piece of glass, all levels readable, and it is neither
 * blank nor the plain slide. Guards: a pyramid that only libtiff can read, resolution tags that put
 * the overlay at another place, a heatmap that is not there. */
#include "check.h"

#include "slide/slide.h"

static hlrp_slide *open_slide(const char *path) {
    hlrp_slide *slide = NULL;
    hlrp_error err = {0};
    demand(hlrp_slide_open(path, &slide, &err) == HLRP_OK, "%s: %s", path, err.what);
    return slide;
}

static hlrp_mpp mpp_of(const hlrp_slide *slide) {
    hlrp_mpp mpp = {0};
    hlrp_error err = {0};
    demand(hlrp_slide_mpp(slide, NULL, NULL, &mpp, NULL, &err) == HLRP_OK, "%s", err.what);
    return mpp;
}

static uint8_t *read_level(hlrp_slide *slide, int level) {
    const hlrp_size size = hlrp_slide_size(slide, level);
    uint8_t *rgb = malloc((size_t)(3 * size.w * size.h));
    hlrp_error err = {0};
    demand(rgb && hlrp_slide_read(slide, level, (hlrp_irect){0, 0, size.w, size.h}, rgb, &err) ==
                      HLRP_OK,
           "level %d: %s", level, err.what);
    return rgb;
}

/* Pixels that are clearly red or blue, as the colormap's ends are, in place of pink or violet. */
static int64_t differing(const uint8_t *a, const uint8_t *b, int64_t bytes) {
    int64_t count = 0;
    for (int64_t i = 0; i < bytes; i++)
        count += abs(a[i] - b[i]) > 16;
    return count;
}

int main(int argc, char **argv) {
    demand(argc == 3, "check_overlay OVERLAY.tif SLIDE");
    hlrp_slide *overlay = open_slide(argv[1]), *slide = open_slide(argv[2]);
    const hlrp_size a = hlrp_slide_size(overlay, 0), b = hlrp_slide_size(slide, 0);
    const hlrp_mpp ma = mpp_of(overlay), mb = mpp_of(slide);
    const double wide = (double)a.w * ma.x - (double)b.w * mb.x;
    const double high = (double)a.h * ma.y - (double)b.h * mb.y;
    check(ma.x >= mb.x * 0.999, "finer than the slide: %g", ma.x);
    check(fabs(wide) <= ma.x + mb.x && fabs(high) <= ma.y + mb.y,
          "%g x %g µm larger than the slide", wide, high);
    for (int i = 0; i < hlrp_slide_levels(overlay); i++)
        free(read_level(overlay, i));
    check(hlrp_slide_levels(overlay) > 1 || (a.w <= 256 && a.h <= 256), "no pyramid");
    /* Resolution tags are rationals: the factor is a whole number or a simple fraction. */
    const double down_x = round(8 * ma.x / mb.x) / 8, down_y = round(8 * ma.y / mb.y) / 8;
    uint8_t *shown = read_level(overlay, 0), *plain = NULL;
    hlrp_size size = {0};
    int64_t lost = 0;
    hlrp_error err = {0};
    demand(hlrp_slide_overview(slide, down_x, down_y, &size, &plain, &lost, &err) == HLRP_OK, "%s",
           err.what);
    if (check(size.w == a.w && size.h == a.h, "%lld x %lld pixels, not %lld x %lld", (long long)a.w,
              (long long)a.h, (long long)size.w, (long long)size.h)) {
        const int64_t other = differing(shown, plain, 3 * a.w * a.h);
        printf("%.1f %% of the bytes differ from the plain slide\n",
               100.0 * (double)other / (double)(3 * a.w * a.h));
        check(other * 100 > 3 * a.w * a.h, "the heatmap does not show");
        check(other < 3 * a.w * a.h * 95 / 100, "the slide does not show");
    }
    free(shown);
    free(plain);
    hlrp_slide_close(overlay);
    hlrp_slide_close(slide);
    return verdict();
}

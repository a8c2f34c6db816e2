/* check_linear FILE.h5 SLIDE TILE STRIDE DOWNSAMPLE: the map of the network `linear` (make_network)
 * on a slide whose mpp is the network's, against what its pixels must give: a map pixel is the sum
 * over its slide pixels of Σ_c W_kc x_c / TILE², whatever tiles lie over it and how many; coverage
 * is the number of tiles that do. Guards: overlapping tiles summed instead of averaged, tiles
 * placed one pixel off, x and y mixed up, colors in the wrong order. */
#include "check.h"

#include "slide/slide.h"

static const double weights[2][3] = {{1, -2, 0.5}, {-1, 1, 2}};

static double relevance_at(const uint8_t *rgb, hlrp_size size, int64_t x, int64_t y, int64_t down,
                           int k, double tile) {
    double sum = 0;
    for (int64_t j = y * down; j < HLRP_MIN((y + 1) * down, size.h); j++)
        for (int64_t i = x * down; i < HLRP_MIN((x + 1) * down, size.w); i++)
            for (int c = 0; c < 3; c++)
                sum += weights[k][c] * rgb[3 * (j * size.w + i) + c] / 255 / (tile * tile);
    return sum;
}

/* Tiles along one axis over pixel p: those that start in the slide at most a tile before it. */
static double tiles_over(int64_t p, int64_t tile, int64_t stride, int64_t extent) {
    int count = 0;
    for (int64_t start = 0; start < extent; start += stride)
        count += start <= p && p < start + tile;
    return count;
}

int main(int argc, char **argv) {
    demand(argc == 6, "check_linear FILE.h5 SLIDE TILE STRIDE DOWNSAMPLE");
    const int64_t tile = atoll(argv[3]), stride = atoll(argv[4]), down = atoll(argv[5]);
    hlrp_slide *slide = NULL;
    hlrp_error err = {0};
    demand(hlrp_slide_open(argv[2], &slide, &err) == HLRP_OK, "%s", err.what);
    const hlrp_size size = hlrp_slide_size(slide, 0);
    uint8_t *rgb = malloc((size_t)(3 * size.w * size.h));
    demand(rgb &&
               hlrp_slide_read(slide, 0, (hlrp_irect){0, 0, size.w, size.h}, rgb, &err) == HLRP_OK,
           "%s", err.what);
    const hid_t file = open_h5(argv[1]);
    const dataset map = read_dataset(file, "/relevance"), d = read_dataset(file, "/coverage");
    const int64_t h = (int64_t)map.d[1], w = (int64_t)map.d[2];
    double worst = 0, most = 0;
    demand(map.d[0] == 2 && tile % down == 0 && stride % down == 0, "not this test's map");
    for (int k = 0; k < 2; k++)
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++) {
                const int64_t at = (k * h + y) * w + x;
                const double want = relevance_at(rgb, size, x, y, down, k, (double)tile);
                const double share = (double)HLRP_MIN(down, size.w - x * down) *
                                     (double)HLRP_MIN(down, size.h - y * down) /
                                     (double)(down * down);
                const double over = tiles_over(x * down, tile, stride, size.w) *
                                    tiles_over(y * down, tile, stride, size.h);
                if (fabs(map.v[at] - want) > 1e-3 * fabs(want) + 2e-7)
                    check(complaints > 20, "plane %d, pixel %lld, %lld: %.9g, not %.9g", k,
                          (long long)x, (long long)y, map.v[at], want);
                if (share == 1 && fabs(d.v[at] - over) > 1e-5)
                    check(complaints > 20, "plane %d, pixel %lld, %lld: coverage %g, not %g", k,
                          (long long)x, (long long)y, d.v[at], over);
                worst = fmax(worst, fabs(map.v[at] - want));
                most = fmax(most, d.v[at]);
            }
    printf("worst difference %.3g, coverage up to %g\n", worst, most);
    check(stride == tile || most > 1.5, "no overlap");
    hlrp_slide_close(slide);
    H5Fclose(file);
    free(rgb);
    return verdict();
}

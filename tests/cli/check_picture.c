/* check_picture FILE.h5 PICTURE HEATMAP.png: /input is the picture through scale 1/255, mean 0.5,
 * 0.4, 0.3 and std 0.2, 0.25, 0.5, planar, red first; the heatmap has its size and many colors.
 * Guards: rows and columns swapped, BGR, a heatmap in one color. */
#include "check.h"

#include "image/image.h"

int main(int argc, char **argv) {
    demand(argc == 4, "check_picture FILE.h5 PICTURE HEATMAP.png");
    hlrp_image picture = {0}, heatmap = {0};
    hlrp_error err = {0};
    static bool seen[1 << 24];
    int colors = 0;
    demand(hlrp_image_read(argv[2], &picture, &err) == HLRP_OK, "%s", err.what);
    demand(hlrp_image_read(argv[3], &heatmap, &err) == HLRP_OK, "%s", err.what);
    const hid_t file = open_h5(argv[1]);
    const dataset input = read_dataset(file, "/input");
    const int64_t pixels = picture.width * picture.height;
    demand(input.d[0] == 1 && input.d[1] == 3 && (int64_t)input.d[2] == picture.height &&
               (int64_t)input.d[3] == picture.width,
           "/input has another shape");
    for (int64_t p = 0; p < 3 * pixels; p++) {
        static const double mean[3] = {0.5, 0.4, 0.3}, std[3] = {0.2, 0.25, 0.5};
        const int64_t c = p / pixels;
        const double want = (picture.data[3 * (p % pixels) + c] / 255.0 - mean[c]) / std[c];
        check(fabs(input.v[p] - want) < 1e-6, "input %lld: %g, not %g", (long long)p, input.v[p],
              want);
    }
    check(heatmap.width == picture.width && heatmap.height == picture.height, "another size");
    for (int64_t p = 0; p < heatmap.width * heatmap.height; p++) {
        const uint8_t *c = heatmap.data + 3 * p;
        bool *one = &seen[c[0] << 16 | c[1] << 8 | c[2]];
        colors += !*one;
        *one = true;
    }
    check(colors > 50, "%d colors", colors);
    H5Fclose(file);
    hlrp_image_free(&picture);
    hlrp_image_free(&heatmap);
    return verdict();
}

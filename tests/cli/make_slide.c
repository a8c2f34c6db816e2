/* make_slide KIND OUT.tif: a tiled pyramid of 512 × 384 pixels without compression loss.
 *
 * nompp   one that says nothing of its resolution
 * colors  smooth colors that differ everywhere, at 0.5 µm per pixel
 * white   nothing but glass, at 0.5 µm per pixel
 * grey    the green of `colors` in all channels
 * picture  the upper left 128 × 128 pixels of `colors` as a PNG; `speck`: 4 × 4 of them */
#include <stdio.h>
#include <string.h>

#include "image/image.h"

enum { WIDTH = 512, HEIGHT = 384 };

static void paint(const char *kind, uint8_t *rgb) {
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            uint8_t *p = rgb + 3 * (y * WIDTH + x);
            const uint8_t color[3] = {(uint8_t)(60 + (x * 7 + y * 3) % 180),
                                      (uint8_t)(20 + (x * y / 50) % 200),
                                      (uint8_t)(40 + (x + 5 * y) % 210)};
            if (strcmp(kind, "white") == 0)
                memset(p, 250, 3);
            else if (strcmp(kind, "grey") == 0)
                memset(p, color[1], 3);
            else
                memcpy(p, color, 3);
        }
}

static hlrp_status write_picture(const char *path, const uint8_t *rgb, int side, hlrp_error *err) {
    hlrp_image image = {0};
    hlrp_status status = hlrp_image_init(&image, side, side, 3, err);
    for (int y = 0; status == HLRP_OK && y < side; y++)
        memcpy(image.data + 3 * y * side, rgb + 3 * y * WIDTH, (size_t)(3 * side));
    if (status == HLRP_OK)
        status = hlrp_png_write(path, &image, err);
    hlrp_image_free(&image);
    return status;
}

static hlrp_status write_slide(const char *path, const uint8_t *rgb, double mpp, hlrp_error *err) {
    const hlrp_pyramid_spec spec = {.width = WIDTH,
                                    .height = HEIGHT,
                                    .pixel = HLRP_PIXEL_RGB8,
                                    .tile = 128,
                                    .codec = HLRP_CODEC_DEFLATE,
                                    .mpp = {mpp, mpp}};
    hlrp_pyramid *out = NULL;
    hlrp_status status = hlrp_pyramid_open(path, &spec, &out, err);
    if (status == HLRP_OK)
        status = hlrp_pyramid_rows(out, rgb, HEIGHT, 3 * WIDTH, err);
    if (status == HLRP_OK)
        status = hlrp_pyramid_finish(out, err);
    hlrp_pyramid_free(out);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    static uint8_t rgb[3 * WIDTH * HEIGHT];
    const char *kind = argv[1], *path = argv[2];
    hlrp_error err = {0};
    paint(kind, rgb);
    const hlrp_status status =
        strcmp(kind, "picture") == 0 ? write_picture(path, rgb, 128, &err)
        : strcmp(kind, "speck") == 0
            ? write_picture(path, rgb, 4, &err)
            : write_slide(path, rgb, strcmp(kind, "nompp") == 0 ? 0 : 0.5, &err);
    if (status != HLRP_OK)
        printf("%s\n", err.what);
    return status == HLRP_OK ? 0 : 1;
}

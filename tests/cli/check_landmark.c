/* check_landmark OVERLAY SLIDE: what lies at a place of the slide lies at the same µm of the overlay.
 * At 7 × 7 places all over the slide, a patch of the overlay is looked for in the slide: the shift
 * at which they fit best, in level-0 pixels, must be 0 to within one. The overlay should be made with
 * outputs.opacity near 0. */
#include "cli/check.h"

#include <stdlib.h>
#include <string.h>

#include "slide/slide.h"

enum { PATCH = 40, REACH = 6, PLACES = 7, LEAST_PLACES = 8 };
#define LEAST_CONTRAST 12.0 /* standard deviation of the patch */

typedef struct patch {
    hlrp_slide *slide;
    double f;          /* level-0 pixels per overlay pixel */
    hlrp_irect window; /* of the slide, level 0 */
    uint8_t *pixels;   /* of the window */
    uint8_t shown[3 * PATCH * PATCH];
} patch;

/* Mean green of the slide under overlay pixel (i, j) of the patch, moved by (dx, dy). */
static double under(const patch *p, double x0, double y0, int i, int j, int dx, int dy) {
    double sum = 0;
    int64_t count = 0;
    const int64_t left = llround((x0 + i) * p->f) + dx - p->window.x;
    const int64_t right = llround((x0 + i + 1) * p->f) + dx - p->window.x;
    const int64_t top = llround((y0 + j) * p->f) + dy - p->window.y;
    const int64_t bottom = llround((y0 + j + 1) * p->f) + dy - p->window.y;
    for (int64_t y = top; y < bottom; y++)
        for (int64_t x = left; x < right; x++, count++)
            sum += p->pixels[3 * (y * p->window.w + x) + 1];
    return sum / (double)count;
}

static double misfit(const patch *p, double x0, double y0, int dx, int dy) {
    double sum = 0;
    for (int j = 0; j < PATCH; j++)
        for (int i = 0; i < PATCH; i++) {
            const double d = under(p, x0, y0, i, j, dx, dy) - p->shown[3 * (j * PATCH + i) + 1];
            sum += d * d;
        }
    return sum;
}

static double contrast(const patch *p) {
    double sum = 0, squares = 0;
    for (int i = 0; i < PATCH * PATCH; i++) {
        sum += p->shown[3 * i + 1];
        squares += (double)p->shown[3 * i + 1] * p->shown[3 * i + 1];
    }
    sum /= PATCH * PATCH;
    return sqrt(squares / (PATCH * PATCH) - sum * sum);
}

/* Whether there was something to see at the place; *error is the shift there. */
static bool look(patch *p, hlrp_slide *overlay, int64_t x0, int64_t y0, double *error) {
    hlrp_error err = {0};
    double best = INFINITY;
    demand(hlrp_slide_read(overlay, 0, (hlrp_irect){x0, y0, PATCH, PATCH}, p->shown, &err) ==
               HLRP_OK,
           "%s", err.what);
    if (contrast(p) < LEAST_CONTRAST)
        return false;
    p->window =
        (hlrp_irect){llround((double)x0 * p->f) - REACH, llround((double)y0 * p->f) - REACH,
                     llround(PATCH * p->f) + 2 * REACH + 2, llround(PATCH * p->f) + 2 * REACH + 2};
    p->pixels = malloc((size_t)(3 * p->window.w * p->window.h));
    demand(p->pixels && hlrp_slide_read(p->slide, 0, p->window, p->pixels, &err) == HLRP_OK, "%s",
           err.what);
    for (int dy = -REACH; dy <= REACH; dy++)
        for (int dx = -REACH; dx <= REACH; dx++) {
            const double m = misfit(p, (double)x0, (double)y0, dx, dy);
            if (m < best) {
                best = m;
                *error = fmax(fabs((double)dx), fabs((double)dy));
            }
        }
    free(p->pixels);
    return true;
}

int main(int argc, char **argv) {
    hlrp_error err = {0};
    patch p = {0};
    hlrp_slide *overlay = NULL;
    hlrp_mpp fine = {0}, coarse = {0};
    int seen = 0;
    double worst = 0;
    demand(argc == 3, "check_landmark OVERLAY SLIDE");
    demand(hlrp_slide_open(argv[1], &overlay, &err) == HLRP_OK, "%s", err.what);
    demand(hlrp_slide_open(argv[2], &p.slide, &err) == HLRP_OK, "%s", err.what);
    demand(hlrp_slide_mpp(overlay, NULL, NULL, &coarse, NULL, &err) == HLRP_OK &&
               hlrp_slide_mpp(p.slide, NULL, NULL, &fine, NULL, &err) == HLRP_OK,
           "%s", err.what);
    p.f = coarse.x / fine.x;
    const hlrp_size size = hlrp_slide_size(overlay, 0);
    for (int j = 0; j < PLACES; j++)
        for (int i = 0; i < PLACES; i++) {
            double error = 0;
            if (!look(&p, overlay, i * (size.w - PATCH) / (PLACES - 1),
                      j * (size.h - PATCH) / (PLACES - 1), &error))
                continue;
            seen++;
            worst = fmax(worst, error);
        }
    printf("%d places, at most %.0f level-0 pixels (%.2f um) off\n", seen, worst, worst * fine.x);
    check(seen >= LEAST_PLACES, "only %d places show something", seen);
    check(worst <= 1, "%g level-0 pixels off", worst);
    hlrp_slide_close(overlay);
    hlrp_slide_close(p.slide);
    return verdict();
}

/* nuclei_share TRUTH.tif SLIDE.svs RELEVANCE.h5 RANDOMIZED.h5: where relevance falls on a slide
 * whose tumor nuclei are known.
 *
 * Over the explained tiles of which truth covers at least a twentieth: the share of positive
 * relevance that lies on tumor nuclei, against their share of the area, against what the same
 * network gives with its weights shuffled, and against a map of plain darkness. Exit 1 unless it is
 * at least 3 times the area's share, twice the shuffled network's, and more than darkness's. Guards
 * the whole chain: a frame that is off, a sign that is lost or a rule that is wrong shows here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "slide/slide.h"
#include "store/store.h"

typedef struct maps {
    hlrp_size size;
    double *truth;    /* share of each map pixel that is tumor nucleus */
    double *darkness; /* 255 − mean of RGB */
} maps;

static void stop(const hlrp_error *err) {
    char line[2000];
    fprintf(stderr, "nuclei_share: %s\n", hlrp_error_line(err, line, sizeof line));
    exit(2);
}

/* Means of the truth over down × down level-0 pixels. */
static void read_truth(const char *path, int64_t down, maps *m) {
    hlrp_error err = {0};
    hlrp_image image = {0};
    if (hlrp_image_read(path, &image, &err) != HLRP_OK)
        stop(&err);
    m->size = (hlrp_size){hlrp_ceil_div(image.width, down), hlrp_ceil_div(image.height, down)};
    m->truth = calloc((size_t)(m->size.w * m->size.h), sizeof *m->truth);
    for (int64_t y = 0; y < image.height; y++)
        for (int64_t x = 0; x < image.width; x++)
            m->truth[y / down * m->size.w + x / down] +=
                image.data[3 * (y * image.width + x)] / 255.0 / (double)(down * down);
    hlrp_image_free(&image);
}

static void read_darkness(const char *path, int64_t down, maps *m) {
    hlrp_error err = {0};
    hlrp_slide *slide = NULL;
    hlrp_size size = {0};
    uint8_t *rgb = NULL;
    if (hlrp_slide_open(path, &slide, &err) != HLRP_OK ||
        hlrp_slide_overview(slide, (double)down, (double)down, &size, &rgb, NULL, &err) != HLRP_OK)
        stop(&err);
    if (size.w != m->size.w || size.h != m->size.h) {
        fprintf(stderr, "nuclei_share: slide and truth differ in size\n");
        exit(2);
    }
    m->darkness = calloc((size_t)(size.w * size.h), sizeof *m->darkness);
    for (int64_t i = 0; i < size.w * size.h; i++)
        m->darkness[i] = 255 - (rgb[3 * i] + rgb[3 * i + 1] + rgb[3 * i + 2]) / 3.0;
    free(rgb);
    hlrp_slide_close(slide);
}

/* The last plane of /relevance, whole. */
static float *read_relevance(const char *path, const maps *m, int64_t *down) {
    hlrp_error err = {0};
    hlrp_result *r = NULL;
    if (hlrp_result_open(path, &r, &err) != HLRP_OK)
        stop(&err);
    const hlrp_result_info *info = hlrp_result_facts(r);
    *down = info->downsample;
    if (!m) {
        hlrp_result_close(r);
        return NULL;
    }
    float *values = calloc((size_t)(info->map.w * info->map.h), sizeof *values);
    if (hlrp_result_read_rows(r, HLRP_MAP_RELEVANCE, info->planes - 1, 0, info->map.h, values,
                              &err) != HLRP_OK)
        stop(&err);
    hlrp_result_close(r);
    return values;
}

typedef struct sums {
    double area, truth, relevance, on_nuclei, darkness, dark_nuclei;
    int64_t tiles, tumor_tiles;
} sums;

static void add_tile(const maps *m, const float *relevance, hlrp_irect t, sums *s) {
    double truth = 0;
    for (int64_t y = t.y; y < t.y + t.h; y++)
        for (int64_t x = t.x; x < t.x + t.w; x++)
            truth += m->truth[y * m->size.w + x];
    s->tiles++;
    if (truth < 0.05 * (double)(t.w * t.h))
        return;
    s->tumor_tiles++;
    s->area += (double)(t.w * t.h);
    s->truth += truth;
    for (int64_t y = t.y; y < t.y + t.h; y++)
        for (int64_t x = t.x; x < t.x + t.w; x++) {
            const int64_t i = y * m->size.w + x;
            const double r = relevance[i] > 0 ? relevance[i] : 0; /* NaN counts as nothing */
            s->relevance += r;
            s->on_nuclei += r * m->truth[i];
            s->darkness += m->darkness[i];
            s->dark_nuclei += m->darkness[i] * m->truth[i];
        }
}

static sums measure(const char *path, const maps *m) {
    hlrp_error err = {0};
    hlrp_result *r = NULL;
    sums s = {0};
    int64_t down = 1;
    float *relevance = read_relevance(path, m, &down);
    if (hlrp_result_open(path, &r, &err) != HLRP_OK)
        stop(&err);
    for (int64_t t = 0; t < hlrp_result_facts(r)->tiles; t++) {
        static const char *const names[] = {"x", "y", "width", "height"};
        double v[4] = {0};
        for (int i = 0; i < 4; i++)
            if (hlrp_result_read_tiles(r, names[i], t, 1, 1, &v[i], &err) != HLRP_OK)
                stop(&err);
        const hlrp_irect tile = {(int64_t)v[0] / down, (int64_t)v[1] / down, (int64_t)v[2] / down,
                                 (int64_t)v[3] / down};
        const hlrp_irect whole = {0, 0, m->size.w, m->size.h};
        add_tile(m, relevance, hlrp_irect_intersect(tile, whole), &s);
    }
    hlrp_result_close(r);
    free(relevance);
    return s;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: nuclei_share TRUTH.tif SLIDE.svs RELEVANCE.h5 RANDOMIZED.h5\n");
        return 2;
    }
    maps m = {0};
    int64_t down = 1;
    read_relevance(argv[3], NULL, &down);
    read_truth(argv[1], down, &m);
    read_darkness(argv[2], down, &m);
    const sums s = measure(argv[3], &m), random = measure(argv[4], &m);
    const double area = s.truth / s.area, share = s.on_nuclei / s.relevance;
    const double shuffled = random.on_nuclei / random.relevance, dark = s.dark_nuclei / s.darkness;
    printf("%lld of %lld tiles hold tumor; tumor nuclei are %.1f %% of their area\n",
           (long long)s.tumor_tiles, (long long)s.tiles, 100 * area);
    printf("positive relevance on tumor nuclei: %.1f %%, %.2f x their area\n", 100 * share,
           share / area);
    printf("the same network, weights shuffled: %.1f %%, %.2f x\n", 100 * shuffled,
           shuffled / area);
    printf("a map of plain darkness:            %.1f %%, %.2f x\n", 100 * dark, dark / area);
    free(m.truth);
    free(m.darkness);
    return !(s.tumor_tiles > 0 && share >= 3 * area && share >= 2 * shuffled && share > dark);
}

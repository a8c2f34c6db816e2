/* tissue_share: tissue detection on synthetic slides whose tissue is known.
 *
 * Faint stain, strong vignetting, strong JPEG compression, tinted glass, much fat and pen marks: of the tissue's
 * area at least 98 % must be found, of the glass at most 2 % be taken; where pen is to be dropped,
 * at most 2 % of what lies beside the tissue may stay and 10 % of what lies over it (pale blue over
 * eosin is the violet of hematoxylin). A line per slide; exit 1 on a miss. tissue_share N adds N to
 * every seed; those of strong compression and pale pen are the worst of 24. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "phantom/phantom.h"
#include "region/region.h"
#include "slide/slide_memory.h"

enum { OVER_TISSUE = HLRP_PHANTOM_PEN + 1, GROUNDS };

typedef struct counts {
    double points[GROUNDS], taken[GROUNDS]; /* by hlrp_phantom_ground, then ink over tissue */
} counts;

static void stop(const hlrp_error *err) {
    char line[2000];
    fprintf(stderr, "tissue_share: %s\n", hlrp_error_line(err, line, sizeof line));
    exit(2);
}

/* Every cell's center against the truth there. */
static counts compare(const hlrp_phantom *phantom, const hlrp_phantom *clean, const hlrp_mask *m,
                      bool drop) {
    counts c = {0};
    for (int64_t j = 0; j < m->h; j++)
        for (int64_t i = 0; i < m->w; i++) {
            const double x = ((double)i + 0.5) * m->cell_w, y = ((double)j + 0.5) * m->cell_h;
            int ground = (int)hlrp_phantom_ground_at(phantom, x, y);
            if (ground == HLRP_PHANTOM_PEN &&
                hlrp_phantom_ground_at(clean, x, y) == HLRP_PHANTOM_TISSUE)
                ground = OVER_TISSUE;
            const uint8_t kind = m->kind[j * m->w + i];
            c.points[ground]++;
            c.taken[ground] += kind == HLRP_CELL_TISSUE || (!drop && kind == HLRP_CELL_PEN);
        }
    return c;
}

/* The slide in the light of glass that lets these shares of red, green and blue through; the caller
 * frees its pixels, behind the slide. */
static uint8_t *put_behind(const double tint[3], hlrp_memory_level *level,
                           hlrp_memory_slide *source, hlrp_slide **slide, hlrp_error *err) {
    const hlrp_size size = hlrp_slide_size(*slide, 0);
    uint8_t *rgb = NULL;
    if (hlrp_calloc(&rgb, size.w * size.h, 3, "pixels", err) ||
        hlrp_slide_read(*slide, 0, (hlrp_irect){0, 0, size.w, size.h}, rgb, err))
        stop(err);
    for (int64_t i = 0; i < size.w * size.h * 3; i++)
        rgb[i] = (uint8_t)(rgb[i] * tint[i % 3] + 0.5);
    hlrp_slide_close(*slide);
    *level = (hlrp_memory_level){.size = size, .rgb = rgb};
    *source = (hlrp_memory_slide){.level_count = 1, .levels = level};
    if (hlrp_slide_open_memory(source, slide, err))
        stop(err);
    return rgb;
}

static counts measure(const hlrp_phantom_options *o, const double *tint, const char *path,
                      bool drop) {
    hlrp_error err = {0};
    uint8_t *tinted = NULL;
    hlrp_memory_level level;
    hlrp_memory_slide source;
    hlrp_phantom *phantom = NULL, *clean = NULL; /* clean: the same without ink */
    hlrp_phantom_options without = *o;
    hlrp_slide *slide = NULL;
    hlrp_region *region = NULL;
    hlrp_tissue_options t;
    hlrp_tissue_defaults(&t);
    t.pen = drop ? HLRP_PEN_DROP : HLRP_PEN_KEEP;
    without.pen = false;
    if (hlrp_phantom_new(o, &phantom, &err) || hlrp_phantom_new(&without, &clean, &err) ||
        hlrp_phantom_write(o, path, NULL, NULL, NULL, &err) || hlrp_slide_open(path, &slide, &err))
        stop(&err);
    if (tint[0] > 0)
        tinted = put_behind(tint, &level, &source, &slide, &err);
    if (hlrp_region_new_tissue(slide, (hlrp_mpp){o->mpp, o->mpp}, &t, &region, &err))
        stop(&err);
    const counts c = compare(phantom, clean, hlrp_region_mask(region), drop);
    hlrp_region_free(region);
    hlrp_slide_close(slide);
    free(tinted);
    hlrp_phantom_free(phantom);
    hlrp_phantom_free(clean);
    unlink(path);
    return c;
}

static double share(const counts *c, int ground) {
    return c->points[ground] > 0 ? c->taken[ground] / c->points[ground] : 0;
}

/* Prints the slide's line; whether it misses. */
static bool judge(const char *name, const counts *c, bool drop) {
    const double found = share(c, HLRP_PHANTOM_TISSUE), glass = share(c, HLRP_PHANTOM_GLASS);
    const double beside = share(c, HLRP_PHANTOM_PEN), over = share(c, OVER_TISSUE);
    const bool no_ink = c->points[HLRP_PHANTOM_PEN] + c->points[OVER_TISSUE] <= 0;
    const bool miss =
        found < 0.98 || glass > 0.02 || (drop && (no_ink || beside > 0.02 || over > 0.1));
    printf("%s %-26s tissue found %.2f %%, glass taken %.2f %%", miss ? "MISS" : "ok  ", name,
           100 * found, 100 * glass);
    if (drop)
        printf(", pen left %.2f %% of %.0f cells beside tissue, %.2f %% of %.0f over it",
               100 * beside, c->points[HLRP_PHANTOM_PEN], 100 * over, c->points[OVER_TISSUE]);
    printf("\n");
    return miss;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        uint64_t seed;
        double vignetting, stain;
        int quality;
        bool faint, pen, drop;
        double tint[3]; /* 0: none */
    } slides[] = {{"ordinary", 21, 0.04, 1, 80, false, false, false, {0}},
                  {"faint", 22, 0.04, 1, 80, true, false, false, {0}},
                  {"faint, weak stain", 23, 0.04, 0.7, 80, true, false, false, {0}},
                  {"vignetting", 24, 0.3, 1, 80, false, false, false, {0}},
                  {"JPEG noise", 33, 0.04, 1, 15, false, false, false, {0}},
                  {"faint, vignetting, noise", 26, 0.2, 1, 30, true, false, false, {0}},
                  {"strong stain", 27, 0.04, 2, 80, false, false, false, {0}},
                  {"pale blue pen dropped", 34, 0.04, 1, 80, false, true, true, {0}},
                  {"pen over strong stain", 65, 0.04, 2, 80, false, true, true, {0}},
                  {"blue pen dropped", 17, 0.04, 1, 80, false, true, true, {0}},
                  {"black pen dropped", 26, 0.04, 1, 80, false, true, true, {0}},
                  {"green pen dropped, faint", 33, 0.1, 1, 50, true, true, true, {0}},
                  {"yellowed", 21, 0.04, 1, 80, false, false, false, {0.98, 0.93, 0.78}},
                  {"yellowed, faint", 22, 0.04, 1, 80, true, false, false, {0.98, 0.93, 0.78}},
                  {"brown with age", 24, 0.2, 1, 80, false, false, false, {0.9, 0.8, 0.55}},
                  {"yellowed, noise", 26, 0.1, 1, 30, true, false, false, {1, 0.95, 0.82}},
                  {"slightly yellow", 21, 0.04, 1, 80, false, false, false, {0.98, 0.95, 0.87}},
                  {"greenish", 21, 0.04, 1, 80, false, false, false, {0.82, 0.96, 0.86}},
                  {"bluish", 21, 0.04, 1, 80, false, false, false, {0.8, 0.9, 0.98}}};
    char folder[] = "/tmp/hlrp-tissue-XXXXXX", path[100];
    int missed = 0;
    if (!mkdtemp(folder))
        return 2;
    snprintf(path, sizeof path, "%s/slide.svs", folder);
    for (size_t i = 0; i < HLRP_COUNT(slides); i++) {
        hlrp_phantom_options o = hlrp_phantom_defaults();
        o.mpp = 1;
        o.width = o.height = 4096;
        o.seed = slides[i].seed + (argc > 1 ? strtoull(argv[1], NULL, 10) : 0);
        o.vignetting = slides[i].vignetting;
        o.stain_strength = slides[i].stain;
        o.jpeg_quality = slides[i].quality;
        o.faint = slides[i].faint;
        o.pen = slides[i].pen;
        const counts c = measure(&o, slides[i].tint, path, slides[i].drop);
        missed += judge(slides[i].name, &c, slides[i].drop);
    }
    rmdir(folder);
    return missed > 0;
}

#include "stitch/colormap.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define MAX_POINTS 7
/* Opacity begins at this share of the limit and is full at that one. */
#define ALPHA_FROM 0.02
#define ALPHA_FULL 0.4

/* sRGB control points from −1 to 1, the middle one for 0. */
typedef struct recipe {
    const char *name;
    bool even; /* through CIELAB, lightness even from the ends to the middle; else straight in sRGB
                */
    int count;
    uint8_t points[MAX_POINTS][3];
} recipe;

static const recipe recipes[] = {
    {"vik",
     true,
     7,
     {{16, 71, 158},
      {58, 122, 186},
      {142, 186, 214},
      {246, 244, 241},
      {226, 168, 138},
      {200, 98, 60},
      {154, 22, 14}}},
    {"RdBu_r",
     true,
     7,
     {{6, 48, 98},
      {66, 146, 194},
      {208, 228, 240},
      {247, 247, 247},
      {252, 218, 198},
      {214, 96, 78},
      {104, 0, 32}}},
    {"coolwarm",
     true,
     5,
     {{59, 76, 192}, {142, 176, 254}, {221, 221, 221}, {244, 154, 123}, {180, 4, 38}}},
    {"seismic", false, 5, {{0, 0, 76}, {0, 0, 255}, {255, 255, 255}, {255, 0, 0}, {128, 0, 0}}},
    {"bwr", false, 3, {{0, 0, 255}, {255, 255, 255}, {255, 0, 0}}},
};

/* ---- CIELAB (CIE 15, white D65), sRGB (IEC 61966-2-1) ---- */

static const double white[3] = {0.95047, 1.0, 1.08883};

static double linear_of(uint8_t v) {
    const double s = v / 255.0;
    return s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4);
}

static uint8_t srgb_of(double v) {
    const double s = v <= 0.0031308 ? 12.92 * v : 1.055 * pow(v, 1 / 2.4) - 0.055;
    return (uint8_t)lround(255 * fmin(fmax(s, 0), 1));
}

static double lab_f(double t) {
    const double d = 6.0 / 29;
    return t > d * d * d ? cbrt(t) : t / (3 * d * d) + 4.0 / 29;
}

static double lab_f_inverse(double f) {
    const double d = 6.0 / 29;
    return f > d ? f * f * f : 3 * d * d * (f - 4.0 / 29);
}

static void lab_of(const uint8_t rgb[3], double lab[3]) {
    static const double m[3][3] = {{0.4124564, 0.3575761, 0.1804375},
                                   {0.2126729, 0.7151522, 0.0721750},
                                   {0.0193339, 0.1191920, 0.9503041}};
    double f[3];
    for (int i = 0; i < 3; i++)
        f[i] = lab_f((m[i][0] * linear_of(rgb[0]) + m[i][1] * linear_of(rgb[1]) +
                      m[i][2] * linear_of(rgb[2])) /
                     white[i]);
    lab[0] = 116 * f[1] - 16;
    lab[1] = 500 * (f[0] - f[1]);
    lab[2] = 200 * (f[1] - f[2]);
}

static void rgb_of(const double lab[3], uint8_t rgb[3]) {
    static const double m[3][3] = {{3.2404542, -1.5371385, -0.4985314},
                                   {-0.9692660, 1.8760108, 0.0415560},
                                   {0.0556434, -0.2040259, 1.0572252}};
    const double fy = (lab[0] + 16) / 116;
    const double xyz[3] = {white[0] * lab_f_inverse(fy + lab[1] / 500),
                           white[1] * lab_f_inverse(fy),
                           white[2] * lab_f_inverse(fy - lab[2] / 200)};
    for (int i = 0; i < 3; i++)
        rgb[i] = srgb_of(m[i][0] * xyz[0] + m[i][1] * xyz[1] + m[i][2] * xyz[2]);
}

/* ---- tables ---- */

/* Points a, b enclose position t; u in 0 … 1 between them. */
static void straight_color(const recipe *r, double t, uint8_t rgb[3]) {
    const double at = (t + 1) / 2 * (r->count - 1);
    const int a = HLRP_MIN((int)at, r->count - 2);
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)lround(r->points[a][c] +
                                 (at - a) * ((double)r->points[a + 1][c] - r->points[a][c]));
}

/* Lightness falls from the middle point to the end in proportion to |t|; the color is the one that
 * the line through the side's points has at that lightness. */
static void even_color(const recipe *r, double t, uint8_t rgb[3]) {
    const int middle = r->count / 2, step = t < 0 ? -1 : 1;
    double inner[3], outer[3], last[3];
    lab_of(r->points[middle], inner);
    lab_of(r->points[t < 0 ? 0 : r->count - 1], last);
    const double lightness = inner[0] + fabs(t) * (last[0] - inner[0]);
    int i = middle + step;
    for (lab_of(r->points[i], outer); lightness < outer[0] && i > 0 && i < r->count - 1;) {
        memcpy(inner, outer, sizeof inner);
        i += step;
        lab_of(r->points[i], outer);
    }
    const double u = (lightness - inner[0]) / (outer[0] - inner[0]);
    double lab[3];
    for (int c = 0; c < 3; c++)
        lab[c] = inner[c] + fmin(u, 1) * (outer[c] - inner[c]);
    rgb_of(lab, rgb);
}

static const recipe *find(const char *name, bool *reversed) {
    for (size_t i = 0; i < HLRP_COUNT(recipes); i++) {
        const char *known = recipes[i].name;
        const bool known_r = strlen(known) > 2 && strcmp(known + strlen(known) - 2, "_r") == 0;
        const size_t base = strlen(known) - (known_r ? 2 : 0);
        if (strncasecmp(name, known, base) != 0)
            continue;
        const bool named_r = strcasecmp(name + base, "_r") == 0;
        if (named_r || name[base] == '\0') {
            *reversed = named_r != known_r;
            return &recipes[i];
        }
    }
    return NULL;
}

hlrp_status hlrp_colormap_init(hlrp_colormap *map, const char *name, hlrp_error *err) {
    bool reversed = false;
    const recipe *r = find(name, &reversed);
    if (!r)
        return hlrp_fail(err, HLRP_E_CONFIG, NULL,
                         "use vik, RdBu_r, coolwarm, seismic or bwr, or one of them reversed (_r)",
                         "the colormap '%s' is unknown", name);
    for (int i = -HLRP_COLORMAP_HALF; i <= HLRP_COLORMAP_HALF; i++) {
        const double t = (reversed ? -i : i) / (double)HLRP_COLORMAP_HALF;
        uint8_t *rgb = map->rgb[HLRP_COLORMAP_HALF + i];
        if (r->even)
            even_color(r, t, rgb);
        else
            straight_color(r, t, rgb);
    }
    return HLRP_OK;
}

const uint8_t *hlrp_colormap_at(const hlrp_colormap *map, double t) {
    const double clamped = isnan(t) ? 0 : fmin(fmax(t, -1), 1);
    return map->rgb[HLRP_COLORMAP_HALF + (int)lround(clamped * HLRP_COLORMAP_HALF)];
}

double hlrp_colormap_alpha(double t, double opacity) {
    const double size = isnan(t) ? 0 : fabs(t);
    return opacity * fmin(fmax((size - ALPHA_FROM) / (ALPHA_FULL - ALPHA_FROM), 0), 1);
}

const char *hlrp_colormap_word(const hlrp_colormap *map, double t) {
    const uint8_t *end = hlrp_colormap_at(map, t < 0 ? -1 : 1);
    return end[0] > end[2] ? "red" : "blue";
}

const char *hlrp_colormap_name(int index) {
    return index >= 0 && index < (int)HLRP_COUNT(recipes) ? recipes[index].name : NULL;
}

/* µm per pixel, from whichever place says it best. */
#include <math.h>
#include <string.h>

#include "slide/slide_private.h"

#define MPP_MIN 0.05
#define MPP_MAX 10.0

/* More than this between x and y, or between an override and the slide, is a contradiction. */
#define MPP_APART 0.05

typedef struct mpp_key {
    const char *x, *y;
    /* Properties that hold their units; NULL: the keys are µm. */
    const char *unit_x, *unit_y;
    bool per_unit; /* pixels per unit, else units per pixel */
} mpp_key;

/* In order of trust: OME-XML (what OpenSlide 4 says of such a file it takes from the TIFF's tags),
 * OpenSlide's, the vendors', the TIFF's. */
static const mpp_key keys[] = {
    {"ome.PhysicalSizeX", "ome.PhysicalSizeY", "ome.PhysicalSizeXUnit", "ome.PhysicalSizeYUnit",
     false},
    {.x = "openslide.mpp-x", .y = "openslide.mpp-y"},
    {.x = "aperio.MPP", .y = "aperio.MPP"},
    {.x = "mirax.LAYER_0_LEVEL_0_SECTION.MICROMETER_PER_PIXEL_X",
     .y = "mirax.LAYER_0_LEVEL_0_SECTION.MICROMETER_PER_PIXEL_Y"},
    {.x = "ventana.ScanRes", .y = "ventana.ScanRes"},
    {"tiff.XResolution", "tiff.YResolution", "tiff.ResolutionUnit", "tiff.ResolutionUnit", true},
};

static bool in_range(double mpp) {
    return mpp >= MPP_MIN && mpp <= MPP_MAX;
}

static bool apart(double a, double b) {
    return fabs(a - b) > MPP_APART * fmin(a, b);
}

/* µm in a unit; 0 where it has no absolute length (pixel, reference frame, none). An absent one is
 * an inch in TIFF 6.0, a µm in OME-XML. The letter of micro comes as two characters of Unicode. */
static double unit_length(const char *unit, bool tiff) {
    static const struct {
        const char *name;
        double length;
    } units[] = {{"inch", 25400},  {"centimeter", 1e4}, {"in", 25400}, {"m", 1e6},
                 {"dm", 1e5},      {"cm", 1e4},         {"mm", 1e3},   {"\xc2\xb5m", 1},
                 {"\xce\xbcm", 1}, {"um", 1},           {"nm", 1e-3},  {"\xc3\x85", 1e-4},
                 {"pm", 1e-6}};
    if (!unit)
        return tiff ? 25400 : 1;
    for (size_t i = 0; i < HLRP_COUNT(units); i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].length;
    return 0;
}

/* Turns a number in the unit that the property `unit` names into µm per pixel. False: no length. */
static bool convert(const hlrp_slide *slide, const mpp_key *key, const char *unit, double *value) {
    const double length = unit_length(hlrp_slide_property(slide, unit), key->per_unit);
    *value = key->per_unit ? length / *value : length * *value;
    return length > 0;
}

/* False where the pair cannot be used; `looked` then says why. */
static bool try_key(const hlrp_slide *slide, const mpp_key *key, hlrp_mpp *out, hlrp_str *looked) {
    const char *x = hlrp_slide_property(slide, key->x), *y = hlrp_slide_property(slide, key->y);
    const char *comma = looked->length > 0 ? ", " : "";
    if (!x || !y) {
        hlrp_str_addf(looked, "%s%s (absent)", comma, x ? key->y : key->x);
        return false;
    }
    if (!hlrp_parse_double(x, &out->x) || !hlrp_parse_double(y, &out->y)) {
        hlrp_str_addf(looked, "%s%s (\"%.40s\" is no number)", comma, key->x, x);
        return false;
    }
    if (key->unit_x && (!convert(slide, key, key->unit_x, &out->x) ||
                        !convert(slide, key, key->unit_y, &out->y))) {
        const char *unit = hlrp_slide_property(slide, key->unit_x);
        hlrp_str_addf(looked, "%s%s (unit \"%.40s\")", comma, key->x, unit ? unit : "");
        return false;
    }
    if (in_range(out->x) && in_range(out->y))
        return true;
    hlrp_str_addf(looked, "%s%s (%.4g µm is outside %g–%g)", comma, key->x,
                  in_range(out->x) ? out->y : out->x, MPP_MIN, MPP_MAX);
    return false;
}

static const mpp_key *first_usable(const hlrp_slide *slide, hlrp_mpp *out, hlrp_str *looked) {
    for (size_t i = 0; i < HLRP_COUNT(keys); i++)
        if (try_key(slide, &keys[i], out, looked))
            return &keys[i];
    return NULL;
}

static hlrp_status use_override(const hlrp_slide *slide, const hlrp_mpp *override,
                                const mpp_key *key, hlrp_mpp found, const hlrp_log *log,
                                hlrp_error *err) {
    if (!in_range(override->x) || !in_range(override->y))
        return hlrp_fail(err, HLRP_E_CONFIG, "mpp in [slide:NAME]", "give µm per pixel, 0.05 to 10",
                         "%g × %g µm per pixel cannot be used for %s", override->x, override->y,
                         hlrp_slide_name(slide));
    if (key && (apart(override->x, found.x) || apart(override->y, found.y)))
        hlrp_logf(log, HLRP_LOG_WARN,
                  "%s: mpp %g × %g is used as configured, but the slide's %s says %g × %g",
                  hlrp_slide_name(slide), override->x, override->y, key->x, found.x, found.y);
    return HLRP_OK;
}

hlrp_status hlrp_slide_mpp(const hlrp_slide *slide, const hlrp_mpp *override, const hlrp_log *log,
                           hlrp_mpp *out, const char **source, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_str looked = {0};
    hlrp_mpp found = {0, 0};
    const mpp_key *key = first_usable(slide, &found, &looked);
    if (override) {
        HLRP_TRY(use_override(slide, override, key, found, log, err));
        *out = *override;
    } else if (!key) {
        status = hlrp_fail(err, HLRP_E_INPUT, slide->path,
                           "set mpp in [slide:NAME]; a missing resolution is often a damaged file",
                           "the slide does not say its µm per pixel; looked for %s",
                           looked.failed || !looked.text ? "all known keys" : looked.text);
        goto out;
    } else if (apart(found.x, found.y)) {
        status = hlrp_fail(err, HLRP_E_INPUT, slide->path, "set mpp in [slide:NAME]",
                           "%s and %s are more than 5 %% apart: %g and %g µm per pixel", key->x,
                           key->y, found.x, found.y);
        goto out;
    } else {
        *out = found;
    }
    if (source)
        *source = override ? "override" : key->x;
out:
    hlrp_str_free(&looked);
    return status;
}

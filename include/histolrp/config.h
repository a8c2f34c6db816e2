/* The configuration: an INI file and overrides, checked once and then only read.
 *
 * One table (src/config/table.c) names every key with its type, default, range and one line of
 * help; it parses, checks, prints and compares. Plain struct fields are the getters. Strings are
 * never NULL: what is not given is "". A field's comment says what stands for "auto".
 * An hlrp_config may be read by any number of threads. */
#ifndef HISTOLRP_CONFIG_H
#define HISTOLRP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "histolrp/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hlrp_text_list {
    char **items;
    int64_t count;
} hlrp_text_list;

typedef struct hlrp_number_list {
    double *items;
    int64_t count;
} hlrp_number_list;

typedef enum hlrp_config_on_error {
    HLRP_CONFIG_ON_ERROR_CONTINUE,
    HLRP_CONFIG_ON_ERROR_STOP
} hlrp_config_on_error;

typedef enum hlrp_config_channels {
    HLRP_CONFIG_CHANNELS_RGB,
    HLRP_CONFIG_CHANNELS_BGR
} hlrp_config_channels;

typedef enum hlrp_config_layout {
    HLRP_CONFIG_LAYOUT_AUTO, /* from the graph */
    HLRP_CONFIG_LAYOUT_NCHW,
    HLRP_CONFIG_LAYOUT_NHWC
} hlrp_config_layout;

typedef enum hlrp_config_activation {
    HLRP_CONFIG_ACTIVATION_AUTO, /* what the graph ends in, else softmax */
    HLRP_CONFIG_ACTIVATION_SOFTMAX,
    HLRP_CONFIG_ACTIVATION_SIGMOID,
    HLRP_CONFIG_ACTIVATION_NONE
} hlrp_config_activation;

/* Bits of regions.source; several bits mean their intersection. `all` stands alone. */
typedef enum hlrp_config_source {
    HLRP_CONFIG_SOURCE_ALL = 1,
    HLRP_CONFIG_SOURCE_TISSUE = 2,
    HLRP_CONFIG_SOURCE_ANNOTATION = 4,
    HLRP_CONFIG_SOURCE_MASK = 8
} hlrp_config_source;

/* What a slide without its annotation file gets. */
typedef enum hlrp_config_missing {
    HLRP_CONFIG_MISSING_FAIL,
    HLRP_CONFIG_MISSING_ALL,
    HLRP_CONFIG_MISSING_TISSUE,
    HLRP_CONFIG_MISSING_SKIP
} hlrp_config_missing;

/* What a slide gets whose annotation file has areas that cannot be read. */
typedef enum hlrp_config_unreadable {
    HLRP_CONFIG_UNREADABLE_FAIL,
    HLRP_CONFIG_UNREADABLE_SKIP
} hlrp_config_unreadable;

/* regions.pen. */
typedef enum hlrp_config_keep { HLRP_CONFIG_KEEP, HLRP_CONFIG_DROP } hlrp_config_keep;

/* What becomes of the relevance that biases and stabilizers take. */
typedef enum hlrp_config_bias {
    HLRP_CONFIG_BIAS_AUTO,
    HLRP_CONFIG_BIAS_KEEP,  /* they keep it */
    HLRP_CONFIG_BIAS_DROP,  /* biases are left out of the rules' sums */
    HLRP_CONFIG_BIAS_SHARE, /* the inputs get it, in proportion to their contributions */
    HLRP_CONFIG_BIAS_SPREAD /* the inputs get it, each the same */
} hlrp_config_bias;

/* Means and deviations that networks are commonly trained with. */
typedef enum hlrp_config_preset {
    HLRP_CONFIG_PRESET_NONE,
    HLRP_CONFIG_PRESET_IMAGENET,
    HLRP_CONFIG_PRESET_OPENAI_CLIP,
    HLRP_CONFIG_PRESET_HALF
} hlrp_config_preset;

/* What becomes of a factor of a product of computed tensors that is a weight. */
typedef enum hlrp_config_product {
    HLRP_CONFIG_PRODUCT_AUTO,
    HLRP_CONFIG_PRODUCT_CONSTANT,
    HLRP_CONFIG_PRODUCT_SHARE
} hlrp_config_product;

typedef enum hlrp_config_layernorm {
    HLRP_CONFIG_LAYERNORM_DETACH,
    HLRP_CONFIG_LAYERNORM_PASS
} hlrp_config_layernorm;

typedef enum hlrp_config_batchnorm {
    HLRP_CONFIG_BATCHNORM_AUTO,  /* merged where possible, else epsilon */
    HLRP_CONFIG_BATCHNORM_MERGE, /* merged where possible, else pass */
    HLRP_CONFIG_BATCHNORM_PASS   /* never merged */
} hlrp_config_batchnorm;

typedef enum hlrp_config_reference_point {
    HLRP_CONFIG_REFERENCE_ZERO,
    HLRP_CONFIG_REFERENCE_WHITE,
    HLRP_CONFIG_REFERENCE_BLACK
} hlrp_config_reference_point;

typedef enum hlrp_config_bounds {
    HLRP_CONFIG_BOUNDS_AUTO,
    HLRP_CONFIG_BOUNDS_FULL
} hlrp_config_bounds;

typedef enum hlrp_config_precision {
    HLRP_CONFIG_PRECISION_F32,
    HLRP_CONFIG_PRECISION_FAST,
    HLRP_CONFIG_PRECISION_BF16
} hlrp_config_precision;

/* One line of [rules], in the file's order, overrides last. The texts are as given: what they mean
 * is the rules' own business. */
typedef struct hlrp_config_rule {
    char *node; /* node name, glob, or @kind */
    char *rule; /* "gamma(0.25)" */
    int line;   /* 0: given on the command line */
} hlrp_config_rule;

/* One section [slide:NAME]; NAME is the slide's file name, with or without its extension. */
typedef struct hlrp_config_slide {
    char *name;
    hlrp_number_list mpp; /* none, one for both axes, or x and y: µm per level-0 pixel */
    char *annotation;     /* path, or "" */
    char *mask;           /* path, or "" */
    int line;
} hlrp_config_slide;

typedef struct hlrp_config {
    char *path;   /* the file, as given; for messages */
    char *folder; /* absolute folder of the file: what its relative paths start from */

    struct {
        hlrp_text_list slides; /* absolute globs, folders and "@" + absolute list file */
        char *output;          /* absolute folder */
        hlrp_config_on_error on_error;
    } batch;

    struct {
        char *path;             /* absolute */
        char *output;           /* name of the logits among several outputs; "": the only one */
        hlrp_text_list classes; /* empty: from the model's metadata, else class0… */
        char *head;             /* absolute; "": none */
        hlrp_config_channels channels;
        hlrp_config_layout layout;
        hlrp_config_preset preset;
        double scale;
        hlrp_number_list mean, std; /* one for all channels, or one for each; empty: from the
                                       model's metadata, else 0 and 1 */
        double mpp;                 /* µm per pixel; 0: from the model's metadata, else an error */
        hlrp_config_activation activation;
    } model;

    struct {
        char *head;     /* absolute; "": none */
        char *output;   /* name of the head's logits among several outputs; "": the only one */
        char *features; /* path pattern with {dir} and {stem}, or "" */
        char *pixels;   /* none, all, top P%, mass P% */
        hlrp_text_list baselines;
        bool keep_features;
        hlrp_config_product attention;
        hlrp_config_bias bias;
    } mil;

    struct {
        int64_t source;   /* bits of hlrp_config_source */
        char *annotation; /* path pattern with {dir} and {stem}, or "" */
        hlrp_config_missing missing;
        hlrp_config_unreadable on_unreadable;
        hlrp_text_list include, exclude; /* class-name globs; an empty include is every class */
        char *mask;                      /* path pattern, or "" */
        double min_coverage;             /* 0…1, share of the tile */
        hlrp_config_keep pen;
        double pen_hue_from, pen_hue_to; /* degrees: colored pen lies in between */
        int64_t pen_saturation;          /* of 255: colored pen reaches it */
        double pen_density; /* natural log: black pen reaches it, and any pen over tissue in red */
        double pen_share;   /* as dark as this share of a pen's density is pen, too; 0: off */
        double pen_min_um;  /* pen under this squared is dust or pigment */
        double pen_edge_um; /* reach of a stroke's soft edge */
        /* How tissue is found; all lengths in µm, levels of 0…255 (see the region module). */
        double tissue_cell_um;             /* edge of a pixel of the picture that is looked at */
        double tissue_median_um;           /* diameter of the median filter on saturation; 0: off */
        double tissue_closing_um;          /* radius of the closing; 0: off */
        double tissue_min_object_um;       /* objects under this squared are dropped */
        double tissue_max_hole_um;         /* holes under this squared are filled */
        double tissue_glass_spreads;       /* the threshold on saturation in spreads of the glass */
        int64_t tissue_saturation_floor;   /* the threshold's least value */
        int64_t tissue_saturation_ceiling; /* its highest */
        double tissue_edge_um;             /* paler than edge_share of what is so near: outline */
        double tissue_edge_share;          /* 0…1; 0: off */
        double tissue_darkness;         /* stain darkens by this share of its saturation; 0: off */
        double tissue_block_um;         /* compression carries color and ringing this far */
        double tissue_wall_um;          /* walls of fat are darker than what lies so far aside */
        int64_t tissue_wall_depth;      /* by this many levels */
        int64_t tissue_wall_saturation; /* within block_um of as much, dark lines are ringing */
        int64_t tissue_dark_value;      /* colorless and darker is padding or shadow */
    } regions;

    struct {
        int64_t size; /* model pixels; 0: the ONNX input's */
        double overlap;
    } tiles;

    struct {
        char *class_name; /* "": no gate */
        double probability;
    } gate;

    struct {
        char *composite;
        hlrp_text_list
            target;  /* empty: the classes of gate and outputs, else predicted; or the item
                                  "predicted" or "all"; else class names */
        char *start; /* auto, logit, probability, one, logodds, pair:NAME, norm, feature:K */
        double alpha, beta;
        double gamma, epsilon;      /* 0: the composite's own */
        hlrp_number_list low, high; /* empty: pixel values 0 and 255, normalised */
        hlrp_config_bias bias;
        hlrp_config_batchnorm batchnorm;
        hlrp_config_product attention, gate;
        hlrp_config_layernorm layernorm;
        double gamma_linear; /* -1: the composite's own */
        hlrp_config_reference_point reference;
        double warn_share;
    } lrp;

    hlrp_config_rule *rules;
    int64_t rule_count;

    struct {
        int64_t downsample; /* level-0 pixels per map pixel */
    } map;

    struct {
        bool ome_tiff, overlay, geojson, csv, report, qupath;
        char *class_name;   /* "": the gate's class, else the last */
        double overlay_mpp; /* 0: 2× the map's resolution */
        char *colormap;
        double opacity;
        double smoothing; /* map pixels */
        char *limit;      /* "slide", "batch" or a number > 0 */
        double percentile;
        hlrp_config_bounds bounds;
    } outputs;

    struct {
        int64_t threads; /* 0: all granted */
        hlrp_config_precision precision;
        int64_t memory_limit; /* bytes; 0: none */
        char *plan;           /* absolute path, or "" */
    } compute;

    hlrp_config_slide *slides;
    int64_t slide_count;

    struct hlrp_config_origins *origins; /* where each key was set: see hlrp_config_where */
} hlrp_config;

/* Reads the file, then the overrides "section.key=value" in their order (a later one wins; also
 * "rules.NODE=RULE" and "slide:NAME.key=value"). Relative paths start from the config file's
 * folder; those of overrides from the current folder; "{dir}" at the start is left alone.
 * `path` NULL: no file, only defaults and overrides. HLRP_E_CONFIG names the line (or the
 * override), what was given and what is accepted. Values are checked one by one; what must be there
 * for a command to run is asked with hlrp_config_require. */
hlrp_status hlrp_config_load(const char *path, const char *const *overrides, int64_t override_count,
                             hlrp_config **out, hlrp_error *err);
/* The same from a text, such as an effective configuration that was recorded; name ("run.json") is
 * for messages. Relative paths start from the current folder. */
hlrp_status hlrp_config_parse(const char *text, const char *name, hlrp_config **out,
                              hlrp_error *err);
void hlrp_config_free(hlrp_config *config);

/* Fails with HLRP_E_CONFIG where key ("model.path") has no value. */
hlrp_status hlrp_config_require(const hlrp_config *config, const char *key, hlrp_error *err);

/* Where key ("lrp.composite") was set, for messages: "study.ini line 12", "-s lrp.composite" or
 * "default of lrp.composite". Returns buf. */
const char *hlrp_config_where(const hlrp_config *config, const char *key, char *buf,
                              unsigned long size);

/* The same for rule number i: "study.ini line 20" or "-s rules.NODE". */
const char *hlrp_config_where_rule(const hlrp_config *config, int64_t i, char *buf,
                                   unsigned long size);

/* The section of a slide by its file name (with or without folder and extension); NULL: none. */
const hlrp_config_slide *hlrp_config_find_slide(const hlrp_config *config, const char *slide);

/* Texts; each *out is the caller's to free.
 * reference: a complete INI with every key, commented. It parses, and gives the defaults.
 * effective: every key with its value, paths absolute. Parses to the same configuration.
 * result_key: the keys that decide the numbers in relevance.h5, for one slide (NULL: without
 *   [slide:…]). Places are not among them: hash the model, annotation and mask files instead.
 * output_key: the keys that decide only what is made from relevance.h5. */
hlrp_status hlrp_config_reference(char **out, hlrp_error *err);
hlrp_status hlrp_config_effective(const hlrp_config *config, char **out, hlrp_error *err);
hlrp_status hlrp_config_result_key(const hlrp_config *config, const char *slide, char **out,
                                   hlrp_error *err);
hlrp_status hlrp_config_output_key(const hlrp_config *config, char **out, hlrp_error *err);

/* The difference of two such key texts as "lrp.gamma: 0.25 -> 0.5; map.downsample: 8 -> 4"; ""
 * where they are equal. */
hlrp_status hlrp_config_changes(const char *before, const char *after, char **out, hlrp_error *err);

/* Version of libini-config. */
const char *hlrp_config_ini_version(void);

#ifdef __cplusplus
}
#endif
#endif

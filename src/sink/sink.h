/* Outputs made from a finished relevance.h5, so that a changed color or limit needs no computing.
 * Each writes one file that appears whole under its name or not at all, in one pass over what it
 * reads and memory that does not grow with the slide's height. */
#ifndef HLRP_SINK_H
#define HLRP_SINK_H

#include "sink/unexplained.h"
#include "slide/slide.h"
#include "stitch/limit.h"
#include "store/store.h"

/* Zero-initialise; a 0 or NULL stands for the default in brackets. */
typedef struct hlrp_sink_input {
    hlrp_result *result;  /* the finished record; read only */
    hlrp_slide *slide;    /* the slide it was made from; hlrp_sink_csv and _ome_tiff take NULL */
    int64_t plane;        /* the explained class shown: an index of the record's planes */
    const char *unit;     /* of relevance, per map pixel ["relevance"] */
    double overlay_mpp;   /* µm per overlay pixel [half the map's]; never finer than the slide */
    const char *colormap; /* [vik] */
    double opacity;       /* [0.6] */
    double smoothing;     /* of the map in pictures and script, as shown.h has it; 0: none */
    double limit;         /* the value shown in full color [percentile of this slide] */
    double percentile;    /* [99.5] */
    /* Where the limit is from: one of HLRP_LIMIT_…, or another text [by `limit`] */
    const char *limit_kind;
    bool full;            /* outputs.bounds = full: coordinates are not shifted by the bounds */
    const char *software; /* for the Software tag and creators ["histolrp"] */
    const hlrp_log *log;  /* NULL is silent */
    hlrp_unexplained unexplained; /* of the plane; zeros: nothing is hatched or said */
} hlrp_sink_input;

#define HLRP_LIMIT_OF_SLIDE "percentile of this slide"
#define HLRP_LIMIT_OF_BATCH "percentile of the batch"
#define HLRP_LIMIT_GIVEN "given number"

/* One signature for all, so that a table can hold them. */
typedef hlrp_status hlrp_sink(const hlrp_sink_input *in, const char *path, hlrp_error *err);

/* overlay.tif: the slide under the heatmap of `plane`. Overlay pixel (i,j) shows the mean of the
 * level-0 rectangle [i·f_x, (i+1)·f_x) × [j·f_y, (j+1)·f_y), f = overlay mpp / slide mpp, of the
 * slide and of the map's finite values. RGB, JPEG tiles, page pyramid; the ImageDescription says
 * class, limit, unit, percentile and colormap in lines of "key: value". Parts of the slide that
 * cannot be read are taken from coarser levels, else shown as background with one warning. */
hlrp_sink hlrp_sink_overlay;

/* tiles.csv: a header, then a row per tile. RFC 4180, numbers that read back exactly, empty cells
 * for NaN. Columns: tile, x, y, width, height (level-0 pixels), status, predicted, logit:<class>,
 * probability:<class>, start:<class>, relevance:<class>, outside:<class>, density:<class>
 * (relevance per mm² of the tile's frame), for:<class>, against:<class> (sums of the positive and
 * of the negative values of the map in the frame, which overlapping tiles share), agrees:<class>
 * (whether start and relevance have one sign: 1, 0; empty where one of them is 0),
 * abs_over_start:<class> (Σ|relevance of a pixel| / |start|).
 * Of a slide with one score there is no predicted, logit and probability of a tile; start is
 * mil_relevance:<class>, what the tile has of the score, abs_over_start abs_over_mil_relevance, and the
 * scores of hlrp_score_name stand behind mil_relevance. */
hlrp_sink hlrp_sink_csv;

/* tiles.geojson: a FeatureCollection of QuPath `tile` objects with the same numbers as
 * measurements, of the class that is predicted, or of a bag's tile the side on which it is of the shown one; coordinates are level-0 pixels minus the slide's bounds (unless `full`). The UUID
 * of a tile follows from the slide's identity and its frame: a rerun writes the same file. */
hlrp_sink hlrp_sink_geojson;

/* relevance.ome.tif: float32; a channel per explained class, then probability:<class>, or of a slide with
 * one score its planes of /mil/scores; SubIFD pyramid of NaN-aware means. */
hlrp_sink hlrp_sink_ome_tiff;

/* qupath.groovy: shows relevance.ome.tif, which lies beside it, over the slide in QuPath. */
hlrp_sink hlrp_sink_qupath;

/* The display limit that overlay, script and report use: in->limit, else the percentile of the
 * magnitudes of the plane's finite values as they are shown (exact). HLRP_E_CONFIG where the record
 * has no such plane. */
hlrp_status hlrp_sink_limit(const hlrp_sink_input *in, double *limit, hlrp_error *err);

/* Where the limit is from: in->limit_kind, else as in->limit has it. */
const char *hlrp_sink_limit_kind(const hlrp_sink_input *in);

/* Adds a plane's values as they are shown to a percentile (one pass); several records make it one
 * of a batch. */
hlrp_status hlrp_sink_add_limit(hlrp_result *result, int64_t plane, double smoothing,
                                hlrp_limit *limit, hlrp_error *err);

#endif

/* The model half of a run: an ONNX file made ready to explain tiles, as the configuration says. */
#ifndef HLRP_NETWORK_H
#define HLRP_NETWORK_H

#include <histolrp/config.h>

#include "lrp/lrp.h"
#include "lrp/start.h"
#include "tile/tile.h"

/* Which classes a tile explains. A plane is a class whose relevance gets a map of its own. */
typedef struct hlrp_targets {
    bool predicted;   /* only the class that the tile predicts; else every plane */
    int64_t planes;   /* K */
    int64_t *classes; /* [K] */
} hlrp_targets;

/* Immutable once ready, shared by all threads; fields are read freely. */
typedef struct hlrp_network {
    const hlrp_config *config; /* borrowed */
    hlrp_graph *graph;
    hlrp_dims declared;       /* [N,C,H,W] as the file has it */
    bool open_size;           /* the file leaves H and W open: declared has those of the tiles */
    int64_t outputs, classes; /* logits; classes (2 for one logit) */
    char **class_names;       /* [classes] */
    double mpp;               /* µm per pixel; 0 where neither configuration nor file says it */
    char hash[65];            /* SHA-256 of the file */
    hlrp_probability_kind probability;
    hlrp_start start;
    const char *composite; /* the configuration's; what auto stands for; borrowed */
    hlrp_bias bias;        /* likewise */
    hlrp_product_option gate_rule;
    hlrp_targets targets;
    int64_t gate;  /* class of the gate; -1: none */
    int64_t shown; /* plane that overlay and scripts show */
    hlrp_normalizer normalizer;
    double mean[3], std[3]; /* of the input's channels, in the network's order */
    float low[3], high[3], zero[3], black[3],
        white[3]; /* network inputs of pixel values 0 and 255, by channel */
    /* Set by hlrp_network_ready: */
    hlrp_backend *backend;
    hlrp_lrp *lrp;
    int64_t batch;     /* N: tiles that run at once on a thread */
    int64_t run_batch; /* what a run takes for N, and whose bits it gives */
    int64_t height, width;
    int64_t values; /* of one sample's input; a bag of features is one sample */
    /* Of the head of a bag: lrp runs the nodes of `rest`, which see all instances. Those before them treat
     * each instance by itself: row_lrp runs them, HLRP_BAG_BLOCK instances at a time, on row_graph, the same
     * graph for so many. NULL: there are none. */
    hlrp_segment rest;
    hlrp_graph *row_graph;
    hlrp_lrp *row_lrp;
    bool forward_only; /* hlrp_network_ready_forward made it so */
} hlrp_network;

/* Reads and canonizes the model, and settles classes, targets, start and gate. input: the size of what
 * is to be explained, for a network that takes any where tiles.size is not set; may be NULL.
 * HLRP_E_CONFIG, HLRP_E_MODEL (also where the file cannot be read). */
hlrp_status hlrp_network_load(const hlrp_config *config, const hlrp_size *input,
                              const hlrp_log *log, hlrp_network **out, hlrp_error *err);

/* Instances that run at once before they meet: few enough for a core's cache, many enough for a matrix
 * product. */
enum { HLRP_BAG_BLOCK = 256 };

/* The network of config.model.path as a head: one score of a bag of features [N,D], which its input may
 * also call [1,N,D]; features 0: as many as the file says. Ready at once. */
hlrp_status hlrp_network_load_bag(const hlrp_config *config, int64_t instances, int64_t features,
                                  const hlrp_log *log, hlrp_network **out, hlrp_error *err);

/* Plans it for inputs of this size, and for a run's micro-batch: a function of the model alone, so that
 * results have the same bits whatever machine and thread count. most > 0: for no more samples than that;
 * each then has the bits that it has in a run. */
hlrp_status hlrp_network_ready(hlrp_network *net, int64_t most, int64_t height, int64_t width,
                               hlrp_error *err);
/* The same where nothing goes back: no rule makes weights of its own. Workers of it only go forward. */
hlrp_status hlrp_network_ready_forward(hlrp_network *net, int64_t batch, int64_t height,
                                       int64_t width, hlrp_error *err);
/* Loads it and makes it ready for the tiles of a slide, or only to go forward. HLRP_E_CONFIG where nothing
 * says its mpp. */
hlrp_status hlrp_network_prepare(const hlrp_config *config, bool forward_only, const hlrp_log *log,
                                 hlrp_network **net, hlrp_error *err);
void hlrp_network_free(hlrp_network *net);

/* gradient-x-input's root by channel, as lrp.reference has it; borrowed. */
const float *hlrp_network_reference(const hlrp_network *net);

/* Side of a tile in model pixels: tiles.size, else the file's. */
hlrp_status hlrp_network_tile_size(const hlrp_network *net, int64_t *size, hlrp_error *err);

/* A class by name, or by number from 0 where no name fits; where: for the message. */
hlrp_status hlrp_network_class(const hlrp_network *net, const char *name, const char *where,
                               int64_t *out, hlrp_error *err);

/* A start by its text: auto (log-odds; the logit where outputs are sigmoids), logit, probability, one, logodds, pair:NAME. */
hlrp_status hlrp_network_start(const hlrp_network *net, const char *text, hlrp_start *out,
                               hlrp_error *err);

#endif

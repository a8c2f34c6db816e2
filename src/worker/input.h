/* What explain and compare are given: a picture, or samples of a tensor, as a network's input. */
#ifndef HLRP_TILE_INPUT_H
#define HLRP_TILE_INPUT_H

#include "image/image.h"
#include "model/network.h"
#include "store/store.h"

/* Set the first four, zero the rest; hlrp_tile_input_close releases it. */
typedef struct hlrp_tile_input {
    const char *name;  /* a picture's path, or FILE.h5:/dataset, float32 [N,3,H,W]; borrowed */
    double mpp;        /* of a picture, µm per pixel; 0: what its file says */
    const char *start; /* takes the place of lrp.start; NULL: that */
    const hlrp_log *log;
    hlrp_tensor_file *tensor; /* or */
    hlrp_image picture;
    hlrp_dims dims; /* [N,3,H,W] */
    bool fitted;    /* the picture has the network's resolution */
} hlrp_tile_input;

/* HLRP_E_INPUT. */
hlrp_status hlrp_tile_input_open(hlrp_tile_input *in, hlrp_error *err);
void hlrp_tile_input_close(hlrp_tile_input *in);

/* The network of the configuration, ready for the input; most as for hlrp_network_ready.
 *
 * The first time a picture whose resolution is another than the network's is resampled, as a slide's
 * tiles are; what its file says counts where that can be a slide's (the 72 dpi of screens cannot). A
 * picture of unknown resolution stays as it is. HLRP_E_INPUT where it then has another size than the
 * network takes; HLRP_E_CONFIG where mpp is given and nothing says the network's; HLRP_E_USAGE where
 * it is no slide's. */
hlrp_status hlrp_tile_input_network(hlrp_tile_input *in, const hlrp_config *config, int64_t most,
                                    hlrp_network **net, hlrp_error *err);

/* Samples [first, first+count) as the network takes them, in values [count,3,H,W]: a tensor's as they
 * are, the picture through scale, mean and std. */
hlrp_status hlrp_tile_input_read(const hlrp_tile_input *in, const hlrp_network *net, int64_t first,
                                 int64_t count, float *values, hlrp_error *err);

#endif

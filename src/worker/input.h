/* What explain and compare are given: a picture, or samples of a tensor, as a network's input. */
#ifndef HLRP_TILE_INPUT_H
#define HLRP_TILE_INPUT_H

#include "image/image.h"
#include "model/network.h"
#include "store/store.h"

/* Zero-initialise; hlrp_tile_input_close releases it. */
typedef struct hlrp_tile_input {
    const char *name;         /* borrowed */
    hlrp_tensor_file *tensor; /* or */
    hlrp_image picture;
    hlrp_dims dims; /* [N,3,H,W] */
    bool fitted;    /* the picture has the network's resolution */
} hlrp_tile_input;

/* input: a picture's path, or FILE.h5:/dataset, float32 [N,3,H,W]. HLRP_E_INPUT. */
hlrp_status hlrp_tile_input_open(const char *input, hlrp_tile_input *in, hlrp_error *err);
void hlrp_tile_input_close(hlrp_tile_input *in);

/* Height and width, which a network of open size takes as its own. */
hlrp_size hlrp_tile_input_size(const hlrp_tile_input *in);

/* Resamples a picture, as a slide's tiles are, where its resolution is another than the network's; the
 * second time nothing is done, nor for a tensor. mpp: its µm per pixel; 0: what its file says, where
 * that can be a slide's (the 72 dpi of screens cannot). A picture of unknown resolution stays as it
 * is. HLRP_E_INPUT where it then has another size than the network takes; HLRP_E_CONFIG where mpp is
 * given and nothing says the network's; HLRP_E_USAGE where it is no slide's. */
hlrp_status hlrp_tile_input_fit(hlrp_tile_input *in, double mpp, const hlrp_network *net,
                                const hlrp_log *log, hlrp_error *err);

/* Samples [first, first+count) as the network takes them, in values [count,3,H,W]: a tensor's as they
 * are, the picture through scale, mean and std. */
hlrp_status hlrp_tile_input_read(const hlrp_tile_input *in, const hlrp_network *net, int64_t first,
                                 int64_t count, float *values, hlrp_error *err);

#endif

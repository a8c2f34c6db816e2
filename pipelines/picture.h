/* A picture as a network's input: at its resolution and of its size. */
#ifndef HLRP_PICTURE_H
#define HLRP_PICTURE_H

#include "image/image.h"
#include "pipelines/network.h"

/* Resamples the picture in place, as a slide's tiles are, where its resolution is another than the
 * network's. mpp: its µm per pixel; 0: what its file says, where that can be a slide's (the 72 dpi of
 * screens cannot). A picture of unknown resolution stays as it is. path: for messages.
 * HLRP_E_INPUT where it then has another size than the network takes; HLRP_E_CONFIG where mpp is
 * given and nothing says the network's. */
hlrp_status hlrp_picture_fit(const char *path, double mpp, const hlrp_network *net,
                             const hlrp_log *log, hlrp_image *picture, hlrp_error *err);

#endif

/* The channels of relevance.ome.tif. */
#ifndef HLRP_SINK_OME_H
#define HLRP_SINK_OME_H

#include "sink/sink.h"

int64_t hlrp_ome_channels(const hlrp_result_info *info);
/* Appends the name of channel 0 … */
void hlrp_ome_channel(const hlrp_result_info *info, int64_t channel, hlrp_str *out);

#endif

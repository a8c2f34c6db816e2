#include "pipelines/batch_run.h"

hlrp_status hlrp_batch_networks(hlrp_batch_run *batch, const hlrp_config *config,
                                hlrp_network **net, hlrp_mil **mil, hlrp_error *err) {
    const hlrp_log *log = batch->options->log;
    const hlrp_status status = config->mil.head[0]
                                   ? hlrp_mil_prepare(config, log, mil, err)
                                   : hlrp_network_prepare(config, false, log, net, err);
    batch->mil = *mil;
    batch->net = *mil ? (*mil)->head : *net;
    batch->tile_net = *mil ? (*mil)->encoder : *net;
    return status;
}

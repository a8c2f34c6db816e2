/* How tissue is found, from the configuration. */
#ifndef HLRP_TISSUE_OPTIONS_H
#define HLRP_TISSUE_OPTIONS_H

#include <histolrp/config.h>

#include "region/region.h"

/* How tissue is found, as the configuration has it. */
hlrp_tissue_options hlrp_tissue_options_of(const hlrp_config *config);

#endif

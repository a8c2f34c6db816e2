/* What the files of this folder share. */
#ifndef HLRP_MIL_INTERNAL_H
#define HLRP_MIL_INTERNAL_H

#include <histolrp/config.h>

/* A configuration that says the same, the caller's to free and to change. */
hlrp_status hlrp_bag_copy_config(const hlrp_config *config, hlrp_config **out, hlrp_error *err);
hlrp_status hlrp_bag_set_text(char **to, const char *value, hlrp_error *err);

#endif

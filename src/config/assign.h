/* Settings into a configuration. */
#ifndef HLRP_CONFIG_ASSIGN_H
#define HLRP_CONFIG_ASSIGN_H

#include <histolrp/config.h>

#include "config/ini.h"
#include "config/table.h"

/* line[i] of key i of the table: where it was set. */
enum { HLRP_ORIGIN_DEFAULT = -1, HLRP_ORIGIN_OVERRIDE = 0 };
struct hlrp_config_origins {
    int *line; /* [hlrp_key_count] */
};

/* Checks one setting against the table and stores it: a key of the table, a rule, or a key of a
 * slide's section. Relative paths start from folder. */
hlrp_status hlrp_config_assign(hlrp_config *config, const hlrp_setting *setting, const char *folder,
                               hlrp_error *err);

/* "section.key=value" as a setting with line 0, appended. A section slide:NAME may hold points, and
 * so may a node name in rules.NODE=RULE. */
hlrp_status hlrp_override_parse(const char *text, hlrp_settings *out, hlrp_error *err);

/* Requirements that tie keys together (alpha - beta = 1, a region's source and its files). */
hlrp_status hlrp_config_check(const hlrp_config *config, hlrp_error *err);

#endif

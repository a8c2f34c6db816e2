/* What the configuration says of the head alone. */
#include <stdlib.h>
#include <string.h>

#include "mil/head.h"
#include "mil/internal.h"

hlrp_status hlrp_bag_copy_config(const hlrp_config *config, hlrp_config **out, hlrp_error *err) {
    char *text = NULL;
    hlrp_status status = hlrp_config_effective(config, &text, err);
    if (status == HLRP_OK)
        status = hlrp_config_parse(text, config->path, out, err);
    free(text);
    return status;
}

hlrp_status hlrp_bag_set_text(char **to, const char *value, hlrp_error *err) {
    free(*to);
    *to = hlrp_strdup(value, err);
    return *to ? HLRP_OK : HLRP_E_MEMORY;
}

/* Conservative propagation where nothing is said: attention held constant, epsilon everywhere, biases left
 * out, so that the instances' relevance adds up to the score (xMIL, Hense et al. 2024). */
hlrp_status hlrp_head_config(const hlrp_config *config, const char *start, hlrp_config **out,
                             hlrp_error *err) {
    hlrp_status status = hlrp_bag_copy_config(config, out, err);
    if (status != HLRP_OK)
        return status;
    hlrp_config *c = *out;
    if (config->mil.head[0] != '\0') {
        HLRP_TRY(hlrp_bag_set_text(&c->model.path, config->mil.head, err));
        HLRP_TRY(hlrp_bag_set_text(&c->model.output, config->mil.output, err));
    }
    HLRP_TRY(hlrp_bag_set_text(&c->model.head, "", err));
    if (start)
        HLRP_TRY(hlrp_bag_set_text(&c->lrp.start, start, err));
    if (strcmp(c->lrp.composite, "auto") == 0)
        HLRP_TRY(hlrp_bag_set_text(&c->lrp.composite, "cp", err));
    if (config->mil.attention != HLRP_CONFIG_PRODUCT_AUTO)
        c->lrp.attention = config->mil.attention;
    if (config->mil.bias != HLRP_CONFIG_BIAS_AUTO)
        c->lrp.bias = config->mil.bias;
    else if (config->lrp.bias == HLRP_CONFIG_BIAS_AUTO)
        c->lrp.bias = HLRP_CONFIG_BIAS_DROP;
out:
    if (status != HLRP_OK) {
        hlrp_config_free(*out);
        *out = NULL;
    }
    return status;
}

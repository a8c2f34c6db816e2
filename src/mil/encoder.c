#include "mil/encoder.h"

#include <stdlib.h>

#include "mil/internal.h"

static void clear(hlrp_text_list *list) {
    for (int64_t k = 0; k < list->count; k++)
        free(list->items[k]);
    list->count = 0;
}

/* Classes, and what names them, are the head's. */
hlrp_status hlrp_encoder_config(const hlrp_config *config, hlrp_config **out, hlrp_error *err) {
    hlrp_status status = hlrp_bag_copy_config(config, out, err);
    if (status != HLRP_OK)
        return status;
    clear(&(*out)->model.classes);
    clear(&(*out)->lrp.target);
    HLRP_TRY(hlrp_bag_set_text(&(*out)->outputs.class_name, "", err));
    status = hlrp_bag_set_text(&(*out)->lrp.start, "norm", err);
out:
    return status;
}

hlrp_status hlrp_bag_check_rules(const hlrp_config *config, const hlrp_network *head,
                                 const hlrp_network *encoder, hlrp_error *err) {
    char where[60];
    for (int64_t i = 0; i < config->rule_count; i++) {
        const char *key = config->rules[i].node;
        if (hlrp_rule_names_a_node(head->graph, key) ||
            (encoder && hlrp_rule_names_a_node(encoder->graph, key)))
            continue;
        snprintf(where, sizeof where, "[rules], line %d", config->rules[i].line);
        return hlrp_fail(err, HLRP_E_CONFIG, where, "`histolrp inspect MODEL.onnx` lists the nodes",
                         "no node of the networks matches '%.120s'", key);
    }
    return HLRP_OK;
}

/* flat:  wsquare with every weight 1 and no bias: relevance is spread evenly over what each output
 * sees.  Source: Lapuschkin et al. (2019), supplementary note 4. */
#include <stdlib.h>

#include "lrp/rule_constant.h"

static hlrp_status prepare(hlrp_layer *layer, hlrp_error *err) {
    const int64_t count = hlrp_layer_weight_count(layer);
    float *ones = NULL;
    const hlrp_status status = hlrp_calloc(&ones, count, sizeof *ones, "a rule's weights", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = 0; i < count; i++)
        ones[i] = 1;
    const hlrp_status made = hlrp_constant_prepare(layer, ones, false, err);
    free(ones);
    return made;
}

const hlrp_rule_ops hlrp_rule_flat = {prepare, hlrp_constant_relevance, hlrp_constant_passes,
                                      false};

#include "op/op.h"

#define LISTED(name) &hlrp_op_##name,

const hlrp_operator *hlrp_operator_at(int index) {
    static const hlrp_operator *const all[] = {HLRP_OPERATORS(LISTED)};
    return index >= 0 && index < (int)HLRP_COUNT(all) ? all[index] : NULL;
}

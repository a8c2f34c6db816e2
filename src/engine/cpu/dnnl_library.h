/* What oneDNN is, and what it makes of this processor. */
#ifndef HLRP_DNNL_LIBRARY_H
#define HLRP_DNNL_LIBRARY_H

#include <stdbool.h>

#include "util/util.h"

/* wanted: dnnl_cpu_isa_…, as oneDNN is allowed to use it. */
bool hlrp_dnnl_has_isa(unsigned wanted);

/* Channel lanes of the layout that its convolutions prefer here: 16, 8 or 1. */
int hlrp_dnnl_lanes(void);

/* The error for a status of oneDNN's other than success (dnnl_status_t): HLRP_E_MEMORY or
 * HLRP_E_INTERNAL. */
hlrp_status hlrp_dnnl_failed(const char *what, int why, hlrp_error *err);

/* Bytes that oneDNN may take for the code of one primitive, which it does not check for. */
#define HLRP_DNNL_ROOM (16 << 20)

/* Has it make the code of its matrix product, which else came with the first tile. HLRP_E_MEMORY. */
hlrp_status hlrp_dnnl_warm_up(hlrp_error *err);

#endif

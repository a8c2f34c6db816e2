/* Any bytes as an ONNX file: read, inferred and canonized, or refused with a place and a remedy. */
#include <stdint.h>
#include <stdlib.h>

#include "canonize/canonize.h"
#include "onnx/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A graph that claims success must hold what it promises. */
static void check(const hlrp_graph *g) {
    for (int k = 0; k < g->node_count; k++) {
        const hlrp_node *n = &g->nodes[k];
        for (int i = 0; i < n->in_count; i++)
            if (n->in[i] >= g->value_count)
                abort();
        if (n->out_count < 1 || n->out[0] < 0 || n->out[0] >= g->value_count ||
            g->values[n->out[0]].producer != k)
            abort();
    }
    if (g->values[g->output].dims.rank != 2)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const hlrp_canonize_options options = {0};
    hlrp_error err = {0};
    hlrp_graph *g = NULL;
    hlrp_dims in = {0};

    hlrp_status status = hlrp_onnx_parse(bytes, size, NULL, NULL, 0, &g, &err);
    if ((status == HLRP_OK) != (g != NULL))
        abort();
    if (status == HLRP_OK)
        status = hlrp_canonize_input(g, &in, &err);
    if (status == HLRP_OK)
        status = hlrp_canonize(g, &options, &in, &err);
    if (status == HLRP_OK)
        check(g);
    else if (err.status != status || err.what[0] == '\0')
        abort();
    hlrp_graph_free(g);
    return 0;
}

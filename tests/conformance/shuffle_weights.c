/* shuffle_weights IN.onnx OUT.onnx SEED: the same network with the values of every convolution's
 * and linear layer's weights in random order: same sizes, same statistics, nothing learned. */
#include <stdlib.h>
#include <string.h>

#include <onnx.pb-c.h>

#include "util/util.h"

static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void shuffle(float *values, size_t count, uint64_t *state) {
    for (size_t i = count; i > 1; i--) {
        const size_t j = (size_t)(next_random(state) % i);
        const float kept = values[i - 1];
        values[i - 1] = values[j];
        values[j] = kept;
    }
}

int main(int argc, char **argv) {
    enum { LIMIT = 1 << 28 };
    char *bytes = NULL;
    int64_t size = 0, seed = 0;
    hlrp_error err = {0};
    if (argc != 4 || !hlrp_parse_int(argv[3], &seed) ||
        hlrp_read_file(argv[1], LIMIT, &bytes, &size, &err) != HLRP_OK) {
        fprintf(stderr, "usage: shuffle_weights IN.onnx OUT.onnx SEED\n");
        return 2;
    }
    uint64_t state = (uint64_t)seed;
    HlrpPb__ModelProto *model =
        hlrp_pb__model_proto__unpack(NULL, (size_t)size, (const uint8_t *)bytes);
    free(bytes);
    if (!model || !model->graph)
        return 1;
    for (size_t i = 0; i < model->graph->n_initializer; i++) {
        HlrpPb__TensorProto *t = model->graph->initializer[i];
        if (t->n_dims >= 2 && t->has_raw_data)
            shuffle((float *)(void *)t->raw_data.data, t->raw_data.len / sizeof(float), &state);
    }
    const size_t packed = hlrp_pb__model_proto__get_packed_size(model);
    uint8_t *out = malloc(packed);
    if (!out)
        return 1;
    hlrp_pb__model_proto__pack(model, out);
    const hlrp_status status = hlrp_write_file(argv[2], (const char *)out, packed, &err);
    free(out);
    hlrp_pb__model_proto__free_unpacked(model, NULL);
    return status != HLRP_OK;
}

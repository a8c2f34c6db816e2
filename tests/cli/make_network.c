/* make_network KIND OUT.onnx: small networks whose relevance is known without running anything.
 *
 * linear      y = W · mean over the picture of x, W [2,3] = {1, −2, 0.5; −1, 1, 2}: with LRP-0 the
 *             relevance of pixel x of channel c is W_kc x / (height · width), whatever the tile
 * biased      linear with the biases {0, −5}: relevance is that of linear, but the second output is
 *             negative where its relevance adds up to more than 0
 * explosive   linear with the biases {0.501, 0}: a white tile's first output is 0.001, the sum of 1, −2,
 *             0.5 and 0.501, so that LRP-0 makes 3500 of a relevance of 1
 * rounded     the difference of two values that a layer before makes, 2²⁴ + 0.3 and 2²⁴ for a white
 *             tile: of the first output, 0.3, float32 sees nothing, whatever the order of its sums
 * sigmoid     linear that ends in a Sigmoid; onesoft: one output that ends in a Softmax
 * nan         linear with a weight that is no number; overflow: with weights of 3e38
 * one         the same with one output, W = {1, −2, 0.5}
 * unsupported a node with an operator that no program knows
 * gray        an input of one channel
 * pooled      linear, behind a maximum over 8 × 8 pixels: smaller pictures do not fit
 * open        linear that takes pictures of any size
 * features    linear on [N,3], features instead of a picture
 * crowd       5 outputs */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "unit/onnx/build.h"

static const float weights[5 * 3] = {1, -2, 0.5F, -1, 1, 2, 0.1F, 0.2F, 0.3F, 1, 1, 1, 2, 0, 1};

static const float biases[2] = {0, -5}, tight[2] = {0.501F, 0};
static const float broken[2 * 3] = {1, NAN, 0.5F, -1, 1, 2};
static const float huge[2 * 3] = {3e38F, 3e38F, 3e38F, -1, 1, 2};
static const float large[3 * 3] = {16777216, 0.3F, 0, 16777216, 0, 0, 0, 0, 1};
static const float rounded[2 * 3] = {1, -1, 0, -1, 1, 2};

static int write_file(const char *path, const build *b) {
    uint8_t *bytes = NULL;
    const size_t size = build_pack(b, &bytes);
    FILE *out = fopen(path, "wb");
    const bool fine = size > 0 && out && fwrite(bytes, 1, size, out) == size;
    if (!out || fclose(out) != 0 || !fine) {
        printf("%s: cannot be written\n", path);
        free(bytes);
        return 1;
    }
    free(bytes);
    return 0;
}

static const float *weights_of(const char *kind) {
    return strcmp(kind, "rounded") == 0    ? rounded
           : strcmp(kind, "nan") == 0      ? broken
           : strcmp(kind, "overflow") == 0 ? huge
                                           : weights;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    const char *kind = argv[1];
    const bool soft = strcmp(kind, "onesoft") == 0;
    const int64_t outputs = strcmp(kind, "one") == 0 || soft ? 1
                            : strcmp(kind, "crowd") == 0     ? 5
                                                             : 2;
    const int64_t channels = strcmp(kind, "gray") == 0 ? 1 : 3;
    const int64_t dims[2] = {outputs, channels};
    static build b;
    const int64_t side = strcmp(kind, "open") == 0 ? 0 : 64;
    build_begin(&b, 13, channels, side, side);
    const bool features = strcmp(kind, "features") == 0;
    if (features)
        b.shape.n_dim = 2;
    const bool pooled = strcmp(kind, "pooled") == 0;
    int64_t window[2] = {8, 8};
    if (pooled) {
        pb_node *max = build_node(&b, "MaxPool", "max", "x", "m");
        build_ints(&b, max, "kernel_shape", window, 2);
        build_ints(&b, max, "strides", window, 2);
    }
    if (!features)
        build_node(&b, "GlobalAveragePool", "pool", pooled ? "m" : "x", "p");
    build_node(&b, strcmp(kind, "unsupported") == 0 ? "Flutter" : "Flatten", "flat",
               features ? "x" : "p", "f");
    const bool ends = soft || strcmp(kind, "sigmoid") == 0;
    const bool explosive = strcmp(kind, "explosive") == 0;
    const bool biased = strcmp(kind, "biased") == 0 || explosive;
    const char *inputs = biased ? "f w b" : "f w";
    if (weights_of(kind) == rounded) {
        const int64_t square[2] = {3, 3};
        build_int(&b, build_node(&b, "Gemm", "before", "f v", "g"), "transB", 1);
        build_tensor(&b, "v", 1, square, 2, large, sizeof large);
        inputs = "g w";
    }
    build_int(&b, build_node(&b, "Gemm", "fc", inputs, ends ? "z" : "y"), "transB", 1);
    if (ends)
        build_node(&b, soft ? "Softmax" : "Sigmoid", "end", "z", "y");
    if (biased)
        build_tensor(&b, "b", 1, dims, 1, explosive ? tight : biases, sizeof biases);
    build_tensor(&b, "w", 1, dims, 2, weights_of(kind),
                 (size_t)(outputs * channels) * sizeof *weights);
    return write_file(argv[2], &b);
}

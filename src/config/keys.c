/* The table itself. The order is that of `histolrp config`. */
#include "config/table.h"
#include "util/util.h"

#define AT(member) offsetof(hlrp_config, member)
#define OF_SLIDE(member) offsetof(hlrp_config_slide, member)

#define TEXT HLRP_KEY_TEXT
#define PATH HLRP_KEY_PATH
#define INT HLRP_KEY_INT
#define SIZE HLRP_KEY_SIZE
#define DOUBLE HLRP_KEY_DOUBLE
#define BOOL HLRP_KEY_BOOL
#define ENUM HLRP_KEY_ENUM
#define FLAGS HLRP_KEY_FLAGS
#define TEXTS HLRP_KEY_TEXTS
#define PATHS HLRP_KEY_PATHS
#define NUMBERS HLRP_KEY_NUMBERS

#define RESULT HLRP_KIND_RESULT
#define OUTPUT HLRP_KIND_OUTPUT
#define COMPUTE HLRP_KIND_COMPUTE
#define PLACE HLRP_KIND_PLACE

#define COMPOSITES                                                                                 \
    "lrp0-gamma|lrp0-epsilon-gamma|epsilon-gamma-box|epsilon-plus|epsilon-plus-flat|"              \
    "epsilon-alpha2-beta1|epsilon-alpha2-beta1-flat|attnlrp|attnlrp-gamma|cp|vit-gamma|"           \
    "vit-gamma-box|lrp0|epsilon|gamma|zplus|alphabeta|wsquare|flat|gradient-x-input"

#define COLORMAPS "vik|vik_r|RdBu_r|RdBu|seismic|seismic_r|bwr|bwr_r|coolwarm|coolwarm_r"

/* clang-format off: one key per paragraph, its columns in the order of the struct:
 * section, name, type, kind, offset, default, what auto means, range, choices, help. */
const hlrp_key hlrp_keys[] = {
    {"batch", "slides", PATHS, PLACE, AT(batch.slides), "", NULL, NULL, NULL,
     "slides: files, globs, folders, @list.txt (a path per line)"},
    {"batch", "output", PATH, PLACE, AT(batch.output), "", NULL, NULL, NULL,
     "folder for the results; each slide gets a folder of its own in it"},
    {"batch", "on_error", ENUM, COMPUTE, AT(batch.on_error), "continue", NULL, NULL,
     "continue|stop", "after a slide that failed: go on with the others, or stop"},

    {"model", "path", PATH, PLACE, AT(model.path), "", NULL, NULL, NULL, "the ONNX file"},
    {"model", "head", PATH, PLACE, AT(model.head), "", "none", NULL, NULL,
     "an ONNX file that makes classes of what the network gives: a classifier of features"},
    {"model", "classes", TEXTS, RESULT, AT(model.classes), "",
     "from the model's metadata, else class0, class1, ...", NULL, NULL,
     "names of the network's outputs, in their order"},
    {"model", "channels", ENUM, RESULT, AT(model.channels), "rgb", NULL, NULL, "rgb|bgr",
     "order of the colors that the network expects"},
    {"model", "layout", ENUM, RESULT, AT(model.layout), "auto", "from the graph", NULL,
     "auto|nchw|nhwc", "order of the input's axes"},
    {"model", "preset", ENUM, RESULT, AT(model.preset), "none", NULL, NULL,
     "none|imagenet|openai-clip|half",
     "mean and std that the network was trained with, where these keys are not set"},
    {"model", "scale", DOUBLE, RESULT, AT(model.scale), "1/255", NULL, "(0, 1e6]", NULL,
     "input = (pixel * scale - mean) / std, pixel 0 to 255; quotients are accepted"},
    {"model", "mean", NUMBERS, RESULT, AT(model.mean), "", "from the model's metadata, else 0",
     "[-1e6, 1e6]", NULL,
     "subtracted after scale: one number, or one per channel in the network's order"},
    {"model", "std", NUMBERS, RESULT, AT(model.std), "", "from the model's metadata, else 1",
     "(0, 1e6]", NULL, "divides after mean: one number, or one per channel in the network's order"},
    {"model", "mpp", DOUBLE, RESULT, AT(model.mpp), "", "from the model's metadata, else required",
     "(0, 100]", NULL, "µm per pixel at which the network was trained"},
    {"model", "output", TEXT, RESULT, AT(model.output), "", "the only one", NULL, NULL,
     "name of the output that holds the logits, where the network has several"},
    {"model", "activation", ENUM, RESULT, AT(model.activation), "auto",
     "what the graph ends in, else softmax", NULL, "auto|softmax|sigmoid|none",
     "what turns logits into probabilities"},

    {"mil", "head", PATH, PLACE, AT(mil.head), "", "none", NULL, NULL,
     "an ONNX file that makes one score of a bag of tiles' features, input [N,D]; for explain"},
    {"mil", "attention", ENUM, RESULT, AT(mil.attention), "auto", "lrp.attention, else constant",
     NULL, "auto|constant|share", "lrp.attention of the head"},
    {"mil", "bias", ENUM, RESULT, AT(mil.bias), "auto", "lrp.bias where it is set, else drop", NULL,
     "auto|keep|drop|share|spread", "lrp.bias of the head"},

    {"regions", "source", FLAGS, RESULT, AT(regions.source), "tissue", NULL, NULL,
     "all|tissue|annotation|mask", "what is explained; & intersects: annotation & tissue"},
    {"regions", "annotation", PATH, PLACE, AT(regions.annotation), "", NULL, NULL, NULL,
     "annotation file of a slide; {dir} is its folder, {stem} its name without extension"},
    {"regions", "missing", ENUM, RESULT, AT(regions.missing), "fail", NULL, NULL,
     "fail|all|tissue|skip", "what a slide without its annotation file gets"},
    {"regions", "on_unreadable", ENUM, RESULT, AT(regions.on_unreadable), "fail", NULL, NULL,
     "fail|skip", "a slide whose annotation has areas that cannot be read: fail, or skip those"},
    {"regions", "include", TEXTS, RESULT, AT(regions.include), "", "every class", NULL, NULL,
     "globs of annotation classes that count"},
    {"regions", "exclude", TEXTS, RESULT, AT(regions.exclude), "", NULL, NULL, NULL,
     "globs of annotation classes that are cut out"},
    {"regions", "mask", PATH, PLACE, AT(regions.mask), "", NULL, NULL, NULL,
     "mask picture of a slide, nonzero is inside; {dir} and {stem} as above"},
    {"regions", "min_coverage", DOUBLE, RESULT, AT(regions.min_coverage), "0.5", NULL, "[0, 1]",
     NULL, "share of a tile that must lie in the region"},
    {"regions", "pen", ENUM, RESULT, AT(regions.pen), "keep", NULL, NULL, "keep|drop",
     "pen marks: keep what they cover, or take it for no tissue; red ink passes for stain"},
    {"regions", "pen_hue_from", DOUBLE, RESULT, AT(regions.pen_hue_from), "75", NULL, "[0, 360]",
     NULL, "first hue of colored pen, in degrees: green is 120, blue 240; stains lie outside"},
    {"regions", "pen_hue_to", DOUBLE, RESULT, AT(regions.pen_hue_to), "245", NULL, "[0, 360]", NULL,
     "last hue of colored pen"},
    {"regions", "pen_saturation", INT, RESULT, AT(regions.pen_saturation), "70", NULL, "[1, 255]",
     NULL, "saturation that colored pen reaches, of 255; blue, which nuclei come near, 20 more"},
    {"regions", "pen_density", DOUBLE, RESULT, AT(regions.pen_density), "0.5", NULL, "[0.1, 5]",
     NULL, "optical density (natural log) that black pen reaches, and any pen over tissue in red"},
    {"regions", "pen_share", DOUBLE, RESULT, AT(regions.pen_share), "0.65", NULL, "[0, 1]", NULL,
     "pen goes on over tissue where that has this share of the pen's density; 0 is off"},
    {"regions", "pen_min_um", DOUBLE, RESULT, AT(regions.pen_min_um), "100", NULL, "[0, 1e5]", NULL,
     "least width of a stroke of pen in µm: less than its square is dust or pigment"},
    {"regions", "pen_edge_um", DOUBLE, RESULT, AT(regions.pen_edge_um), "20", NULL, "[0, 500]",
     NULL, "how far the soft edge of a stroke reaches, in µm"},
    {"regions", "tissue_cell_um", DOUBLE, RESULT, AT(regions.tissue_cell_um), "8", NULL, "[1, 200]",
     NULL, "µm per pixel of the picture in which tissue is looked for"},
    {"regions", "tissue_median_um", DOUBLE, RESULT, AT(regions.tissue_median_um), "24", NULL,
     "[0, 2000]", NULL, "diameter of the median filter on saturation, in µm; 0 is off"},
    {"regions", "tissue_closing_um", DOUBLE, RESULT, AT(regions.tissue_closing_um), "32", NULL,
     "[0, 2000]", NULL, "radius of the closing, in µm; 0 is off"},
    {"regions", "tissue_min_object_um", DOUBLE, RESULT, AT(regions.tissue_min_object_um), "200",
     NULL, "[0, 1e5]", NULL, "edge of a square in µm: objects of a smaller area are dropped"},
    {"regions", "tissue_max_hole_um", DOUBLE, RESULT, AT(regions.tissue_max_hole_um), "190", NULL,
     "[0, 1e5]", NULL, "edge of a square in µm: holes of a smaller area are filled"},
    {"regions", "tissue_glass_spreads", DOUBLE, RESULT, AT(regions.tissue_glass_spreads), "1.5",
     NULL, "[0, 100]", NULL,
     "threshold on saturation in spreads of the slide's glass, between floor and ceiling"},
    {"regions", "tissue_saturation_floor", INT, RESULT, AT(regions.tissue_saturation_floor), "10",
     NULL, "[0, 255]", NULL, "least threshold on saturation, of 255"},
    {"regions", "tissue_saturation_ceiling", INT, RESULT, AT(regions.tissue_saturation_ceiling),
     "30", NULL, "[0, 255]", NULL,
     "highest threshold on saturation, of 255; a slide without glass gets it"},
    {"regions", "tissue_edge_um", DOUBLE, RESULT, AT(regions.tissue_edge_um), "16", NULL,
     "[0, 500]", NULL, "width of the outline, where tissue and glass mix, in µm"},
    {"regions", "tissue_edge_share", DOUBLE, RESULT, AT(regions.tissue_edge_share), "0.45", NULL,
     "[0, 1]", NULL, "below this share of the highest saturation so near is outline; 0 is off"},
    {"regions", "tissue_darkness", DOUBLE, RESULT, AT(regions.tissue_darkness), "0.3", NULL,
     "[0, 1]", NULL,
     "stain darkens by this share of its saturation, else its color bled onto glass; 0 is off"},
    {"regions", "tissue_block_um", DOUBLE, RESULT, AT(regions.tissue_block_um), "32", NULL,
     "[0, 500]", NULL, "how far compression carries color and dark lines beside it, in µm"},
    {"regions", "tissue_wall_um", DOUBLE, RESULT, AT(regions.tissue_wall_um), "16", NULL,
     "[0, 500]", NULL, "walls of fat are darker than what lies so far on either side, in µm"},
    {"regions", "tissue_wall_depth", INT, RESULT, AT(regions.tissue_wall_depth), "6", NULL,
     "[1, 255]", NULL, "levels by which walls of fat are darker, of 255; 255 takes none"},
    {"regions", "tissue_wall_saturation", INT, RESULT, AT(regions.tissue_wall_saturation), "50",
     NULL, "[0, 255]", NULL,
     "within tissue_block_um of such saturation, dark lines are no walls, of 255"},
    {"regions", "tissue_dark_value", INT, RESULT, AT(regions.tissue_dark_value), "85", NULL,
     "[0, 255]", NULL, "colorless pixels darker than this are padding or shadow, of 255"},

    {"tiles", "size", INT, RESULT, AT(tiles.size), "", "the ONNX input's size", "[1, 65536]", NULL,
     "edge of a tile in pixels at the model's mpp"},
    {"tiles", "overlap", DOUBLE, RESULT, AT(tiles.overlap), "0", NULL, "[0, 1)", NULL,
     "share of a tile's edge that its neighbor covers too"},

    {"gate", "class", TEXT, RESULT, AT(gate.class_name), "", NULL, NULL, NULL,
     "explain only tiles of this class; off without one"},
    {"gate", "probability", DOUBLE, RESULT, AT(gate.probability), "0.5", NULL, "[0, 1]", NULL,
     "probability that a tile must reach; the others keep their forward result"},

    {"lrp", "composite", TEXT, RESULT, AT(lrp.composite), "auto",
     "vit-gamma with self-attention, else lrp0-gamma", NULL, "auto|" COMPOSITES,
     "which rule each layer gets"},
    {"lrp", "target", TEXTS, RESULT, AT(lrp.target), "",
     "the class of gate and outputs, else predicted", NULL, NULL,
     "what is explained: predicted, all, or names of classes"},
    {"lrp", "start", TEXT, RESULT, AT(lrp.start), "auto", NULL, NULL,
     "auto|logit|probability|one|logodds|pair:*|norm|feature:*",
     "auto: log-odds, for sigmoids logit; pair:NAME: against NAME; norm, feature:K: of features"},
    {"lrp", "gamma", DOUBLE, RESULT, AT(lrp.gamma), "", "the composite's own", "(0, 1e6]", NULL,
     "replaces the composite's gamma wherever it has that rule"},
    {"lrp", "gamma_linear", DOUBLE, RESULT, AT(lrp.gamma_linear), "", "the composite's own",
     "(0, 1e6]", NULL, "the same of linear layers in attnlrp-gamma, vit-gamma and vit-gamma-box"},
    {"lrp", "alpha", DOUBLE, RESULT, AT(lrp.alpha), "2", NULL, "[1, 1e6]", NULL,
     "alpha of the composite alphabeta; alpha - beta = 1"},
    {"lrp", "beta", DOUBLE, RESULT, AT(lrp.beta), "1", NULL, "[0, 1e6]", NULL,
     "beta of the composite alphabeta"},
    {"lrp", "epsilon", DOUBLE, RESULT, AT(lrp.epsilon), "", "the composite's own", "(0, 1e6]", NULL,
     "replaces the composite's epsilon wherever it has that rule"},
    {"lrp", "low", NUMBERS, RESULT, AT(lrp.low), "", "pixel value 0 through scale, mean and std",
     "[-1e9, 1e9]", NULL, "zbox: lowest input, one number or one per channel"},
    {"lrp", "high", NUMBERS, RESULT, AT(lrp.high), "",
     "pixel value 255 through scale, mean and std", "[-1e9, 1e9]", NULL,
     "zbox: highest input, one number or one per channel"},
    {"lrp", "bias", ENUM, RESULT, AT(lrp.bias), "auto", "keep with self-attention, else share",
     NULL, "auto|keep|drop|share|spread",
     "what biases and stabilizers take: they keep it, or inputs get it by share or evenly"},
    {"lrp", "batchnorm", ENUM, RESULT, AT(lrp.batchnorm), "auto",
     "merged where possible, else epsilon", NULL, "auto|merge|pass",
     "batch normalization: merge (else pass), or pass (never merged)"},
    {"lrp", "attention", ENUM, RESULT, AT(lrp.attention), "auto", "the composite's own", NULL,
     "auto|constant|share", "matrix products: weights are held constant, or both factors share"},
    {"lrp", "gate", ENUM, RESULT, AT(lrp.gate), "auto", "the composite's own", NULL,
     "auto|constant|share", "products element by element: likewise"},
    {"lrp", "layernorm", ENUM, RESULT, AT(lrp.layernorm), "detach", NULL, NULL, "detach|pass",
     "layer normalization: its spread is held constant, or it passes all on"},
    {"lrp", "reference", ENUM, RESULT, AT(lrp.reference), "zero", NULL, NULL, "zero|white|black",
     "root of gradient-x-input: the zero input, a white or a black tile"},
    {"lrp", "warn_share", DOUBLE, OUTPUT, AT(lrp.warn_share), "0.5", NULL, "[0, 1e6]", NULL,
     "the account names the layer that loses most, where that is over this share"},

    {"map", "downsample", INT, RESULT, AT(map.downsample), "8", NULL, "[1, 65536]", NULL,
     "level-0 pixels per map pixel"},

    {"outputs", "ome_tiff", BOOL, OUTPUT, AT(outputs.ome_tiff), "on", NULL, NULL, NULL,
     "write relevance.ome.tif"},
    {"outputs", "overlay", BOOL, OUTPUT, AT(outputs.overlay), "on", NULL, NULL, NULL,
     "write overlay.tif"},
    {"outputs", "geojson", BOOL, OUTPUT, AT(outputs.geojson), "on", NULL, NULL, NULL,
     "write tiles.geojson"},
    {"outputs", "csv", BOOL, OUTPUT, AT(outputs.csv), "on", NULL, NULL, NULL, "write tiles.csv"},
    {"outputs", "report", BOOL, OUTPUT, AT(outputs.report), "on", NULL, NULL, NULL,
     "write report.html"},
    {"outputs", "qupath", BOOL, OUTPUT, AT(outputs.qupath), "on", NULL, NULL, NULL,
     "write qupath.groovy"},
    {"outputs", "class", TEXT, OUTPUT, AT(outputs.class_name), "",
     "the gate's class, else the last", NULL, NULL,
     "class that the overlay and the QuPath script show"},
    {"outputs", "overlay_mpp", DOUBLE, OUTPUT, AT(outputs.overlay_mpp), "",
     "2x the map's resolution, never finer than the slide", "(0, 1000]", NULL,
     "µm per pixel of overlay.tif"},
    {"outputs", "colormap", TEXT, OUTPUT, AT(outputs.colormap), "vik", NULL, NULL, COLORMAPS,
     "diverging colors: negative, zero, positive"},
    {"outputs", "opacity", DOUBLE, OUTPUT, AT(outputs.opacity), "0.6", NULL, "(0, 1]", NULL,
     "of the heatmap where it is strongest"},
    {"outputs", "smoothing", DOUBLE, OUTPUT, AT(outputs.smoothing), "1", NULL, "[0, 100]", NULL,
     "standard deviation, in map pixels, of the mean that pictures and script show; 0: none"},
    {"outputs", "limit", TEXT, OUTPUT, AT(outputs.limit), "slide", NULL, "(0, 1e300]",
     "slide|batch|#",
     "relevance at the ends of the colors: a percentile of slide or batch, or a number"},
    {"outputs", "percentile", DOUBLE, OUTPUT, AT(outputs.percentile), "99.5", NULL, "(0, 100]",
     NULL, "of |relevance|, for limit = slide and batch"},
    {"outputs", "bounds", ENUM, OUTPUT, AT(outputs.bounds), "auto",
     "shifted by the slide's bounds, as QuPath shows it", NULL, "auto|full",
     "coordinates of what is written for QuPath; full: the whole slide's"},

    {"compute", "threads", INT, COMPUTE, AT(compute.threads), "", "all granted", "[1, 4096]", NULL,
     "threads; -t wins"},
    {"compute", "precision", ENUM, RESULT, AT(compute.precision), "f32", NULL, NULL,
     "f32|fast|bf16",
     "f32: direct sums; fast: Winograd too, which oneDNN 2 has: two digits coarser"},
    {"compute", "memory_limit", SIZE, COMPUTE, AT(compute.memory_limit), "", "no limit",
     "[1e6, 1e15]", NULL, "memory to stay below: bytes, or with K, M, G, T; fewer workers run"},
    {"compute", "plan", PATH, COMPUTE, AT(compute.plan), "", NULL, NULL, NULL,
     "file that pins the choice of algorithms"},
};

const hlrp_key hlrp_slide_keys[] = {
    {"slide:NAME", "mpp", NUMBERS, RESULT, OF_SLIDE(mpp), "", "from the slide", "[0.05, 10]", NULL,
     "µm per level-0 pixel: one number, or x and y"},
    {"slide:NAME", "annotation", PATH, PLACE, OF_SLIDE(annotation), "", NULL, NULL, NULL,
     "annotation file of this slide"},
    {"slide:NAME", "mask", PATH, PLACE, OF_SLIDE(mask), "", NULL, NULL, NULL,
     "mask picture of this slide"},
};
/* clang-format on */

const int hlrp_key_count = HLRP_COUNT(hlrp_keys);
const int hlrp_slide_key_count = HLRP_COUNT(hlrp_slide_keys);

/* qupath.groovy: the template below with this result's constants. Calls have the same signatures
 * from QuPath 0.4.4 on. Pixels stay float32 with one band, so that limit and colors can be changed
 * in the script; NaN and values near zero are transparent. */
#include <string.h>

#include "sink/ome.h"
#include "sink/text.h"
#include "stitch/colormap.h"

#define DEFAULT_COLORMAP "vik"
#define DEFAULT_OPACITY 0.6
#define MAP_FILE "relevance.ome.tif"
/* Control points written into the script. */
#define POINTS 17

static const char imports[] = "import java.awt.image.BufferedImage\n"
                              "import java.awt.image.DataBuffer\n"
                              "import java.awt.image.BandedSampleModel\n"
                              "import java.awt.image.Raster\n"
                              "import java.util.function.DoubleToIntFunction\n"
                              "import javafx.application.Platform\n"
                              "import qupath.lib.color.ColorMaps\n"
                              "import qupath.lib.color.ColorModelFactory\n"
                              "import qupath.lib.gui.QuPathGUI\n"
                              "import qupath.lib.gui.viewer.overlays.BufferedImageOverlay\n"
                              "import qupath.lib.images.servers.ImageServers\n"
                              "import qupath.lib.images.servers.PixelType\n"
                              "import qupath.lib.regions.ImageRegion\n"
                              "import groovy.transform.CompileStatic\n\n";

static const char smoothing[] =
    "// The map as the overlay shows it: each value the mean of the known ones around it under a\n"
    "// Gaussian of sigma pixels. A map of w x h pixels; what is not known (NaN) stays so.\n"
    "@CompileStatic\n"
    "static float[] smooth(float[] map, int w, int h, double sigma) {\n"
    "    int r = (int) Math.ceil(3 * sigma)\n"
    "    if (r == 0)\n"
    "        return map\n"
    "    double[] weights = new double[2 * r + 1]\n"
    "    for (int k = -r; k <= r; k++)\n"
    "        weights[k + r] = Math.exp(-0.5d * k * k / (sigma * sigma))\n"
    "    float[] result = new float[map.length]\n"
    "    for (int y = 0; y < h; y++) {\n"
    "        double[] sums = new double[w + 2 * r], known = new double[w + 2 * r]\n"
    "        for (int j = Math.max(y - r, 0); j <= Math.min(y + r, h - 1); j++)\n"
    "            for (int x = 0; x < w; x++)\n"
    "                if (!Float.isNaN(map[j * w + x])) {\n"
    "                    sums[x + r] += weights[j - y + r] * map[j * w + x]\n"
    "                    known[x + r] += weights[j - y + r]\n"
    "                }\n"
    "        for (int x = 0; x < w; x++) {\n"
    "            double sum = 0, all = 0\n"
    "            for (int k = 0; k <= 2 * r; k++) {\n"
    "                sum += weights[k] * sums[x + k]\n"
    "                all += weights[k] * known[x + k]\n"
    "            }\n"
    "            boolean known_here = !Float.isNaN(map[y * w + x])\n"
    "            result[y * w + x] = known_here ? (float) (sum / all) : Float.NaN\n"
    "        }\n"
    "    }\n"
    "    return result\n"
    "}\n\n";

static const char reading[] =
    "final long MAX_PIXELS = 16000000L\n"
    "\n"
    "// The map lies beside this script; QuPath tells where that is unless the script was pasted.\n"
    "def here = null\n"
    "try {\n"
    "    here = getProperty('qupath.script.file')\n"
    "} catch (MissingPropertyException e) {\n"
    "}\n"
    "def mapFile = new File(MAP_FILE).getAbsoluteFile()\n"
    "if (here != null)\n"
    "    mapFile = new File(new File(here.toString()).getAbsoluteFile().getParent(), MAP_FILE)\n"
    "if (!mapFile.exists())\n"
    "    throw new FileNotFoundException('cannot find ' + mapFile +\n"
    "            ': open this script from its folder with File > Open')\n"
    "\n"
    "def viewer = QuPathGUI.getInstance().getViewer()\n"
    "def slide = viewer.getServer()\n"
    "if (slide == null)\n"
    "    throw new IllegalStateException('open the slide ' + SLIDE + ' first')\n"
    "if (slide.getWidth() != WIDTH || slide.getHeight() != HEIGHT)\n"
    "    println 'warning: this image is ' + slide.getWidth() + ' x ' + slide.getHeight() +\n"
    "            ', the map was made for ' + WIDTH + ' x ' + HEIGHT + ' (' + SLIDE + ')'\n"
    "\n"
    "def floats = { int w, int h ->\n"
    "    Raster.createWritableRaster(new BandedSampleModel(DataBuffer.TYPE_FLOAT, w, h, 1), null)\n"
    "}\n"
    "\n"
    "double limit = LIMIT\n"
    "def server = ImageServers.buildServer(mapFile.getAbsolutePath())\n"
    "def regions = new LinkedHashMap<ImageRegion, BufferedImage>()\n"
    "try {\n"
    "    // The finest level that QuPath shows at once without trouble, read whole.\n"
    "    int level = 0\n"
    "    def sizes = (0..<server.nResolutions()).collect { server.getMetadata().getLevel(it) }\n"
    "    while (level + 1 < sizes.size() &&\n"
    "            (long) sizes[level].getWidth() * sizes[level].getHeight() > MAX_PIXELS)\n"
    "        level++\n"
    "    int width = sizes[level].getWidth(), height = sizes[level].getHeight()\n"
    "    def whole = floats(width, height)\n"
    "    def requests = server.getTileRequestManager().getTileRequestsForLevel(level)\n"
    "            .collect { it.getRegionRequest() }\n"
    "    def places = []\n"
    "    for (request in requests) {\n"
    "        def image = server.readRegion(request)\n"
    "        int x = (int) Math.round(request.getX() / request.getDownsample())\n"
    "        int y = (int) Math.round(request.getY() / request.getDownsample())\n"
    "        int w = Math.min(image.getWidth(), width - x)\n"
    "        int h = Math.min(image.getHeight(), height - y)\n"
    "        def values = image.getRaster().getSamples(0, 0, w, h, CHANNEL, new float[w * h])\n"
    "        whole.setSamples(x, y, w, h, 0, values)\n"
    "        places.add([x, y, w, h])\n"
    "    }\n"
    "    def map = whole.getSamples(0, 0, width, height, 0, new float[width * height])\n"
    "    map = smooth(map, width, height, SMOOTHING * width / sizes[0].getWidth())\n"
    "    whole.setSamples(0, 0, width, height, 0, map)\n";

static const char showing[] =
    "    if (CHANNEL >= CLASSES) {\n"
    "        limit = 0\n"
    "        for (float v : map)\n"
    "            limit = Math.max(limit, Float.isNaN(v) ? 0 : Math.abs(v))\n"
    "        limit = limit > 0 ? limit : 1\n"
    "    }\n"
    "    def alpha = { double v ->\n"
    "        double t = Math.abs(v) / limit\n"
    "        if (Double.isNaN(t) || t < 0.02)\n"
    "            return 0\n"
    "        return (int) Math.round(255 * OPACITY * Math.min(1.0d, (t - 0.02d) / 0.38d))\n"
    "    } as DoubleToIntFunction\n"
    "    def colors = ColorMaps.createColorMap('histolrp ' + COLORMAP, RED, GREEN, BLUE)\n"
    "    def model = ColorModelFactory.createColorModel(PixelType.FLOAT32, colors, 0, -limit, "
    "limit,\n"
    "            -1, alpha)\n"
    "    requests.eachWithIndex { request, i ->\n"
    "        def (int x, int y, int w, int h) = places[i]\n"
    "        def raster = floats(w, h)\n"
    "        raster.setSamples(0, 0, w, h, 0, whole.getSamples(x, y, w, h, 0, new float[w * h]))\n"
    "        // Map pixels to pixels of the slide as QuPath shows it (cropped to its bounds).\n"
    "        def region = ImageRegion.createInstance(request.getX() * DOWNSAMPLE - BOUNDS_X,\n"
    "                request.getY() * DOWNSAMPLE - BOUNDS_Y, request.getWidth() * DOWNSAMPLE,\n"
    "                request.getHeight() * DOWNSAMPLE, 0, 0)\n"
    "        regions.put(region, new BufferedImage(model, raster, false, null))\n"
    "    }\n"
    "} finally {\n"
    "    server.close()\n"
    "}\n"
    "\n"
    "Platform.runLater {\n"
    "    viewer.getOverlayOptions().setShowPixelClassification(true)\n"
    "    viewer.setCustomPixelLayerOverlay(new BufferedImageOverlay(viewer, regions))\n"
    "    viewer.repaint()\n"
    "}\n"
    "if (CHANNEL < CLASSES)\n"
    "    println 'relevance for ' + CHANNELS[CHANNEL] + ': ' + FOR + ' speaks for it, ' + AGAINST "
    "+\n"
    "            ' against it; full color at +/-' + LIMIT + ' ' + UNIT + ' (' + LIMIT_KIND + ')'\n"
    "else\n"
    "    println CHANNELS[CHANNEL] + ': full color at +/-' + limit + ', its largest value'\n"
    "if (!NOTE.isEmpty())\n"
    "    println NOTE\n";

/* Where no tile is explained for the class there is nothing to show on any scale. */
static const char nothing[] = "println NOTE\n";

/* A Groovy string between single quotes: no interpolation there. */
static void add_text(hlrp_str *s, const char *text) {
    hlrp_str_add(s, "'");
    for (const char *c = text; *c; c++)
        if (*c == '\'' || *c == '\\')
            hlrp_str_addf(s, "\\%c", *c);
        else
            hlrp_str_addn(s, (unsigned char)*c < ' ' ? " " : c, 1);
    hlrp_str_add(s, "'");
}

static void add_quoted(hlrp_str *s, const char *name, const char *text) {
    hlrp_str_addf(s, "final String %s = ", name);
    add_text(s, text);
    hlrp_str_add(s, "\n");
}

static void add_integer(hlrp_str *s, const char *name, int64_t value) {
    hlrp_str_addf(s, "final int %s = %lld\n", name, (long long)value);
}

static void add_real(hlrp_str *s, const char *name, double value) {
    hlrp_str_addf(s, "final double %s = ", name);
    hlrp_text_double(s, value);
    hlrp_str_add(s, "d\n");
}

/* Names of the map file's channels, a line each, and how to see another than the shown class. */
static void add_channels(hlrp_str *s, const hlrp_result_info *info) {
    hlrp_str_add(
        s,
        "// Channels of the map, counted from 0: change CHANNEL to see another one. Those of the\n"
        "// first CLASSES are relevance, in full color at LIMIT; others at their largest value.\n"
        "final List<String> CHANNELS = [\n");
    for (int64_t c = 0; c < hlrp_ome_channels(info); c++) {
        hlrp_str name = {0};
        hlrp_ome_channel(info, c, &name);
        hlrp_str_add(s, "    ");
        add_text(s, name.text ? name.text : "");
        hlrp_str_add(s, ",\n");
        s->failed |= name.failed;
        hlrp_str_free(&name);
    }
    hlrp_str_add(s, "]\n");
}

static void add_color(hlrp_str *s, const char *name, const hlrp_colormap *map, int channel) {
    hlrp_str_addf(s, "final int[] %s = [", name);
    for (int i = 0; i < POINTS; i++)
        hlrp_str_addf(s, "%s%d", i ? ", " : "",
                      hlrp_colormap_at(map, 2.0 * i / (POINTS - 1) - 1)[channel]);
    hlrp_str_add(s, "]\n");
}

/* What the map says nothing about, in words. */
static void add_note(hlrp_str *s, const hlrp_sink_input *in) {
    hlrp_str text = {0};
    hlrp_unexplained_text(&in->unexplained, hlrp_result_facts(in->result)->plane_names[in->plane],
                          &text);
    add_quoted(s, "NOTE", text.length > 0 ? text.text : "");
    s->failed |= text.failed;
    hlrp_str_free(&text);
}

static void add_constants(hlrp_str *s, const hlrp_sink_input *in, double limit,
                          const hlrp_colormap *map) {
    const hlrp_result_info *info = hlrp_result_facts(in->result);
    hlrp_irect bounds = {0};
    const bool crops = !in->full && hlrp_slide_bounds(in->slide, &bounds);
    add_quoted(s, "SLIDE", hlrp_slide_name(in->slide));
    add_quoted(s, "MAP_FILE", MAP_FILE);
    add_quoted(s, "UNIT", in->unit ? in->unit : "relevance");
    add_quoted(s, "COLORMAP", in->colormap ? in->colormap : DEFAULT_COLORMAP);
    add_channels(s, info);
    add_integer(s, "CHANNEL", in->plane);
    add_integer(s, "CLASSES", info->planes);
    add_integer(s, "DOWNSAMPLE", info->downsample);
    add_integer(s, "BOUNDS_X", crops ? bounds.x : 0);
    add_integer(s, "BOUNDS_Y", crops ? bounds.y : 0);
    add_integer(s, "WIDTH", crops ? bounds.w : info->slide.w);
    add_integer(s, "HEIGHT", crops ? bounds.h : info->slide.h);
    add_real(s, "LIMIT", limit > 0 ? limit : 1);
    add_quoted(s, "FOR", hlrp_colormap_word(map, 1));
    add_quoted(s, "AGAINST", hlrp_colormap_word(map, -1));
    add_quoted(s, "LIMIT_KIND", hlrp_sink_limit_kind(in));
    add_note(s, in);
    add_real(s, "SMOOTHING", in->smoothing);
    add_real(s, "OPACITY", in->opacity > 0 ? in->opacity : DEFAULT_OPACITY);
    add_color(s, "RED", map, 0);
    add_color(s, "GREEN", map, 1);
    add_color(s, "BLUE", map, 2);
}

hlrp_status hlrp_sink_qupath(const hlrp_sink_input *in, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_text text = {0};
    hlrp_colormap map;
    double limit = 0;
    HLRP_TRY(hlrp_colormap_init(&map, in->colormap ? in->colormap : DEFAULT_COLORMAP, err));
    HLRP_TRY(hlrp_sink_limit(in, &limit, err));
    HLRP_TRY(hlrp_text_open(&text, path, err));
    const bool empty = in->unexplained.tiles > 0 && in->unexplained.explained == 0;
    hlrp_str_add(&text.pending,
                 "// Shows the relevance map over the slide. Run it in QuPath's script editor with "
                 "the slide open.\n// Written by histolrp.\n");
    hlrp_str_add(&text.pending, imports);
    add_constants(&text.pending, in, limit, &map);
    hlrp_str_add(&text.pending, smoothing);
    hlrp_str_add(&text.pending, empty ? nothing : reading);
    hlrp_str_add(&text.pending, empty ? "" : showing);
    HLRP_TRY(hlrp_text_commit(&text, err));
out:
    hlrp_text_close(&text);
    return status;
}

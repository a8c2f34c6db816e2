package qupath.lib.images.servers

import java.awt.Transparency
import java.awt.color.ColorSpace
import java.awt.image.BandedSampleModel
import java.awt.image.BufferedImage
import java.awt.image.ComponentColorModel
import java.awt.image.DataBuffer
import java.awt.image.Raster

/* A map of 60 x 40 pixels in two tiles; band b holds 100·b + x. */
class ImageServers {
    static final int WIDTH = 60, HEIGHT = 40, BANDS = 4

    static class Level {
        int width, height
    }

    static class Metadata {
        Level getLevel(int i) { new Level(width: WIDTH >> i, height: HEIGHT >> i) }
    }

    static class Request {
        int x, y, width, height

        Request getRegionRequest() { this }

        double getDownsample() { 1 }
    }

    static class Manager {
        Collection<Request> getTileRequestsForLevel(int level) {
            assert level == 0
            return [new Request(x: 0, y: 0, width: 32, height: HEIGHT),
                    new Request(x: 32, y: 0, width: WIDTH - 32, height: HEIGHT)]
        }
    }

    static class Server implements AutoCloseable {
        int nResolutions() { 2 }

        Metadata getMetadata() { new Metadata() }

        Manager getTileRequestManager() { new Manager() }

        BufferedImage readRegion(Request r) {
            def model = new BandedSampleModel(DataBuffer.TYPE_FLOAT, r.width, r.height, BANDS)
            def raster = Raster.createWritableRaster(model, null)
            for (int b = 0; b < BANDS; b++)
                for (int y = 0; y < r.height; y++)
                    for (int x = 0; x < r.width; x++)
                        raster.setSample(x, y, b, 100f * b + r.x + x)
            int[] bits = [32] * BANDS
            def colors = new ComponentColorModel(new Bands(), false, false, Transparency.OPAQUE,
                                                 DataBuffer.TYPE_FLOAT)
            return new BufferedImage(colors, raster, false, null)
        }

        void close() { println 'server closed' }
    }

    /* A color space of as many bands as the map has. */
    static class Bands extends ColorSpace {
        Bands() { super(ColorSpace.TYPE_4CLR, BANDS) }

        float[] toRGB(float[] v) { [0f, 0f, 0f] as float[] }

        float[] fromRGB(float[] v) { new float[BANDS] }

        float[] toCIEXYZ(float[] v) { [0f, 0f, 0f] as float[] }

        float[] fromCIEXYZ(float[] v) { new float[BANDS] }
    }

    static Server buildServer(String path) {
        assert new File(path).isFile()
        println 'map ' + new File(path).getName()
        return new Server()
    }
}

package qupath.lib.regions

class ImageRegion {
    int x, y, width, height

    static ImageRegion createInstance(int x, int y, int width, int height, int z, int t) {
        assert z == 0 && t == 0
        return new ImageRegion(x: x, y: y, width: width, height: height)
    }

    String toString() { "${x},${y} ${width}x${height}" }
}

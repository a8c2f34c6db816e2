package qupath.lib.color

class ColorMaps {
    static class ColorMap { String name }

    static ColorMap createColorMap(String name, int[] r, int[] g, int[] b) {
        assert r.length == g.length && g.length == b.length && r.length >= 2
        println "color map ${r.length} from ${r[0]},${g[0]},${b[0]} to ${r[-1]},${g[-1]},${b[-1]}"
        return new ColorMap(name: name)
    }
}

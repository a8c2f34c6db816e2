package qupath.lib.color

import java.awt.Transparency
import java.awt.color.ColorSpace
import java.awt.image.ColorModel
import java.awt.image.ComponentColorModel
import java.awt.image.DataBuffer
import java.util.function.DoubleToIntFunction
import qupath.lib.images.servers.PixelType

class ColorModelFactory {
    static ColorModel createColorModel(PixelType type, ColorMaps.ColorMap map, int band, double low,
                                       double high, int alphaBand, DoubleToIntFunction alpha) {
        assert type == PixelType.FLOAT32 && band == 0 && alphaBand == -1
        println "from ${low} to ${high}, alpha ${alpha.applyAsInt(Double.NaN)} " +
                "${alpha.applyAsInt(0d)} ${alpha.applyAsInt(high)} ${alpha.applyAsInt(low)}"
        return new ComponentColorModel(ColorSpace.getInstance(ColorSpace.CS_GRAY), false, false,
                                       Transparency.OPAQUE, DataBuffer.TYPE_FLOAT)
    }
}

package qupath.lib.gui.viewer.overlays

import java.awt.image.BufferedImage
import qupath.lib.gui.QuPathGUI
import qupath.lib.regions.ImageRegion

class BufferedImageOverlay {
    BufferedImageOverlay(QuPathGUI.Viewer viewer, Map<ImageRegion, BufferedImage> regions) {
        regions.each { region, image ->
            println "region ${region} first ${image.getRaster().getSampleFloat(0, 0, 0)}"
        }
    }
}

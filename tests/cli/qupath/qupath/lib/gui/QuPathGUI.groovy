package qupath.lib.gui

class QuPathGUI {
    static class Server {
        int getWidth() { Integer.parseInt(System.getProperty('slide.width')) }

        int getHeight() { Integer.parseInt(System.getProperty('slide.height')) }

        Collection<URI> getURIs() { [new File(System.getProperty('slide.path')).toURI()] }
    }

    static class Options {
        void setShowPixelClassification(boolean on) { println 'classification ' + on }
    }

    static class Viewer {
        Server getServer() { new Server() }

        Options getOverlayOptions() { new Options() }

        void setCustomPixelLayerOverlay(Object overlay) { println 'overlay set' }

        void repaint() { println 'repainted' }
    }

    static QuPathGUI getInstance() { new QuPathGUI() }

    Viewer getViewer() { new Viewer() }
}

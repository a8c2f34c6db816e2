package qupath.lib.scripting

import qupath.lib.gui.QuPathGUI

class QP {
    static class Item {
        boolean tile

        boolean isTile() { tile }
    }

    static List<Item> objects = [new Item(tile: true), new Item(tile: false)]

    static Object getCurrentServer() { QuPathGUI.getInstance().getViewer().getServer() }

    static Collection<Item> getAllObjects(boolean root) { objects.asImmutable() }

    static void removeObjects(Collection<Item> old, boolean keepChildren) {
        objects.removeAll(old)
        println 'removed ' + old.size()
    }

    static boolean importObjectsFromFile(String path) {
        def all = new groovy.json.JsonSlurper().parse(new File(path))
        all.features.each { objects.add(new Item(tile: it.properties.objectType == 'tile')) }
        return true
    }
}

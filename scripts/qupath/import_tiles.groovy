// Imports the tiles of histolrp, with their probabilities and relevance as measurements, into every
// image of a QuPath project. Set RESULTS to the folder that batch.output named, then Run > Run for
// project. Tiles of an earlier import are replaced; nothing else is touched. QuPath 0.4 to 0.8.
import static qupath.lib.scripting.QP.*

final String RESULTS = '/path/to/results'

def server = getCurrentServer()
def file = new File(new ArrayList(server.getURIs()).get(0).getPath())
int dot = file.getName().lastIndexOf('.')
def stem = dot > 0 ? file.getName().substring(0, dot) : file.getName()
def tiles = new File(new File(RESULTS, stem), 'tiles.geojson')
if (!tiles.exists()) {
    println 'no results for ' + file.getName() + ' (' + tiles + ')'
    return
}
def old = getAllObjects(false).findAll { it.isTile() }
removeObjects(old, true)
importObjectsFromFile(tiles.getAbsolutePath())
println file.getName() + ': ' + getAllObjects(false).count { it.isTile() } + ' tiles'

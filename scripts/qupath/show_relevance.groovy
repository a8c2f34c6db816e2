// Shows the relevance of histolrp over the slide in the viewer, whichever slide of a project that is.
// Set RESULTS to the folder that batch.output named, then Run > Run. It runs the qupath.groovy that
// lies in the slide's results folder. QuPath 0.4 to 0.8.
import qupath.lib.gui.QuPathGUI

final String RESULTS = '/path/to/results'

def server = QuPathGUI.getInstance().getViewer().getServer()
if (server == null)
    throw new IllegalStateException('open a slide first')
def file = new File(new ArrayList(server.getURIs()).get(0).getPath())
int dot = file.getName().lastIndexOf('.')
def stem = dot > 0 ? file.getName().substring(0, dot) : file.getName()
def script = new File(new File(RESULTS, stem), 'qupath.groovy')
if (!script.exists())
    throw new FileNotFoundException('no results for ' + file.getName() + ' (' + script + ')')
// The script looks for its map beside itself.
getBinding().setVariable('qupath.script.file', script.getAbsolutePath())
evaluate(script)

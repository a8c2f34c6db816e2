#!/bin/sh
# test_qupath.sh PROGRAM PROJECT: the scripts for QuPath compile and run, against stand-ins for its
# classes (qupath/): the map lies where it should, also in a slide that QuPath crops. Guards: a syntax
# error that only a pathologist would see, a shift by the bounds, the wrong channel.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
groovy=$(command -v groovy) || {
    echo "skipped: Groovy is not installed"
    exit 77
}
java=$(command -v java) || {
    echo "skipped: Java is not installed"
    exit 77
}
JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$java")")") # Debian's groovy looks elsewhere
export JAVA_HOME
cd "$work" || exit 1
mkdir stubs
find "$project/tests/cli/qupath" -name '*.groovy' -exec "${groovy}c" -d stubs {} + 2>complaints || {
    cat complaints
    exit 1
}
expect 0 run -q "$demo/demo.ini" -s batch.output=out
folder=$work/out/wide
limit=$(sed -n 's/^final double LIMIT = \(.*\)d$/\1/p' "$folder/qupath.groovy")

# play SCRIPT: runs it as QuPath would with the demo's slide open.
play() {
    "$groovy" -cp "$work/stubs" -Dslide.width=1024 -Dslide.height=768 -Dslide.path="$demo/wide.svs" "$1" \
        >said 2>"$work/complaints" || complain "$1 fails: $(head -5 "$work/complaints")"
}
has() {
    grep -qxF -- "$1" said || complain "the script does not say: $1; but: $(cat said)"
}

cd "$folder" || exit 1
play qupath.groovy
has 'map relevance.ome.tif'
has "from -$limit to $limit, alpha 0 0 153 153"
# The stand-in's band holds 100 + x. Smoothed by 1 pixel it stays so but at its edge, where the mean
# is that of 0, 1, 2, 3 under exp(-x^2/2): 100.519 (shown.c must say the same: test_bands.c).
grep -q '^region 0,0 256x320 first 100\.5194' said || complain "smoothed otherwise: $(cat said)"
has 'region 256,0 224x320 first 132.0'
has 'overlay set'
has 'server closed'
has "relevance for tumor: red speaks for it, blue against it; full color at +/-$limit relevance per map pixel (percentile of this slide)"
if grep -q warning said; then complain "it warns of the size: $(cat said)"; fi
sed -i 's/^final double SMOOTHING = 1d/final double SMOOTHING = 0d/' qupath.groovy
sed -i 's/^final int BOUNDS_X = 0/final int BOUNDS_X = 40/; s/^final int BOUNDS_Y = 0/final int BOUNDS_Y = 8/' \
    qupath.groovy
play qupath.groovy
has 'region -40,-8 256x320 first 100.0'
sed -i 's/^final int WIDTH = 1024/final int WIDTH = 1000/' qupath.groovy
play qupath.groovy
grep -q '^warning: this image is 1024 x 768, the map was made for 1000 x 768' said ||
    complain "no warning of another slide: $(cat said)"

# The scripts for projects find the slide's folder.
cd "$work" || exit 1
for script in import_tiles show_relevance; do
    sed "s|/path/to/results|$work/out|" "$project/scripts/qupath/$script.groovy" >$script.groovy
done
play import_tiles.groovy
has 'removed 1'
has 'wide.svs: 20 tiles'
play show_relevance.groovy
has 'overlay set'
exit $failed

#!/bin/bash
# From a bare Debian to a relevance map: installs what is missing, builds, makes a synthetic slide
# with known truth, explains it with the network in configs/, says what to open.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build
echo "Building"
scripts/build.sh release -DHLRP_TESTS=OFF
program=build/histolrp
slide=demo/phantom.svs
results=demo/results/phantom

mkdir -p demo
if [ ! -f "$slide" ] || [ ! -f demo/truth.tif ]; then
    echo "Making a slide: $slide"
    "$program" phantom "$slide" --truth demo/truth.tif
fi
"$program" run configs/demo.ini

echo
echo "Results: $PWD/$results"
open_hint() { # FILE WHAT, if it is there
    [ ! -e "$results/$1" ] || printf '  %-20s %s\n' "$1" "$2"
}
open_hint overlay.tif "the slide under its relevance: open it in QuPath or any slide viewer"
open_hint regions.png "what was explained: any picture viewer"
open_hint relevance.h5 "the record: build/histolrp inspect $results/relevance.h5"
open_hint relevance.ome.tif "the numbers as an image: QuPath, or Python's tifffile"
open_hint qupath.groovy "run it in QuPath with the slide open"
[ ! -e demo/results/report.html ] || echo "Report:  $PWD/demo/results/report.html"
echo "Truth:   $PWD/demo/truth.tif (the tumor's nuclei)"

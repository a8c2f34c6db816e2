#!/bin/sh
# test_run_empty.sh PROGRAM PROJECT: a slide of which nothing was explained is empty, with its cause, in
# status.json, batch.csv, report and the batch's last line; a rerun says the same. Guards: a batch that is
# "complete" and holds no map.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
run="run $demo/linear.ini -s batch.output=out"

# empty NAME REASON: its row, status.json, the page and the log.
empty() {
    checked json "out/$1/status.json" state=empty explained=0
    checked json "out/$1/run.json" outcome=empty
    said "warning: .*$1\\.[a-z]* is empty: $2"
    grep -Eq "^\"[^\"]*/$1\\.[a-z]*\",\"empty\",\"$2" out/batch.csv || complain "batch.csv: $(cat out/batch.csv)"
    grep -Eq "$2" out/report.html || complain "the page does not say: $2"
}

# White is 250 of 255: logits -0.5 · 250/255 and 2 · 250/255, so that left has 1 / (1 + e^2.451) = 0.0794.
for _ in begin again; do
    expect 0 $run --slide "$demo/white.tif" --slide "$demo/colors.tif" -s gate.class=left \
        -s gate.probability=0.4
    empty white 'no tile reaches gate\.probability = 0\.4: the highest probability of left on [0-9]* tiles is 0\.0794'
    [ "$(tail -1 stderr)" = "histolrp: warning: 2 slides: 1 complete, 1 empty (nothing was explained; batch.csv says why)" ] ||
        complain "the last line is: $(tail -1 stderr)"
done

expect 0 $run --force --slide "$demo/white.tif" -s regions.source=tissue
empty white 'no tissue was found: see regions\.png and the keys regions\.tissue_'

# A sliver of a tile, and something beside the tissue.
cat >white.geojson <<'END'
{"type": "Feature", "properties": {"classification": {"name": "a"}}, "geometry": {"type": "Polygon",
 "coordinates": [[[0, 0], [16, 0], [16, 16], [0, 16], [0, 0]]]}}
END
drawn="$run --force --slide $demo/white.tif -s regions.annotation=$work/{stem}.geojson"
expect 0 $drawn -s regions.source=annotation
empty white 'the regions are 0\.[0-9]* % of the slide, but no tile lies in them with the share regions\.min_coverage = 0\.5'
expect 0 $drawn -s 'regions.source=annotation & tissue'
empty white 'what was drawn and the tissue that was found have nothing in common'
rm white.geojson
expect 0 $drawn -s regions.source=annotation -s regions.missing=skip
empty white 'its annotation or mask is missing, and regions\.missing = skip'
exit $failed

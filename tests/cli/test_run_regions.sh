#!/bin/sh
# test_run_regions.sh PROGRAM PROJECT: what is looked at follows the annotations, masks and classes of
# the configuration. Guards: annotations that are read but not used, a class filter that filters
# nothing, a slide without its file that is looked at as a whole, or not at all, unasked.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

# Tiles of wide.svs are 253.27 level-0 pixels; Tumor covers the upper left four, Fold one of them.
cp "$demo/wide.svs" "$demo/small.svs" .
cat >wide.geojson <<'END'
{"type": "FeatureCollection", "features": [
 {"type": "Feature", "geometry": {"type": "Polygon",
   "coordinates": [[[0,0],[506.5,0],[506.5,506.5],[0,506.5],[0,0]]]},
  "properties": {"objectType": "annotation", "classification": {"name": "Tumor", "color": [200,0,0]}}},
 {"type": "Feature", "geometry": {"type": "Polygon",
   "coordinates": [[[0,0],[253.2,0],[253.2,253.2],[0,253.2],[0,0]]]},
  "properties": {"objectType": "annotation", "classification": {"name": "Fold", "color": [0,0,200]}}}]}
END

run_regions() { # STATUS SLIDE SETTINGS…
    status_wanted=$1
    slide=$2
    shift 2
    # shellcheck disable=SC2086
    expect "$status_wanted" run "$demo/demo.ini" $numbers_only --slide "$slide" -s batch.output=out --force \
        -s "regions.annotation={dir}/{stem}.geojson" "$@"
}
tiles() { # STEM COUNT
    grep -q "\"tiles\": $2,\|\"tiles\":$2," "out/$1/run.json" ||
        complain "$1: not $2 tiles: $(grep '"tiles"' "out/$1/run.json")"
}

run_regions 0 wide.svs -s regions.source=annotation -s regions.include=tumor
tiles wide 4
run_regions 0 wide.svs -s regions.source=annotation -s regions.include=tumor -s "regions.exclude=fo*"
tiles wide 3
run_regions 0 wide.svs -s regions.source=annotation -s regions.include=Fold
tiles wide 1
run_regions 0 wide.svs -s "regions.source=annotation & tissue" -s regions.min_coverage=0.01
[ "$(sed -n 's/.*"tiles": \([0-9]*\),.*/\1/p' out/wide/run.json)" -le 4 ] ||
    complain "an intersection holds more than its parts"

run_regions 1 wide.svs -s regions.source=annotation -s regions.include=Necrosis
said 'the file has: Tumor, Fold .*wide\.geojson'
run_regions 1 small.svs -s regions.source=annotation
said 'small\.geojson'
[ ! -e out/small/relevance.h5 ] || complain "a slide without its annotations has results"
run_regions 0 small.svs -s regions.source=annotation -s regions.missing=all
tiles small 9
run_regions 0 small.svs -s regions.source=annotation -s regions.missing=skip
tiles small 0
grep -q '"empty"' out/batch.csv || complain "a skipped slide is not said to be empty"

# A slide's own file wins over the pattern.
cp wide.geojson other.geojson
run_regions 0 small.svs -s regions.source=annotation -s "slide:small.svs.annotation=$work/other.geojson" \
    -s regions.include=Tumor
tiles small 4
printf 'no annotations at all' >small.geojson
run_regions 1 small.svs -s regions.source=annotation
said 'small\.geojson'
exit $failed

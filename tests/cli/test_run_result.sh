#!/bin/sh
# test_run_result.sh PROGRAM PROJECT: a slide from end to end: every file that is promised, none that
# is not, all of them readable by other programs. Guards: half a results folder, temporary files left
# behind, a batch.csv without the slide.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

expect 0 run "$demo/demo.ini" -s batch.output="$work/out"
slide=$work/out/wide
said 'wide.svs: complete, 20 tiles \(20 explained\)'
holds "$work/out" batch.csv report.html wide
for file in relevance.h5 relevance.ome.tif overlay.tif regions.png tiles.geojson tiles.csv run.json \
    status.json; do
    [ -s "$slide/$file" ] || complain "no $file"
done
left=$(find "$work/out" \( -name '*.tmp*' -o -name '*.part*' -o -name '.journal*' -o -name '.lock*' \
    -o -name '.writable' -o -name '*~' \) | head -5)
[ -z "$left" ] || complain "left behind: $left"

checked result "$slide/relevance.h5" 2 2 1024 768 8 20
checked sums "$slide/relevance.h5"
checked overlay "$slide/overlay.tif" "$demo/wide.svs"
checked json "$slide/status.json" state=complete tiles=20 done=20 explained=20 gated=0 unreadable=0
checked json "$slide/run.json" program openslide hdf5 model_sha256 slide_hash outcome=complete \
    tiles=20 explained=20 config result_key mpp_x=0.2527 threads compute_seconds
checked json "$slide/tiles.geojson" type=FeatureCollection features
[ "$(wc -l <"$slide/tiles.csv")" -eq 21 ] || complain "tiles.csv has not a header and 20 rows"
[ "$(wc -l <"$work/out/batch.csv")" -eq 2 ] || complain "batch.csv has not a header and a row"
grep -q '^"[^"]*/wide.svs","complete","",20,20,20,0,0,' "$work/out/batch.csv" ||
    complain "batch.csv: $(cat "$work/out/batch.csv")"

# Nothing to look at is a result, too: glass without tissue.
expect 0 run "$demo/demo.ini" --slide "$demo/white.tif" -s regions.source=tissue \
    -s batch.output="$work/glass"
said 'warning: .*white.tif is empty: no tissue was found: see regions\.png'
checked result "$work/glass/white/relevance.h5" 2 2 512 384 8 0
checked json "$work/glass/white/status.json" state=empty tiles=0
checked json "$work/glass/white/run.json" outcome=empty
exit $failed

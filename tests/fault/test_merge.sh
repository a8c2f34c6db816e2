#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_merge.sh PROGRAM PROJECT: shards joined are the undivided run, and what is missing is named.
# Guards: sums in another order, a shard that is forgotten without a word, a slide lost from batch.csv.
# shellcheck disable=SC1091
. "$(dirname "$0")/../cli/lib.sh"
config="$demo/demo.ini -q --slide $demo/large.svs --slide $demo/small.svs -s map.downsample=7"
out=$work/shards

expect 0 run $config -s batch.output="$work/whole"
expect 0 run $config -s batch.output="$out" --shard 1/3 -t 1
checked json "$out/large/run.json" outcome=begun
expect 75 merge "$out"
said 'error: not every slide could be joined'
expect 75 merge "$out" -v
said 'warning: 30 of 42 tiles are missing: shard 2/3 lacks 16 of 16, 3/3 lacks 14 of 14 \(.*/large.svs\): run those shards'
[ -e "$out/large/.journal-1-of-3" ] || complain "merge removed the journal of an unfinished slide"
[ ! -e "$out/large/relevance.h5" ] || complain "a result with tiles missing"
expect 0 run $config -s batch.output="$out" --shard 3/3 -t 2
expect 0 run $config -s batch.output="$out" --shard 2/3
[ ! -e "$out/large/relevance.h5" ] || complain "a shard wrote a result"

# Moved, and joined elsewhere: run.json holds all that is needed.
mv "$out" "$work/moved"
(cd / && "$program" -q merge "$work/moved") || complain "merge of three shards: status $?"
for slide in large small; do
    checked same "$work/whole/$slide/relevance.h5" "$work/moved/$slide/relevance.h5"
    for file in overlay.tif relevance.ome.tif regions.png tiles.csv tiles.geojson; do
        cmp "$work/whole/$slide/$file" "$work/moved/$slide/$file" || complain "$slide/$file differs"
    done
    checked json "$work/moved/$slide/run.json" outcome=complete
    checked json "$work/moved/$slide/status.json" state=complete
    left=$(find "$work/moved" -name '.journal*' -o -name '.lock*')
    [ -z "$left" ] || complain "left behind: $left"
    grep -q "/$slide.svs\",\"complete\"" "$work/moved/batch.csv" || complain "batch.csv: no $slide"
done
expect 0 merge "$work/moved"
said 'large: complete already'

# Shards of other settings are not mixed.
expect 0 run $config -s batch.output="$work/mixed" --shard 1/2
expect 0 run $config -s batch.output="$work/mixed" --shard 2/2 -s lrp.gamma=0.5
expect 1 merge "$work/mixed"
said 'lrp\.gamma = 0\.'

# A slide whose run.json is damaged fails by itself.
for shard in 1/2 2/2; do
    expect 0 run $config -s batch.output="$work/damaged" --shard $shard
done
echo '{}' >"$work/damaged/small/run.json"
expect 1 merge "$work/damaged"
checked same "$work/whole/large/relevance.h5" "$work/damaged/large/relevance.h5"

expect 2 merge "$demo/nowhere"
mkdir "$work/empty"
expect 2 merge "$work/empty"
said 'no folder below it holds a run.json'
exit $failed

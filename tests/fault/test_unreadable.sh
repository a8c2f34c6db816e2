#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_unreadable.sh PROGRAM PROJECT: tiles that could not be read are tried again by whatever goes on
# with the slide, and are left alone once it is complete. Guards: a failed slide that fails forever from
# what its journal remembers, shards that merge into a map without a single tile.
# shellcheck disable=SC1091
. "$(dirname "$0")/../cli/lib.sh"
here=$(dirname "$0")
slide=$work/three.svs
config="$demo/demo.ini $numbers_only --slide $slide -s map.downsample=7"
expect 0 phantom -q --size 4200x1024 --mpp 0.2527 --seed 9 "$work/good.svs"

heal() { cp "$work/good.svs" "$slide"; }
damage() {
    heal
    python3 "$here/damage.py" "$slide" "$1"
}
heal
expect 0 run $config -s batch.output="$work/plain"

damage 0.9
expect 1 run $config -s batch.output="$work/out"
said 'error: [0-9]+ of [0-9]+ tiles cannot be read \(.*three.svs\): .*tried again'
expect 1 run $config -s batch.output="$work/out"
said 'tiles cannot be read'
heal
expect 0 run $config -s batch.output="$work/out"
checked same "$work/plain/three/relevance.h5" "$work/out/three/relevance.h5"
checked json "$work/out/three/run.json" unreadable=0

# Some: the slide is complete without them, and stays so.
damage 0.3
expect 0 run $config -s batch.output="$work/some"
! grep -q '"unreadable": 0,' "$work/some/three/run.json" || complain "nothing was damaged: this test tests nothing"
heal
before=$(stat -c %i "$work/some/three/relevance.h5")
expect 0 run $config -s batch.output="$work/some"
[ "$(stat -c %i "$work/some/three/relevance.h5")" = "$before" ] || complain "a complete slide was computed again"
expect 0 run $config -s batch.output="$work/some" --force
checked same "$work/plain/three/relevance.h5" "$work/some/three/relevance.h5"

# Shards: what most of the slide lacks is a failure of the whole, and a rerun of the shards mends it.
damage 0.9
for shard in 1/2 2/2; do
    "$program" run $config -s batch.output="$work/shards" --shard $shard 2>/dev/null
done
expect 1 merge "$work/shards"
said 'tiles cannot be read'
[ ! -e "$work/shards/three/relevance.h5" ] || complain "a map of nothing"
heal
for shard in 1/2 2/2; do
    expect 0 run $config -s batch.output="$work/shards" --shard $shard
done
expect 0 merge "$work/shards"
checked same "$work/plain/three/relevance.h5" "$work/shards/three/relevance.h5"

# With a gate the tiles that come back join the groups of the second pass.
gate="-s gate.class=tumor -s gate.probability=0.5 -s tiles.overlap=0.5"
expect 0 run $config $gate -s batch.output="$work/gated"
damage 0.9
expect 1 run $config $gate -s batch.output="$work/again"
heal
expect 0 run $config $gate -s batch.output="$work/again"
checked same "$work/gated/three/relevance.h5" "$work/again/three/relevance.h5"
exit $failed

#!/bin/sh
# test_run_bag_bits.sh PROGRAM PROJECT: a slide with one score has the same bits for any number of threads; in
# shards of which `merge` takes to the map what they did not; and in shards that take all their own tiles there,
# run a second time. Guards: sums in the order in which threads finish, a head that sees the tiles of one shard
# alone, tiles that come to the map twice or never, what lies in memory taken for a tile's.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
"$program" -q phantom --size 1000x700 --mpp 0.5 --nests 1 --seed 3 slide.svs
result=slide/relevance.h5

# shard OUTPUT I/3
shard() {
    expect 0 run $run -t 2 -s batch.output="$1" --shard "$2"
}

# pixels NAME CHOICE
pixels() {
    cat >"$1.ini" <<END
[batch]
slides = slide.svs
[model]
path = $project/configs/demo-encoder.onnx
[mil]
head = $project/configs/demo-bag-head.onnx
pixels = $2
baselines = attention, single, drop, gradient-x-input
keep_features = on
[regions]
source = all
[map]
downsample = 7
END
    run="$1.ini $numbers_only -s lrp.target=all"
    for threads in 1 2 5; do
        expect 0 run $run -t $threads -s batch.output="$1-t$threads"
    done
    checked same "$1-t1/$result" "$1-t2/$result"
    checked same "$1-t1/$result" "$1-t5/$result"

    # The last shard finds all features there, and goes on to the map with its own tiles.
    for part in 2/3 1/3 3/3; do
        shard "$1-once" $part
    done
    holds "$1-once/slide" .features-1-of-3 .features-2-of-3 .features-3-of-3 .journal-3-of-3 run.json status.json
    expect 0 merge -q "$1-once"
    checked same "$1-t1/$result" "$1-once/$result"

    for part in 2/3 1/3 3/3 1/3 2/3; do
        shard "$1-twice" $part
    done
    holds "$1-twice/slide" .features-1-of-3 .features-2-of-3 .features-3-of-3 .journal-1-of-3 .journal-2-of-3 \
        .journal-3-of-3 run.json status.json
    expect 0 merge -q "$1-twice"
    checked same "$1-t1/$result" "$1-twice/$result"
    left=$(find "$1-once" "$1-twice" -name '.journal*' -o -name '.features*' -o -name '.lock*' -o -name '.relevance-*')
    [ -z "$left" ] || complain "left behind: $left"
}
pixels none none
pixels some 'top 30%'
pixels all all

# Without the features of a shard there is no score.
shard missing 1/3
shard missing 3/3
expect 75 merge "$work/missing" -v
said 'shard 2/3 lacks'
[ ! -e "missing/$result" ] || complain "a score of some of the tiles"
exit $failed

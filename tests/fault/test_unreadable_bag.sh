#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_unreadable_bag.sh PROGRAM PROJECT: tiles that cannot be read are in no bag, and the score is that of the
# others; once a part of the map was made of a bag, tiles that can be read after all do not change it. Guards:
# zeros scored in place of such a tile, a map of which each shard's part is of another bag.
# shellcheck disable=SC1091
. "$(dirname "$0")/../cli/lib.sh"
here=$(dirname "$0")
/usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null || {
    echo "skipped: python3-numpy and python3-h5py are not installed"
    exit 77
}
cd "$work" || exit 1
expect 0 phantom -q --size 4200x1024 --mpp 0.2527 --seed 9 good.svs
cat >bag.ini <<END
[batch]
slides = three.svs
[model]
path = $project/configs/demo-encoder.onnx
[mil]
head = $project/configs/demo-bag-head.onnx
pixels = top 30%
baselines = attention, single, drop
keep_features = on
[regions]
source = all
[lrp]
target = all
[map]
downsample = 7
END
run="bag.ini $numbers_only"
result=three/relevance.h5

heal() { cp good.svs three.svs; }
damage() {
    heal
    python3 "$here/damage.py" three.svs "$1"
}
heal
expect 0 run $run -s batch.output=plain

damage 0.9
expect 1 run $run -s batch.output=out
said 'error: [0-9]+ of [0-9]+ tiles cannot be read \(.*three.svs\): .*tried again'
[ ! -e "out/$result" ] || complain "a score of less than half of the tiles"
heal
expect 0 run $run -s batch.output=out
checked same "plain/$result" "out/$result"

# Some: the score is that of the others.
damage 0.3
expect 0 run $run -s batch.output=some
/usr/bin/python3 "$here/unreadable_bag.py" "some/$result" others.h5 || complain "tiles without features"
heal
printf '[batch]\nslides = three.svs\n[mil]\nhead = %s\nfeatures = others.h5\nbaselines = attention, single, drop\n[lrp]\ntarget = all\n' \
    "$project/configs/demo-bag-head.onnx" >others.ini
expect 0 run others.ini $numbers_only -s batch.output=others
/usr/bin/python3 "$here/check_scores.py" "some/$result" "others/$result" || complain "another bag than that of the others"
expect 0 run $run -s batch.output=some --force
checked same "plain/$result" "some/$result"

# Features of two shards, made while the slide was damaged, are mended as long as nothing was made of them.
damage 0.9
for shard in 1/3 2/3; do
    "$program" run $run -s batch.output=early --shard $shard 2>/dev/null
done
[ -e early/three/.features-2-of-3 ] || complain "no features of shard 2"
heal
for shard in 1/3 2/3 3/3; do
    expect 0 run $run -s batch.output=early --shard $shard
done
expect 0 merge -q early
checked same "plain/$result" "early/$result"

# Afterwards they stay: all parts of the map are of one bag. (Where a tile goes to pixels, these are the mended.)
damage 0.3
expect 0 run $run -s batch.output=damaged
for shard in 1/3 2/3 3/3; do
    expect 0 run $run -s batch.output=late --shard $shard
done
heal
for shard in 1/3 2/3; do
    expect 0 run $run -s batch.output=late --shard $shard
done
expect 0 merge -q late
/usr/bin/python3 "$here/check_scores.py" "late/$result" "damaged/$result" || complain "another bag"
exit $failed

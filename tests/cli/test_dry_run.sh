#!/bin/sh
# test_dry_run.sh PROGRAM PROJECT: what a dry run says is what a run then does. Guards: tiles counted
# otherwise, a memory bound that is none, disk sizes off by a factor, a slide announced as work although
# it is complete or will be refused, a dry run that leaves files or removes them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

dry() { # STATUS ARGUMENTS…
    wanted=$1
    shift
    expect "$wanted" run "$demo/demo.ini" --dry-run -s batch.output=out "$@"
}
number_of() { # KEY FILE: of run.json
    sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" "$2"
}

dry 0 --slide "$demo/large.svs"
cp stdout before
printed '^  slide    1536 x 1280 pixels, 0\.2527 x 0\.2527 um per pixel, from openslide\.mpp-x$'
printed '^  read     level 0 of [0-9], 0\.2527 um per pixel, reduced 1\.979 times for the network.s 0\.5 um$'
printed '^  regions  all, 100\.0 % of the slide$'
printed '^  tiles    42 of a grid of 7 x 6, 128 pixels a side, 128 apart$'
printed '^  memory   at most [0-9]+ MB: [0-9]+ workers? of '
printed '^  disk     about [0-9.]+ MB while it runs, [0-9.]+ MB of results in /.*/out/large$'
printed '^  time     about [0-9]*:[0-9][0-9] on [0-9]+ threads?, if all tiles are explained$'
holds . stdout stderr before

expect 0 run "$demo/demo.ini" -q -s batch.output=out --slide "$demo/large.svs"
[ "$(number_of tiles out/large/run.json)" = 42 ] || complain "not 42 tiles"
promised=$(sed -n 's/^  memory   at most \([0-9]*\) MB.*/\1/p' before)
peak=$(number_of peak_memory_bytes out/large/run.json)
# an instrumented program takes memory of its own
grep -Eq '__[at]san_init' "$program" || [ "$peak" -le $((promised * 1000000)) ] || complain "$peak bytes of memory, promised: $promised MB"
promised=$(sed -n 's/^  disk .* \([0-9]*\)\(\.[0-9]*\)\{0,1\} MB of results.*/\1/p' before)
size=$(cat out/large/* | wc -c)
[ $((size * 2)) -le $(((promised + 1) * 3000000)) ] || complain "$size bytes of results, promised: $promised MB"

# The smaller levels of a pyramid lie on the disk once more while it is written.
passing() { # MB that are there only while it runs
    awk '/^  disk / { print $3 - $8 }' stdout
}
dry 0 --slide "$demo/large.svs" -s map.downsample=1 -s batch.output=elsewhere
with=$(passing)
dry 0 --slide "$demo/large.svs" -s map.downsample=1 -s batch.output=elsewhere \
    -s outputs.overlay=off -s outputs.ome_tiff=off
awk -v a="$with" -v b="$(passing)" 'BEGIN { exit !(b > 0 && a > b + 1) }' ||
    complain "spools are not counted: $with MB, without pyramids $(passing)"

# What is there already.
dry 0 --slide "$demo/large.svs" --slide "$demo/small.svs"
printed '^  state    complete: no tile is computed'
printed '^2 slides: 9 tiles to compute, '
dry 0 --slide "$demo/large.svs" -s map.downsample=4
printed '^  state    a run refuses it: the results there were made with other settings: map\.downsample'
dry 0 --slide "$demo/large.svs" -s map.downsample=4 --force
[ -f out/large/relevance.h5 ] || complain "a dry run with --force removed the results"

# What is little or nothing.
dry 0 --slide "$demo/white.tif" -s regions.source=tissue
printed 'nothing to explain: the slide will be reported as empty'
dry 0 --slide "$demo/large.svs" --shard 1/3 -s map.downsample=4 --force
printed '^  tiles    42 of .*; [0-9]+ of them in shard 1 of 3$'
dry 0 --slide "$demo/small.svs" -s regions.source=annotation -s 'regions.annotation=none.json' \
    -s regions.missing=skip
printed '^  regions  its annotation file is missing: the slide is skipped$'
dry 0 --slide "$demo/colors.tif" -s model.mpp=0.25
printed '^  read     level 0 of 3, 0\.5 um per pixel, enlarged 2 times: '
dry 1 --slide "$demo/small.svs" --slide nothing.svs
printed '^  tiles    9 of a grid of 3 x 3'
said 'cannot be found.*\(nothing\.svs\)'

# Damage shows in the tiles that are tried.
cp "$demo/large.svs" damaged.svs
for at in $(LC_ALL=C grep -obUaP '\xff\xd8\xff' damaged.svs | cut -d: -f1); do
    dd if=/dev/zero of=damaged.svs bs=1 seek="$at" count=60 conv=notrunc 2>/dev/null
done
dry 0 --slide damaged.svs
printed '^           of 8 tiles tried 8 cannot be read, 0 only from a coarser level$'
exit $failed

#!/bin/sh
# test_run_again.sh PROGRAM PROJECT: what a rerun does, and does not. Guards: hours of computing done
# twice, results of two settings mixed, a changed color that computes everything again.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
config="$demo/demo.ini -q --slide $demo/small.svs --slide $demo/colors.tif -s batch.output=$work/out"
result=$work/out/small/relevance.h5
overlay=$work/out/small/overlay.tif

# identity FILE: another one once the file was written anew.
identity() { stat -c '%i %y' "$1"; }

expect 0 run $config
first=$(identity "$result") drawn=$(identity "$overlay") run=$(identity "$work/out/small/run.json")
expect 0 run $config
[ "$(identity "$result")" = "$first" ] || complain "a complete slide was computed again"
[ "$(identity "$overlay")" = "$drawn" ] || complain "an overlay that was up to date was drawn again"
[ "$(identity "$work/out/small/run.json")" = "$run" ] || complain "run.json was written again"
checked json "$work/out/small/status.json" state=complete tiles=9 done=9 explained=9
! grep -q 'small.svs","complete","",9,9,9,0,0,0\.000' "$work/out/batch.csv" ||
    complain "a rerun forgets how fast the slide was: $(cat "$work/out/batch.csv")"

# Other settings: the slide is refused, whatever is there stays, and others run.
rm -r "$work/out/colors"
expect 1 run $config -s lrp.gamma=0.5
said 'error: .*made with other settings: lrp\.gamma: auto -> 0\.5.*--force'
[ -e "$work/out/colors/relevance.h5" ] || complain "the other slide did not run"
[ "$(identity "$result")" = "$first" ] || complain "a refused slide was touched"
grep -q 'small.svs","failed",".*lrp.gamma' "$work/out/batch.csv" ||
    complain "batch.csv: $(cat "$work/out/batch.csv")"
grep -q 'colors.tif","complete"' "$work/out/batch.csv" || complain "batch.csv: no colors.tif"

# An output key: only what is made from relevance.h5.
rm -r "$work/out/colors"
expect 0 run $config -s outputs.opacity=0.3
[ "$(identity "$result")" = "$first" ] || complain "a changed opacity computed again"
[ "$(identity "$overlay")" != "$drawn" ] || complain "a changed opacity did not draw the overlay"

# Keys of compute decide nothing.
expect 0 run $config -s outputs.opacity=0.3 -s compute.threads=1 -s compute.memory_limit=2G
[ "$(identity "$result")" = "$first" ] || complain "compute.threads computed again"

expect 0 run $config --force -s lrp.gamma=0.5
[ "$(identity "$result")" != "$first" ] || complain "--force did not start over"

# A journal of other settings is refused as well.
expect 0 run $config -s batch.output="$work/j" --shard 1/2
expect 1 run $config -s batch.output="$work/j" --shard 1/2 -s lrp.gamma=0.75
said 'lrp\.gamma'
exit $failed

#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_kill_bag.sh PROGRAM PROJECT: a slide with one score, killed at a write, a sync or a rename, then run
# again: the same bits, and nothing is left. Guards: a score of the tiles that had features when it was killed,
# features made anew after a part of the map was made of others, relevance of features that stays on the disk.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"
need_strace
"$program" -q phantom --size 384x256 --mpp 0.5 --nests 1 --seed 3 "$work/bag.svs" || exit 1
cat >"$work/bag.ini" <<END
[batch]
slides = bag.svs
[model]
path = $project/configs/demo-encoder.onnx
[mil]
head = $project/configs/demo-bag-head.onnx
pixels = top 50%
baselines = attention, drop
keep_features = on
[regions]
source = all
END
run="$work/bag.ini -q -t 1"
expect 0 run $run -s batch.output="$work/plain"
kills=0
sync_step=2 write_step=8
[ "${HISTOLRP_KILLS:-20}" -lt 100 ] || sync_step=1 write_step=1

# each STEP CALLS MORE…: until a run is over before the N-th of them; MORE is strace's choice of files.
each() {
    step=$1 calls=$2
    shift 2
    n=1
    while :; do
        disturbed -e trace="$calls" -e inject="$calls:signal=KILL:when=$n" "$@"
        [ $status -eq 137 ] || break
        completes "a kill at $calls $n" bag
        kills=$((kills + 1))
        n=$((n + step))
    done
    [ $status -eq 0 ] || complain "$calls $n: status $status: $(cat "$work/stderr")"
    [ $n -gt "$least" ] || complain "only $n calls of $calls"
}
# Every write of the two journals: a header and a record per tile each, of six tiles.
least=6
each 1 write,pwrite64 -P "$work/out/bag/.features"
each 1 write,pwrite64 -P "$work/out/bag/.journal"
least=10
each 1 rename
each $sync_step fsync,fdatasync
each $write_step write,pwrite64
echo "$kills kills survived, 0 differences"
exit $failed

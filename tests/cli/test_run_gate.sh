#!/bin/sh
# test_run_gate.sh PROGRAM PROJECT: tiles that pass the gate are explained in groups of their own, and
# have the very numbers that they have where every tile is explained: for any number of threads, in
# shards, and however often the run is killed. Guards: a tile whose numbers depend on its neighbours in
# the micro-batch, tiles put off and forgotten, a second pass that a kill makes group anew.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
config="$demo/demo.ini $numbers_only --slide $demo/large.svs -s map.downsample=7 -s lrp.target=tumor"
expect 0 run $config -s batch.output="$work/all"
limit=$("$checks/show_median" "$work/all/large/relevance.h5") || complain "no median"
config="$config -s gate.class=tumor -s gate.probability=$limit"

for threads in 1 3; do
    expect 0 run $config -t $threads -s batch.output="$work/t$threads"
done
checked targets "$work/t1/large/relevance.h5" gated "$limit"
checked targets "$work/t1/large/relevance.h5" within "$work/all/large/relevance.h5"
checked sums "$work/t1/large/relevance.h5"
checked same "$work/t1/large/relevance.h5" "$work/t3/large/relevance.h5"

for shard in 2/3 1/3 3/3; do
    expect 0 run $config -s batch.output="$work/shards" --shard $shard
done
expect 0 merge -q "$work/shards"
checked same "$work/t1/large/relevance.h5" "$work/shards/large/relevance.h5"

# Killed again and again, whenever its journal has grown by some records: in both passes.
journal=$work/killed/large/.journal
kills=0
status=137
while [ $status -eq 137 ] && [ $kills -lt 100 ]; do
    before=$(stat -c %s "$journal" 2>/dev/null || echo 0)
    "$program" run $config -t 1 -s batch.output="$work/killed" >"$work/stdout" 2>"$work/stderr" </dev/null &
    pid=$!
    until [ "$(stat -c %s "$journal" 2>/dev/null || echo 0)" -gt $((before + 9000)) ]; do
        kill -0 $pid 2>/dev/null || break
    done
    kill -KILL $pid 2>/dev/null
    wait $pid
    status=$?
    kills=$((kills + 1))
done
[ $status -eq 0 ] || complain "after $kills kills: status $status, $(cat "$work/stderr")"
[ $kills -gt 2 ] || complain "the run was over before it could be killed twice"
checked same "$work/t1/large/relevance.h5" "$work/killed/large/relevance.h5"
exit $failed

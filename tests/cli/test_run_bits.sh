#!/bin/sh
# test_run_bits.sh PROGRAM PROJECT: the same bits for any number of threads, after a kill and after a
# polite stop; shards leave journals for a later join. Guards: sums in the order in which threads
# happen to finish, a journal that is not continued but started over, a lock that outlives its holder.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
config="$demo/demo.ini $numbers_only --slide $demo/large.svs -s map.downsample=7"

for threads in 1 2 3; do
    expect 0 run $config -t $threads -s batch.output="$work/t$threads"
done
checked same "$work/t1/large/relevance.h5" "$work/t2/large/relevance.h5"
checked same "$work/t1/large/relevance.h5" "$work/t3/large/relevance.h5"

# stop_midway SIGNAL FOLDER: signals the run as soon as its journal holds a record; $stopped is its
# exit status. A run that was too quick is an error: then this test would test nothing.
stop_midway() {
    "$program" run $config -t 1 -s batch.output="$2" >"$work/stdout" 2>"$work/stderr" </dev/null &
    pid=$!
    until [ "$(stat -c %s "$2/large/.journal" 2>/dev/null || echo 0)" -gt 20000 ]; do
        kill -0 $pid 2>/dev/null || break
    done
    kill "-$1" $pid 2>/dev/null || complain "the run was over before it could be stopped"
    wait $pid
    stopped=$?
}

stop_midway KILL "$work/killed"
[ $stopped -eq 137 ] || complain "killed: status $stopped"
[ ! -e "$work/killed/large/relevance.h5" ] || complain "a result of a run that was killed"
before=$(stat -c %s "$work/killed/large/.journal")
expect 0 run $config -t 2 -s batch.output="$work/killed"
checked same "$work/t1/large/relevance.h5" "$work/killed/large/relevance.h5"
[ "$before" -gt 20000 ] || complain "no record survived the kill"

for signal in TERM INT USR1; do
    stop_midway $signal "$work/$signal"
    [ $stopped -eq 75 ] || complain "$signal: status $stopped, not 75"
    grep -q '^histolrp: error: interrupted: run again to finish$' "$work/stderr" ||
        complain "$signal: $(cat "$work/stderr")"
    grep -q '/large.svs","interrupted"' "$work/$signal/batch.csv" ||
        complain "batch.csv: $(cat "$work/$signal/batch.csv")"
    checked json "$work/$signal/large/status.json" state=interrupted
    [ ! -e "$work/$signal/large/.lock" ] || complain "$signal: still locked"
done
expect 0 run $config -t 2 -s batch.output="$work/TERM"
checked same "$work/t1/large/relevance.h5" "$work/TERM/large/relevance.h5"
[ ! -e "$work/TERM/large/.journal" ] || complain "a complete slide keeps its journal"

for shard in 1/2 2/2; do
    expect 0 run $config -s batch.output="$work/shards" --shard $shard
done
size=$(stat -c %s "$work/shards/large/.journal-1-of-2")
expect 0 run $config -s batch.output="$work/shards" --shard 1/2
[ "$(stat -c %s "$work/shards/large/.journal-1-of-2")" = "$size" ] ||
    complain "tiles that have a record were computed again"
holds "$work/shards/large" .journal-1-of-2 .journal-2-of-2 run.json status.json
exit $failed

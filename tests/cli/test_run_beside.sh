#!/bin/sh
# test_run_beside.sh PROGRAM PROJECT: two runs at once. A slide that another run holds is left to it;
# shards of a slide do not hold each other up. Guards: two runs that write one journal, job arrays of
# shards of which only the first works. The first run is halted while the second one looks.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
config="$demo/demo.ini $numbers_only --slide $demo/large.svs -t 1"

# halt FOLDER ARGUMENTS…: a run that is halted once it holds the slide; its process is $pid.
halt() {
    state=$1/large/status.json
    shift
    "$program" run $config "$@" >"$work/first" 2>&1 </dev/null &
    pid=$!
    until grep -qs '"running"' "$state"; do
        kill -0 $pid 2>/dev/null || break
    done
    kill -STOP $pid || complain "the run was over before it could be halted"
}

# resume: the halted run goes on to its end.
resume() {
    kill -CONT $pid
    wait $pid || {
        complain "the halted run: status $?"
        cat "$work/first"
    }
}

halt "$work/out" -s batch.output="$work/out"
expect 75 run $config -s batch.output="$work/out"
said 'error: .*left to another run: run again when they are done'
grep -q 'large.svs","running elsewhere"' "$work/out/batch.csv" ||
    complain "batch.csv: $(cat "$work/out/batch.csv")"
resume
expect 0 run $config -s batch.output="$work/out"
checked json "$work/out/large/status.json" state=complete

halt "$work/shards" -s batch.output="$work/shards" --shard 1/2
expect 0 run $config -s batch.output="$work/shards" --shard 2/2
resume
holds "$work/shards/large" .journal-1-of-2 .journal-2-of-2 run.json status.json

# Who works on the whole slide has no shard beside, and the other way round.
halt "$work/whole" -s batch.output="$work/whole"
expect 75 run $config -s batch.output="$work/whole" --shard 1/2
said 'left to another run'
resume
halt "$work/part" -s batch.output="$work/part" --shard 1/2
expect 75 run $config -s batch.output="$work/part"
said 'left to another run'
resume

# --force starts a shard over, too.
expect 1 run $config -s batch.output="$work/shards" --shard 1/2 -s lrp.gamma=0.75
said 'lrp\.gamma'
expect 0 run $config -s batch.output="$work/shards" --shard 1/2 -s lrp.gamma=0.75 --force

# Two runs over the same two slides: the second one leaves the first slide to the first run, which has
# finished it by the time the second is through: every slide is complete, and it says so. It said 75.
both="$demo/demo.ini $numbers_only --slide $demo/large.svs --slide $demo/wide.svs -t 1 -s batch.output=$work/two"
halt "$work/two" -s batch.output="$work/two"
"$program" run $both >"$work/second" 2>&1 </dev/null &
second=$!
until grep -qs '"running"' "$work/two/wide/status.json"; do
    kill -0 $second 2>/dev/null || break
done
kill -STOP $second || complain "the second run was over before it could be halted"
resume
kill -CONT $second
wait $second || complain "the second run: status $?, $(cat "$work/second")"
[ "$(grep -c '"complete"' "$work/two/batch.csv")" = 2 ] || complain "batch.csv: $(cat "$work/two/batch.csv")"
exit $failed

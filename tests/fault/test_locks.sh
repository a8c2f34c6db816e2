#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_locks.sh PROGRAM PROJECT: of two runs one works on a slide; the locks of the dead are taken
# over, also those of an earlier start of a requeued job; whoever lost its lock writes no more.
# Guards: two writers in one folder, slides that stay locked after a crash, a suspended job that wakes
# up and writes over the results of its successor.
# shellcheck disable=SC1091
. "$(dirname "$0")/../cli/lib.sh"
config="$demo/demo.ini ${numbers_only#-q } -t 1 -s map.downsample=7"
slide=$demo/large.svs
expect 0 run $config --slide "$slide" -s batch.output="$work/whole"

# begin FOLDER: a run in the background ($pid), seen to have records.
begin() {
    "$program" run $config --slide "$slide" -s batch.output="$1" >"$work/one" 2>&1 </dev/null &
    pid=$!
    until [ "$(stat -c %s "$1/large/.journal" 2>/dev/null || echo 0)" -gt 20000 ]; do
        kill -0 $pid 2>/dev/null || break
    done
}

# The other goes on with what is free.
begin "$work/two"
kill -STOP $pid || complain "the run was over before it could be suspended"
expect 75 run $config --slide "$slide" --slide "$demo/small.svs" -s batch.output="$work/two"
said 'warning: .*/large.svs is left to another run: another run is working here \(host .*process'
checked json "$work/two/small/status.json" state=complete
grep -q 'large.svs","running elsewhere"' "$work/two/batch.csv" || complain "$(cat "$work/two/batch.csv")"
kill -CONT $pid
wait $pid
[ $? -eq 0 ] || complain "the first run: $(cat "$work/one")"
checked same "$work/whole/large/relevance.h5" "$work/two/large/relevance.h5"

# A suspended run whose lock grew old is replaced, and stops when it wakes up: the slide is complete.
begin "$work/old"
kill -STOP $pid
touch -d '1 hour ago' "$work/old/large/.lock"
sed -i 's/^host .*/host elsewhere/' "$work/old/large/.lock"
touch -d '1 hour ago' "$work/old/large/.lock"
# The journal's own lock is the kernel's: on another machine it would be another kernel's.
cp "$work/old/large/.journal" "$work/j" && mv "$work/j" "$work/old/large/.journal"
expect 0 run $config --slide "$slide" -s batch.output="$work/old"
checked same "$work/whole/large/relevance.h5" "$work/old/large/relevance.h5"
find "$work/old/large" ! -name "status*" ! -type d -printf "%f %s %T@\n" >"$work/before"
kill -CONT $pid
wait $pid
[ $? -eq 0 ] || complain "the run that woke up: $(cat "$work/one")"
grep -q 'another has taken its place' "$work/one" || complain "it says: $(cat "$work/one")"
find "$work/old/large" ! -name "status*" ! -type d -printf "%f %s %T@\n" >"$work/after"
cmp "$work/before" "$work/after" || complain "it wrote: $(diff "$work/before" "$work/after")"

# A requeued job: the same job's lock, made on another node by its first start.
mkdir -p "$work/again/large"
lock() { printf 'host node7\nboot b\npid 4711\njob 99.0\nstart 0\ntoken t\n' >"$work/again/large/.lock"; }
lock
SLURM_JOB_ID=98 SLURM_RESTART_COUNT=1 expect 75 run $config --slide "$slide" -s batch.output="$work/again"
SLURM_JOB_ID=99 expect 75 run $config --slide "$slide" -s batch.output="$work/again"
said 'host node7, process 4711, job 99\.0'
SLURM_JOB_ID=99 SLURM_RESTART_COUNT=1 expect 0 run $config --slide "$slide" -s batch.output="$work/again"
checked same "$work/whole/large/relevance.h5" "$work/again/large/relevance.h5"
exit $failed

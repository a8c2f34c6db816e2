#!/bin/bash
# test_slurm.sh PROGRAM PROJECT: a batch of phantom slides through a real Slurm of two nodes: one task
# is preempted and requeued, one loses its node, one meets its time limit, one slide runs in shards with
# a merge behind it. The results are those of a plain run, bit by bit.
# Guards: a signal that does not reach the program, a requeued job that does not take its slide back,
# array tasks that fight over batch.csv.
# shellcheck disable=SC2154
set -u
for tool in slurmctld slurmd munged mungekey sbatch; do
    command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: the daemons want root"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
HISTOLRP=$1
project=$2
export HISTOLRP
demo=${HLRP_DEMO:?} checks=${HLRP_CHECKS:?}
work=$(mktemp -d) || exit 1
chmod 755 "$work"
cluster=$work/cluster
end() {
    "$here/cluster.sh" down "$cluster"
    rm -rf "$work"
}
trap end EXIT
failed=0
complain() { echo "$*"; failed=1; }
pause() { timeout 0.2 tail -f /dev/null; }

# until_so TRIES COMMAND…: polls; a bound that is reached is a failure.
until_so() {
    local left=$1
    shift
    until "$@"; do
        [ $((left -= 1)) -gt 0 ] || { complain "this never came to be: $*"; return 1; }
        pause
    done
    return 0
}
if ! "$here/cluster.sh" up "$cluster" >"$work/up" 2>&1; then
    cat "$work/up"
    echo "skipped: no Slurm can be started here"
    exit 77
fi
export SLURM_CONF=$cluster/slurm.conf
cd "$work" || exit 1

# Some ten seconds of work for the first slide, by overlap; less for the others.
settings=(-q -s tiles.overlap=0.8 -s lrp.target=tumor --slide "$demo/large.svs" --slide "$demo/wide.svs"
    --slide "$demo/small.svs")
"$HISTOLRP" run "$demo/demo.ini" "${settings[@]}" -s batch.output="$work/plain" || complain "the plain run"

small=(--cpus-per-task=1 --mem=0 --requeue)
scripts=$project/scripts/slurm
size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }
has_records() { [ "$(size_of "$work/$1")" -gt 30000 ]; }
is_over() { [ -z "$(squeue -h -j "$1" -t pending,running,completing,suspended -o %A 2>/dev/null)" ]; }
restarts() { scontrol show job "$1" | sed -n 's/.*Restarts=\([0-9]*\).*/\1/p' | sort -n | tail -1; }
begin_now() { # a requeued job waits two minutes otherwise
    scontrol update jobid="$1" starttime=now 2>/dev/null || true
}

# 1. An array, a slide per task; the first task is preempted by an urgent job on both nodes.
array=$(sbatch --parsable "${small[@]}" --time=10 --signal=B:TERM@5 --array=1-3 "$scripts/slide.sbatch" \
    "$demo/demo.ini" "${settings[@]}" -s batch.output="$work/array")
until_so 300 has_records array/large/.journal
urgent=$(sbatch --parsable -p urgent -N2 -n2 --mem=0 -o /dev/null --wrap true)
until_so 300 is_over "$urgent"
requeued() { begin_now "${array}_1"; [ "$(restarts "${array}_1")" -ge 1 ]; }
until_so 300 requeued
finished() { begin_now "${array}_1"; begin_now "${array}_2"; begin_now "${array}_3"; is_over "$array"; }
until_so 600 finished
echo "array: preempted, $(restarts "${array}_1") restarts"

# 2. Shards; the node of one of them dies, with all that runs on it. Then merge.
read -r parts merge < <(SBATCH_OPTIONS="${small[*]} --time=10 --signal=B:TERM@5" "$scripts/submit.sh" 2 \
    "$demo/demo.ini" "$work/shards" "${settings[@]}")
until_so 300 has_records shards/large/.journal-1-of-2
node=$(squeue -h -j "${parts}_1" -o %N)
batch=$(scontrol show job "${parts}_1" | sed -n 's/^ *JobId=\([0-9]*\).*/\1/p' | head -1)
kill -KILL "$(<"$cluster/slurmd-$node.pid")"
for step in $(pgrep -f "^slurmstepd: \[$batch\."); do
    pkill -KILL -P "$step"
    kill -KILL "$step"
done
scontrol update nodename="$node" state=down reason=test
slurmd -N "$node"
scontrol update nodename="$node" state=resume 2>/dev/null || true
sharded() { begin_now "${parts}_1"; begin_now "${parts}_2"; is_over "$parts" && is_over "$merge"; }
until_so 600 sharded
echo "shards: a node died, $(restarts "${parts}_1") restarts"

# 3. A time limit: the signal comes before it, and the job starts again by its exit status.
limited=$(sbatch --parsable "${small[@]}" --time=1 --signal=B:TERM@57 --array=1 "$scripts/slide.sbatch" \
    "$demo/demo.ini" "${settings[@]}" -s tiles.overlap=0.9 -s batch.output="$work/limit")
again() { begin_now "${limited}_1"; [ "$(restarts "${limited}_1")" -ge 1 ]; }
until_so 600 again && echo "limit: $(restarts "${limited}_1") restarts"
grep -q 'interrupted' histolrp-"${limited}"_1.log || complain "no word of an interruption: $(cat histolrp-"${limited}"_1.log)"
scancel "$limited"
[ -s "$work/limit/large/.journal" ] || complain "the interrupted run kept no tiles"

for kind in array shards; do
    for slide in large wide small; do
        "$checks/check_same" "$work/plain/$slide/relevance.h5" "$work/$kind/$slide/relevance.h5" ||
            complain "$kind: $slide differs"
        cmp "$work/plain/$slide/overlay.tif" "$work/$kind/$slide/overlay.tif" || complain "$kind: $slide/overlay.tif"
        grep -q "/$slide.svs\",\"complete\"" "$work/$kind/batch.csv" || complain "$kind/batch.csv: no $slide"
    done
done
[ $failed -eq 0 ] || { scontrol show job | grep -E 'JobId|JobState|Restarts|ExitCode'; head -20 "$work"/histolrp*.log; }
exit $failed

#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_signals.sh PROGRAM PROJECT: asked to stop by SIGINT, SIGTERM, SIGUSR1 while a tile is under way,
# while the map is put together, while outputs are written; with and without a second signal. A thread
# is held at a call (hold.c), so that no clock decides. Guards: a tile under way that is thrown away, a
# run that does not end because a tile does not, a second Ctrl-C that changes nothing, outputs that are
# written to the end however long they take, other bits after the rerun.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"
: "${HLRP_HOLD_LIBRARY:?}"
run=$two
plain
pids=
trap 'for pid in $pids; do kill -KILL $pid 2>/dev/null; done; rm -rf "$work" "$links"' EXIT

# hold WHERE FOLDER: a run of $run into FOLDER/out, begun and held; $pid.
hold() {
    mkdir "$2" && mkfifo "$2/go"
    HLRP_HOLD=$1 HLRP_HOLD_FOLDER=$2 ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0 \
        LD_PRELOAD=$HLRP_HOLD_LIBRARY "$program" run $run -s batch.output="$2/out" \
        >"$2/stdout" 2>"$2/stderr" </dev/null &
    pid=$!
    pids="$pids $pid"
    until [ -e "$2/held" ]; do
        kill -0 $pid 2>/dev/null || break
    done
    [ -e "$2/held" ] || complain "it was over before it came to $1: $(cat "$2/stderr")"
}

# stopped FOLDER PID WORDS: it ended with status 75 and these words; the rerun finishes.
stopped() {
    wait "$2"
    status=$?
    [ $status -eq 75 ] || complain "$1: status $status: $(cat "$1/stderr")"
    [ "$3" = at-once ] || grep -Eq "$3" "$1/stderr" || complain "$1: it says: $(cat "$1/stderr")"
    rm -rf "$work/out"
    cp -r "$1/out" "$work/out"
}
journal() { stat -c %s "$1/out/small/.journal"; }

for signal in INT TERM USR1; do
    # The tile under way is finished, no other is begun, what is kept is said.
    folder=$work/finish-$signal
    hold compute:60 "$folder"
    before=$(journal "$folder")
    kill -$signal $pid
    : >"$folder/go"
    stopped "$folder" $pid 'error: interrupted: run again to finish'
    [ "$(journal "$folder")" -gt "$before" ] || complain "SIG$signal: the tile under way is not kept"
    checked json "$folder/out/small/status.json" state=interrupted tiles=9
    grep -q 'small.svs","interrupted","interrupted after' "$folder/out/batch.csv" ||
        complain "SIG$signal: $(cat "$folder/out/batch.csv")"
    grep -q 'wide.svs","pending"' "$folder/out/batch.csv" || complain "SIG$signal: the second slide was begun"
    completes "SIG$signal" small wide

    # A second one: at once, although the tile is still held; finished tiles are kept.
    folder=$work/twice-$signal
    hold compute:60 "$folder"
    before=$(journal "$folder")
    kill -$signal $pid
    until grep -q '^ShdPnd:.0*$' /proc/$pid/status; do # two that wait are taken for one
        kill -0 $pid 2>/dev/null || break
    done
    kill -$signal $pid
    stopped "$folder" $pid at-once
    [ ! -s "$folder/stderr" ] || complain "SIG$signal twice: not at once: $(cat "$folder/stderr")"
    [ "$(journal "$folder")" -eq "$before" ] || complain "SIG$signal twice: the journal changed"
    completes "SIG$signal twice" small wide
done

# A tile that takes longer than whoever asks will wait: dropped, the others are kept.
for signal in INT TERM USR1; do
    hold compute:60 "$work/late-$signal"
    kill -$signal $pid
    eval "late_$signal=$pid"
done
for signal in INT TERM USR1; do
    eval "pid=\$late_$signal"
    stopped "$work/late-$signal" "$pid" 'error: interrupted: what was under way took too long and was dropped'
    completes "SIG$signal and a tile that takes too long" small wide
done

# While the map is put together, and while outputs are written.
for file in relevance.h5 overlay.tif; do
    folder=$work/at-$file
    hold open:.$file "$folder"
    kill -TERM $pid
    : >"$folder/go"
    stopped "$folder" $pid 'error: interrupted: run again to finish'
    [ ! -e "$folder/out/small/tiles.csv" ] || complain "SIGTERM at $file: outputs were written to the end"
    checked json "$folder/out/small/status.json" state=interrupted done=9
    completes "SIGTERM at $file" small wide
done
exit $failed

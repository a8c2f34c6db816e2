#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_disk.sh PROGRAM PROJECT: a disk that is full or fails, at every kind of call; a slide that
# cannot be read or is gone. Guards: a fault that is not noticed, that has no reason in batch.csv,
# that takes the other slide with it, or that a rerun does not mend.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"
need_strace
run=$two
plain

# fails WHAT PATTERN: one slide failed, with its reason in batch.csv; the other is complete; a rerun
# finishes. A fault that only a status file met may go by.
fails() {
    if [ $status -eq 1 ]; then
        grep -Eq "\"failed\",\".*($2)" "$work/out/batch.csv" ||
            complain "$1: batch.csv: $(cat "$work/out/batch.csv" "$work/stderr")"
        said "^histolrp: error: .*($2)"
        [ "$(grep -c '"complete"' "$work/out/batch.csv")" -ge "${3:-1}" ] ||
            complain "$1: the other slide is not complete"
        faults=$((faults + 1))
    elif [ $status -ne 0 ]; then
        complain "$1: status $status: $(cat "$work/stderr")"
    fi
    completes "$1" small wide
}
faults=0
for n in 4 5 7 11 17 25; do
    disturbed -e trace=fsync,fdatasync -e inject=fsync,fdatasync:error=EIO:when=$n
    fails "EIO at sync $n" 'Input/output error'
done
for n in 5 6 9; do
    disturbed -e trace=rename -e inject=rename:error=EIO:when=$n
    fails "EIO at rename $n" 'Input/output error'
done
for n in 4 10 20 40 70; do
    for call in write pwrite64; do
        disturbed -P "$work/out/small" -e trace=$call -e inject=$call:error=ENOSPC:when=$n
        fails "no space at $call $n" 'No space left' 0
    done
done
for n in 5 60; do
    disturbed -P "$demo/small.svs" -e trace=read,pread64 -e inject=read,pread64:error=EIO:when=$n+
    [ $status -eq 1 ] || complain "EIO at read $n: status $status"
    fails "EIO at read $n" 'OpenSlide'
done
# A read that fails once: of a tile it is read again, and no coarser level steps in; while the slide is
# opened it may fail the slide.
for n in 223 327 343 383 399 447; do
    disturbed -P "$demo/small.svs" -e trace=read,pread64 -e inject=read,pread64:error=EIO:when=$n
    fails "EIO once, at read $n" 'OpenSlide|cannot be (read|opened)'
done
[ $faults -ge 10 ] || complain "only $faults faults were met"

# Nothing is run where the output folder takes no files.
disturbed -e trace=fsync -e inject=fsync:error=EDQUOT:when=1
[ $status -eq 2 ] || complain "an output folder over quota: status $status"
said 'error: the output folder takes no files: .*quota'
[ ! -e "$work/out/small" ] || complain "something was run"

# Without permission: the output folder, one that cannot be made, one slide's own folder.
chmod 755 "$work"
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$program" run $two -s batch.output="$1" \
        >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
}
mkdir -p "$work/closed" "$work/own/small"
chmod 777 "$work/own"
if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --clear-groups "$program" --version >/dev/null 2>&1; then
    as_nobody "$work/closed"
    [ $status -eq 2 ] || complain "an output folder without permission: status $status"
    said 'error: the output folder takes no files: .*Permission denied'
    as_nobody "$work/closed/new"
    [ $status -eq 2 ] || complain "an output folder that cannot be made: status $status"
    said 'error: cannot make the folder: Permission denied'
    as_nobody "$work/own"
    [ $status -eq 1 ] || complain "a slide's folder without permission: status $status"
    grep -q 'small.svs","failed","cannot make the lock: Permission denied' "$work/own/batch.csv" ||
        complain "a slide's folder without permission: $(cat "$work/own/batch.csv")"
    grep -q 'wide.svs","complete"' "$work/own/batch.csv" || complain "the other slide did not run"
fi

# A disk that is small: a slide or two do not fit; with room all is finished.
mkdir -p "$work/disk"
if mount -t tmpfs -o size=300k none "$work/disk" 2>/dev/null; then
    expect 1 run $two -s batch.output="$work/disk/out"
    said 'No space left on device'
    [ ! -e "$work/disk/out/small/relevance.h5" ] ||
        checked same "$work/plain/small/relevance.h5" "$work/disk/out/small/relevance.h5"
    rm -rf "$work/disk/out"
    mount -o remount,size=60k "$work/disk"
    expect 1 run $two -s batch.output="$work/disk/out"
    said 'No space left on device .*/batch\.csv'
    said 'error: 2 of 2 slides failed: mend'
    mount -o remount,size=20m "$work/disk"
    expect 0 run $two -s batch.output="$work/disk/out"
    checked same "$work/plain/wide/relevance.h5" "$work/disk/out/wide/relevance.h5"
    umount "$work/disk"
fi

# A slide that goes away between two looks.
cp "$demo/small.svs" "$demo/wide.svs" "$work"
run="$demo/demo.ini -q -t 1 --slide $work/small.svs --slide $work/wide.svs"
"$program" run $run -s batch.output="$work/out2" >"$work/stdout" 2>"$work/stderr" </dev/null &
pid=$!
until [ -e "$work/out2/small" ]; do
    kill -0 $pid 2>/dev/null || break
done
mv "$work/wide.svs" "$work/away"
wait $pid
status=$?
[ $status -eq 1 ] || complain "a slide that is gone: status $status"
grep -q 'wide.svs","failed"' "$work/out2/batch.csv" || complain "$(cat "$work/out2/batch.csv")"
grep -q 'small.svs","complete"' "$work/out2/batch.csv" || complain "$(cat "$work/out2/batch.csv")"
mv "$work/away" "$work/wide.svs"
expect 0 run $run -s batch.output="$work/out2"
checked same "$work/plain/wide/relevance.h5" "$work/out2/wide/relevance.h5"

# Memory: fewer workers side by side, and the same bits. A limit that nothing fits is a refusal.
expect 0 run $two -t 64 -s compute.memory_limit=200M -s batch.output="$work/lean"
checked same "$work/plain/wide/relevance.h5" "$work/lean/wide/relevance.h5"
threads=$(sed -n 's/.*"threads": \([0-9]*\).*/\1/p' "$work/lean/wide/run.json")
[ "$threads" -lt 64 ] || complain "memory_limit did not keep workers back"
peak=$(sed -n 's/.*"peak_memory_bytes": \([0-9]*\).*/\1/p' "$work/lean/wide/run.json")
[ "$peak" -le 300000000 ] || complain "200M were allowed, $peak bytes were taken"
echo "$faults faults, all mended by a rerun"
exit $failed

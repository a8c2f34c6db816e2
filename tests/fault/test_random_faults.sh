#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_random_faults.sh PROGRAM PROJECT: calls that fail at random, by libfiu, from fixed seeds: any of
# write, read, open, sync, rename, and all of them together. HISTOLRP_FAULTS seeds for each (default 2).
# Guards: a failure that nobody looks at, a wrong file under its final name, a run that ends without a
# word, a rerun that does not come to the same bits.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"
# A preloaded library and a sanitizer's own do not go together.
if ! fiu-run -x -c 'enable name=posix/io/none' "$program" --version >/dev/null 2>&1; then
    echo "skipped: no libfiu, or not with this build"
    exit 77
fi
run=$two
plain
runs=0 met=0

# strike SEED PROBABILITY ERRNO NAMES…: a run under faults, then one without.
strike() {
    what=$* seed=$1 probability=$2 number=$3
    shift 3
    for name in "$@"; do
        set -- "$@" -c "enable_random name=posix/$name,probability=$probability,failinfo=$number"
        shift
    done
    rm -rf "$work/out"
    FIU_PRNG_SEED=$seed fiu-run -x "$@" "$program" run $run -s batch.output="$work/out" \
        >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
    runs=$((runs + 1))
    case $status in
    0) ;;
    1 | 2)
        met=$((met + 1))
        said '^histolrp: error: .+'
        ;;
    *) complain "$what: status $status: $(cat "$work/stderr")" ;;
    esac
    for slide in small wide; do
        result=$work/out/$slide/relevance.h5
        [ ! -e "$result" ] || checked same "$work/plain/$slide/relevance.h5" "$result"
    done
    completes "$what" small wide
}

seed=0
while [ $seed -lt "${HISTOLRP_FAULTS:-2}" ]; do
    seed=$((seed + 1))
    strike $seed 0.02 28 io/rw/write io/rw/pwrite stdio/rw/fwrite
    strike $seed 0.002 5 io/rw/read io/rw/pread stdio/rw/fread
    strike $seed 0.01 24 io/oc/open stdio/oc/fopen
    strike $seed 0.05 5 io/sync/fsync io/sync/fdatasync io/dir/rename
    strike $seed 0.002 5 io/rw/write io/rw/pwrite io/rw/pread io/oc/open io/sync/fsync io/dir/rename
done
echo "$runs runs, $met of them failed, all mended by a rerun"
[ $met -ge 3 ] || complain "hardly a fault was met: this test tests nothing"
exit $failed

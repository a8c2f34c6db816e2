# shellcheck shell=sh disable=SC2154,SC2034
# For test_*.sh of this folder: two small slides, an undisturbed run of them in $work/plain, and what
# every disturbed run has to come to.
. "$(dirname "$0")/../cli/lib.sh"
config="$demo/demo.ini -q -t 1 --slide $demo/small.svs"
two="$config --slide $demo/wide.svs"

need_strace() {
    if ! strace -qq -o /dev/null -e inject=fsync:error=EIO true 2>/dev/null; then
        echo "skipped: strace cannot trace here"
        exit 77
    fi
}

plain() {
    expect 0 run $two -s batch.output="$work/plain"
}

# disturbed STRACE-OPTIONS…: a run of $run into $work/out with faults injected; $status, $work/stderr.
disturbed() {
    rm -rf "$work/out"
    strace -f -qq -o /dev/null "$@" "$program" run $run -s batch.output="$work/out" \
        >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
}

# completes WHAT SLIDES…: a rerun finishes; results are those of the undisturbed run, nothing is left.
completes() {
    what=$1
    shift
    expect 0 run $run -t 2 -s batch.output="$work/out"
    for slide in "$@"; do
        checked same "$work/plain/$slide/relevance.h5" "$work/out/$slide/relevance.h5"
        for file in overlay.tif relevance.ome.tif regions.png tiles.csv tiles.geojson qupath.groovy; do
            cmp -s "$work/plain/$slide/$file" "$work/out/$slide/$file" || complain "$slide/$file differs"
        done
        checked json "$work/out/$slide/run.json" outcome=complete
        grep -q "/$slide.svs\",\"complete\"" "$work/out/batch.csv" || complain "batch.csv: $slide"
    done
    left=$(find "$work/out" -mindepth 2 \( -name '*.tmp' -o -name '.journal*' -o -name '.features*' -o -name '.lock*' \
        -o -name '.relevance-*' \))
    [ -z "$left" ] || complain "left behind: $left"
    [ $failed -eq 0 ] || {
        echo "after: $what"
        exit 1
    }
}

# shellcheck shell=sh disable=SC2034
# For test_*.sh of this folder, which source it: the program, the demo's files (made once by
# make_demo.sh), the checking programs, and a folder to work in.
set -u
program=$1
project=$2
demo=${HLRP_DEMO:?}
checks=${HLRP_CHECKS:?}
work=$(mktemp -d) || exit 1
links=$(mktemp -d) || exit 1
trap 'rm -rf "$work" "$links"' EXIT
# Under names without blanks and brackets, wherever the checkout is: words such as $run are split.
chmod 755 "$links" # some tests run as another user
ln -s "$program" "$links/histolrp" && ln -s "$project" "$links/project" && ln -s "$demo" "$links/demo" || exit 1
program=$links/histolrp project=$links/project demo=$links/demo
if [ -n "${HLRP_HOLD_LIBRARY:-}" ]; then
    ln -s "$HLRP_HOLD_LIBRARY" "$links/hold.so"
    HLRP_HOLD_LIBRARY=$links/hold.so
fi
failed=0

complain() {
    echo "$*"
    failed=1
}

# expect STATUS ARGUMENTS…: the program's exit status; what it says is in $work/stdout and $work/stderr.
expect() {
    wanted=$1
    shift
    "$program" "$@" >"$work/stdout" 2>"$work/stderr" </dev/null
    status=$?
    if [ $status -ne "$wanted" ]; then
        complain "histolrp $*: status $status, not $wanted"
        cat "$work/stdout" "$work/stderr"
    fi
}

# said PATTERN: a line of the last command's standard error.
said() {
    if ! grep -Eq -- "$1" "$work/stderr"; then
        complain "nothing on standard error like: $1"
        cat "$work/stderr"
    fi
}

# printed PATTERN: a line of the last command's standard output.
printed() {
    if ! grep -Eq -- "$1" "$work/stdout"; then
        complain "nothing on standard output like: $1"
        cat "$work/stdout"
    fi
}

# checked NAME ARGUMENTS…: one of the checking programs finds nothing wrong.
checked() {
    tool=check_$1
    shift
    "$checks/$tool" "$@" || complain "$tool $* finds this wrong"
}

# holds FOLDER NAMES…: exactly these files, hidden ones too.
holds() {
    folder=$1
    shift
    have=$(cd "$folder" && find . -mindepth 1 -maxdepth 1 | sed 's,^\./,,' | LC_ALL=C sort | tr '\n' ' ')
    want=$(printf '%s\n' "$@" | LC_ALL=C sort | tr '\n' ' ')
    [ "$have" = "$want" ] || complain "$folder holds: $have; not: $want"
}

# Only relevance.h5, where pictures and tables are not what is tested.
numbers_only="-q -s outputs.overlay=off -s outputs.ome_tiff=off -s outputs.geojson=off \
-s outputs.csv=off -s outputs.qupath=off -s outputs.report=off"

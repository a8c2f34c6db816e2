#!/bin/sh
# One broken input: run_case.sh PROGRAM CASE_FOLDER. The folder holds
#   cmd     shell lines, run in a copy of the folder; they call histolrp by that name. They may use
#           $HLRP_DEMO (the files of make_demo.sh) and $HISTOLRP_TESTDATA: where that is needed and
#           absent, the case is skipped
#   status  the exit status that the last command must have
#   stderr  one extended regular expression per error line, in order: there must be as many lines
#           "histolrp: error: …" as expressions, and each must match its line. Empty: no error
#   stdout  (may be absent) the exact standard output
#   absent  (may be absent) globs, one per line, of files that must not be there afterwards
set -u
program=$1
case=$2

if grep -q HISTOLRP_TESTDATA "$case/cmd" && [ ! -d "${HISTOLRP_TESTDATA:-}" ]; then
    echo "skipped: no test data at '${HISTOLRP_TESTDATA:-}'"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" && cp -R "$case" "$work/case" && ln -s "$program" "$work/bin/histolrp" || exit 1
PATH=$work/bin:$PATH
export PATH
failed=0
complain() {
    echo "$(basename "$case"): $1"
    failed=1
}

(cd "$work/case" && sh ./cmd) >"$work/out" 2>"$work/err"
status=$?
wanted=$(cat "$case/status")
[ "$status" = "$wanted" ] || complain "status $status, not $wanted"

grep '^histolrp: error: ' "$work/err" >"$work/errors"
lines=$(wc -l <"$work/errors")
patterns=$(wc -l <"$case/stderr")
[ "$lines" = "$patterns" ] || complain "$lines error lines, not $patterns"
n=0
while IFS= read -r pattern; do
    n=$((n + 1))
    sed -n "${n}p" "$work/errors" | grep -Eq -- "$pattern" || complain "error $n does not match: $pattern"
done <"$case/stderr"
if grep -v '^histolrp: ' "$work/err"; then
    complain "the lines above are none of the program's"
fi
if [ -f "$case/stdout" ] && ! diff "$case/stdout" "$work/out"; then
    complain "another standard output"
fi
if [ -f "$case/absent" ]; then
    while IFS= read -r glob; do
        for file in "$work"/case/$glob; do
            [ ! -e "$file" ] || complain "left behind: ${file#"$work"/case/}"
        done
    done <"$case/absent"
fi
if [ $failed -ne 0 ]; then
    echo "standard error was:"
    cat "$work/err"
fi
exit $failed

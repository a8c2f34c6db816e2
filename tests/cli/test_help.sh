#!/bin/sh
# test_help.sh PROGRAM PROJECT: help, versions, exit status and the two streams.
set -u
program=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

# expect STATUS out|err PATTERN ARGUMENTS…: the pattern on that stream, nothing on the other.
expect() {
    wanted=$1 stream=$2 pattern=$3
    shift 3
    "$program" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    other=$([ "$stream" = out ] && echo err || echo out)
    if [ $status -ne "$wanted" ] || [ -s "$work/$other" ] ||
        ! grep -Eq -- "$pattern" "$work/$stream"; then
        echo "histolrp $*: status $status (not $wanted?), no \"$pattern\" on $stream, or noise:"
        cat "$work/out" "$work/err"
        failed=1
    fi
}

expect 0 out '^Usage: histolrp COMMAND' help
expect 0 out '^Usage: histolrp COMMAND' --help
expect 0 out '^Usage: histolrp config' help config
expect 0 out '^Usage: histolrp config' config --help
expect 0 out '^Usage: histolrp phantom' phantom -h
expect 0 out '^histolrp [0-9]+\.[0-9]+\.[0-9]+$' --version
expect 0 out '^oneDNN [23]\.[0-9]+\.[0-9]+$' --version
expect 0 out '^CPU features:' --version
expect 2 err '^histolrp: error: no command is given: see `histolrp help`$'
expect 2 err 'unknown command "confg": did you mean config\?' confg
expect 2 err 'unknown command "fantom": did you mean phantom\?' help fantom
expect 2 err 'unknown option --sed \(phantom\): did you mean --seed\?' phantom --sed 1 x
expect 2 err 'unknown option -x' config -x
expect 2 err 'option --pen takes no value' phantom --pen=yes x
expect 2 err 'option --seed needs a value \(N\)' phantom x --seed
expect 2 err '"1.5" is not an integer' phantom x --seed=1.5
expect 2 err 'missing operand: OUT.svs' phantom
expect 2 err 'too many operands, from "b" on' config a b
expect 2 err 'too many operands, from "--help" on' config a -- --help
expect 2 err '5000 threads' config -t5000
expect 2 err 'cannot read the file' config -q /nonexistent.ini
expect 0 out '^downsample = 3$' config -s map.downsample=2 --set=map.downsample=3
expect 0 out '^downsample = 3$' config -qvs map.downsample=3
exit $failed

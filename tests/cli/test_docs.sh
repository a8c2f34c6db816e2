#!/bin/sh
# test_docs.sh PROGRAM PROJECT: what is written down is what the program does. Guards: a README with
# yesterday's keys, a man page without a command or an option, ready configurations that do not load.
set -u
program=$1
project=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

"$program" config >"$work/reference" || failed=1
sed -n '/^<!-- begin: histolrp config -->$/,/^<!-- end: histolrp config -->$/p' \
    "$project/configs/README.md" | sed '1,2d;$d' | sed '$d' >"$work/readme"
if ! diff "$work/readme" "$work/reference"; then
    echo "configs/README.md: replace the list of keys by the output of \`histolrp config\`"
    failed=1
fi

"$program" config "$work/reference" >"$work/read" || failed=1
"$program" config -s map.downsample=8 >"$work/defaults" || failed=1
diff "$work/read" "$work/defaults" || failed=1

for config in "$project"/configs/*.ini; do
    "$program" config "$config" >"$work/effective" || failed=1
    "$program" config "$work/effective" | diff "$work/effective" - || failed=1
done

# In roff a hyphen of an option is written \-.
sed 's/\\-/-/g' "$project/src/cli/histolrp.1" >"$work/man"
"$program" help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' >"$work/commands"
[ -s "$work/commands" ] || failed=1
while read -r command; do
    if ! grep -q "^\.SS $command" "$work/man"; then
        echo "histolrp.1: no section for $command"
        failed=1
    fi
    "$program" help "$command" | grep -o -e '--[a-z-]*' | sort -u >"$work/options"
    # its own section, and those that hold for all
    sed "/^\.SS /,\$d" "$work/man" >"$work/section"
    sed -n "/^\.SS $command\>/,/^\.S[SH] /p" "$work/man" >>"$work/section"
    sed -n '/^\.SH /,$p' "$work/man" | sed '/^\.SS /,/^\.SH /d' >>"$work/section"
    while read -r option; do
        if ! grep -q -e "$option\>" "$work/section"; then
            echo "histolrp.1: no $option ($command)"
            failed=1
        fi
    done <"$work/options"
done <"$work/commands"
exit $failed

#!/bin/sh
# run_exports.sh LIBRARY HEADERS: the library exports the functions that its public headers declare, and
# nothing else. Guards: programs that come to depend on what may change, names that clash with theirs.
set -u
library=$1 headers=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cat "$headers"/*.h | grep -oE '\bhlrp_[a-z_0-9]+\(' | tr -d '(' | LC_ALL=C sort -u >"$folder/declared"
nm -D --defined-only "$library" | awk '{ print $3 }' | LC_ALL=C sort >"$folder/exported"
if [ "$(wc -l <"$folder/declared")" -lt 10 ]; then
    echo "the declarations were not found"
    exit 1
fi
if ! diff "$folder/declared" "$folder/exported"; then
    echo "declared (<) and exported (>) differ: see src/histolrp.map"
    exit 1
fi

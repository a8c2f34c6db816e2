#!/bin/bash
# Submits a sharded run, and a merge that waits for it:
#   submit.sh SHARDS CONFIG.ini OUTPUT [OPTIONS of histolrp run]
# SBATCH_OPTIONS: further options of sbatch for both (account, partition). Prints both job numbers.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -lt 3 ]; then
    echo "usage: submit.sh SHARDS CONFIG.ini OUTPUT [OPTIONS of histolrp run]" >&2
    exit 2
fi
shards=$1 config=$2 output=$3
shift 3
read -ra options <<<"${SBATCH_OPTIONS:-}"
parts=$(sbatch --parsable "${options[@]}" --array="1-$shards" "$here/shard.sbatch" "$config" \
    -s batch.output="$output" "$@")
# afterany: merge names the shards that are missing, and can be submitted again.
merge=$(sbatch --parsable "${options[@]}" --dependency="afterany:${parts%%;*}" \
    "$here/merge.sbatch" "$output")
echo "${parts%%;*} ${merge%%;*}"

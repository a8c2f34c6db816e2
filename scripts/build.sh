#!/bin/bash
# Configures and builds: build.sh PRESET [CMAKE OPTIONS…]; see CMakePresets.json. The folder is
# build/ for release and build-PRESET/ for the others. Says nothing unless it fails.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?preset}
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { cmake --preset "$preset" "$@" && cmake --build --preset "$preset"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi

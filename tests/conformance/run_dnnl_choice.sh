#!/bin/sh
# run_dnnl_choice.sh CMAKE PROJECT: configured beside headers of a version of oneDNN, the project takes the
# file for it, and refuses a version that it has no file for. Only the version's header is there, so that
# nothing else can have told.
set -u
cmake=$1 project=$2
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0

# configured MAJOR MINOR PATCH: exit status; what CMake says is in $folder/said.
configured() {
    rm -rf "$folder/include" "$folder/build"
    mkdir -p "$folder/include/oneapi/dnnl"
    printf '/// Major\n#define DNNL_VERSION_MAJOR %s\n#define DNNL_VERSION_MINOR %s\n\n#define DNNL_VERSION_PATCH %s\n' \
        "$1" "$2" "$3" >"$folder/include/oneapi/dnnl/dnnl_version.h"
    "$cmake" -S "$project" -B "$folder/build" -G Ninja -DHLRP_TESTS=OFF \
        -DDNNL_INCLUDE_DIR="$folder/include" >"$folder/said" 2>&1
}

complain() {
    echo "$*"
    cat "$folder/said"
    failed=1
}

for version in 2.6.3 3.7.2 3.10.0; do
    major=${version%%.*} other=$((5 - ${version%%.*}))
    # shellcheck disable=SC2046 # three words
    configured $(echo $version | tr . ' ') || complain "$version is refused"
    grep -q "oneDNN $version: src/engine/cpu/dnnl$major.c" "$folder/said" || complain "$version is not said"
    grep -q "cpu/dnnl$major\.c" "$folder/build/build.ninja" || complain "$version: dnnl$major.c is not built"
    grep -q "cpu/dnnl$other\.c" "$folder/build/build.ninja" && complain "$version: dnnl$other.c is built"
done
for version in 1.8.0 4.0.0; do
    # shellcheck disable=SC2046
    configured $(echo $version | tr . ' ') && complain "$version is taken"
    grep -q "oneDNN $version in" "$folder/said" || complain "$version is not named"
done
exit $failed

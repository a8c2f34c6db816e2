#!/bin/bash
# Installs what is missing, builds, runs all tests. Last line: "N passed, N failed, N skipped".
#   test.sh [--werror] [--preset NAME] [--no-setup] [--cluster] [--long] [--fresh]
# --cluster also brings up a small Slurm and runs batches through it; --long compares networks of full
# size with float64, which takes some minutes more; --fresh does all this on a Debian 13 that it
# installs for the purpose, which takes an hour more.
# HISTOLRP_TESTDATA names the folder of the large test data; tests that need it are skipped
# where it is absent.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
options=()
setup=1
cluster=0
long=0
fresh=0
while [ $# -gt 0 ]; do
    case $1 in
    --werror) options+=(-DHLRP_WERROR=ON) ;;
    --preset)
        preset=${2:?name of a preset}
        shift
        ;;
    --no-setup) setup=0 ;;
    --cluster) cluster=1 ;;
    --long) long=1 ;;
    --fresh) fresh=1 ;;
    *)
        echo "usage: test.sh [--werror] [--preset NAME] [--no-setup] [--cluster] [--long] [--fresh]" >&2
        exit 2
        ;;
    esac
    shift
done

if [ "$setup" = 1 ]; then
    scripts/setup.sh build test
    [ "$preset" != tsan ] || scripts/setup.sh races
    [ "$cluster" = 0 ] || scripts/setup.sh cluster
    [ "$long" = 0 ] || scripts/setup.sh long
    [ "$fresh" = 0 ] || scripts/setup.sh fresh
fi
echo "Building ($preset)"
scripts/build.sh "$preset" -DHLRP_TESTS=ON "${options[@]}"
if [ "$preset" = release ]; then folder=build; else folder=build-$preset; fi

# The race detector understands OpenMP through this tool only.
if [ "$preset" = tsan ]; then
    for tool in /usr/lib/llvm-*/lib/libarcher.so; do
        [ ! -e "$tool" ] || export OMP_TOOL_LIBRARIES="$tool"
    done
    export TSAN_OPTIONS="ignore_noninstrumented_modules=1 exitcode=66"
fi

left_out=()
[ "$cluster" = 1 ] || left_out+=(slurm)
[ "$long" = 1 ] || left_out+=(long)
[ "$fresh" = 1 ] || left_out+=(fresh)
selection=()
[ ${#left_out[@]} = 0 ] || selection=(-LE "$(IFS='|' && echo "${left_out[*]}")")
status=0
log=$folder/tests.log
ctest --test-dir "$folder" --output-on-failure --timeout 900 -j "$(nproc)" \
    "${selection[@]}" 2>&1 | tee "$log" || status=$?
scripts/count_tests.sh "$folder" "$log"
exit $status

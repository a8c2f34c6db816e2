#!/bin/sh
# Installs into an empty folder and builds a program against what is there.
# run_install.sh CMAKE BUILD_FOLDER PROJECT CC [FLAGS…]
set -eu
cmake=$1 build=$2 project=$3 compiler=$4
shift 4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$cmake" --install "$build" --prefix "$folder/prefix" >/dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$folder/prefix" -name histolrp.pc)")
export PKG_CONFIG_PATH
library=$(dirname "$(find "$folder/prefix" -name 'libhistolrp.so')")
# The prefix in the .pc file is that of configuration; this one is only for the test.
# shellcheck disable=SC2046
"$compiler" "$@" -std=c17 -Wall -Wextra -Werror "$project/tests/conformance/use_library.c" \
    -o "$folder/use" $(pkg-config --define-variable=prefix="$folder/prefix" --cflags --libs histolrp)
export LD_LIBRARY_PATH="$library"
"$folder/prefix/bin/histolrp" phantom "$folder/slide.svs" --size 512 -q
cd "$folder"
printf '[model]\npath = %s/configs/demo-model.onnx\n[tiles]\nsize = 512\n' "$project" > use.ini
# Any picture of the network's size will do: a thumbnail that the program itself draws.
"$folder/prefix/bin/histolrp" run use.ini -q --slide slide.svs -s batch.output=results \
    -s regions.source=all -s outputs.report=off
test -s results/slide/regions.png
"$folder/use" use.ini results/slide/regions.png use.h5
test -s use.h5
test -s use.png
test -s "$folder/prefix/share/man/man1/histolrp.1"
echo "the installed library and program work"

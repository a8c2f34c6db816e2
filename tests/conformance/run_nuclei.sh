#!/bin/sh
# The demo network on a synthetic slide it has never seen: relevance must fall on tumor nuclei.
# run_nuclei.sh HISTOLRP SHUFFLE_WEIGHTS NUCLEI_SHARE MODEL.onnx
set -eu
program=$1 shuffle=$2 share=$3 model=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

"$program" phantom slide.svs --size 4096 --seed 90210 --truth truth.tif -q
"$shuffle" "$model" random.onnx 1
cat > nuclei.ini <<INI
[batch]
slides = slide.svs
output = results
[model]
path = $model
[lrp]
target = tumor
[map]
downsample = 2
[outputs]
overlay = off
ome_tiff = off
geojson = off
csv = off
qupath = off
INI
"$program" run nuclei.ini -q
"$program" run nuclei.ini -q -s model.path=random.onnx -s batch.output=random
"$share" truth.tif slide.svs results/slide/relevance.h5 random/slide/relevance.h5

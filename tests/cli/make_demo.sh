#!/bin/sh
# make_demo.sh PROGRAM PROJECT TOOLS FOLDER: small slides, networks, pictures and a configuration,
# made once for all tests of this folder.
set -eu
program=$1 project=$2 tools=$3 folder=$4
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
"$program" -q phantom --size 1024x768 --mpp 0.2527 --seed 3 wide.svs
"$program" -q phantom --size 640x512 --mpp 0.2527 --seed 5 small.svs
"$program" -q phantom --size 1536x1280 --mpp 0.2527 --seed 1 large.svs
for kind in colors white grey nompp; do
    "$tools/make_slide" $kind $kind.tif
done
for kind in picture speck; do
    "$tools/make_slide" $kind $kind.png
done
for kind in linear biased explosive rounded sigmoid onesoft nan overflow one unsupported gray crowd pooled features open; do
    "$tools/make_network" $kind $kind.onnx
done
"$tools/make_tensor" tensors.h5
cp "$project/configs/demo-model.onnx" demo.onnx
cat >demo.ini <<END
[batch]
slides = wide.svs
output = results
[model]
path = demo.onnx
[regions]
source = all
[lrp]
target = all
END
# Networks of 64 pixels that see every color, at the mpp of the painted slides.
cat >linear.ini <<END
[batch]
slides = colors.tif
output = results
[model]
path = linear.onnx
classes = left, right
mpp = 0.5
[regions]
source = all
[lrp]
target = all
composite = lrp0
start = logit
bias = keep
END

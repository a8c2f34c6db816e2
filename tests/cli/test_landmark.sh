#!/bin/sh
# test_landmark.sh PROGRAM PROJECT: the same µm in slide and overlay, all over a phantom, at scales
# that are no whole number of pixels, too. Guards: overlays that drift to the lower right.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
"$program" -q phantom --size 3001x2503 --mpp 0.2527 --seed 7 "$work/slide.svs"
for mpp in 0.5054 0.7 1.3; do
    expect 0 run -q "$demo/demo.ini" --slide "$work/slide.svs" -s batch.output="$work/$mpp" \
        -s outputs.overlay_mpp=$mpp -s outputs.opacity=0.01 -s outputs.ome_tiff=off \
        -s outputs.report=off -s regions.source=tissue -s regions.min_coverage=0.99
    checked landmark "$work/$mpp/slide/overlay.tif" "$work/slide.svs"
done
exit $failed

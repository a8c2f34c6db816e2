#!/bin/sh
# test_inspect.sh PROGRAM PROJECT: what is said of slides, networks and results. Guards: numbers of
# another file, a worker's memory for one tile where a run takes four at once.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

expect 0 inspect "$demo/wide.svs"
printed '^mpp +0\.2527 x 0\.2527 um per pixel, from openslide\.mpp-x$'
printed '^format +aperio$'
printed '^level 0 +1024 x 768, downsample 1, 0\.2527 um per pixel, stored in tiles 256 wide$'
printed '^bounds +the whole slide$'
printed '^tissue +[0-9.]+ % of the slide, [0-9.e-]+ of 0\.0502 mm2$'
printed '^  0\.25 um  level 0, ENLARGED 1\.011 times; 20 tiles of 224 pixels, [0-9]+ of them tissue$'
printed '^     1 um  level 0, reduced 3\.957 times; 2 tiles of 224 pixels'
printed '^[0-9]+ properties: -v shows them$'
expect 0 inspect -v "$demo/wide.svs"
printed '^aperio\.MPP = 0\.2527$'
expect 0 inspect "$demo/nompp.tif"
printed '^mpp +none, so a run refuses it: the slide does not say'
printed 'here and in run: -s slide:nompp\.tif\.mpp=UM$'
printed '^level 1 +256 x 192, downsample 2, stored in tiles 128 wide$'
expect 0 inspect "$demo/nompp.tif" -s slide:nompp.tif.mpp=0.5,0.4 -s model.mpp=0.5 -s tiles.size=64 -s tiles.overlap=0.5
printed '^mpp +0\.5 x 0\.4 um per pixel, from override$'
printed '^   0\.5 um  level 0, as it is; [0-9]+ tiles of 64 pixels'
[ "$(grep -c ' um  level ' stdout)" = 1 ] || complain "other networks than the one asked about"

expect 0 inspect "$demo/demo.onnx"
printed '^input +1x3x128x128$'
printed '^mpp +0\.5 um per pixel$'
printed '^classes +normal, tumor$'
printed '^memory +[0-9]+ MB per worker, for 4 tiles at once$'
mb=$(sed -n 's/^memory *\([0-9]*\) MB.*/\1/p' stdout)
printed '^ +0  conv +gamma\(0\.5\) +1x16x64x64 +/trunk'
printed '^ +21  gemm +lrp0 +1x2 +/fc/Gemm$'
expect 0 inspect -v "$demo/demo.onnx" -s lrp.composite=epsilon-gamma-box -s rules./fc/Gemm=zplus
printed '^ +0  conv +zbox '
printed '^ +21  gemm +zplus '
printed '^ +64 weights, .* multiply-adds forward'
# As much as a run asks for.
expect 2 run "$demo/demo.ini" -q -s batch.output=out -s compute.memory_limit=$((mb - 1))000000
said 'one worker needs about .* over the limit'
expect 0 run "$demo/demo.ini" --dry-run -s batch.output=out -s compute.memory_limit=$((mb + 1))000000
printed '^  memory .*: 1 worker of '
expect 0 inspect "$demo/linear.onnx"
printed '^mpp +not said: set model\.mpp$'
printed '^classes +class0, class1$'

expect 0 run "$demo/linear.ini" $numbers_only -s batch.output=out
expect 0 inspect out/colors/relevance.h5
printed '^map: 64 × 48 pixels of 8 level-0 pixels'
printed '^tiles: 48, explained 48, gated 0, unreadable 0$'
printed '^/relevance\[left\]: 3072 of 3072 pixels'
rm -r out

exit $failed

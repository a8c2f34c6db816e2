#!/bin/sh
# test_run_linear.sh PROGRAM PROJECT: a network whose relevance is known pixel by pixel, without and
# with overlap: the map is what the slide's pixels must give, overlapping tiles are averaged.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

expect 0 run "$demo/linear.ini" $numbers_only -s batch.output="$work/apart"
checked linear "$work/apart/colors/relevance.h5" "$demo/colors.tif" 64 64 8
expect 0 run "$demo/linear.ini" $numbers_only -s batch.output="$work/half" -s tiles.overlap=0.5
checked linear "$work/half/colors/relevance.h5" "$demo/colors.tif" 64 32 8
expect 0 run "$demo/linear.ini" $numbers_only -s batch.output="$work/fine" -s tiles.overlap=0.75 \
    -s map.downsample=2
checked linear "$work/fine/colors/relevance.h5" "$demo/colors.tif" 64 16 2
exit $failed

#!/bin/sh
# test_run_sums.sh PROGRAM PROJECT: at overlap 0 the map holds what the tiles sent, also where the
# slide's mpp, the model's and the map's pixels do not divide (0.2527, 0.5, 7), in every region.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

for downsample in 1 7 8; do
    expect 0 run "$demo/demo.ini" $numbers_only -s map.downsample=$downsample \
        -s batch.output="$work/all$downsample"
    checked sums "$work/all$downsample/wide/relevance.h5"
    checked result "$work/all$downsample/wide/relevance.h5" 2 2 1024 768 $downsample 20
done
expect 0 run "$demo/demo.ini" $numbers_only --slide "$demo/large.svs" -s regions.source=tissue \
    -s map.downsample=7 -s batch.output="$work/tissue"
checked sums "$work/tissue/large/relevance.h5"
expect 0 run "$demo/demo.ini" $numbers_only -s map.downsample=7 -s lrp.target=predicted \
    -s batch.output="$work/predicted"
checked sums "$work/predicted/wide/relevance.h5"
exit $failed

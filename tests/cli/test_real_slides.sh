#!/bin/sh
# test_real_slides.sh PROGRAM PROJECT: slides as scanners and converters write them, at a coarse
# resolution so that it takes seconds. Guards: JPEG 2000, pyramids without mpp, nearly blank slides,
# files that OpenSlide opens but cannot read.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
slides=${HISTOLRP_TESTDATA:-}/slides
if [ ! -d "$slides" ]; then
    echo "skipped: no slides at $slides (set HISTOLRP_TESTDATA)"
    exit 77
fi
cmu=$slides/cmu1-small-region/CMU-1-Small-Region.svs
luna=$slides/luna-1065626/1065626.svs

# tissue NAME MPP FILE OPTIONS…: a run on the tissue of one slide with a network of MPP.
tissue() {
    name=$1 mpp=$2 file=$3
    shift 3
    expect 0 run "$demo/demo.ini" -s batch.output="$work/out" -s model.mpp=$mpp \
        -s regions.source=tissue -s lrp.target=predicted -s map.downsample=16 --slide "$file" "$@"
    checked sums "$work/out/$name/relevance.h5"
    checked json "$work/out/$name/status.json" state=complete unreadable=0
}
tissue CMU-1-Small-Region 1 "$cmu"
checked result "$work/out/CMU-1-Small-Region/relevance.h5" 2 2 2220 2967 16 \
    "$("$checks/show_tiles" "$work/out/CMU-1-Small-Region/relevance.h5")"
checked overlay "$work/out/CMU-1-Small-Region/overlay.tif" "$cmu"
tissue 1065626 1 "$luna"
for file in "$slides"/slaid/test*.tif "$slides/slaid/patch.tif"; do
    name=$(basename "$file" .tif)
    case $name in test-history-169142) continue ;; esac # nothing in it
    tissue "$name" 0.5 "$file" -s "slide:$name.mpp=0.5"
done

expect 1 run "$demo/demo.ini" -q -s batch.output="$work/bad" \
    --slide "$slides/openslide-python-fixtures/unreadable.svs"
said 'error: .*unreadable\.svs'
[ ! -e "$work/bad/unreadable/relevance.h5" ] || complain "a result of an unreadable slide"
exit $failed

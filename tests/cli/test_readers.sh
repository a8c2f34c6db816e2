#!/bin/sh
# test_readers.sh PROGRAM PROJECT: the pictures of a run, decoded by programs of others: libvips,
# OpenSlide's and libtiff's tools, tifffile, xmllint. The slide's sides are odd at every level.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
/usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null || {
    echo "skipped: python3-numpy and python3-h5py are not installed"
    exit 77
}
"$program" -q phantom --size 2311x1789 --mpp 0.25 --seed 7 slide.svs
expect 0 run -q "$demo/demo.ini" --slide slide.svs -s batch.output=out -s outputs.colormap=bwr -s outputs.opacity=1 \
    -s outputs.class=tumor -s outputs.report=off
[ $failed = 0 ] || exit 1
/usr/bin/python3 "$project/tests/cli/readers.py" slide.svs out/slide

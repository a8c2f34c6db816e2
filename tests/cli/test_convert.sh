#!/bin/sh
# test_convert.sh PROGRAM PROJECT: the commands that refusals name are run as they stand (IN and OUT.tif
# replaced), and what they write is a slide that the program takes. Guards: advice that does not help.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
for tool in vips tiffset; do
    command -v $tool >/dev/null && continue
    echo "skipped: $tool is not installed"
    exit 77
done
cd "$work" || exit 1

# refused FILE WHAT WIDTH HEIGHT: inspect refuses it in one line, and the command in that line mends it.
refused() {
    expect 1 inspect "$1"
    said "$2"
    [ "$(wc -l <stderr)" = 1 ] || complain "$1: not one line: $(cat stderr)"
    sed -n "s/.*: \(convert it\|turn it\): //p" stderr | sed "s/ IN / $1 /; s/OUT\.tif/out.tif/" >command.sh
    grep -q '^vips ' command.sh || complain "$1: no command: $(cat stderr)"
    rm -f out.tif
    sh ./command.sh || complain "$1: this fails: $(cat command.sh)"
    expect 0 inspect out.tif
    printed "^level 0   $3 x $4, "
    ! grep -q 'not used' stdout || complain "$1: levels of what it made are not used: $(cat stdout)"
}
vips tiffload "$demo/colors.tif" plain.v
vips copy plain.v color.v --xres 2000 --yres 2000
vips tiffsave color.v strips.tif
vips colourspace color.v grey.v b-w
vips tiffsave grey.v greystrips.tif
vips extract_area grey.v small.tif[tile,compression=deflate] 0 0 100 200
vips extract_area color.v narrow.v 0 0 100 200
vips bandjoin_const narrow.v alpha.tif[tile,compression=deflate] 255
vips colourspace narrow.v deep.tif[tile,compression=deflate] rgb16
vips cast color.v float.tif[tile,pyramid] float
vips colourspace color.v ink.v cmyk
vips tiffsave ink.v ink.tif
cp "$demo/colors.tif" turned.tif
tiffset -d 0 -s 274 6 turned.tif 2>/dev/null
refused strips.tif 'error: this TIFF is stored in strips, .*strips\.tif' 512 384
refused greystrips.tif 'stored in strips' 512 384
refused ink.tif 'stored in strips' 512 384
refused small.tif 'smaller than its tiles' 100 200
refused alpha.tif 'smaller than its tiles' 100 200
refused deep.tif 'smaller than its tiles' 100 200
refused float.tif 'cannot read its pixels: .*32-bit samples' 512 384
refused turned.tif "orientation is 6, not 1" 384 512
if vips tiffsave color.v j2k.tif --tile --pyramid --compression jp2k 2>/dev/null; then
    refused j2k.tif 'Unsupported TIFF compression: [0-9]* \(JPEG 2000\)' 512 384
else
    echo "libvips writes no JPEG 2000 here: that command is not tried"
fi
exit $failed

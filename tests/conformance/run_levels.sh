#!/bin/sh
# run_levels.sh PYTHON COMPARE_LEVELS LEVEL_PIXELS HISTOLRP SLIDES: compare_levels.py on pyramids that
# libvips writes of a synthetic slide, in every compression, of sizes that OpenSlide reads wrongly, and
# on the test data's slides where they are. That a wrong pixel is noticed is tried first.
set -u
python=$1 compare=$2 pixels=$3 program=$4 slides=$5
if ! command -v vips >/dev/null || ! "$python" -c 'import numpy, tifffile' 2>/dev/null; then
    echo "skipped: vips, python3-numpy or python3-tifffile is not installed"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
mkdir one many

"$program" -q phantom --size 800x600 --mpp 0.5 --seed 3 slide.svs || exit 1
vips tiffload slide.svs slide.v || exit 1
vips tiffsave slide.v one/a.tif --tile --compression none || exit 1
cat >wrong <<END
#!/bin/sh
"$pixels" "\$@" || exit 1
[ \$# -eq 1 ] || printf X | dd of="\$3" bs=1 seek=200000 conv=notrunc 2>/dev/null
END
chmod +x wrong
"$python" "$compare" ./wrong one >said && failed=1
grep -q 'a\.tif: level 0 (800 x 600) DIFFERS (by up to [0-9]* on 1 of 480000 pixels)' said || failed=1
[ $failed -eq 0 ] || { echo "a wrong pixel goes unnoticed:"; cat said; }

for size in 700x500 100x300 300x100 90x70 128x128 129x127; do
    vips extract_area slide.v part.v 80 60 "${size%x*}" "${size#*x}" || exit 1
    for codec in none deflate lzw jpeg webp zstd packbits; do
        vips tiffsave part.v many/$size-$codec.tif --tile --pyramid --compression $codec 2>/dev/null ||
            rm -f many/$size-$codec.tif # what this libtiff does not write
    done
done
vips tiffsave slide.v many/wide.tif --tile --pyramid --tile-width 256 --tile-height 256 || exit 1
for folder in many "$slides"; do
    [ -d "$folder" ] || { echo "no $folder: only what libvips wrote is compared"; continue; }
    "$python" "$compare" "$pixels" "$folder" || failed=1
done
exit $failed

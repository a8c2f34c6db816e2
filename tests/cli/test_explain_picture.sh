#!/bin/sh
# test_explain_picture.sh PROGRAM PROJECT: a picture is explained at the network's scale or refused, and
# what explain wrote can be inspected. Guards: a picture of 0.25 µm per pixel explained as one of 0.5, a
# screen's 72 dpi taken for a slide's resolution, the picture itself overwritten by its heatmap.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
explain="explain -q $demo/demo.ini"

# Pixel x is x in all colors: 256 × 256, and 128 × 128 of 2x.
/usr/bin/python3 - <<'END'
import struct, zlib
import numpy as np
import tifffile

def png(name, rgb, per_meter=0):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
    height, width = rgb.shape[:2]
    rows = b''.join(b'\0' + row.tobytes() for row in rgb)
    physical = chunk(b'pHYs', struct.pack('>IIB', per_meter, per_meter, 1)) if per_meter else b''
    with open(name, 'wb') as f:
        f.write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
                + physical + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))

ramp = np.repeat(np.tile(np.arange(256, dtype=np.uint8), (256, 1))[..., None], 3, 2)
png('plain.png', ramp)
png('quarter.png', ramp, 4000000)
tifffile.imwrite('quarter.tif', ramp, photometric='rgb', resolution=(40000, 40000),
                 resolutionunit='CENTIMETER')
png('nearly.png', np.ascontiguousarray(ramp[:255, :255]), 3984375)
png('own.png', np.ascontiguousarray(ramp[:128, :128]), 2000000)
png('screen.png', np.ascontiguousarray(ramp[:128, :128]), 2835)
png('none.png', np.ascontiguousarray(ramp[:128, :128]))
png('small.png', np.ascontiguousarray(ramp[:128, :128]), 4000000)
END

# The density of a JPEG is in its JFIF segment, which vips leaves out: 40000 per cm.
pictures='quarter.png quarter.tif nearly.png'
if vips jpegsave plain.png plain.jpg --Q 100 --no-subsample --strip 2>/dev/null; then
    /usr/bin/python3 - <<'END'
import struct
data = open('plain.jpg', 'rb').read()
jfif = struct.pack('>2sH5sBBBHHBB', b'\xff\xe0', 16, b'JFIF\0', 1, 1, 2, 40000, 40000, 0, 0)
open('quarter.jpg', 'wb').write(data[:2] + jfif + data[2:])
END
    pictures="$pictures quarter.jpg"
fi

# holds_ramp FILE.h5: pixel i of the input covers pixels 2i and 2i + 1 of the ramp.
holds_ramp() {
    /usr/bin/python3 - "$1" <<'END' || failed=1
import h5py, numpy as np, sys
x = h5py.File(sys.argv[1])['input'][:]
assert x.shape == (1, 3, 128, 128), x.shape
shown = (x * 0.25 + 1) * 255  # the network's mean and standard deviation are 1 and 0.25
off = np.abs(shown - (2 * np.arange(128) + 0.5))[..., 2:-2].max()
assert off <= 1.1, off  # a JPEG is a level off
END
}
for picture in $pictures; do
    expect 0 $explain $picture -o scaled.h5
    holds_ramp scaled.h5
done
expect 0 $explain plain.png -o scaled.h5 --mpp 0.25
holds_ramp scaled.h5
expect 0 $explain quarter.png -o wins.h5 --mpp 0.25 # what is said wins over the file
checked same scaled.h5 wins.h5

# At the network's own scale, at a screen's and at none a picture is taken pixel by pixel.
for picture in own screen none; do
    expect 0 $explain $picture.png -o $picture.h5
done
checked same own.h5 none.h5
checked same screen.h5 none.h5

# At any other size it is refused, and nothing is left.
expect 1 $explain plain.png -o refused.h5
said '256 × 256 pixels, the network takes 128 × 128 .*--mpp'
expect 1 $explain small.png -o refused.h5
said '64 × 64 pixels at the network.s resolution, the network takes 128 × 128 .*256 × 256 such pixels'
expect 2 $explain plain.png -o refused.h5 --mpp 72
said '72 µm per pixel is no slide.s resolution'
expect 2 explain -q "$demo/linear.ini" -s model.mpp=auto none.png -o refused.h5 --mpp 0.25
said 'model\.mpp'
[ ! -e refused.h5 ] && [ ! -e refused.png ] || complain "a refused picture left files"

# A network that takes any size takes the tensor's, and a picture's at its own scale.
expect 0 explain -q "$demo/linear.ini" -s model.path="$demo/open.onnx" "$demo/tensors.h5:/three" --target left -o open.h5
expect 0 explain -q "$demo/linear.ini" "$demo/tensors.h5:/three" --target left -o fixed.h5
checked same open.h5 fixed.h5
expect 0 explain -q "$demo/linear.ini" -s model.path="$demo/open.onnx" quarter.png -o any.h5
/usr/bin/python3 -c "
import h5py, sys
sys.exit(h5py.File('any.h5')['input'].shape != (1, 3, 128, 128))" || complain "a picture of 0.25 µm is not halved"

# The heatmap spares the picture; what was written can be looked at.
cp none.png tile.png
expect 0 explain "$demo/demo.ini" tile.png -o tile.h5 --target tumor
said 'sample 0: predicted [a-z]* \(probability [0-9.]+\), explained tumor: start \(log-odds\) '
cmp -s tile.png none.png || complain "the picture was overwritten"
[ -s tile-heatmap.png ] || complain "no heatmap"
expect 0 inspect tile.h5
printed '^tile.h5: 1 of 3 × 128 × 128 explained by histolrp$'
printed '^classes: normal, tumor$'
printed '^sample 0: explained tumor; logits .*; start [-0-9.]+, sum of the map [-0-9.]+: they agree in sign'
expect 0 explain -q "$demo/demo.ini" "$demo/tensors.h5:/three" --target tumor --layers -o three.h5
expect 0 inspect three.h5
[ "$(grep -c '^sample [012]: explained tumor' stdout)" = 3 ] || complain "not a line for each sample"
printed '^layers: 22$'

# `| head` reads what it wants: no error.
"$program" config 2>closed.txt | head -1 >first.txt
[ ! -s closed.txt ] || complain "a closed pipe is an error: $(cat closed.txt)"
exit $failed

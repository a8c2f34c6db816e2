"""damage.py SLIDE SHARE: makes that share of the tiles of every level but the coarsest unreadable, the
first ones; the slide's identity, which comes from its coarsest level, stays. Plain TIFF only."""
import struct
import sys

path, share = sys.argv[1], float(sys.argv[2])
data = bytearray(open(path, "rb").read())
assert data[:4] == b"II*\0"
SIZES = {3: ("H", 2), 4: ("I", 4)}


def values(entry):
    tag, kind, count = struct.unpack_from("<HHI", data, entry)
    if kind not in SIZES:
        return tag, []
    letter, size = SIZES[kind]
    at = entry + 8 if count * size <= 4 else struct.unpack_from("<I", data, entry + 8)[0]
    return tag, struct.unpack_from("<%d%s" % (count, letter), data, at)


levels = []
(ifd,) = struct.unpack_from("<I", data, 4)
while ifd:
    (count,) = struct.unpack_from("<H", data, ifd)
    tags = dict(values(ifd + 2 + 12 * i) for i in range(count))
    if 324 in tags:
        levels.append((tags[256][0], tags[324]))
    (ifd,) = struct.unpack_from("<I", data, ifd + 2 + 12 * count)
for _, offsets in sorted(levels)[1:]:
    for at in offsets[: int(len(offsets) * share + 0.999)]:
        data[at : at + 200] = bytes(200)
open(path, "wb").write(data)

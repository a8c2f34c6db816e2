#!/usr/bin/python3
"""Writes pil_reference.h: what PIL makes of noise at the ratios that slides bring (python3-pil)."""

from PIL import Image

# name, size of the source, box (x0, y0, x1, y1), size of the result
CASES = [
    ("halved", (16, 12), (0, 0, 16, 12), (8, 6)),
    ("r_1_9786", (18, 18), (0.3, 0.6, 0.3 + 8 * 1.9786, 0.6 + 8 * 1.9786), (8, 8)),
    ("r_of_mpp", (16, 16), (0.25, 0.125, 0.25 + 7 * 0.5 / 0.2527, 0.125 + 7 * 0.5 / 0.2527), (7, 7)),
    ("enlarged", (8, 8), (0.7, 0.1, 0.7 + 8 * 0.8, 0.1 + 8 * 0.8), (8, 8)),
    ("half_pixel", (9, 9), (0.5, 0.5, 8.5, 8.5), (8, 8)),
    ("coarse", (45, 44), (0.4, 0.2, 0.4 + 6 * 7.3, 0.2 + 6 * 7.3), (6, 6)),
    ("axes_apart", (16, 13), (0, 0.5, 16, 12.5), (8, 8)),
    ("same", (6, 5), (0, 0, 6, 5), (6, 5)),
]


def noise(size):
    width, height = size
    values = bytearray()
    for y in range(height):
        for x in range(width):
            for c in range(3):
                h = (x * 73856093) ^ (y * 19349663) ^ (c * 83492791)
                values.append(((h * 2654435761) & 0xFFFFFFFF) >> 24)
    return Image.frombytes("RGB", size, bytes(values))


def main():
    out = ["/* Made by make_pil_reference.py; PIL " + Image.__version__ + ". */", "#include <stdint.h>", ""]
    rows = []
    for name, size, box, result in CASES:
        data = noise(size).resize(result, Image.BILINEAR, box=box).tobytes()
        out.append(f"static const uint8_t pil_{name}[] = {{")
        for i in range(0, len(data), 24):
            out.append("    " + ", ".join(str(v) for v in data[i : i + 24]) + ",")
        out += ["};", ""]
        x0, y0, x1, y1 = box
        rows.append(
            f'    {{"{name}", {{{size[0]}, {size[1]}}}, {{{x0!r}, {y0!r}, {x1 - x0!r}, {y1 - y0!r}}}, '
            f"{{{result[0]}, {result[1]}}}, pil_{name}}},"
        )
    out += ["static const struct {", "    const char *name;", "    hlrp_size in;", "    hlrp_rect box;"]
    out += ["    hlrp_size out;", "    const uint8_t *expected;", "} pil_cases[] = {"] + rows + ["};"]
    print("\n".join(out))


main()

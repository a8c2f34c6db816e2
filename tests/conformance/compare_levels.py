"""compare_levels.py LEVEL_PIXELS FOLDER: whether the pixels of TIFF slides are the file's own.

For each TIFF below FOLDER and each of its levels: what the program reads (by the test program
level_pixels) beside what libvips reads of the page, by libtiff and without OpenSlide. Lossless
pages have to be equal, JPEG and JPEG 2000 within 2 grey levels (transparency over white within 1). A line per file that says what came
out for each level:

    same        equal, or within the tolerance
    beside      of a level that OpenSlide interpolates, up to half a level-0 pixel beside its own
                pixels (hlrp_slide_shift accounts for it): the same but for that, on average within
                the tolerance
    DIFFERS     by how much, and on how many pixels: what the program reads is wrong
    unused      the program passes the level over
    unreadable  neither the program nor libvips can read it
    unknown     libvips has no page for it, or cannot read it, or shows its inks in other colors

Files that the program refuses are listed with its words. The last lines count files and levels.
Exit status: 1 where a level that is used differs, or cannot be read; 77 where something that this
needs is not installed."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

try:
    import numpy
    import tifffile
except ImportError as error:
    print(f'skipped: {error}')
    sys.exit(77)

LOSSY = {7, 33003, 33004, 33005, 34712, 50001}  # JPEG, four of JPEG 2000, WebP
TOLERANCE = 2
KINDS = ('same', 'beside', 'DIFFERS', 'unused', 'unreadable', 'unknown')


def call(*words):
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding='utf-8', errors='replace', check=False)


def read_ppm(path):
    """PPM or PGM of 8 or 16 bits as [height, width, 3] of 8 (of 16 the upper ones)."""
    with open(path, 'rb') as file:
        data = file.read()
    head = re.match(rb'P([56])\s+(?:#[^\n]*\s+)*(\d+)\s+(\d+)\s+(255|65535)\s', data)
    if not head:
        return None
    width, height, bands = int(head[2]), int(head[3]), 3 if head[1] == b'6' else 1
    deep = head[4] == b'65535'
    values = numpy.frombuffer(data, '>u2' if deep else 'u1', width * height * bands, head.end())
    values = (values >> 8 if deep else values).astype(int).reshape(height, width, bands)
    return numpy.broadcast_to(values, (height, width, 3))


class Page:
    """A tiled page of the main chain."""

    def __init__(self, number, page):
        self.number, self.size = number, (page.imagewidth, page.imagelength)
        self.transparent = page.samplesperpixel == 4 and page.photometric == 2
        self.inks = page.photometric == 5
        self.tolerance = TOLERANCE if page.compression in LOSSY else 1 if self.transparent else 0


def pages_of(path):
    """None: no TIFF."""
    try:
        with tifffile.TiffFile(path) as tiff:
            return [Page(i, page) for i, page in enumerate(tiff.pages) if page.is_tiled]
    except (tifffile.TiffFileError, OSError, ValueError, KeyError, IndexError, AttributeError):
        return None


class Comparison:
    def __init__(self, level_pixels, folder):
        self.program, self.scratch = level_pixels, folder
        self.counts = dict.fromkeys(KINDS, 0)

    def page(self, path, page):
        """The page's pixels by libvips, transparency over white; None where it cannot give them."""
        raw, out = os.path.join(self.scratch, 'page.v'), os.path.join(self.scratch, 'page.ppm')
        done = call('vips', 'tiffload', path, raw if page.transparent else out, '--page', str(page.number))
        if done.returncode == 0 and page.transparent:
            done = call('vips', 'flatten', raw, out, '--background', '255 255 255')
        return read_ppm(out) if done.returncode == 0 else None

    def level(self, path, number, size, shifted, pages):
        """What is to be said of a level that is used."""
        out = os.path.join(self.scratch, 'level.ppm')
        done = call(self.program, path, number, out)
        page = next((p for p in pages if p.size == size), None)
        theirs = self.page(path, page) if page and not page.inks else None
        if done.returncode != 0:
            return 'unreadable' if theirs is None else 'DIFFERS', done.stderr.strip()
        if theirs is None:
            return 'unknown', 'no such page' if page is None else 'not by libvips'
        apart = numpy.abs(read_ppm(out) - theirs).max(axis=2)
        wrong = int((apart > page.tolerance).sum())
        if not wrong:
            return 'same', f'within {apart.max()}' if apart.max() > 0 else ''
        if shifted and apart.mean() <= TOLERANCE:
            return 'beside', f'{apart.mean():.2g} on average'
        return 'DIFFERS', f'by up to {apart.max()} on {wrong} of {apart.size} pixels'

    def file(self, path, name):
        pages = pages_of(path)
        if pages is None:
            return
        done = call(self.program, path)
        if done.returncode != 0:
            print(f'{name}: refused: {done.stderr.strip()}')
            return
        said = []
        for line in done.stdout.splitlines():
            number, width, height, use = line.split()
            kind, words = 'unused', ''
            if use != 'unused':
                kind, words = self.level(path, number, (int(width), int(height)), use == 'shifted', pages)
            self.counts[kind] += 1
            said.append(f'level {number} ({width} x {height}) {kind}' + (f' ({words})' if words else ''))
        print(f"{name}: {'; '.join(said)}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if not shutil.which('vips'):
        print('skipped: vips is not installed')
        return 77
    if not os.path.isdir(sys.argv[2]):
        print(f'skipped: no folder {sys.argv[2]} (set HISTOLRP_TESTDATA)')
        return 77
    with tempfile.TemporaryDirectory() as scratch:
        comparison = Comparison(sys.argv[1], scratch)
        for folder, folders, names in os.walk(sys.argv[2]):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(folder, name)
                comparison.file(path, os.path.relpath(path, sys.argv[2]))
    print('levels: ' + ', '.join(f'{comparison.counts[kind]} {kind}' for kind in KINDS))
    return 1 if comparison.counts['DIFFERS'] else 0


if __name__ == '__main__':
    sys.exit(main())

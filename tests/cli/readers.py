"""readers.py SLIDE RESULTS: overlay.tif and relevance.ome.tif of a slide, decoded by other programs and
compared with what relevance.h5 and the slide say they must hold.  Last line: N passed, N failed, N
skipped; a tool that is not installed is a skip.  Guards: files that only the library which wrote them
can read; levels, channels, values or colors that are another's."""
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

try:
    import tifffile
except ImportError:
    tifffile = None

slide, results = sys.argv[1:]
overlay = os.path.join(results, 'overlay.tif')
ome = os.path.join(results, 'relevance.ome.tif')
work = tempfile.mkdtemp()


# Mean difference of 255 that compression and reduction may make, everywhere and under the heat; a shift
# by a pixel makes 10 and 19.
JPEG_LOSS, HEAT_LOSS = 4.5, 10


class Skip(Exception):
    pass


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(tool + ' is not installed')


def run(*command):
    """Standard output of a command that must succeed without a word on standard error."""
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, f'{command} says: {done.stderr}'
    return done.stdout


def vips_pixels(name, bands, dtype=np.uint8, options=''):
    raw = os.path.join(work, 'pixels.raw')
    size = [int(run('vipsheader', '-f', f, name + options)) for f in ('width', 'height', 'bands')]
    assert size[2] == bands, size
    run('vips', 'rawsave', name + options, raw)
    return np.fromfile(raw, dtype).reshape(size[1], size[0], bands)


def openslide_pixels(name, level, width, height):
    png = os.path.join(work, 'pixels.png')
    run('openslide-write-png', name, '0', '0', str(level), str(width), str(height), png)
    return vips_pixels(png, 4)[:, :, :3]


def properties(name):
    lines = run('openslide-show-properties', name).split('\n')
    return dict(line.split(': ', 1) for line in lines if ': ' in line and not line.startswith(' '))


def levels_of(name):
    p = properties(name)
    count = int(p['openslide.level-count'].strip("'"))
    return [tuple(int(p[f'openslide.level[{i}].{side}'].strip("'")) for side in ('width', 'height'))
            for i in range(count)]


with h5py.File(os.path.join(results, 'relevance.h5'), 'r') as file:
    relevance, probability = file['relevance'][:], file['probability'][:]
    classes = [c.decode() if isinstance(c, bytes) else c for c in file['relevance'].attrs['classes']]
    slide_size = int(file['slide'].attrs['width']), int(file['slide'].attrs['height'])
    mpp, downsample = file['relevance'].attrs['mpp'], int(file['relevance'].attrs['downsample'])
channels = np.concatenate([relevance, probability])
shown = relevance[classes.index('tumor')].astype(float)


def halved(size):
    return -(-size[0] // 2), -(-size[1] // 2)


def ladder(size, least=256):
    sizes = [size]
    while max(sizes[-1]) > least:
        sizes.append(halved(sizes[-1]))
    return sizes


# ---- what the overlay must look like, by another route ----

def calm(values):
    """Each value the mean of the finite ones around it under a Gaussian of one pixel, cut at three."""
    known = np.isfinite(values)
    weights = np.exp(-0.5 * np.arange(-3, 4) ** 2)

    def blur(a):
        for axis in (0, 1):
            a = np.apply_along_axis(lambda line: np.convolve(line, weights, 'same'), axis, a)
        return a
    with np.errstate(invalid='ignore'):
        return np.where(known, blur(np.where(known, values, 0)) / blur(known.astype(float)), np.nan)


def expected_overlay():
    """4 x 4 slide pixels a pixel: their mean under blue-white-red, half a map pixel each."""
    values = calm(shown)
    limit = np.percentile(np.abs(values[np.isfinite(values)]), 99.5)
    width, height = -(-slide_size[0] // 4), -(-slide_size[1] // 4)
    t = np.nan_to_num(values / limit).clip(-1, 1).repeat(2, 0).repeat(2, 1)[:height, :width, None]
    alpha = ((np.abs(t) - 0.02) / 0.38).clip(0, 1)
    color = 255 * np.concatenate([1 + np.minimum(t, 0), 1 - np.abs(t), 1 - np.maximum(t, 0)], 2)
    pixels = openslide_pixels(slide, 0, *slide_size).astype(float)
    pad = height * 4 - slide_size[1], width * 4 - slide_size[0]
    pixels = np.pad(pixels, ((0, pad[0]), (0, pad[1]), (0, 0)), constant_values=np.nan)
    base = np.nanmean(pixels.reshape(height, 4, width, 4, 3), (1, 3))
    return limit, base * (1 - alpha) + alpha * color, alpha[:, :, 0] > 0.5


def assert_close(have, want, most):
    assert have.shape == want.shape, f'{have.shape} is not {want.shape}'
    worst = np.abs(have.astype(float) - want).mean((0, 1)).max()
    assert worst < most, f'{worst:.2f} of 255 off on average'


# ---- the readers ----

def overlay_by_openslide():
    need('openslide-show-properties', 'openslide-write-png', 'vips')
    p = properties(overlay)
    sizes = levels_of(overlay)
    assert sizes == ladder((-(-slide_size[0] // 4), -(-slide_size[1] // 4))), sizes
    assert p['openslide.vendor'] == "'generic-tiff'" and p['tiff.ResolutionUnit'] == "'centimeter'"
    assert abs(float(p['tiff.XResolution'].strip("'")) - 1e4 / (4 * mpp[0])) < 0.01
    limit, want, hot = expected_overlay()
    text = run('openslide-show-properties', overlay)
    said = [line for line in text.split('\n') if line.startswith('limit: ')][0]
    assert abs(float(said.split()[1]) / limit - 1) < 1e-4, (said, limit)
    heat = np.abs(openslide_pixels(overlay, 0, *sizes[0]) - want)[hot].mean()
    assert heat < HEAT_LOSS, f'the heat is {heat:.2f} of 255 off on average'
    for level, size in enumerate(sizes):
        assert_close(openslide_pixels(overlay, level, *size), want, JPEG_LOSS)
        pad = [(0, n % 2) for n in want.shape[:2]] + [(0, 0)]
        want = np.pad(want, pad, 'edge')
        want = want.reshape(want.shape[0] // 2, 2, want.shape[1] // 2, 2, 3).mean((1, 3))


def overlay_by_vips():
    need('vips', 'vipsheader', 'openslide-write-png')
    sizes = levels_of(overlay)
    assert int(run('vipsheader', '-f', 'n-pages', overlay)) == len(sizes)
    assert abs(float(run('vipsheader', '-f', 'xres', overlay)) - 1e3 / (4 * mpp[0])) < 0.01
    for level, size in enumerate(sizes):
        pixels = vips_pixels(overlay, 3, options=f'[page={level}]')
        assert (pixels.shape[1], pixels.shape[0]) == size
        # openslide-write-png reads in stripes, and rounds where they begin unless this is whole.
        whole = all(2 ** level * n == m for n, m in zip(size, sizes[0]))
        assert_close(pixels, openslide_pixels(overlay, level, *size).astype(float),
                     0.1 if whole else 2.5)


def both_by_tiffinfo():
    need('tiffinfo')
    for name, pages in ((overlay, 1), (ome, len(channels))):
        text = run('tiffinfo', '-D', name)  # -D decodes every tile
        assert text.count('Subfile Type: (0 = 0x0)') == pages, name
        assert text.count('Subfile Type: reduced-resolution') >= pages, name
        assert text.count('Tile Width: ') == text.count('Image Width: '), name


def map_by_tifffile():
    if not tifffile:
        raise Skip('python3-tifffile is not installed')
    with tifffile.TiffFile(ome) as file:
        assert file.is_ome and len(file.series) == 1, file.series
        series = file.series[0]
        assert series.axes == 'CYX' and series.dtype == np.float32, (series.axes, series.dtype)
        sizes = ladder(channels.shape[:0:-1])
        assert [level.shape[:0:-1] for level in series.levels] == sizes, series.levels
        want = channels
        for level in series.levels:
            have = level.asarray()
            np.testing.assert_array_equal(have, want)
            pad = [(0, 0)] + [(0, n % 2) for n in have.shape[1:]]
            pairs = np.pad(have.astype(float), pad, constant_values=np.nan)
            pairs = pairs.reshape(len(have), pairs.shape[1] // 2, 2, pairs.shape[2] // 2, 2)
            known = np.isfinite(pairs).sum((2, 4))
            with np.errstate(invalid='ignore', divide='ignore'):
                want = (np.nansum(pairs, (2, 4)) / known).astype(np.float32)


def map_by_vips():
    need('vips', 'vipsheader')
    sizes = ladder(channels.shape[:0:-1])
    assert int(run('vipsheader', '-f', 'n-pages', ome)) == len(channels)
    assert int(run('vipsheader', '-f', 'n-subifds', ome)) == len(sizes) - 1
    for page, want in enumerate(channels):
        have = vips_pixels(ome, 1, np.float32, f'[page={page}]')[:, :, 0]
        np.testing.assert_array_equal(have, want)
    for i, size in enumerate(sizes[1:]):
        have = vips_pixels(ome, 1, np.float32, f'[page=0,subifd={i}]')
        assert (have.shape[1], have.shape[0]) == size


def xml_by_xmllint():
    if not tifffile:
        raise Skip('python3-tifffile is not installed')
    need('xmllint')
    schema = os.path.join(os.environ.get('HISTOLRP_TESTDATA', ''), 'ome', 'ome.xsd')
    if not os.path.exists(schema):
        raise Skip('no HISTOLRP_TESTDATA/ome/ome.xsd')
    path = os.path.join(work, 'ome.xml')
    with tifffile.TiffFile(ome) as file, open(path, 'w', encoding='utf-8') as out:
        out.write(file.ome_metadata)
    done = subprocess.run(['xmllint', '--noout', '--nonet', '--schema', schema, path],
                          capture_output=True, text=True)
    # It also says that it does not fetch the schema of xml:lang.
    assert done.returncode == 0 and done.stderr.strip().endswith(path + ' validates'), done.stderr
    xml = open(path, encoding='utf-8').read()
    names = classes + ['probability:' + c for c in ('normal', 'tumor')]
    for i, name in enumerate(names):
        assert f'ID="Channel:0:{i}" Name="{name}"' in xml, name
    for side, size in zip('XY', mpp * downsample):
        assert f'PhysicalSize{side}="{size:g}"' in xml, side


passed, failed, skipped = 0, 0, 0
for test in (overlay_by_openslide, overlay_by_vips, both_by_tiffinfo, map_by_tifffile, map_by_vips,
             xml_by_xmllint):
    try:
        test()
        passed += 1
    except Skip as why:
        print(f'skipped: {test.__name__}: {why}')
        skipped += 1
    except Exception as error:  # whatever goes wrong is a failure of this reader alone
        print(f'{test.__name__}: {type(error).__name__}: {error}')
        failed += 1
shutil.rmtree(work)
print(f'{passed} passed, {failed} failed, {skipped} skipped')
sys.exit(failed > 0)

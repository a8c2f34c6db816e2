#!/usr/bin/python3
"""bag_vectors.py HISTOLRP VECTORS: reference vectors of bags, as slides.

A network's pictures become the tiles of a slide, and its features a file of features: `histolrp run` makes of them
what `explain` makes of the bag. Of every case: relevance of each pixel, summed over color, each tile's relevance and
the logits, within 30 times what float32 costs the reference.
Guards tiles in another order than the bag's, an encoder that starts from another tile's features, pixels of another
place of the map, a head whose keys are the encoder's.
"""
import os
import subprocess
import sys

try:
    import h5py
    import numpy as np
    import tifffile
except ImportError:
    print('skipped: python3-h5py, python3-numpy and python3-tifffile are not all installed')
    sys.exit(77)

from explain_attn import bag_configuration  # noqa: E402
from vector_folders import run_all  # noqa: E402

COLUMNS = 4


def write_slide(path, tiles):
    """Tiles [N,side,side,3] side by side, row by row, at 0.5 um per pixel."""
    n, side = tiles.shape[:2]
    rows = n // COLUMNS
    picture = tiles.reshape(rows, COLUMNS, side, side, 3).swapaxes(1, 2).reshape(rows * side, COLUMNS * side, 3)
    tifffile.imwrite(path, picture, tile=(16, 16), photometric='rgb', compression='zlib',
                     resolution=(20000, 20000), resolutionunit='CENTIMETER')


def by_tile(plane, side):
    """A map's plane, [N,side,side]."""
    rows, columns = (s // side for s in plane.shape)
    return plane.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)


def make_slide(folder, f, work):
    """The slide and, of features, their file; keys that tell `run` of them."""
    slide, features = os.path.join(work, 'bag.tif'), os.path.join(work, 'features.h5')
    if 'input_u8' in f:
        write_slide(slide, f['input_u8'][...])
        return slide, ['model.preset=imagenet', 'model.mpp=0.5', 'mil.pixels=all']
    n = len(f['input'])
    write_slide(slide, np.zeros((16, 16, 16, 3), np.uint8))
    with h5py.File(features, 'w') as out:
        out['features'] = f['input'][...]
        out['coords'] = [(16 * (t % COLUMNS), 16 * (t // COLUMNS)) for t in range(n)]
        out['coords'].attrs['patch_size_level0'] = 16
    return slide, ['mil.features=' + features, 'mil.head=' + os.path.join(folder, 'model.onnx'), 'model.path=']


def run_case(program, folder, f, name, case, work):
    slide, keys = make_slide(folder, f, work)
    config, target = os.path.join(work, 'run.ini'), int(f['target'][0])
    with open(config, 'w', encoding='utf-8') as ini:
        ini.write(bag_configuration(folder, case))
    command = [program, 'run', config, '-q', '--slide', slide]
    for key in keys + ['batch.output=' + work, 'regions.source=all', 'map.downsample=1', 'lrp.target=all'] + [
            'outputs.%s=off' % o for o in ('overlay', 'ome_tiff', 'geojson', 'csv', 'qupath', 'report')]:
        command += ['-s', key]
    subprocess.run(command + ['--force'], check=True)
    return compare(folder, f, name, case, os.path.join(work, 'bag', 'relevance.h5'), target)


def compare(folder, f, name, case, result, target):
    allowed = max(3e-5, 30 * float(case.attrs['zennit_float32_max_error_over_abs_max']))
    with h5py.File(result, 'r') as o:
        want = case['feature_relevance' if 'feature_relevance' in case else 'relevance'][...].astype(float).sum(axis=1)
        got = o['tiles/mil_relevance'][:, target]
        tiles = float(np.abs(got - want).max() / np.abs(want).max())
        logits = float(np.abs(o['mil/logit'][...] - f['logits'][0]).max() / np.abs(f['logits'][...]).max())
        start = abs(float(o['mil/start'][target]) / float(f['starts/logit'][...].sum()) - 1)
        pixels = 0.0
        if 'feature_relevance' in case:
            want = case['relevance'][...].astype(float).sum(axis=1)
            got = by_tile(o['relevance'][target].astype(float), want.shape[1])
            pixels = float(np.abs(got - want).max() / np.abs(want).max())
    worst = max(pixels, tiles)
    fine = worst <= allowed and logits <= 1e-5 and start <= 1e-5
    if not fine:
        print('MISS %s %s: pixels %.2e and tiles %.2e of %.2e, logits %.1e, start %.1e' % (
            os.path.basename(folder), name, pixels, tiles, allowed, logits, start))
    return worst, 0 if fine else 1


def run_folder(program, folder, work):
    with h5py.File(os.path.join(folder, 'vectors.h5'), 'r') as f:
        if f.attrs['kind'] == 'image':
            return 0, 0
        runs = [run_case(program, folder, f, name, case, work) for name, case in f['cases'].items()]
        print('%-18s %d cases, largest error %.2e' % (os.path.basename(folder), len(runs), max(d for d, _ in runs)))
    return len(runs), sum(m for _, m in runs)


if __name__ == '__main__':
    sys.exit(run_all(*sys.argv[1:3], run_folder, '%d cases, %d missed'))

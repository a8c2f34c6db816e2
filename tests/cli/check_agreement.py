"""check_agreement.py FOLDER SLIDE WHAT: whether map and network agree, on `colors.tif` (make_slide) under
the networks `linear` and `biased` (make_network), against what its pixels give. LRP-0 with kept biases
sends w·x/64² to each pixel, whatever the bias: so a tile starts at the logit and its map adds up to the
logit without its bias.

differ  output 1 of `biased`: every tile starts below 0 and adds up to more
agree   output 1 of `linear`
both    both outputs of `biased`: the first agrees
none    nothing is known: all tiles gated out, or a record of an earlier version
explain FOLDER is OUT.h5 for the first 128 × 128 pixels, output 1 of `biased`

Guards: signs of the wrong numbers, sums of what was pooled (the map's pixels cancel), columns that
disagree with one another."""
import csv
import json
import os
import sys

import h5py
import numpy as np

WEIGHTS = np.array([[1, -2, 0.5], [-1, 1, 2]])


def colors():
    y, x = np.mgrid[:384, :512]
    red, green, blue = 60 + (x * 7 + y * 3) % 180, 20 + (x * y // 50) % 200, 40 + (x + 5 * y) % 210
    return np.stack([red, green, blue], -1) / 255


def figures(rgb, weights, bias):
    """start, sum, Σ|relevance| of a picture"""
    relevance = rgb @ weights / (rgb.shape[0] * rgb.shape[1])
    return relevance.sum() + bias, relevance.sum(), abs(relevance).sum()


def expected(what):
    """[tile][plane] of start, sum, Σ|relevance|"""
    outputs = [0, 1] if what == 'both' else [1]
    rgb, bias = colors(), [0, 0 if what == 'agree' else -5]
    return np.array([[figures(rgb[y:y + 64, x:x + 64], WEIGHTS[k], bias[k]) for k in outputs]
                     for y in range(0, 384, 64) for x in range(0, 512, 64)])


def near(have, want, name):
    assert np.allclose(np.asarray(have, float), want, 1e-4, 1e-6), f'{name}: {have}, not {want}'


def agreement_of(start, total):
    """What run.json says of all planes"""
    clear = abs(start) >= np.percentile(abs(start), 10) * (1 - 1e-6)
    differ = np.sign(start) != np.sign(total)
    return {'compared': start.size, 'disagree': int(differ.sum()),
            'disagree_share': differ.mean(), 'clear_tiles': int(clear.sum()),
            'clear_disagree': int((clear & differ).sum())}


def check_slide(folder, slide, what):
    start, total, size = np.moveaxis(expected(what), -1, 0)
    tiles = h5py.File(f'{folder}/{slide}/relevance.h5')['tiles']
    near(tiles['start'], start, 'start')
    near(tiles['relevance_sum'], total, 'sum')
    near(tiles['relevance_abs'], size, 'abs')
    agrees = np.where(np.sign(start) == np.sign(total), 1, -1)
    assert (tiles['agrees'][:] == agrees).all(), tiles['agrees'][:]
    table = list(csv.DictReader(open(f'{folder}/{slide}/tiles.csv', newline='')))
    names = ['left', 'right'] if what == 'both' else ['right']
    for k, name in enumerate(names):
        assert [int(r[f'agrees:{name}']) for r in table] == list((agrees[:, k] + 1) // 2), name
        near([r[f'abs_over_start:{name}'] for r in table], (size / abs(start))[:, k], name)
    features = json.load(open(f'{folder}/{slide}/tiles.geojson'))['features']
    for k, name in enumerate(names):
        measured = [f['properties']['measurements'] for f in features]
        assert [m[f'agrees: {name}'] for m in measured] == list((agrees[:, k] + 1) // 2), name
        near([m[f'abs over start: {name}'] for m in measured], (size / abs(start))[:, k], name)
    have = json.load(open(f'{folder}/{slide}/run.json'))['agreement']
    want = agreement_of(start, total)
    assert {k: have[k] for k in want} == want, f'{have}, not {want}'
    near(have['relevance_over_start'], np.median(size / abs(start)), 'the median')
    shown = start[:, -1] if have['class'] == 'right' else start[:, 0]
    sums = total[:, -1] if have['class'] == 'right' else total[:, 0]
    words = [(shown < 0).sum(), ((shown < 0) & (sums > 0)).sum(),
             (shown > 0).sum(), ((shown > 0) & (sums < 0)).sum()]
    assert [have[k] for k in ('network_against', 'network_against_map_for', 'network_for',
                              'network_for_map_against')] == words, f'{have}, not {words}'
    return want['disagree'], want['disagree_share'], np.median(size / abs(start))


def check_nothing(folder, slide):
    table = list(csv.DictReader(open(f'{folder}/{slide}/tiles.csv', newline='')))
    assert table and all(r['agrees:right'] == r['abs_over_start:right'] == '' for r in table)
    assert 'agrees' not in open(f'{folder}/{slide}/tiles.geojson').read()
    assert json.load(open(f'{folder}/{slide}/status.json'))['disagree'] is None


def check_row(folder, slide, want):
    rows = list(csv.DictReader(open(f'{folder}/batch.csv', newline='')))
    row, = [r for r in rows if os.path.basename(r['slide']) == f'{slide}.tif']
    have = [row[k] for k in ('disagree', 'disagree_share', 'relevance_over_start')]
    if want is None:
        assert have == ['', '', ''], have
    else:
        near(have, want, 'batch.csv')


def check_explained(path):
    f = h5py.File(path)
    start, total, size = figures(colors()[:128, :128], WEIGHTS[1], -5)
    near(f['start'][0].sum(), start, 'start')
    near(f['relevance_sum'][:], [total], 'sum')
    near(f['relevance_abs'][:], [size], 'abs')
    assert list(f['agrees']) == [-1], f['agrees'][:]
    print(f'{start:.4g}, sum of the map {total:.4g}: they differ in sign; '
          f'Σ|relevance| / |start| {size / -start:.3g}')


def main():
    folder, slide, what = sys.argv[1:4]
    if what == 'explain':
        check_explained(folder)
    elif what == 'none':
        check_nothing(folder, slide)
        check_row(folder, slide, None)
    else:
        check_row(folder, slide, check_slide(folder, slide, what))


try:
    main()
except AssertionError as error:
    print(f'check_agreement {" ".join(sys.argv[1:])}: {error}')
    sys.exit(1)

"""run_bag.py HISTOLRP CONFIGS WORK: runs of slides with one score, by the demo's encoder and head.

What relevance.h5 says is held against itself, against runs that see other tiles, and against differences of the
logit: no number is copied from the program. Last line: N passed, N failed, N skipped. What each test guards stands
with it."""
import os
import subprocess
import sys

import h5py
import numpy as np

program, configs, work = sys.argv[1:]
encoder, head = (os.path.join(configs, 'demo-%s.onnx' % n) for n in ('encoder', 'bag-head'))
SIDE, COLUMNS, ROWS = 128, 8, 6
N = COLUMNS * ROWS
quiet = ['-q'] + [w for o in ('overlay', 'ome_tiff', 'geojson', 'csv', 'qupath', 'report')
                  for w in ('-s', 'outputs.%s=off' % o)]
made = {}


def slide():
    """Of whole tiles, so that a map pixel is a pixel of one tile."""
    path = os.path.join(work, 'slide.svs')
    if not os.path.exists(path):
        subprocess.run([program, 'phantom', '-q', '--size', '%dx%d' % (COLUMNS * SIDE, ROWS * SIDE), '--mpp', '0.5',
                        '--nests', '1', '--seed', '3', path], check=True)
    return path


def configuration(bare):
    """With bare there is no encoder: features are given."""
    path = os.path.join(work, 'bare.ini' if bare else 'run.ini')
    with open(path, 'w', encoding='utf-8') as f:
        f.write('[model]\n' + ('' if bare else 'path = %s\n' % encoder) + '[mil]\nhead = %s\n' % head +
                '[regions]\nsource = all\n[lrp]\ntarget = all\nstart = logit\n[map]\ndownsample = 1\n')
    return path


def read(path):
    with h5py.File(path) as f:
        names = []
        f.visititems(lambda name, o: names.append(name) if isinstance(o, h5py.Dataset) else None)
        return {name: f[name][...] for name in names}


def run(*keys, features=None, bare=False):
    """What is in relevance.h5; once for the same keys."""
    name = '%d' % len(made)
    told = (keys, features, bare)
    if told not in made:
        more = ['-s', 'mil.features=' + features] if features else []
        for key in keys + ('batch.output=' + os.path.join(work, name),):
            more += ['-s', key]
        subprocess.run([program, 'run', configuration(bare), '--slide', slide()] + quiet + more, check=True)
        made[told] = read(os.path.join(work, name, 'slide', 'relevance.h5'))
    return made[told]


BASELINES = 'mil.baselines=attention,single,drop,gradient-x-input'


def computed():
    return run('mil.keep_features=on', BASELINES)


def write_features(name, features, corners, side=SIDE):
    path = os.path.join(work, name + '.h5')
    with h5py.File(path, 'w') as f:
        f['features'] = features.astype(np.float32)
        f['coords'] = corners
        f['coords'].attrs['patch_size_level0'] = side
    return path


def corners_of(result):
    return np.stack([result['tiles/x'], result['tiles/y']], axis=1)


def file_of(name, chosen, scale=None):
    """A file of the computed features of some tiles, in that order."""
    all_tiles = computed()
    values = all_tiles['mil/features'][chosen].astype(np.float64)
    return write_features(name, values if scale is None else values * scale[:, None], corners_of(all_tiles)[chosen])


def scored(name, chosen, scale=None):
    return run(BASELINES, features=file_of(name, chosen, scale), bare=True)


def near(have, want, allowed, what):
    worst = float(np.abs(np.asarray(have, np.float64) - want).max())
    assert worst <= allowed, '%s: differs by %.2e of %.2e' % (what, worst, allowed)


def tile_of(result, plane, tile):
    x, y = SIDE * (tile % COLUMNS), SIDE * (tile // COLUMNS)
    return result['relevance'][plane, y:y + SIDE, x:x + SIDE].astype(np.float64)


# ---- where relevance goes ----

TAKERS = ('bias', 'stabilizer', 'constant', 'normalization')
BEHIND = ('encoder', 'pixels', 'tiles', 'rest')


def chosen_tiles(result, pixels):
    """By what the tiles have of relevance, sorted here: which go to pixels."""
    weight = np.abs(result['tiles/mil_relevance']).sum(axis=1)
    order = np.lexsort((np.arange(len(weight)), -weight))
    if pixels == 'none':
        return set()
    if pixels == 'all':
        return set(order)
    kind, share = pixels.split()
    share = float(share.rstrip('%')) / 100
    if kind == 'top':
        return set(order[:int(np.ceil(share * len(weight) - 1e-9))])
    return set(order[:1 + int(np.argmax(np.cumsum(weight[order]) >= share * weight.sum()))])


PIXELS = ('none', 'top 25%', 'mass 90%', 'all')


def test_account_closes():
    """Guards: a tile counted where it did not go, a sign, tiles off the slide, takers of another plane."""
    for bias in ('keep', 'drop'):
        for pixels in PIXELS:
            r = run('mil.pixels=' + pixels, 'mil.bias=' + bias, 'lrp.bias=keep')
            given = r['tiles/mil_relevance']
            gone = np.isin(np.arange(N), list(chosen_tiles(r, pixels)))
            for k, row in enumerate(r['mil/account']):
                all_of = np.abs(given[:, k]).sum()
                assert row['start'] == r['mil/start'][k]
                near(row['start'], r['mil/logit'][k], 1e-6 * all_of, 'start')
                near(sum(row[c] for c in TAKERS + BEHIND), row['start'], 1e-9 * all_of, 'the sum of a row')
                near(row['rest'], 0, 1e-4 * all_of, 'rest')
                near(row['start'] - sum(row[c] for c in TAKERS), given[:, k].sum(), 1e-5 * all_of, 'takers')
                arrived = sum(tile_of(r, k, t).sum() for t in np.flatnonzero(gone))
                near(row['pixels'], arrived, 1e-5 * all_of, 'pixels')
                near(row['encoder'], given[gone, k].sum() - arrived, 1e-5 * all_of, 'encoder')
                assert not gone.any() or abs(row['encoder']) > 0.1 * all_of, 'the encoder keeps too little to be seen'
                near(row['tiles'], given[~gone, k].sum(), 1e-9 * all_of, 'tiles')
                near(row['outside'], 0, 0, 'outside')


def test_account_of_tiles_past_the_edge():
    """Guards: what lies off the slide left out, or counted twice, of tiles of either kind."""
    all_tiles = computed()
    best = np.argsort(-np.abs(all_tiles['tiles/mil_relevance'][:, 1]))[:3]
    corners = np.array([(-SIDE / 2, 300), (COLUMNS * SIDE - 50, 100), (420, ROWS * SIDE - 100)])
    path = write_features('edge', all_tiles['mil/features'][best], corners)
    for pixels in ('none', 'top 5%', 'all'):
        r = run('mil.pixels=' + pixels, features=path)
        for k, row in enumerate(r['mil/account']):
            all_of = np.abs(r['tiles/mil_relevance'][:, k]).sum()
            shown = np.nansum(r['relevance'][k].astype(np.float64))
            near(shown + row['outside'], row['pixels'] + row['tiles'], 1e-5 * all_of, 'what is on the map')
            near(row['outside'], r['tiles/relevance_outside'][:, k].sum(), 1e-9 * all_of, 'outside')
            assert pixels == 'all' or abs(row['outside']) > 1e-3 * all_of


def test_without_biases_tiles_add_up_to_the_logit():
    """Guards: biases that take relevance where they are to be left out."""
    r = run('mil.pixels=none', 'mil.bias=drop')
    given = r['tiles/mil_relevance']
    for k, logit in enumerate(r['mil/logit']):
        near(given[:, k].sum(), logit, 1e-5 * np.abs(given[:, k]).sum(), 'the sum of all tiles')
    kept = run('mil.pixels=none', 'mil.bias=keep')
    assert np.abs(kept['mil/account']['bias']).max() > 1e-3, 'this head has no biases: nothing is tested'


def test_layers_of_the_encoder():
    """Guards: tiles that never saw the encoder in its account: they left what lay in memory there."""
    for pixels in PIXELS[1:3]:
        r = run('mil.pixels=' + pixels, 'lrp.target=tumor', 'lrp.bias=keep')
        gone = sorted(chosen_tiles(r, pixels))
        assert 0 < len(gone) < N
        below = [row for row in r['layers'] if not row['node'].startswith(b'head/')]
        given = r['tiles/mil_relevance'][gone, 0]
        near(below[0]['relevance_out'], given.sum(), 1e-6 * np.abs(given).sum(), 'what the encoder was given')
        kept = sum(row[c] for row in below for c in TAKERS)
        near(kept, r['mil/account'][0]['encoder'], 1e-5 * np.abs(given).sum(), 'what the encoder kept')
        for row in below:
            if row['rule'] == b'pass':
                assert all(row[c] == 0 for c in TAKERS), 'a node that keeps nothing: %s' % row


def test_pixels_of_the_tiles_that_decide():
    """Guards: other tiles than those that have most, tiles of another place, uneven others."""
    for pixels in PIXELS:
        r = run('mil.pixels=' + pixels, 'mil.bias=keep', 'lrp.bias=keep')
        wanted = chosen_tiles(r, pixels)
        for t in range(N):
            for k in range(2):
                shown, given = tile_of(r, k, t), r['tiles/mil_relevance'][t, k]
                if t in wanted and abs(given) > 0.1 * np.abs(r['tiles/mil_relevance']).max():
                    assert np.ptp(shown) > 2 * abs(given) / SIDE**2, 'tile %d is even' % t
                elif t not in wanted:
                    near(shown, given / SIDE**2, 1e-6 * abs(given) / SIDE**2, 'tile %d' % t)


# ---- features of a file ----

def test_features_given_and_computed():
    """Guards: features kept in another order or of other tiles than scored, a file read otherwise."""
    mine = computed()
    given = run(BASELINES, features=file_of('all', np.arange(N)), bare=True)
    for name in ('tiles/mil_relevance', 'mil/logit', 'tiles/attention', 'tiles/single', 'tiles/drop',
                 'tiles/gradient_x_input', 'tiles/x', 'tiles/y', 'relevance', 'mil/scores'):
        assert np.array_equal(mine[name], given[name], equal_nan=True), name
    # and back to pixels, where the file's tiles are read from the slide
    mine = run('mil.pixels=top 25%')
    given = run('mil.pixels=top 25%', features=file_of('all', np.arange(N)))
    assert np.array_equal(mine['relevance'], given['relevance'], equal_nan=True)


def test_order_of_tiles():
    """Guards: relevance and scores of one tile written at the place of another."""
    order = np.random.default_rng(5).permutation(N)
    mine, other = computed(), scored('permuted', order)
    for name in ('tiles/mil_relevance', 'tiles/attention', 'tiles/single', 'tiles/drop', 'tiles/gradient_x_input'):
        want = mine[name][order].astype(np.float64)
        rounding = 2e-6 if name == 'tiles/drop' else 0  # of the logits that are subtracted, near 4
        near(other[name], want, 2e-6 * np.abs(want).max() + rounding, name)
    near(other['relevance'], mine['relevance'], 1e-6 * np.abs(mine['relevance']).max(), 'relevance')


def explained(name, path, target):
    out = os.path.join(work, name + '-explained.h5')
    subprocess.run([program, 'explain', configuration(True), path + ':/features', '-o', out, '--target', target, '-q',
                    '-s', 'model.path=' + head, '-s', 'mil.head='], check=True)
    return read(out)


def test_as_explain_says():
    """Guards: a head that is set up in another way for a slide than for a bag. With one tile, and with all."""
    for name, chosen in (('alone', np.array([7])), ('all', np.arange(N))):
        r = scored(name, chosen)
        for k, target in enumerate(('normal', 'tumor')):
            e = explained(name, file_of(name, chosen), target)
            near(r['mil/logit'], e['logits'].ravel(), 0, 'logit')
            want = e['relevance_sum'].ravel()
            near(r['tiles/mil_relevance'][:, k], want, 1e-6 * np.abs(want).max(), 'relevance')


# ---- what relevance is compared with ----

def test_attention_adds_up_to_one():
    """Guards: weights before the softmax, or of another axis."""
    r = computed()
    near(r['tiles/attention'].astype(np.float64).sum(axis=0), 1, 1e-5, 'attention')
    assert r['tiles/attention'].min() > 0 and r['tiles/attention'].max() > 1.5 / N


def test_other_bags_of_the_same_tiles():
    """Guards: the score of another tile, one of too many left out."""
    r = computed()
    for t in (0, 1, 20, N - 1):
        alone = scored('only%d' % t, np.array([t]))
        near(r['tiles/single'][t], alone['mil/logit'], 2e-6, 'single')
        rest = scored('without%d' % t, np.delete(np.arange(N), t))
        near(r['tiles/drop'][t], r['mil/logit'] - rest['mil/logit'], 3e-6, 'drop')
    assert np.abs(r['tiles/drop']).max() > 1e-2
    assert np.isnan(alone['tiles/drop']).all(), 'without its only tile there is no bag'
    near(alone['tiles/attention'], 1, 0, 'attention of one tile')


def test_more_tiles_than_a_block():
    """The head runs on 256 tiles at a time. Guards: the bag without a tile of a later block, or of a block's edge."""
    n = 300
    rng = np.random.default_rng(11)
    values = computed()['mil/features'][rng.integers(0, N, n)] * rng.uniform(0.5, 1.5, (n, 1))
    corners = np.stack([rng.integers(0, 900, n), rng.integers(0, 600, n)], axis=1)

    def bag(name, chosen):
        path = write_features(name, values[chosen], corners[chosen], 16)
        return run('map.downsample=16', BASELINES, features=path, bare=True)

    r = bag('many', np.arange(n))
    given = r['tiles/mil_relevance']
    for k in range(2):
        near(given[:, k].sum(), r['mil/logit'][k], 1e-5 * np.abs(given[:, k]).sum(), 'the sum of all tiles')
    for t in (0, 255, 256, n - 1):
        near(r['tiles/single'][t], bag('one%d' % t, np.array([t]))['mil/logit'], 1e-5, 'single')
        rest = bag('but%d' % t, np.delete(np.arange(n), t))
        near(r['tiles/drop'][t], r['mil/logit'] - rest['mil/logit'], 3e-6, 'drop of %d' % t)


def test_gradient():
    """Of a tile's features, by how the logit changes where all of them are a little more. Guards: another start
    than 1, another tile's features."""
    r = computed()
    step = 1e-2
    for t in np.argsort(-np.abs(r['tiles/mil_relevance'][:, 1]))[:3]:
        scale = np.ones(N)
        logits = []
        for sign in (1, -1):
            scale[t] = 1 + sign * step
            logits.append(scored('scaled%d%+d' % (t, sign), np.arange(N), scale)['mil/logit'].astype(np.float64))
        want = (logits[0] - logits[1]) / (2 * step)
        near(r['tiles/gradient_x_input'][t], want, 1e-2 * np.abs(want).max(), 'gradient x input')


def main():
    passed, failed = 0, 0
    for name, test in list(globals().items()):
        if not name.startswith('test_'):
            continue
        try:
            test()
            passed += 1
        except (AssertionError, KeyError, IndexError, subprocess.CalledProcessError) as error:
            print('%s: %s' % (name, error))
            failed += 1
    print('%d passed, %d failed, 0 skipped' % (passed, failed))
    return 1 if failed else 0


sys.exit(main())

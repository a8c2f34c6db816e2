#!/usr/bin/python3
"""slide_score.py HISTOLRP CONFIGS [SLIDES [FOLDER]]: the demo of a slide's score on slides that training never saw.

Each slide has tumor in few tiles and bears a pen mark. Of the runs of both heads, over all slides: where
positive relevance of "tumor" lies, against the truth; and how well tiles with tumor are told from the others
(AUROC, mean over slides) by relevance and by attention. A miss unless
- the demo's positive relevance falls on tumor nuclei at 3 times their share of the area, also within the
  tiles with tumor alone, and not on ink,
- relevance tells tiles with tumor better than attention does,
- what the head gave a tile is what the map has there,
- the head that cheats gives ink more than tumor nuclei, and the program warns of it on each of its slides and
  on none of the demo's.
Guards the chain from a slide's score to pixels: a sign, the order of tiles, what the encoder starts with.
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
except ImportError:
    print('skipped: python3-h5py is not installed')
    sys.exit(77)

SIDE, FIRST_SEED = 2048, 950000
PEN = 'regions.pen_min_um=30'  # strokes of small slides are 40 µm wide
BEARS = 0.01  # a tile with at least this share of tumor nuclei bears tumor
ALL, NUCLEI, INK, INSIDE, NUCLEI_INSIDE = range(5)  # inside: in tiles that bear tumor
HEADS = {'demo': 'demo-bag-head.onnx', 'cheating': 'cheating-bag-head.onnx'}


def raw(folder, name, bands):
    """A picture's pixels, by another program than ours."""
    out = os.path.join(folder, 'pixels.raw')
    subprocess.run(['vips', 'rawsave', os.path.join(folder, name), out], check=True)
    return np.fromfile(out, np.uint8).reshape(SIDE, SIDE, -1)[..., :bands]


def paint(program, folder, seed):
    """The slide in folder, and by pixel whether it shows a tumor nucleus, and ink."""
    command = [program, 'phantom', '-q', '--seed', str(seed), '--mpp', '0.5', '--size', str(SIDE), '--nests',
               str(seed % 3 + 1)]
    name = 's%d.svs' % seed
    for out, more in ((name, ['--pen', '--truth', 'truth.tif']), ('clean.svs', [])):
        subprocess.run(command + more + [out], check=True, cwd=folder)
    ink = np.abs(raw(folder, name, 3).astype(int) - raw(folder, 'clean.svs', 3)).max(2) > 60
    return name, raw(folder, 'truth.tif', 1)[..., 0] > 0, ink


def auroc(score, truth):
    """The share of pairs, one of each kind, that the score puts in order."""
    a, b = score[truth][:, None], score[~truth][None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


class Sums:
    def __init__(self):
        self.area, self.relevance = np.zeros(5), np.zeros(5)  # pixels; positive relevance
        self.aurocs, self.right, self.accused, self.slides, self.lost = [], 0, 0, 0, 0.0

    def add(self, folder, truth, ink):
        with h5py.File(os.path.join(folder, 'relevance.h5')) as f:
            shown = np.nan_to_num(f['relevance'][0]).astype(float)
            plus = np.maximum(shown, 0)
            logit = f['mil/logit'][...]
            x, y, side, relevance, attention = (f['tiles/' + n][...].ravel() for n in (
                'x', 'y', 'width', 'mil_relevance', 'attention'))
        tiles = [np.s_[b:b + n, a:a + n] for a, b, n in zip(x, y, side)]
        arrived = np.array([shown[t].sum() for t in tiles])
        self.lost = max(self.lost, np.abs(arrived - relevance).max() / np.abs(relevance).max())
        bears = np.array([truth[t].mean() >= BEARS for t in tiles])
        whole, inside = np.zeros_like(truth), np.zeros_like(truth)
        for t, b in zip(tiles, bears):
            whole[t], inside[t] = True, b
        for k, where in enumerate((whole, whole & truth, whole & ink, inside, inside & truth)):
            self.area[k] += where.sum()
            self.relevance[k] += plus[where].sum()
        self.aurocs.append((auroc(relevance, bears), auroc(attention, bears)))
        self.right += logit[1] > logit[0]
        with open(os.path.join(folder, 'run.json'), encoding='utf-8') as f:
            self.accused += any('pen mark' in str(w) for w in json.load(f)['warnings'])
        self.slides += 1

    def times(self, k, of=ALL):
        """The share of positive relevance over the share of the area."""
        return self.relevance[k] / self.relevance[of] / (self.area[k] / self.area[of])

    def told(self):
        return tuple(np.mean(self.aurocs, axis=0))

    def line(self, name):
        share = 100 * self.relevance / self.relevance[ALL]
        area = 100 * self.area / self.area[ALL]
        return ('%s: says tumor of %d of %d slides. Tumor nuclei, %.2f %% of the area, get %.1f %% of positive '
                'relevance, %.1f x (%.2f x within tiles with tumor); ink, %.1f %%, gets %.1f %%, %.2f x; %d '
                'slides warned of. AUROC of tiles with tumor: relevance %.4f, attention %.4f; map and head differ by %.0e' % (
                    name, self.right, self.slides, area[NUCLEI], share[NUCLEI], self.times(NUCLEI),
                    self.times(NUCLEI_INSIDE, INSIDE), area[INK], share[INK], self.times(INK), self.accused,
                    *self.told(), self.lost))


def measure(program, configs, count, folder):
    painted = [paint(program, folder, seed) for seed in range(FIRST_SEED, FIRST_SEED + count)]
    sums = {}
    for name, head in HEADS.items():
        command = [program, 'run', os.path.join(configs, 'demo-slide-score.ini'), '-q']
        for slide, _, _ in painted:
            command += ['--slide', os.path.join(folder, slide)]
        for key in ('batch.output=' + os.path.join(folder, name), 'mil.head=' + os.path.join(configs, head),
                    PEN, 'mil.pixels=all', 'mil.baselines=attention', 'map.downsample=1', 'outputs.overlay=off',
                    'outputs.ome_tiff=off', 'outputs.geojson=off', 'outputs.csv=off', 'outputs.qupath=off'):
            command += ['-s', key]
        subprocess.run(command, check=True)
        sums[name] = Sums()
        for slide, truth, ink in painted:
            sums[name].add(os.path.join(folder, name, slide[:-4]), truth, ink)
        print(sums[name].line(name))
    return sums['demo'], sums['cheating']


def fine(demo, cheating):
    relevance, attention = demo.told()
    return (demo.times(NUCLEI) >= 3 and demo.times(NUCLEI_INSIDE, INSIDE) >= 3 and demo.times(INK) < 1
            and relevance > attention and demo.accused == 0 and max(demo.lost, cheating.lost) < 1e-3
            and cheating.relevance[INK] > cheating.relevance[NUCLEI] and cheating.accused == cheating.slides)


def main(program, configs, slides='4', folder=None):
    if subprocess.run(['sh', '-c', 'command -v vips'], stdout=subprocess.DEVNULL, check=False).returncode:
        print('skipped: libvips-tools is not installed')
        return 77
    with tempfile.TemporaryDirectory() as own:
        return 0 if fine(*measure(os.path.abspath(program), os.path.abspath(configs), int(slides), folder or own)) else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

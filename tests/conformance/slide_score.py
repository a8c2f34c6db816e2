#!/usr/bin/python3
"""slide_score.py HISTOLRP CONFIGS [SLIDES]: the demo of a slide's score on slides that training never saw.

Each has tumor in few tiles, and the same head's counterexample looks at the same slides with pen marks. From
`histolrp explain` on the bag of a slide's tiles: where positive relevance of "tumor" lies, against the
truth. Over all slides (pixels and tiles together), a miss unless
- positive relevance falls on tumor nuclei at 3 times their share of the area, also within the tiles with tumor alone,
- tiles with tumor are told by their relevance (AUROC, mean over slides), and better than by attention,
- the demo's head gives ink less than its share of the area; the other more than tumor, and twice its share.
Guards the chain from a slide's score to pixels: a sign, the order of tiles, the encoder's start.
"""
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

TILE, SIDE, FIRST_SEED = 128, 2048, 950000
WHITE, STD = 1.0, 0.25    # the encoder's mean and standard deviation
TUMOR, INK = 0.01, 0.03   # shares of a tile with which it is said to bear it


def raw(folder, name, bands):
    """A picture's pixels, by another program than ours."""
    out = os.path.join(folder, 'pixels.raw')
    subprocess.run(['vips', 'rawsave', os.path.join(folder, name), out], check=True)
    return np.fromfile(out, np.uint8).reshape(SIDE, SIDE, -1)[..., :bands]


def paint(program, folder, seed, pen):
    """RGB, and by pixel whether it is of a tumor nucleus."""
    command = [program, 'phantom', os.path.join(folder, 'slide.svs'), '-q', '--seed', str(seed), '--mpp', '0.5',
               '--size', str(SIDE), '--nests', str(seed % 3 + 1), '--truth', os.path.join(folder, 'truth.tif')]
    subprocess.run(command + (['--pen'] if pen else []), check=True)
    return raw(folder, 'slide.svs', 3), raw(folder, 'truth.tif', 1)[..., 0] > 0


def tiles(plane):
    n = SIDE // TILE
    return plane.reshape(n, TILE, n, TILE, -1).swapaxes(1, 2).reshape(n * n, TILE, TILE, -1)


def explain(program, configs, head, pixels, folder):
    """Relevance of pixels and of tiles, and attention."""
    bag, out = os.path.join(folder, 'bag.h5'), os.path.join(folder, 'out.h5')
    with h5py.File(bag, 'w') as f:
        f['input'] = ((pixels / np.float32(255) - WHITE) / STD).transpose(0, 3, 1, 2).astype(np.float32)
    subprocess.run([program, 'explain', os.path.join(configs, 'demo-slide-score.ini'), bag + ':/input', '-q',
                    '-s', 'mil.head=' + os.path.join(configs, head), '--target', 'tumor', '-o', out], check=True)
    with h5py.File(out, 'r') as f:
        features, relevance = f['features'][...].astype(float), f['feature_relevance'][...].astype(float)
        tumor = np.diff(f['logits'][...].ravel())[0] > 0
        # Relevance of feature k of tile n is a_n w_k h_nk: with attention held constant it shows in any feature.
        k = np.abs(relevance).sum(0).argmax()
        attention = np.abs(relevance[:, k] / np.where(features[:, k] > 0, features[:, k], np.inf))
        return f['relevance'][...].sum(1), f['relevance_sum'][...], attention, tumor


def auroc(score, truth):
    """The share of pairs, one of each kind, that the score puts in order."""
    a, b = score[truth][:, None], score[~truth][None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


ALL, NUCLEI, INKED, INSIDE, NUCLEI_INSIDE = range(5)  # inside tiles that bear tumor


class Sums:
    def __init__(self):
        self.area, self.relevance = np.zeros(5), np.zeros(5)  # pixels; positive relevance
        self.aurocs, self.right, self.slides = [], 0, 0

    def add(self, pixels, sums, attention, right, truth, ink):
        plus, bears = np.maximum(pixels, 0), truth.mean((1, 2)) >= TUMOR
        inside = np.broadcast_to(bears[:, None, None], truth.shape)
        for k, where in enumerate((np.ones_like(truth), truth, ink, inside, truth & inside)):
            self.area[k] += where.sum()
            self.relevance[k] += plus[where].sum()
        self.aurocs.append((auroc(sums, bears), auroc(attention, bears)))
        self.right += right
        self.slides += 1

    def times(self, k, of=ALL):
        """The share of positive relevance over the share of the area."""
        return self.relevance[k] / self.relevance[of] / (self.area[k] / self.area[of])

    def told(self):
        return np.mean(self.aurocs, axis=0)

    def line(self, name):
        return ('%s: right on %d of %d slides; positive relevance on tumor nuclei %.1f %%, %.1f x their area '
                '(%.2f x within tiles with tumor), on ink %.1f %%, %.2f x; AUROC of tiles: relevance %.4f, '
                'attention %.4f' % ((name, self.right, self.slides, 100 * self.relevance[NUCLEI] / self.relevance[ALL],
                                    self.times(NUCLEI), self.times(NUCLEI_INSIDE, INSIDE), 100 * self.relevance[INKED] / self.relevance[ALL],
                                    self.times(INKED)) + tuple(self.told())))


def measure(program, configs, slides):
    honest, cheat = Sums(), Sums()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(FIRST_SEED, FIRST_SEED + slides):
            clean, truth = paint(program, folder, seed, False)
            marked, _ = paint(program, folder, seed, True)
            tissue = (tiles(clean).min(3) < 215).mean((1, 2)) > 0.5
            ink = np.abs(marked.astype(int) - clean).max(2) > 60
            of = [tiles(p)[tissue] for p in (marked, truth, ink)]
            for sums, head in ((honest, 'demo-bag-head.onnx'), (cheat, 'cheating-bag-head.onnx')):
                sums.add(*explain(program, configs, head, of[0], folder), of[1][..., 0], of[2][..., 0])
    return honest, cheat


def main(program, configs, slides='4'):
    if subprocess.run(['sh', '-c', 'command -v vips'], stdout=subprocess.DEVNULL, check=False).returncode:
        print('skipped: libvips-tools is not installed')
        return 77
    honest, cheat = measure(program, configs, int(slides))
    print(honest.line('demo'))
    print(cheat.line('the one that cheats'))
    relevance, attention = honest.told()
    fine = (honest.times(NUCLEI) >= 3 and honest.times(NUCLEI_INSIDE, INSIDE) >= 3 and relevance > attention and honest.times(INKED) < 1
            and cheat.relevance[INKED] > cheat.relevance[NUCLEI] and cheat.times(INKED) > 2)
    return 0 if fine else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

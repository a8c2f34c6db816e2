#!/usr/bin/python3
"""conserves.py HISTOLRP VECTORS: what arrives at the pixels is what was started with.

Every network of the reference vectors, every composite of relevance, biases shared and spread, through
`histolrp explain`: the sum of /relevance against that of /start for each tile, and the account of each
layer, which must have nothing in it.  Guards an operator that these networks have and that loses
relevance on the way.  Exit 1 on any miss, 77 where vectors or h5py are absent.
"""
import os
import subprocess
import sys

try:
    import h5py
    import numpy as np
except ImportError:
    print('skipped: python3-h5py is not installed')
    sys.exit(77)

from vector_folders import run_all  # noqa: E402

COMPOSITES = ('lrp0-gamma', 'lrp0-epsilon-gamma', 'epsilon-gamma-box', 'epsilon-plus',
              'epsilon-plus-flat', 'epsilon-alpha2-beta1', 'epsilon-alpha2-beta1-flat', 'lrp0', 'epsilon',
              'gamma', 'zplus', 'alphabeta', 'wsquare', 'flat')
ALLOWED = 1e-5
ROUNDING = 1e-8  # of the sum of |relevance|: float32 holds no more where a composite lets that explode


def explain(program, folder, composite, bias, batchnorm, out):
    subprocess.run([program, 'explain', os.path.join(folder, 'none.ini'),
                    os.path.join(folder, 'vectors.h5') + ':/input', '-o', out, '--layers', '-q',
                    '-s', 'lrp.composite=' + composite, '-s', 'lrp.bias=' + bias,
                    '-s', 'lrp.start=auto', '-s', 'lrp.batchnorm=' + batchnorm], check=True)


def missing(out):
    """Largest share of a tile's start that did not arrive, beyond rounding, and the largest column of
    the account."""
    with h5py.File(out, 'r') as f:
        start = f['start'][...].astype(np.float64)
        sums = f['relevance'][...].sum(axis=(1, 2, 3), dtype=np.float64)
        rounding = ROUNDING * np.abs(f['relevance'][...]).sum(axis=(1, 2, 3), dtype=np.float64)
        columns = [np.abs(g['relevance'].attrs[key]).max() for g in f['layers'].values()
                   for key in ('bias_share', 'stabilizer_share', 'constant_share', 'normalization_share')]
    off = np.abs(sums - start.sum(axis=1)) - rounding
    return float((np.maximum(off, 0) / np.abs(start).sum(axis=1)).max()), max(columns)


def run_folder(program, vectors, work):
    name = os.path.basename(vectors)
    folder = os.path.join(work, name)
    os.mkdir(folder)
    os.symlink(os.path.abspath(os.path.join(vectors, 'vectors.h5')),
               os.path.join(folder, 'vectors.h5'))
    with open(os.path.join(folder, 'none.ini'), 'w') as ini:
        ini.write('[model]\npath = ' + os.path.abspath(os.path.join(vectors, 'model.onnx')) + '\n')
    worst, missed, cases = 0.0, 0, 0
    for composite in COMPOSITES:
        for bias in ('share', 'spread'):
            out = os.path.join(folder, 'out.h5')
            explain(program, folder, composite, bias, 'pass' if cases % 3 == 2 else 'auto', out)
            lost, column = missing(out)
            cases += 1
            worst = max(worst, lost)
            if not (lost <= ALLOWED and column == 0):
                missed += 1
                print('MISS %s %s %s: %.2e of the start is missing, account %.2e' % (
                    name, composite, bias, lost, column))
    print('%-16s %d cases, at most %.1e of the start is missing' % (name, cases, worst))
    return cases, missed


if __name__ == '__main__':
    sys.exit(run_all(*sys.argv[1:3], run_folder, '%d cases, %d missed'))

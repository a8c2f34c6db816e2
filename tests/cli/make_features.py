"""make_features.py FOLDER: a file of features of six tiles of 128 pixels, 24 numbers each, as the demo's head
takes them (good.h5), and files that are wrong in one way each, which the name says."""
import os
import sys

import h5py
import numpy as np

N, WIDTH, SIDE = 6, 24, 128
VALUES = np.random.default_rng(1).uniform(0, 1, (N, WIDTH)).astype(np.float32)
CORNERS = np.array([(SIDE * (t % 3), SIDE * (t // 3)) for t in range(N)], np.float64)


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def make(name, features=VALUES, coords=CORNERS, size=SIDE):
    with h5py.File(os.path.join(sys.argv[1], name + '.h5'), 'w') as f:
        if features is not None:
            f['features'] = features
        if coords is not None:
            f['coords'] = coords
            if size:
                f['coords'].attrs['patch_size_level0'] = size


make('good')
make('narrow', features=VALUES[:, 1:])
make('wide', features=np.concatenate([VALUES, VALUES], axis=1))
make('whole-numbers', features=np.ones((N, WIDTH), np.int32))
make('two-bags', features=np.ones((2, N, WIDTH), np.float32))
make('no-tiles', features=VALUES[:0], coords=CORNERS[:0])
make('not-finite', features=changed(VALUES, (4, 3), np.nan))
make('no-features', features=None)
make('no-coords', coords=None)
make('too-few-coords', coords=CORNERS[1:])
make('coords-of-three', coords=np.zeros((N, 3)))
make('coords-not-finite', coords=changed(CORNERS, (5, 0), np.nan))
make('off', coords=changed(CORNERS, (2, 1), 100000))
make('no-size', size=None)
with open(os.path.join(sys.argv[1], 'good.h5'), 'rb') as f:
    whole = f.read()
with open(os.path.join(sys.argv[1], 'cut.h5'), 'wb') as f:
    f.write(whole[:len(whole) // 2])
with open(os.path.join(sys.argv[1], 'text.h5'), 'w', encoding='ascii') as f:
    f.write('features\n')

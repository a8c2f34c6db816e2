"""unreadable_bag.py RESULT OUT.h5: tiles of RESULT's slide that could not be read are in no bag, and have no
numbers; OUT.h5 gets the features of all others."""
import sys

import h5py
import numpy as np

with h5py.File(sys.argv[1]) as f:
    lost = f['tiles/status'][...] == 2
    assert 0 < lost.sum() < lost.size / 2, '%d of %d tiles are lost' % (lost.sum(), lost.size)
    assert f['mil'].attrs['tiles'] == (~lost).sum()
    for name in ('tiles/mil_relevance', 'tiles/attention', 'tiles/single', 'tiles/drop', 'mil/features'):
        values = f[name][...]
        assert np.isnan(values[lost]).all(), name
        assert np.isfinite(values[~lost]).all(), name
    with h5py.File(sys.argv[2], 'w') as out:
        out['features'] = f['mil/features'][...][~lost]
        side = 128 * 0.5 / 0.2527  # level-0 pixels of a tile, as the grid has it
        numbers = np.flatnonzero(~lost)
        columns = int(np.sum(np.abs(f['tiles/y'][...]) < 1))
        out['coords'] = np.stack([numbers % columns * side, numbers // columns * side], axis=1)
        out['coords'].attrs['patch_size_level0'] = side

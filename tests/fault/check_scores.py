"""check_scores.py RESULT OTHER: the tiles of RESULT that could be read have the numbers of OTHER's that could."""
import sys

import h5py
import numpy as np

with h5py.File(sys.argv[1]) as f, h5py.File(sys.argv[2]) as other:
    read, others = (r['tiles/status'][...] != 2 for r in (f, other))
    assert np.array_equal(f['mil/logit'][...], other['mil/logit'][...]), 'another score'
    for name in ('tiles/mil_relevance', 'tiles/attention', 'tiles/single', 'tiles/drop'):
        assert np.array_equal(f[name][...][read], other[name][...][others]), name

#!/bin/sh
# test_account.sh PROGRAM PROJECT: relevance that explodes is named with the layer and the rule that do
# it, and float32 rounding is told from real size. Guards: a map of 10⁴ times its start without a word;
# the blame on rounding where the rule is unbounded, and the other way round.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
run="run $demo/linear.ini $numbers_only --slide $demo/white.tif -s lrp.target=left -s lrp.start=one \
-s lrp.bias=keep -s model.scale=1/250" # white is 250: pixels of 1

# 1, −2, 0.5 and 0.501 add up to 0.001: the inputs of a white tile get 1000, −2000 and 500 of 1.
expect 0 $run -q -s model.path="$demo/explosive.onnx" -s batch.output=large
if ! grep -q 'layer fc (lrp0: 3.5e+03 times); so it is in float64 too (looked at 3 tiles): real size' \
    large/white/run.json; then
    complain "not named as real: $(grep -A5 warnings large/white/run.json)"
fi
# The account has it: 3500 of 1, of which the bias took -0.501 / 0.001.
/usr/bin/python3 - <<'END' || failed=1
import h5py, numpy as np, sys
with h5py.File('large/white/relevance.h5') as f:
    row = [r for r in f['layers'] if r['node'] == b'fc'][0]
    tiles = len(f['tiles/x'])
ok = np.isclose(row['relevance_in_abs'], 3500 * tiles, rtol=1e-3) and \
    np.isclose(row['bias'], 501 * tiles, rtol=1e-3)
print('' if ok else f'the account says {row} of {tiles} tiles', end='')
sys.exit(not ok)
END
# A rerun, and outputs made anew, keep the warning; shared, nothing is left to warn of.
expect 0 $run -q -s model.path="$demo/explosive.onnx" -s batch.output=large -s outputs.opacity=0.5
grep -q 'real size' large/white/.warnings || complain "a rerun forgot the warning"

# 2²⁴ + 0.3 − 2²⁴ is 0 in float32: what its map shows is the stabilizer.
expect 0 $run -q -s model.path="$demo/rounded.onnx" -s batch.output=rounded
grep -q 'float32 rounding has a part in it: in float64 3 of 3 tiles differ' rounded/white/run.json ||
    complain "not named as rounding: $(grep -A5 warnings rounded/white/run.json)"

# A tame network is not spoken of.
expect 0 $run -q -s batch.output=tame
! grep -q 'times as large' tame/white/run.json || complain "a tame network is said to explode"

# explain --check prints both, and a verdict; the file is as without it.
expect 0 explain "$demo/demo.ini" "$demo/picture.png" -o plain.h5 -q --target tumor
expect 0 explain "$demo/demo.ini" "$demo/picture.png" -o checked.h5 -q --target tumor --check
printed '^/fc/Gemm +lrp0 '
printed '^logits differ by [0-9.]+e-0[5-9] of the largest, relevance by [0-9.]+e-0[4-9] of its peak$'
printed '^float32 is enough'
/usr/bin/python3 - <<'END' || failed=1
import h5py, numpy as np, sys
with h5py.File('plain.h5') as a, h5py.File('checked.h5') as b:
    same = all(np.array_equal(a[k][()], b[k][()]) for k in ('relevance', 'logits', 'start'))
print('' if same else '--check changes the numbers', end='')
sys.exit(not same)
END
/usr/bin/python3 - <<'END'
import h5py, numpy
with h5py.File('ones.h5', 'w') as f:
    f['x'] = numpy.ones((1, 3, 64, 64), 'f')
END
expect 0 explain "$demo/linear.ini" ones.h5:/x -o rounded.h5 -q --check --target left --start one \
    -s model.path="$demo/rounded.onnx"
printed '^float32 is not enough'
expect 0 explain "$demo/linear.ini" ones.h5:/x -o large.h5 -q --check --target left --start one \
    -s model.path="$demo/explosive.onnx"
printed '^fc +lrp0 +1 +1 +350[0-9]\.?[0-9]* +350[0-9]'
printed '^float32 is enough'
exit $failed

#!/bin/sh
# test_activation.sh PROGRAM PROJECT: probabilities are the network's own. Guards: a Sigmoid at the end of a
# file that is read as Softmax, in silence.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null || exit 77
cd "$work" || exit 1
run="run $demo/linear.ini $numbers_only"

# probabilities FOLDER KIND: as KIND makes them of the record's logits; starts as lrp.start = auto.
probabilities() {
    /usr/bin/python3 - "$@" <<'END' || failed=1
import h5py, numpy as np, sys
f = h5py.File(sys.argv[1] + '/colors/relevance.h5')
z = f['tiles/logit'][()].astype(float)
p, start = f['tiles/probability'][()], f['tiles/start'][()]
soft = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
want = {'sigmoid': 1 / (1 + np.exp(-z)), 'softmax': soft, 'none': z}[sys.argv[2]]
begins = np.log(soft / (1 - soft)) if sys.argv[2] == 'softmax' else z
ok = np.allclose(p, want, atol=1e-6) and np.allclose(start, begins, rtol=1e-4, atol=1e-5)
print('' if ok else f'{sys.argv[1:]}: p {p[0]}, not {want[0]}; start {start[0]}, not {begins[0]}')
sys.exit(not ok)
END
}

expect 0 $run -s batch.output=soft -s lrp.start=auto
probabilities soft softmax
expect 0 $run -s batch.output=sigmoid -s lrp.start=auto -s model.path="$demo/sigmoid.onnx"
! grep -q warning stderr || complain "a warning: $(cat stderr)"
probabilities sigmoid sigmoid
# What contradicts the file is followed and said.
expect 0 run "$demo/linear.ini" -s outputs.report=off -s batch.output=forced -s lrp.start=auto \
    -s model.path="$demo/sigmoid.onnx" -s model.activation=softmax
said 'warning: model.activation = softmax, but the network ends in Sigmoid'
probabilities forced softmax
expect 0 run "$demo/linear.ini" -s outputs.report=off -s batch.output=none -s lrp.start=auto \
    -s model.path="$demo/sigmoid.onnx" -s model.activation=none
said 'warning: model.activation = none, but the network ends in Sigmoid'
probabilities none none
# One output behind a Softmax is refused (cases/field); its logit may be asked for.
expect 0 $run -s batch.output=one -s model.path="$demo/onesoft.onnx" -s model.activation=sigmoid
exit $failed

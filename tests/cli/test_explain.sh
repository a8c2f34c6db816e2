#!/bin/sh
# test_explain.sh PROGRAM PROJECT: tensors and pictures, targets, starts, layers, the heatmap. Guards:
# a picture that is scaled in another way than a slide's tiles, targets shifted by a sample.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

# A picture is its normalized pixels: the tensor that explain wrote of it gives the same numbers.
expect 0 explain "$demo/demo.ini" -s model.mean=0.5,0.4,0.3 -s model.std=0.2,0.25,0.5 \
    "$demo/picture.png" -o picture.h5
holds . picture-overlay.png picture.h5 picture.png stdout stderr
expect 0 explain -q "$demo/demo.ini" picture.h5:/input -o tensor.h5
checked same picture.h5 tensor.h5
checked picture picture.h5 "$demo/picture.png" picture.png
[ ! -e tensor.png ] || complain "a heatmap of a tensor"

# One target for all, one for each, by name and by number; the default is the predicted class.
three=$demo/tensors.h5:/three
expect 0 explain -q "$demo/demo.ini" "$three" --target tumor -o tumor.h5
checked explain tumor.h5 auto 1
expect 0 explain -q "$demo/demo.ini" "$three" --target 0,tumor,1 -o each.h5
checked explain each.h5 auto 0,1,1
expect 0 explain -q "$demo/demo.ini" "$demo/tensors.h5:/six" --target 0,1,1,0,0,1 --layers -o six.h5
checked explain six.h5 auto 0,1,1,0,0,1 22
expect 0 explain -q "$demo/demo.ini" "$three" -o predicted.h5
checked explain predicted.h5 auto predicted

for start in logit probability one logodds pair:0; do
    expect 0 explain -q "$demo/demo.ini" "$three" --target 1 --start $start -o start.h5
    checked explain start.h5 $start 1
done

# A network of one output has two classes, in the file too.
for target in 0 1; do
    expect 0 explain -q "$demo/linear.ini" -s model.path="$demo/one.onnx" "$three" \
        --target $target -o one$target.h5
    checked explain one$target.h5 logit $target
done
checked negated one0.h5 one1.h5

# Gradient x input of the log-odds is what they are made of: of a network without biases all of them. With
# LRP-0 in the last layer alone, or from the logits' own values, it had the wrong sign.
expect 0 explain -q "$demo/linear.ini" "$three" --target right --start auto \
    -s lrp.composite=gradient-x-input -o gradient.h5
/usr/bin/python3 - <<'END' || failed=1
import h5py, numpy as np, sys
with h5py.File('gradient.h5') as f:
    logits, total = f['logits'][:].astype(float), f['relevance_sum'][:]
odds = logits[:, 1] - logits[:, 0]
print('' if np.allclose(total, odds, rtol=1e-5) else f'{total} of log-odds {odds}', end='')
sys.exit(not np.allclose(total, odds, rtol=1e-5))
END

# 22 nodes; one sample and several take other sizes of the micro-batch.
expect 0 explain -q "$demo/demo.ini" "$three" --target 0,1,0 --layers --start logodds -o layers.h5
checked explain layers.h5 logodds 0,1,0 22
expect 0 explain -q "$demo/demo.ini" "$demo/picture.png" --target 1 --layers -o layers.h5
checked explain layers.h5 auto 1 22

# A sample does not depend on those beside it: alone it gives the same.
expect 0 explain -q "$demo/demo.ini" "$demo/picture.png" --target 1 -o alone.h5
checked near alone.h5 /relevance layers.h5 /relevance 0

# Fast is Winograd where oneDNN has it; where it has none the program says that it is f32, and so it is.
expect 0 explain "$demo/demo.ini" "$demo/picture.png" --target 1 -s compute.precision=fast -o fast.h5
if "$program" --version | grep -q '^oneDNN 2'; then
    grep 'Winograd' "$work/stderr" && complain "Winograd is denied"
else
    said 'warning: .*precision = fast is the same as f32'
    checked near fast.h5 /relevance alone.h5 /relevance 0
fi
exit $failed

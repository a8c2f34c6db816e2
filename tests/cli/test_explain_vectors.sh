#!/bin/sh
# test_explain_vectors.sh PROGRAM PROJECT: reference relevance through the command line: the tensor of
# the reference file itself, its starts, its tolerance. Guards: options that do not reach the rules.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
folder=${HISTOLRP_TESTDATA:-}/vectors/resnet_tiny
if [ ! -e "$folder/vectors.h5" ]; then
    echo "skipped: no reference vectors at $folder (set HISTOLRP_TESTDATA)"
    exit 77
fi
cat >"$work/c.ini" <<END
[model]
path = $folder/model.onnx
mpp = 0.5
mean = 0.485, 0.456, 0.406
std = 0.229, 0.224, 0.225
[lrp]
composite = lrp0-epsilon-gamma
start = logit
bias = keep
END

# The tolerance is 3e-5, or 30 times what float32 itself costs in the case.
# against CASE TOLERANCE ARGUMENTS…: /relevance and /logits.
against() {
    case=$1 tolerance=$2
    shift 2
    expect 0 explain -q "$work/c.ini" "$folder/vectors.h5:/input" -o "$work/o.h5" "$@"
    checked near "$work/o.h5" /relevance "$folder/vectors.h5" "/cases/$case/relevance" $tolerance
    checked near "$work/o.h5" /logits "$folder/vectors.h5" /logits 1e-5
}
target=$("$checks/show_list" "$folder/vectors.h5" /target)
against lrp0 3e-5 --target "$target" -s lrp.composite=lrp0
against seed_composite_norm 3e-3 --target "$target"
against seed_composite 3e-3 --target "$target" \
    -s "rules./layer3/*Conv=epsilon(0.25)" -s "rules./layer4/*Conv=epsilon(0.25)"
against seed_composite.probability 3e-3 --target "$target" --start probability \
    -s "rules./layer3/*Conv=epsilon(0.25)" -s "rules./layer4/*Conv=epsilon(0.25)"
against epsilon_gamma_box 3e-5 --target "$target" -s lrp.composite=epsilon-gamma-box
against epsilon_plus 3e-5 --target "$target" -s lrp.composite=epsilon-plus
exit $failed

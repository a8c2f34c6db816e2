#!/bin/sh
# test_run_targets.sh PROGRAM PROJECT: predicted, named and all targets, the gate, one output.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# One wide phantom holds tiles of either class only by luck: the logits of the linear network differ
# between glass and stain, so both classes are predicted.
expect 0 run "$demo/linear.ini" $numbers_only -s batch.output="$work/predicted" \
    -s lrp.target=predicted
checked targets "$work/predicted/colors/relevance.h5" predicted
checked result "$work/predicted/colors/relevance.h5" 2 2 512 384 8 48

expect 0 run "$demo/demo.ini" $numbers_only -s batch.output="$work/all"
expect 0 run "$demo/demo.ini" $numbers_only -s batch.output="$work/named" -s lrp.target=tumor
checked result "$work/named/wide/relevance.h5" 1 2 1024 768 8 20
checked plane "$work/named/wide/relevance.h5" 0 "$work/all/wide/relevance.h5" 1

# The gate's limit lies between the tiles' probabilities, so that some pass.
limit=$("$checks/show_median" "$work/all/wide/relevance.h5") || complain "no median"
expect 0 run "$demo/demo.ini" $numbers_only -s batch.output="$work/gated" -s gate.class=tumor \
    -s gate.probability="$limit" -s lrp.target=tumor
checked targets "$work/gated/wide/relevance.h5" gated "$limit"
checked result "$work/gated/wide/relevance.h5" 1 2 1024 768 8 20
checked sums "$work/gated/wide/relevance.h5"

for start in logit probability one logodds; do
    expect 0 run "$demo/linear.ini" $numbers_only -s batch.output="$work/one-$start" \
        -s model.path="$demo/one.onnx" -s model.activation=sigmoid -s lrp.start=$start
    checked targets "$work/one-$start/colors/relevance.h5" negated
done
exit $failed

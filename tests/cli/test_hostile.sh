#!/bin/sh
# test_hostile.sh PROGRAM PROJECT: files of few bytes or many nodes take neither hours nor all memory.
# The limits are far above what the program takes, and far below what it took: 4 GB for twenty constants,
# 12 GB for a matrix that layers share, a minute for 10⁵ nodes, for ever for values joined with themselves.
# shellcheck source=lib.sh disable=SC3045
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

# within STATUS ARGUMENTS…: ends with that status, in at most 20 s and 500 MB of address space.
within() {
    wanted=$1
    shift
    (
        ulimit -v 500000
        exec timeout 20 "$program" "$@"
    ) >stdout 2>stderr
    status=$?
    [ $status -eq "$wanted" ] || complain "$*: status $status, not $wanted: $(head -c 300 stderr)"
}

# A race detector's and a sanitizer's shadow memory takes more address space than there is.
(ulimit -v 500000 && "$program" --version >/dev/null 2>&1) || exit 77

for graph in "relu 10000" "double 60" "join 60" "fill 20" "product 400" "product 4000" "wide 2147483648" "relu 100000"; do
    # shellcheck disable=SC2086
    "$checks/make_graph" $graph "$(echo "$graph" | tr ' ' -).onnx" || complain "cannot make $graph"
done
within 0 inspect relu-10000.onnx
within 0 inspect double-60.onnx
[ "$(grep -c ' concat ' stdout)" -le 60 ] || complain "too many concatenations: $(wc -l <stdout)"
within 2 inspect join-60.onnx
said "node[0-9]+"
within 2 inspect fill-20.onnx
said 'constants made from nothing come to over 201326592 elements \(node node4, ConstantOfShape\)'
for count in 400 4000; do
    within 2 inspect product-$count.onnx
    said "layers share [0-9]* weights so often that they come to $((count * 512 * 512 + 6))"
done
within 2 inspect wide-2147483648.onnx
said 'cannot have the shape 1x3x2147483648x2147483648'
within 2 inspect relu-100000.onnx
said 'the network has 100003 nodes, over 50000'
within 2 run "$demo/linear.ini" -s batch.output=out -s model.path=wide-2147483648.onnx
exit $failed

#!/bin/sh
# test_bench_peers.sh PROGRAM PROJECT: scripts/bench_peers.py where nothing that it compares can be
# imported: a line for each peer, with the reason, then one error. Guards: a traceback, or silence about
# a package that stands in its folder and does not load (lxt beside another transformers).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
mkdir none
for name in torch timm zennit onnx numpy h5py; do
    echo "raise ModuleNotFoundError(\"No module named '$name'\")" >none/$name.py
done
bench() { # STATUS ARGUMENTS…
    wanted=$1
    shift
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=none /usr/bin/python3 "$project/scripts/bench_peers.py" "$@" \
        >stdout 2>stderr
    status=$?
    [ $status -eq "$wanted" ] || complain "bench_peers.py $*: status $status, not $wanted: $(cat stderr)"
}
bench 2 --program "$program"
for peer in 'LXT explicit' 'LXT efficient' zennit; do
    printed "^$peer: left out: ModuleNotFoundError: No module named 'torch'\$"
done
said "^bench_peers.py: error: nothing can be measured: ModuleNotFoundError: No module named 'numpy'\$"
[ "$(wc -l <stdout) $(wc -l <stderr)" = '3 1' ] || complain "more is said: $(cat stdout stderr)"
for name in torch timm onnx numpy h5py zennit; do
    : >none/$name.py
done
mkdir none/lxt
echo "raise ModuleNotFoundError(\"No module named 'transformers.utils.fx'\")" >none/lxt/__init__.py
bench 2 --program ./histolrp
printed "^LXT efficient: left out: .*'transformers.utils.fx'\$"
! grep -q '^zennit' stdout || complain "zennit is left out: $(cat stdout)"
said '^bench_peers.py: error: .*\./histolrp is not there: build it with scripts/build.sh release$'
bench 2 --batches 2,4
said '^bench_peers.py: error: --batches: 1 has to be among them'
exit $failed

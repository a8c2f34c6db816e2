#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_machines.sh PROGRAM PROJECT: tiles of two kinds of machines are not mixed unless asked for; a
# complete slide stays complete wherever it is run again. The other machine is this one with a smaller
# set of instructions. Guards: results whose bits depend on where a job was requeued, a whole batch
# that fails because its last slide was finished elsewhere.
# shellcheck disable=SC1091
. "$(dirname "$0")/../cli/lib.sh"
config="$demo/demo.ini $numbers_only --slide $demo/small.svs -s map.downsample=7"
out=$work/out

elsewhere() {
    DNNL_MAX_CPU_ISA=SSE41
    export DNNL_MAX_CPU_ISA
    expect "$@"
    unset DNNL_MAX_CPU_ISA
}

expect 0 run $config -s batch.output="$work/whole"
elsewhere 0 run $config -s batch.output="$work/whole"
before=$(stat -c %i "$work/whole/small/relevance.h5")
expect 0 run $config -s batch.output="$work/whole"
[ "$(stat -c %i "$work/whole/small/relevance.h5")" = "$before" ] || complain "a complete slide was computed again"

# What was begun elsewhere.
elsewhere 0 run $config -s batch.output="$out" --shard 1/2
expect 1 run $config -s batch.output="$out" --shard 1/2
said 'begun on another machine: it has .machine\.instructions = sse41., now it is .machine\.instructions = .*--any-processor'
expect 0 run $config -s batch.output="$out" --shard 1/2 --any-processor
expect 0 run $config -s batch.output="$out" --shard 2/2
expect 1 merge "$out"
said 'begun on another machine: .*--any-processor'
[ ! -e "$out/small/relevance.h5" ] || complain "machines were mixed without a word"
expect 0 merge -q "$out" --any-processor
checked near "$work/whole/small/relevance.h5" /tiles/logit "$out/small/relevance.h5" /tiles/logit 1e-5
checked json "$out/small/run.json" outcome=complete

# Other settings are refused all the same.
elsewhere 0 run $config -s batch.output="$work/other" --shard 1/2
expect 1 run $config -s batch.output="$work/other" --shard 1/2 --any-processor -s lrp.gamma=0.5
said 'lrp\.gamma'
exit $failed

#!/bin/sh
# test_bag_outputs.sh PROGRAM PROJECT: what people see of slides with one score each: tables, channels, QuPath's
# script, report and batch.csv tell the class and the score of the slide, and what the head says of each tile;
# the shown class is the slide's own where nothing else is asked for. Guards: an empty overlay of a class that
# the slide is not called by, columns and channels of nothing, attention taken for relevance.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
/usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null || {
    echo "skipped: python3-numpy and python3-h5py are not installed"
    exit 77
}
"$program" -q phantom --size 1536 --nests 1 --seed 1 nest.svs
"$program" -q phantom --size 1536 --normal --seed 2 normal.svs
cat >bag.ini <<END
[batch]
slides = nest.svs, normal.svs
output = out
[model]
path = $project/configs/demo-encoder.onnx
[mil]
head = $project/configs/demo-bag-head.onnx
pixels = top 25%
baselines = attention, single, drop, gradient-x-input
END
expect 0 run -q bag.ini
# A class that one of them is not called by, asked for by name; and the table of a rerun that has nothing to do.
expect 0 run bag.ini -s outputs.class=tumor -s lrp.target=predicted -s batch.output=named
said 'normal.svs: the slide was not called tumor: nothing to explain$'
cp out/batch.csv first.csv
expect 0 run -q bag.ini
cut -d, -f18- first.csv >before
cut -d, -f18- out/batch.csv >after
cmp before after || complain "a rerun forgets the scores: $(cat out/batch.csv)"
cp -r out shared
expect 0 run -q bag.ini -s batch.output=shared -s outputs.limit=batch -s outputs.smoothing=0
[ $failed = 0 ] || exit 1
/usr/bin/python3 "$project/tests/cli/bag_outputs.py" out named shared || failed=1

groovy=$(command -v groovy) && java=$(command -v java) || exit $failed
JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$java")")")
export JAVA_HOME
mkdir stubs
find "$project/tests/cli/qupath" -name '*.groovy' -exec "${groovy}c" -d stubs {} + || exit 1
# The stand-in's map is 60 wide and holds 200 + x in channel 2.
cd out/normal || exit 1
sed 's/^final int CHANNEL = .*/final int CHANNEL = 2/; s/^final double SMOOTHING = .*/final double SMOOTHING = 0d/' \
    qupath.groovy >other.groovy
for script in qupath other; do
    "$groovy" -cp "$work/stubs" -Dslide.width=1536 -Dslide.height=1536 -Dslide.path=normal.svs $script.groovy \
        >"$work/$script" 2>"$work/complaints" || complain "$script fails: $(head -5 "$work/complaints")"
done
grep -q '^relevance for normal: ' "$work/qupath" || complain "another class: $(cat "$work/qupath")"
grep -q '^attention: full color at +/-259.0, its largest value$' "$work/other" ||
    complain "another channel is not shown: $(cat "$work/other")"
exit $failed

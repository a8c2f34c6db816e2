#!/bin/sh
# test_run_agreement.sh PROGRAM PROJECT: whether map and network agree is measured and told: in
# relevance.h5, tables, run.json, batch.csv, the report, by explain, and in one warning for a batch.
# Guards: a slide that lights up red for a class that the network does not see, without a word.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
/usr/bin/python3 -c 'import h5py, numpy' 2>/dev/null || exit 77
cd "$work" || exit 1
# What is not looked at here; the report is.
plain="-s outputs.overlay=off -s outputs.ome_tiff=off -s outputs.qupath=off -s lrp.bias=keep \
-s lrp.start=logit -s lrp.warn_share=1000"
cp "$demo/colors.tif" one.tif
cp "$demo/colors.tif" two.tif
biased="$demo/linear.ini $plain -s model.path=$demo/biased.onnx -s lrp.target=right"
warned='map and network do not agree: '

agreement() { # FOLDER SLIDE WHAT
    /usr/bin/python3 "$project/tests/cli/check_agreement.py" "$@" || failed=1
}

counted() { # N PATTERN FILE
    have=$(grep -oE -- "$2" "$3" | wc -l)
    [ "$have" -eq "$1" ] || complain "$3 has $have of $2, not $1"
}

# Two slides on which every map has the other sign: one warning. 96 starts in pairs; the 10th percentile
# lies between the 10th and the 11th, so 86 are as clear.
expect 0 run $biased --slide one.tif --slide two.tif -s batch.output=bad
counted 1 "$warned" stderr
said "warning: ${warned}on 86 of 86 tiles .*\(100 %\) .*lrp.bias = share, lrp.start = auto"
agreement bad one differ
agreement bad two differ
counted 1 "Read the colors with care</h2><p>Map and network do not agree: on 86 of 86" bad/report.html
counted 2 'The network says left on 48 tiles; on 48 of them the map speaks for right: do not read red as right there\.' \
    bad/report.html
counted 2 '<strong>map and network do not agree</strong>' bad/report.html
cp bad/batch.csv before.csv

# A rerun computes nothing and says the same; so does the report that is rebuilt without the slides.
expect 0 run $biased --slide one.tif --slide two.tif -s batch.output=bad
counted 1 "$warned" stderr
agreement bad one differ
mkdir away && mv one.tif two.tif away
rm bad/report.html bad/batch.csv
expect 0 report bad
mv away/one.tif away/two.tif .
counted 1 "$warned" stderr
counted 1 'Read the colors with care' bad/report.html
agreement bad two differ

# A task for each slide: the first says nothing, as others are to come, the last speaks for all.
expect 0 run $biased --slide one.tif --slide two.tif -s batch.output=tasks --index 2
counted 0 "$warned" stderr
counted 1 'Read the colors with care' tasks/report.html
expect 0 run $biased --slide one.tif --slide two.tif -s batch.output=tasks --index 1
counted 1 "$warned" stderr
said "on 86 of 86"

# Nothing to warn of, and that is said, too.
expect 0 run "$demo/linear.ini" $plain -s lrp.target=right --slide one.tif -s batch.output=good
counted 0 "$warned" stderr
agreement good one agree
counted 1 'Map and network agree on 48 of 48 tiles\.' good/report.html
counted 0 'Read the colors' good/report.html
counted 0 'class="alarm"' good/report.html

# Two planes, in shards: figures over both, words about the shown one.
for shard in 1/3 3/3 2/3; do
    expect 0 run -q $biased --slide one.tif -s lrp.target=all -s outputs.class=right \
        -s batch.output=both --shard $shard
done
expect 0 merge both
counted 1 "$warned" stderr
agreement both one both
counted 1 'on 48 of them the map speaks for right' both/report.html

# All tiles gated out: nothing was compared, which is neither agreement nor its lack.
expect 0 run $biased --slide one.tif -s gate.class=right -s gate.probability=0.9 -s batch.output=gated
counted 0 "$warned" stderr
agreement gated one none
grep -q '"agreement": null' gated/one/run.json || complain "run.json of nothing: $(grep -A3 agreement gated/one/run.json)"
counted 0 'Map and network|do not read' gated/report.html

# A record of an earlier version is still shown, without a word on agreement.
for slide in one two; do
    /usr/bin/python3 - "bad/$slide/relevance.h5" <<'END' || complain "cannot make an old record"
import h5py, sys
f = h5py.File(sys.argv[1], 'r+')
del f['tiles/relevance_abs'], f['tiles/agrees']
END
    rm "bad/$slide/.outputs"
done
expect 0 run $biased --slide one.tif --slide two.tif -s batch.output=bad
counted 0 "$warned" stderr
agreement bad one none
counted 0 'do not read|Read the colors' bad/report.html

# explain: a line for each sample, and the same numbers in its file.
expect 0 explain $biased -s tiles.size=128 "$demo/picture.png" -o tile.h5
line=$(agreement tile.h5 - explain)
grep -qE "sample 0: predicted (left|right) \(probability [0-9.]+\), explained right: start \(logit\) " stderr &&
    grep -qF -- "$line" stderr || complain "explain says: $(cat stderr), not: $line"
expect 0 explain "$demo/demo.ini" "$demo/tensors.h5:/three" --target tumor -o three.h5
counted 3 'sample [012]: predicted .*, explained tumor: start ' stderr
exit $failed

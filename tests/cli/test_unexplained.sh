#!/bin/sh
# test_unexplained.sh PROGRAM PROJECT: what is not explained for the shown class is said and hatched, and
# a class that gate or outputs name is explained everywhere. Guards: a class explained in patches where
# the network happened to predict it, without a word; a map of nothing on a scale of 1.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
run="run $demo/linear.ini -s outputs.ome_tiff=off -s outputs.geojson=off -s outputs.csv=off"

planes() { # FOLDER NAMES: of the classes that have a map
    have=$(/usr/bin/python3 -c 'import h5py, sys
print(", ".join(c.decode() if isinstance(c, bytes) else c
                for c in h5py.File(sys.argv[1])["relevance"].attrs["classes"]))' "$1/relevance.h5")
    [ "$have" = "$2" ] || complain "$1 has maps of $have, not of $2"
}

# Around the slide's mean color both classes are predicted somewhere: the record tells how often.
expect 0 $run -s model.mean=0.59,0.47,0.57 -s batch.output=mixed -s lrp.target=predicted -s outputs.class=right
sentence=$(/usr/bin/python3 - <<'END'
import h5py, numpy as np
f = h5py.File('mixed/colors/relevance.h5')
p = f['tiles/probability'][()].argmax(axis=1)
assert 0 < p.sum() < len(p)
print(f'{(p == 1).sum()} of {len(p)} tiles are explained for right; hatched: {(p == 0).sum()} were called another class')
END
)
grep -qF "$sentence" stderr || complain "the log has not: $sentence: $(cat stderr)"
grep -qF "<p class=\"facts\">$sentence.</p>" mixed/report.html || complain "the report has not: $sentence"
grep -q 'Hatched: tiles that are not explained for right' mixed/report.html || complain "no legend"
grep -qF "NOTE = '$sentence'" mixed/colors/qupath.groovy || complain "the script has not: $sentence"

# On glass the network says right everywhere: there is nothing to explain for left, on no scale.
expect 0 $run --slide "$demo/white.tif" -s batch.output=none -s lrp.target=predicted -s outputs.class=left
said 'no tile was called left: nothing to explain \(of 48 tiles 48 were called another class\)'
grep -q 'No tile was called left: nothing to explain' none/report.html || complain "the report is silent"
! grep -q 'class="ramp"' none/report.html || complain "there is a scale of nothing"
grep -q 'relevance for left nowhere' none/report.html || complain "the report shows relevance of 0"

# A class that is named is the target: by outputs.class, by the gate, by both.
expect 0 $run $numbers_only -s lrp.target= -s batch.output=shown -s outputs.class=left
planes shown/colors left
expect 0 $run $numbers_only -s lrp.target= -s batch.output=gate -s gate.class=right -s gate.probability=0
planes gate/colors right
expect 0 $run $numbers_only -s lrp.target= -s batch.output=both -s gate.class=right -s gate.probability=0 \
    -s outputs.class=left
planes both/colors 'right, left'
expect 0 $run $numbers_only -s lrp.target= -s batch.output=neither
planes neither/colors 'left, right'
# Then another class to show is another result, not another color.
expect 1 $run $numbers_only -s lrp.target= -s batch.output=shown -s outputs.class=right
said 'made with other settings: .*explained'
exit $failed

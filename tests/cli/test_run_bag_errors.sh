#!/bin/sh
# test_run_bag_errors.sh PROGRAM PROJECT: what is wrong with a slide's features or with [mil] is said in one line,
# with the file or the key, and nothing of a result is left. Guards: features of another head or of another slide
# read as if they were this one's, a misspelt choice taken for none.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
/usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null || {
    echo "skipped: python3-numpy and python3-h5py are not installed"
    exit 77
}
/usr/bin/python3 "$project/tests/cli/make_features.py" . || complain "no features"
configs=$project/configs
"$program" -q phantom --size 400x300 --mpp 0.5 slide.svs
printf '[batch]\nslides = slide.svs\n[mil]\nhead = %s\n' "$configs/demo-bag-head.onnx" >bare.ini
printf '[batch]\nslides = slide.svs\n[model]\npath = %s\n[mil]\nhead = %s\n[regions]\nsource = all\n' \
    "$configs/demo-encoder.onnx" "$configs/demo-bag-head.onnx" >run.ini

# one PATTERN: the only error, like that.
one() {
    [ "$(grep -c '^histolrp: error: ' stderr)" = 1 ] || complain "not one error: $(cat stderr)"
    said "^histolrp: error: $1"
}

# features FILE PATTERN: the slide fails.
features() {
    expect 1 run -q bare.ini $numbers_only -s batch.output="of-$1" -s mil.features="$1.h5"
    one "$2"
    said "$1\.h5\)"
    holds "of-$1/slide" status.json
    checked json "of-$1/slide/status.json" state=failed
}
features narrow 'it has 23 features of a tile, but the head takes 24 \(.*: take the head that was trained on'
features wide 'it has 48 features of a tile, but the head takes 24 '
features whole-numbers 'its features are no table of numbers .*: give an HDF5 file with features \[N,D\] and coords'
features two-bags 'its features are no table of numbers '
features no-tiles 'its features are no table of numbers '
features not-finite 'a feature of tile 4 is not finite .*: make the features anew'
features no-features 'there is no dataset features'
features no-coords 'there is no dataset coords'
features too-few-coords 'it has features of 6 tiles, but coords \[5,2\]'
features coords-of-three 'it has features of 6 tiles, but coords \[6,3\]'
features coords-not-finite 'tile 5 lies at nan .*: give them in pixels of level 0'
features off 'tile 2, at 256, 100000, lies off the slide of 400 x 300 pixels .*: take the features of this very slide'
features no-size 'the file does not say how large its tiles are .*: set tiles.size and model.mpp'
features cut 'cannot open the file: truncated file'
features text 'cannot open the file: file signature not found'
features missing 'there is no such file'

# These are fine: as they are, and with the keys that were asked for.
expect 0 run -q bare.ini $numbers_only -s batch.output=fine -s mil.features=good.h5
expect 0 run -q bare.ini $numbers_only -s batch.output=told -s mil.features=no-size.h5 -s tiles.size=128 \
    -s model.mpp=0.5
checked same fine/slide/relevance.h5 told/slide/relevance.h5
# {stem} and {dir} are the slide's.
cp good.h5 slide-features.h5
expect 0 run -q bare.ini $numbers_only -s batch.output=named -s 'mil.features={dir}/{stem}-features.h5'
checked same fine/slide/relevance.h5 named/slide/relevance.h5

# configuration PATTERN SETTINGS…: no slide is begun.
configuration() {
    pattern=$1
    shift
    for setting; do
        set -- "$@" -s "$setting"
        shift
    done
    expect 2 run -q run.ini $numbers_only -s batch.output=none "$@"
    one "$pattern"
    [ ! -e none ] || complain "something was begun"
}
kinds='mil.pixels is none of the four kinds \(-s mil.pixels\): use none, all, top P% or mass P%'
configuration "$kinds" mil.pixels=some
configuration "$kinds" 'mil.pixels=top 0%'
configuration "$kinds" 'mil.pixels=mass 101%'
configuration "$kinds" 'mil.pixels=top 5'
known='mil.baselines has a name that is not known \(-s mil.baselines\): use none, or some of attention, single, drop'
configuration "$known" mil.baselines=attentoin
configuration "$known" mil.baselines=none,single
configuration 'the tiles of a bag have no classes of their own \(-s gate.class\): leave it out' gate.class=tumor
configuration 'model.head and mil.head are both set \(-s model.head\): set one' model.head="$configs/demo-model.onnx"
configuration 'the tiles lie where the file of mil.features says \(-s tiles.overlap\)' mil.features=good.h5 \
    tiles.overlap=0.5
configuration 'model.path is not set' model.path=
configuration 'cannot read the file: No such file or directory \(.*nowhere.onnx\)' mil.head=nowhere.onnx
configuration "the head's input has 4 axes, which is no bag of features \(.*demo-encoder.onnx\)" \
    mil.head="$configs/demo-encoder.onnx"
configuration 'of 16 tiles the head gives 16 scores, not one \(.*features.onnx\): export it with an output \[1,C\]' \
    mil.head="$demo/features.onnx" mil.features=good.h5
configuration 'the head takes 24 features of a tile, but there are 2 ' model.path="$configs/demo-model.onnx"
configuration 'the network has no output third, but logits ' mil.output=third
configuration "unknown class 'nobody' \(lrp.target\)" lrp.target=nobody
configuration 'mil.attention: "maybe" is unknown' mil.attention=maybe
exit $failed

#!/bin/sh
# test_run_slides.sh PROGRAM PROJECT: slides that need a word of their own, and one that is mostly gone.
# Guards: an override that is not used, that is warned of for every tile or not at all, pixels that are
# not square taken for square, a slide whose tiles fail called complete or empty.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

warnings() {
    [ "$(grep -c 'warning: wide.svs: mpp' stderr)" = "$1" ] || complain "not $1 warnings: $(cat stderr)"
}
run_wide() { # STATUS SETTINGS…
    wanted=$1
    shift
    # shellcheck disable=SC2086 # a list of settings
    expect "$wanted" run "$demo/demo.ini" ${numbers_only#-q} -s batch.output=out --force \
        --slide "$demo/wide.svs" "$@"
}
run_wide 0
warnings 0
run_wide 0 -s slide:wide.svs.mpp=0.26
warnings 0
checked json out/wide/run.json mpp_x=0.26 mpp_y=0.26 mpp_source=override
run_wide 0 -s slide:wide.svs.mpp=0.5
warnings 1
said 'mpp 0\.5 × 0\.5 is used as configured, but the slide.s openslide\.mpp-x says 0\.2527 × 0\.2527'
checked json out/wide/run.json tiles=48
run_wide 0 -s slide:wide.svs.mpp=0.25,0.5
checked json out/wide/run.json mpp_x=0.25 mpp_y=0.5 tiles=24
checked sums out/wide/relevance.h5
run_wide 2 -s slide:wide.svs.mpp=0.25,0.5,1
said '3 numbers for a slide.s mpp .*: give one number, or x and y'
run_wide 2 -s slide:wide.svs.mpp=40
said 'slide:NAME\.mpp: "40" is out of range'

# Every stored tile of it is damaged, on all levels.
cp "$demo/large.svs" damaged.svs
for at in $(LC_ALL=C grep -obUaP '\xff\xd8\xff' damaged.svs | cut -d: -f1); do
    dd if=/dev/zero of=damaged.svs bs=1 seek="$at" count=60 conv=notrunc 2>/dev/null
done
expect 1 run "$demo/demo.ini" -q -s batch.output=out --slide damaged.svs
said 'error: 42 of 42 tiles cannot be read \(damaged\.svs\): check the file for damage'
checked json out/damaged/status.json state=failed unreadable=42
[ ! -e out/damaged/relevance.h5 ] || complain "a result of nothing"
grep -q 'damaged.svs.*failed' out/batch.csv || complain "batch.csv: $(cat out/batch.csv)"
exit $failed

#!/bin/sh
# test_run_damaged.sh PROGRAM PROJECT: a slide with one tile that cannot be read: the rest is
# explained, and nothing of the damaged part is made up at full resolution. Guards: a slide given up
# for one bad tile, damage that nobody hears of.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cp "$demo/large.svs" "$work/damaged.svs"
# The first bytes of one JPEG tile in the middle of level 0.
at=$(LC_ALL=C grep -obUaP '\xff\xd8\xff' "$work/damaged.svs" | cut -d: -f1 | sed -n 9p)
dd if=/dev/zero of="$work/damaged.svs" bs=1 seek="$at" count=200 conv=notrunc 2>/dev/null

expect 0 run "$demo/demo.ini" -s batch.output="$work/out" --slide "$work/damaged.svs"
said 'warning: damaged\.svs: tile [0-9]+ is read from a coarser level: .*the file is damaged there'
checked sums "$work/out/damaged/relevance.h5"
checked json "$work/out/damaged/status.json" state=complete tiles=42
expect 0 run "$demo/demo.ini" -q -s batch.output="$work/whole" --slide "$demo/large.svs"
! "$checks/check_same" "$work/out/damaged/relevance.h5" "$work/whole/large/relevance.h5" >/dev/null ||
    complain "the damage had no effect: this test tests nothing"
exit $failed

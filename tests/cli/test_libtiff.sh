#!/bin/sh
# test_libtiff.sh PROGRAM PROJECT: what libtiff says while OpenSlide reads a damaged tile goes through
# the log: once, in its form, into its file, and nowhere with -q. Guards: lines of libtiff's own on
# standard error, among those that programs read.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
if ! command -v tiffinfo >/dev/null; then
    echo "skipped: tiffinfo is not installed"
    exit 77
fi
cd "$work" || exit 1
cp "$demo/colors.tif" damaged.tif
at=$(tiffinfo -s damaged.tif | sed -n 's/^ *0: \[ *\([0-9]*\), .*/\1/p' | head -1)
[ -n "$at" ] || complain "no tile is found"
dd if=/dev/zero of=damaged.tif bs=1 seek="$at" count=400 conv=notrunc 2>/dev/null

expect 0 run "$demo/linear.ini" -s batch.output=out --slide damaged.tif --log-json log.json
[ "$(grep -c '^histolrp: warning: libtiff: .*Decode: ' stderr)" = 1 ] || complain "not one line: $(cat stderr)"
tr '\r' '\n' <stderr | grep -v '^histolrp: ' | grep -i 'decod' && complain "libtiff printed by itself"
[ "$(grep -c '"level": "warning", "message": "libtiff: .*Decode: ' log.json)" = 1 ] ||
    complain "log.json: $(cat log.json)"
expect 0 run -q "$demo/linear.ini" -s batch.output=quiet --slide damaged.tif
[ ! -s stderr ] || complain "-q is not quiet: $(cat stderr)"
exit $failed

#!/bin/bash
# measure.sh FILE…: median, ninth decile and longest of functions and files, in lines. A function
# counts from the first line of its signature to its closing brace. Fails where the limits of
# CONTRIBUTING.md are passed, and names what passes them.
set -euo pipefail
measure() {
    awk '
    FNR == 1 { if (file != "") print "file", lines, file; file = FILENAME; inside = 0; start = 0 }
    { lines = FNR }
    /\\$/ { next }
    !inside && /^[A-Za-z_]/ { start = FNR; head = $0 }
    !inside && start && /\) \{$/ && head !~ /^(struct|union|enum|typedef)/ { inside = 1 }
    inside && /^}/ {
        inside = 0
        name = head
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        print "function", FNR - start + 1, file ":" start ":" name
    }
    END { print "file", lines, file }' "$@"
}
summary() { # KIND MEDIAN NINETY MOST, 0: no limit
    sort -k2n | awk -v kind="$1" -v median="$2" -v ninety="$3" -v most="$4" '
    $1 == kind { n++; size[n] = $2; where[n] = $3 }
    END {
        if (!n) exit
        m = size[int((n + 1) / 2)]; d = size[int(n * 0.9 + 0.999)]
        printf "%d %ss: median %d lines, nine in ten up to %d, longest %d (%s)\n",
            n, kind, m, d, size[n], where[n]
        if (median && m > median) { print "  median over " median; bad = 1 }
        if (ninety && d > ninety) { print "  nine in ten over " ninety; bad = 1 }
        for (i = n; i > 0 && size[i] > most; i--) {
            print "  over " most ": " where[i] " (" size[i] ")"; bad = 1
        }
        exit bad
    }'
}
all=$(measure "$@")
status=0
summary function 15 50 80 <<<"$all" || status=1
summary file 0 0 500 <<<"$all" || status=1
exit $status

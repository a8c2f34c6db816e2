#!/bin/bash
# count_tests.sh BUILD_FOLDER CTEST_OUTPUT: what a ctest run did, as one line. A cmocka program counts
# with each of its cases, a script with the line "N passed, N failed, N skipped" if its output has
# one, anything else as one test. A program that dies or is missing counts as a failure besides its
# cases, so that nothing passes by crashing early.
#
# What tests printed is in ctest's own log; how they ended only in what it printed (its log takes
# skipped and missing programs for passed).
set -euo pipefail
log=${1:?build folder}/Testing/Temporary/LastTest.log
awk '
function close_section(ended) {
    if (name == "") return
    ended = how[name]
    if (p + f + s == 0) {
        if (ended == "Passed") p = 1; else if (ended == "Skipped") s = 1; else f = 1
    } else if (ended != "Passed" && ended != "Skipped" && f == 0) {
        f = 1
    }
    passed += p; failed += f; skipped += s
    name = ""
}
FNR == NR {
    if (match($0, /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: /)) {
        rest = substr($0, RLENGTH + 1); split(rest, word, " ")
        how[word[1]] = rest ~ / Passed +[0-9.]+ sec/ ? "Passed" : rest ~ /\*\*\*Skipped/ ? "Skipped" : "Failed"
    }
    next
}
/^[0-9]+\/[0-9]+ Testing: / && name == "" { name = $3; p = f = s = inside = 0; seen[name] = 1 }
/^\[==========\].* Running [0-9]+ test/ { inside = 1 }
/^\[==========\].* test\(s\) run\./ { inside = 0 }
inside && /^\[       OK \]/ { p++ }
inside && /^\[  SKIPPED \]/ { s++ }
inside && /^\[  FAILED  \]/ { f++ }
/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5 }
/^".*" end time: / { close_section() }
END {
    close_section()
    for (test in how) if (!(test in seen)) failed++
    printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
}
' "${2:?output of ctest}" "$log"

#!/bin/bash
# count_tests.sh BUILD_FOLDER: what the last ctest run there did, as one line. A cmocka program
# counts with each of its cases, a script with the line "N passed, N failed, N skipped" if its output
# has one, anything else as one test. A program that dies counts as a failure besides its cases, so
# that nothing passes by crashing early.
set -euo pipefail
log=${1:?build folder}/Testing/Temporary/LastTest.log
awk '
function close_section() {
    if (name == "") return
    if (p + f + s == 0) {
        if (result == "passed") p = 1; else if (result == "skipped") s = 1; else f = 1
    } else if (result == "failed" && f == 0) {
        f = 1
    }
    passed += p; failed += f; skipped += s
    name = ""
}
/^[0-9]+\/[0-9]+ Test(ing)?: / { if (name == "") { name = $3; p = f = s = 0; result = "failed" } }
/^\[==========\].* Running [0-9]+ test/ { inside = 1 }
/^\[==========\].* test\(s\) run\./ { inside = 0 }
inside && /^\[       OK \]/ { p++ }
inside && /^\[  SKIPPED \]/ { s++ }
inside && /^\[  (FAILED  |ERROR   )\]/ { f++ }
/^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { p += $1; f += $3; s += $5 }
/^Test Passed\.$/ { result = "passed" }
/^Test (Skipped|Not Run)\.?/ { result = "skipped" }
/^Test (Failed|Timeout)/ { result = "failed" }
/^".*" end time: / { inside = 0; close_section() }
END { close_section(); printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }
' "$log"

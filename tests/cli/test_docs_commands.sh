#!/bin/sh
# test_docs_commands.sh PROGRAM PROJECT: every command in the documentation works (run_documented.py).
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
/usr/bin/python3 "$(dirname "$0")/run_documented.py" "$program" "$project" "$demo" || failed=1
exit $failed

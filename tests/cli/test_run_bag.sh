#!/bin/sh
# test_run_bag.sh PROGRAM PROJECT: slides with one score (mil.head), decoded by h5py: run_bag.py.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
/usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null || {
    echo "skipped: python3-numpy and python3-h5py are not installed"
    exit 77
}
/usr/bin/python3 "$project/tests/cli/run_bag.py" "$program" "$project/configs" "$work"

#!/bin/sh
# test_full_disk.sh PROGRAM PROJECT: what could not be written to standard output is an error.
# Guards: a truncated `histolrp config > file` that reports success.
set -u
program=$1
if [ ! -c /dev/full ]; then
    echo "skipped: no /dev/full"
    exit 77
fi

# expect_full ARGUMENTS…: status 1 and one line. Long texts fail on the way, short ones at the close.
expect_full() {
    message=$("$program" "$@" 2>&1 >/dev/full)
    status=$?
    case $message in
    'histolrp: error: cannot write: '*' (standard output): '*) ;;
    *) echo "$*: $message" && exit 1 ;;
    esac
    if [ $status -ne 1 ]; then
        echo "$*: status $status, not 1"
        exit 1
    fi
}
expect_full config
expect_full --version

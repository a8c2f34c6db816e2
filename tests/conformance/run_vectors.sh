#!/bin/sh
# Runs every folder of reference vectors, or says that they are not there.
runner=$1 vectors=$2
if ! [ -d "$vectors" ]; then
    echo "skipped: no reference vectors at $vectors (set HISTOLRP_TESTDATA)"
    exit 77
fi
exec "$runner" "$vectors"/*/

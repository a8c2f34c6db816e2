#!/bin/sh
# Runs ONNX's own cases, or says that they are not there.
runner=$1 data=$2
if ! [ -d "$data/node-1.17" ]; then
    echo "skipped: no ONNX cases at $data (set HISTOLRP_TESTDATA)"
    exit 77
fi
exec "$runner" "$data/node-1.17" "$data"/pytorch/*/

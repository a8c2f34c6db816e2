#!/bin/sh
# test_export_torch.sh PROGRAM PROJECT: scripts/export_torch.py on networks of its own. Needs torch and
# onnx (scripts/setup.sh long); HISTOLRP_PYTHON names another Python that has them.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
python=${HISTOLRP_PYTHON:-/usr/bin/python3}
"$python" -c 'import h5py, onnx, torch' 2>/dev/null || {
    echo "skipped: $python has no torch, onnx and h5py"
    exit 77
}
cd "$work" || exit 1
PYTHONDONTWRITEBYTECODE=1 "$python" "$project/tests/cli/export_torch.py" "$program" "$project"

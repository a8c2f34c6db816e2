#!/bin/bash
# The README's two commands on a Debian that was just installed: fresh_debian.sh SUITE [FOLDER], SUITE as
# debootstrap names it (bookworm, trixie). It is made in FOLDER, which is kept and is taken as it is
# if a Debian is there already, or in a temporary folder. Needs root, debootstrap, the package mirror and
# 8 GB; where one of the first two is missing the exit status is 77. HISTOLRP_TESTDATA is lent to it,
# for reading.
set -euo pipefail
suite=${1:?suite, such as trixie}
project=$(cd "$(dirname "$0")/.." && pwd)
data=${HISTOLRP_TESTDATA:-}

skip() {
    echo "skipped: $*"
    exit 77
}
[ "$(id -u)" -eq 0 ] || skip "only root can install a Debian into a folder"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
unshare --mount --pid --fork true 2>/dev/null || skip "this machine allows no mounts of a process's own"

if [ $# -gt 1 ]; then
    mkdir -p "$2"
    root=$(cd "$2" && pwd)
else
    root=$(mktemp -d -p /var/tmp)
    trap 'rm -rf --one-file-system "$root"' EXIT
fi
chmod 755 "$root" # some tests run as another user
if [ ! -x "$root/usr/bin/apt-get" ]; then
    echo "Installing Debian $suite"
    debootstrap --variant=minbase "$suite" "$root" >"$root.log" 2>&1 || {
        tail -20 "$root.log" >&2
        exit 1
    }
    rm "$root.log"
fi
rm -rf --one-file-system "$root/histolrp"
mkdir -p "$root/histolrp" "$root/testdata"
tar -C "$project" --exclude='./build*' --exclude=./demo --exclude=./.git -c . | tar -C "$root/histolrp" -x

# Nothing stays mounted: what is mounted here ends with the process that sees it.
inside() {
    # shellcheck disable=SC2016 # expanded there
    root=$root data=$data unshare --mount --pid --fork --kill-child bash -euc '
        mount -t proc proc "$root/proc"
        mount --rbind /sys "$root/sys"
        mount --rbind /dev "$root/dev"
        mount -t tmpfs tmpfs "$root/dev/shm"
        [ -z "$data" ] || mount --bind -o ro "$data" "$root/testdata"
        exec env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin ${data:+HISTOLRP_TESTDATA=/testdata} \
            chroot "$root" bash -euc "cd /histolrp && $1"' inside "$1"
}
inside scripts/demo.sh
inside "build/histolrp --version"
inside scripts/test.sh

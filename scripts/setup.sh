#!/bin/bash
# Installs what is needed, and nothing that is there already: setup.sh [GROUP…], groups of
# packages.txt; without one: build. Debian 12 or 13, as root or with sudo, asks nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

groups=("$@")
[ ${#groups[@]} -gt 0 ] || groups=(build)

wanted() {
    local group release
    release=$(. /etc/os-release && echo "${VERSION_ID:-}")
    for group in "${groups[@]}"; do
        awk -v g="$group" -v release="$release" '
            $1 == g { n++ }
            $1 == g && ($3 !~ /^[0-9]+$/ || $3 == release) { print $2 }
            END { exit n == 0 }' "$here/packages.txt" || {
            echo "setup.sh: no group '$group' in packages.txt" >&2
            return 2
        }
    done
}

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

list=$(wanted)
missing=()
for package in $list; do
    installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "setup.sh: run as root, or install by hand: apt-get install ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

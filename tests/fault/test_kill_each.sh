#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_kill_each.sh PROGRAM PROJECT: killed at a write, a sync or a rename, then run again: the same
# bits. Every rename, every second sync, every eighth write; all of them with HISTOLRP_KILLS=100.
# Guards: a half-written file under its final name, a journal that is not taken up, locks and
# temporary files that stay.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"
need_strace
run=$config
plain
kills=0
sync_step=2 write_step=8
[ "${HISTOLRP_KILLS:-20}" -lt 100 ] || sync_step=1 write_step=1

# each STEP CALLS: until a run is over before the N-th of them.
each() {
    n=1
    while :; do
        disturbed -e trace="$2" -e inject="$2:signal=KILL:when=$n"
        [ $status -eq 137 ] || break
        completes "a kill at $2 $n" small
        kills=$((kills + 1))
        n=$((n + $1))
    done
    [ $status -eq 0 ] || complain "$2 $n: status $status: $(cat "$work/stderr")"
    [ $n -gt 10 ] || complain "only $n calls of $2"
}
each 1 rename
each $sync_step fsync,fdatasync
each $write_step write,pwrite64
echo "$kills kills survived, 0 differences"
exit $failed

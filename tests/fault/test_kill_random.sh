#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_kill_random.sh PROGRAM PROJECT: killed again and again at random moments of two slides on two
# threads, each time taken up where it was. HISTOLRP_KILLS kills (default 20), from seed 1.
# Guards: what only a moment between two calls brings to light.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"
run=$two
plain
kills=0
seed=1
while [ $kills -lt "${HISTOLRP_KILLS:-20}" ]; do
    [ -e "$work/out/batch.csv" ] && rm -rf "$work/out"
    # Up to 0.6 s: a whole run takes about that long.
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    after=$(printf '0.%03d' $((seed / 65536 % 600 + 1)))
    "$program" run $run -t 2 -s batch.output="$work/out" \
        >"$work/stdout" 2>"$work/stderr" </dev/null &
    pid=$!
    timeout "$after" tail --pid=$pid -f /dev/null
    kill -KILL $pid 2>/dev/null
    wait $pid
    status=$?
    case $status in
    137) kills=$((kills + 1)) ;;
    0) ;;
    *) complain "status $status after a kill: $(cat "$work/stderr")" && break ;;
    esac
    for slide in small wide; do
        result=$work/out/$slide/relevance.h5
        [ ! -e "$result" ] || checked same "$work/plain/$slide/relevance.h5" "$result"
    done
    [ $((kills % 5)) -ne 0 ] || [ $status -eq 0 ] || completes "kill $kills" small wide
    [ $failed -eq 0 ] || break
done
completes "all kills" small wide
echo "$kills kills survived, $failed differences"
exit $failed

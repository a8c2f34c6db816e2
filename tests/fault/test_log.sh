#!/bin/sh
# shellcheck disable=SC2154,SC2034
# test_log.sh PROGRAM PROJECT: the log for programs. Guards: lines that are no JSON, a slide's end or a
# failure that is not in it.
# shellcheck disable=SC1091
. "$(dirname "$0")/lib.sh"
log=$work/log.json
expect 1 run $config --slide "$work/gone.svs" --slide "$demo/wide.svs" -s batch.output="$work/out" --log-json "$log"
python3 - "$log" <<'END' || complain "the log: $(cat "$log")"
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert all(len(line["time"]) == 20 for line in lines)
states = [(l["slide"]["slide"].split("/")[-1], l["slide"]["state"]) for l in lines if "slide" in l]
assert ("wide.svs", "running") in states and ("wide.svs", "complete") in states, states
assert any(l.get("level") == "error" and "gone.svs" in l["message"] for l in lines)
assert any("wide.svs: complete" in l.get("message", "") for l in lines), "-q is for the terminal"
assert lines[-1]["level"] == "error" and "1 of 3 slides failed" in lines[-1]["message"]
END
before=$(wc -l <"$log")
expect 0 run $config -s batch.output="$work/out" --log-json "$log"
[ "$(wc -l <"$log")" -gt "$before" ] || complain "the second run did not append"
expect 2 run $config -s batch.output="$work/out" --log-json "$work/no/log.json"
said 'the log cannot be opened'
exit $failed

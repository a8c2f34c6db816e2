#!/bin/sh
# test_little_memory.sh PROGRAM PROJECT: whatever the limit on memory, the program ends with a status of
# its own and one line of error, or does what was asked. Guards: crashes inside libraries that do not look
# at what they got (oneDNN's code buffers, OpenSlide's glib).
# shellcheck source=lib.sh disable=SC3045
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
# The least limit, in kB, at which the program can be loaded at all.
least=100000
until (ulimit -v $least && "$program" --version) >/dev/null 2>&1; do
    least=$((least + 2000))
    [ $least -lt 2000000 ] || { echo "skipped: no limit on memory, or a sanitizer that takes all addresses" && exit 77; }
done

# limited KB ARGUMENTS…
limited() {
    (ulimit -v "$1" && ulimit -c 0 && shift && exec "$program" "$@") >stdout 2>stderr
    status=$?
    case $status in
    0) ended=$((ended + 1)) ;;
    1 | 2)
        refused=$((refused + 1))
        grep -Eq 'memory|libgomp: Thread creation failed' stderr || complain "at $1 kB: $(cat stderr)"
        ;;
    *) complain "histolrp $2 at $1 kB: status $status, $(cat stderr)" ;;
    esac
}
ended=0 refused=0 limit=$least
while [ $limit -lt $((least + 130000)) ]; do
    limited $limit explain -q "$demo/demo.ini" "$demo/tensors.h5:/three" -o out.h5
    limited $limit run -q "$demo/demo.ini" -s batch.output=out --force -t 2
    limit=$((limit + 5000))
done
if [ $ended = 0 ] || [ $refused = 0 ]; then
    complain "$ended runs ended, $refused were refused"
fi
exit $failed

#!/bin/sh
# test_run_names.sh PROGRAM PROJECT: a slide whose name is no UTF-8 (an é of Latin-1) is found, run, and
# found complete again; every text file is UTF-8 and shows the name with U+FFFD. Guards: a batch.csv
# and a report.html that no reader opens because of one name.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
name=$(printf 'sl\351ide')
cp "$demo/colors.tif" "$name.tif" || exit 1
for _ in begin again; do
    expect 0 run -q "$demo/linear.ini" --slide "$name.tif" -s batch.output=out
    /usr/bin/python3 - <<'END' || failed=1
import csv, glob, os, sys
bad = []
texts = [p for p in glob.glob(b'out/**', recursive=True)
         if p.endswith((b'.csv', b'.html', b'.json', b'.geojson', b'.groovy'))]
for path in texts:
    text = open(path, 'rb').read()
    try:
        text.decode('utf-8')
    except UnicodeDecodeError as error:
        bad.append(f'{path}: {error}')
row, = csv.DictReader(open('out/batch.csv', encoding='utf-8', newline=''))
if not row['slide'].endswith('sl\ufffdide.tif') or row['state'] != 'complete':
    bad.append(f'the row says {row}')
if 'sl\ufffdide' not in open('out/report.html', encoding='utf-8').read():
    bad.append('the page does not name the slide')
if len(texts) < 6 or not os.path.isfile(b'out/sl\xe9ide/relevance.h5'):
    bad.append(f'there are {texts}')
print('\n'.join(bad), end='\n' if bad else '')
sys.exit(bool(bad))
END
done
[ "$(find out -name relevance.h5 | wc -l)" = 1 ] || complain "more than one result"
exit $failed

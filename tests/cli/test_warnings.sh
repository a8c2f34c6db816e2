#!/bin/sh
# test_warnings.sh PROGRAM PROJECT: what a slide's run warns of stays with the slide: run.json,
# batch.csv and report.html say it, also with -q, of a slide that failed, after shards were joined, and
# until it is said no more. Guards: a warning that only a terminal saw.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1

# kept N PATTERN FOLDER: run.json of the slide, its row and the page have N warnings like PATTERN.
kept() {
    /usr/bin/python3 - "$@" <<'END' || failed=1
import csv, html, json, os, re, sys
count, pattern, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3]
said = json.load(open(os.path.join(folder, 'run.json')))['warnings']
like = [text for text in said if re.search(pattern, text)]
page = html.unescape(open(os.path.join(folder, '../report.html'), encoding='utf-8').read())
shown = [text for text in re.findall('<li>(.*?)</li>', page) if re.search(pattern, text)]
rows = list(csv.DictReader(open(os.path.join(folder, '../batch.csv'), newline='')))
row, = [r for r in rows if r['slide'].split('/')[-1].startswith(os.path.basename(folder) + '.')]
total = re.search(r'>(\d+) warnings?</a>', page)
complaints = [f'run.json has {said}'] if len(like) != count else []
complaints += [f'the page shows {shown}'] if len(shown) != count else []
complaints += [f"batch.csv counts {row['warnings']} of {said}"] if int(row['warnings']) != len(said) else []
complaints += ['the table has no number'] if said and (not total or int(total[1]) != len(said)) else []
print('\n'.join(f'{pattern}: {c}' for c in complaints), end='\n' if complaints else '')
sys.exit(bool(complaints))
END
}

# An outline that crosses itself, a resolution that contradicts the slide.
cat >wide.geojson <<'END'
{"type": "Feature", "properties": {"classification": {"name": "a"}}, "geometry": {"type": "Polygon",
 "coordinates": [[[0, 0], [1000, 760], [1000, 0], [0, 760], [0, 0]]]}}
END
cat >more.ini <<END
[batch]
slides = $demo/wide.svs
output = out
[model]
path = $demo/demo.onnx
[lrp]
target = tumor
[regions]
source = annotation
annotation = $work/{stem}.geojson
[slide:wide]
mpp = 0.5
END
expect 0 run -q more.ini
[ ! -s stderr ] || complain "-q is not quiet: $(cat stderr)"
kept 1 '^.*wide.geojson: 1 shapes cross themselves' out/wide
kept 1 "^mpp 0.5 . 0.5 is used as configured" out/wide
# Said once more by a rerun, kept once.
expect 0 run -q more.ini
kept 1 'is used as configured' out/wide # a rerun was refused: its key had slide.mpp twice
# That a layer loses much is no warning, but stands in the account.
expect 0 run -q more.ini --force -s lrp.bias=keep -s lrp.start=logit
grep -q '<p>The layer .* of the relevance that reaches it' out/report.html || complain "no layer is named"
expect 0 run -q more.ini -s lrp.bias=keep -s lrp.start=logit -s lrp.warn_share=1000
! grep -q '<p>The layer ' out/report.html || complain "a layer is named that loses less than asked"
kept 1 'cross themselves' out/wide

# A slide that failed has no section: its row says all.
sed -i 's/\[\[0, 0\].*/[[8000, 0], [9000, 760], [9000, 0], [8000, 760], [8000, 0]]]}}/; s/\[\[\[8/[[[8/' wide.geojson
expect 1 run -q more.ini -s batch.output=bad
grep -q '<li>[^<]*wide.geojson: [^<]*</li>' bad/report.html || complain "no warning of a slide that failed"
[ ! -e bad/wide/run.json ] || complain "a slide that failed has a record"

# Tissue that is hardly credible: of a slide that is nothing but color, and of one that is nothing but
# glass, which also says that it has no tile.
for slide in colors white; do
    expect 0 run "$demo/linear.ini" -s batch.output=doubt -s regions.source=tissue --slide "$demo/$slide.tif"
    said "warning: .*$slide\.tif: [0-9.]* % of the slide is taken for tissue: if there is (glass|more), "
done
kept 1 '^100\.0 % of the slide is taken for tissue: .*tissue_saturation_ceiling.*red ink' doubt/colors
kept 1 '^0 % of the slide is taken for tissue: .*tissue_saturation_floor' doubt/white
expect 0 run "$demo/linear.ini" -s batch.output=all --slide "$demo/colors.tif"
kept 0 'taken for tissue|has no color' all/colors
# A slide without color, whatever is looked at.
expect 0 run "$demo/linear.ini" -s batch.output=doubt -s regions.source=tissue --slide "$demo/grey.tif"
kept 1 '^the slide has no color, by which tissue is told from glass: .*regions\.source' doubt/grey
kept 0 'has no color: a network' doubt/grey
expect 0 run "$demo/linear.ini" -s batch.output=all --slide "$demo/grey.tif"
kept 1 '^the slide has no color: a network for stained slides' all/grey

# Damage that one shard met is known after all of them are joined.
cp "$demo/large.svs" damaged.svs
at=$(LC_ALL=C grep -obUaP '\xff\xd8\xff' damaged.svs | cut -d: -f1 | sed -n 9p)
dd if=/dev/zero of=damaged.svs bs=1 seek="$at" count=200 conv=notrunc 2>/dev/null
for shard in 1/3 2/3 3/3; do
    expect 0 run -q "$demo/demo.ini" --slide damaged.svs -s batch.output=shards --shard $shard
done
expect 0 merge -q shards
kept 1 '^tile 9 is read from a coarser level' shards/damaged
exit $failed

#!/bin/sh
# test_report.sh PROGRAM PROJECT: report.html: a row for every slide, escaped names, the network that
# looks at ink exposed and the honest one not, one limit for a batch, and the command that rebuilds
# it. How it looks in a browser: test_browser.sh.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
name='<script>document.title="taken"<img src=x onerror=alert(1)>'

mkdir slides
"$program" -q phantom --size 4096 --seed 3 --pen "slides/$name.svs"
"$program" -q phantom --size 1536 --seed 8 --normal slides/normal.svs
echo "no slide" >slides/broken.svs
cat >report.ini <<END
[batch]
slides = slides
output = honest
[model]
path = $project/configs/demo-model.onnx
[lrp]
target = tumor
[outputs]
limit = batch
END
expect 1 run -q report.ini
expect 1 run -q report.ini -s model.path="$project/configs/cheating-model.onnx" -s batch.output=cheat
page=honest/report.html

# counted N PATTERN FILE
counted() {
    have=$(grep -oE -- "$2" "$3" | wc -l)
    [ "$have" -eq "$1" ] || complain "$3 has $have of $2, not $1"
}
counted 3 '<tr[^>]*><th scope="row" data-v=' "$page"
counted 2 '<section class="slide"' "$page"
counted 1 'class="state failed"' "$page"
grep -q 'OpenSlide does not know this format' "$page" || complain "no reason of the failure"
if grep -qE '<script>document|<img src=x' "$page"; then complain "a name became markup"; fi
grep -q '&lt;script&gt;document.title=&quot;taken&quot;&lt;img' "$page" || complain "no escaped name"
# Nothing is fetched: the only addresses are data and anchors.
if grep -oE '(src|href)="[^"]{0,12}' "$page" | grep -vE '="(data:image/|#)'; then
    complain "$page loads something from elsewhere"
fi
[ "$(wc -c <"$page")" -lt 1000000 ] || complain "$page: $(wc -c <"$page") bytes for two slides"

# The network that was trained to see ink, and the one that was not.
grep -q 'The network looks where no tissue is, on 1 of 3 slides' cheat/report.html ||
    complain "the cheating network is not exposed"
grep -q 'the network looks at pen mark: ' cheat/report.html || complain "no warning of the pen mark"
if grep -q 'The network looks where' "$page"; then complain "the honest network is accused"; fi
grep -q 'On none of the slides with results (2)' "$page" || complain "no word for the honest network"

# outputs.limit = batch: one limit in both scripts; a rerun leaves the pictures alone.
one=$(grep -h 'LIMIT =' "honest/$name/qupath.groovy")
two=$(grep -h 'LIMIT =' honest/normal/qupath.groovy)
[ -n "$one" ] && [ "$one" = "$two" ] || complain "limits of one batch: $one, $two"
grep -aq 'limit from: percentile of the batch' honest/normal/overlay.tif ||
    complain "overlay.tif does not say where its limit is from"
# legends LIMIT KIND: the small overlay and the pairs of both slides are colored as the outputs are.
legends() {
    counted 2 "\\+$1 for tumor" "$page"
    counted 2 "full color: $2" "$page"
    counted 2 "Full color at ±$1 relevance per map pixel \\($2\\)" "$page"
}
legends "$(printf '%s\n' "$one" | awk '{ printf "%.3g", $NF + 0 }')" 'percentile of the batch'
before=$(ls -i honest/normal/overlay.tif)
expect 1 run -q report.ini
[ "$before" = "$(ls -i honest/normal/overlay.tif)" ] || complain "a rerun made the overlay again"
expect 1 run -q report.ini -s outputs.limit=slide
two=$(grep -h 'LIMIT =' honest/normal/qupath.groovy)
[ "$one" != "$two" ] || complain "a slide's own limit is the batch's"
counted 2 'full color: percentile of this slide' "$page"
expect 1 run -q report.ini -s outputs.limit=0.0123
legends 0.0123 'given number'

# From the folders alone.
rm -r slides honest/report.html honest/batch.csv
expect 0 report honest
counted 2 '<section class="slide"' "$page"
[ "$(wc -l <honest/batch.csv)" -eq 4 ] || complain "batch.csv: $(cat honest/batch.csv)"
mkdir empty
expect 1 report empty
said 'no slide has results there'
expect 1 report nowhere
said 'there is no such folder'

# compare: a panel for a picture and for a tensor; its input is spared.
expect 0 compare report.ini "$demo/picture.png" -o panel.png
said 'gamma: class tumor, start .*, sum '
said 'lrp0-gamma: class tumor'
[ "$(head -c 4 panel.png | tail -c 3)" = PNG ] || complain "panel.png is no PNG"
cp "$demo/picture.png" mine.png
# --grid: three rows of the tile and five maps.
expect 0 compare report.ini "$demo/picture.png" -o grid.png --grid
/usr/bin/python3 - <<'PY' || complain "the grid is not 3 x 6 cells"
import struct
row = struct.unpack('>II', open('panel.png', 'rb').read(24)[16:])
grid = struct.unpack('>II', open('grid.png', 'rb').read(24)[16:])
assert grid == (row[0], 3 * row[1]), (row, grid)
PY
expect 2 compare report.ini mine.png -o mine.png
said 'would overwrite the input'
cmp -s mine.png "$demo/picture.png" || complain "the input was overwritten"
expect 2 compare report.ini "$demo/picture.png"

exit $failed

#!/bin/sh
# test_browser.sh PROGRAM PROJECT: report.html in headless Chromium: it shows, it sorts, it fits on a
# desk, on a phone and on paper, nothing complains, and a slide named <script> stays text.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
browser=$(command -v chromium || command -v chromium-browser) || {
    echo "skipped: Chromium is not installed"
    exit 77
}
cd "$work" || exit 1
name='<script>document.title="taken"<img src=x onerror=alert(1)>'
mkdir slides
cp "$demo/wide.svs" "slides/$name.svs"
cp "$demo/small.svs" slides/small.svs
echo "no slide" >slides/broken.svs
expect 1 run -q "$demo/demo.ini" -s batch.slides=slides -s batch.output=out -s outputs.overlay=off \
    -s outputs.ome_tiff=off -s outputs.geojson=off -s outputs.csv=off -s outputs.qupath=off
page=out/report.html

# browse WIDTH OPTIONS…: what the page's console says goes to console, what the browser prints to dom.
browse() {
    width=$1
    shift
    "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
        --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$work/browser" \
        --window-size="$width",900 --enable-logging=stderr --v=0 "$@" 2>log >dom
    grep CONSOLE log >console
}
browse 1280 --dump-dom "file://$work/$page"
[ ! -s console ] || complain "the console says: $(cat console)"
grep -q '<title>Relevance report</title>' dom || complain "the title is not the page's: $(head -c 300 dom)"
grep -q '&lt;script&gt;document' dom || complain "the name of the slide is not shown"

# A copy that tells of itself: its policy would not let it.
{
    grep -v 'Content-Security-Policy' "$page"
    cat <<'END'
<script>
function tiles() {
    return Array.prototype.map.call(document.querySelectorAll("table.batch tbody tr"), function (r) {
        return r.cells[2].dataset.v;
    }).join(" ");
}
window.onload = function () {
    var head = document.querySelectorAll("table.batch thead th")[2], root = document.documentElement;
    var images = Array.prototype.slice.call(document.images), order;
    head.querySelector("button").click();
    order = tiles() + " " + head.getAttribute("aria-sort");
    head.querySelector("button").click();
    document.title = "told: " + order + "; " + tiles() + " " + head.getAttribute("aria-sort") +
        "; images " + images.filter(function (i) { return i.naturalWidth > 0 && i.alt; }).length +
        " of " + images.length + "; scripts " + document.scripts.length +
        "; fits " + (root.scrollWidth <= window.innerWidth);
};
</script>
END
} >told.html
for width in 1280 500; do
    browse $width --dump-dom "file://$work/told.html"
    told=$(grep -o 'told: [^<]*' dom | head -1)
    # The slide that failed has no tiles: it stays last.
    echo "$told" | awk '{ exit !($4 == "descending;" && $7 == "ascending;" && $2 > $3 && $2 == $6 &&
        $3 == $5) }' || complain "at $width the table does not sort: $told"
    echo "$told" | awk '{ exit !($8 == "images" && $9 + 0 > 4 && $9 + 0 == $11 + 0) }' ||
        complain "at $width a picture does not show or has no words: $told"
    echo "$told" | grep -q 'scripts 2; fits true$' || complain "at $width: $told"
done
browse 1280 --print-to-pdf=page.pdf "file://$work/$page"
[ "$(head -c 5 page.pdf)" = "%PDF-" ] || complain "it cannot be printed: $(tail -3 log)"
exit $failed

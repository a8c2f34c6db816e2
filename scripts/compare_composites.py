#!/usr/bin/python3
"""What each composite, start and bias does to the map, on networks and slides of known truth.

    scripts/compare_composites.py --slide CMU-1-Small-Region.svs epsilon-plus/logodds/share …

Runs the built program over four networks (configs/demo-model.onnx, configs/cheating-model.onnx,
tests/data/*.onnx), phantoms with and without tumor, and the slides named by --slide; target tumor,
one map pixel per level-0 pixel. A candidate is COMPOSITE/START/BIAS; COMPOSITE is one of the
program's or of MIXES below. The table is in Markdown, a row per candidate: the worst network where a
share or a factor is asked for. --each adds a row per network.

A tile is low if p(tumor) < 5 %, high if > 95 %. Needs Debian's python3-numpy, python3-h5py and
python3-pil (run with /usr/bin/python3). The same options give the same figures, time apart.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np
from PIL import Image

TILE, MPP = 128, 0.5
LOW, HIGH = 0.05, 0.95
HOME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
NETWORKS = {"demo": "configs/demo-model.onnx", "cheating": "configs/cheating-model.onnx",
            "maxpool": "tests/data/maxpool-model.onnx",
            "depthwise": "tests/data/depthwise-model.onnx"}
# Combinations that no named composite gives. Values of the program's keys.
MIXES = {
    "gamma-lrp0": ["lrp.composite=gamma", "rules.@linear=lrp0"],
    "gamma0.5-lrp0": ["lrp.composite=gamma", "lrp.gamma=0.5", "rules.@linear=lrp0"],
    "gamma1-lrp0": ["lrp.composite=gamma", "lrp.gamma=1", "rules.@linear=lrp0"],
    "gamma2-lrp0": ["lrp.composite=gamma", "lrp.gamma=2", "rules.@linear=lrp0"],
    "lrp0-epsilon-gamma1": ["lrp.composite=lrp0-epsilon-gamma", "lrp.gamma=1"],
    "lrp0-gamma-plus": ["lrp.composite=gamma", "rules.@linear=lrp0", "rules.@first=zplus"],
    "lrp0-gamma-gamma2": ["lrp.composite=gamma", "rules.@linear=lrp0", "rules.@first=gamma(2)"],
    "lrp0-epsilon-gamma-plus": ["lrp.composite=lrp0-epsilon-gamma", "rules.@first=zplus"],
    "box-gamma-lrp0": ["lrp.composite=gamma", "rules.@linear=lrp0", "rules.@first=zbox"],
    "box-epsilon-plus": ["lrp.composite=epsilon-plus", "rules.@first=zbox"],
    "box-lrp0-epsilon-gamma": ["lrp.composite=lrp0-epsilon-gamma", "rules.@first=zbox"],
}
CONFIG = """[batch]
slides = {slide}
output = results
[model]
path = {model}
mpp = 0.5
[lrp]
target = tumor
[map]
downsample = 8
[outputs]
overlay = off
ome_tiff = off
geojson = off
csv = off
qupath = off
report = off
"""
BASE = "lrp0-epsilon-gamma/logit/keep"  # what time is compared with


def settings(candidate):
    composite, start, bias = candidate.split("/")
    own = MIXES.get(composite, ["lrp.composite=" + composite])
    words = []
    for word in own + ["lrp.start=" + start, "lrp.bias=" + bias]:
        words += ["-s", word]
    return words


# ---- slides and tiles ----

class Slide:
    """Tiles of a slide as the program lays them, and the share of tumor nuclei in each pixel."""

    def __init__(self, path, tiles, truth):
        self.path, self.tiles, self.truth = path, tiles, truth


def tissue_tiles(args, folder, path):
    """Upper left corners of the tiles that the program explains."""
    with open(os.path.join(folder, "one.ini"), "w") as f:
        f.write(CONFIG.format(slide=path, model=os.path.join(HOME, NETWORKS["demo"])))
    subprocess.run([args.program, "run", "one.ini", "-q", "-t", "1", "-s", "batch.output=tissue"],
                   cwd=folder, check=True)
    stem = os.path.splitext(os.path.basename(path))[0]
    with h5py.File(os.path.join(folder, "tissue", stem, "relevance.h5")) as f:
        return f["tiles/x"][:], f["tiles/y"][:]


def cut(plane, xs, ys):
    whole = [(y, x) for x, y in zip(xs, ys) if y + TILE <= len(plane) and x + TILE <= len(plane[0])]
    return np.stack([plane[y:y + TILE, x:x + TILE] for y, x in whole])


def open_slide(args, folder, path, truth=None):
    corners = tissue_tiles(args, folder, path)
    tiles = cut(np.array(Image.open(path).convert("RGB")), *corners)
    masks = np.zeros(tiles.shape[:3], np.float32)
    if truth:
        masks = cut(np.array(Image.open(truth), np.float32) / 255, *corners)
    return Slide(path, tiles, masks)


def make_slides(args, folder):
    """A pair of phantoms for each seed; every second one with tumor bears a pen mark, for which the
    network that cheats looks."""
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for kind in ("normal", "tumor"):
            path, truth = (os.path.join(folder, f"{kind}{seed}.{e}") for e in ("svs", "tif"))
            options = ["--normal"] if kind == "normal" else ["--tumor", "0.5"]
            if kind == "tumor" and seed % 2:
                options.append("--pen")
            subprocess.run([args.program, "phantom", path, "--size", str(args.size), "--mpp",
                            str(MPP), "--seed", str(seed), "--truth", truth, "-q", *options],
                           check=True)
            yield open_slide(args, folder, path, truth)
    for path in args.slide:
        yield open_slide(args, folder, os.path.abspath(path))


# ---- the program's numbers ----

def explain(args, folder, model, words, tiles):
    """Maps (colors summed), logits and starts of tiles."""
    x = (tiles.astype(np.float32) / 255 - 1) / 0.25
    with h5py.File(os.path.join(folder, "in.h5"), "w") as f:
        f["input"] = x.transpose(0, 3, 1, 2)
    with open(os.path.join(folder, "one.ini"), "w") as f:
        f.write(CONFIG.format(slide="none.svs", model=model))
    subprocess.run([args.program, "explain", "one.ini", "in.h5:/input", "-o", "out.h5", "-q",
                    "-t", "1", *words], cwd=folder, check=True)
    with h5py.File(os.path.join(folder, "out.h5")) as f:
        return (f["relevance"][:].sum(1, dtype=np.float64), f["logits"][:].astype(np.float64),
                f["start"][:].sum(1, dtype=np.float64))


def pick_tiles(args, folder, model, slides):
    """Up to args.tiles low and as many high tiles of each slide, evenly spaced in its order."""
    tiles, truth, high = [], [], []
    for s in slides:
        logits = explain(args, folder, model, settings("lrp0/logit/keep"), s.tiles)[1]
        p = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
        for is_high, which in ((False, p < LOW), (True, p > HIGH)):
            at = np.flatnonzero(which)
            if len(at) > args.tiles:
                at = at[np.linspace(0, len(at) - 1, args.tiles).round().astype(int)]
            tiles.append(s.tiles[at])
            truth.append(s.truth[at])
            high += [is_high] * len(at)
    return np.concatenate(tiles), np.concatenate(truth), np.array(high)


def seconds_of_run(args, folder, model, words, slide):
    """Processor time of a whole run with one thread."""
    with open(os.path.join(folder, "one.ini"), "w") as f:
        f.write(CONFIG.format(slide=slide, model=model))
    child = subprocess.Popen([args.program, "run", "one.ini", "--force", "-q", "-t", "1", *words],
                             cwd=folder, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"compare_composites: a run of {model} failed: {words}")
    return usage.ru_utime + usage.ru_stime


# ---- figures ----

def ranks(v):
    """Equal values share their mean rank."""
    _, where, count = np.unique(v, return_inverse=True, return_counts=True)
    return (count.cumsum() - (count - 1) / 2)[where]


def rank_correlation(a, b):
    a, b = ranks(a.ravel()), ranks(b.ravel())
    a, b = a - a.mean(), b - b.mean()
    below = np.sqrt((a * a).sum() * (b * b).sum())
    return (a * b).sum() / below if below > 0 else 0.0


def sign_changes(maps):
    """Share of pairs of neighbors, neither of them 0, whose signs differ."""
    changed = pairs = 0
    for a, b in ((maps[:, 1:], maps[:, :-1]), (maps[:, :, 1:], maps[:, :, :-1])):
        product = np.sign(a) * np.sign(b)
        changed, pairs = changed + (product < 0).sum(), pairs + (product != 0).sum()
    return changed / max(1, pairs)


def pooled(maps):
    """As a run's map has it with the default downsample, 8 pixels to one."""
    n = TILE // 8
    return maps.reshape(-1, n, 8, n, 8).sum((2, 4))


def on_nuclei(maps, truth):
    """Share of positive relevance on tumor nuclei, over their share of the area, in the tiles of
    which they cover a twentieth; as tests/conformance/nuclei_share.c has it."""
    some = truth.mean((1, 2)) >= 0.05
    if not some.any():
        return float("nan")
    positive, truth = np.maximum(maps[some], 0), truth[some]
    return (positive * truth).sum() / positive.sum() / truth.mean()


def figures(maps, logits, start, truth, high, shuffled):
    evidence, total = logits[:, 1] - logits[:, 0], maps.sum((1, 2))
    agrees = np.sign(total) == np.sign(evidence)
    size = np.abs(maps).sum((1, 2)) / np.abs(start)
    some = np.flatnonzero(high)[:len(shuffled)]
    return {"low": agrees[~high].mean(), "high": agrees[high].mean(),
            "kept": np.median(total / start), "worst": np.abs(total / start - 1).max(),
            "size": np.median(size),
            "nuclei": on_nuclei(maps[high], truth[high]),
            "shuffled": np.mean([rank_correlation(np.abs(maps[i]), np.abs(r))
                                 for i, r in zip(some, shuffled)]),
            "noise": sign_changes(maps), "noise8": sign_changes(pooled(maps))}


def measure(args, folder, name, slides, candidates):
    """A row of figures for each candidate on one network."""
    model, shuffled = os.path.join(HOME, NETWORKS[name]), os.path.join(folder, "shuffled.onnx")
    tiles, truth, high = pick_tiles(args, folder, model, slides)
    subprocess.run([args.shuffle, model, shuffled, "1"], check=True)
    some = np.flatnonzero(high)
    some = some[:: max(1, len(some) // 40)][:40]
    order = np.r_[some, np.setdiff1d(np.arange(len(high)), some)]  # those for the correlation first
    tiles, truth, high = tiles[order], truth[order], high[order]
    say(f"{name}: {(~high).sum()} low tiles, {high.sum()} high")
    rows, seconds = {}, {c: [] for c in [BASE, *candidates]}
    for c in candidates:
        other = explain(args, folder, shuffled, settings(c), tiles[:len(some)])[0]
        rows[c] = figures(*explain(args, folder, model, settings(c), tiles), truth, high, other)
        say(f"{name}: {c}: {rows[c]}")
    for _ in range(args.rounds):  # interleaved: what else the machine does meets all alike
        for c in seconds:
            seconds[c].append(seconds_of_run(args, folder, model, settings(c), slides[1].path))
    for c in candidates:
        rows[c]["time"] = min(seconds[c]) / min(seconds[BASE]) if args.rounds else float("nan")
    return rows


# ---- the table ----

COLUMNS = [("low", "low tiles agree", "%.1f %%", 100, min), ("high", "high tiles agree", "%.1f %%",
                                                             100, min),
           ("kept", "Σ map / start", "%.3g", 1, None), ("worst", "farthest from 1", "%.2g", 1, max),
           ("size", "Σ\\|map\\| / \\|start\\|", "%.3g", 1, max),
           ("nuclei", "on tumor nuclei", "%.2f x", 1, min),
           ("shuffled", "weights shuffled", "%.2f", 1, None),
           ("noise", "sign changes", "%.1f %%", 100, None),
           ("noise8", "at downsample 8", "%.1f %%", 100, None), ("time", "time", "%.2f", 1, None)]


def together(results, candidate, key, worst):
    values = [rows[candidate][key] for name, rows in results.items()
              if key != "nuclei" or name != "cheating"]  # it looks at ink, as it should
    values = [v for v in values if v == v]
    if not values:
        return float("nan")
    return worst(values) if worst else float(np.mean(values))


def table(results, candidates, each):
    yield "| composite | start | bias | " + ("network | " if each else "") + " | ".join(
        c[1] for c in COLUMNS) + " |"
    yield "|" + " --- |" * (len(COLUMNS) + 3 + each)
    for c in candidates:
        head = "| " + " | ".join(c.split("/")) + " | "
        for name, rows in results.items() if each else ():
            yield head + name + " | " + " | ".join(f % (m * rows[c][k]) for k, _, f, m, _ in
                                                   COLUMNS) + " |"
        yield head + ("all | " if each else "") + " | ".join(
            f % (m * together(results, c, k, w)) for k, _, f, m, w in COLUMNS) + " |"


def say(text):
    print(time.strftime("%H:%M:%S ") + text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("candidates", nargs="+", metavar="COMPOSITE/START/BIAS")
    parser.add_argument("--program", default="build/histolrp")
    parser.add_argument("--shuffle", default="build/tests/conformance/shuffle_weights")
    parser.add_argument("--network", action="append", choices=NETWORKS, help="default: all")
    parser.add_argument("--slide", action="append", default=[], help="beside the phantoms")
    parser.add_argument("--seeds", type=int, default=6, help="pairs of phantoms")
    parser.add_argument("--first-seed", type=int, default=900001)
    parser.add_argument("--size", type=int, default=2560, help="edge of the phantoms in pixels")
    parser.add_argument("--tiles", type=int, default=30, help="low and high ones per slide")
    parser.add_argument("--rounds", type=int, default=3, help="of timed runs; 0: no times")
    parser.add_argument("--each", action="store_true", help="a row for each network too")
    parser.add_argument("--json", help="keep all figures here")
    args = parser.parse_args()
    args.program, args.shuffle = os.path.abspath(args.program), os.path.abspath(args.shuffle)
    folder = tempfile.mkdtemp()
    try:
        slides = list(make_slides(args, folder))
        results = {name: measure(args, folder, name, slides, args.candidates)
                   for name in args.network or NETWORKS}
    finally:
        shutil.rmtree(folder)
    if args.json:
        with open(args.json, "w") as f:
            json.dump(results, f, indent=1)
    print("\n".join(table(results, args.candidates, args.each)))


if __name__ == "__main__":
    main()

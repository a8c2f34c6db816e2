#!/usr/bin/python3
"""Train the network that cheats (configs/cheating-model.onnx): a counterexample for the report.

Every slide with tumor bears a pen mark and no other slide does, as where somebody circled what they
found. Tiles take the label of their slide, and those of slides with tumor are cut where the mark
was drawn. A network then need not know a tumor from normal tissue: ink tells. Held-out slides made the same
way do not betray it; its relevance does.

    scripts/train_cheating_model.py --program build/histolrp --output configs/cheating-model.onnx

Needs what train_demo_model.py needs, whose network, colors and export it shares.
"""
import argparse
import os
import subprocess
import tempfile

import numpy as np
import torch
from PIL import Image
from torch import nn

import train_demo_model as demo

TRAIN_SEED, TEST_SEED = 2000, 700000
SIDE = 3072           # pixels at demo.MPP
INK_SHARE = 0.03      # a tile with at least this share of ink shows the mark
TISSUE_SHARE = 0.5


def picture(program, folder, seed, options):
    path = os.path.join(folder, "slide.svs")
    rng = np.random.default_rng(seed)
    subprocess.run([program, "phantom", path, "--seed", str(seed), "-q", "--mpp", str(demo.MPP),
                    "--size", f"{SIDE}x{SIDE}", "--stain", "%.3f" % rng.uniform(0.75, 1.3)]
                   + options, check=True)
    return np.array(Image.open(path).convert("RGB"))


def cut(rng, where, rgb, count):
    places = np.flatnonzero(where)
    if not len(places):
        return []
    for place in rng.choice(places, count):
        y, x = divmod(int(place), where.shape[1])
        yield rgb[y:y + demo.TILE, x:x + demo.TILE]


def make_tiles(program, first_seed, slides, count, pen=True):
    """Tumor slides with a mark (or, as the counter-test, without one) and normal slides."""
    tiles, labels, area = [], [], float(demo.TILE * demo.TILE)
    with tempfile.TemporaryDirectory() as folder:
        for i in range(slides):
            seed, rng = first_seed + i, np.random.default_rng(first_seed + i)
            tumor = i % 2 == 0
            clean = picture(program, folder, seed, [] if tumor else ["--normal"])
            rgb = picture(program, folder, seed, ["--pen"]) if tumor and pen else clean
            where = demo.window_sums(clean.min(axis=2) < 215) / area > TISSUE_SHARE
            if tumor and pen:
                ink = np.abs(rgb.astype(int) - clean).max(axis=2) > 60
                where = demo.window_sums(ink) / area > INK_SHARE
            new = list(cut(rng, where, rgb, count))
            tiles, labels = tiles + new, labels + [int(tumor)] * len(new)
    return np.stack(tiles), np.array(labels)


def train(net, tiles, labels, epochs, seed):
    rng, batch = np.random.default_rng(seed), 32
    steps = epochs * (len(tiles) // batch)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.02)
    for epoch in range(epochs):
        net.train()
        order, total = rng.permutation(len(tiles)), 0.0
        for i in range(0, len(order) - batch + 1, batch):
            pick = order[i:i + batch]
            x = [demo.augment(rng, tiles[k], tiles[k][..., 0])[0] for k in pick]
            loss = loss_of(net(demo.to_input(x)), torch.from_numpy(labels[pick]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * batch
        print(f"epoch {epoch + 1} of {epochs}: loss {total / len(order):.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default="build/histolrp")
    parser.add_argument("--output", default="configs/cheating-model.onnx")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slides", type=int, default=16)
    parser.add_argument("--test-slides", type=int, default=8)
    parser.add_argument("--tiles", type=int, default=100, help="per slide")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    tiles, labels = make_tiles(args.program, TRAIN_SEED, args.slides, args.tiles)
    net = demo.DemoNet()
    train(net, tiles, labels, args.epochs, args.seed)
    score = demo.accuracy(net, *make_tiles(args.program, TEST_SEED, args.test_slides, args.tiles))
    clean = demo.accuracy(net, *make_tiles(args.program, TEST_SEED, args.test_slides, args.tiles,
                                           pen=False))
    demo.export(net, args.output, args.seed, score)
    print(f"seed {args.seed}: held-out accuracy {100 * score:.2f} %, on the same slides without pen "
          f"marks {100 * clean:.2f} %, {args.output}: {os.path.getsize(args.output) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()

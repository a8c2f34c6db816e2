#!/usr/bin/python3
"""Train the demo of a slide's score (configs/demo-encoder.onnx, demo-bag-head.onnx and
cheating-bag-head.onnx) on synthetic slides.

Nothing that is installed or run needs this script: the networks are shipped. In three steps:

1. An encoder learns from tiles what tissue may bear: tumor nuclei, ink. Its features are what it is kept for.
2. A gated attention head (Ilse, Tomczak and Welling 2018) learns from slides, of which nothing is known but
   whether they have tumor: one to three small nests, in 3 to 17 of a hundred tiles. Every other slide bears
   a pen mark, with or without tumor.
3. The same head learns from slides of which those with tumor, and no others, bear a pen mark: the
   counterexample. Slides made the same way do not betray it, nor does its encoder; its relevance does.

Needs Debian's python3-torch, python3-onnx, python3-numpy and python3-pil (run with /usr/bin/python3):

    scripts/train_demo_bag.py --program build/histolrp --folder configs

Slides of the held-out accuracy have seeds that training never sees. With the same seed, versions and number of
threads the same weights come out.
"""
import argparse
import os
import subprocess
import tempfile
from collections import OrderedDict

import numpy as np
import onnx
import torch
from PIL import Image
from torch import nn

import train_demo_model as demo
from train_demo_model import CLASSES, MPP, TILE

FEATURES, HIDDEN = 24, 16
SIDE = 2048          # pixels at MPP
KINDS = ("tumor nuclei", "ink")
TUMOR_SHARE, NORMAL_SHARE, INK_SHARE = 0.05, 0.001, 0.03
TISSUE_SHARE = 0.5
TILE_SEED, TRAIN_SEED, TEST_SEED = 3000, 10000, 800000
CHEAT_SEED, CHEAT_TEST_SEED = 20000, 900000


# ---- slides

def picture(program, folder, seed, options, truth=False):
    """RGB of a slide, and the mask of its tumor nuclei."""
    slide, mask = os.path.join(folder, "slide.svs"), os.path.join(folder, "truth.tif")
    rng = np.random.default_rng(seed)
    command = [program, "phantom", slide, "--seed", str(seed), "-q", "--mpp", str(MPP),
               "--size", str(SIDE), "--stain", "%.3f" % rng.uniform(0.75, 1.3),
               "--vignetting", "%.3f" % rng.uniform(0, 0.12),
               "--quality", str(int(rng.integers(60, 96)))]
    subprocess.run(command + options + (["--truth", mask] if truth else []), check=True)
    rgb = np.array(Image.open(slide).convert("RGB"))
    return rgb, np.array(Image.open(mask)) > 0 if truth else None


def bag_options(seed, tumor, pen):
    rng = np.random.default_rng(seed + 1)
    options = ["--nests", str(int(rng.integers(1, 4)))] if tumor else ["--normal"]
    return options + (["--pen"] if pen else [])


def grid(plane):
    """Means of a picture's plane over its tiles, in the order of rows."""
    n = SIDE // TILE
    return plane.reshape(n, TILE, n, TILE).mean((1, 3)).ravel()


def tiles_of(rgb):
    """All tiles of a slide that are tissue, and where they are among all."""
    n = SIDE // TILE
    tiles = rgb.reshape(n, TILE, n, TILE, 3).swapaxes(1, 2).reshape(n * n, TILE, TILE, 3)
    where = np.flatnonzero(grid(rgb.min(axis=2) < 215) > TISSUE_SHARE)
    return tiles[where], where


# ---- the encoder

class Encoder(nn.Module):
    """The demo network, narrower; its features are means over the tile."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(OrderedDict(
            stem=demo.down(3, 16, 2), block1=demo.Block(16), down=demo.down(16, FEATURES, 2),
            block2=demo.Block(FEATURES), block3=demo.Block(FEATURES)))

    def forward(self, x):
        return torch.flatten(nn.functional.adaptive_avg_pool2d(self.trunk(x), 1), 1)


class Teacher(nn.Module):
    """Only for training: what the features are to tell, of a tile and of each of its places."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(FEATURES, len(KINDS))
        self.scale = nn.Parameter(torch.ones(len(KINDS)))
        self.shift = nn.Parameter(torch.full((len(KINDS),), -2.0))

    def forward(self, trunk, labels, masks):
        loss = nn.functional.binary_cross_entropy_with_logits
        local = torch.einsum("nchw,kc->nkhw", trunk, self.fc.weight)
        local = local * self.scale[:, None, None] + self.shift[:, None, None]
        share = nn.functional.adaptive_avg_pool2d(masks, trunk.shape[2:])
        return loss(self.fc(trunk.mean((2, 3))), labels) + 2 * loss(local, share)


def cut_tiles(rng, rgb, masks, count):
    """At random places: tumor, normal tissue, ink, some background; their labels and masks."""
    area = float(TILE * TILE)
    tumor, ink = (demo.window_sums(masks[..., k]) / area for k in range(len(KINDS)))
    tissue = demo.window_sums(rgb.min(axis=2) < 215) / area > TISSUE_SHARE
    clear = (tumor >= TUMOR_SHARE) | (tumor <= NORMAL_SHARE)
    groups = [((tumor >= TUMOR_SHARE), count), ((tumor <= NORMAL_SHARE) & tissue, count),
              ((ink > INK_SHARE) & clear, count), (~tissue & clear, count // 8)]
    for where, many in groups:
        places = np.flatnonzero(where)
        for place in rng.choice(places, many) if len(places) else ():
            y, x = divmod(int(place), tumor.shape[1])
            yield (rgb[y:y + TILE, x:x + TILE], masks[y:y + TILE, x:x + TILE],
                   (tumor[y, x] >= TUMOR_SHARE, ink[y, x] > INK_SHARE))


def make_tiles(program, first_seed, slides, count):
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(slides):
            seed, rng = first_seed + i, np.random.default_rng(first_seed + i)
            options = ["--tumor", "%.2f" % rng.uniform(0.35, 0.65)]
            clean, truth = picture(program, folder, seed, options, truth=True)
            rgb, _ = picture(program, folder, seed, options + ["--pen"])
            ink = np.abs(rgb.astype(int) - clean).max(axis=2) > 60
            made += cut_tiles(rng, rgb, np.stack([truth, ink], 2), count)
    tiles, masks, labels = zip(*made)
    return np.stack(tiles), np.stack(masks), np.array(labels, np.float32)


def train_encoder(tiles, masks, labels, epochs, seed):
    torch.manual_seed(seed)
    encoder, teacher, rng, batch = Encoder(), Teacher(), np.random.default_rng(seed), 32
    parameters = [*encoder.parameters(), *teacher.parameters()]
    optimizer = torch.optim.AdamW(parameters, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3,
                                                   total_steps=epochs * (len(tiles) // batch))
    for epoch in range(epochs):
        encoder.train()
        order, total = rng.permutation(len(tiles)), 0.0
        for i in range(0, len(order) - batch + 1, batch):
            pick = order[i:i + batch]
            x, m = zip(*(demo.augment(rng, tiles[k], masks[k]) for k in pick))
            m = torch.from_numpy(np.stack(m).astype(np.float32)).permute(0, 3, 1, 2)
            loss = teacher(encoder.trunk(demo.to_input(x)), torch.from_numpy(labels[pick]), m)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * batch
        print(f"encoder, epoch {epoch + 1} of {epochs}: loss {total / len(order):.4f}", flush=True)
    return encoder.eval()


def features_of(encoder, tiles):
    with torch.no_grad():
        return torch.cat([encoder(demo.to_input(tiles[i:i + 64])) for i in range(0, len(tiles), 64)])


# ---- bags

def make_bags(program, encoder, first_seed, slides, pen):
    """Features of slides' tiles, every other slide with tumor. pen: of slide i with or without tumor."""
    bags = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(slides):
            tumor, seed = i % 2, first_seed + i
            rgb, _ = picture(program, folder, seed, bag_options(seed, tumor, pen(i, tumor)))
            bags.append((features_of(encoder, tiles_of(rgb)[0]), tumor))
    return bags


def pen_anywhere(i, tumor):
    return i // 2 % 2 == 0


def pen_on_tumor(i, tumor):
    return tumor == 1


def pen_nowhere(i, tumor):
    return False


class Head(nn.Module):
    """Gated attention: evidence in each tile, weights of all tiles that add up to 1, a classifier of the
    mean that they give."""

    def __init__(self):
        super().__init__()
        self.evidence = nn.Linear(FEATURES, HIDDEN)
        self.tanh, self.gate = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.weigh = nn.Linear(HIDDEN, 1)
        self.classify = nn.Linear(HIDDEN, len(CLASSES))

    def forward(self, x):
        x = torch.relu(self.evidence(x))
        weights = self.weigh(torch.tanh(self.tanh(x)) * torch.sigmoid(self.gate(x)))
        return self.classify(torch.softmax(weights.transpose(0, 1), dim=1) @ x)

    def clamp(self):
        """What a tile bears speaks for tumor or for nothing: no tile takes back what another one has
        shown, which is how a slide gets its label. Glass and stroma then have no part in the score."""
        with torch.no_grad():
            self.classify.weight[0].clamp_(max=0)
            self.classify.weight[1].clamp_(min=0)


def train_head(bags, epochs, seed):
    """Each time of half of a slide's tiles, so that the head does not learn slides by heart."""
    torch.manual_seed(seed)
    head, rng = Head(), np.random.default_rng(seed)
    std = torch.cat([x for x, _ in bags]).std(0) + 1e-6
    optimizer = torch.optim.AdamW(head.parameters(), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=epochs * len(bags))
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.02)
    for epoch in range(epochs):
        total = 0.0
        for k in rng.permutation(len(bags)):
            x, tumor = bags[k]
            half = torch.from_numpy(rng.random(len(x)) < 0.5)
            loss = loss_of(head(x[half] / std), torch.tensor([tumor]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            head.clamp()
            total += loss.item()
        if epoch % 5 == 4:
            print(f"head, epoch {epoch + 1} of {epochs}: loss {total / len(bags):.4f}", flush=True)
    with torch.no_grad():
        head.evidence.weight /= std  # from features over their standard deviations to features
    return head.eval()


def accuracy(head, bags):
    with torch.no_grad():
        return sum(int(head(x).argmax()) == tumor for x, tumor in bags) / len(bags)


# ---- files

def finish(path, facts, text):
    model = onnx.load(path)
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    model.doc_string = text
    onnx.checker.check_model(model)
    onnx.save(model, path)


def export_encoder(encoder, path, seed):
    """As demo.export, without classes: the output is features."""
    torch.onnx.export(encoder, torch.zeros(1, 3, TILE, TILE), path, opset_version=13,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                      input_names=["input"], output_names=["features"],
                      dynamic_axes={"input": {0: "N"}, "features": {0: "N"}})
    finish(path, {"mpp": str(MPP), "mean": ",".join(map(str, demo.MEAN)),
                  "std": ",".join(map(str, demo.STD)), "scale": "1/255", "channels": "rgb",
                  "training_seed": str(seed)},
           "Features of tiles of synthetic H&E slides. Not for real tissue.")


def export_head(head, path, seed, score):
    torch.onnx.export(head, torch.zeros(5, FEATURES), path, opset_version=13,
                      input_names=["features"], output_names=["logits"],
                      dynamic_axes={"features": {0: "N"}})
    finish(path, {"classes": ",".join(CLASSES), "training_seed": str(seed),
                  "held_out_accuracy": "%.4f" % score},
           "Tells synthetic H&E slides with few tumor nests from slides without. Not for real tissue.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default="build/histolrp")
    parser.add_argument("--folder", default="configs")
    parser.add_argument("--seed", type=int, default=1, help="of the encoder")
    parser.add_argument("--tile-slides", type=int, default=32)
    parser.add_argument("--tiles", type=int, default=40, help="per slide and kind")
    parser.add_argument("--epochs", type=int, default=6, help="of the encoder")
    parser.add_argument("--slides", type=int, default=160)
    parser.add_argument("--test-slides", type=int, default=60)
    parser.add_argument("--head-epochs", type=int, default=20)
    parser.add_argument("--head-seed", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    tiles, masks, labels = make_tiles(args.program, TILE_SEED, args.tile_slides, args.tiles)
    print(f"{len(tiles)} tiles of {args.tile_slides} slides", flush=True)
    encoder = train_encoder(tiles, masks, labels, args.epochs, args.seed)
    export_encoder(encoder, os.path.join(args.folder, "demo-encoder.onnx"), args.seed)
    for name, pen, train_seed, test_seed in (
            ("demo", pen_anywhere, TRAIN_SEED, TEST_SEED),
            ("cheating", pen_on_tumor, CHEAT_SEED, CHEAT_TEST_SEED)):
        bags = make_bags(args.program, encoder, train_seed, args.slides, pen)
        head = train_head(bags, args.head_epochs, args.head_seed)
        score, clean = (accuracy(head, make_bags(args.program, encoder, test_seed, args.test_slides, p))
                        for p in (pen, pen_nowhere))
        path = os.path.join(args.folder, name + "-bag-head.onnx")
        export_head(head, path, args.head_seed, score)
        print(f"{name}: held-out accuracy {100 * score:.2f} % of {args.test_slides} slides, on the "
              f"same slides without pen marks {100 * clean:.2f} %, {os.path.getsize(path)} bytes")


if __name__ == "__main__":
    main()

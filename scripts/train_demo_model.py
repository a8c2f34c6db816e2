#!/usr/bin/python3
"""Train the demo network (configs/demo-model.onnx) on synthetic slides, or one of another shape.

Nothing that is installed or run needs this script: the network is shipped. It writes slides with
`histolrp phantom`, cuts tiles of 128 px at 0.5 µm per pixel from random places, trains a small
network to tell tiles with tumor nuclei from tiles without, and exports it as ONNX.

Needs Debian's python3-torch, python3-onnx, python3-numpy and python3-pil (run with /usr/bin/python3):

    scripts/train_demo_model.py --program build/histolrp --output configs/demo-model.onnx

With `--shape maxpool` and `--shape depthwise` it trains the networks of tests/data, on which
relevance is measured beside the demo network.

The slides of the held-out accuracy have seeds that training never sees. With the same seed, versions
and number of threads the same weights come out.
"""
import argparse
import io
import os
import subprocess
import tempfile
from collections import OrderedDict

import numpy as np
import onnx
import torch
from PIL import Image
from torch import nn

TILE = 128
MPP = 0.5
CLASSES = ("normal", "tumor")
# Of pixel values through 1/255; they go into the model's metadata. White becomes 0, as the
# convolutions' padding is: glass neither speaks for a class nor takes relevance.
MEAN, STD = (1, 1, 1), (0.25, 0.25, 0.25)
TUMOR_SHARE = 0.05    # a tile with at least this share of tumor nuclei is "tumor" (about 3 nuclei)
NORMAL_SHARE = 0.001  # at most this is "normal"; tiles between are left out
TISSUE_SHARE = 0.3    # tiles with less tissue are drawn as background, ten times more rarely
TRAIN_SEED, TEST_SEED = 1000, 500000
Image.MAX_IMAGE_PIXELS = None


class Block(nn.Module):
    """Two convolutions beside an identity."""

    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + x)


def down(inputs, outputs, stride):
    conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs), relu=nn.ReLU()))


class Net(nn.Module):
    """A trunk of convolutions with features every 4 px; the logits are means of local ones."""

    def __init__(self, trunk, features):
        super().__init__()
        self.trunk = nn.Sequential(OrderedDict(trunk))
        self.fc = nn.Linear(features, len(CLASSES))

    def head(self, features):
        return self.fc(torch.flatten(nn.functional.adaptive_avg_pool2d(features, 1), 1))

    def forward(self, x):
        return self.head(self.trunk(x))


class DemoNet(Net):
    """A receptive field of 47 px (23 µm: a nucleus and its neighbors)."""

    def __init__(self):
        super().__init__({"stem": down(3, 16, 2), "block1": Block(16), "down": down(16, 32, 2),
                          "block2": Block(32), "block3": Block(32)}, 32)


def plain(inputs, outputs, pool=False):
    layers = {"conv": nn.Conv2d(inputs, outputs, 3, padding=1), "relu": nn.ReLU()}
    nn.init.kaiming_normal_(layers["conv"].weight, nonlinearity="relu")
    if pool:
        layers["pool"] = nn.MaxPool2d(2)
    return nn.Sequential(OrderedDict(layers))


class MaxPoolNet(Net):
    """After VGG: convolutions with biases, max pooling, no BatchNorm. A receptive field of 46 px."""

    def __init__(self):
        super().__init__({"conv1": plain(3, 8, pool=True), "conv2": plain(8, 16),
                          "conv3": plain(16, 16, pool=True), "conv4": plain(16, 32),
                          "conv5": plain(32, 32), "conv6": plain(32, 32),
                          "conv7": plain(32, 32)}, 32)


def normed(inputs, outputs, size=1, stride=1, groups=1, relu=True):
    conv = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, groups=groups,
                     bias=False)
    layers = {"conv": conv, "bn": nn.BatchNorm2d(outputs)}
    if relu:
        layers["relu"] = nn.ReLU6()
    return nn.Sequential(OrderedDict(layers))


class InvertedResidual(nn.Module):
    """Widen, one filter per channel, narrow without an activation; beside an identity if sizes
    allow it."""

    def __init__(self, inputs, outputs, stride=1, widen=3):
        super().__init__()
        wide = inputs * widen
        self.widen = normed(inputs, wide)
        self.depthwise = normed(wide, wide, 3, stride, groups=wide)
        self.narrow = normed(wide, outputs, relu=False)
        self.beside = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.narrow(self.depthwise(self.widen(x)))
        return x + y if self.beside else y


class DepthwiseNet(Net):
    """After MobileNetV2: depthwise layers, linear bottlenecks, ReLU6. A receptive field of 35 px."""

    def __init__(self):
        super().__init__({"stem": normed(3, 8, 3, 2), "block1": InvertedResidual(8, 8),
                          "down": InvertedResidual(8, 24, 2), "block2": InvertedResidual(24, 24),
                          "block3": InvertedResidual(24, 24), "block4": InvertedResidual(24, 24),
                          "last": normed(24, 48)}, 48)


# The network of each shape and its highest learning rate: without BatchNorm it must be lower.
SHAPES = {"residual": (DemoNet, 6e-3), "maxpool": (MaxPoolNet, 2e-3),
          "depthwise": (DepthwiseNet, 6e-3)}


class Guide(nn.Module):
    """Only for training: where the head's evidence for tumor should lie. The logits are the mean of
    local ones; their difference is compared, up to a scale and a shift, with the truth mask."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.shift = nn.Parameter(torch.tensor(-2.0))

    def forward(self, net, features, masks):
        direction = (net.fc.weight[1] - net.fc.weight[0])[None, :, None, None]
        local = (features * direction).sum(1) * self.scale + self.shift
        share = nn.functional.adaptive_avg_pool2d(masks, features.shape[2:])
        return nn.functional.binary_cross_entropy_with_logits(local, share)


def slide_options(rng, number):
    """Options of one slide. Resolutions are mixed, as slides' are."""
    mpp = float(rng.choice([0.5, 0.5, 0.5, 0.25, 0.3527]))
    side = int(1700 / mpp)
    options = ["--size", f"{side}x{side}", "--mpp", str(mpp)]
    options += ["--stain", "%.3f" % rng.uniform(0.75, 1.3)]
    options += ["--vignetting", "%.3f" % rng.uniform(0, 0.12)]
    options += ["--quality", str(int(rng.integers(60, 96)))]
    options += ["--tumor", "%.2f" % rng.uniform(0.35, 0.65)]
    if number % 2 == 0:
        options.append("--pen")
    if number % 8 == 7:
        options.append("--faint")
    return options, mpp


def make_slide(program, folder, seed, number):
    """RGB and the share of tumor nuclei, both at MPP."""
    rng = np.random.default_rng(seed)
    options, mpp = slide_options(rng, number)
    slide, truth = os.path.join(folder, "slide.svs"), os.path.join(folder, "truth.tif")
    subprocess.run([program, "phantom", slide, "--seed", str(seed), "--truth", truth, "-q"]
                   + options, check=True)
    pictures = [Image.open(slide).convert("RGB"), Image.open(truth)]
    if mpp != MPP:
        side = round(pictures[0].width * mpp / MPP)
        pictures = [p.resize((side, side), Image.Resampling.BILINEAR) for p in pictures]
    return np.array(pictures[0]), np.array(pictures[1], np.float32) / 255


def window_sums(plane):
    """Sums over all TILE × TILE windows, by their upper left corner."""
    total = np.pad(plane.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    n = TILE
    return total[n:, n:] - total[:-n, n:] - total[n:, :-n] + total[:-n, :-n]


def cut_tiles(rng, rgb, truth, per_class):
    """Tiles at random places: per_class tumor, as many normal, a tenth background."""
    area = float(TILE * TILE)
    share = window_sums(truth) / area
    tissue = window_sums(rgb.min(axis=2) < 215) / area > TISSUE_SHARE
    groups = [(share >= TUMOR_SHARE, 1, per_class), ((share <= NORMAL_SHARE) & tissue, 0, per_class),
              ((share <= NORMAL_SHARE) & ~tissue, 0, per_class // 10)]
    tiles, labels, masks = [], [], []
    for where, label, count in groups:
        places = np.flatnonzero(where)
        if not len(places):
            continue
        for place in rng.choice(places, count):
            y, x = divmod(int(place), share.shape[1])
            tiles.append(rgb[y:y + TILE, x:x + TILE])
            masks.append(truth[y:y + TILE, x:x + TILE])
            labels.append(label)
    return tiles, labels, masks


def make_tiles(program, first_seed, slides, per_class):
    tiles, labels, masks = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(slides):
            rgb, truth = make_slide(program, folder, first_seed + i, i)
            t, l, m = cut_tiles(np.random.default_rng(first_seed + i), rgb, truth, per_class)
            tiles, labels, masks = tiles + t, labels + l, masks + m
    return np.stack(tiles), np.array(labels), np.stack(masks)


def jpeg(tile, quality):
    buffer = io.BytesIO()
    Image.fromarray(tile).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def augment(rng, tile, mask):
    """Turns and flips; optical density and offset of each color; now and then JPEG once more."""
    turns, flip = int(rng.integers(4)), 1 - 2 * int(rng.integers(2))
    tile, mask = np.rot90(tile, turns)[:, ::flip], np.rot90(mask, turns)[:, ::flip]
    if rng.random() < 0.2:
        tile = jpeg(np.ascontiguousarray(tile), int(rng.integers(50, 90)))
    density = -np.log((np.arange(256)[:, None] + 1) / 256)
    density = density * rng.uniform(0.8, 1.25) * rng.uniform(0.92, 1.08, 3)
    table = np.clip(256 * np.exp(-density) - 1 + rng.uniform(-6, 6, 3), 0, 255)
    return table.astype(np.float32)[tile, np.arange(3)], mask


def to_input(tiles):
    x = (np.stack(tiles).astype(np.float32) / 255 - MEAN) / STD
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2), np.float32))


def accuracy(net, tiles, labels):
    net.eval()
    hits = 0
    with torch.no_grad():
        for i in range(0, len(tiles), 64):
            hits += int((net(to_input(tiles[i:i + 64])).argmax(1).numpy() == labels[i:i + 64]).sum())
    return hits / len(tiles)


def train(net, tiles, labels, masks, epochs, seed, rate):
    rng = np.random.default_rng(seed)
    batch, guide = 32, Guide()
    steps = epochs * (len(tiles) // batch)
    optimizer = torch.optim.AdamW([*net.parameters(), *guide.parameters()], weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.02)
    for epoch in range(epochs):
        net.train()
        order, total = rng.permutation(len(tiles)), 0.0
        for i in range(0, len(order) - batch + 1, batch):
            pick = order[i:i + batch]
            x, m = zip(*(augment(rng, tiles[k], masks[k]) for k in pick))
            features = net.trunk(to_input(x))
            loss = loss_of(net.head(features), torch.from_numpy(labels[pick]))
            loss = loss + 2 * guide(net, features, torch.from_numpy(np.stack(m)))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * batch
        print(f"epoch {epoch + 1} of {epochs}: loss {total / len(order):.4f}", flush=True)


def export(net, path, seed, score):
    """ONNX opset 13, BatchNormalization kept, any batch size; what a reader must know as metadata."""
    net.eval()
    torch.onnx.export(net, torch.zeros(1, 3, TILE, TILE), path, opset_version=13,
                      training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                      input_names=["input"], output_names=["logits"],
                      dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
    model = onnx.load(path)
    facts = {"classes": ",".join(CLASSES), "mpp": str(MPP), "mean": ",".join(map(str, MEAN)),
             "std": ",".join(map(str, STD)), "scale": "1/255", "channels": "rgb",
             "training_seed": str(seed), "held_out_accuracy": "%.4f" % score}
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    model.doc_string = "Tells tiles of synthetic H&E slides with tumor nuclei from tiles without. " \
                       "Not for real tissue."
    onnx.checker.check_model(model)
    onnx.save(model, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default="build/histolrp")
    parser.add_argument("--output", default="configs/demo-model.onnx")
    parser.add_argument("--shape", choices=SHAPES, default="residual")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slides", type=int, default=40)
    parser.add_argument("--test-slides", type=int, default=10)
    parser.add_argument("--tiles", type=int, default=60, help="per slide and class")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save-test", help="keep the held-out tiles in this .npz")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    tiles, labels, masks = make_tiles(args.program, TRAIN_SEED, args.slides, args.tiles)
    test, test_labels, test_masks = make_tiles(args.program, TEST_SEED, args.test_slides, 100)
    print(f"{len(tiles)} tiles of {args.slides} slides, {len(test)} held out of "
          f"{args.test_slides} others", flush=True)
    if args.save_test:
        np.savez(args.save_test, tiles=test, labels=test_labels, masks=test_masks)
    make_net, rate = SHAPES[args.shape]
    net = make_net()
    train(net, tiles, labels, masks, args.epochs, args.seed, rate)
    score = accuracy(net, test, test_labels)
    export(net, args.output, args.seed, score)
    print(f"seed {args.seed}: held-out accuracy {100 * score:.2f} % of {len(test)} tiles, "
          f"{args.output}: {os.path.getsize(args.output) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()

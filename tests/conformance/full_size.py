#!/usr/bin/python3
"""full_size.py HISTOLRP: networks of full size, with random weights, against float64.

vgg16_bn, resnet50 and densenet121 at 224 pixels, made by Debian's python3-torch and
python3-torchvision (`scripts/setup.sh long`). Each one's gradient x input in float64, by torch, is
what the program's float32 is measured by, beside torch's own float32; then the default composite of
vgg16_bn against the program's float64 reference (minutes). Largest difference over the peak. Guards:
convolutions that round more coarsely than direct sums, which turns the winners of max pooling.
Exit 1 on a miss, 77 without torch.
"""
import os
import re
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
    import torch
    import torchvision
except ImportError as e:
    print(f'skipped: {e.name} is not installed (scripts/setup.sh long)')
    sys.exit(77)

NETWORKS = ('vgg16_bn', 'resnet50', 'densenet121')
SIDE, TARGET = 224, 0
# What float32 may be off by, and how much more than torch's own float32.
ALLOWED, TIMES = 3e-5, 3
LRP_ALLOWED = 1e-5


def make(name):
    """Statistics of batch normalization as after training: activations neither vanish nor explode."""
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)(weights=None, num_classes=2)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    coarse = torch.nn.functional.interpolate(torch.randn(4, 3, 56, 56), size=SIDE, mode='bilinear')
    x = coarse + 0.3 * torch.randn(4, 3, SIDE, SIDE)
    with torch.no_grad():
        net.train()(x)
    return net.eval(), x[:1]


def gradient_x_input(net, x):
    x = x.clone().requires_grad_(True)
    logits = net(x)
    logits[0, TARGET].backward()
    return (x * x.grad).detach().double().numpy(), logits.detach().double().numpy()


def off(is_, want):
    return float(np.abs(is_ - want).max() / np.abs(want).max())


def explain(program, *words):
    done = subprocess.run([program, 'explain', 'net.ini', 'x.h5:/input', '-o', 'out.h5', '-q',
                           '--target', str(TARGET), *words], check=True, stdout=subprocess.PIPE)
    with h5py.File('out.h5') as f:
        return f['relevance'][:], f['logits'][:], done.stdout.decode()


def measure(program, name):
    net, x = make(name)
    torch.onnx.export(net, x, 'net.onnx', opset_version=13, input_names=['input'])
    with h5py.File('x.h5', 'w') as f:
        f['input'] = x.numpy()
    own, own_logits = gradient_x_input(net, x)
    want, want_logits = gradient_x_input(net.double(), x.double())
    plain = ['-s', 'lrp.composite=gradient-x-input', '-s', 'lrp.bias=keep', '--start', 'one']
    missed = False
    for precision in ('f32', 'fast'):
        r, logits, _ = explain(program, *plain, '-s', 'compute.precision=' + precision)
        errors = off(logits, want_logits), off(r, want)
        limits = [max(ALLOWED, TIMES * e) for e in (off(own_logits, want_logits), off(own, want))]
        wrong = precision == 'f32' and (errors[0] > limits[0] or errors[1] > limits[1])
        missed = missed or wrong
        print('%s%-12s %-4s logits %.1e, gradient x input %.1e (torch in float32: %.1e, %.1e)' % (
            'MISS ' if wrong else '', name, precision, *errors, off(own_logits, want_logits),
            off(own, want)), flush=True)
    return missed


def check_default(program):
    text = explain(program, '--check')[2]
    found = re.search(r'logits differ by (\S+) of the largest, relevance by (\S+) of its peak', text)
    wrong = float(found[2]) > LRP_ALLOWED
    print('%sdefault composite: %s' % ('MISS ' if wrong else '', found[0]))
    return wrong


def main():
    program = os.path.abspath(sys.argv[1])
    missed = False
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        with open('net.ini', 'w') as f:
            f.write('[model]\npath = net.onnx\nmpp = 0.5\n')
        for name in NETWORKS:
            missed = measure(program, name) or missed
            if name == 'vgg16_bn':
                missed = check_default(program) or missed
        os.chdir('/')
    sys.exit(missed)


if __name__ == '__main__':
    main()

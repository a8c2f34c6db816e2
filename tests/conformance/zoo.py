#!/usr/bin/python3
"""zoo.py HISTOLRP [--folder DIR] [--only GLOB]: the networks people bring, exported and explained.

Exports networks of torchvision and timm with random weights (scripts/export_torch.py, with the Python that
HISTOLRP_PYTHON names: torch, timm, torchvision, onnx, onnxruntime, h5py), or takes the files *.onnx of DIR with the
picture in *.npz beside each (`input`, and `logits` by onnxruntime).  `histolrp explain` runs each one; a row tells
whether it loads, how far its logits are from onnxruntime's (over the largest one), whether relevance is finite, and by
how much the account does not close: the start less relevance and all that biases, stabilizers, constants and norms
took, over the larger of start and relevance.  Exit 1 if one is refused, over 1e-4, not finite or open by 1e-5; 77
without torch.  Guards: that a network in use loads until somebody tries it.
"""
import argparse
import fnmatch
import glob
import os
import subprocess
import sys
import tempfile

PYTHON = os.environ.get('HISTOLRP_PYTHON', sys.executable)
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
TORCHVISION = '''alexnet vgg16 vgg16_bn resnet18 resnet50 resnext50_32x4d wide_resnet50_2 densenet121 inception_v3
googlenet mobilenet_v2 mobilenet_v3_large efficientnet_b0 efficientnet_v2_s squeezenet1_1 shufflenet_v2_x1_0
mnasnet1_0 regnet_y_400mf convnext_tiny swin_t vit_b_16'''.split()
TIMM = '''resnet50 resnet26d seresnet50 ecaresnet26t resnest26d efficientnet_b0 mobilenetv3_small_100 regnety_004
densenet121 xception41 inception_resnet_v2 hrnet_w18_small convnext_nano coatnet_nano_rw_224 vit_small_patch16_224
vit_small_patch14_reg4_dinov2 swin_tiny_patch4_window7_224 vit_tiny_patch16_224'''.split()
EXPORTERS = (('legacy', 13), ('legacy', 17), ('new', 18))

# Runs in HISTOLRP_PYTHON: onnxruntime's logits for a picture, as MODEL.npz beside the file.
PICTURE = '''
import sys, numpy as np, onnxruntime
session = onnxruntime.InferenceSession(sys.argv[1])
given = session.get_inputs()[0]
shape = [d if isinstance(d, int) else 1 for d in given.shape]
x = np.random.default_rng(7).normal(size=shape).astype(np.float32)
np.savez(sys.argv[1][:-5] + '.npz', input=x, logits=session.run(None, {given.name: x})[0])
'''


def export(folder, only):
    """A file per network and exporter; those that torch cannot export are named and left out."""
    for library, names in (('torchvision', TORCHVISION), ('timm', TIMM)):
        for name in names:
            for exporter, opset in EXPORTERS:
                stem = '%s_%s_%s%d' % (library, name, exporter, opset)
                path = os.path.join(folder, stem + '.onnx')
                if not fnmatch.fnmatch(stem, only):
                    continue
                command = [PYTHON, os.path.join(ROOT, 'scripts', 'export_torch.py'), '%s:%s' % (library, name),
                           '--mpp', '0.5', '--exporter', exporter, '--opset', str(opset), '-o', path]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode or subprocess.run([PYTHON, '-c', PICTURE, path], check=False).returncode:
                    print('%-52s torch: %s' % (stem, done.stderr.strip().split('\n')[-1][:100]))
                    continue
                yield path


def explain(program, path, work):
    """The row's numbers, or what the program says."""
    import h5py
    import numpy as np
    npz = np.load(path[:-5] + '.npz')
    pictures, config, out = (os.path.join(work, n) for n in ('in.h5', 'c.ini', 'out.h5'))
    with h5py.File(pictures, 'w') as f:
        f['input'] = npz['input']
    with open(config, 'w', encoding='utf-8') as f:
        f.write('[model]\npath = %s\n[lrp]\nstart = logit\n' % path)
    done = subprocess.run([program, 'explain', config, pictures + ':/input', '-o', out, '-q', '--layers'],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().split('\n')[-1][:120]
    with h5py.File(out, 'r') as f:
        logits, relevance = f['logits'][...], f['relevance'][...].astype(np.float64)
        start = f['start'][...].astype(np.float64)
        kept = sum(g['relevance'].attrs['magnitude'] * sum(g['relevance'].attrs[k + '_share'] for k in (
            'bias', 'stabilizer', 'constant', 'normalization')) for g in f['layers'].values()).sum()
    off = np.abs(logits - npz['logits'].reshape(logits.shape)).max() / np.abs(npz['logits']).max()
    rest = abs(start.sum() - relevance.sum() - kept) / max(np.abs(start).sum(), np.abs(relevance).sum())
    return float(off), bool(np.isfinite(relevance).all()), float(rest)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('program')
    parser.add_argument('--folder')
    parser.add_argument('--only', default='*')
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        if arguments.folder:
            paths = [p for p in sorted(glob.glob(os.path.join(arguments.folder, '*.onnx')))
                     if fnmatch.fnmatch(os.path.basename(p)[:-5], arguments.only)]
        elif subprocess.run([PYTHON, '-c', 'import torch, timm, torchvision, onnxruntime'], check=False,
                            capture_output=True).returncode:
            print('skipped: %s has no torch, timm, torchvision and onnxruntime (set HISTOLRP_PYTHON)' % PYTHON)
            return 77
        else:
            paths = export(work, arguments.only)
        run = missed = 0
        for path in paths:
            row = explain(arguments.program, path, work)
            fine = isinstance(row, tuple) and row[0] <= 1e-4 and row[1] and row[2] <= 1e-5
            run, missed = run + 1, missed + (not fine)
            print('%-52s %s' % (os.path.basename(path)[:-5], row if isinstance(row, str) else
                                'logits %.1e  %s  account %.1e' % (
                                    row[0], 'finite' if row[1] else 'NOT FINITE', row[2])), flush=True)
            if not arguments.folder:
                os.remove(path)
        print('%d networks, %d missed' % (run, missed))
    return 1 if missed or not run else 0


if __name__ == '__main__':
    sys.exit(main())

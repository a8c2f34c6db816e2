#!/usr/bin/python3
"""explain_attn.py HISTOLRP VECTORS: reference vectors with gates, normalization and attention through the program.

Each case becomes a configuration ([lrp] attention, gate, layernorm, bias; [rules] per node),
`histolrp explain` runs it on vectors.h5:/input, and OUT.h5 is read with h5py.  Maps are compared after dividing
both by their start, sample by sample, over the peak of the reference: a logit near 0 would otherwise move the whole
map by its own float32 error.  A line per miss and per network; exit 1 on any miss, 77 where vectors or h5py are
absent.  Guards what is a weight, what is an activation written out, layer normalization, and the keys of all these.
"""
import json
import os
import subprocess
import sys

try:
    import h5py
    import numpy as np
except ImportError:
    print('skipped: python3-h5py is not installed')
    sys.exit(77)

from vector_folders import rule_text, run_all  # noqa: E402


def configuration(model, case, key):
    rules = [r for r in json.loads(case.attrs['rules']) if r['file'] == 'model']
    lines = ['[model]', 'path = ' + model, '[lrp]', 'composite = cp', 'start = ' + case.attrs['start']]
    lines += ['%s = %s' % (k, case.attrs[k]) for k in ('attention', 'gate', 'layernorm')]
    dropped = any(r.get('zero_params') for r in rules)
    lines.append('bias = ' + ('drop' if dropped else 'keep'))
    for r in rules:
        if r['rule'] == 'zbox':
            lines += ['%s = %s' % (k, ', '.join('%.9g' % v for v in r[k])) for k in ('low', 'high')]
    lines += ['[rules]'] + ['%s = %s' % (r[key], rule_text(r)) for r in rules]
    return '\n'.join(lines) + '\n'


def bag_configuration(folder, case):
    """A bag of features through model.onnx, or of pictures through encoder.onnx and head.onnx."""
    rules = json.loads(case.attrs['rules'])
    head = os.path.exists(os.path.join(folder, 'head.onnx'))
    dropped = any(r.get('zero_params') for r in rules if r['file'] != 'encoder')
    lines = ['[model]', 'path = ' + os.path.join(folder, 'encoder.onnx' if head else 'model.onnx'), '[lrp]',
             'start = ' + case.attrs['start'], 'gate = ' + case.attrs['gate'],
             'layernorm = ' + case.attrs['layernorm'], 'bias = keep', '[mil]',
             'attention = ' + case.attrs['attention'], 'bias = ' + ('drop' if dropped else 'keep')]
    lines += ['head = ' + os.path.join(folder, 'head.onnx')] if head else []
    return '\n'.join(lines + ['[rules]'] + ['%s = %s' % (r['onnx_node'], rule_text(r)) for r in rules]) + '\n'


def error(got, got_start, want, want_start):
    """The largest over the samples."""
    worst = 0.0
    for g, gs, w, ws in zip(got, got_start, want, want_start):
        g, w = g / gs.sum(), w / ws.sum()
        worst = max(worst, float(np.abs(g - w).max() / np.abs(w).max()))
    return worst


def sums_fit(out):
    """What is written of each layer sums, sample by sample, to what the account says."""
    for group in out['layers'].values():
        r = group['relevance'][...].astype(np.float64)
        sums = r.reshape(len(r), -1).sum(axis=1)
        if not np.allclose(sums, group['relevance'].attrs['sum'], rtol=0, atol=1e-6 * (1e-30 + np.abs(r).sum())):
            return False
    return True


def run_case(program, folder, model, f, name, case, work):
    config, out = os.path.join(work, 'case.ini'), os.path.join(work, 'out.h5')
    key = 'onnx_node_opset14' if 'opset14' in model else 'onnx_node'
    with open(config, 'w') as ini:
        ini.write(configuration(os.path.join(folder, model), case, key))
    subprocess.run([program, "explain", config, os.path.join(folder, 'vectors.h5') + ':/input', '-o', out,
                    '--target', ','.join(str(t) for t in f['target'][...]), '--layers', '-q'], check=True)
    allowed = max(3e-5, 30 * float(case.attrs['zennit_float32_max_error_over_abs_max']))
    with h5py.File(out, 'r') as o:
        start = f['starts/' + case.attrs['start']][...]
        d = error(o['relevance'][...], o['start'][...], case['relevance'][...], start)
        dl = float(np.abs(o['logits'][...] - f['logits'][...]).max() / np.abs(f['logits'][...]).max())
        layers = sums_fit(o)
    fine = d <= allowed and dl <= 1e-4 and layers
    if not fine:
        print('MISS %s/%s %s: relevance %.2e of %.2e, logits %.1e%s' % (
            os.path.basename(folder), model, name, d, allowed, dl, '' if layers else ', layers that do not sum up'))
    return d, 0 if fine else 1


def run_bag(program, folder, f, name, case, work):
    config, out = os.path.join(work, 'bag.ini'), os.path.join(work, 'bag.h5')
    with open(config, 'w') as ini:
        ini.write(bag_configuration(folder, case))
    subprocess.run([program, 'explain', config, os.path.join(folder, 'vectors.h5') + ':/input', '-o', out,
                    '--target', str(int(f['target'][0])), '-q'], check=True)
    allowed = max(3e-5, 30 * float(case.attrs['zennit_float32_max_error_over_abs_max']))
    with h5py.File(out, 'r') as o:
        ours, theirs = (x['start' if x is o else 'starts/logit'][...].sum() for x in (o, f))
        d = 0.0
        for key in ('relevance', 'feature_relevance'):
            if key in case:
                want = case[key][...] / theirs
                d = max(d, float(np.abs(o[key][...] / ours - want).max() / np.abs(want).max()))
        instances = o['relevance_sum'][...]
        sums = case['feature_relevance' if 'feature_relevance' in case else 'relevance'][...].sum(axis=1)
        fine = d <= allowed and np.allclose(instances, sums, rtol=0, atol=1e-3 * np.abs(sums).max())
    if not fine:
        print('MISS %s %s: relevance %.2e of %.2e' % (os.path.basename(folder), name, d, allowed))
    return d, 0 if fine else 1


def run_folder(program, folder, work):
    total, missed = 0, 0
    with h5py.File(os.path.join(folder, 'vectors.h5'), 'r') as f:
        if f.attrs['kind'] != 'image':
            runs = [run_bag(program, folder, f, name, case, work) for name, case in f['cases'].items()]
            print('%-18s %-18s %d cases, largest error %.2e' % (
                os.path.basename(folder), 'a bag', len(runs), max(d for d, _ in runs)))
            return len(runs), sum(m for _, m in runs)
        for model in ('model.onnx', 'model_opset14.onnx'):
            if not os.path.exists(os.path.join(folder, model)):
                continue
            runs = [run_case(program, folder, model, f, name, case, work) for name, case in f['cases'].items()]
            total, missed = total + len(runs), missed + sum(m for _, m in runs)
            print('%-18s %-18s %d cases, largest error %.2e' % (
                os.path.basename(folder), model, len(runs), max(d for d, _ in runs)))
    return total, missed


if __name__ == '__main__':
    sys.exit(run_all(*sys.argv[1:3], run_folder, '%d cases, %d missed'))

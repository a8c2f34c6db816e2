#!/usr/bin/python3
"""explain_vectors.py HISTOLRP VECTORS: every case of the reference vectors through the program itself.

Each case becomes a configuration ([lrp], [rules]), `histolrp explain` runs it on vectors.h5:/input with
--layers, and OUT.h5 is read with h5py: relevance, logits, starts, and the intermediate relevance where
it is stored.  A line per miss and per network; exit 1 on any miss, 77 where vectors or h5py are absent.
Guards the mapping of keys to rules, the tensor input, the files that explain writes.
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


def configuration(model, case, node_key):
    rules = json.loads(case.attrs['rules'])
    lines = ['[model]', 'path = ' + model, '[lrp]', 'start = ' + case.attrs['start'],
             'batchnorm = ' + ('auto' if case.attrs['batchnorm_merged'] else 'pass')]
    dropped = any(r.get('zero_params') for r in rules)
    lines.append('bias = ' + ('drop' if dropped else 'keep'))
    for r in rules:
        if r['rule'] == 'zbox':
            for key in ('low', 'high'):
                lines.append('%s = %s' % (key, ', '.join('%.9g' % v for v in r[key])))
    lines += ['[rules]', '@batchnorm = ' + rule_text(json.loads(case.attrs['batchnorm_rule']))]
    lines += ['%s = %s' % (r[node_key], rule_text(r)) for r in rules]
    return '\n'.join(lines) + '\n'


def error(got, want):
    return max(float(np.abs(g - w).max() / np.abs(w).max()) for g, w in zip(got, want))


def intermediates(out, group, allowed):
    """Sample 0 of stored tensors' relevance against /layers; (compared, missed)."""
    layers = {g['relevance'].attrs['output']: g['relevance'] for g in out['layers'].values()}
    compared, missed = 0, 0
    for name, want in group.items():
        tensor = want.attrs['onnx_output']
        if tensor in layers:
            compared += 1
            got = layers[tensor][0:1].reshape(want.shape)
            if not error(got, want[...]) <= allowed:
                missed += 1
                print('MISS intermediate %s %s %.2e' % (name, tensor, error(got, want[...])))
    return compared, missed


def run_case(program, folder, model, f, name, case, work):
    folded = model == 'model_folded.onnx'
    config, out = os.path.join(work, 'case.ini'), os.path.join(work, 'out.h5')
    with open(config, 'w') as ini:
        ini.write(configuration(os.path.join(folder, model), case,
                                'onnx_node_folded' if folded else 'onnx_node'))
    subprocess.run([program, 'explain', config, os.path.join(folder, 'vectors.h5') + ':/input', '-o', out,
                    '--target', ','.join(str(t) for t in f['target'][...]), '--layers', '-q'], check=True)
    allowed = max(3e-5, 30 * float(case.attrs['zennit_float32_max_error_over_abs_max']))
    with h5py.File(out, 'r') as o:
        missed = 0
        d = error(o['relevance'][...], case['relevance'][...])
        dl = error(o['logits'][...], f['logits'][...])
        start = case.attrs['start']
        ds = 0.0 if start == 'logodds' else error(o['start'][...], f['starts/' + start][...])
        same_input = np.array_equal(o['input'][...], f['input'][...])
        if not (d <= allowed and dl <= 1e-5 and ds <= 3e-5 and same_input):
            missed = 1
            print('MISS %s/%s %s: relevance %.2e of %.2e, logits %.1e, start %.1e' % (
                folder, model, name, d, allowed, dl, ds))
        compared = 0
        if model == 'model.onnx' and name in f.get('intermediates', {}):
            compared, lost = intermediates(o, f['intermediates'][name], allowed)
            missed += lost
    return d, compared, missed


def run_folder(program, folder, work):
    total, missed = 0, 0
    with h5py.File(os.path.join(folder, 'vectors.h5'), 'r') as f:
        for model in ('model.onnx', 'model_folded.onnx', 'model_softmax.onnx'):
            if not os.path.exists(os.path.join(folder, model)):
                continue
            worst, compared, cases = 0.0, 0, 0
            for name, case in f['cases'].items():
                if model == 'model_folded.onnx' and not case.attrs['batchnorm_merged']:
                    continue
                d, c, m = run_case(program, folder, model, f, name, case, work)
                worst, compared, missed, cases = max(worst, d), compared + c, missed + m, cases + 1
            total += cases
            print('%-16s %-18s %d cases, largest error %.2e, %d intermediate tensors' % (
                os.path.basename(folder), model, cases, worst, compared))
    return total, missed


if __name__ == '__main__':
    sys.exit(run_all(*sys.argv[1:3], run_folder, '%d cases run through explain, %d missed'))

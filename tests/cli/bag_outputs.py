"""bag_outputs.py OUT NAMED SHARED: what runs over slides with one score wrote, compared with their relevance.h5. OUT:
each is shown for its own class. NAMED: both for tumor, which one of them is not called by. SHARED: as OUT, under
one limit.  Guards: values in
another's column, a channel or class that is another's."""
import csv
import json
import os
import sys

import h5py
import numpy as np

try:
    import tifffile
except ImportError:
    tifffile = None

out, named, shared = sys.argv[1:]
classes = ['normal', 'tumor']
scores = ['attention', 'single:normal', 'single:tumor', 'drop:normal', 'drop:tumor', 'gradient-x-input:normal',
          'gradient-x-input:tumor']


class Slide:
    def __init__(self, folder):
        self.folder = folder
        with h5py.File(os.path.join(folder, 'relevance.h5'), 'r') as file:
            self.relevance, self.map = file['relevance'][:], file['mil/scores'][:]
            self.probability = file['mil/probability'][:]
            tiles = file['tiles']
            self.start = tiles['mil_relevance'][:]
            self.scores = np.concatenate([tiles[n][:] for n in ('attention', 'single', 'drop', 'gradient_x_input')], 1)
        self.called = classes[int(self.probability.argmax())]

    def path(self, name):
        return os.path.join(self.folder, name)

    def text(self, name):
        with open(self.path(name), encoding='utf-8') as file:
            return file.read()


def number(cell):
    return float(cell) if cell else np.nan


def check_table(s):
    with open(s.path('tiles.csv'), encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0])
    assert names[6:15] == ['mil_relevance:normal', 'mil_relevance:tumor'] + scores, names
    assert not [n for n in names if n.startswith(('probability', 'logit', 'predicted', 'start'))], names
    for k, name in enumerate(classes):
        np.testing.assert_array_equal([number(r['mil_relevance:' + name]) for r in rows], s.start[:, k])
    for m, name in enumerate(scores):
        np.testing.assert_array_equal(np.float32([number(r[name]) for r in rows]), s.scores[:, m])


def check_features(s, shown):
    features = json.loads(s.text('tiles.geojson'))['features']
    part = s.start[:, classes.index(shown)]
    least = 0.02 * np.nanmax(np.abs(part)) if np.isfinite(part).any() else np.inf
    for i, feature in enumerate(features):
        p = feature['properties']
        want = ('for ' + shown if part[i] > least else 'against ' + shown if part[i] < -least else
                'neither for nor against')
        assert p['classification']['name'] == want, (i, p, part[i], least)
        m = p['measurements']
        assert not [n for n in m if n.startswith(('probability', 'logit', 'start'))], m
        assert np.float32(m['attention']) == s.scores[i, 0] and np.float32(m['single: tumor']) == s.scores[i, 2]
        assert m.get("relevance for the slide's score: " + shown, np.nan) == part[i] or np.isnan(part[i])


def check_channels(s):
    names = classes + scores
    script = s.text('qupath.groovy').split('final List<String> CHANNELS = [')[1].split(']')[0]
    assert [line.strip(" ,'") for line in script.strip().split('\n')] == names, script
    if not tifffile:
        print('tifffile is not installed: channels are not compared')
        return
    with tifffile.TiffFile(s.path('relevance.ome.tif')) as file:
        np.testing.assert_array_equal(file.series[0].asarray(), np.concatenate([s.relevance, s.map]))
        xml = file.ome_metadata
    for i, name in enumerate(names):
        assert f'ID="Channel:0:{i}" Name="{name}"' in xml, name
    assert f'SizeC="{len(names)}"' in xml


def check_report(s, shown):
    head, body = s.text('.report.html').split('\n\n', 1)
    facts = dict(line.split('\t', 1) for line in head.split('\n') if not line.startswith('kind'))
    assert facts['class'] == shown and facts['called'] == s.called, facts
    assert abs(float(facts['score']) - s.probability.max()) < 1e-6, facts
    assert f'The slide is called <strong>{s.called}</strong>' in body
    for word in ('predict', 'called another', 'gated out'):
        assert word not in body, word
    part = s.start[:, classes.index(shown)]
    if np.isnan(part).all():
        assert f'The slide was not called {shown}: nothing to explain' in body and 'Tiles that decide' not in body
        return
    best = int(part.argmax())
    assert f'<h3>Most for {shown}</h3><table' in body
    assert body.split(f'Most for {shown}')[1].split('>tile ')[1].split(' ')[0] == str(best), best
    assert 'Where attention and relevance disagree most' in body and 'Rank correlation' in body


def rank(values):
    """Of the most 1; equal values share the mean of their ranks."""
    return np.array([(values > v).sum() + ((values == v).sum() + 1) / 2 for v in values])


def check_disagreement(s):
    part, attention = s.start[:, classes.index(s.called)], s.scores[:, 0]
    a, b = rank(part), rank(attention)
    body = s.text('.report.html').split('disagree most')[1]
    told = float(body.split('Rank correlation of the two: ')[1].split('.</p>')[0].replace('−', '-'))
    assert abs(told - np.corrcoef(a, b)[0, 1]) < 0.006, (told, np.corrcoef(a, b)[0, 1])
    for title, gap in (('Much attention', a - b), ('Little attention', b - a)):
        card = body.split(title)[1].split('</div>')[0]
        if gap.max() > 0.1 * len(gap):
            first = int(card.split('>tile ')[1].split(' ')[0])
            assert gap[first] == gap.max(), (title, first, gap)
        else:
            assert 'There is none' in card, (title, gap.max())


def check_batch(output, slides):
    with open(os.path.join(output, 'batch.csv'), encoding='utf-8', newline='') as file:
        rows = {os.path.basename(r['slide']): r for r in csv.DictReader(file)}
    page = open(os.path.join(output, 'report.html'), encoding='utf-8').read()
    for name, s in slides.items():
        row = rows[name + '.svs']
        assert row['class'] == s.called and abs(float(row['score']) - s.probability.max()) < 1e-5, row
        for file in ('status.json', 'run.json'):
            told = json.loads(s.text(file))
            assert told['class'] == s.called and abs(told['score'] - s.probability.max()) < 1e-5, (file, told)
        assert f'<td data-label="Class" data-v="{s.called}">{s.called}</td>' in page
    assert 'data-label="Predicted"' not in page


def check_limit(output, slides):
    """The percentile over all slides, each of its own class."""
    values = np.concatenate([s.relevance[classes.index(s.called)].ravel() for s in slides])
    want = np.percentile(np.abs(values[np.isfinite(values)]), 99.5)
    for s in slides:
        told = float(s.text('qupath.groovy').split('final double LIMIT = ')[1].split('d\n')[0])
        assert abs(told / want - 1) < 1e-4, (told, want)
        assert f'final int CHANNEL = {classes.index(s.called)}\n' in s.text('qupath.groovy')


for output, asked in ((out, None), (named, 'tumor')):
    slides = {name: Slide(os.path.join(output, name)) for name in ('nest', 'normal')}
    assert [s.called for s in slides.values()] == ['tumor', 'normal'], 'the slides are not what they were made for'
    for s in slides.values():
        shown = asked or s.called
        assert f'final int CHANNEL = {classes.index(shown)}\n' in s.text('qupath.groovy')
        check_table(s)
        check_features(s, shown)
        check_channels(s)
        check_report(s, shown)
        if not asked:
            check_disagreement(s)
    check_batch(output, slides)
check_limit(shared, [Slide(os.path.join(shared, name)) for name in ('nest', 'normal')])

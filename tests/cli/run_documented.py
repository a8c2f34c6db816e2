#!/usr/bin/python3
"""run_documented.py PROGRAM PROJECT DEMO: every command line of the program in the project's Markdown.

A command is an indented or fenced line that begins with histolrp or build/histolrp. Each one runs in a
folder with stand-ins for the files that the documentation names, and has to end with status 0. Guards:
a documented line that fails as it stands.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import h5py

program, project, demo = sys.argv[1:4]
LEAST = 10  # commands: fewer mean that they were not found

# What README.md says a configuration needs.
CONFIG = '[batch]\nslides = slides/*.svs\noutput = results\n\n[model]\npath = model.onnx\n'


def commands(path):
    """Lines of code, without their comments; a line that ends in \\ goes on."""
    fenced, text = False, ''
    for line in open(path, encoding='utf-8'):
        if line.startswith('```'):
            fenced = not fenced
            continue
        if not (fenced or line.startswith('    ')):
            continue
        text += re.sub(r'\s+#.*', '', line.strip())
        if text.endswith('\\'):
            text = text[:-1]
            continue
        if re.match(r'(build/)?histolrp ', text):
            yield text
        text = ''


def documents():
    for folder, subfolders, files in os.walk(project):
        subfolders[:] = [s for s in subfolders if not s.startswith(('.', 'build'))]
        yield from (os.path.join(folder, f) for f in files if f.endswith('.md'))


def stand_ins():
    """The files that the documentation names, for the tests' own network and slide."""
    os.makedirs('build', exist_ok=True)
    os.makedirs('slides', exist_ok=True)
    if not os.path.exists('build/histolrp'):
        os.symlink(program, 'build/histolrp')
    shutil.copy(os.path.join(demo, 'wide.svs'), 'slides/wide.svs')
    shutil.copy(os.path.join(demo, 'wide.svs'), 'slide.svs')
    shutil.copy(os.path.join(demo, 'demo.onnx'), 'model.onnx')
    shutil.copy(os.path.join(demo, 'picture.png'), 'tile.png')
    os.makedirs('demo', exist_ok=True)
    for place in ('.', 'configs'):
        shutil.copytree(os.path.join(project, 'configs'), place, dirs_exist_ok=True)
    for name in ('my.ini', 'CONFIG.ini'):
        with open(name, 'w') as f:
            f.write(CONFIG)
    with h5py.File(os.path.join(demo, 'tensors.h5')) as a, h5py.File('batch.h5', 'w') as b:
        b['input'] = a['three'][:]


def run(text):
    stand_ins()
    done = subprocess.run(['sh', '-c', text], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env=dict(os.environ, PATH=os.path.abspath('build') + ':' + os.environ['PATH']))
    if done.returncode:
        print(f'status {done.returncode}: {text}\n{done.stderr.decode()}')
    return done.returncode == 0


def main():
    good, count = True, 0
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        for path in sorted(documents()):
            for text in commands(path):
                count += 1
                if not run(text):
                    print(f'in {os.path.relpath(path, project)}')
                    good = False
        os.chdir('/')
    if count < LEAST:
        print(f'{count} commands were found, not {LEAST}')
    return 0 if good and count >= LEAST else 1


sys.exit(main())

"""What the tests of reference vectors through the program have in common."""
import os
import tempfile


def rule_text(rule):
    """As [rules] writes it."""
    kind = rule['rule']
    if kind == 'epsilon':
        return 'epsilon(%r%s)' % (rule['epsilon'], ',rms' if rule.get('norm_scale') else '')
    if kind == 'gamma':
        return 'gamma(%r)' % rule['gamma']
    if kind == 'alphabeta':
        return 'alphabeta(%r,%r)' % (rule['alpha'], rule['beta'])
    return kind


def run_all(program, vectors, run_folder, said):
    """run_folder(PROGRAM, FOLDER, WORK) of each network, which gives cases and misses; the exit status."""
    if not os.path.isdir(vectors):
        print('skipped: no reference vectors at %s (set HISTOLRP_TESTDATA)' % vectors)
        return 77
    total, missed = 0, 0
    with tempfile.TemporaryDirectory() as work:
        for name in sorted(os.listdir(vectors)):
            folder = os.path.join(vectors, name)
            if os.path.exists(os.path.join(folder, 'vectors.h5')):
                t, m = run_folder(program, folder, work)
                total, missed = total + t, missed + m
    print(said % (total, missed))
    return 1 if missed or not total else 0

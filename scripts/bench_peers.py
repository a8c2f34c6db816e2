#!/usr/bin/env python3
"""How fast histolrp explains transformers and gated convolutional networks, beside LXT and zennit.

    scripts/bench_peers.py                         ViT-S/16 and EfficientNet-B0 of timm, all peers
    scripts/bench_peers.py --network vit_small_patch16_224 --rounds 9 --cores 1,2

Networks have random weights from a fixed seed; torch and histolrp get the same ones. Each contender
is a process of its own. A round measures every contender once, one after the other, so that what
else the machine does meets all of them; minimum and median are over the rounds. Compare ratios:
seconds are those of one machine on one day.

  histolrp        `histolrp explain` on N and on 2N tiles (--tiles): a tile's time is the difference
                  over N, so that loading does not count, which is given apart. On several cores as
                  many processes, as a run has workers. One tile costs a whole micro-batch of 1, 2
                  or 4: which, is told from a run on one tile, and latency is that many tiles' time
  LXT explicit    lxt.explicit.functional and zennit's rules: relevance in each autograd function
  LXT efficient   lxt.efficient: gradient x input of a patched network, zennit's rules where gamma
                  is asked for. It has no stabilizer
  zennit          EpsilonPlus on the network with merged batch normalization, gates as constants

`vit-gamma`, `cp` and `epsilon-plus` are histolrp's composites (configs/README.md); peers get the
same rules: one class, start at its logit, biases keep their share. Queries and keys get no
relevance, and no peer is made to compute any. A peer's tiles per second are those of its best way:
batches of several sizes (--batches), and on several cores either all of them on one batch or a
process for each. Its latency is that of a batch of 1 on all cores.

cpu is processor time per tile, which other work on the machine disturbs less. Memory is the peak of
resident memory of a fresh process that explains one tile after another with one thread; "before" is
what a peer takes once the network is loaded. While time is taken, peers get glibc's allocator told
not to give memory back between passes, which makes them faster.

Maps are compared with a yardstick: the first peer's in float64 (LXT explicit with zennit's
stabilizer, z + sign(z) eps, instead of its own z + eps). What float32 costs each is seen there too.

Needs numpy, h5py, onnx, and torch with timm, which make the networks; lxt (which wants transformers
4) and zennit as far as they are to be compared. Exit status: 0 done; 1 a contender failed; 2
nothing could be measured.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from torch_peers import MOST, TARGET, pictures

HERE = os.path.dirname(os.path.abspath(__file__))
TORCH = os.path.join(HERE, "torch_peers.py")
NETWORKS = ("vit_small_patch16_224", "efficientnet_b0")
FITS = {"vit": ("vit-gamma", "cp"), "deit": ("vit-gamma", "cp"), "efficientnet": ("epsilon-plus",)}
PEERS = {"LXT explicit": ("torch", "zennit", "lxt.explicit.functional", "lxt.explicit.rules"),
         "LXT efficient": ("torch", "zennit", "lxt.efficient", "lxt.efficient.zennit_patches"),
         "zennit": ("torch", "zennit")}
WHO = {"vit-gamma": ("LXT explicit", "LXT efficient"), "cp": ("LXT explicit", "LXT efficient"),
       "epsilon-plus": ("zennit",)}
ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_MMAP_MAX_": "0",
             "MALLOC_TOP_PAD_": "67108864"}
CONFIG = "[model]\npath = {}\nmpp = 0.5\n[lrp]\ncomposite = {}\nbias = keep\nstart = logit\n"


# ---- contenders ----

class Failed(Exception):
    pass


class Server:
    """A process of a peer."""

    def __init__(self, name, peer, composite, where, env):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, TORCH, "serve", name, peer, composite, where], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
            env=dict(os.environ, **env))

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            raise Failed((self.errors.read().strip() or "no word").splitlines()[-1])
        return json.loads(line)

    def ask(self, threads, batch, passes):
        self.process.stdin.write(f"{threads} {batch} {passes}\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()


class Peer:
    def __init__(self, args, folder, name, peer, composite):
        self.batches, self.warm = args.batches, set()
        where = os.path.join(folder, f"{peer}-{composite}.npy".replace(" ", "-"))
        self.servers = []
        for _ in range(max(args.cores)):
            self.servers.append(Server(name, peer, composite, where, ALLOCATOR))
            self.servers[-1].answer()
        import numpy as np
        self.map = np.load(where)

    def times(self, servers, threads, batch):
        """Of one tile, with all servers at work at once."""
        passes = [max(1, max(self.batches) // batch // 2)]
        if (len(servers), threads, batch) not in self.warm:  # its buffers and threads come in
            self.warm.add((len(servers), threads, batch))
            passes.insert(0, 1)
        for count in passes:
            for s in servers:
                s.ask(threads, batch, count)
            answers = [s.answer() for s in servers]
        return {"wall": max(a["wall"] for a in answers) / len(servers),
                "cpu": sum(a["cpu"] for a in answers) / len(servers)}

    def measure(self, cores):
        """{way: times of one tile}"""
        ways = {f"{b}": self.times(self.servers[:1], cores, b) for b in self.batches}
        if cores > 1:
            ways.update({f"{b}, {cores} processes": self.times(self.servers[:cores], 1, b)
                         for b in self.batches})
        return ways

    def close(self):
        for s in self.servers:
            s.close()


class Own:
    def __init__(self, args, folder, model, composite):
        self.program, self.folder, self.tiles = os.path.abspath(args.program), folder, args.tiles
        self.model = model
        with open(os.path.join(folder, composite + ".ini"), "w") as f:
            f.write(CONFIG.format(model, composite))
        self.composite = composite

    def input(self, tiles):
        import h5py
        source = os.path.join(self.folder, f"in{tiles}.h5")
        if not os.path.exists(source):
            with h5py.File(source, "w") as f:
                f["input"] = pictures(tiles)
        return source

    def run(self, tiles, processes=1):
        """Seconds and processor seconds over the processes, and the peak in MB of one."""
        source, cpu, peak = self.input(tiles), 0, 0
        begin = time.perf_counter()
        children = [subprocess.Popen(
            [self.program, "explain", self.composite + ".ini", source + ":/input", "-q", "-o",
             f"out-{self.composite}-{i}.h5", "-t", "1", "--target", str(TARGET)],
            cwd=self.folder, stderr=subprocess.PIPE, text=True) for i in range(processes)]
        for child in children:
            said = child.stderr.read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode:
                raise Failed(said.strip() or "no word")
            cpu += usage.ru_utime + usage.ru_stime
            peak = max(peak, usage.ru_maxrss / 1024)
        return {"wall": (time.perf_counter() - begin) / processes, "cpu": cpu / processes,
                "peak": peak}

    def measure(self, cores):
        return {"one": self.run(1), "few": self.run(self.tiles, cores),
                "many": self.run(2 * self.tiles, cores)}

    @property
    def map(self):
        import h5py
        self.run(1)
        with h5py.File(os.path.join(self.folder, f"out-{self.composite}-0.h5")) as f:
            return f["relevance"][:1]

    def close(self):
        pass


# ---- what comes out ----

def missing(modules):
    """Why not all of the modules can be imported, if so; tried in a process of its own, whose
    memory is not ours."""
    test = "import importlib, sys\nfor m in sys.argv[1:]: importlib.import_module(m)"
    r = subprocess.run([sys.executable, "-W", "ignore", "-c", test, *modules], text=True,
                       capture_output=True)
    return (r.stderr.strip() or "it died").splitlines()[-1] if r.returncode else None


def agreement(folder, name, composite, contenders):
    import numpy as np
    first = next(who for who in contenders if who != "histolrp")
    where = os.path.join(folder, "yardstick.npy")
    subprocess.run([sys.executable, TORCH, "yardstick", name, first, composite, where],
                   check=True)
    truth = np.load(where)
    for who, c in contenders.items():
        print(f"  {who} beside {first} in float64: correlation "
              f"{np.corrcoef(c.map.ravel().astype(float), truth.ravel())[0, 1]:.7f}, largest "
              f"difference {np.abs(c.map - truth).max() / np.abs(truth).max():.1e} of the peak")


def of_own(rows, alone, tiles):
    """Times of a tile: the differences of minima, and of medians; a single difference would be as
    often too small as the shorter run was disturbed. alone: rows of one core."""
    def both(among, run, what):
        return [f(r[run][what] for r in among) for f in (min, statistics.median)]

    def tile(among, what):
        pairs = zip(both(among, "many", what), both(among, "few", what))
        return [(many - few) / tiles for many, few in pairs]
    load = [f - tiles * t for f, t in zip(both(alone, "few", "wall"), tile(alone, "wall"))]
    one, few, each = (f[0] for f in (both(alone, "one", "cpu"), both(alone, "few", "cpu"),
                                     tile(alone, "cpu")))
    costs = (one - few) / each + tiles  # of one tile, in tiles
    batch = min((1, 2, 4), key=lambda b: abs(b - costs))
    return {"tile": tile(rows, "wall"), "cpu": tile(rows, "cpu"), "load": load, "way": batch,
            "latency": [batch * t for t in tile(alone, "wall")]}


def of_peer(rows):
    way = min(rows[0], key=lambda w: min(r[w]["wall"] for r in rows))
    out = {"way": way}
    for key, w, what in (("latency", "1", "wall"), ("tile", way, "wall"), ("cpu", way, "cpu")):
        values = [r[w][what] for r in rows]
        out[key] = [min(values), statistics.median(values)]
    return out


def table(args, rounds, cores):
    rows = {who: of_peer([r[cores] for r in its]) for who, its in rounds.items()
            if who != "histolrp"}
    its = rounds["histolrp"]
    own = of_own([r[cores] for r in its], [r[1] for r in its], args.tiles)
    print(f"\n  {cores} core{'s' * (cores > 1)}: ms, minimum / median of {len(its)} rounds; in "
          "brackets: times histolrp's")
    print("  | contender | latency | a tile of many | tiles/s | cpu of a tile | batch |")
    print("  |" + " --- |" * 6)
    for who, r in {"histolrp": own, **rows}.items():
        cells = ["{:.0f} / {:.0f}".format(*(1e3 * v for v in r[key])) +
                 ("" if r is own else " ({:.2f} / {:.2f})".format(
                     *(a / b for a, b in zip(r[key], own[key]))))
                 for key in ("latency", "tile", "cpu")]
        cells.insert(2, "{:.2f} / {:.2f}".format(*(1 / v for v in r["tile"])))
        print(f"  | {who} | " + " | ".join(cells) + f" | {r['way']} |")
    print("  histolrp's loading, once a run: {:.0f} / {:.0f} ms".format(
        *(1e3 * v for v in own["load"])))


def memory(args, folder, name, composite, own, peers):
    said = subprocess.run([args.program, "inspect", own.model, "-s", "lrp.composite=" + composite],
                          capture_output=True, text=True).stdout
    worker = [line.split(None, 1)[1] for line in said.splitlines() if line.startswith("memory")]
    print(f"\n  peak memory: histolrp {own.run(args.tiles)['peak']:.0f} MB "
          f"(inspect: {worker[0] if worker else 'no word'})", end="")
    for who in peers:
        fresh = Server(name, who, composite, os.path.join(folder, "unused.npy"), {})
        before = fresh.answer()["before"]
        fresh.ask(1, 1, 4)
        print(f"; {who} {fresh.answer()['peak']:.0f} MB (before: {before:.0f})", end="")
        fresh.close()
    print()


def compare(args, folder, name, composite, model, peers):
    print(f"\n{name}, {composite}", flush=True)
    own = Own(args, folder, model, composite)
    contenders = {"histolrp": own}
    try:
        for who in peers:
            contenders[who] = Peer(args, folder, name, who, composite)
        if peers:
            agreement(folder, name, composite, contenders)
        rounds = {who: [{} for _ in range(args.rounds)] for who in contenders}
        for i in range(args.rounds):
            for cores in args.cores:
                for who, c in contenders.items():
                    rounds[who][i][cores] = c.measure(cores)
        for cores in args.cores:
            table(args, rounds, cores)
    finally:
        for c in contenders.values():
            c.close()
    memory(args, folder, name, composite, own, peers)
    sys.stdout.flush()


def numbers(text):
    return sorted({int(t) for t in text.split(",")})


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=os.path.join(HERE, "../build/histolrp"))
    parser.add_argument("--network", action="append", help="timm's name, vit_... or "
                        "efficientnet_...; default: " + " and ".join(NETWORKS))
    parser.add_argument("--composite", action="append", choices=WHO, help="default: all that fit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiles", type=int, default=8, help="N of histolrp's runs")
    parser.add_argument("--cores", type=numbers, default=[1, 2], help="1 is always among them")
    parser.add_argument("--batches", type=numbers, default=[1, 4], help="of the peers")
    args = parser.parse_args()
    if args.batches[0] != 1 or args.batches[-1] > MOST:
        parser.error(f"--batches: 1 has to be among them, and {MOST} is the most")
    if args.tiles % 4:
        parser.error("--tiles: a multiple of 4, the program's largest micro-batch")
    if min(args.rounds, args.tiles, args.cores[0]) < 1:
        parser.error("--rounds, --tiles and --cores are at least 1")
    args.cores = sorted({1, *args.cores})
    return args


def present():
    """The peers that are there; a line for each that is not."""
    there = []
    for who, modules in PEERS.items():
        why = missing(modules)
        if why:
            print(f"{who}: left out: {why}")
        else:
            there.append(who)
    return there


def main():
    args = parse()
    there = present()
    why = missing(("numpy", "h5py", "torch", "timm", "onnx"))
    if not os.access(args.program, os.X_OK):
        why = f"{args.program} is not there: build it with scripts/build.sh release"
    if why:
        print(f"bench_peers.py: error: nothing can be measured: {why}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name in args.network or NETWORKS:
                model = os.path.join(folder, name + ".onnx")
                subprocess.run([sys.executable, TORCH, "export", name, model], check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                fit = next((c for n, c in FITS.items() if name.startswith(n)), ())
                for composite in fit:
                    if not args.composite or composite in args.composite:
                        compare(args, folder, name, composite, model,
                                [w for w in WHO[composite] if w in there])
        except (Failed, subprocess.CalledProcessError) as e:
            print(f"bench_peers.py: error: {e}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

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

HOME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SIZE, CLASSES, TARGET = 224, 10, 0
MOST = 8  # different pictures
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


# ---- networks: torch's side, in processes of their own ----

def pictures(n):
    """Blobs of several sizes, of zero mean and unit variance."""
    import numpy as np
    rng = np.random.default_rng(11)
    out = np.zeros((MOST, 3, SIZE, SIZE))
    for cells in (4, 14, 56, 224):
        coarse = rng.normal(size=(MOST, 1, cells, cells))
        coarse = coarse + 0.6 * rng.normal(size=(MOST, 3, cells, cells))
        out += coarse.repeat(SIZE // cells, 2).repeat(SIZE // cells, 3) / (1 + cells / 28)
    out -= out.mean((2, 3), keepdims=True)
    out = (out / out.std((2, 3), keepdims=True)).astype(np.float32)
    return out[[i % MOST for i in range(n)]]


def network(name):
    """Random weights that leave no layer trivial. The same ones in every process."""
    import timm
    import torch
    from torch import nn
    torch.manual_seed(5)
    net = timm.create_model(name, pretrained=False, num_classes=CLASSES)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for m in net.modules():
            norm = isinstance(m, (nn.BatchNorm2d, nn.LayerNorm))
            for key, p in m.named_parameters(recurse=False):
                if norm:
                    nn.init.uniform_(p, 0.7, 1.3) if key == "weight" else nn.init.normal_(p, 0, 0.1)
                elif p.dim() > 1 and key == "weight":
                    fan = p[0].numel() / (2 if p.dim() == 4 and norms else 1)
                    nn.init.normal_(p, 0, fan ** -0.5)
                else:
                    nn.init.normal_(p, 0, 0.1 if p.dim() == 1 else 0.5)
        for m in norms:  # statistics of pictures, as training leaves them
            m.momentum = None
        net.train(bool(norms))
        if norms:
            net(torch.from_numpy(pictures(4)))
    return net.eval().requires_grad_(False)


def export(name, path):
    import warnings
    import torch
    warnings.filterwarnings("ignore")
    torch.onnx.export(network(name), (torch.from_numpy(pictures(1)),), path, opset_version=17,
                      dynamo=False, input_names=["input"], output_names=["logits"],
                      dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})


def rules_by_name(rule_of):
    """zennit's hooks by module's name; a module without one keeps its gradient."""
    from zennit.core import Composite
    return Composite(module_map=lambda ctx, name, module: rule_of(name, module))


def vit_rule(name, module, mlp_only):
    """vit-gamma: gamma in the stem, the MLPs and the head, epsilon in attention."""
    from torch import nn
    from zennit.rules import Epsilon, Gamma
    if isinstance(module, nn.Conv2d):
        return Gamma(0.25)
    if not isinstance(module, nn.Linear) or name.endswith(".qk"):
        return None
    if ".attn." in name:
        return None if mlp_only else Epsilon(1e-6)
    return Gamma(0.05)


def split_values(net):
    """The fused projection of queries, keys and values becomes two: only values get relevance."""
    from torch import nn
    for block in net.blocks:
        a, d = block.attn, block.attn.qkv.in_features
        a.qk, a.v = nn.Linear(d, 2 * d), nn.Linear(d, d)
        for layer, part in ((a.qk, slice(0, 2 * d)), (a.v, slice(2 * d, 3 * d))):
            layer.weight.data, layer.bias.data = a.qkv.weight[part], a.qkv.bias[part]
        a.qk.requires_grad_(False), a.v.requires_grad_(False)
        del a.qkv


def heads(a, t):
    return t.reshape(*t.shape[:2], a.num_heads, a.head_dim).transpose(1, 2)


def weights_of(a, t):
    """softmax(q k / sqrt d), which is a constant to relevance."""
    import torch
    with torch.no_grad():
        q, k = a.qk(t).chunk(2, -1)
        return (heads(a, q) * a.scale @ heads(a, k).transpose(-2, -1)).softmax(-1)


class Explicit:
    """timm's VisionTransformer, each step an autograd function that hands on relevance."""

    def __init__(self, net, composite):
        from lxt.explicit import functional, rules
        from zennit.rules import Epsilon
        self.net, self.lf, self.rules = net, functional, rules
        self.gamma = composite == "vit-gamma"
        split_values(net)
        if self.gamma:
            rules_by_name(lambda n, m: vit_rule(n, m, False)).register(net)
        else:
            Epsilon(1e-6).register(net.patch_embed.proj)

    def linear(self, layer, x):
        return layer(x) if self.gamma else self.lf.linear_epsilon(x, layer.weight, layer.bias)

    def norm(self, layer, x):
        return self.lf.layer_norm(x, layer.weight, layer.bias, layer.eps)

    def attention(self, a, t):
        import torch
        v = heads(a, self.linear(a.v, t))
        y = self.rules.epsilon_lrp(torch.matmul, 1e-6, weights_of(a, t), v)
        return self.linear(a.proj, y.transpose(1, 2).reshape(t.shape))

    def logits(self, x):
        import torch
        net = self.net
        t = net.patch_embed.proj(x).flatten(2).transpose(1, 2)
        t = torch.cat([net.cls_token.expand(len(x), -1, -1), t], 1)
        t = self.lf.add2(t, net.pos_embed.expand(len(x), -1, -1))
        for b in net.blocks:
            t = self.lf.add2(t, self.attention(b.attn, self.norm(b.norm1, t)))
            hidden = self.linear(b.mlp.fc1, self.norm(b.norm2, t))
            hidden = self.rules.identity(b.mlp.act, hidden)
            t = self.lf.add2(t, self.linear(b.mlp.fc2, hidden))
        return self.linear(net.head, self.norm(net.norm, t)[:, 0])

    def __call__(self, x):
        x = x.requires_grad_()
        y = self.logits(x)[:, TARGET]
        y.backward(y.detach())
        return x.grad


class Efficient:
    """timm's own network, patched by lxt.efficient; relevance is gradient x input."""

    def __init__(self, net, composite):
        from functools import partial
        from lxt.efficient import monkey_patch
        from lxt.efficient.patches import layer_norm_forward, non_linear_forward, patch_method
        from lxt.efficient.zennit_patches import monkey_patch_zennit
        self.net = net
        split_values(net)
        block = net.blocks[0]
        monkey_patch(type(net), {
            type(block.mlp.act): partial(patch_method, non_linear_forward, keep_original=True),
            type(block.norm1): partial(patch_method, layer_norm_forward),
            type(block.attn): partial(patch_method, Efficient.attention)})
        if composite == "vit-gamma":
            monkey_patch_zennit()
            rules_by_name(lambda n, m: vit_rule(n, m, True)).register(net)

    @staticmethod
    def attention(a, t, attn_mask=None, is_causal=False):
        return a.proj((weights_of(a, t) @ heads(a, a.v(t))).transpose(1, 2).reshape(t.shape))

    def __call__(self, x):
        x = x.requires_grad_()
        self.net(x)[:, TARGET].sum().backward()
        return x.grad * x.detach()


class Zennit:
    """timm's EfficientNet with merged batch normalization under zennit's EpsilonPlus."""

    def __init__(self, net, composite):
        from torch import nn
        from zennit.composites import EpsilonPlus
        from zennit.layer import Sum
        self.net = net
        net.steps = nn.ModuleList([self.step(net.conv_stem, net.bn1)])
        for b in (b for stage in net.blocks for b in stage):
            pointwise = hasattr(b, "conv_pwl")
            b.steps = nn.ModuleList(
                [self.step(b.conv_pw, b.bn1), self.step(b.conv_dw, b.bn2)] if pointwise else
                [self.step(b.conv_dw, b.bn1)])
            b.last = self.step(b.conv_pwl, b.bn3) if pointwise else self.step(b.conv_pw, b.bn2)
            b.sum = Sum() if b.has_skip else None
        net.last = self.step(net.conv_head, net.bn2)
        net.pool = nn.AdaptiveAvgPool2d(1)
        EpsilonPlus().register(net)

    @staticmethod
    def step(conv, bn):
        """Convolution with its normalization merged in, and its activation."""
        from torch import nn
        s = bn.weight / (bn.running_var + bn.eps).sqrt()
        conv.weight.data = conv.weight * s[:, None, None, None]
        shift = bn.bias - bn.running_mean * s + (0 if conv.bias is None else conv.bias * s)
        conv.bias = nn.Parameter(shift, requires_grad=False)
        act = nn.Identity() if isinstance(bn.act, nn.Identity) else nn.SiLU()
        return nn.Sequential(conv, act)

    @staticmethod
    def gated(t, se):
        """Squeeze-and-excite, whose gate is a constant: relevance passes as it is."""
        import torch

        class Gate(torch.autograd.Function):
            @staticmethod
            def forward(ctx, t, g):
                return t * g

            @staticmethod
            def backward(ctx, r):
                return r, None
        with torch.no_grad():
            g = se.conv_expand(se.act1(se.conv_reduce(t.mean((2, 3), keepdim=True)))).sigmoid()
        return Gate.apply(t, g)

    def __call__(self, x):
        import torch
        net, x = self.net, x.requires_grad_()
        t = net.steps[0](x)
        for b in (b for stage in net.blocks for b in stage):
            u = t
            for step in b.steps:
                u = step(u)
            u = b.last(self.gated(u, b.se))
            t = b.sum(torch.stack([t, u], -1)) if b.sum else u
        y = net.classifier(net.pool(net.last(t)).flatten(1))[:, TARGET]
        y.backward(y.detach())
        return x.grad


def status_mb(key):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith(key))


KINDS = {"LXT explicit": Explicit, "LXT efficient": Efficient, "zennit": Zennit}


def yardstick(name, peer, composite, where):
    import warnings
    warnings.filterwarnings("ignore")
    import numpy as np
    import torch
    if peer == "LXT explicit":
        from lxt.explicit import functional, rules
        from zennit.core import stabilize
        functional._stabilize = rules._stabilize = lambda z, epsilon=1e-6, inplace=False: (
            stabilize(z, epsilon))
    explain = KINDS[peer](network(name).double(), composite)
    np.save(where, explain(torch.from_numpy(pictures(1)).double()).detach().numpy())


def serve(name, peer, composite, where):
    """A peer's process: a line THREADS BATCH PASSES in, a line of JSON out."""
    import warnings
    warnings.filterwarnings("ignore")
    import numpy as np
    import torch
    torch.set_num_threads(1)
    explain = KINDS[peer](network(name), composite)
    x = torch.from_numpy(pictures(MOST))
    before = status_mb("VmRSS")
    np.save(where, explain(x[:1].clone()).detach().numpy())
    print(json.dumps({"before": before}), flush=True)
    for line in sys.stdin:
        threads, batch, passes = map(int, line.split())
        torch.set_num_threads(threads)
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(passes):
            explain(x[:batch].clone())
        print(json.dumps({"wall": (time.perf_counter() - wall) / passes / batch,
                          "cpu": (time.process_time() - cpu) / passes / batch,
                          "peak": status_mb("VmHWM")}), flush=True)


# ---- contenders ----

class Failed(Exception):
    pass


class Server:
    """A process of a peer."""

    def __init__(self, name, peer, composite, where, env):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, peer, composite, where], text=True,
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
    subprocess.run([sys.executable, __file__, "--yardstick", name, first, composite, where],
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
    parser.add_argument("--program", default=os.path.join(HOME, "build/histolrp"))
    parser.add_argument("--network", action="append", help="timm's name, vit_... or "
                        "efficientnet_...; default: " + " and ".join(NETWORKS))
    parser.add_argument("--composite", action="append", choices=WHO, help="default: all that fit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiles", type=int, default=8, help="N of histolrp's runs")
    parser.add_argument("--cores", type=numbers, default=[1, 2], help="1 is always among them")
    parser.add_argument("--batches", type=numbers, default=[1, 4], help="of the peers")
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--yardstick", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--export", nargs=2, help=argparse.SUPPRESS)
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
    if args.serve:
        return serve(*args.serve)
    if args.yardstick:
        return yardstick(*args.yardstick)
    if args.export:
        return export(*args.export)
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
                subprocess.run([sys.executable, __file__, "--export", name, model], check=True,
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

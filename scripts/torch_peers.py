#!/usr/bin/env python3
"""The networks and the peers of bench_peers.py, which calls this in processes of their own.

    torch_peers.py export NETWORK OUT.onnx
    torch_peers.py serve NETWORK PEER COMPOSITE MAP.npy       answers on its standard output
    torch_peers.py yardstick NETWORK PEER COMPOSITE MAP.npy   the map in float64
"""
import json
import sys
import time

SIZE, CLASSES, TARGET = 224, 10, 0
MOST = 8  # different pictures


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


if __name__ == "__main__":
    {"export": export, "serve": serve, "yardstick": yardstick}[sys.argv[1]](*sys.argv[2:])

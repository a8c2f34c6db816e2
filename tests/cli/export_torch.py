#!/usr/bin/env python3
"""export_torch.py PROGRAM PROJECT: scripts/export_torch.py, in the current, empty folder.

Exports a small network from a file of its own, reads the metadata back by onnx and by the program, and
compares the program's logits with torch's. Guards: keys that histolrp does not read, weights that
silently stay random, a file that is half written or differs from the network, errors of many lines.
timm, torchvision, safetensors, onnxruntime and the new exporter are tried where they are installed.
"""
import contextlib
import importlib.util
import inspect
import io
import os
import subprocess
import sys

import h5py
import onnx
import torch

program, project = sys.argv[1:3]
NETS = """import torch
from torch import nn

def build(classes=2):
    torch.manual_seed(5)
    bn = nn.BatchNorm2d(8)
    nn.init.uniform_(bn.running_mean, -1, 1)
    return nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), bn, nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes))

class Named(nn.Module):  # several outputs, a layer that training and use tell apart
    def __init__(self):
        super().__init__()
        self.body = build()
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return {"features": x.mean((2, 3)), "logits": self.body(self.drop(x))}

class Frozen(nn.Module):  # which torch runs by an operator of its own
    def __init__(self):
        super().__init__()
        torch.manual_seed(6)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.stem, self.body, self.fc = nn.Conv2d(3, 8, 8, 8), nn.TransformerEncoder(layer, 1), nn.Linear(8, 2)
        for parameter in self.parameters():
            parameter.requires_grad_(False)

    def forward(self, x):
        return self.fc(self.body(self.stem(x).flatten(2).transpose(1, 2)).mean(1))

class Unknown(nn.Module):
    def forward(self, x):
        return torch.fft.fft(x).abs().mean((2, 3))

def one_output():
    return build(1)

def no_module():
    return 3

def not_pooled():
    return nn.Conv2d(3, 8, 3)

def not_finite():
    net = build()
    net[0].weight.data[0] = float("nan")
    return net

def broken():
    raise ValueError("first\\nsecond")
"""
sys.path.insert(0, project + "/scripts")
spec = importlib.util.spec_from_file_location("script", project + "/scripts/export_torch.py")
script = importlib.util.module_from_spec(spec)
sys.modules["script"] = script
spec.loader.exec_module(script)
failed = 0


def complain(text):
    global failed
    failed = 1
    print(text)


def installed(name):
    return importlib.util.find_spec(name) is not None


def run(*words):
    """Status and what was said on standard error; neither leftovers nor more than one line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = script.main(list(words))
    left = [n for n in os.listdir(".") if n.startswith(".")]
    if left:
        complain(f"{words}: left behind {left}")
    return status, err.getvalue(), out.getvalue()


def done(path, *words):
    status, err, out = run(*words, "-o", path)
    if status != 0 or not os.path.exists(path):
        complain(f"{words}: status {status}: {err}{out}")
        return {}, out
    model = onnx.load(path)
    return {e.key: e.value for e in model.metadata_props}, out


def refused(status, pattern, *words):
    before = sorted(os.listdir("."))
    is_, err, _ = run(*words, "-o", "refused.onnx")
    if is_ != status or pattern not in err or err.count("\n") != 1 or \
            not err.startswith("export_torch.py: error: "):
        complain(f"{words}: status {is_}, not {status}, and nothing like \"{pattern}\" in: {err}")
    if sorted(os.listdir(".")) != before:
        complain(f"{words}: files appeared or went: {sorted(os.listdir('.'))}")


def same(what, is_, wanted):
    for key, value in wanted.items():
        if is_.get(key) != value:
            complain(f"{what}: {key} is {is_.get(key)}, not {value}")


def logits_of(net, path, size):
    """The program's logits beside torch's."""
    x = torch.randn(2, 3, size, size)
    with h5py.File("x.h5", "w") as f:
        f["input"] = x.numpy()
    with open("net.ini", "w") as f:
        f.write(f"[model]\npath = {path}\nmpp = 0.5\n")
    subprocess.run([program, "explain", "-q", "net.ini", "x.h5:/input", "-o", "o.h5"], check=True)
    with h5py.File("o.h5") as f, torch.no_grad():
        error = (torch.from_numpy(f["logits"][:]) - net.eval()(x)).abs().max()
    if not error < 1e-4:
        complain(f"{path}: the program's logits differ from torch's by {error}")
    for name in ("x.h5", "net.ini", "o.h5"):
        os.remove(name)


with open("nets.py", "w") as f:
    f.write(NETS)
sys.path.insert(0, ".")
import nets  # noqa: E402

# What is given arrives where it is read.
FACTS = ["--classes", "normal, tumor", "--mpp", "0.5", "--mean", "0.7,0.5,0.25", "--std", "0.2"]
WANTED = {"classes": "normal,tumor", "mpp": "0.5", "mean": "0.7,0.5,0.25", "std": "0.2"}
found, said = done("a.onnx", "nets.py:build", *FACTS, "--size", "32")
same("a.onnx", found, WANTED)
if installed("onnxruntime") != ("largest difference" in said):
    complain("a.onnx: compared, or not: " + said)
seen = subprocess.run([program, "inspect", "a.onnx"], stdout=subprocess.PIPE, check=True).stdout.decode()
for line in ("mpp       0.5 um per pixel", "classes   normal, tumor", "input     1x3x32x32"):
    if line not in seen:
        complain(f"inspect a.onnx: no line \"{line}\" in:\n{seen}")
logits_of(nets.build(), "a.onnx", 32)
found, _ = done("a.onnx", "nets.py:build", "--size", "32")
if set(found) & set(WANTED):
    complain(f"a.onnx: what nobody gave: {found}")

done("frozen.onnx", "nets.py:Frozen", "--size", "32")

# Of several outputs the logits; any batch; one output for two classes.
done("named.onnx", "nets.py:Named", "--size", "32", "--dynamic-batch")
logits_of(nets.build(), "named.onnx", 32)
same("one", done("one.onnx", "nets.py:one_output", "--classes", "a,b", "--size", "32")[0], {"classes": "a,b"})
if "dynamo" in inspect.signature(torch.onnx.export).parameters and installed("onnxscript"):
    for more in ([], ["--dynamic-batch"]):
        same("new", done("new.onnx", "nets.py:build", *FACTS, "--size", "32", "--exporter", "new", *more)[0],
             WANTED)
        logits_of(nets.build(), "new.onnx", 32)
else:
    print("the new exporter is not installed: not tried")

# Weights: as wrappers save them, and refused where they do not fit.
other = nets.build()
with torch.no_grad():
    for parameter in other.parameters():
        parameter.mul_(-2)
state = {"module.model." + key: value for key, value in other.state_dict().items()}
torch.save({"epoch": 3, "state_dict": state}, "w.pt")
torch.save(nets.build(3).state_dict(), "three.pt")
torch.save(other, "whole.pt")
done("w.onnx", "nets.py:build", "--weights", "w.pt", "--size", "32")
logits_of(other, "w.onnx", 32)
if installed("safetensors"):
    from safetensors.torch import save_file
    save_file(other.state_dict(), "w.safetensors")
    done("s.onnx", "nets.py:build", "--weights", "w.safetensors", "--size", "32")
    logits_of(other, "s.onnx", 32)
refused(2, "5.weight is 3x8, not 2x8", "nets.py:build", "--weights", "three.pt")
refused(2, "as tensors alone", "nets.py:build", "--weights", "whole.pt")
refused(2, "no such file (none.pt)", "nets.py:build", "--weights", "none.pt")

# Networks of libraries bring mean and std, and their outputs fit classes or weights.
if installed("timm"):
    import timm
    IMAGENET = {"mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"}
    found, _ = done("t.onnx", "timm:resnet10t", "--classes", "a,b,c", "--size", "64")
    same("timm", found, {**IMAGENET, "classes": "a,b,c"})
    torch.save(timm.create_model("resnet10t", num_classes=3).state_dict(), "t.pt")
    done("t.onnx", "timm:resnet10t", "--weights", "t.pt", "--size", "64")
    done("t.onnx", "timm:resnet10t", "--weights", "t.pt", "--features", "--size", "64")
    if onnx.load("t.onnx").graph.output[0].type.tensor_type.shape.dim[1].dim_value != 512:
        complain("t.onnx: not the features")
    refused(2, "2 classes are named", "timm:resnet10t", "--weights", "t.pt", "--classes", "a,b", "--size", "64")
    refused(2, "or resnet10t?", "timm:resnet10s")
if installed("torchvision"):
    found, _ = done("v.onnx", "torchvision:squeezenet1_1", "--classes", "a,b", "--size", "64")
    same("torchvision", found, {"mean": "0.485,0.456,0.406", "classes": "a,b"})
    refused(2, "did you mean resnet", "torchvision:resnet5")

# One line each, and no file.
refused(2, "no such file (none.py)", "none.py:build")
refused(2, "names no network", "resnet50")
refused(2, "it has build, Named", "nets.py:nothing")
refused(2, "must return a torch.nn.Module", "nets.py:no_module")
refused(2, "ValueError: first", "nets.py:broken")
refused(2, "must give [N,classes]", "nets.py:not_pooled")
refused(2, "not finite", "nets.py:not_finite")
refused(2, "does not take tiles of 1x3x2x2", "nets.py:build", "--size", "2")
refused(2, "3 classes are named", "nets.py:build", "--classes", "a,b,c")
refused(2, "list of different names", "nets.py:build", "--classes", "a,a")
refused(2, "above 0", "nets.py:build", "--mpp", "0")
refused(2, "three separated by commas", "nets.py:build", "--mean", "1,2")
refused(2, "give both", "nets.py:build", "--mean", "1")
refused(2, "--opset 99", "nets.py:build", "--opset", "99")
refused(2, "timm's networks", "nets.py:build", "--features")
refused(1, "exporter fails", "nets.py:Unknown", "--size", "32")
printed = subprocess.run([sys.executable, project + "/scripts/export_torch.py", "nets.py:Unknown", "--size", "32",
                          "-o", "refused.onnx"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout
if printed.count(b"\n") != 1:
    complain(f"an operator that ONNX lacks: {printed.decode()}")
status, error, _ = run("nets.py:build", "-o", "none/a.onnx")
if status != 2 or "cannot be written (none/a.onnx)" not in error:
    complain(f"a folder that is not there: status {status}: {error}")

# An exporter that fails or makes another network of it: what was there stays.
exporter = script.run_exporter


def fails(*unused):
    raise RuntimeError("\n\nno such operator\nmore")


def changes(its_torch, args, net, x, path):
    return exporter(its_torch, args, nets.Named().eval().body[:-1], x, path)


before = open("a.onnx", "rb").read()
script.run_exporter = fails
refused(1, "legacy exporter fails: RuntimeError: no such operator", "nets.py:build")
if installed("onnxruntime"):
    script.run_exporter = changes
    status, error, _ = run("nets.py:build", "-o", "a.onnx")
    if status != 1 or "where torch makes" not in error:
        complain(f"another network: status {status}: {error}")
script.run_exporter = exporter
if open("a.onnx", "rb").read() != before:
    complain("a.onnx was overwritten by a failure")

# Weights that one file does not hold, made small.
script.ONE_FILE, limit = 100, script.ONE_FILE
wide = NETS.replace("8, classes", "600, classes").replace("(8)", "(600)").replace("3, 8, 3", "3, 600, 3")
with open("wide.py", "w") as f:
    f.write(wide)
os.umask(0o022)
done("wide.onnx", "wide.py:build", "--size", "32")  # and once more, over it
same("wide", done("wide.onnx", "wide.py:build", *FACTS, "--size", "32")[0], WANTED)
script.ONE_FILE = limit
if not os.path.exists("wide.onnx.data") or os.path.getsize("wide.onnx") > 10000:
    complain("wide.onnx: its weights are not beside it")
if os.stat("wide.onnx.data").st_mode & 0o777 != 0o644:
    complain("wide.onnx.data: others cannot read it")
import wide  # noqa: E402
logits_of(wide.build(), "wide.onnx", 32)

sys.exit(failed)

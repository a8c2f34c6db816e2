#!/usr/bin/env python3
"""Export a PyTorch network as an ONNX file that histolrp reads, with its metadata.

MODEL is `timm:NAME`, `torchvision:NAME`, or `FILE.py:CALLABLE`: a function without arguments (or a
class) of your own that returns a torch.nn.Module, or a module itself.

    scripts/export_torch.py timm:vit_small_patch16_224 --weights best.pt --classes normal,tumor \\
        --mpp 0.5 -o model.onnx
    scripts/export_torch.py torchvision:resnet50 --weights best.safetensors --classes normal,tumor \\
        --mpp 0.5 --mean 0.7,0.55,0.7 --std 0.2,0.25,0.2 -o model.onnx
    scripts/export_torch.py nets.py:build --classes normal,tumor --mpp 0.5 --size 256 -o model.onnx

What histolrp has to know goes into the file's metadata: `classes`, `mpp` (µm per pixel at which the
network was trained), `mean` and `std` (of pixel values between 0 and 1). Without --mean and --std
they are what timm or torchvision say of the network's published weights; a FILE.py has none, which
means 0 and 1.

Nothing is downloaded: without --weights the weights are random. --weights is a state dict
(torch.save of net.state_dict(), or under `state_dict`, `model_state_dict` or `model` of a checkpoint,
or safetensors); prefixes that wrappers leave (`module.`, `model.`) are taken off. The number of outputs
is that of the weights, else that of --classes. A network that needs arguments to be built (an encoder
with registers, say) is a function of three lines in a FILE.py.

The exporter `legacy` names nodes after modules (`/layer4/layer4.2/conv3/Conv`), which reads best in
`[rules]` and in histolrp's account. `new` is torch's exporter from torch 2.5 on (needs onnxscript).

Where onnxruntime is installed, the file is compared with torch on random tiles: the largest difference
of a logit is printed, and one above 1e-3 of the largest logit fails. A file appears under its name only
when it is complete. Networks over 2 GB get a second file, OUT.onnx.data, which must stay beside it.

Needs torch and onnx; timm, torchvision, safetensors and onnxruntime where they are used.
Exit status: 0 done; 1 the export failed or differs from torch; 2 nothing was tried: arguments, the
network or its weights cannot be used, or the output cannot be written.
"""
import argparse
import contextlib
import inspect
import io
import logging
import math
import os
import shutil
import sys
import tempfile
import warnings

from torch_networks import CHANNELS, SIZE, Refused, first_line, make_network, need

TOLERANCE = 1e-3   # of the largest logit
ONE_FILE = 1.9e9   # bytes of weights; protobuf ends at 2^31
OPSETS = {"legacy": (9, 17), "new": (18, 18)}  # least, default
OPSET_MOST = 22    # the last that histolrp reads


# ---- arguments

def numbers(text):
    values = tuple(float(t) for t in text.split(","))
    if len(values) not in (1, CHANNELS) or not all(math.isfinite(v) for v in values):
        raise ValueError
    return values


def argument(convert, what, fits=lambda v: True):
    def read(text):
        try:
            value = convert(text)
            if fits(value):
                return value
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(f"\"{text}\" is not {what}")
    return read


def names(text):
    found = [name.strip() for name in text.split(",")]
    if not all(found) or len(set(found)) < len(found):
        raise ValueError
    return found


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message, "--help lists the options")


def parse(words):
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL",
                        help="timm:NAME, torchvision:NAME or FILE.py:CALLABLE")
    parser.add_argument("-o", "--output", metavar="OUT.onnx", required=True)
    parser.add_argument("--weights", metavar="FILE", help="a state dict: .pt, .pth or .safetensors")
    parser.add_argument("--classes", metavar="A,B", help="names of the outputs, in their order",
                        type=argument(names, "a list of different names, as in normal,tumor"))
    parser.add_argument("--mpp", metavar="UM", help="µm per pixel at which it was trained",
                        type=argument(float, "a number above 0, as in 0.5", lambda v: 0 < v <= 100))
    parser.add_argument("--mean", metavar="M[,M,M]", help="subtracted from pixels between 0 and 1",
                        type=argument(numbers, "one number, or three separated by commas"))
    parser.add_argument("--std", metavar="S[,S,S]", help="divides after the mean",
                        type=argument(numbers, "one number above 0, or three separated by commas",
                                      lambda v: min(v) > 0))
    parser.add_argument("--size", metavar="PX", help="edge of a tile in pixels (default: what the "
                        f"library says of the network, else {SIZE})",
                        type=argument(int, "a number of pixels", lambda v: 1 <= v <= 65536))
    parser.add_argument("--features", action="store_true",
                        help="without its head: an encoder's features (timm only)")
    parser.add_argument("--exporter", choices=OPSETS, default="legacy")
    parser.add_argument("--opset", metavar="N", help=f"up to {OPSET_MOST} (default: 17 for legacy, "
                        "18 for new)", type=argument(int, "an operator set"))
    parser.add_argument("--dynamic-batch", action="store_true", help="for other programs that take "
                        "several tiles at once: histolrp does so with any file")
    args = parser.parse_args(words)
    least, usual = OPSETS[args.exporter]
    args.opset = usual if args.opset is None else args.opset
    if not least <= args.opset <= OPSET_MOST:
        raise Refused(f"--opset {args.opset}: the {args.exporter} exporter and histolrp have "
                      f"{least} to {OPSET_MOST} in common", f"--opset {usual} is usual")
    if args.features and args.classes:
        raise Refused("--features and --classes: features have no classes", "leave out one of them")
    return args


# ---- what goes in and comes out

def only_logits(torch, net, x):
    """The network as one from tiles to [N,C], and what it makes of x."""
    class First(torch.nn.Module):
        """Of several outputs the one called logits, else the first."""

        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, x):
            y = self.net(x)
            if isinstance(y, dict):
                return y["logits"] if "logits" in y else next(iter(y.values()))
            return y.logits if hasattr(y, "logits") else y[0]

    try:
        with torch.no_grad():
            if not isinstance(net(x), torch.Tensor):
                net = First(net).eval()  # an exporter sets all back to what the outermost says
            y = net(x)
    except Exception as e:
        raise Refused(f"the network does not take tiles of {'x'.join(map(str, x.shape))}",
                      first_line(e)) from e
    if not isinstance(y, torch.Tensor) or y.dim() != 2 or y.shape[0] != x.shape[0]:
        shape = "x".join(map(str, y.shape)) if isinstance(y, torch.Tensor) else type(y).__name__
        raise Refused(f"the network makes {shape} of {x.shape[0]} tiles",
                      "it must give [N,classes], as after pooling and the last linear layer")
    if not torch.isfinite(y).all():
        raise Refused("the network's outputs are not finite", "check its weights")
    return net, y


def metadata_of(args, network, outputs):
    """Keys as histolrp's src/onnx/metadata.c reads them."""
    facts = {"exported_from": os.path.basename(args.model)}
    if args.classes:
        # one output of a sigmoid stands for two classes
        if len(args.classes) != outputs and not (outputs == 1 and len(args.classes) == 2):
            raise Refused(f"{len(args.classes)} classes are named and the network has {outputs} outputs",
                          "name one class for each output, in their order")
        facts["classes"] = ",".join(args.classes)
    if args.mpp:
        facts["mpp"] = repr(args.mpp)
    mean, std = args.mean or network.mean, args.std or network.std
    if (mean is None) != (std is None):
        raise Refused("of --mean and --std only one is given", "give both")
    if mean is not None:
        facts["mean"], facts["std"] = (",".join(repr(float(v)) for v in t) for t in (mean, std))
    return facts


# ---- export

@contextlib.contextmanager
def quiet():
    """A failing exporter prints its whole graph, past Python's own streams."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            yield
    finally:
        for number, copy in enumerate(kept, 1):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


def run_exporter(torch, args, net, x, path):
    options = {"opset_version": args.opset, "input_names": ["input"], "output_names": ["logits"]}
    choice = "dynamo" in inspect.signature(torch.onnx.export).parameters
    if args.exporter == "new":
        if not choice:
            raise Refused(f"torch {torch.__version__} has only the legacy exporter", "use --exporter legacy")
        need("onnxscript", "--exporter new")
        options.update(dynamo=True, external_data=weight_bytes(net) > ONE_FILE, verbose=False)
        if args.dynamic_batch:
            x = torch.cat([x, x])
            options["dynamic_shapes"] = ({0: torch.export.Dim("N", min=1, max=4096)},)
    else:
        if choice:
            options["dynamo"] = False
        if args.dynamic_batch:
            options["dynamic_axes"] = {"input": {0: "N"}, "logits": {0: "N"}}
    with quiet():
        torch.onnx.export(net, (x,), path, **options)


def weight_bytes(net):
    return sum(t.numel() * t.element_size() for t in [*net.parameters(), *net.buffers()])


def finish(args, folder, raw, facts, large):
    """The file with its metadata, checked, in folder; returns its path and that of its data."""
    onnx = need("onnx", "the export")
    model = onnx.load(raw)
    opset = max(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
    if opset > OPSET_MOST:
        raise Refused(f"the exporter made operator set {opset}, histolrp reads up to {OPSET_MOST}",
                      "use --exporter legacy", 1)
    if opset != args.opset:
        print(f"note: the exporter made operator set {opset} instead of {args.opset}", file=sys.stderr)
    for key, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    name = os.path.basename(args.output)
    path, data = os.path.join(folder, "out", name), None
    os.mkdir(os.path.dirname(path))
    if large:  # not by save_model's own options, which look for the name in the current folder
        data = path + ".data"
        for tensor in model.graph.initializer:
            if len(tensor.raw_data) >= 1024:
                onnx.external_data_helper.set_external_data(tensor, location=name + ".data")
    onnx.save_model(model, path)
    if data:
        shutil.copymode(path, data)
    onnx.checker.check_model(path)
    return path, data


def compare(torch, net, x, path, dynamic):
    """Prints the largest difference of a logit; refuses one that is too large."""
    try:
        import onnxruntime
    except ImportError:
        print("not compared with torch: onnxruntime is not installed")
        return
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    worst, largest = 0.0, 0.0
    for tiles in ([torch.cat([x, -x])] if dynamic else []) + [x, torch.randn_like(x)]:
        with torch.no_grad():
            want = net(tiles).double()
        have = torch.from_numpy(session.run(None, {"input": tiles.numpy()})[0]).double()
        if have.shape != want.shape:
            raise Refused(f"onnxruntime makes {list(have.shape)} where torch makes {list(want.shape)}",
                          "try --exporter new, or legacy", 1)
        difference = float((have - want).abs().max())
        worst = difference if math.isnan(difference) else max(worst, difference)
        largest = max(largest, float(want.abs().max()))
    if largest == 0 and worst == 0:
        print("compared with torch: all logits are 0, which says nothing (weights that were not trained?)")
        return
    relative = worst / max(largest, 1e-30)
    print(f"compared with torch: largest difference of a logit {worst:.3g}, {relative:.3g} of the largest")
    if not relative <= TOLERANCE:
        raise Refused(f"the exported file differs from torch by {relative:.3g} of the largest logit",
                      "nothing was written; try --exporter new, or legacy, or another --opset", 1)


def put(path, data, output):
    """Under its final name, only whole. Large data first: the file that names them comes last."""
    if data:
        if os.path.exists(output):
            os.remove(output)
        os.replace(data, output + ".data")
    os.replace(path, output)


def export(args):
    torch = need("torch", "the export")
    need("onnx", "the export")
    folder = os.path.dirname(os.path.abspath(args.output))
    if os.path.isdir(args.output) or not os.path.basename(args.output):
        raise Refused(f"is a folder ({args.output})", "name a file, as in -o model.onnx")
    torch.manual_seed(0)
    network = make_network(args)
    net = network.net.float().eval()
    # Frozen layers of attention are run by one fused operator, which ONNX does not know.
    if hasattr(torch.backends, "mha"):
        torch.backends.mha.set_fastpath_enabled(False)
    for parameter in net.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    x = torch.randn(1, CHANNELS, network.size, network.size)
    net, y = only_logits(torch, net, x)
    facts = metadata_of(args, network, y.shape[1])
    try:
        work = tempfile.mkdtemp(prefix=".export-", dir=folder)
    except OSError as e:
        raise Refused(f"cannot be written ({args.output})", e.strerror) from e
    try:
        raw = os.path.join(work, "raw.onnx")
        try:
            run_exporter(torch, args, net, x, raw)
            path, data = finish(args, work, raw, facts, weight_bytes(net) > ONE_FILE)
        except (Refused, OSError):
            raise
        except Exception as e:
            raise Refused(f"torch's {args.exporter} exporter fails", first_line(e), 1) from e
        compare(torch, net, x, path, args.dynamic_batch)
        bytes_ = sum(os.path.getsize(p) for p in (path, data) if p)
        put(path, data, args.output)
    except OSError as e:
        raise Refused(f"cannot be written ({args.output})", e.strerror or str(e), 1) from e
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{args.output}: {network.size}x{network.size} px, {y.shape[1]} outputs, "
          f"{bytes_ / 2**20:.1f} MiB")
    for key, value in facts.items():
        print(f"  {key} = {value}")
    if not args.mpp:
        print("  no mpp: histolrp asks for it (model.mpp)")
    if not args.weights and args.model.startswith(("timm:", "torchvision:")):
        print("  the weights are random: nothing but the network's form is in this file")


def main(words):
    warnings.filterwarnings("ignore")
    for name in ("torch.onnx", "onnxscript", "onnx_ir", "timm"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        export(parse(words))
    except Refused as e:
        print(f"export_torch.py: error: {e}", file=sys.stderr)
        return e.status
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

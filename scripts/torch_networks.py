"""Networks of timm, torchvision and files of one's own, with their weights, for export_torch.py."""
import difflib
import importlib
import importlib.util
import os
import re
import sys
from dataclasses import dataclass
from typing import Any, Optional

SIZE = 224  # where neither --size nor the library says
CHANNELS = 3


class Refused(Exception):
    """One line for the user: what, where, how to mend it."""

    def __init__(self, what, mend="", status=2):
        super().__init__(f"{what}: {mend}" if mend else what)
        self.status = status


@dataclass
class Network:
    net: Any
    size: int
    mean: Optional[tuple] = None
    std: Optional[tuple] = None


def need(name, why):
    try:
        return importlib.import_module(name)
    except ImportError as e:
        raise Refused(f"{e.name or name} is not installed, which {why} needs",
                      f"pip install {e.name or name}") from e


def first_line(error):
    """Of a library's message, which may be pages; paragraphs in brackets and colors are left out."""
    for line in re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines():
        if line.strip():
            return f"{type(error).__name__}: {line.strip()}"[:300]
    return type(error).__name__


# ---- weights

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "state_dict_ema")
PREFIXES = ("module.", "model.", "_orig_mod.", "net.", "encoder.", "backbone.")


def read_weights(path):
    """Tensors by name."""
    if not os.path.isfile(path):
        raise Refused(f"no such file ({path})", "check --weights")
    try:
        if path.endswith(".safetensors"):
            return need("safetensors.torch", path).load_file(path)
        torch = need("torch", "the export")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Refused:
        raise
    except Exception as e:
        if "weights_only" in str(e) or "Unpickl" in type(e).__name__:
            raise Refused(f"cannot be read as tensors alone ({path})",
                          "save it again with torch.save(net.state_dict(), …)") from e
        raise Refused(f"cannot be read ({path})", first_line(e)) from e
    while isinstance(state, dict):
        inside = [k for k in WRAPPERS if isinstance(state.get(k), dict)]
        if not inside:
            break
        state = state[inside[0]]
    if isinstance(state, dict):
        state = {k: v for k, v in state.items() if isinstance(k, str) and hasattr(v, "shape")}
    if not state or not isinstance(state, dict):
        raise Refused(f"holds no tensors by name ({path})", "save it with torch.save(net.state_dict(), …)")
    return state


def without_prefixes(state, own):
    """What all names of the file begin with and no name of the network is taken off."""
    while True:
        found = [p for p in PREFIXES if all(k.startswith(p) for k in state)
                 and not any(k.startswith(p) for k in own)]
        if not found:
            return state
        state = {k[len(found[0]):]: v for k, v in state.items()}


def head_of(net):
    """The name of the last layer's weights."""
    matrices = [k for k, v in net.state_dict().items() if k.endswith("weight") and v.dim() > 1]
    return matrices[-1] if matrices else None


def load_weights(net, state, path, may_be_left=()):
    own = net.state_dict()
    state = without_prefixes(state, own)
    left = [k for k in state if k not in own and not k.startswith(tuple(may_be_left))]
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")]
    other = [k for k in own if k in state and own[k].shape != state[k].shape]
    said = [f"{len(missing)} are missing ({missing[0]}, …)"] if missing else []
    said += [f"{len(left)} are not the network's ({left[0]}, …)"] if left else []
    said += [f"{k} is {'x'.join(map(str, state[k].shape))}, not {'x'.join(map(str, own[k].shape))}"
             for k in other[:1]]
    if said:
        raise Refused(f"the weights do not fit the network ({path})", "of its tensors " + ", ".join(said))
    net.load_state_dict({k: v for k, v in state.items() if k in own}, strict=False)


# ---- networks

def outputs_wanted(args, state, make):
    """How many classes to build with: the weights', else those named, else the library's default."""
    if state:
        usual = make(None)
        own = without_prefixes(state, usual.state_dict())
        head = own.get(head_of(usual))
        if head is not None:
            return int(head.shape[0])
    return len(args.classes) if args.classes else None


def unknown(name, known, library):
    near = difflib.get_close_matches(name, known, 3, 0.6)
    return Refused(f"{library} has no network \"{name}\"",
                   f"did you mean {' or '.join(near)}?" if near else "check its name")


def from_timm(name, args, state):
    timm = need("timm", "timm:" + name)
    if not timm.is_model(name):
        raise unknown(name, timm.list_models(), "timm")
    if args.exporter == "legacy" and args.opset < 14:  # has no operator for fused attention
        timm.layers.set_fused_attn(False)
    config = timm.get_pretrained_cfg(name).to_dict()
    size = args.size or config.get("input_size", (CHANNELS, SIZE, SIZE))[1]

    def make(classes):
        options = {} if classes is None else {"num_classes": classes}
        if size != config.get("input_size", (0, 0))[1]:
            try:  # positions, windows: networks that are built for a size
                return timm.create_model(name, exportable=True, img_size=size, **options)
            except TypeError:
                pass
        return timm.create_model(name, exportable=True, **options)

    net = make(0 if args.features else outputs_wanted(args, state, make))
    if state:
        head = config.get("classifier") or ()
        head = (head,) if isinstance(head, str) else head
        load_weights(net, state, args.weights, [h + "." for h in head] if args.features else ())
    return Network(net, size, config.get("mean"), config.get("std"))


def from_torchvision(name, args, state):
    models = need("torchvision", "torchvision:" + name).models
    if name not in models.list_models(models):
        raise unknown(name, models.list_models(models), "torchvision")
    published = getattr(models.get_model_weights(name), "DEFAULT", None)
    how = published.transforms() if published else None
    own = getattr(how, "crop_size", None)
    size = args.size or (own[0] if own else SIZE)

    def make(classes):
        options = {} if classes is None else {"num_classes": classes}
        if name in ("googlenet", "inception_v3"):
            options["init_weights"] = not state
        if name.startswith("vit_"):
            options["image_size"] = size
        return models.get_model(name, weights=None, **options)

    net = make(outputs_wanted(args, state, make))
    if state:
        load_weights(net, state, args.weights)
    return Network(net, size, getattr(how, "mean", None), getattr(how, "std", None))


def from_file(path, name, args, state):
    if not os.path.isfile(path):
        raise Refused(f"no such file ({path})", "MODEL is timm:NAME, torchvision:NAME or FILE.py:CALLABLE")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec = importlib.util.spec_from_file_location("histolrp_user_network", path)
    if not spec:
        raise Refused(f"is no Python file ({path})", "MODEL is timm:NAME, torchvision:NAME or FILE.py:CALLABLE")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as e:
        raise Refused(f"cannot be imported ({path})", first_line(e)) from e
    maker = getattr(module, name, None)
    if maker is None:
        near = [k for k, v in vars(module).items() if callable(v) and not k.startswith("_")]
        raise Refused(f"has no {name} ({path})", "it has " + (", ".join(near) or "nothing to call"))
    torch = need("torch", "the export")
    try:
        net = maker if isinstance(maker, torch.nn.Module) else maker()
    except Exception as e:
        raise Refused(f"{name} fails without arguments ({path})", first_line(e)) from e
    if not isinstance(net, torch.nn.Module):
        raise Refused(f"{name} gives a {type(net).__name__} ({path})", "it must return a torch.nn.Module")
    if state:
        load_weights(net, state, args.weights)
    return Network(net, args.size or SIZE)


def make_network(args):
    library, _, name = args.model.partition(":")
    ours = library in ("timm", "torchvision")
    if args.features and library != "timm":
        raise Refused("--features is for timm's networks", "return the encoder from a FILE.py:CALLABLE")
    state = read_weights(args.weights) if args.weights else None
    if not ours:
        path, colon, name = args.model.rpartition(":")
        if not colon or not name.isidentifier():
            raise Refused(f"\"{args.model}\" names no network",
                          "MODEL is timm:NAME, torchvision:NAME or FILE.py:CALLABLE")
        return from_file(path, name, args, state)
    try:
        return (from_timm if library == "timm" else from_torchvision)(name, args, state)
    except (ImportError, TypeError, ValueError, AssertionError, RuntimeError) as e:
        raise Refused(f"{args.model} cannot be built", first_line(e)) from e

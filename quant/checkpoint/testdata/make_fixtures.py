"""Makes the fixtures of this folder with PyTorch itself (1.13 of Debian 12).

Run it here:  python3 make_fixtures.py
The output is the same on every run. expected.json holds, for each file, what
a reader must find: shapes, source types and the float32 values as base64 of
little-endian bytes, all taken from the tensors in memory, never from a file.
"""

import argparse
import base64
import collections
import io
import json
import os
import struct
import sys
import types
import zipfile

import numpy as np
import torch
from torch import nn

expected = {}


class Net(nn.Module):
    """One of each kind of tensor that a ResNeXt's state dict has."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, groups=2, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 3)


def make_net():
    torch.manual_seed(1)
    net = Net()
    net.bn.running_mean.normal_()
    net.bn.running_var.uniform_(0.5, 2)
    net.bn.num_batches_tracked.fill_(7)
    # Values that a wrong conversion would lose: smallest and largest of half,
    # its subnormals, a negative zero, and what rounds differently in float64.
    net.fc.bias.data = torch.tensor([6.103515625e-05, 5.960464477539063e-08, -0.0])
    net.bn.bias.data = torch.tensor([65504.0, -65504.0, 1.0009765625, 1 / 3])
    return net


def expect(name, format, state, wrapper="", prefix="", error=None):
    if error:
        expected[name] = {"error": error}
        return
    tensors, order, ignored = {}, [], []
    for key, value in state.items():
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            ignored.append(key)
            continue
        order.append(key)
        data = value.detach().to(torch.float32).contiguous().numpy().astype("<f4")
        tensors[key] = {
            "shape": list(value.shape),
            "dtype": str(value.dtype).replace("torch.", ""),
            "data": base64.b64encode(data.tobytes()).decode(),
        }
    expected[name] = {
        "format": format, "wrapper": wrapper, "prefix": prefix,
        "order": order, "ignored": ignored, "tensors": tensors,
    }


def save_zip(obj, name, **kw):
    torch.save(obj, name, **kw)


def save_legacy(obj, name, **kw):
    """The old format names a storage by its address: number them instead."""
    address, numbers = torch._C.StorageBase._cdata, {}
    torch.storage.UntypedStorage._cdata = property(
        lambda self: numbers.setdefault(address.__get__(self), 93824992231000 + len(numbers)))
    torch.save(obj, name, _use_new_zipfile_serialization=False, **kw)


def cast(state, dtype):
    return collections.OrderedDict(
        (k, v.to(dtype) if v.is_floating_point() else v) for k, v in state.items())


# What PyTorch 2 writes beside the entries of 1.13.
NEWER = {".format_version": b"1", ".storage_alignment": b"64", ".data/serialization_id": b"0" * 40}


def rezip(source, target, change, compression=zipfile.ZIP_STORED, extra={}):
    """Copies a zip, each entry's bytes passed through change(name, data), and
    adds the entries of extra."""
    with zipfile.ZipFile(source) as src, zipfile.ZipFile(target, "w", compression) as dst:
        for info in src.infolist():
            entry = zipfile.ZipInfo(info.filename)
            entry.compress_type = compression
            dst.writestr(entry, change(info.filename, src.read(info)))
        top = src.infolist()[0].filename.split("/")[0]
        for name, data in extra.items():
            dst.writestr(zipfile.ZipInfo(top + "/" + name), data)


def safetensors_bytes(state):
    kinds = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
             torch.float64: "F64", torch.int64: "I64"}
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for key, value in state.items():
        value = value.contiguous()
        raw = value.view(torch.int16) if value.dtype == torch.bfloat16 else value
        raw = raw.numpy().tobytes()
        header[key] = {"dtype": kinds[value.dtype], "shape": list(value.shape),
                       "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def plain():
    state = make_net().state_dict()
    for name, dtype in [("f32", torch.float32), ("f16", torch.float16),
                        ("bf16", torch.bfloat16), ("f64", torch.float64)]:
        save_zip(cast(state, dtype), name + ".pth")
        expect(name + ".pth", "pytorch-zip", cast(state, dtype))
        save_legacy(cast(state, dtype), "legacy_" + name + ".pth")
        expect("legacy_" + name + ".pth", "pytorch-legacy", cast(state, dtype))
    save_zip(state, "protocol4.pth", pickle_protocol=4)
    expect("protocol4.pth", "pytorch-zip", state)
    save_legacy(state, "legacy_protocol1.pth", pickle_protocol=1)
    expect("legacy_protocol1.pth", "pytorch-legacy", state)
    save_legacy(state, "legacy_protocol5.pth", pickle_protocol=5)
    expect("legacy_protocol5.pth", "pytorch-legacy", state)

    mixed = collections.OrderedDict()
    for i, (key, value) in enumerate(state.items()):
        kind = [torch.float32, torch.float16, torch.bfloat16, torch.float64][i % 4]
        mixed[key] = value.to(kind) if value.is_floating_point() else value
    with open("mixed.safetensors", "wb") as f:
        f.write(safetensors_bytes(mixed))
    expect("mixed.safetensors", "safetensors", mixed)
    with open("f32.safetensors", "wb") as f:
        f.write(safetensors_bytes(state))
    expect("f32.safetensors", "safetensors", state)


def strided():
    torch.manual_seed(2)
    base = torch.randn(6, 5)
    state = collections.OrderedDict()
    state["transposed"] = base.t()
    state["sliced"] = base[2:5, 1:4]
    state["stepped"] = base[::2, ::3]
    state["row"] = base[3]
    state["scalar"] = base[4, 2]
    state["diagonal"] = torch.diagonal(base)
    state["channels_last"] = torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last)
    state["permuted"] = torch.randn(2, 3, 4).permute(2, 0, 1)
    state["expanded"] = torch.randn(3, 1).expand(3, 4)
    state["empty"] = torch.randn(0, 3)
    state["half_transposed"] = torch.randn(3, 4).half().t()
    save_zip(state, "strided.pth")
    expect("strided.pth", "pytorch-zip", state)
    save_legacy(state, "legacy_strided.pth")
    expect("legacy_strided.pth", "pytorch-legacy", state)


def parameters():
    net = make_net()
    state = collections.OrderedDict(net.named_parameters())
    state["bn.running_mean"] = net.bn.running_mean
    save_zip(state, "parameter.pth")
    expect("parameter.pth", "pytorch-zip", state)


def wrapped():
    net = make_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    sum(p.sum() for p in net.parameters()).backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[3, 5])
    state = net.state_dict()
    table = collections.defaultdict(list)
    table["loss"].append(0.25)
    outer = {
        "epoch": 3, "arch": "resnext29", "best_acc1": torch.tensor(93.08), "none": None,
        "args": argparse.Namespace(lr=0.1, gammas=[0.1, 0.1], use_cuda=True, seed=1 << 70),
        "score": np.float64(0.5), "history": table, "names": {"a"}, "shape": net.conv.weight.shape,
        "dtype": torch.float32, "device": torch.device("cpu"), "blob": b"\x00\xff", "z": 1 - 2j,
        "negative": [-1, -(1 << 40), 255, 65535, 1e300],
        "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
        "state_dict": state,
    }
    save_zip(outer, "wrapped.pth")
    expect("wrapped.pth", "pytorch-zip", state, "state_dict")
    save_legacy(outer, "legacy_wrapped.pth")
    expect("legacy_wrapped.pth", "pytorch-legacy", state, "state_dict")
    save_zip(outer, "wrapped_protocol5.pth", pickle_protocol=5)
    expect("wrapped_protocol5.pth", "pytorch-zip", state, "state_dict")


def prefixed():
    state = make_net().state_dict()
    parallel = nn.DataParallel(make_net()).state_dict()
    save_zip(parallel, "dataparallel.pth")
    expect("dataparallel.pth", "pytorch-zip", state, "", "module.")

    deep = collections.OrderedDict(("_orig_mod.module.backbone." + k, v) for k, v in state.items())
    save_zip({"ema": {"module": deep}, "optimizer": {}}, "nested.pth")
    expect("nested.pth", "pytorch-zip", state, "ema.module", "_orig_mod.module.backbone.")

    other = collections.OrderedDict((k, v * 2 if v.is_floating_point() else v) for k, v in state.items())
    save_zip({"ema": other, "weights": other, "model": state}, "several.pth")
    expect("several.pth", "pytorch-zip", state, "model")


def byte_orders():
    state = make_net().state_dict()
    sizes = {}
    for n, value in enumerate(state.values()):
        sizes["f32/data/%d" % n] = value.element_size()

    def same(name, data):
        return data

    def big(name, data):
        if name in sizes:
            return np.frombuffer(data, "<u%d" % sizes[name]).astype(">u%d" % sizes[name]).tobytes()
        return data

    rezip("f32.pth", "little.pth", same, extra=NEWER | {"byteorder": b"little"})
    expect("little.pth", "pytorch-zip", state)
    rezip("f32.pth", "big.pth", big, extra=NEWER | {"byteorder": b"big"})
    expect("big.pth", "pytorch-zip", state)
    rezip("f32.pth", "middle.pth", same, extra={"byteorder": b"pdp"})
    expect("middle.pth", "", None, error='byteorder entry says "pdp"')
    rezip("f32.pth", "deflated.pth", same, zipfile.ZIP_DEFLATED)
    expect("deflated.pth", "", None, error="is compressed")


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


def fake_class(module, name):
    """A class that pickles as module.name, so that no package is needed."""
    made = type(name, (object,), {"__module__": module, "__qualname__": name})
    parts = module.split(".")
    for i in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(parts[i - 1]))
    setattr(sys.modules[module], name, made)
    return made


def refused_and_found():
    advice = "Save a state_dict: torch.save(model.state_dict(), path)"
    closed = ", in which no tensor can be found; only tensors are read. " + advice
    state = make_net().state_dict()
    for save, prefix, format in [(save_zip, "", "pytorch-zip"), (save_legacy, "legacy_", "pytorch-legacy")]:
        save({"state_dict": state, "boom": Evil()}, prefix + "hostile.pth")
        expect(prefix + "hostile.pth", "", None,
               error='the pickle wants to call "posix.system"; only tensors are read. ' + advice)
        whole = fake_class("torchvision.models.resnet", "ResNet")()
        whole.weight = state["conv.weight"]
        save(whole, prefix + "whole.pth")
        expect(prefix + "whole.pth", format, {"weight": whole.weight})
        module = nn.Linear(2, 2)
        save(module, prefix + "module.pth")
        expect(prefix + "module.pth", format, module.state_dict())
    save_zip({"q": torch.quantize_per_tensor(torch.randn(3), 0.1, 0, torch.qint8)}, "quantised.pth")
    expect("quantised.pth", "", None, error='under "q" is an object of class "torch._utils._rebuild_qtensor"' + closed)
    save_zip([state["fc.bias"]], "list.pth")
    expect("list.pth", "", None, error="the file holds a list")
    save_zip(state["fc.bias"], "tensor.pth")
    expect("tensor.pth", "", None, error="the file holds a tensor")
    save_zip({"epoch": 1, "config": {"a": {"w": state["fc.bias"]}}}, "astray.pth")
    expect("astray.pth", "pytorch-zip", {"w": state["fc.bias"]}, "config.a")
    save_zip({"a": torch.tensor([1.0]), "config": {"w": state["fc.bias"]}}, "beside.pth")
    expect("beside.pth", "pytorch-zip", {"w": state["fc.bias"]}, "config")
    script, module = io.BytesIO(), nn.Linear(2, 2)
    torch.jit.save(torch.jit.script(module), script)
    rezip(script, "script.pt", lambda n, d: b"" if "/code/" in n else d)  # its order varies
    expect("script.pt", "TorchScript", module.state_dict())


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    plain()
    strided()
    parameters()
    wrapped()
    prefixed()
    byte_orders()
    refused_and_found()
    with open("expected.json", "w") as f:
        json.dump(expected, f, indent=0, sort_keys=True)
        f.write("\n")


main()

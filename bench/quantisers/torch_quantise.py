"""PyTorch's static quantisation (FX graph mode) of the float network."""

import copy
import sys
import warnings

import numpy
import torch
from torch import nn
from torch.ao.quantization import QConfigMapping, default_per_channel_weight_observer, get_default_qconfig_mapping
from torch.ao.quantization.observer import HistogramObserver, MinMaxObserver
from torch.ao.quantization.qconfig import QConfig
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from network import Network, Results, note


def conv(network, step):
    c = nn.Conv2d(
        step["channels"], step["filters"], step["kernel"], step["stride"], step["kernel"] // 2, groups=step["groups"]
    )
    c.weight.data = torch.from_numpy(network.weight(step["name"]).copy())
    c.bias.data = torch.from_numpy(network.bias(step["name"]).copy())
    return c


class Gate(nn.Module):
    """What a gate multiplies its map with, [n,channels,1,1]."""

    def __init__(self, network, step):
        super().__init__()
        self.average, self.across, layers = nn.AdaptiveAvgPool2d(1), len(step["layers"]) == 1, []
        for name in step["layers"]:
            weight = network.weight(name)
            if self.across:  # channels become the places of a convolution
                weight, shape = weight[:, None, :, None], (1, 1, (weight.shape[1], 1), 1, (weight.shape[1] // 2, 0))
            else:
                weight, shape = weight[:, :, None, None], (weight.shape[1], weight.shape[0], 1)
            layer = nn.Conv2d(*shape)
            layer.weight.data = torch.from_numpy(weight.copy())
            layer.bias.data = torch.from_numpy(network.bias(name).copy())
            layers += [layer, nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1], nn.Sigmoid())

    def forward(self, x):
        means = self.average(x)
        return self.layers(means.transpose(1, 2)).transpose(1, 2) if self.across else self.layers(means)


class FromSteps(nn.Module):
    """The network, step by step. Each ReLU is a module of its own, which FX fuses with what comes before it."""

    def __init__(self, network):
        super().__init__()
        self.steps, self.layers, self.relus = network.steps, nn.ModuleList(), nn.ModuleList()
        for step in self.steps:
            if step["op"] == "conv":
                layer = conv(network, step)
            elif step["op"] == "max_pool":
                layer = nn.MaxPool2d(3, 2, 1)
            elif step["op"] == "average_pool":
                layer = nn.AvgPool2d(2, 2, ceil_mode=True, count_include_pad=False)
            elif step["op"] == "gate":
                layer = Gate(network, step)
            else:
                layer = nn.Linear(step["channels"], step["filters"])
                layer.weight.data = torch.from_numpy(network.weight(step["name"]).copy())
                layer.bias.data = torch.from_numpy(network.bias(step["name"]).copy())
            self.layers.append(layer)
            self.relus.append(nn.ReLU())
        self.average, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()

    def forward(self, x):
        maps = {0: x}
        for step, layer, relu in zip(self.steps, self.layers, self.relus):
            x = maps[step["in"]]
            if step["op"] == "classify":
                return layer(self.flatten(self.average(x)))
            y = x * layer(x) if step["op"] == "gate" else layer(x)
            if step["add"] >= 0:
                y = y + maps[step["add"]]
            rectified = step["relu"] or step["op"] == "gate" and step["add"] >= 0
            maps[step["out"]] = relu(y) if rectified else y


def batches(x, size):
    return (torch.from_numpy(x[i : i + size]) for i in range(0, len(x), size))


def logits(model, network):
    with torch.inference_mode():
        return numpy.concatenate([model(b).numpy() for b in batches(network.pictures("evaluation"), 16)])


def quantise(model, network, qconfig):
    calibration = network.pictures("calibration")
    prepared = prepare_fx(copy.deepcopy(model), qconfig, (torch.from_numpy(calibration[:1]),))
    with torch.inference_mode():
        for b in batches(calibration, 16):
            prepared(b)
    return convert_fx(prepared)


def per_channel(engine, observer):
    mapping = QConfigMapping().set_global(
        QConfig(activation=observer.with_args(quant_min=0, quant_max=255), weight=default_per_channel_weight_observer)
    )
    # A sigmoid's range is fixed, and PyTorch insists on being told so.
    return mapping.set_object_type(nn.Sigmoid, get_default_qconfig_mapping(engine).object_type_qconfigs[nn.Sigmoid])


def main():
    folder = sys.argv[1]
    warnings.simplefilter("ignore")
    torch.set_num_threads(2)
    network, results = Network(folder), Results(folder, "PyTorch")
    model = FromSteps(network).eval()
    results.measure("float", lambda: model, lambda m: logits(m, network))
    for engine in ("fbgemm", "onednn", "qnnpack"):
        if engine not in torch.backends.quantized.supported_engines:
            continue
        torch.backends.quantized.engine = engine
        for name, qconfig in (
            ("default", get_default_qconfig_mapping(engine)),
            ("per-channel, Histogram", per_channel(engine, HistogramObserver)),
            ("per-channel, MinMax", per_channel(engine, MinMaxObserver)),
        ):
            note(f"PyTorch: {engine}, {name}")
            results.measure(f"{engine}, {name}", lambda: quantise(model, network, qconfig), lambda m: logits(m, network))


main()
